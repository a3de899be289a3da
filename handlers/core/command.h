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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "handlers/core/failure.h"

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
	/* Deletes all rows of its domain, so the worker refuses it unless storage.allowClear is true. */
	COMMAND_CLEAR = 1 << 8,
	/* Needs no tables, so it also runs in a schema that storage.init has not made yet. */
	COMMAND_BARE = 1 << 9,
	/* Another thread may reply to it later. */
	COMMAND_DEFERRED = 1 << 10,
	/* Its request holds commands, which the engine runs before its handler: struct call's `inner`. */
	COMMAND_GROUP = 1 << 11,
	/* Runs SQL of the client. The request's field readOnly says whether it is a read, which is detached. */
	COMMAND_DIRECT = 1 << 12,
};

/* How the rows of a command's statement become its result. JSON columns: see stored_json.h. */
enum reply_shape {
	REPLY_NONE,   /* null */
	REPLY_ROW,    /* the first row as a record, or null */
	REPLY_ROWS,   /* all rows as an array of records, or of their first columns */
	REPLY_MAP,    /* all rows as a map of records; the first column is the key */
	REPLY_VALUE,  /* the first column of the first row, or null */
	REPLY_PAGE,   /* a page of rows, and the number of all */
	REPLY_CUSTOM, /* the handler builds the result */
};

/* A parameter of a statement that declared_bind() binds. */
struct param_def {
	const char *path; /* dotted path of fields in the request; "@now": the command's time;
	                     "@limit" and "@offset" of a page */
	const char *type; /* PostgreSQL type, one of those that binding_type() knows */
};

struct statement_def {
	const char *name;               /* "memory.saveThread" or "memory.saveThread:touch" */
	const char *sql;                /* with :"schema" for the quoted name of the schema */
	int param_count;                /* highest $n */
	const struct param_def *params; /* if they are named in the statement; else NULL */
};

/* A field of the request that takes only certain words. */
struct choice_def {
	const char *path; /* NULL: the end of an array of these */
	const char *code; /* of the error */
	const char *const *words;
};

/* An error that a statement reports: by its code in the column `error` of a row. */
struct error_def {
	const char *code; /* NULL: the end of an array of these */
	enum failure_category category;
	const char *message; /* {field} stands for that field of the request */
};

/* How a list is paged. The command's first statement counts; the others read a page, each in another
 * order: by the first field ascending, descending, by the second field ascending, and so on. */
struct page_def {
	int size;                  /* perPage, if the request gives none */
	const char *where;         /* path of the record with page and perPage; "": the request */
	const char *const *orders; /* the fields of orderBy; the first one is the default */
	bool descending;           /* by default */
	bool strict; /* another field or direction is an error; else the default replaces it */
	bool echo;   /* an empty list gives page and perPage back as they came, unchecked */
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
	const char *missing_message;      /* {field} stands for that field of the request */
	const struct choice_def *choices; /* NULL: none */
	const struct error_def *errors;   /* NULL: none */
	const struct page_def *page;      /* of REPLY_PAGE */
	/* Of handle_folded: paths, separated by blanks. Commands that agree in all of them go into
	 * different statements. */
	const char *distinct;
};

extern const struct statement_def statement_defs[];
extern const size_t statement_count;

#endif
