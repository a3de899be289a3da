/* retention_rows.c - the statements on stowage_retention */
#include "db/state/retention_rows.h"

#include <string.h>

#include "db/connection/params.h"
#include "db/connection/rows.h"

static void retention_rows_read(void *arg, const struct rows *rows)
{
	*(bool *)arg = rows_affected(rows) > 0;
}

static void retention_rows_bind(const struct retention_lease *lease)
{
	params_reset(lease->params);
	params_text(lease->params, lease->group, strlen(lease->group));
	params_text(lease->params, lease->owner, strlen(lease->owner));
}

/* *changed: the statement changed a row. */
static enum db_kind retention_rows_run(struct connection *connection,
	const struct retention_lease *lease, const char *sql, bool *changed,
	struct db_failure *failure)
{
	*changed = false;
	connection_send(connection, sql, lease->schema, lease->params, retention_rows_read, changed,
		NULL);
	params_reset(lease->params);
	return connection_sync(connection, failure);
}

static const char sql_claim[] =
	"INSERT INTO :\"schema\".stowage_retention AS r (group_id, owner, lease_until, started_at)"
	" VALUES ($1::text, $2::text, clock_timestamp() + $3::int8 * interval '1 millisecond',"
	" clock_timestamp())"
	" ON CONFLICT (group_id) DO UPDATE SET owner = excluded.owner,"
	" lease_until = excluded.lease_until,"
	" started_at = CASE WHEN r.owner IS NULL THEN excluded.started_at ELSE r.started_at END"
	" WHERE CASE WHEN r.owner IS NULL"
	" THEN r.started_at + $4::int8 * interval '1 millisecond' <= clock_timestamp()"
	" ELSE r.lease_until < clock_timestamp() END";

enum db_kind retention_rows_claim(struct connection *connection,
	const struct retention_lease *lease, bool *ours, struct db_failure *failure)
{
	retention_rows_bind(lease);
	params_int8(lease->params, lease->lease_ms);
	params_int8(lease->params, lease->every_ms);
	return retention_rows_run(connection, lease, sql_claim, ours, failure);
}

static const char sql_renew[] =
	"UPDATE :\"schema\".stowage_retention"
	" SET lease_until = clock_timestamp() + $3::int8 * interval '1 millisecond'"
	" WHERE group_id = $1::text AND owner = $2::text";

enum db_kind retention_rows_renew(struct connection *connection,
	const struct retention_lease *lease, bool *ours, struct db_failure *failure)
{
	retention_rows_bind(lease);
	params_int8(lease->params, lease->lease_ms);
	return retention_rows_run(connection, lease, sql_renew, ours, failure);
}

static const char sql_end[] =
	"UPDATE :\"schema\".stowage_retention SET lease_until = clock_timestamp(),"
	" owner = CASE WHEN $3::bool THEN NULL ELSE owner END"
	" WHERE group_id = $1::text AND owner = $2::text";

enum db_kind retention_rows_end(struct connection *connection, const struct retention_lease *lease,
	bool done, struct db_failure *failure)
{
	bool ours;
	retention_rows_bind(lease);
	params_bool(lease->params, done);
	return retention_rows_run(connection, lease, sql_end, &ours, failure);
}
