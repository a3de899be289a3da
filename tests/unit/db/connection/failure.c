/* failure.c - the kind of each SQLSTATE: an outage must never look like a bad command */
#include <criterion/criterion.h>
#include <string.h>

#include "db/connection/failure.h"

static const struct {
	const char *state;
	enum db_kind kind;
	const char *function; /* of the server; NULL: any */
} cases[] = {
	{ "", DB_LOST, NULL },
	{ "08006", DB_OUTAGE, NULL },
	{ "08P01", DB_COMMAND, NULL },
	{ "22021", DB_COMMAND, NULL },
	{ "22P02", DB_COMMAND, NULL },
	{ "23505", DB_COMMAND, NULL },
	{ "25006", DB_OUTAGE, NULL },
	{ "26000", DB_STALE, NULL },
	{ "28P01", DB_SETUP, NULL },
	{ "3D000", DB_SETUP, NULL },
	{ "40001", DB_CONTEND, NULL },
	{ "40P01", DB_CONTEND, NULL },
	{ "42501", DB_SETUP, NULL },
	{ "42703", DB_SETUP, NULL },
	{ "42P01", DB_SETUP, NULL },
	{ "42601", DB_COMMAND, NULL },
	{ "0A000", DB_COMMAND, NULL },
	{ "0A000", DB_STALE, "RevalidateCachedQuery" },
	{ "23514", DB_COMMAND, NULL },
	{ "23514", DB_COMMAND, "ExecConstraints" },
	{ "23514", DB_SETUP, "ExecFindPartition" },
	{ "25P04", DB_SETUP, NULL },
	{ "428C9", DB_SETUP, "rewriteTargetListIU" },
	{ "42501", DB_COMMAND, "exec_stmt_raise" },
	{ "42501", DB_COMMAND, "ExecWithCheckOptions" },
	{ "42804", DB_SETUP, "transformAssignedExpr" },
	{ "42704", DB_SETUP, NULL },
	{ "42P10", DB_COMMAND, NULL },
	{ "42P10", DB_SETUP, "infer_arbiter_indexes" },
	{ "42P10", DB_SETUP, "CheckCmdReplicaIdentity" },
	{ "53100", DB_OUTAGE, NULL },
	{ "53200", DB_OUTAGE, NULL },
	{ "53300", DB_OUTAGE, NULL },
	{ "54000", DB_COMMAND, NULL },
	{ "53400", DB_COMMAND, NULL },
	{ "54000", DB_SETUP, "GetNewTransactionId" },
	{ "55000", DB_SETUP, "CheckCmdReplicaIdentity" },
	{ "55000", DB_COMMAND, "exec_stmt_raise" },
	{ "55P03", DB_CONTEND, NULL },
	{ "57014", DB_CONTEND, "ProcessInterrupts" },
	{ "57014", DB_COMMAND, "exec_stmt_raise" },
	{ "57P01", DB_OUTAGE, NULL },
	{ "57P03", DB_OUTAGE, NULL },
	{ "58030", DB_OUTAGE, NULL },
	{ "SW001", DB_FENCED, NULL },
	{ "XX000", DB_COMMAND, NULL },
	{ "XX001", DB_SETUP, NULL },
	{ "XX002", DB_SETUP, NULL },
};

Test(db_failure, sqlstate_decides)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct db_failure failure = { .kind = DB_OK };
		memcpy(failure.sqlstate, cases[i].state, strlen(cases[i].state) + 1);
		db_failure_classify(&failure, cases[i].function);
		cr_expect_eq(failure.kind, cases[i].kind, "%s", cases[i].state);
		if (!cases[i].function)
			cr_expect_eq(db_kind_of(cases[i].state), cases[i].kind, "%s",
				cases[i].state);
	}
}

Test(db_failure, tells_what_an_operator_can_do)
{
	struct db_failure failure = { .sqlstate = "42P10" };
	db_failure_classify(&failure, "infer_arbiter_indexes");
	cr_expect_not_null(strstr(failure.help, "unique index"), "%s", failure.help);
	memcpy(failure.sqlstate, "25P03", 6);
	db_failure_classify(&failure, NULL);
	cr_expect_not_null(strstr(failure.help, "idle_in_transaction_session_timeout"));
	memcpy(failure.sqlstate, "25P04", 6);
	db_failure_classify(&failure, NULL);
	cr_expect_not_null(strstr(failure.help, "raise transaction_timeout"));
	memcpy(failure.sqlstate, "22P02", 6);
	db_failure_classify(&failure, NULL);
	cr_expect_null(failure.help);
}

Test(db_failure, a_null_in_a_foreign_column_is_no_commands_fault)
{
	static const struct {
		const char *table, *column;
		enum db_kind kind;
	} nulls[] = {
		{ "mastra_threads", "tenant", DB_SETUP },
		{ "mastra_threads", "resourceId", DB_COMMAND },
		{ "mastra_ai_spans", "tenant", DB_SETUP },
		{ "a_vector_table", "tenant", DB_COMMAND },
		{ NULL, NULL, DB_COMMAND },
	};
	for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++) {
		struct db_failure failure = { .kind = DB_COMMAND, .sqlstate = "23502" };
		db_failure_blame_column(&failure, nulls[i].table, nulls[i].column);
		cr_expect_eq(failure.kind, nulls[i].kind, "%s", nulls[i].table);
	}
}
