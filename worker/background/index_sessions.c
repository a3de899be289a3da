/* index_sessions.c - opens and closes the builder's sessions, with the help of executors */
#include "worker/background/index_sessions.h"

#include <poll.h>

#include "worker/lanes/work.h"

/* How often, and after which time, the builder asks again while executors give their sessions up. */
#define WANT_TRIES 20
#define WANT_MS 50

typedef bool index_sessions_open_fn(struct index_sessions *s, struct db_failure *failure);

static bool try_rows(struct index_sessions *s, struct db_failure *failure)
{
	s->generation = pool_generation(s->engine->pool);
	s->counted = connection_open(s->rows, failure);
	return s->counted;
}

static bool try_build(struct index_sessions *s, struct db_failure *failure)
{
	s->build = build_session_open(&s->engine->connection, failure);
	if (!s->build)
		failure->kind = DB_OUTAGE;
	return s->build != NULL;
}

/* Asks again while executors give their sessions up. */
static bool index_sessions_want(struct index_sessions *s, index_sessions_open_fn *open,
	struct db_failure *failure)
{
	struct pool *pool = s->engine->pool;
	bool done = false;
	pool_want(pool);
	lanes_rouse(s->engine->lanes);
	for (int i = 0; i < WANT_TRIES && !done && !atomic_load(s->stopping); i++) {
		poll(NULL, 0, WANT_MS);
		pool_opening(pool);
		done = open(s, failure);
		pool_other_tried(pool, done);
	}
	pool_unwant(pool);
	return done;
}

/* A connection that the server refuses while others live is no outage. */
static bool index_sessions_connect(struct index_sessions *s, index_sessions_open_fn *open,
	struct db_failure *failure)
{
	struct pool *pool = s->engine->pool;
	s->refused = false;
	pool_opening(pool);
	if (open(s, failure)) {
		pool_other_tried(pool, true);
		return true;
	}
	if (!pool_failed(pool, failure) || failure->kind == DB_LOST)
		return false;
	s->refused = !index_sessions_want(s, open, failure);
	return !s->refused;
}

/* A session that broke has closed itself. */
static void index_sessions_count(struct index_sessions *s)
{
	if (s->counted && !connection_is_open(s->rows)) {
		pool_other_closed(s->engine->pool);
		s->counted = false;
	}
}

bool index_sessions_open_rows(struct index_sessions *s, struct db_failure *failure)
{
	index_sessions_count(s);
	if (s->alone)
		index_sessions_close_build(s);
	if (s->generation != pool_generation(s->engine->pool))
		index_sessions_close_rows(s);
	return connection_is_open(s->rows) || index_sessions_connect(s, try_rows, failure);
}

void index_sessions_close_rows(struct index_sessions *s)
{
	if (connection_is_open(s->rows))
		pool_gives(s->engine->pool);
	connection_close(s->rows);
	index_sessions_count(s);
}

bool index_sessions_open_build(struct index_sessions *s, struct db_failure *failure)
{
	return index_sessions_connect(s, try_build, failure);
}

void index_sessions_close_build(struct index_sessions *s)
{
	if (s->build) {
		build_session_close(s->build);
		pool_gives(s->engine->pool);
		pool_other_closed(s->engine->pool);
	}
	s->build = NULL;
	s->alone = false;
}
