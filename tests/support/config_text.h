/*
 * config_text.h - loads a configuration from a text, for tests
 *
 * A test program includes it once. Each test runs in its own process, so it may set environment variables.
 */
#ifndef TESTS_CONFIG_TEXT_H
#define TESTS_CONFIG_TEXT_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "worker/config/load.h"

static char *errors; /* of the last load */

/* Loads a file with this text (NULL: no file). */
static struct config *load(const char *text)
{
	char path[] = "/tmp/stowage-config-XXXXXX";
	size_t size;
	struct config *config;
	FILE *out;

	free(errors);
	out = open_memstream(&errors, &size);
	if (text) {
		int fd = mkstemp(path);

		cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
		close(fd);
	}
	config = config_load(text ? path : "/dev/null", out);
	fclose(out);
	if (text)
		unlink(path);
	return config;
}

/* Expects the load to fail with a line that contains both texts. */
static void fails(const char *text, const char *key, const char *reason)
{
	struct config *config = load(text);
	char *line = errors;
	bool found = false;

	cr_assert_null(config, "%s was accepted", text ? text : "the environment");
	for (char *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		found = found || (strstr(line, key) && strstr(line, reason));
		*end = '\n';
	}
	cr_assert(found, "no line with \"%s\" and \"%s\" in:\n%s", key, reason, errors);
}

/* The stack of the tests sets these variables. */
static void forget_stack(void)
{
	unsetenv("STOWAGE_POSTGRES_CONNECTION_STRING");
	unsetenv("STOWAGE_KAFKA_BOOTSTRAP_SERVERS");
	unsetenv("STOWAGE_CONFIG");
}

static void free_errors(void)
{
	free(errors);
}

#endif
