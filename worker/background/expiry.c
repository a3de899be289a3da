/* expiry.c - deletes expired idempotency keys, a piece at a time */
#include "worker/background/expiry.h"

#include "schemas/base/clock.h"

#define PIECE_KEYS 5000
#define INTERVAL_MS 60000
/* A shorter lifetime of keys shortens the interval to this part of it. */
#define LIFETIME_PART 4

static int64_t interval_ms(const struct expiry *expiry)
{
	int64_t part = expiry->table.keep_ms / LIFETIME_PART;
	return part < INTERVAL_MS ? part : INTERVAL_MS;
}

enum db_kind expiry_work(struct expiry *expiry, struct connection *connection,
	struct db_failure *failure)
{
	int64_t now = clock_tick_ms(), deleted;
	if (now < expiry->due)
		return DB_OK;
	enum db_kind kind = idempotency_rows_expire(connection, &expiry->table, PIECE_KEYS,
		&deleted, failure);
	if (kind == DB_OK && deleted < PIECE_KEYS)
		expiry->due = now + interval_ms(expiry);
	return kind;
}
