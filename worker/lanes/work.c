/* work.c - chooses what an executor does next */
#include "worker/lanes/work.h"

#include "worker/lanes/state.h"

/* Lanes are behind if this part of their memory is full, or if all executors have been busy for this long. */
#define BEHIND_PART 4
#define BUSY_MS 1000

/* An idle lane's row is written this long after the last time. */
#define CHECKPOINT_MS 1000
/* Detached reads may take all sessions for slow work for this long while a slow lane waits. */
#define SLOW_TURN_MS 1000

/* --- which lanes have what to do; *later becomes the time when one has, if that is earlier --- */

static bool work_is_due(int64_t at, int64_t now, int64_t *later)
{
	if (at <= now)
		return true;
	if (at < *later)
		*later = at;
	return false;
}

static bool lane_has_messages(const struct lanes *lanes, const struct lane *lane, int64_t now,
	int64_t *later)
{
	size_t waiting = message_queue_length(&lane->messages);
	const struct lane_schedule *schedule = &lane->schedule;
	if (lane->state != LANE_RUNNING || schedule->busy || schedule->revoking || waiting == 0 ||
		lane_is_held(lane))
		return false;
	int64_t at = schedule->retry_at > schedule->not_before ? schedule->retry_at
							       : schedule->not_before;
	int64_t lingered = schedule->first_at + lanes->limits.linger_ms;
	if (waiting < lanes->limits.batch_commands && lingered > at)
		at = lingered;
	return work_is_due(at, now, later);
}

static bool lane_is_unclaimed(const struct lane *lane, int64_t now, int64_t *later)
{
	if (lane->state != LANE_UNCLAIMED || lane->schedule.busy || lane->schedule.revoking)
		return false;
	return work_is_due(lane->schedule.retry_at, now, later);
}

static bool lane_needs_checkpoint(const struct lane *lane, int64_t now, int64_t *later)
{
	if (lane->state != LANE_RUNNING || lane->schedule.busy || !lane_row_is_behind(lane))
		return false;
	int64_t at = lane->offsets.advanced_at + CHECKPOINT_MS;
	if (lane->schedule.revoking && !lane_replies_waiting(lane))
		at = 0;
	if (lane->schedule.retry_at > at)
		at = lane->schedule.retry_at;
	return work_is_due(at, now, later);
}

static bool lane_is_small(const struct lane *lane)
{
	return message_queue_length(&lane->messages) <= SMALL_LANE_COMMANDS &&
		lane->bytes <= SMALL_LANE_BYTES && !lane->suspect.active && !lane->schedule.slow;
}

/* --- slow work: it leaves one session to everything else --- */

static size_t work_slow_count(const struct lanes *lanes)
{
	size_t count = lanes->batches.slow;
	for (const struct detached_read *read = lanes->detached.running; read; read = read->next)
		count++;
	return count;
}

static size_t work_slow_max(const struct lanes *lanes)
{
	size_t most = lanes->limits.slow_max;
	return most > lanes->away + 1 ? most - lanes->away : 1;
}

bool work_may_be_slow(const struct lanes *lanes)
{
	return work_slow_count(lanes) < work_slow_max(lanes);
}

bool work_may_detach(const struct lanes *lanes, int64_t now)
{
	size_t reserved = 0;
	for (size_t i = 0; lanes->batches.slow_lanes && !reserved && i < lanes->count; i++) {
		const struct lane *lane = lanes->list[i];
		reserved = lane->schedule.slow && !lane->schedule.busy &&
			lane->state == LANE_RUNNING && message_queue_length(&lane->messages) > 0 &&
			lane->schedule.retry_at <= now &&
			lane->schedule.slow_since + SLOW_TURN_MS <= now;
	}
	return work_slow_count(lanes) + reserved < work_slow_max(lanes);
}

void lanes_executor_away(struct lanes *lanes, bool away)
{
	lanes_lock(lanes);
	lanes->away += away ? 1 : (size_t)-1;
	lanes_unlock(lanes);
}

void lanes_set_slow(struct lanes *lanes, struct lane *lane, bool slow)
{
	lanes_lock(lanes);
	lanes->batches.slow_lanes += slow;
	lanes->batches.slow_lanes -= lane->schedule.slow;
	lane->schedule.slow = slow;
	lanes_unlock(lanes);
}

/* A large lane waits while as many large batches run as may, and a slow one likewise. */
static bool large_must_queue(const struct lanes *lanes, const struct lane *lane, int64_t now)
{
	size_t most = lanes->limits.large_batches;
	if (lane->schedule.slow)
		return !work_may_be_slow(lanes);
	if (most > 1 && now < lanes->batches.awaited_until)
		most--;
	return lanes->batches.large >= most && !lane_is_small(lane);
}

/* A small lane waits while a small batch has just begun, or has just been a larger one. */
static bool small_must_gather(const struct lanes *lanes, const struct lane *lane, int64_t now,
	int64_t *later)
{
	const struct lanes_batches *batches = &lanes->batches;
	bool alone = batches->small_lanes == 0 && batches->small_commands < SMALL_MANY;
	if (alone || !lane_is_small(lane))
		return false;
	return !work_is_due(batches->small_since + SMALL_ALONE_MS, now, later);
}

static bool lane_has_batch(const struct lanes *lanes, const struct lane *lane, int64_t now,
	int64_t *later)
{
	return lane_has_messages(lanes, lane, now, later) && !large_must_queue(lanes, lane, now) &&
		!small_must_gather(lanes, lane, now, later);
}

/* --- giving work --- */

static void work_give(struct work *work, enum work_kind kind, struct lane *lane)
{
	work->kind = kind;
	work->lanes[work->lane_count++] = lane;
	lane->schedule.busy = true;
	lane->schedule.began = clock_tick_ms();
	lane->references++;
}

/* The lanes in the order of the search, which starts at another one each time. */
static struct lane *lane_in_order(const struct lanes *lanes, size_t i)
{
	return lanes->list[(lanes->batches.first + i) % lanes->count];
}

static bool find_unclaimed(struct lanes *lanes, struct work *work, int64_t now, int64_t *later)
{
	for (size_t i = 0; i < lanes->count; i++) {
		if (lane_is_unclaimed(lane_in_order(lanes, i), now, later)) {
			work_give(work, WORK_CLAIM, lane_in_order(lanes, i));
			return true;
		}
	}
	return false;
}

static bool find_checkpoint(struct lanes *lanes, struct work *work, int64_t now, int64_t *later)
{
	for (size_t i = 0; i < lanes->count && work->lane_count < BATCH_LANES_MAX; i++)
		if (lane_needs_checkpoint(lane_in_order(lanes, i), now, later))
			work_give(work, WORK_CHECKPOINT, lane_in_order(lanes, i));
	return work->lane_count > 0;
}

/* Starts the search at the lane that came first in a batch longest ago: the lanes behind the first
 * one may get only the rest of the batch. */
static bool find_first(struct lanes *lanes, int64_t now, int64_t *later)
{
	const struct lane *first = NULL;
	for (size_t i = 0; i < lanes->count; i++) {
		const struct lane *lane = lanes->list[i];
		if (!lane_has_batch(lanes, lane, now, later) ||
			(first && first->schedule.led <= lane->schedule.led))
			continue;
		first = lane;
		lanes->batches.first = i;
	}
	return first != NULL;
}

/* The lane's batch begins with it. */
static void lead_batch(struct lanes *lanes, struct work *work, int64_t now, size_t commands)
{
	struct lane *first = work->lanes[0];
	first->schedule.led = ++lanes->batches.led;
	work->small = first->schedule.small;
	work->suspect = first->suspect.active;
	work->slow = first->schedule.slow;
	if (work->slow) {
		first->schedule.slow_runs = true;
		lanes->batches.slow++;
	} else if (work->small) {
		lanes->batches.small_since = now;
		lanes->batches.small_commands = commands;
	} else {
		first->schedule.large = true;
		lanes->batches.large++;
	}
}

/* Small lanes share a batch: one round trip, one commit and one round of replies serve them all. A
 * large lane fills a batch alone or with other large ones, so it delays nobody who waits for one
 * answer. A suspect lane is alone, and a slow one. */
static bool may_join(const struct work *work, const struct lane *lane)
{
	if (work->lane_count == 0)
		return true;
	return lane_is_small(lane) == work->lanes[0]->schedule.small && !lane->suspect.active &&
		!lane->schedule.slow;
}

static bool find_batch(struct lanes *lanes, struct work *work, int64_t now, int64_t *later)
{
	size_t commands = 0, bytes = 0;
	if (!find_first(lanes, now, later))
		return false;
	for (size_t i = 0; i < lanes->count && work->lane_count < BATCH_LANES_MAX; i++) {
		struct lane *lane = lane_in_order(lanes, i);
		if (!lane_has_batch(lanes, lane, now, later) || !may_join(work, lane))
			continue;
		work_give(work, WORK_BATCH, lane);
		lane->schedule.small = lane_is_small(lane);
		lanes->batches.small_lanes += lane->schedule.small;
		commands += message_queue_length(&lane->messages);
		bytes += lane->bytes;
		if (lane->suspect.active || lane->schedule.slow ||
			commands >= lanes->limits.batch_commands ||
			bytes >= lanes->limits.batch_bytes)
			break;
	}
	lead_batch(lanes, work, now, commands);
	return true;
}

/* At shutdown no detached read begins: its lane's next worker runs it again. */
static bool find_detached(struct lanes *lanes, struct work *work, int64_t now, int64_t *later)
{
	if (lanes->quitting)
		return false;
	work->read = detached_begin(lanes, now, later);
	if (work->read)
		work->kind = WORK_DETACHED;
	return work->read != NULL;
}

static bool find_work(struct lanes *lanes, struct work *work, int64_t now, int64_t *later)
{
	return find_unclaimed(lanes, work, now, later) ||
		find_checkpoint(lanes, work, now, later) ||
		find_detached(lanes, work, now, later) || find_batch(lanes, work, now, later);
}

/* --- waiting --- */

/* The executor that woke may have found more work than it takes: the rest is for another one. */
static void wake_for_more(struct lanes *lanes, int64_t now)
{
	int64_t later = INT64_MAX;
	bool more = lanes->waiters && detached_has_read(lanes, now, &later);
	for (size_t i = 0; lanes->waiters && !more && i < lanes->count; i++) {
		const struct lane *lane = lanes->list[i];
		more = lane_has_batch(lanes, lane, now, &later) ||
			lane_is_unclaimed(lane, now, &later);
	}
	if (more)
		waiters_wake_one(&lanes->waiters);
}

struct waiter *lanes_waiter_for(struct lanes *lanes, const struct lane *lane)
{
	int64_t later = INT64_MAX;
	int64_t now = clock_tick_ms();
	if (lane->schedule.busy || lane_is_held(lane) || !lanes->waiters ||
		large_must_queue(lanes, lane, now))
		return NULL;
	/* Another executor already waits for the moment when the lane need not gather any longer. */
	if (lanes->batches.watchers > 0 && small_must_gather(lanes, lane, now, &later))
		return NULL;
	return waiters_pop(&lanes->waiters);
}

static void wait_for_work(struct lanes *lanes, struct waiter *waiter, int64_t until)
{
	bool watches = until <= lanes->batches.small_since + SMALL_ALONE_MS;
	lanes->batches.watchers += watches;
	waiters_push(&lanes->waiters, waiter);
	wait_until(&waiter->wake, &lanes->mutex, until);
	lanes->batches.watchers -= watches;
}

void lanes_next(struct lanes *lanes, struct work *work, struct waiter *waiter, int idle_ms)
{
	int64_t until = clock_tick_ms() + idle_ms;
	work->lane_count = 0;
	work->small = work->suspect = work->slow = work->roused = false;
	work->retries = 0;
	work->read = NULL;
	lanes_lock(lanes);
	for (;;) {
		int64_t now = lanes->asked_at = clock_tick_ms();
		int64_t later = now + CHECKPOINT_MS;
		if (find_work(lanes, work, now, &later)) {
			work->retries = work->read ? work->read->retries
						   : work->lanes[0]->schedule.retries;
			wake_for_more(lanes, now);
			break;
		}
		if (lanes->quitting) {
			work->kind = WORK_QUIT;
			break;
		}
		work->roused = waiter->roused != lanes->roused;
		if (now >= until || work->roused) {
			waiter->roused = lanes->roused;
			work->kind = WORK_NONE;
			lanes_unlock(lanes);
			return; /* and keeps its place among the waiting ones */
		}
		wait_for_work(lanes, waiter, later);
	}
	waiters_remove(&lanes->waiters, waiter);
	lanes_unlock(lanes);
}

void lanes_awaited(struct lanes *lanes)
{
	lanes_lock(lanes);
	lanes_set_awaited(lanes);
	lanes_unlock(lanes);
}

void lanes_rouse(struct lanes *lanes)
{
	lanes_lock(lanes);
	lanes->roused++;
	for (struct waiter *waiter = lanes->waiters; waiter; waiter = waiter->below)
		pthread_cond_signal(&waiter->wake);
	lanes_unlock(lanes);
}

void lanes_quit(struct lanes *lanes)
{
	lanes_lock(lanes);
	lanes->quitting = true;
	waiters_wake_all(&lanes->waiters);
	lanes_unlock(lanes);
}

/* --- how long work has been running --- */

int64_t lanes_oldest_ms(struct lanes *lanes)
{
	lanes_lock(lanes);
	int64_t now = clock_tick_ms(), oldest = now;
	for (size_t i = 0; i < lanes->count; i++)
		if (lanes->list[i]->schedule.busy && lanes->list[i]->schedule.began < oldest)
			oldest = lanes->list[i]->schedule.began;
	for (const struct detached_read *read = lanes->detached.running; read; read = read->next)
		if (read->began < oldest)
			oldest = read->began;
	lanes_unlock(lanes);
	return now - oldest;
}

int64_t lanes_busy_ms(struct lanes *lanes)
{
	lanes_lock(lanes);
	int64_t busy_ms = lanes->waiters || !lanes->asked_at ? 0
							     : clock_tick_ms() - lanes->asked_at;
	lanes_unlock(lanes);
	return busy_ms;
}

bool lanes_are_behind(struct lanes *lanes)
{
	bool busy = lanes_busy_ms(lanes) >= BUSY_MS;
	lanes_lock(lanes);
	bool behind = busy || lanes->bytes > lanes->limits.memory_bytes / BEHIND_PART;
	lanes_unlock(lanes);
	return behind;
}

/* --- the end of a lane's work --- */

static void schedule_end(struct lanes *lanes, struct lane_schedule *schedule, int64_t delay_ms)
{
	schedule->retry_at = delay_ms > 0 ? clock_tick_ms() + delay_ms : 0;
	schedule->retries = delay_ms > 0 ? schedule->retries + 1 : 0;
	schedule->busy = false;
	lanes->batches.small_lanes -= schedule->small;
	schedule->small = false;
	lanes->batches.slow -= schedule->slow_runs;
	schedule->slow_runs = false;
	schedule->slow_since = clock_tick_ms();
	lanes->batches.large -= schedule->large;
	schedule->large = false;
}

void lanes_hand_back(struct lanes *lanes, struct lane *lane, enum lane_state state)
{
	lanes_done(lanes, lane, state, 0);
	lanes_lock(lanes);
	waiters_wake_one(&lanes->waiters);
	lanes_unlock(lanes);
}

void lanes_set_outage(struct lanes *lanes, struct lane *lane, bool outage)
{
	lanes_lock(lanes);
	lane->schedule.outage = outage;
	lanes_unlock(lanes);
}

int lanes_count_loss(struct lanes *lanes, struct lane *lane)
{
	lanes_lock(lanes);
	int losses = ++lane->schedule.losses;
	lanes_unlock(lanes);
	return losses;
}

bool lanes_have_outage(struct lanes *lanes)
{
	bool found = false;
	lanes_lock(lanes);
	for (size_t i = 0; i < lanes->count && !found; i++)
		found = lanes->list[i]->schedule.outage && lanes->list[i]->state != LANE_STOPPED;
	lanes_unlock(lanes);
	return found;
}

void lanes_done(struct lanes *lanes, struct lane *lane, enum lane_state state, int64_t delay_ms)
{
	lanes_lock(lanes);
	if (state == LANE_RUNNING && delay_ms == 0)
		lane->schedule.losses = 0;
	lane_set_state(lanes, lane, state);
	bool paused = lane->schedule.retries > 0;
	schedule_end(lanes, &lane->schedule, delay_ms);
	lane_pass_gap(lane);
	if (lane->state != LANE_RUNNING || lane->schedule.retries || paused)
		lanes_count_states(lanes);
	pthread_cond_broadcast(&lanes->settled);
	/* This executor asks for work next, so no other one needs to wake. The consumer must start the
	 * lane, or go on filling it after it was full, or fetch another partition. */
	bool wake = lane->state == LANE_SEEKING || atomic_load(&lane->fetch.arrived) ||
		lanes->waits_for_room;
	lane_unref_locked(lane);
	lanes_unlock(lanes);
	if (wake)
		lanes_wake_consumer(lanes);
}
