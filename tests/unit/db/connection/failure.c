/* failure.c - the kind of each SQLSTATE: an outage must never look like a bad command */
#include <criterion/criterion.h>

#include "db/connection/failure.h"

static const struct {
	const char *state;
	enum db_kind kind;
} cases[] = {
	{ "", DB_LOST },
	{ "08006", DB_OUTAGE },
	{ "08P01", DB_COMMAND },
	{ "22021", DB_COMMAND },
	{ "22P02", DB_COMMAND },
	{ "23505", DB_COMMAND },
	{ "25006", DB_OUTAGE },
	{ "26000", DB_STALE },
	{ "28P01", DB_SETUP },
	{ "3D000", DB_SETUP },
	{ "40001", DB_CONTEND },
	{ "40P01", DB_CONTEND },
	{ "42501", DB_SETUP },
	{ "42703", DB_SETUP },
	{ "42P01", DB_SETUP },
	{ "42601", DB_COMMAND },
	{ "53100", DB_OUTAGE },
	{ "53300", DB_OUTAGE },
	{ "54000", DB_COMMAND },
	{ "55P03", DB_CONTEND },
	{ "57P01", DB_OUTAGE },
	{ "57P03", DB_OUTAGE },
	{ "58030", DB_OUTAGE },
	{ "SW001", DB_FENCED },
	{ "XX000", DB_COMMAND },
};

Test(db_failure, sqlstate_decides)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(db_kind_of(cases[i].state), cases[i].kind, "%s", cases[i].state);
}
