/*
 * check_report.c - the lines that `stowage check` prints
 */
#include "worker/cli/check_report.h"

#include <stdarg.h>
#include <stdio.h>

enum verdict { VERDICT_OK, VERDICT_NOTE, VERDICT_FAILED };

static void check_report_line(const struct check *check, enum verdict verdict, const char *what,
	const char *hint, const char *format, va_list args)
{
	static const char *const words[] = { "ok    ", "note  ", "failed" };
	static const char *const colours[] = { "\033[32m", "\033[33m", "\033[31m" };
	bool colour = check->cli->out_is_terminal && check->cli->colour;

	printf("%s%s%s  %-16s ", colour ? colours[verdict] : "", words[verdict],
		colour ? "\033[0m" : "", what);
	vprintf(format, args);
	putchar('\n');
	if (hint)
		printf("                         %s\n", hint);
	fflush(stdout);
}

void check_ok(struct check *check, const char *what, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	check_report_line(check, VERDICT_OK, what, NULL, format, args);
	va_end(args);
}

void check_note(struct check *check, const char *what, const char *hint, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	check_report_line(check, VERDICT_NOTE, what, hint, format, args);
	va_end(args);
}

void check_failed(struct check *check, enum exit_status status, const char *what, const char *hint,
	const char *format, ...)
{
	va_list args;

	if (check->status == EXIT_OK)
		check->status = status;
	va_start(args, format);
	check_report_line(check, VERDICT_FAILED, what, hint, format, args);
	va_end(args);
}
