/* crash.c - which sessions' ends are no command's doing */
#include "worker/engine/crash.h"

#include <criterion/criterion.h>
#include <string.h>

/* Loses the session of a running read with that SQLSTATE. Returns whether the read may be the cause. */
static bool is_suspect(const char *sqlstate)
{
	const struct connection_options options = { 0 };
	struct transaction t = { .connection = connection_new(&options), .running = true };
	struct db_failure failure = { .kind = DB_LOST };
	struct detached_read read = { 0 };
	memcpy(failure.sqlstate, sqlstate, strlen(sqlstate) + 1);
	crash_read_lost(&t, &read, &failure);
	connection_free(t.connection);
	return read.loss.open && read.loss.running;
}

Test(crash, ends_that_the_server_or_its_settings_cause)
{
	static const char *const excused[] = { "25006", "25P03", "25P04", "57P02", "57P05" };
	for (size_t i = 0; i < sizeof(excused) / sizeof(excused[0]); i++)
		cr_expect_not(is_suspect(excused[i]), "%s", excused[i]);
}

Test(crash, ends_that_a_command_may_cause)
{
	static const char *const open[] = { "", "57P01", "XX000" };
	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
		cr_expect(is_suspect(open[i]), "%s", open[i]);
}
