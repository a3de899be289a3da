/* claim.c - claims a lane: reads its row, sends its outbox, says where it starts */
#include "worker/engine/claim.h"

#include <string.h>

#include "worker/engine/crash.h"
#include "worker/engine/reset.h"
#include "worker/kafka/partition_look.h"
#include "worker/kafka/topic_ids.h"

/* The previous owner's transaction may take this long to end before the claim ends it. */
#define ZOMBIE_WAIT_MS 5000
#define RETRY_MS 1000

/* Not the role's own limits, which may be shorter or none. A large outbox takes its time to read. */
static const struct statement_limits claim_limits = { .run_ms = 600000, .lock_ms = 5000 };

static const struct claim_end take_again = { .state = LANE_UNCLAIMED, .delay_ms = RETRY_MS };
static const struct claim_end take_stop = { .state = LANE_STOPPED };

static void claim_stopped(const struct engine *engine, struct lane *lane, const char *why,
	int64_t offset, int64_t low, int64_t high)
{
	log_error(engine->log, "partition stopped", LOG_STR("topic", lane->topic),
		LOG_INT("partition", lane->partition), LOG_STR("reason", why),
		LOG_INT("offset", offset), LOG_INT("log_start", low), LOG_INT("log_end", high),
		LOG_STR("help",
			"set the offset to continue from with `stowage offsets set`, then restart; nothing "
			"was skipped"));
	lanes_stop(engine->lanes, lane, why);
}

static bool resets_to(const struct engine *engine, const char *reset)
{
	return strcmp(engine->config->kafka.offset_reset, reset) == 0;
}

static enum db_kind take_row(struct transaction *t, struct lane *lane, const char *topic_id,
	int64_t start, struct lane_claimed *claimed, struct db_failure *failure)
{
	enum db_kind kind = lane_rows_claim(t->connection, &t->table, lane->topic, lane->partition,
		topic_id, start, ZOMBIE_WAIT_MS, claimed, failure);
	if (kind != DB_CONTEND)
		return kind;
	log_warn(t->engine->log, "ending the transaction of the previous owner of the partition",
		LOG_STR("topic", lane->topic), LOG_INT("partition", lane->partition));
	kind = lane_rows_unblock(t->connection, &t->table, lane->topic, lane->partition, failure);
	if (kind != DB_OK)
		return kind;
	return lane_rows_claim(t->connection, &t->table, lane->topic, lane->partition, topic_id,
		start, ZOMBIE_WAIT_MS, claimed, failure);
}

/* Takes the row as it is, and makes one if there is none. "latest": unless the group is new to the topic,
 * and reset_record makes the row, the partition came later and starts at its beginning. */
static enum reset_end take_any_row(struct transaction *t, struct lane *lane,
	const struct partition_look *look, struct lane_claimed *claimed, struct db_failure *failure)
{
	int64_t start = resets_to(t->engine, "earliest") ? look->low : -1;
	enum db_kind kind = take_row(t, lane, look->topic_id, start, claimed, failure);
	if (kind == DB_OK && !claimed->found && resets_to(t->engine, "latest")) {
		enum reset_end end = reset_record(t->engine, t->connection, &t->table, failure);
		if (end != RESET_RECORDED)
			return end;
		kind = take_row(t, lane, look->topic_id, look->low, claimed, failure);
	}
	return kind == DB_OK ? RESET_RECORDED : RESET_DATABASE;
}

/* Returns why a lane cannot start where its row says; NULL if it can. */
static const char *claim_fault(const struct lane_claimed *claimed,
	const struct partition_look *look)
{
	if (!claimed->found)
		return "it has no stored offset and kafka.offsetReset is \"error\"";
	if (!topic_ids_equal(claimed->topic_id, look->topic_id))
		return "the topic was deleted and created again since its offset was stored";
	if (claimed->answered < look->low)
		return "the stored offset is no longer in the log: commands were deleted before they were "
		       "applied";
	if (claimed->applied > look->high)
		return "the stored offset is beyond the end of the log: the topic lost messages";
	return NULL;
}

/* The first look may be older than the row: the previous owner has moved the row since, or an operator
 * has set it. So a fault counts only if a second look shows it too. */
static bool is_sound(const struct engine *engine, struct lane *lane,
	const struct lane_claimed *claimed, struct partition_look *look, bool *answered)
{
	const char *why = claim_fault(claimed, look);
	*answered = true;
	if (why && claimed->found) {
		*answered = partition_look_at(engine->looks, lane, true, look);
		why = *answered ? claim_fault(claimed, look) : NULL;
	}
	if (why)
		claim_stopped(engine, lane, why, claimed->found ? claimed->answered : -1, look->low,
			look->high);
	return why == NULL;
}

static uint32_t claim_enter(const struct transaction *t, struct lane *lane,
	const struct lane_claimed *claimed, const struct partition_look *look)
{
	const struct lane_start start = {
		.epoch = claimed->epoch,
		.applied = claimed->applied,
		.answered = claimed->answered,
		.end = look->high,
		.topic_id = look->topic_id,
		.suspect = crash_claimed(t->engine, lane, claimed, look->high, t->connection),
	};
	return lanes_claimed(t->engine->lanes, lane, &start);
}

/* Restarts of workers that had nothing to do are no sign of a command that crashes them. */
static enum db_kind forget_claims(struct transaction *t, const struct lane *lane,
	const struct lane_claimed *claimed, const struct partition_look *look,
	struct db_failure *failure)
{
	if (claimed->claims <= 1 || claimed->answered < look->high)
		return DB_OK;
	connection_limit_syncs(t->connection, claim_limits);
	enum db_kind kind = lane_rows_forget_claims(t->connection, &t->table, lane->topic,
		lane->partition, claimed->epoch, failure);
	connection_limit_syncs(t->connection, (struct statement_limits){ 0 });
	return kind;
}

struct resend {
	const struct engine *engine;
	struct lane *lane;
	uint32_t generation;
	size_t count;
};

static void resend_row(void *arg, int64_t seq, const void *payload, size_t size)
{
	struct resend *resend = arg;
	const struct engine *engine = resend->engine;
	struct lane *lane = resend->lane;
	bool bad;
	size_t count = outgoing_each(payload, size, NULL, NULL, &bad);
	if (count == 0) {
		log_error(engine->log, "an outbox row can't be read: it stays as it is",
			LOG_STR("topic", lane->topic), LOG_INT("partition", lane->partition),
			LOG_INT("seq", seq));
		return;
	}
	struct delivery delivery = { .lane = lane, .generation = resend->generation };
	delivery.stored = lanes_replies_stored(engine->lanes, lane, delivery.generation, seq,
		count);
	if (!delivery.stored)
		return; /* reclaimed meanwhile: the next claim sends it */
	resend->count += producer_send_stored(engine->producer, payload, size, &delivery);
	producer_flush(engine->producer);
}

static void log_claimed(const struct engine *engine, const struct lane *lane,
	const struct lane_claimed *claimed, size_t resent)
{
	metrics_add(engine->metrics, METRIC_REPLIES_RESENT, resent);
	log_info(engine->log, "partition claimed", LOG_STR("topic", lane->topic),
		LOG_INT("partition", lane->partition), LOG_INT("epoch", claimed->epoch),
		LOG_INT("applied", claimed->applied), LOG_INT("answered", claimed->answered),
		LOG_INT("replies_resent", resent));
}

/* The caller logs the other kinds. */
static struct claim_end database_failed(const struct engine *engine, const struct lane *lane,
	const struct db_failure *failure)
{
	if (failure->kind == DB_CONTEND)
		log_at_limited(engine->log, LOG_WARN,
			"a partition can't be claimed yet: trying again", "CONTENTION",
			LOG_STR("topic", lane->topic), LOG_INT("partition", lane->partition),
			LOG_STR("error", failure->message), LOG_STR("sqlstate", failure->sqlstate));
	return (struct claim_end){ .state = LANE_UNCLAIMED, .failed = true, .delay_ms = RETRY_MS };
}

/* Sends the replies that the lane's row still owes. */
static enum db_kind claim_resend(struct transaction *t, struct resend *resend,
	struct db_failure *failure)
{
	connection_limit_syncs(t->connection, claim_limits);
	enum db_kind kind = lane_rows_outbox(t->connection, &t->table, resend->lane->topic,
		resend->lane->partition, resend_row, resend, failure);
	connection_limit_syncs(t->connection, (struct statement_limits){ 0 });
	return kind;
}

struct claim_end claim_lane(struct transaction *t, struct lane *lane, struct db_failure *failure)
{
	const struct engine *engine = t->engine;
	struct partition_look look;
	struct lane_claimed claimed;
	bool answered;
	if (!partition_look_at(engine->looks, lane, false, &look))
		return take_again;
	enum reset_end end = take_any_row(t, lane, &look, &claimed, failure);
	if (end != RESET_RECORDED)
		return end == RESET_KAFKA ? take_again : database_failed(engine, lane, failure);
	if (!is_sound(engine, lane, &claimed, &look, &answered))
		return take_stop;
	if (!answered)
		return take_again;
	if (forget_claims(t, lane, &claimed, &look, failure) != DB_OK)
		return database_failed(engine, lane, failure);
	uint32_t generation = claim_enter(t, lane, &claimed, &look);
	struct resend resend = { engine, lane, generation, 0 };
	if (claim_resend(t, &resend, failure) != DB_OK)
		return database_failed(engine, lane, failure);
	log_claimed(engine, lane, &claimed, resend.count);
	return (struct claim_end){ .state = LANE_SEEKING };
}
