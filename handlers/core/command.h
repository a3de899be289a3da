/*
 * command.h - the declaration of a command: the row that each command has in command_defs
 *
 * The build generates the table from schemas/domains/<domain>/<Method>.avsc and
 * handlers/domains/<domain>/<method>.sql; CONTRIBUTING.md describes both files. The table is
 * constant, so every thread may read it. Data that changes at run time (counters, compiled schemas)
 * lies elsewhere, under the same index.
 */
#ifndef HANDLERS_CORE_COMMAND_H
#define HANDLERS_CORE_COMMAND_H

#include <stddef.h>
#include <stdint.h>

/* The words of a command's `flags` line. */
enum command_flag {
	/* The command writes nothing. Exactly one of read and write is set. */
	COMMAND_READ = 1 << 0,
	COMMAND_WRITE = 1 << 1,
	/* Neighbouring commands of one fold group may share a context. */
	COMMAND_FOLD = 1 << 2,
	/* The handler's callbacks send statements: the engine waits for the last one before it runs
	 * the next command's handler. */
	COMMAND_BARRIER = 1 << 3,
	/* Runs outside of a transaction. Must be idempotent: a crash makes the engine repeat it. */
	COMMAND_OUTSIDE = 1 << 4,
	/* A read that leaves its lane: it runs on another connection, while the lane goes on. */
	COMMAND_DETACHED = 1 << 5,
	/* Clients name its tables. A missing column or privilege is the command's own error, rather
	 * than a broken installation. */
	COMMAND_NAMED = 1 << 6,
	/* The reference's method takes the request's fields as positional parameters, in their order. */
	COMMAND_POSITIONAL = 1 << 7,
};

/* How the rows of a command's statement become its result. JSON columns: see stored_json.h. */
enum reply_shape {
	REPLY_NONE,   /* null */
	REPLY_ROW,    /* the first row as a record, or null */
	REPLY_ROWS,   /* all rows as an array of records */
	REPLY_VALUE,  /* the first column of the first row, or null */
	REPLY_CUSTOM, /* the handler builds the result */
};

/* A parameter of a statement that the generic handler binds. */
struct param_def {
	const char *path; /* dotted path of fields in the request, or "@now": the command's time */
	const char *type; /* PostgreSQL type, one of those that bind_typed() knows */
};

struct statement_def {
	const char *name;               /* "memory.saveThread" or "memory.saveThread:touch" */
	const char *sql;                /* with :"schema" for the quoted name of the schema */
	int param_count;                /* highest $n */
	const struct param_def *params; /* for the generic handler; NULL for any other */
};

struct context;

/* Runs the calls of one context: see context.h. */
typedef void handler_fn(struct context *ctx);

struct command_def {
	int id;             /* index in command_defs */
	const char *name;   /* "memory.saveThread" */
	const char *domain; /* "memory" */
	const char *method; /* "saveThread" */
	const char *key;    /* dotted path of the field that is the message key; "": no key */
	unsigned flags;     /* of enum command_flag */
	int fold_group;     /* commands with one fold group and COMMAND_FOLD may share a context */
	enum reply_shape shape;
	handler_fn *handler;
	int statement;       /* index of its first statement in statement_defs; -1: it has none */
	int statement_count; /* its statements follow each other in statement_defs */
	/* The NOT_FOUND error if the statement returns or changes no row. NULL: no such error. */
	const char *missing_code;
	const char *missing_message; /* {field} stands for that field of the request */
};

extern const struct statement_def statement_defs[];
extern const size_t statement_count;

#endif
