/*
 * check_statements.c - prepares and plans every statement and compares its columns with its reply
 */
#include "worker/cli/check_statements.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/connection/failure.h"
#include "db/connection/statement.h"
#include "handlers/domains/command_table.h"
#include "schemas/catalog/catalog.h"
#include "worker/client/database.h"

#define NAME_MAX_BYTES 64
/* More parameters than any statement has. */
#define PARAMS_MAX 200

/* Oids of built-in types, from PostgreSQL's pg_type.dat. They never change. */
enum {
	OID_BOOL = 16,
	OID_BYTEA = 17,
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_FLOAT4 = 700,
	OID_FLOAT8 = 701,
	OID_TEXTS = 1009,
	OID_VARCHARS = 1015,
	OID_TIMESTAMP = 1114,
	OID_TIMESTAMPTZ = 1184,
	OID_JSONB = 3802,
};

struct statement_check {
	struct check *check;
	PGconn *conn;
	const struct command_def *command;
	const struct type *result; /* type of the reply, or of its items */
	size_t prepared;
	size_t tried;
	char name[NAME_MAX_BYTES]; /* of the statement under way, in its session */
	enum pooler pooler;
};

static bool is_integer(Oid oid)
{
	return oid == OID_INT8 || oid == OID_INT4 || oid == OID_INT2;
}

static bool is_time(Oid oid)
{
	return oid == OID_TIMESTAMP || oid == OID_TIMESTAMPTZ;
}

static bool is_real(Oid oid)
{
	return oid == OID_FLOAT4 || oid == OID_FLOAT8;
}

/* Can handlers/core/reply.c read the column as a field of this type? */
static bool column_fits(const struct type *type, Oid oid)
{
	switch (type->kind) {
	case TYPE_BOOLEAN:
		return oid == OID_BOOL;
	case TYPE_INT:
		return is_integer(oid);
	case TYPE_LONG:
		return type->logical == LOGICAL_TIMESTAMP_MILLIS ? is_time(oid) : is_integer(oid);
	case TYPE_FLOAT:
	case TYPE_DOUBLE:
		return is_real(oid) || is_integer(oid);
	case TYPE_BYTES:
		return oid == OID_BYTEA;
	case TYPE_ARRAY:
		return oid == OID_TEXTS || oid == OID_VARCHARS || oid == OID_JSONB;
	default:
		return !is_integer(oid) && !is_time(oid) && !is_real(oid) && oid != OID_BOOL &&
			oid != OID_BYTEA && oid != OID_TEXTS;
	}
}

static void check_statements_wrong(struct statement_check *at,
	const struct statement_def *statement, const char *column, const char *what)
{
	check_failed(at->check, EXIT_DATABASE, "statements",
		"this release of stowage has a defect, or someone changed the table",
		"%s: column %s %s", statement->name, column, what);
}

/* Columns that the generic handlers read for themselves: handlers/core/folded.c, declared.h. */
static bool is_steering(const struct command_def *command, const char *name)
{
	static const char *const of_errors[] = { "error", "@error", "details" };

	for (size_t i = 0; command->errors && i < sizeof(of_errors) / sizeof(of_errors[0]); i++)
		if (strcmp(name, of_errors[i]) == 0)
			return true;
	return command->distinct && strcmp(name, "place") == 0;
}

static void check_column(struct statement_check *at, const struct statement_def *statement,
	const PGresult *columns, int i)
{
	const char *name = PQfname(columns, i);
	int field = type_field_index(at->result, name, strlen(name));

	if (field < 0 && is_steering(at->command, name))
		return;
	if (field < 0)
		check_statements_wrong(at, statement, name, "is not a field of the reply");
	else if (!column_fits(at->result->fields[field].type, PQftype(columns, i)))
		check_statements_wrong(at, statement, name,
			"has another type than the field of the reply");
}

static void check_record(struct statement_check *at, const struct statement_def *statement,
	const PGresult *columns)
{
	for (int i = 0; i < PQnfields(columns); i++)
		check_column(at, statement, columns, i);
	for (size_t i = 0; i < at->result->field_count; i++) {
		const struct type_field *field = &at->result->fields[i];
		bool found = false;

		for (int c = 0; c < PQnfields(columns); c++)
			found = found || strcmp(PQfname(columns, c), field->name) == 0;
		if (!found && !field->type->nullable)
			check_statements_wrong(at, statement, field->name,
				"is missing: the reply requires it");
	}
}

static void check_value(struct statement_check *at, const struct statement_def *statement,
	const PGresult *columns)
{
	if (PQnfields(columns) != 1)
		check_statements_wrong(at, statement, "1", "must be the only column");
	else if (!column_fits(at->result, PQftype(columns, 0)))
		check_statements_wrong(at, statement, PQfname(columns, 0),
			"has another type than the reply");
}

/* The first statement of a page counts. Elsewhere the last statement gives the result. */
static bool gives_result(const struct command_def *command, const struct statement_def *statement)
{
	long place = statement - &statement_defs[command->statement];

	return command->page ? place > 0 : place == command->statement_count - 1;
}

static void check_columns(struct statement_check *at, const struct statement_def *statement,
	const PGresult *columns)
{
	if (!gives_result(at->command, statement))
		return;
	switch (at->command->shape) {
	case REPLY_ROW:
	case REPLY_MAP:
	case REPLY_PAGE:
		check_record(at, statement, columns);
		break;
	case REPLY_ROWS:
		if (at->result->kind == TYPE_RECORD)
			check_record(at, statement, columns);
		else
			check_value(at, statement, columns);
		break;
	case REPLY_VALUE:
		check_value(at, statement, columns);
		break;
	default:
		break;
	}
}

/* The same advice as the running worker gives. */
static const char *statement_help(const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	struct db_failure failure = { 0 };

	snprintf(failure.sqlstate, sizeof(failure.sqlstate), "%s", state ? state : "");
	db_failure_classify(&failure, PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION));
	if (failure.help)
		return failure.help;
	return "is the table of another release, or is a permission missing? `stowage init` creates and "
	       "migrates tables";
}

static bool check_statements_failed(struct statement_check *at,
	const struct statement_def *statement, const PGresult *result)
{
	char line[DATABASE_ERROR_MAX];

	if (PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK)
		return false;
	database_one_line(PQresultErrorMessage(result), line, sizeof(line));
	check_failed(at->check, EXIT_DATABASE, "statements", statement_help(result), "%s: %s",
		statement->name, line);
	return true;
}

/* Plans the statement and starts its plan, without a row. Only then the server looks for the unique
 * index of an ON CONFLICT, for the role's rights and for a replica identity. */
static bool check_plan(struct statement_check *at, const struct statement_def *statement,
	int params)
{
	char sql[64 + NAME_MAX_BYTES + PARAMS_MAX * 6];
	int used = snprintf(sql, sizeof(sql), "EXPLAIN EXECUTE %s", at->name);
	PGresult *plan;
	bool good;

	for (int i = 0; i < params && i < PARAMS_MAX; i++)
		used += snprintf(sql + used, sizeof(sql) - (size_t)used, i ? ",NULL" : "(NULL");
	if (params > 0)
		snprintf(sql + used, sizeof(sql) - (size_t)used, ")");
	plan = PQexec(at->conn, sql);
	good = !check_statements_failed(at, statement, plan);
	PQclear(plan);
	return good;
}

static void check_prepared(struct statement_check *at, const struct statement_def *statement)
{
	PGresult *columns = PQdescribePrepared(at->conn, at->name);
	char sql[NAME_MAX_BYTES + 16];

	if (!check_statements_failed(at, statement, columns) &&
		(at->pooler == POOLER_KEEPS || check_plan(at, statement, PQnparams(columns)))) {
		at->prepared++;
		check_columns(at, statement, columns);
	}
	PQclear(columns);
	snprintf(sql, sizeof(sql), "DEALLOCATE %s", at->name);
	if (at->pooler != POOLER_KEEPS)
		PQclear(PQexec(at->conn, sql));
}

/* Behind a pooler only a transaction stays in one session of the server. There a statement that failed may
 * remain, so each has a name of its own. */
static void check_one(struct statement_check *at, const struct statement_def *statement)
{
	char *sql = statement_text(statement->sql, at->check->config->postgres.schema_name);
	PGresult *prepared;

	snprintf(at->name, sizeof(at->name), "stowage_check_%ld_%zu", (long)getpid(), at->tried++);
	/* A plan for any parameters, not for NULL. */
	PQclear(PQexec(at->conn, "BEGIN; SET LOCAL plan_cache_mode = force_generic_plan"));
	prepared = PQprepare(at->conn, at->name, sql, 0, NULL);
	if (!check_statements_failed(at, statement, prepared))
		check_prepared(at, statement);
	PQclear(PQexec(at->conn, "ROLLBACK"));
	PQclear(prepared);
	free(sql);
}

static const struct type *result_type(const struct catalog *catalog, int command)
{
	const struct type *type = catalog_reply(catalog, command)->type->fields[0].type;
	enum reply_shape shape = command_defs[command].shape;

	for (size_t i = 0; shape == REPLY_PAGE && i < type->field_count; i++)
		if (type->fields[i].type->kind == TYPE_ARRAY)
			return type->fields[i].type->item;
	return shape == REPLY_ROWS || shape == REPLY_MAP ? type->item : type;
}

void check_statements(struct check *check, PGconn *conn, enum pooler pooler)
{
	char error[512];
	struct catalog *catalog = catalog_new(NULL, error, sizeof(error));
	struct statement_check at = { .check = check, .conn = conn, .pooler = pooler };
	int before = check->status;

	if (!catalog) {
		check_failed(check, EXIT_FAILED, "schemas", NULL, "%s", error);
		return;
	}
	for (size_t i = 0; i < command_count; i++) {
		at.command = &command_defs[i];
		at.result = result_type(catalog, (int)i);
		for (int s = 0; s < at.command->statement_count; s++)
			check_one(&at, &statement_defs[at.command->statement + s]);
	}
	catalog_free(catalog);
	if (check->status == before)
		check_ok(check, "statements",
			"planned %zu statements of %zu commands; all columns match", at.prepared,
			command_count);
}
