/*
 * state.c - mistakes and origins of one load
 */
#include "worker/config/state.h"

#include <stdarg.h>

void config_mistake(struct config_load *load, const char *where, const char *path,
	const char *format, ...)
{
	va_list args;

	load->mistakes++;
	fprintf(load->errors, "%s: %s%s", where, path ? path : "", path ? ": " : "");
	va_start(args, format);
	vfprintf(load->errors, format, args);
	va_end(args);
	fputc('\n', load->errors);
}

struct config_origin *config_origin(const struct config_load *load, const struct config_key *key)
{
	return &load->full->origins[key - config_keys];
}
