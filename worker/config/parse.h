/*
 * parse.h - reads a value of any type that is written as one text
 */
#ifndef WORKER_CONFIG_PARSE_H
#define WORKER_CONFIG_PARSE_H

#include "worker/config/state.h"

/* For defaults and environment variables. Stores the value or reports the mistake. */
void config_set_from_text(struct config_load *load, const struct config_key *key, const char *where,
	const char *text);

#endif
