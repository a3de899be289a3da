/*
 * command.h - what is declared of each command
 *
 * The table is made at build time from schemas/<domain>/<Method>.avsc and
 * handlers/<domain>/<method>.sql (see CONTRIBUTING.md). It is constant; what changes at run
 * time (counters, compiled schemas) is kept elsewhere under the same index.
 */
#ifndef HANDLERS_CORE_COMMAND_H
#define HANDLERS_CORE_COMMAND_H

#include <stddef.h>
#include <stdint.h>

enum command_flag {
	COMMAND_READ = 1 << 0, /* writes nothing */
	COMMAND_WRITE = 1 << 1,
	COMMAND_FOLD = 1 << 2, /* neighbours of the same fold group may share one turn */
	COMMAND_BARRIER =
		1 << 3, /* later commands are sent when this one's last statement is done */
	COMMAND_OUTSIDE = 1 << 4,  /* not in a transaction, idempotent, repeated after a crash */
	COMMAND_DETACHED = 1 << 5, /* a read that leaves its lane and runs on another connection */
	COMMAND_NAMED =
		1 << 6, /* its tables are named by clients: what they lack is its own error */
};

/* JSON in rows is read as stored_json.h says. */
enum reply_shape {
	REPLY_NONE,   /* result is null */
	REPLY_ROW,    /* the first row as a record, or null */
	REPLY_ROWS,   /* all rows as an array of records */
	REPLY_VALUE,  /* the first column of the first row, or null */
	REPLY_CUSTOM, /* made by the handler */
};

/* Where a generic statement's parameter comes from. */
struct param_def {
	const char *path; /* dotted path of fields in the request; "@now" is the command's time */
	const char *
		type; /* PostgreSQL type: text, jsonb, int4, int8, float8, bool, timestamptz, text[] */
};

struct statement_def {
	const char *name;               /* "memory.saveThread" or "memory.saveThread:touch" */
	const char *sql;                /* schema-qualified by the placeholder :"schema" */
	int param_count;                /* highest $n */
	const struct param_def *params; /* for the generic handler, else NULL */
};

struct context;
typedef void handler_fn(struct context *ctx);

struct command_def {
	int id;             /* its index in command_defs */
	const char *name;   /* "memory.saveThread" */
	const char *domain; /* "memory" */
	const char *method; /* "saveThread" */
	const char *key;    /* dotted path of the message key, "" if there is none */
	unsigned flags;
	int fold_group; /* commands with the same one, and the flag, may share a turn */
	enum reply_shape shape;
	handler_fn *handler;
	int statement; /* index of its first statement in statement_defs, -1 if it has none */
	int statement_count;
	const char *missing_code;    /* no row, or none touched: this error instead; NULL: none */
	const char *missing_message; /* with {field} placeholders */
};

extern const struct statement_def statement_defs[];
extern const size_t statement_count;

#endif
