/*
 * send_table.h - the results of a search (vectors.query) as a table for people
 *
 * A line each: rank, id, score, and as much of the metadata as there is room for. What comes out of
 * the database is shown, never obeyed: characters that would steer a terminal become escapes.
 *
 * One thread.
 */
#ifndef WORKER_CLI_SEND_TABLE_H
#define WORKER_CLI_SEND_TABLE_H

#include <jansson.h>
#include <stdbool.h>

#include "schemas/base/text.h"

/* Are results of this command shown as a table? */
bool send_table_fits(const char *command);

/* Columns of standard output: the terminal's, else $COLUMNS, else 80. */
int send_table_columns(void);

/* Appends the table of an array of {id, score, metadata}, no line wider than `columns` if that is
 * possible. */
void send_table_print(struct buffer *out, const json_t *results, int columns);

#endif
