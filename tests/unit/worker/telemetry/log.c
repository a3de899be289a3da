/*
 * log.c - tests of worker/telemetry/log.c
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "worker/telemetry/log.h"

static char line[65536];

/* Reads the line that was logged to the pipe. */
static const char *read_line(int fd)
{
	ssize_t size = read(fd, line, sizeof(line) - 1);

	cr_assert(size > 0);
	line[size] = '\0';
	cr_assert_eq(strchr(line, '\n'), line + size - 1, "not one line: %s", line);
	line[size - 1] = '\0';
	return line;
}

static struct log *open_log(enum log_format format, int *fd)
{
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	*fd = ends[0];
	return log_new(LOG_INFO, format, ends[1]);
}

/* The fields after the time. */
static const char *fields_of(const char *text)
{
	return strstr(text, "level=");
}

Test(log, logfmt_quotes_values_where_needed)
{
	int fd;
	struct log *log = open_log(LOG_LOGFMT, &fd);

	log_info(log, "partition claimed", LOG_STR("topic", "a.b"), LOG_INT("partition", 3),
		LOG_STR("blank", "a b"), LOG_STR("empty", ""), LOG_STR("equals", "a=b"),
		LOG_STR("left_out", NULL), LOG_REAL("seconds", 0.25));
	cr_assert_str_eq(fields_of(read_line(fd)),
		"level=info msg=\"partition claimed\" topic=a.b partition=3 "
		"blank=\"a b\" empty=\"\" equals=\"a=b\" seconds=0.25");
	log_free(log);
}

Test(log, untrusted_text_stays_one_line)
{
	int fd;
	struct log *log = open_log(LOG_LOGFMT, &fd);

	log_warn(log, "m", LOG_STR("a", "x\ny\t\"z\\"), LOG_BYTES("b", "a\0b", 3),
		LOG_STR("c", "\xff\xc3("), LOG_STR("d", "\033[2J\x7f\xc2\x9b"),
		LOG_STR("e", "ü€😀"), LOG_STR("f", "\xe2\x80\xae"));
	cr_assert_str_eq(fields_of(read_line(fd)),
		"level=warn msg=\"m\" a=\"x\\ny\\t\\\"z\\\\\" "
		"b=\"a\\u0000b\" c=\"\\xff\\xc3(\" d=\"\\u001b[2J\\u007f\\u009b\" e=\"ü€😀\" f=\"\\u202e\"");
	log_free(log);
}

Test(log, any_bytes_become_valid_json)
{
	int fd;
	struct log *log = open_log(LOG_JSON, &fd);
	char all[256];
	json_t *json;

	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (char)i;
	log_error(log, "it \"broke\"", LOG_BYTES("all", all, sizeof(all)), LOG_INT("n", -5),
		LOG_REAL("nan", NAN));
	json = json_loads(read_line(fd), JSON_ALLOW_NUL, NULL);
	cr_assert_not_null(json, "%s", line);
	cr_assert_str_eq(json_string_value(json_object_get(json, "msg")), "it \"broke\"");
	cr_assert_str_eq(json_string_value(json_object_get(json, "level")), "error");
	cr_assert_eq(json_integer_value(json_object_get(json, "n")), -5);
	cr_assert(json_is_null(json_object_get(json, "nan")));
	cr_assert_eq(strlen(json_string_value(json_object_get(json, "time"))),
		strlen("2026-11-22T10:11:12.345Z"));
	json_decref(json);
	log_free(log);
}

Test(log, long_values_are_cut_between_characters)
{
	int fd;
	struct log *log = open_log(LOG_JSON, &fd);
	char value[LOG_VALUE_MAX + 10];
	json_t *json;
	const char *cut;

	/* The limit is in the middle of a character. */
	memset(value, 'a', LOG_VALUE_MAX - 1);
	memcpy(value + LOG_VALUE_MAX - 1, "€€", 7);
	log_info(log, "m", LOG_STR("v", value));
	json = json_loads(read_line(fd), 0, NULL);
	cut = json_string_value(json_object_get(json, "v"));
	cr_assert_eq(strlen(cut), LOG_VALUE_MAX - 1 + strlen("…"));
	cr_assert_str_eq(cut + LOG_VALUE_MAX - 1, "…");
	json_decref(json);
	log_free(log);
}

Test(log, a_full_line_is_still_valid)
{
	int fd;
	struct log *log = open_log(LOG_JSON, &fd);
	char value[LOG_VALUE_MAX + 1];
	json_t *json;

	memset(value, 1, sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	log_info(log, "m", LOG_STR("a", value), LOG_STR("b", value), LOG_STR("c", value),
		LOG_STR("d", value), LOG_INT("e", 1));
	json = json_loads(read_line(fd), 0, NULL);
	cr_assert_not_null(json);
	cr_assert_not_null(json_object_get(json, "a"));
	cr_assert_null(json_object_get(json, "d"));
	json_decref(json);
	log_free(log);
}

Test(log, levels)
{
	int fd;
	struct log *log = open_log(LOG_LOGFMT, &fd);

	cr_assert(log_enabled(log, LOG_ERROR));
	cr_assert(log_enabled(log, LOG_INFO));
	cr_assert_not(log_enabled(log, LOG_DEBUG));
	log_debug(log, "hidden");
	log_info(log, "shown");
	cr_assert_not_null(strstr(read_line(fd), "msg=\"shown\""));
	log_free(log);
}
