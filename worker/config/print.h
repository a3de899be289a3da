/*
 * print.h - prints the effective configuration, and the reference of all keys
 */
#ifndef WORKER_CONFIG_PRINT_H
#define WORKER_CONFIG_PRINT_H

#include <stdio.h>

#include "worker/config/config.h"

/* The effective values and the source of each one, with secrets masked. `config` must come from
 * config_load. */
void config_print(const struct config *config, FILE *out);
/* Every key with its type, default and meaning, as Markdown. */
void config_print_reference(FILE *out);

#endif
