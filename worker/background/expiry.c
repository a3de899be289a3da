/* expiry.c - deletes expired idempotency keys, a piece at a time */
#include "worker/background/expiry.h"

#include <string.h>

#include "schemas/base/clock.h"

#define PIECE_KEYS 5000
/* A piece that takes too long is halved, down to this. */
#define PIECE_KEYS_MIN 100
#define INTERVAL_MS 60000
/* A shorter lifetime of keys shortens the interval to this part of it. */
#define LIFETIME_PART 4
#define RETRY_MS 1000
/* More sessions than these that break in a row are no accident. */
#define LOST_PASSING 2

struct expiry expiry_new(const struct idempotency_table *table)
{
	return (struct expiry){ .table = *table, .piece = PIECE_KEYS };
}

static int64_t interval_ms(const struct expiry *expiry)
{
	int64_t part = expiry->table.keep_ms / LIFETIME_PART;
	return part < INTERVAL_MS ? part : INTERVAL_MS;
}

static void expiry_done(struct expiry *expiry, int64_t deleted, struct log *log)
{
	if (deleted < expiry->piece)
		expiry->due = clock_tick_ms() + interval_ms(expiry);
	expiry->piece = expiry->piece > PIECE_KEYS / 2 ? PIECE_KEYS : expiry->piece * 2;
	expiry->failures = 0;
	if (expiry->logged)
		log_info(log, "expired idempotency keys are deleted again");
	expiry->logged = false;
}

/* Lines of one cause are the same until it ends: only the first is worth an operator's time. */
static void expiry_tell(struct expiry *expiry, const struct db_failure *failure, struct log *log)
{
	bool passing = failure->kind == DB_LOST && expiry->failures <= LOST_PASSING;
	bool news = !expiry->logged && !passing;
	expiry->logged |= news;
	log_at(log, news ? LOG_ERROR : LOG_DEBUG,
		news ? "expired idempotency keys can't be deleted: their table grows"
		     : "expired idempotency keys still can't be deleted",
		LOG_STR("error", failure->message),
		LOG_STR("sqlstate", failure->sqlstate[0] ? failure->sqlstate : NULL),
		LOG_STR("help",
			news ? "the role needs SELECT, UPDATE and DELETE on stowage_idempotency; "
			       "`stowage check` says more"
			     : NULL));
}

static void expiry_failed(struct expiry *expiry, const struct db_failure *failure, struct log *log)
{
	unsigned shift = expiry->failures > 6 ? 6 : expiry->failures;
	int64_t delay = (int64_t)RETRY_MS << shift;
	expiry->failures++;
	expiry->due = clock_tick_ms() + (delay < INTERVAL_MS ? delay : INTERVAL_MS);
	if (strcmp(failure->sqlstate, "57014") == 0 && expiry->piece / 2 >= PIECE_KEYS_MIN)
		expiry->piece /= 2;
	expiry_tell(expiry, failure, log);
}

bool expiry_work(struct expiry *expiry, struct connection *connection, struct log *log)
{
	struct db_failure failure;
	int64_t deleted;
	if (clock_tick_ms() < expiry->due)
		return false;
	enum db_kind kind = idempotency_rows_expire(connection, &expiry->table, expiry->piece,
		&deleted, &failure);
	if (kind == DB_OK)
		expiry_done(expiry, deleted, log);
	else if (kind == DB_STALE)
		connection_forget_statements(connection);
	else
		expiry_failed(expiry, &failure, log);
	return kind == DB_OK && clock_tick_ms() >= expiry->due;
}
