/* failure.c - the table of SQLSTATEs and their kinds */
#include "db/connection/failure.h"

#include <stddef.h>
#include <string.h>

/* The longest matching prefix wins; two letters are a class. */
static const struct {
	const char *prefix;
	enum db_kind kind;
} kinds[] = {
	{ "SW001", DB_FENCED },  /* raised by stowage_fence */
	{ "08", DB_OUTAGE },     /* connection exception */
	{ "08P01", DB_COMMAND }, /* protocol violation: the statement fails each time */
	{ "0A000",
		DB_COMMAND }, /* feature not supported; connection_keep_failure detects a stale plan */
	{ "25006", DB_OUTAGE },  /* read-only transaction: a standby, or a failover under way */
	{ "25P03", DB_LOST },    /* idle-in-transaction timeout */
	{ "26000", DB_STALE },   /* prepared statement does not exist */
	{ "28", DB_SETUP },      /* invalid authorization */
	{ "3D000", DB_SETUP },   /* database does not exist */
	{ "3F000", DB_SETUP },   /* schema does not exist */
	{ "40", DB_CONTEND },    /* serialization failure, deadlock */
	{ "42501", DB_SETUP },   /* insufficient privilege */
	{ "42703", DB_SETUP },   /* undefined column */
	{ "42883", DB_SETUP },   /* undefined function */
	{ "42P01", DB_SETUP },   /* undefined table */
	{ "42P05", DB_STALE },   /* duplicate prepared statement: a pooler stands between */
	{ "53", DB_OUTAGE },     /* insufficient resources: disk full, too many connections */
	{ "55P03", DB_CONTEND }, /* lock not available */
	{ "57014", DB_CONTEND }, /* query cancelled, also by statement_timeout */
	{ "57P", DB_OUTAGE },    /* shutdown, crash, cannot connect now */
	{ "58", DB_OUTAGE },     /* system error */
	{ "F0", DB_OUTAGE },     /* configuration file error */
};

enum db_kind db_kind_of(const char *sqlstate)
{
	if (!*sqlstate)
		return DB_LOST;
	enum db_kind kind = DB_COMMAND;
	size_t best = 0;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t len = strlen(kinds[i].prefix);
		if (len > best && strncmp(sqlstate, kinds[i].prefix, len) == 0) {
			best = len;
			kind = kinds[i].kind;
		}
	}
	return kind;
}
