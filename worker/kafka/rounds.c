/* rounds.c - holds messages for each partition, and sends, halves, delays and repeats rounds */
#include "worker/kafka/rounds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"
#include "schemas/base/clock.h"
#include "worker/kafka/send_error.h"
#include "worker/lanes/replies.h"

/* A round fits one request: librdkafka and topics allow 1 MB unless configured otherwise. */
#define ROUND_BYTES ((size_t)900 * 1024)
#define ROUND_MESSAGES ((size_t)8192)
/* A message's cost in a request beside its bytes. */
#define RECORD_BYTES 32
/* Beyond this, lanes wait for a partition; beyond the second, for any partition that holds the third. */
#define PARTITION_BYTES ((size_t)4 * 1024 * 1024)
#define ALL_BYTES ((size_t)64 * 1024 * 1024)
#define SHARE_BYTES ((size_t)256 * 1024)
/* After as many rounds of a size that the broker took, a larger one is tried. */
#define ROUNDS_GOOD 32
#define BACKOFF_MS 250
#define BACKOFF_MAX_MS 5000
/* A held message that is older may belong to a lane that was claimed again meanwhile. */
#define STALE_MS 1000
#define SILENCE_MS 30000

void rounds_init(struct rounds *rounds, struct lanes *lanes, int64_t missing_ms)
{
	*rounds = (struct rounds){ .lanes = lanes, .missing_ms = missing_ms };
	rounds->active_end = &rounds->active;
	pthread_mutex_init(&rounds->mutex, NULL);
}

void rounds_free(struct rounds *rounds)
{
	while (rounds->list) {
		struct destination *to = rounds->list;
		rounds->list = to->next;
		while (to->rounds) {
			struct round *next = to->rounds->next;
			free(to->rounds);
			to->rounds = next;
		}
		free(to->topic);
		free(to);
	}
	pthread_mutex_destroy(&rounds->mutex);
}

/* --- finding a message's round --- */

static struct destination *find_destination(struct rounds *rounds, const char *topic)
{
	struct destination *to = rounds->list;
	while (to && strcmp(to->topic, topic) != 0)
		to = to->next;
	if (to)
		return to;
	to = alloc_zero(1, sizeof(*to));
	to->topic = alloc_copy(topic);
	to->next = rounds->list;
	rounds->list = to;
	return to;
}

static struct round *find_round(struct destination *to, int32_t partition)
{
	struct round *round = to->rounds;
	while (round && round->partition != partition)
		round = round->next;
	if (round)
		return round;
	round = alloc_zero(1, sizeof(*round));
	round->to = to;
	round->partition = partition;
	round->most = ROUND_MESSAGES;
	round->room = ROUND_BYTES;
	round->next = to->rounds;
	to->rounds = round;
	return round;
}

static struct round *choose_round(const struct rounds *rounds, struct destination *to,
	const struct sent *sent)
{
	int32_t partitions = atomic_load(&to->partitions);
	if (sent->partition >= 0)
		return find_round(to, sent->partition);
	if (!sent->key || sent->key_size == 0 || !rounds->partition)
		return find_round(to, PARTITION_ANY);
	struct round *unknown = find_round(to, PARTITION_NOT_KNOWN);
	/* Earlier messages of the same key may still be there. */
	if (partitions == 0 || unknown->in_flight || unknown->held.first)
		return unknown;
	return find_round(to,
		rounds->partition(NULL, sent->key, sent->key_size, partitions, NULL, NULL));
}

/* --- holding --- */

static void activate(struct rounds *rounds, struct round *round)
{
	if (round->active || !round->held.first)
		return;
	round->active = true;
	round->next_active = NULL;
	*rounds->active_end = round;
	rounds->active_end = &round->next_active;
}

static bool is_full(const struct rounds *rounds, const struct round *round)
{
	return round->bytes > PARTITION_BYTES ||
		(rounds->bytes > ALL_BYTES && round->bytes > SHARE_BYTES);
}

static void round_add_bytes(struct rounds *rounds, struct round *round, const struct sent *sent)
{
	round->bytes += sent->bytes;
	rounds->bytes += sent->bytes;
}

static void round_remove_bytes(struct rounds *rounds, struct round *round, const struct sent *sent)
{
	round->bytes -= sent->bytes;
	rounds->bytes -= sent->bytes;
}

static void let_lane_go(struct rounds *rounds, struct sent *sent)
{
	if (sent->waits)
		lanes_release(rounds->lanes, sent->delivery.lane, sent->delivery.generation,
			HOLD_UNSENT);
	sent->waits = false;
}

void rounds_hold(struct rounds *rounds, struct sent *sent, const char *topic)
{
	pthread_mutex_lock(&rounds->mutex);
	struct round *round = choose_round(rounds, find_destination(rounds, topic), sent);
	round->to->dead_letters |= sent->dead_letter;
	sent->round = round;
	sent->number = rounds->number++;
	sent->held_at = clock_tick_ms();
	round_add_bytes(rounds, round, sent);
	if (sent->delivery.lane && is_full(rounds, round)) {
		sent->waits = true;
		lanes_hold(rounds->lanes, sent->delivery.lane, sent->delivery.generation,
			HOLD_UNSENT);
	}
	sent_append(&round->held, sent);
	activate(rounds, round);
	pthread_mutex_unlock(&rounds->mutex);
}

/* --- trouble: the caller logs it --- */

static bool is_logged(const struct destination *to)
{
	return to->dead_letters && to->trouble != SILENCE;
}

static void trouble_begins(struct round *round, rd_kafka_resp_err_t error, struct round_news *news)
{
	struct destination *to = round->to;
	if (round->troubled)
		return;
	round->troubled = true;
	if (to->troubled++ > 0)
		return;
	to->trouble = error;
	to->trouble_since = clock_tick_ms();
	news->began = true;
	news->logged = is_logged(to);
	news->topic = to->topic;
	news->error = error;
}

static void trouble_ends(struct round *round, struct round_news *news)
{
	struct destination *to = round->to;
	if (!round->troubled)
		return;
	round->troubled = false;
	if (--to->troubled > 0)
		return;
	news->over = true;
	news->logged = is_logged(to);
	news->topic = to->topic;
	news->error = to->trouble;
	news->lasted_ms = clock_tick_ms() - to->trouble_since;
}

static void round_is_empty(struct round *round, struct round_news *news)
{
	trouble_ends(round, news);
	if (round->to->exclusive == round)
		round->to->exclusive = NULL;
}

/* --- starting --- */

static bool is_stale(const struct rounds *rounds, const struct sent *sent, int64_t now)
{
	return sent->delivery.lane && now - sent->held_at > STALE_MS &&
		!lanes_reply_wanted(rounds->lanes, sent->delivery.lane, sent->delivery.generation);
}

/* Takes the first messages that fit, at least one. */
static void round_take(struct rounds *rounds, struct round *round, int64_t now,
	struct round_news *news)
{
	size_t bytes = 0, count = 0;
	struct sent *sent;
	while ((sent = round->held.first) && count < round->most) {
		size_t cost = sent->bytes - sizeof(*sent) + RECORD_BYTES;
		bool stale = is_stale(rounds, sent, now);
		if (!stale && count > 0 && bytes + cost > round->room)
			break;
		sent_take(&round->held);
		let_lane_go(rounds, sent);
		if (stale) {
			round_remove_bytes(rounds, round, sent);
			sent_append(&news->dropped, sent);
			continue;
		}
		bytes += cost;
		count++;
		sent_append(&news->start, sent);
	}
	round->in_flight = round->started = count;
	round->started_at = now;
	round->to->flying += count > 0;
}

static void round_start(struct rounds *rounds, struct round *round, int64_t now,
	struct round_news *news)
{
	round_take(rounds, round, now, news);
	/* What is left was held before the next round: it need not gather again. */
	round->due = round->held.first != NULL;
	if (round->bytes == 0)
		round_is_empty(round, news);
}

static bool may_start(const struct round *round, int64_t tick, int64_t now)
{
	const struct destination *to = round->to;
	if (to->exclusive && (to->exclusive != round || to->flying > 0))
		return false;
	return round->held.first && round->in_flight == 0 && round->retry_at <= now &&
		(round->due || round->held.first->held_at <= tick);
}

void rounds_start(struct rounds *rounds, int64_t tick, struct round_news *news)
{
	*news = (struct round_news){ 0 };
	pthread_mutex_lock(&rounds->mutex);
	int64_t now = clock_tick_ms();
	struct round **at = &rounds->active;
	while (*at) {
		struct round *round = *at;
		if (may_start(round, tick, now))
			round_start(rounds, round, now, news);
		else if (round->held.first && round->held.first->held_at <= tick)
			round->due = true;
		if (round->held.first) {
			at = &round->next_active;
			continue;
		}
		round->active = false;
		*at = round->next_active;
	}
	rounds->active_end = at;
	pthread_mutex_unlock(&rounds->mutex);
}

/* --- the end of a round --- */

/* What one round of a topic has learnt holds for another. */
static void round_inherit(struct round *round, const struct round *from, struct round_news *news)
{
	if (from->to->exclusive == from)
		from->to->exclusive = round;
	round->due = true;
	round->most = from->most;
	round->room = from->room;
	round->failures = from->failures;
	round->retry_at = from->retry_at;
	if (from->troubled)
		trouble_begins(round, from->to->trouble, news);
}

/* The topic's partitions are known now: messages with a key go to the rounds of their partitions. */
static void spread(struct rounds *rounds, struct round *round, struct round_news *news)
{
	struct sent_list held = round->held;
	struct sent *sent;
	if (round->partition != PARTITION_NOT_KNOWN || atomic_load(&round->to->partitions) == 0)
		return;
	round->held = (struct sent_list){ 0 };
	while ((sent = sent_take(&held))) {
		round->bytes -= sent->bytes;
		sent->round = choose_round(rounds, round->to, sent);
		sent->round->bytes += sent->bytes;
		round_inherit(sent->round, round, news);
		sent_append(&sent->round->held, sent);
		activate(rounds, sent->round);
	}
}

/* Replies to a topic that has been missing for too long. Dead letters stay. */
static void give_up(struct rounds *rounds, struct round *round, struct round_news *news)
{
	struct sent_list kept = { 0 };
	int64_t before = clock_tick_ms() - rounds->missing_ms;
	struct sent *sent;
	while ((sent = sent_take(&round->held))) {
		if (sent->dead_letter || sent->held_at > before) {
			sent_append(&kept, sent);
			continue;
		}
		let_lane_go(rounds, sent);
		round_remove_bytes(rounds, round, sent);
		sent_append(&news->given_up, sent);
	}
	round->held = kept;
}

static void round_delay(struct rounds *rounds, struct round *round, struct round_news *news)
{
	int64_t delay = (int64_t)BACKOFF_MS << (round->failures > 5 ? 5 : round->failures);
	round->failures++;
	round->retry_at = clock_tick_ms() + (delay > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : delay);
	round->most = 1;
	trouble_begins(round, round->error, news);
	if (send_error_is_missing(round->error))
		give_up(rounds, round, news);
}

static void round_halve(struct round *round, size_t messages, size_t bytes)
{
	if (round->too_large) {
		round->room = bytes / 2;
		round->good = 0;
	} else {
		round->most = messages > 1 ? messages / 2 : 1;
	}
}

static void round_succeeded(struct round *round, struct round_news *news)
{
	round->failures = 0;
	round->retry_at = 0;
	trouble_ends(round, news);
	round->most = round->most * 2 < ROUND_MESSAGES ? round->most * 2 : ROUND_MESSAGES;
	if (round->room < ROUND_BYTES && ++round->good > ROUNDS_GOOD) {
		round->good = 0;
		round->room = round->room * 2 < ROUND_BYTES ? round->room * 2 : ROUND_BYTES;
	}
}

static void round_conclude(struct rounds *rounds, struct round *round, struct round_news *news)
{
	struct sent_list again = round->returned;
	size_t messages = 0, bytes = 0;
	for (const struct sent *sent = again.first; sent; sent = sent->next, messages++)
		bytes += sent->bytes - sizeof(*sent) + RECORD_BYTES;
	sent_join(&again, &round->held);
	round->held = again;
	round->returned = (struct sent_list){ 0 };
	round->due |= messages > 0;
	if (round->error)
		round_delay(rounds, round, news);
	else if (round->refused)
		round_halve(round, messages, bytes);
	else if (messages == 0)
		round_succeeded(round, news);
	if (round->to->exclusive == round && !round->refused)
		round->to->exclusive = NULL;
	round->error = RD_KAFKA_RESP_ERR_NO_ERROR;
	round->refused = round->too_large = false;
	activate(rounds, round);
	spread(rounds, round, news);
	if (round->bytes == 0)
		round_is_empty(round, news);
}

void rounds_end_one(struct rounds *rounds, struct sent *sent, enum sent_outcome outcome,
	rd_kafka_resp_err_t error, bool may, struct round_news *news)
{
	struct round *round = sent->round;
	*news = (struct round_news){ 0 };
	pthread_mutex_lock(&rounds->mutex);
	if (outcome == OUTCOME_OVER)
		round_remove_bytes(rounds, round, sent);
	else
		sent_insert(&round->returned, sent);
	if (outcome == OUTCOME_LATER)
		round->error = error;
	round->refused |= outcome == OUTCOME_REFUSED;
	round->too_large |= outcome == OUTCOME_REFUSED && send_error_is_size(error);
	if (--round->in_flight == 0) {
		round->to->flying--;
		round_conclude(rounds, round, news);
		/* It stays in the list of active rounds, empty or not, until rounds_start sees it. */
		if (may && may_start(round, INT64_MIN, clock_tick_ms()))
			round_start(rounds, round, clock_tick_ms(), news);
	}
	pthread_mutex_unlock(&rounds->mutex);
}

/* --- looking --- */

/* Rounds without a known partition may share a request with others. */
static bool is_mixed(const struct destination *to)
{
	bool known = false, unknown = false;
	for (const struct round *round = to->rounds; round; round = round->next) {
		known |= round->partition >= 0 || unknown;
		unknown |= round->partition < 0;
	}
	return known && unknown;
}

bool rounds_sent_alone(struct rounds *rounds, const struct sent *sent, int32_t partition)
{
	struct round *round = sent->round;
	pthread_mutex_lock(&rounds->mutex);
	bool moved = round->partition >= 0 && partition >= 0 && partition != round->partition;
	bool alone = round->started == 1 &&
		(round->to->exclusive == round || !(moved || is_mixed(round->to)));
	if (round->started == 1 && !alone && !round->to->exclusive)
		round->to->exclusive = round;
	pthread_mutex_unlock(&rounds->mutex);
	return alone;
}

static struct round *find_silent(struct rounds *rounds)
{
	int64_t before = clock_tick_ms() - SILENCE_MS;
	for (struct destination *to = rounds->list; to; to = to->next)
		for (struct round *round = to->rounds; round; round = round->next)
			if (round->in_flight && !round->troubled && round->started_at < before)
				return round;
	return NULL;
}

void rounds_look_for_silence(struct rounds *rounds, struct round_news *news)
{
	*news = (struct round_news){ 0 };
	pthread_mutex_lock(&rounds->mutex);
	struct round *round = find_silent(rounds);
	if (round)
		trouble_begins(round, SILENCE, news);
	pthread_mutex_unlock(&rounds->mutex);
}

bool rounds_lack_right(struct rounds *rounds, char *why, size_t size)
{
	bool lack = false;
	pthread_mutex_lock(&rounds->mutex);
	for (const struct destination *to = rounds->list; to && !lack; to = to->next) {
		lack = to->troubled && send_error_is_right(to->trouble);
		if (lack)
			snprintf(why, size, "kafka: the right to write to %s is missing",
				to->topic);
	}
	pthread_mutex_unlock(&rounds->mutex);
	return lack;
}

struct sent_list rounds_drop(struct rounds *rounds)
{
	struct sent_list dropped = { 0 };
	pthread_mutex_lock(&rounds->mutex);
	for (struct destination *to = rounds->list; to; to = to->next) {
		for (struct round *round = to->rounds; round; round = round->next) {
			sent_join(&dropped, &round->held);
			sent_join(&dropped, &round->returned);
			round->bytes = 0;
		}
	}
	rounds->bytes = 0;
	pthread_mutex_unlock(&rounds->mutex);
	return dropped;
}
