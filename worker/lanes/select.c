/* select.c - what the executors of lanes.h are given to do */
#include "worker/lanes/state.h"

#include "schemas/base/clock.h"

/* A lane's row is written so long after the last time if only reads and replies went by. */
#define TIDY_MS 1000
#define LIGHT_COMMANDS 64
#define LIGHT_BYTES ((size_t)256 * 1024)
/* So long a light batch has the light lanes to itself, and, if many ask at once, the next one
 * waits: what comes meanwhile makes it larger. Without that each of fifty requests in flight
 * goes alone, at several times the cost for Kafka, PostgreSQL and us. A command that comes alone
 * never waits, and after that time a slow query holds up no other lane. */
#define LIGHT_ALONE_MS 1
/* So long after somebody was seen waiting for the answer of a light batch one large batch less is
 * under way. PostgreSQL and Kafka then have a core for the next such command: on two cores that costs
 * the large batches a fifth of their rate, and the slowest one in a hundred answers takes half as
 * long. */
#define AWAITED_MS 1000
/* Commands of the last light batch from which on many ask at once. */
#define LIGHT_MANY 4

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
static bool is_ready(const struct lanes *lanes, const struct lane *lane, int64_t now,
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

static bool is_untaken(const struct lane *lane, int64_t now, int64_t *later)
{
	if (lane->state != LANE_UNTAKEN || lane->busy || lane->revoking)
		return false;
	if (lane->retry_at <= now)
		return true;
	if (lane->retry_at < *later)
		*later = lane->retry_at;
	return false;
}

static bool is_untidy(const struct lane *lane, int64_t now, int64_t *later)
{
	if (lane->state != LANE_RUNNING || lane->busy || !lanes_row_is_behind(lane))
		return false;
	int64_t at = lane->advanced_at + TIDY_MS;
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

static void give(struct work *work, enum work_kind kind, struct lane *lane)
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

static bool find_untaken(struct lanes *lanes, struct work *work, int64_t now, int64_t *later)
{
	for (size_t i = 0; i < lanes->count; i++) {
		if (is_untaken(lane_in_turn(lanes, i), now, later)) {
			give(work, WORK_TAKE, lane_in_turn(lanes, i));
			return true;
		}
	}
	return false;
}

static bool find_untidy(struct lanes *lanes, struct work *work, int64_t now, int64_t *later)
{
	for (size_t i = 0; i < lanes->count && work->lane_count < WORK_LANES_MAX; i++)
		if (is_untidy(lane_in_turn(lanes, i), now, later))
			give(work, WORK_TIDY, lane_in_turn(lanes, i));
	return work->lane_count > 0;
}

/* Few enough to run in one batch with other lanes' few. */
static bool is_light(const struct lane *lane)
{
	return message_queue_length(&lane->messages) <= LIGHT_COMMANDS &&
		lane->bytes <= LIGHT_BYTES && !lane->careful;
}

/* Much waits in it, and as many large batches as may be are under way already. */
static bool must_queue(const struct lanes *lanes, const struct lane *lane, int64_t now)
{
	size_t most = lanes->limits.heavy_batches;
	if (most > 1 && now < lanes->awaited_until)
		most--;
	return lanes->heavy_batches >= most && !is_light(lane);
}

/* A light lane waits while a light batch has just begun, or has just been a larger one. */
static bool must_gather(const struct lanes *lanes, const struct lane *lane, int64_t now,
	int64_t *later)
{
	int64_t until = lanes->light_since + LIGHT_ALONE_MS;
	bool alone = lanes->light_lanes == 0 && lanes->light_commands < LIGHT_MANY;
	if (alone || until <= now || !is_light(lane))
		return false;
	if (until < *later)
		*later = until;
	return true;
}

static void give_batch(struct lanes *lanes, struct work *work, struct lane *lane)
{
	give(work, WORK_BATCH, lane);
	lane->light = is_light(lane);
	lanes->light_lanes += lane->light;
}

static bool has_batch(const struct lanes *lanes, const struct lane *lane, int64_t now,
	int64_t *later)
{
	return is_ready(lanes, lane, now, later) && !must_queue(lanes, lane, now) &&
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
			(work->lane_count > 0 && is_light(lane) != is_light(work->lanes[0])) ||
			(work->lane_count > 0 && lane->careful))
			continue;
		give_batch(lanes, work, lane);
		commands += message_queue_length(&lane->messages);
		bytes += lane->bytes;
		if (lane->careful || commands >= lanes->limits.batch_commands ||
			bytes >= lanes->limits.batch_bytes)
			break;
	}
	work->lanes[0]->led = ++lanes->led;
	if (work->lanes[0]->light) {
		lanes->light_since = now;
		lanes->light_commands = commands;
	} else {
		work->lanes[0]->heavy = true;
		lanes->heavy_batches++;
	}
	return true;
}

/* At the end none is begun: its lane is another worker's now, which runs it again. */
static bool find_side(struct lanes *lanes, struct work *work, int64_t now, int64_t *later)
{
	if (lanes->quitting)
		return false;
	work->side = lanes_begin_side(lanes, now, later);
	if (work->side)
		work->kind = WORK_SIDE;
	return work->side != NULL;
}

/* Whoever was woken for this may have found more than it takes: the rest is for another. */
static void wake_for_more(struct lanes *lanes, int64_t now)
{
	int64_t later = INT64_MAX;
	bool more = lanes->waiting && lanes_has_side(lanes, now, &later);
	for (size_t i = 0; lanes->waiting && !more && i < lanes->count; i++) {
		const struct lane *lane = lanes->list[i];
		more = has_batch(lanes, lane, now, &later) || is_untaken(lane, now, &later);
	}
	if (more)
		lanes_wake_one(lanes);
}

static void wait_for_work(struct lanes *lanes, struct waiter *waiter, int64_t until)
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
	work->side = NULL;
	lanes_lock(lanes);
	for (;;) {
		int64_t now = clock_tick_ms();
		int64_t later = now + TIDY_MS;
		if (find_untaken(lanes, work, now, &later) ||
			find_untidy(lanes, work, now, &later) ||
			find_side(lanes, work, now, &later) ||
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
		bool watches = later <= lanes->light_since + LIGHT_ALONE_MS;
		lanes->watchers += watches;
		wait_for_work(lanes, waiter, later);
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
