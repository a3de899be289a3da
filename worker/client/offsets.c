/*
 * offsets.c - reads and writes the offsets of partitions
 */
#include "worker/client/offsets.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/connection/statement.h"
#include "schemas/base/alloc.h"
#include "worker/client/database.h"

static const char read_sql[] =
	"SELECT topic, partition, topic_id, epoch, applied, answered, crash_count,\n"
	"	to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),\n"
	"	(SELECT count(*) FROM :\"schema\".stowage_outbox AS outbox\n"
	"		WHERE (outbox.group_id, outbox.topic, outbox.partition)\n"
	"			= (lane.group_id, lane.topic, lane.partition))\n"
	"FROM :\"schema\".stowage_offsets AS lane\n"
	"WHERE group_id = $1 AND ($2::text IS NULL OR topic = $2)\n"
	"ORDER BY topic, partition";

/* A running batch locks the rows of its lanes for a moment. */
static const char begin_sql[] = "BEGIN; SET LOCAL lock_timeout = '15s'";

static const char write_sql[] =
	"INSERT INTO :\"schema\".stowage_offsets AS lane\n"
	"	(group_id, topic, partition, topic_id, epoch, applied, answered)\n"
	"VALUES ($1, $2, $3::integer, $4, 1, $5::bigint, $5::bigint)\n"
	"ON CONFLICT (group_id, topic, partition) DO UPDATE SET topic_id = EXCLUDED.topic_id,\n"
	"	epoch = lane.epoch + 1, applied = EXCLUDED.applied, answered = EXCLUDED.answered,\n"
	"	crash_count = 0, crash_offset = -1, updated_at = now()";

static const char drop_sql[] = "DELETE FROM :\"schema\".stowage_outbox\n"
			       "WHERE group_id = $1 AND topic = $2 AND partition = $3::integer";

/* Runs one statement. On failure returns NULL and writes the reason to `error`. */
static PGresult *offsets_run(PGconn *conn, const struct config *config, const char *sql,
	const char *const *values, int count, char *error, size_t error_size)
{
	char *text = statement_text(sql, config->postgres.schema_name);
	PGresult *result = count ? PQexecParams(conn, text, count, NULL, values, NULL, NULL, 0)
				 : PQexec(conn, text);
	ExecStatusType status = PQresultStatus(result);

	free(text);
	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
		return result;
	database_one_line(PQresultErrorMessage(result), error, error_size);
	PQclear(result);
	return NULL;
}

static int64_t offsets_number(const PGresult *result, int row, int column)
{
	return strtoll(PQgetvalue(result, row, column), NULL, 10);
}

bool offsets_read(PGconn *conn, const struct config *config, const char *topic,
	struct offset_rows *rows, char *error, size_t error_size)
{
	const char *const values[] = { config->kafka.group_id, topic };
	PGresult *result = offsets_run(conn, config, read_sql, values, 2, error, error_size);

	*rows = (struct offset_rows){ 0 };
	if (!result)
		return false;
	rows->count = (size_t)PQntuples(result);
	rows->rows = alloc_zero(rows->count, sizeof(*rows->rows));
	for (int i = 0; i < PQntuples(result); i++)
		rows->rows[i] = (struct offset_row){
			.topic = alloc_copy(PQgetvalue(result, i, 0)),
			.partition = (int32_t)offsets_number(result, i, 1),
			.topic_id = alloc_copy(PQgetvalue(result, i, 2)),
			.epoch = offsets_number(result, i, 3),
			.applied = offsets_number(result, i, 4),
			.answered = offsets_number(result, i, 5),
			.crash_count = offsets_number(result, i, 6),
			.updated = alloc_copy(PQgetvalue(result, i, 7)),
			.replies = offsets_number(result, i, 8),
			.exists = true,
		};
	PQclear(result);
	return true;
}

static int offsets_compare(const struct offset_row *row, const char *topic, int32_t partition)
{
	int order = strcmp(row->topic, topic);

	return order ? order : (row->partition > partition) - (row->partition < partition);
}

struct offset_row *offsets_row(struct offset_rows *rows, const char *topic, int32_t partition)
{
	size_t at = 0;

	while (at < rows->count && offsets_compare(&rows->rows[at], topic, partition) < 0)
		at++;
	if (at < rows->count && offsets_compare(&rows->rows[at], topic, partition) == 0)
		return &rows->rows[at];
	rows->rows = alloc_grow(rows->rows, rows->count + 1, sizeof(*rows->rows));
	memmove(&rows->rows[at + 1], &rows->rows[at], (rows->count - at) * sizeof(*rows->rows));
	rows->count++;
	rows->rows[at] = (struct offset_row){ .topic = alloc_copy(topic), .partition = partition };
	return &rows->rows[at];
}

void offsets_free(struct offset_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++) {
		free(rows->rows[i].topic);
		free(rows->rows[i].topic_id);
		free(rows->rows[i].updated);
	}
	free(rows->rows);
	*rows = (struct offset_rows){ 0 };
}

static bool run_quietly(PGconn *conn, const struct config *config, const char *sql,
	const char *const *values, int count, char *error, size_t error_size)
{
	PGresult *result = offsets_run(conn, config, sql, values, count, error, error_size);

	PQclear(result);
	return result != NULL;
}

static bool write_one(PGconn *conn, const struct config *config, const struct offset_target *target,
	char *error, size_t error_size)
{
	char *partition = alloc_printf("%" PRId32, target->partition);
	char *offset = alloc_printf("%" PRId64, target->offset);
	const char *const values[] = { config->kafka.group_id, target->topic, partition,
		target->topic_id, offset };
	bool ok = run_quietly(conn, config, write_sql, values, 5, error, error_size) &&
		(!target->drop_replies ||
			run_quietly(conn, config, drop_sql, values, 3, error, error_size));

	free(partition);
	free(offset);
	return ok;
}

bool offsets_write(PGconn *conn, const struct config *config, const struct offset_target *targets,
	size_t count, char *error, size_t error_size)
{
	bool ok = run_quietly(conn, config, begin_sql, NULL, 0, error, error_size);

	for (size_t i = 0; ok && i < count; i++)
		ok = write_one(conn, config, &targets[i], error, error_size);
	if (ok)
		return run_quietly(conn, config, "COMMIT", NULL, 0, error, error_size);
	PQclear(PQexec(conn, "ROLLBACK"));
	return false;
}
