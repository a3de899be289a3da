/* pool.c - counts sessions, and reports the connections that PostgreSQL refuses */
#include "worker/engine/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"
#include "schemas/base/clock.h"
#include "worker/lanes/wait.h"

/* How long a failed connection waits for the outcome of others. */
#define OPENING_MS 2000
/* Sessions are scarce for this long after a refusal. */
#define SCARCE_MS 15000
/* The server counts a session that the worker has closed for a moment longer. */
#define GIVEN_MS 2000
#define GIVEN_PAUSE_MS 50
/* Without a refusal for this long, the server accepts connections again. */
#define ACCEPTS_MS 20000

struct pool {
	struct log *log;
	struct metrics *metrics;
	int64_t wanted;
	pthread_mutex_t mutex;
	pthread_cond_t changed; /* the numbers below, or the worker ends */
	int64_t open, opening;
	int64_t others;     /* sessions that are no executor's */
	int64_t refused;    /* executors that stepped back */
	int64_t refused_at; /* clock_tick_ms of the last refusal; 0: never */
	int64_t given_at; /* clock_tick_ms when the worker last closed a session itself; 0: never */
	atomic_int wants; /* parts that wait for a session */
	bool yielding;    /* an executor gives its session up */
	int64_t most;     /* the sessions that there could be at the last refusal */
	bool logged;      /* the log says that connections are refused */
	bool quitting;
	atomic_uint generation;
	atomic_bool pooler_logged, statements_logged;
};

struct pool *pool_new(struct log *log, struct metrics *metrics, int64_t wanted)
{
	struct pool *pool = alloc_zero(1, sizeof(*pool));
	pool->log = log;
	pool->metrics = metrics;
	pool->wanted = wanted;
	pthread_mutex_init(&pool->mutex, NULL);
	wait_cond_init(&pool->changed);
	metrics_gauge(metrics, GAUGE_POOL_WANTED, wanted);
	return pool;
}

void pool_free(struct pool *pool)
{
	if (!pool)
		return;
	pthread_cond_destroy(&pool->changed);
	pthread_mutex_destroy(&pool->mutex);
	free(pool);
}

static void pool_count(struct pool *pool)
{
	metrics_gauge(pool->metrics, GAUGE_POOL_SIZE, pool->open);
	metrics_gauge(pool->metrics, GAUGE_POOL_REFUSED, pool->refused);
}

void pool_opening(struct pool *pool)
{
	pthread_mutex_lock(&pool->mutex);
	pool->opening++;
	pthread_mutex_unlock(&pool->mutex);
}

static void pool_tell_pooler(struct pool *pool)
{
	if (!atomic_exchange(&pool->pooler_logged, true))
		log_info(pool->log, "a connection pooler answers for PostgreSQL",
			LOG_STR("help",
				"with PgBouncer before 1.21 in transaction mode set "
				"postgres.preparedStatements to false; with a later one set its "
				"max_prepared_statements above 0; `stowage check` says more"));
}

/* With the mutex held. Returns true once when the refusals are over. */
static bool pool_accepts(struct pool *pool)
{
	bool quiet = clock_tick_ms() - pool->refused_at >= ACCEPTS_MS;
	if (!pool->logged || pool->refused > 0 ||
		(pool->open + pool->others <= pool->most && !quiet))
		return false;
	pool->logged = false;
	return true;
}

static void pool_tell_over(struct pool *pool, int64_t open)
{
	log_info(pool->log, "PostgreSQL accepts further connections again", LOG_INT("open", open),
		LOG_INT("wanted", pool->wanted));
}

/* Counts sessions and refused executors, and tells if nothing is refused any more. */
static void pool_change(struct pool *pool, int opened, int refused)
{
	pthread_mutex_lock(&pool->mutex);
	pool->opening -= opened;
	pool->open += opened;
	pool->refused += refused;
	pool_count(pool);
	pthread_cond_broadcast(&pool->changed);
	int64_t open = pool->open;
	bool over = pool_accepts(pool);
	pthread_mutex_unlock(&pool->mutex);
	if (over)
		pool_tell_over(pool, open);
}

void pool_opened(struct pool *pool, bool pooled)
{
	pool_change(pool, 1, 0);
	metrics_add(pool->metrics, METRIC_CONNECTS, 1);
	if (pooled)
		pool_tell_pooler(pool);
}

/* With the mutex held: has the worker a session, or does a part of it wait for one? */
static bool pool_has_any(const struct pool *pool)
{
	return pool->open + pool->others > 0 || pool_is_wanted(pool);
}

/* With the mutex held: did it close one just now? */
static bool pool_gave(const struct pool *pool)
{
	return pool->given_at && clock_tick_ms() - pool->given_at < GIVEN_MS;
}

/* Does a limit of connections speak? libpq gives no SQLSTATE for a refused connection. */
static bool pool_is_limit(const char *message)
{
	static const char *const texts[] = { "too many connections", "too many clients",
		"connection slots", "no more connections allowed" };
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strstr(message, texts[i]))
			return true;
	return false;
}

static bool pool_refuses(struct pool *pool, const struct db_failure *failure)
{
	pthread_mutex_lock(&pool->mutex);
	int64_t open = pool->open;
	bool lives = open + pool->others > 0 ||
		(pool_is_limit(failure->message) && (pool_is_wanted(pool) || pool_gave(pool)));
	bool news = lives && !pool->logged;
	int64_t most = open + pool->opening + pool->others;
	if (lives) {
		pool->most = news || most > pool->most ? most : pool->most;
		pool->logged = true;
		pool->refused_at = clock_tick_ms();
	}
	pthread_mutex_unlock(&pool->mutex);
	if (news)
		log_warn(pool->log,
			"PostgreSQL refuses further connections: the worker uses those that it has",
			LOG_INT("open", open), LOG_INT("wanted", pool->wanted),
			LOG_STR("error", failure->message),
			LOG_STR("help",
				"raise the connection limit of the role, the database, the server "
				"or the pooler, or lower postgres.max"));
	return lives;
}

bool pool_failed(struct pool *pool, const struct db_failure *failure)
{
	int64_t until = clock_tick_ms() + OPENING_MS;
	pthread_mutex_lock(&pool->mutex);
	pool->opening--;
	pthread_cond_broadcast(&pool->changed);
	/* Another connection, opened at the same time, may have taken the last place. */
	while (pool->open + pool->others == 0 && pool->opening > 0 && !pool->quitting &&
		clock_tick_ms() < until)
		wait_until(&pool->changed, &pool->mutex, until);
	pthread_mutex_unlock(&pool->mutex);
	return pool_refuses(pool, failure);
}

void pool_closed(struct pool *pool)
{
	pthread_mutex_lock(&pool->mutex);
	pool->open--;
	pool_count(pool);
	if (pool->open == 0)
		pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->mutex);
}

void pool_other_tried(struct pool *pool, bool opened)
{
	pthread_mutex_lock(&pool->mutex);
	pool->opening--;
	pool->others += opened;
	int64_t open = pool->open;
	bool over = pool_accepts(pool);
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->mutex);
	if (over)
		pool_tell_over(pool, open);
}

void pool_other_closed(struct pool *pool)
{
	pthread_mutex_lock(&pool->mutex);
	pool->others--;
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->mutex);
}

void pool_want(struct pool *pool)
{
	atomic_fetch_add(&pool->wants, 1);
}

void pool_unwant(struct pool *pool)
{
	pthread_mutex_lock(&pool->mutex);
	atomic_fetch_sub(&pool->wants, 1);
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->mutex);
}

bool pool_is_wanted(const struct pool *pool)
{
	return atomic_load_explicit(&pool->wants, memory_order_relaxed) > 0;
}

bool pool_must_yield(struct pool *pool)
{
	if (!pool_is_wanted(pool))
		return false;
	pthread_mutex_lock(&pool->mutex);
	bool must = !pool->yielding && pool_is_wanted(pool);
	pool->yielding |= must;
	pthread_mutex_unlock(&pool->mutex);
	return must;
}

void pool_yield(struct pool *pool, int64_t delay_ms)
{
	int64_t until = clock_tick_ms() + delay_ms;
	pthread_mutex_lock(&pool->mutex);
	while (pool_is_wanted(pool) && !pool->quitting && clock_tick_ms() < until)
		wait_until(&pool->changed, &pool->mutex, until);
	pool->yielding = false;
	pthread_mutex_unlock(&pool->mutex);
}

bool pool_is_scarce(struct pool *pool)
{
	pthread_mutex_lock(&pool->mutex);
	bool scarce = pool->refused_at && clock_tick_ms() - pool->refused_at < SCARCE_MS;
	pthread_mutex_unlock(&pool->mutex);
	return scarce;
}

void pool_gives(struct pool *pool)
{
	pthread_mutex_lock(&pool->mutex);
	pool->given_at = clock_tick_ms();
	pthread_mutex_unlock(&pool->mutex);
}

void pool_step_back(struct pool *pool)
{
	pool_change(pool, 0, 1);
}

void pool_return(struct pool *pool)
{
	pool_change(pool, 0, -1);
}

bool pool_wait(struct pool *pool, int64_t delay_ms)
{
	int64_t until = clock_tick_ms() + delay_ms;
	pthread_mutex_lock(&pool->mutex);
	while (pool_has_any(pool) && !pool->quitting && clock_tick_ms() < until)
		wait_until(&pool->changed, &pool->mutex, until);
	bool waited = pool_has_any(pool) && !pool->quitting;
	if (!waited && !pool->quitting && pool_gave(pool))
		wait_until(&pool->changed, &pool->mutex, clock_tick_ms() + GIVEN_PAUSE_MS);
	pthread_mutex_unlock(&pool->mutex);
	return waited;
}

void pool_quit(struct pool *pool)
{
	pthread_mutex_lock(&pool->mutex);
	pool->quitting = true;
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->mutex);
}

void pool_renew(struct pool *pool)
{
	atomic_fetch_add(&pool->generation, 1);
}

unsigned pool_generation(const struct pool *pool)
{
	return atomic_load(&pool->generation);
}

void pool_statements_lost(struct pool *pool, bool pooled)
{
	if (pooled && !atomic_exchange(&pool->statements_logged, true))
		log_warn(pool->log,
			"the connection pooler does not keep prepared statements: statements are "
			"sent without them",
			LOG_STR("help",
				"set postgres.preparedStatements to false, or use PgBouncer 1.21 or "
				"later with max_prepared_statements above 0"));
}
