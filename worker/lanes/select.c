/* select.c - what the executors of lanes.h are given to do */
#include "worker/lanes/state.h"

#include "schemas/base/clock.h"

/* A lane's row is written so long after the last time if only reads and replies went by. */
#define CHECKPOINT_MS 1000
#define SMALL_COMMANDS 64
#define SMALL_BYTES ((size_t)256 * 1024)
/* So long a light batch has the light lanes to itself, and, if many ask at once, the next one
 * waits: what comes meanwhile makes it larger. Without that each of fifty requests in flight
 * goes alone, at several times the cost for Kafka, PostgreSQL and us. A command that comes alone
 * never waits, and after that time a slow query holds up no other lane. */
#define SMALL_ALONE_MS 1
/* So long after somebody was seen waiting for the answer of a light batch one large batch less is
 * under way. PostgreSQL and Kafka then have a core for the next such command: on two cores that costs
 * the large batches a fifth of their rate, and the slowest one in a hundred answers takes half as
 * long. */
#define AWAITED_MS 1000
/* Commands of the last light batch from which on many ask at once. */
#define SMALL_MANY 4

void lanes_cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

void waiter_init(struct waiter *waiter)
{
	lanes_cond_init(&waiter->wake);
	waiter->below = NULL;
	waiter->waiting = false;
}

static struct waiter *pop_waiter(struct lanes *lanes)
{
	struct waiter *waiter = lanes->waiting;
	if (!waiter)
		return NULL;
	lanes->waiting = waiter->below;
	waiter->waiting = false;
	return waiter;
}

void lanes_wake_one(struct lanes *lanes)
{
	struct waiter *waiter = pop_waiter(lanes);
	if (waiter)
		pthread_cond_signal(&waiter->wake);
}

void lanes_wake_all(struct lanes *lanes)
{
	while (lanes->waiting)
		lanes_wake_one(lanes);
}

static void stop_waiting(struct lanes *lanes, struct waiter *waiter)
{
	struct waiter **at = &lanes->waiting;
	while (waiter->waiting && *at != waiter)
		at = &(*at)->below;
	if (waiter->waiting)
		*at = waiter->below;
	waiter->waiting = false;
}

void lanes_wait_until(struct lanes *lanes, pthread_cond_t *cond, int64_t tick)
{
	struct timespec until = { .tv_sec = tick / 1000, .tv_nsec = (tick % 1000) * 1000000 };
	pthread_cond_timedwait(cond, &lanes->mutex, &until);
}

/* Has the lane a batch to offer? Else *later is brought forward to when it may have. */
static bool lanes_is_ready(const struct lanes *lanes, const struct lane *lane, int64_t now,
	int64_t *later)
{
	if (lane->state != LANE_RUNNING || lane->busy || lane->revoking ||
		message_queue_length(&lane->messages) == 0)
		return false;
	int64_t at = lane->retry_at;
	bool full = message_queue_length(&lane->messages) >= lanes->limits.batch_commands;
	if (!full && lane->first_at + lanes->limits.linger_ms > at)
		at = lane->first_at + lanes->limits.linger_ms;
	if (at <= now)
		return true;
	if (at < *later)
		*later = at;
	return false;
}

static bool is_unclaimed(const struct lane *lane, int64_t now, int64_t *later)
{
	if (lane->state != LANE_UNCLAIMED || lane->busy || lane->revoking)
		return false;
	if (lane->retry_at <= now)
		return true;
	if (lane->retry_at < *later)
		*later = lane->retry_at;
	return false;
}

static bool needs_checkpoint(const struct lane *lane, int64_t now, int64_t *later)
{
	if (lane->state != LANE_RUNNING || lane->busy || !lanes_row_is_behind(lane))
		return false;
	int64_t at = lane->advanced_at + CHECKPOINT_MS;
	if (lane->revoking && !lane_replies_waiting(lane))
		at = 0;
	if (lane->retry_at > at)
		at = lane->retry_at;
	if (at <= now)
		return true;
	if (at < *later)
		*later = at;
	return false;
}

static void lanes_give(struct work *work, enum work_kind kind, struct lane *lane)
{
	work->kind = kind;
	work->lanes[work->lane_count++] = lane;
	lane->busy = true;
	lane->references++;
}

static struct lane *lane_in_turn(const struct lanes *lanes, size_t i)
{
	return lanes->list[(lanes->turn + i) % lanes->count];
}

static bool find_unclaimed(struct lanes *lanes, struct work *work, int64_t now, int64_t *later)
{
	for (size_t i = 0; i < lanes->count; i++) {
		if (is_unclaimed(lane_in_turn(lanes, i), now, later)) {
			lanes_give(work, WORK_CLAIM, lane_in_turn(lanes, i));
			return true;
		}
	}
	return false;
}

static bool find_checkpoint(struct lanes *lanes, struct work *work, int64_t now, int64_t *later)
{
	for (size_t i = 0; i < lanes->count && work->lane_count < WORK_LANES_MAX; i++)
		if (needs_checkpoint(lane_in_turn(lanes, i), now, later))
			lanes_give(work, WORK_CHECKPOINT, lane_in_turn(lanes, i));
	return work->lane_count > 0;
}

/* Few enough to run in one batch with other lanes' few. */
static bool is_small(const struct lane *lane)
{
	return message_queue_length(&lane->messages) <= SMALL_COMMANDS &&
		lane->bytes <= SMALL_BYTES && !lane->suspect;
}

/* Much waits in it, and as many large batches as may be are under way already. */
static bool must_queue(const struct lanes *lanes, const struct lane *lane, int64_t now)
{
	size_t most = lanes->limits.large_batches;
	if (most > 1 && now < lanes->awaited_until)
		most--;
	return lanes->large_batches >= most && !is_small(lane);
}

/* A light lane waits while a light batch has just begun, or has just been a larger one. */
static bool must_gather(const struct lanes *lanes, const struct lane *lane, int64_t now,
	int64_t *later)
{
	int64_t until = lanes->small_since + SMALL_ALONE_MS;
	bool alone = lanes->small_lanes == 0 && lanes->small_commands < SMALL_MANY;
	if (alone || until <= now || !is_small(lane))
		return false;
	if (until < *later)
		*later = until;
	return true;
}

static void give_batch(struct lanes *lanes, struct work *work, struct lane *lane)
{
	lanes_give(work, WORK_BATCH, lane);
	lane->small = is_small(lane);
	lanes->small_lanes += lane->small;
}

static bool has_batch(const struct lanes *lanes, const struct lane *lane, int64_t now,
	int64_t *later)
{
	return lanes_is_ready(lanes, lane, now, later) && !must_queue(lanes, lane, now) &&
		!must_gather(lanes, lane, now, later);
}

/* Starts at the lane that has not been the first of a batch for longest: those behind the first may
 * get only what is left of the batch. */
static bool find_first(struct lanes *lanes, int64_t now, int64_t *later)
{
	const struct lane *first = NULL;
	for (size_t i = 0; i < lanes->count; i++) {
		const struct lane *lane = lanes->list[i];
		if (!has_batch(lanes, lane, now, later) || (first && first->led <= lane->led))
			continue;
		first = lane;
		lanes->turn = i;
	}
	return first != NULL;
}

/* Lanes in which little waits go together: one round trip, one commit, one round of replies serve
 * them all. A lane in which much waits fills a batch by itself, or with others of its kind, and
 * so holds up nobody who waits for one answer. */
static bool find_batch(struct lanes *lanes, struct work *work, int64_t now, int64_t *later)
{
	size_t commands = 0, bytes = 0;
	if (!find_first(lanes, now, later))
		return false;
	for (size_t i = 0; i < lanes->count && work->lane_count < WORK_LANES_MAX; i++) {
		struct lane *lane = lane_in_turn(lanes, i);
		if (!has_batch(lanes, lane, now, later) ||
			(work->lane_count > 0 && is_small(lane) != is_small(work->lanes[0])) ||
			(work->lane_count > 0 && lane->suspect))
			continue;
		give_batch(lanes, work, lane);
		commands += message_queue_length(&lane->messages);
		bytes += lane->bytes;
		if (lane->suspect || commands >= lanes->limits.batch_commands ||
			bytes >= lanes->limits.batch_bytes)
			break;
	}
	work->lanes[0]->led = ++lanes->led;
	if (work->lanes[0]->small) {
		lanes->small_since = now;
		lanes->small_commands = commands;
	} else {
		work->lanes[0]->large = true;
		lanes->large_batches++;
	}
	return true;
}

/* At the end none is begun: its lane is another worker's now, which runs it again. */
static bool find_detached(struct lanes *lanes, struct work *work, int64_t now, int64_t *later)
{
	if (lanes->quitting)
		return false;
	work->read = lanes_begin_read(lanes, now, later);
	if (work->read)
		work->kind = WORK_DETACHED;
	return work->read != NULL;
}

/* Whoever was woken for this may have found more than it takes: the rest is for another. */
static void wake_for_more(struct lanes *lanes, int64_t now)
{
	int64_t later = INT64_MAX;
	bool more = lanes->waiting && lanes_has_detached(lanes, now, &later);
	for (size_t i = 0; lanes->waiting && !more && i < lanes->count; i++) {
		const struct lane *lane = lanes->list[i];
		more = has_batch(lanes, lane, now, &later) || is_unclaimed(lane, now, &later);
	}
	if (more)
		lanes_wake_one(lanes);
}

static void lanes_wait_for_work(struct lanes *lanes, struct waiter *waiter, int64_t until)
{
	/* One whose time is up keeps its place: those below stay idle, with small buffers and no
	 * connection, as long as those above can do the work. */
	if (!waiter->waiting) {
		waiter->below = lanes->waiting;
		waiter->waiting = true;
		lanes->waiting = waiter;
	}
	lanes_wait_until(lanes, &waiter->wake, until);
}

struct waiter *lanes_waiter_for(struct lanes *lanes, const struct lane *lane)
{
	int64_t later = INT64_MAX;
	int64_t now = clock_tick_ms();
	if (lane->busy || !lanes->waiting || must_queue(lanes, lane, now))
		return NULL;
	/* Somebody already waits for the moment when it need not gather any longer. */
	if (lanes->watchers > 0 && must_gather(lanes, lane, now, &later))
		return NULL;
	return pop_waiter(lanes);
}

void lanes_next(struct lanes *lanes, struct work *work, struct waiter *waiter, int idle_ms)
{
	int64_t until = clock_tick_ms() + idle_ms;
	work->lane_count = 0;
	work->read = NULL;
	lanes_lock(lanes);
	for (;;) {
		int64_t now = clock_tick_ms();
		int64_t later = now + CHECKPOINT_MS;
		if (find_unclaimed(lanes, work, now, &later) ||
			find_checkpoint(lanes, work, now, &later) ||
			find_detached(lanes, work, now, &later) ||
			find_batch(lanes, work, now, &later)) {
			wake_for_more(lanes, now);
			break;
		}
		if (lanes->quitting) {
			work->kind = WORK_QUIT;
			break;
		}
		if (now >= until) {
			work->kind = WORK_NONE;
			lanes_unlock(lanes);
			return;
		}
		bool watches = later <= lanes->small_since + SMALL_ALONE_MS;
		lanes->watchers += watches;
		lanes_wait_for_work(lanes, waiter, later);
		lanes->watchers -= watches;
	}
	stop_waiting(lanes, waiter);
	lanes_unlock(lanes);
}

void lanes_awaited_locked(struct lanes *lanes)
{
	lanes->awaited_until = clock_tick_ms() + AWAITED_MS;
}

void lanes_awaited(struct lanes *lanes)
{
	lanes_lock(lanes);
	lanes_awaited_locked(lanes);
	lanes_unlock(lanes);
}

void lanes_quit(struct lanes *lanes)
{
	lanes_lock(lanes);
	lanes->quitting = true;
	lanes_wake_all(lanes);
	lanes_unlock(lanes);
}
