/*
 * ddl_source.h - the DDL as db/ddl/embed.py puts it into the binary
 *
 * One entry an object, in the order of the files in db/ddl (stowage.sql last). The SQL still
 * has its placeholders; ddl.c fills them in for a schema. Constant data, any thread may read it.
 */
#ifndef DB_DDL_DDL_SOURCE_H
#define DB_DDL_DDL_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

/* What an object is, and so how it is seen whether it is there. */
enum ddl_kind {
	DDL_TABLE,
	DDL_CONSTRAINT, /* by its name */
	DDL_PRIMARY,    /* a primary key, whatever its name */
	DDL_REPLICA,    /* an index as the table's replica identity */
	DDL_FUNCTION,   /* by its body */
	DDL_TRIGGER,
	DDL_INDEX,
	DDL_OBSOLETE, /* an index of an earlier release, to be dropped */
	DDL_BEFORE,   /* what precedes a constraint on a table that may have rows */
	DDL_CHANGE,   /* a migration told from a column that is there */
	DDL_REPAIR,   /* a migration of rows; the first statement asks whether it is needed */
	DDL_VERSION,  /* the version of the worker's own objects */
};

/* How the name in a schema is made from the name here; ddl_name.h. */
enum ddl_naming {
	DDL_FIXED,
	DDL_PREFIXED,
	DDL_LOWERED,
	DDL_HASHED,
	DDL_CONSTRAINED,
};

struct ddl_column {
	const char *name;
	const char *type; /* as format_type() has it */
};

/* A column that older tables lack, in the order in which the reference adds them. */
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
	bool own;               /* the worker's, not the reference's */
	bool by_default;        /* left out with skipDefaultIndexes */
	const char *const *sql; /* ends in NULL */
	const struct ddl_column *columns; /* of a table; end in a NULL name */
	const struct ddl_later *later;
	const char *needs_column; /* only if the table's column has that type; or NULL */
	const char *needs_type;
	const char *calls;      /* function of a trigger */
	const char *when_table; /* of a change: the column that tells the old shape */
	const char *when_column;
	const char *after;       /* of a change: also after the change of that name */
	const char *const *gone; /* of a change: tables it takes away; ends in NULL */
};

extern const struct ddl_source ddl_sources[];
extern const size_t ddl_source_count;
extern const int ddl_version; /* of stowage.sql */

#endif
