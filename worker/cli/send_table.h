/*
 * send_table.h - prints the results of vectors.query as a table
 *
 * One line per result: rank, id, score, and as much of the metadata as fits. Control characters from
 * the database become escapes, so that they do not reach the terminal.
 *
 * One thread.
 */
#ifndef WORKER_CLI_SEND_TABLE_H
#define WORKER_CLI_SEND_TABLE_H

#include <jansson.h>
#include <stdbool.h>

#include "schemas/base/text.h"

/* Can the results of this command be printed as a table? */
bool send_table_fits(const char *command);

/* Width of standard output in columns: the terminal's, else $COLUMNS, else 80. */
int send_table_columns(void);

/* Appends the table for an array of {id, score, metadata}. Lines fit into `columns` unless that is
 * too narrow for the minimum widths. */
void send_table_print(struct buffer *out, const json_t *results, int columns);

#endif
