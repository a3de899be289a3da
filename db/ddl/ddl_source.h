/*
 * ddl_source.h - the DDL that db/ddl/embed.py compiles into the binary
 *
 * One entry per object, in the order of the files in db/ddl (stowage.sql last). The SQL has placeholders;
 * db/migrate/ddl.c fills them in for a schema. Constant data: any thread may read it.
 */
#ifndef DB_DDL_DDL_SOURCE_H
#define DB_DDL_DDL_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

/* The kind of an object decides how db/migrate finds out whether the database has it. */
enum ddl_kind {
	DDL_TABLE,
	DDL_CONSTRAINT, /* found by its name */
	DDL_PRIMARY,    /* a primary key of any name */
	DDL_REPLICA,    /* an index as the table's replica identity */
	DDL_FUNCTION,   /* found by its name and body */
	DDL_TRIGGER,
	DDL_INDEX,
	DDL_OBSOLETE, /* an index of an earlier release, which migrations drop */
	DDL_BEFORE,   /* statements that precede a constraint on an existing table */
	DDL_CHANGE,   /* a migration of tables that an existing column asks for */
	DDL_REPAIR,   /* a migration of rows; the first statement tells whether it is needed */
	DDL_VERSION,  /* the version of the worker's own objects */
};

/* How an object's name in a schema follows from the name here; see db/migrate/ddl_name.h. */
enum ddl_naming {
	DDL_FIXED,
	DDL_PREFIXED,
	DDL_LOWERED,
	DDL_HASHED,
	DDL_CONSTRAINED,
};

struct ddl_column {
	const char *name;
	const char *type; /* as format_type() prints it */
};

/* A column that older tables lack; entries follow the order in which the reference adds them. */
struct ddl_later {
	const char *name;
	const char *definition;
};

struct ddl_source {
	enum ddl_kind kind;
	enum ddl_naming naming;
	const char *domain;
	const char *name;
	const char *table;      /* NULL for functions, changes, obsolete indexes and the version */
	bool own;               /* the worker's object rather than the reference's */
	bool by_default;        /* skipDefaultIndexes leaves the object out */
	const char *const *sql; /* ends in NULL */
	const struct ddl_column *columns; /* table: ends in a NULL name */
	const struct ddl_later *later;    /* table: ends in a NULL name */
	const char
		*needs_column; /* NULL, or create the object only if this column has needs_type */
	const char *needs_type;
	const char *calls;      /* trigger: its function */
	const char *when_table; /* change: the column that only the old layout has */
	const char *when_column;
	const char *after;       /* change: run also after the change of this name */
	const char *const *gone; /* change: the tables that it drops or renames; ends in NULL */
};

extern const struct ddl_source ddl_sources[];
extern const size_t ddl_source_count;
extern const int ddl_version; /* the version of stowage.sql */

enum ddl_known {
	DDL_OURS,    /* the DDL has the column */
	DDL_ADDED,   /* the DDL has the table without this column: somebody added it */
	DDL_FOREIGN, /* the DDL has no such table */
};

enum ddl_known ddl_column_known(const char *table, const char *column);

#endif
