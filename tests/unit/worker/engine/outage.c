/* outage.c - tests of what the log says about an outage */
#include "worker/engine/outage.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct outage *outage;
static struct metrics *metrics;
static struct log *log_to_pipe;
static int pipe_fds[2];

static void make(void)
{
	cr_assert_eq(pipe(pipe_fds), 0);
	cr_assert_eq(fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK), 0);
	log_to_pipe = log_new(LOG_WARN, LOG_LOGFMT, pipe_fds[1]);
	metrics = metrics_new(NULL, 0);
	outage = outage_new(log_to_pipe, metrics);
}

static void drop(void)
{
	outage_free(outage);
	metrics_free(metrics);
	log_free(log_to_pipe);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

TestSuite(outage, .init = make, .fini = drop, .timeout = 60);

static void see(enum db_kind kind, const char *sqlstate, const char *message)
{
	struct db_failure failure = { .kind = kind };
	snprintf(failure.sqlstate, sizeof(failure.sqlstate), "%s", sqlstate);
	snprintf(failure.message, sizeof(failure.message), "%s", message);
	outage_seen(outage, &failure);
}

/* Returns how many lines were logged since the last call; *text gets the last ones. */
static int lines(char text[4096])
{
	int count = 0;
	ssize_t size = read(pipe_fds[0], text, 4095);
	text[size > 0 ? size : 0] = '\0';
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		count++;
	return count;
}

Test(outage, is_one_line_whatever_its_texts)
{
	char text[4096];
	for (int i = 0; i < 5; i++) {
		see(DB_OUTAGE, "57P03", "the database system is starting up");
		see(DB_OUTAGE, "", "connection refused");
		see(DB_LOST, "", "server closed the connection unexpectedly");
		see(DB_SETUP, "", "role does not exist");
	}
	cr_assert_eq(lines(text), 1, "%s", text);
	cr_assert_not_null(strstr(text, "database refuses work: partitions wait"), "%s", text);
}

Test(outage, names_each_cause_in_the_setup_once)
{
	char text[4096];
	for (int i = 0; i < 3; i++)
		see(DB_SETUP, "42P10", "no unique constraint matches");
	cr_assert_eq(lines(text), 1, "%s", text);
	for (int i = 0; i < 3; i++) {
		see(DB_SETUP, "55000", "cannot update table \"a\"");
		see(DB_SETUP, "42P10", "no unique constraint matches");
		see(DB_SETUP, "55000", "cannot update table \"b\"");
	}
	cr_assert_eq(lines(text), 2, "%s", text);
	cr_assert_not_null(strstr(text, "level=error"), "%s", text);
	cr_assert_not_null(strstr(text, "sqlstate=55000"), "%s", text);
	see(DB_OUTAGE, "57P01", "shutdown");
	see(DB_OUTAGE, "57P03", "starting up");
	cr_assert_eq(lines(text), 1, "%s", text);
}

Test(outage, does_not_flood_the_log_with_causes)
{
	char text[4096], message[64];
	int count = 0;
	for (int i = 0; i < 100; i++) {
		snprintf(message, sizeof(message), "invalid page in block %d", i);
		see(DB_SETUP, "XX001", message);
		count += lines(text);
	}
	cr_assert_leq(count, 16);
}
