/* claim.c - see claim.h */
#include "worker/engine/claim.h"

#include <string.h>

#include "schemas/base/clock.h"

#define WATERMARK_TIMEOUT_MS 10000
/* How long the transaction of the lane's last worker may take to end before it is ended. */
#define ZOMBIE_WAIT_MS 5000
#define RETRY_MS 1000

static const struct take_end take_again = { .state = LANE_UNTAKEN, .delay_ms = RETRY_MS };
static const struct take_end take_stop = { .state = LANE_STOPPED };

static void stopped(const struct engine *engine, const struct lane *lane, const char *why,
	int64_t offset, int64_t low, int64_t high)
{
	log_error(engine->log, "lane stopped", LOG_STR("topic", lane->topic),
		LOG_INT("partition", lane->partition), LOG_STR("reason", why),
		LOG_INT("offset", offset), LOG_INT("log_start", low), LOG_INT("log_end", high),
		LOG_STR("help",
			"decide where to go on with `stowage offsets set`, then restart; nothing "
			"was skipped"));
}

/* Where a lane without a row starts; -1: nowhere. */
static int64_t start_offset(const struct engine *engine, int64_t low, int64_t high)
{
	const char *reset = engine->config->kafka.offset_reset;
	return strcmp(reset, "earliest") == 0 ? low : strcmp(reset, "latest") == 0 ? high : -1;
}

static enum db_kind take_row(struct transaction *t, struct lane *lane, const char *topic_id,
	int64_t start, struct lane_taken *taken, struct db_failure *failure)
{
	enum db_kind kind = lane_rows_take(t->connection, &t->table, lane->topic, lane->partition,
		topic_id, start, ZOMBIE_WAIT_MS, taken, failure);
	if (kind != DB_CONTEND)
		return kind;
	log_warn(t->engine->log, "ending the transaction of the worker that had the lane before",
		LOG_STR("topic", lane->topic), LOG_INT("partition", lane->partition));
	kind = lane_rows_unblock(t->connection, &t->table, lane->topic, lane->partition, failure);
	if (kind != DB_OK)
		return kind;
	return lane_rows_take(t->connection, &t->table, lane->topic, lane->partition, topic_id,
		start, ZOMBIE_WAIT_MS, taken, failure);
}

/* Is the row's place one that the log still has, and this topic the one it was written for? */
static bool is_sound(const struct engine *engine, const struct lane *lane,
	const struct lane_taken *taken, const char *topic_id, int64_t low, int64_t high)
{
	const char *why = NULL;
	if (!taken->found)
		why = "it has no stored offset and kafka.offsetReset is \"error\"";
	else if (taken->topic_id[0] && topic_id[0] && strcmp(taken->topic_id, topic_id) != 0)
		why = "the topic was deleted and made anew since its offset was stored";
	else if (taken->answered < low)
		why = "the stored offset is no longer in the log: commands were deleted before they were "
		      "applied";
	else if (taken->applied > high)
		why = "the stored offset is beyond the end of the log: the topic lost messages";
	if (why)
		stopped(engine, lane, why, taken->found ? taken->answered : -1, low, high);
	return why == NULL;
}

/* Behind the command that may break its worker: one that was begun alone, or one of the batch that
 * was begun last. */
static int64_t careful_end(const struct engine *engine, const struct lane_taken *taken, int64_t end)
{
	int64_t batch_end = taken->applied + engine->config->batch.max_commands;
	if (taken->attempts > 0)
		return (taken->attempt_offset > taken->applied ? taken->attempt_offset
							       : taken->applied) +
			1;
	return batch_end < end ? batch_end : end;
}

static void enter(const struct engine *engine, struct lane *lane, const struct lane_taken *taken,
	int64_t end)
{
	lanes_lock(engine->lanes);
	lane_forget_replies(lane);
	lane->epoch = taken->epoch;
	lane->applied = taken->applied;
	lane->answered = taken->answered;
	lane->position = taken->answered;
	lane->next = taken->answered;
	lane->end = end;
	lane->gap = 0;
	lane->reseek = false;
	lane->seq = 0;
	lane->advanced_at = clock_tick_ms();
	lane->careful = taken->takes > engine->config->limits.attempts || taken->attempts > 0;
	lane->careful_end = careful_end(engine, taken, end);
	lane->attempts = taken->attempts;
	lane->attempt_offset = taken->attempt_offset;
	lanes_unlock(engine->lanes);
}

struct resend {
	const struct engine *engine;
	struct lane *lane;
	size_t count;
};

static size_t count_messages(const void *payload, size_t size)
{
	struct outgoing_reader reader;
	struct outgoing message;
	size_t count = 0;
	outgoing_reader_start(&reader, payload, size);
	while (outgoing_read(&reader, &message))
		count++;
	outgoing_reader_end(&reader);
	return count;
}

static void resend_row(void *arg, int64_t seq, const void *payload, size_t size)
{
	struct resend *resend = arg;
	const struct engine *engine = resend->engine;
	size_t count = count_messages(payload, size);
	if (count == 0) {
		log_error(engine->log, "an outbox row can't be read, it is left as it is",
			LOG_STR("topic", resend->lane->topic),
			LOG_INT("partition", resend->lane->partition), LOG_INT("seq", seq));
		return;
	}
	lanes_lock(engine->lanes);
	struct ticket ticket = { .lane = resend->lane, .ledger = resend->lane->ledger };
	ticket.stored = lane_replies_stored(resend->lane, seq, count);
	lanes_unlock(engine->lanes);
	struct outgoing_reader reader;
	struct outgoing message;
	outgoing_reader_start(&reader, payload, size);
	while (outgoing_read(&reader, &message))
		producer_send(engine->producer, &message, &ticket);
	outgoing_reader_end(&reader);
	producer_flush(engine->producer);
	resend->count += count;
}

static void log_taken(const struct engine *engine, const struct lane *lane,
	const struct lane_taken *taken, size_t resent)
{
	metrics_add(engine->metrics, METRIC_REPLIES_RESENT, resent);
	log_info(engine->log, "lane taken", LOG_STR("topic", lane->topic),
		LOG_INT("partition", lane->partition), LOG_INT("epoch", taken->epoch),
		LOG_INT("applied", taken->applied), LOG_INT("answered", taken->answered),
		LOG_INT("replies_resent", resent));
	if (lane->careful)
		log_warn(engine->log, "a command may break its worker: running one at a time",
			LOG_STR("topic", lane->topic), LOG_INT("partition", lane->partition),
			LOG_INT("offset", taken->applied), LOG_INT("takes", taken->takes),
			LOG_INT("attempts", taken->attempts));
}

static struct take_end database_failed(void)
{
	return (struct take_end){ .state = LANE_UNTAKEN, .failed = true, .delay_ms = RETRY_MS };
}

struct take_end take_lane(struct transaction *t, struct lane *lane, struct db_failure *failure)
{
	const struct engine *engine = t->engine;
	char topic_id[TOPIC_ID_SIZE];
	int64_t low, high;
	if (topics_id(engine->topics, lane->topic, topic_id) != TOPIC_THERE ||
		rd_kafka_query_watermark_offsets(engine->consumer, lane->topic, lane->partition,
			&low, &high, WATERMARK_TIMEOUT_MS))
		return take_again;
	struct lane_taken taken;
	if (take_row(t, lane, topic_id, start_offset(engine, low, high), &taken, failure) != DB_OK)
		return database_failed();
	if (!is_sound(engine, lane, &taken, topic_id, low, high))
		return take_stop;
	enter(engine, lane, &taken, high);
	struct resend resend = { engine, lane, 0 };
	if (lane_rows_outbox(t->connection, &t->table, lane->topic, lane->partition, resend_row,
		    &resend, failure) != DB_OK)
		return database_failed();
	log_taken(engine, lane, &taken, resend.count);
	return (struct take_end){ .state = LANE_SEEKING };
}
