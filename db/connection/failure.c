/* failure.c - the table of SQLSTATEs: their kinds, and what an operator can do */
#include "db/connection/failure.h"

#include <stddef.h>
#include <string.h>

#include "db/ddl/ddl_source.h"

#define HELP_INIT "run `stowage init` with this configuration"
#define HELP_KEY \
	"create the missing primary key or unique index, as `stowage init` does in an empty schema; " \
	"`stowage check` names the statements that need it"
#define HELP_IDENTITY \
	"a table in a publication needs a primary key, or ALTER TABLE ... REPLICA IDENTITY FULL; " \
	"`stowage check` names the tables"
#define HELP_PARTITION "create the missing partition, or a default partition"
#define HELP_TRANSACTION \
	"raise transaction_timeout above postgres.statementTimeoutMillis, or lower batch.maxCommands"
#define HELP_IDLE \
	"the worker or its network stood still for that time: give it more processor time, or raise " \
	"idle_in_transaction_session_timeout"
#define HELP_COLUMN \
	"give the added column a default, or let it be NULL: no command writes to it; `stowage check` names it"
#define HELP_GENERATED "the column must be an ordinary one; `stowage check` names it"
#define HELP_TYPE "give the column its type back; `stowage check` names it"
#define HELP_VACUUM "the server is about to run out of transaction ids: VACUUM the database"
#define HELP_CORRUPT "the server found damaged data: see its log; REINDEX, or restore a backup"

/* The longest matching prefix wins; two letters are a class. A row with a function matches only errors
 * of that function, and wins over rows without one. */
static const struct {
	const char *prefix;
	enum db_kind kind;
	const char *function;
	const char *help;
} kinds[] = {
	{ "SW001", DB_FENCED, NULL, NULL },  /* raised by stowage_fence */
	{ "08", DB_OUTAGE, NULL, NULL },     /* connection exception */
	{ "08P01", DB_COMMAND, NULL, NULL }, /* protocol violation: the statement fails each time */
	{ "0A000", DB_COMMAND, NULL, NULL }, /* feature not supported */
	/* "cached plan must not change result type": the table was altered under the plan */
	{ "0A000", DB_STALE, "RevalidateCachedQuery", NULL },
	{ "23514", DB_SETUP, "ExecFindPartition", HELP_PARTITION },
	{ "25006", DB_OUTAGE, NULL, NULL },    /* read-only: a standby, or a failover under way */
	{ "25P03", DB_LOST, NULL, HELP_IDLE }, /* idle-in-transaction timeout */
	{ "25P04", DB_SETUP, NULL, HELP_TRANSACTION }, /* transaction timeout */
	{ "26000", DB_STALE, NULL, NULL },             /* prepared statement does not exist */
	{ "28", DB_SETUP, NULL, NULL },                /* invalid authorization */
	{ "3D000", DB_SETUP, NULL, NULL },             /* database does not exist */
	{ "3F000", DB_SETUP, NULL, HELP_INIT },        /* schema does not exist */
	{ "40", DB_CONTEND, NULL, NULL },              /* serialization failure, deadlock */
	{ "428C9", DB_SETUP, NULL, HELP_GENERATED },   /* a column became generated */
	{ "42501", DB_SETUP, NULL, NULL },             /* insufficient privilege */
	{ "42501", DB_COMMAND, "ExecWithCheckOptions", NULL }, /* row security refuses this row */
	{ "42703", DB_SETUP, NULL, HELP_INIT },                /* undefined column */
	{ "42704", DB_SETUP, NULL, HELP_INIT },                /* undefined type, collation, ... */
	{ "42804", DB_SETUP, NULL, HELP_TYPE },                /* a column has another type */
	{ "42883", DB_SETUP, NULL, HELP_INIT },                /* undefined function */
	{ "42P01", DB_SETUP, NULL, HELP_INIT },                /* undefined table */
	{ "42P05", DB_STALE, NULL, NULL }, /* duplicate prepared statement: a pooler between */
	{ "42P10", DB_SETUP, "infer_arbiter_indexes", HELP_KEY }, /* for ON CONFLICT */
	{ "42P10", DB_SETUP, "CheckCmdReplicaIdentity", HELP_IDENTITY },
	{ "53", DB_OUTAGE, NULL, NULL },     /* disk full, too many connections */
	{ "53400", DB_COMMAND, NULL, NULL }, /* temp_file_limit: this statement's own use */
	{ "54000", DB_SETUP, "GetNewTransactionId", HELP_VACUUM },
	{ "54000", DB_SETUP, "GetNewMultiXactId", HELP_VACUUM },
	{ "55000", DB_SETUP, NULL, NULL }, /* an object is not in the state that it needs */
	{ "55000", DB_SETUP, "CheckCmdReplicaIdentity", HELP_IDENTITY },
	{ "55P03", DB_CONTEND, NULL, NULL }, /* lock not available */
	{ "57014", DB_CONTEND, NULL, NULL }, /* query cancelled, also by statement_timeout */
	{ "57014", DB_COMMAND, "exec_stmt_raise", NULL }, /* a trigger of the operator says so */
	{ "57P", DB_OUTAGE, NULL, NULL },                 /* shutdown, crash, cannot connect now */
	{ "58", DB_OUTAGE, NULL, NULL },                  /* system error */
	{ "F0", DB_OUTAGE, NULL, NULL },                  /* configuration file error */
	{ "XX001", DB_SETUP, NULL, HELP_CORRUPT },        /* data corrupted */
	{ "XX002", DB_SETUP, NULL, HELP_CORRUPT },        /* index corrupted */
};

/* How well the row describes the error; 0: not at all. */
static size_t failure_match(size_t row, const char *sqlstate, const char *function)
{
	size_t length = strlen(kinds[row].prefix);
	if (strncmp(sqlstate, kinds[row].prefix, length) != 0)
		return 0;
	if (!kinds[row].function)
		return length;
	return function && strcmp(function, kinds[row].function) == 0 ? length + 1 : 0;
}

void db_failure_classify(struct db_failure *failure, const char *function)
{
	size_t best = 0;
	failure->kind = *failure->sqlstate ? DB_COMMAND : DB_LOST;
	failure->help = NULL;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && *failure->sqlstate; i++) {
		size_t match = failure_match(i, failure->sqlstate, function);
		if (match <= best)
			continue;
		best = match;
		failure->kind = kinds[i].kind;
		failure->help = kinds[i].help;
	}
	/* RAISE: a trigger of the operator refuses this row, whatever SQLSTATE it chose. */
	if (failure->kind == DB_SETUP && function && strcmp(function, "exec_stmt_raise") == 0) {
		failure->kind = DB_COMMAND;
		failure->help = NULL;
	}
}

void db_failure_blame_column(struct db_failure *failure, const char *table, const char *column)
{
	if (strcmp(failure->sqlstate, "23502") != 0 || !table || !column ||
		ddl_column_known(table, column) != DDL_ADDED)
		return;
	failure->kind = DB_SETUP;
	failure->help = HELP_COLUMN;
}

enum db_kind db_kind_of(const char *sqlstate)
{
	struct db_failure failure = { 0 };
	strncpy(failure.sqlstate, sqlstate, sizeof(failure.sqlstate) - 1);
	db_failure_classify(&failure, NULL);
	return failure.kind;
}
