/* crash.c - counts the runs that ended a worker or a session, and judges what ended them */
#include "worker/engine/crash.h"

#include <string.h>

#include "schemas/base/clock.h"

/* Not the role's own limits, which may be shorter or none. */
static const struct statement_limits crash_write_limits = { .run_ms = 10000, .lock_ms = 5000 };

enum crash_verdict {
	CRASH_NONE,   /* the command is not to blame */
	CRASH_BROKEN, /* the session broke, nobody knows why */
	CRASH_PROVEN, /* the command crashed the server */
};

/* --- losses --- */

/* Did the server or this worker end the session for a reason of its own? 57P01 excuses nothing: an operator
 * may have ended the session, or a command itself. */
static bool crash_is_excused(const struct db_failure *failure)
{
	static const char *const excuses[] = {
		"25006", /* this end closed a read-only session */
		"25P03", /* idle_in_transaction_session_timeout */
		"25P04", /* transaction_timeout */
		"57P",
	};
	bool excused = false;
	for (size_t i = 0; i < sizeof(excuses) / sizeof(excuses[0]); i++)
		excused |= strncmp(failure->sqlstate, excuses[i], strlen(excuses[i])) == 0;
	return excused && strcmp(failure->sqlstate, "57P01") != 0;
}

static struct lane_loss crash_loss(const struct transaction *t, const struct db_failure *failure)
{
	struct db_life life = connection_life(t->connection);
	return (struct lane_loss){
		.open = !crash_is_excused(failure),
		.silent = failure->sqlstate[0] == '\0',
		.running = t->running,
		.server_started = life.started,
		.server_recovered = life.recovered,
	};
}

/* Judges a loss by a session that was opened later, or that lived on. */
static enum crash_verdict crash_judge(const struct lane_loss *loss,
	const struct connection *connection)
{
	struct db_life now = connection_life(connection);
	if (!loss->open)
		return CRASH_NONE;
	bool same_server = loss->server_started && loss->server_started == now.started;
	if (loss->silent && same_server && loss->server_recovered != now.recovered)
		return CRASH_PROVEN;
	/* All results of the commands had arrived: they did not break the session. */
	return loss->running ? CRASH_BROKEN : CRASH_NONE;
}

static void crash_add_broken(struct lane_breaks *breaks)
{
	if (breaks->count++ == 0)
		breaks->since = clock_tick_ms();
}

static bool crash_breaks_always(const struct lane_breaks *breaks)
{
	return breaks->count >= BROKEN_RUNS && clock_tick_ms() - breaks->since >= BROKEN_MS;
}

/* --- lanes --- */

/* Returns the offset behind the suspect command: one that ran alone, or one of the last batch that
 * began. */
static int64_t crash_end(const struct engine *engine, const struct lane_suspect *suspect,
	const struct lane_claimed *claimed, int64_t end)
{
	int64_t batch_end = claimed->applied + engine->config->batch.max_commands;
	if (suspect->crash_count > 0)
		return (suspect->crash_offset > claimed->applied ? suspect->crash_offset
								 : claimed->applied) +
			1;
	return batch_end < end ? batch_end : end;
}

/* What the lane's row says, and what this worker remembers. Claims of a worker that lives are no sign of a
 * crash. */
static struct lane_suspect crash_remember(const struct lane *lane,
	const struct lane_claimed *claimed)
{
	struct lane_suspect suspect = lane->suspect;
	bool first = lane->offsets.epoch == 0;
	if (first || suspect.claims > claimed->claims)
		suspect.claims = claimed->claims;
	if (first || suspect.crash_offset < claimed->applied) {
		suspect.crash_offset = claimed->crash_offset;
		suspect.crash_count = claimed->crash_count;
	}
	return suspect;
}

struct lane_suspect crash_claimed(const struct engine *engine, const struct lane *lane,
	const struct lane_claimed *claimed, int64_t end, const struct connection *connection)
{
	struct lane_suspect suspect = crash_remember(lane, claimed);
	enum crash_verdict verdict = crash_judge(&suspect.loss, connection);
	if (suspect.loss.counted && verdict != CRASH_PROVEN)
		suspect.crash_count--;
	if (verdict != CRASH_NONE)
		suspect.losses++;
	if (verdict == CRASH_BROKEN)
		crash_add_broken(&suspect.broken);
	suspect.loss = (struct lane_loss){ 0 };
	suspect.logged = false;
	suspect.active = claimed->answered < end &&
		(suspect.claims > engine->config->limits.attempts || suspect.crash_count > 0 ||
			suspect.losses >= engine->config->limits.attempts);
	suspect.end = crash_end(engine, &suspect, claimed, end);
	return suspect;
}

void crash_not_claimed(const struct engine *engine, struct lane *lane)
{
	struct lane_suspect suspect = lane->suspect;
	suspect.broken.count = 0;
	lanes_set_suspect(engine->lanes, lane, &suspect);
}

static enum db_kind crash_write(struct transaction *t, const struct lane *lane,
	const struct lane_suspect *suspect, struct db_failure *failure)
{
	connection_limit_syncs(t->connection, crash_write_limits);
	enum db_kind kind = lane_rows_count_crash(t->connection, &t->table, lane->topic,
		lane->partition, lane->offsets.epoch, suspect->crash_offset, suspect->crash_count,
		failure);
	connection_limit_syncs(t->connection, (struct statement_limits){ 0 });
	if (kind == DB_CONTEND)
		log_at_limited(t->engine->log, LOG_WARN,
			"runs of a command that may crash its worker can't be counted yet",
			"CONTENTION", LOG_STR("topic", lane->topic),
			LOG_INT("partition", lane->partition),
			LOG_INT("offset", suspect->crash_offset),
			LOG_STR("error", failure->message), LOG_STR("sqlstate", failure->sqlstate));
	return kind;
}

static void crash_tell(const struct engine *engine, const struct lane *lane, int64_t offset)
{
	log_warn(engine->log, "a command may crash its worker: running one command at a time",
		LOG_STR("topic", lane->topic), LOG_INT("partition", lane->partition),
		LOG_INT("offset", offset), LOG_INT("claims", lane->suspect.claims),
		LOG_INT("crashes", lane->suspect.crash_count),
		LOG_INT("lost_sessions", lane->suspect.losses));
}

bool crash_count_run(struct transaction *t, struct batch *batch, const struct work *work,
	struct db_failure *failure)
{
	struct job *job = batch->jobs; /* NULL: none */
	struct lane *lane = work->lanes[0];
	struct lane_suspect suspect = lane->suspect;
	if (!work->suspect || batch->job_count != 1 || job->disposition == DISPOSITION_SKIP)
		return true;
	int64_t offset = job->message->offset;
	/* A read that only runs again, before the suspect command. */
	if (offset < suspect.crash_offset)
		return true;
	if (!suspect.logged)
		crash_tell(t->engine, lane, offset);
	suspect.logged = true;
	if (suspect.crash_offset != offset) {
		suspect.crash_count = 0;
		suspect.broken.count = 0;
	}
	suspect.crash_offset = offset;
	int times = crash_breaks_always(&suspect.broken) ? suspect.broken.count
							 : suspect.crash_count;
	if (times >= t->engine->config->limits.attempts) {
		job_refuse_breaking(job, batch->arena, times);
		return true;
	}
	suspect.crash_count++;
	suspect.loss.counted = true;
	t->running = false;
	lanes_set_suspect(t->engine->lanes, lane, &suspect);
	return crash_write(t, lane, &suspect, failure) == DB_OK;
}

void crash_run_passed(struct transaction *t, const struct work *work, bool written)
{
	for (size_t i = 0; i < work->lane_count; i++) {
		struct lane *lane = work->lanes[i];
		struct lane_suspect suspect = lane->suspect;
		if (!suspect.loss.counted)
			continue;
		suspect.loss = (struct lane_loss){ 0 };
		suspect.crash_count--;
		lanes_set_suspect(t->engine->lanes, lane, &suspect);
		struct db_failure ignored;
		/* Without a session, the next run's count corrects the row. */
		if (!written && crash_write(t, lane, &suspect, &ignored) != DB_OK)
			return;
	}
}

void crash_run_failed(struct transaction *t, const struct work *work, bool lost,
	const struct db_failure *failure)
{
	if (!lost) {
		crash_run_passed(t, work, false);
		return;
	}
	for (size_t i = 0; i < work->lane_count; i++) {
		struct lane *lane = work->lanes[i];
		struct lane_suspect suspect = lane->suspect;
		bool counted = suspect.loss.counted;
		suspect.loss = crash_loss(t, failure);
		suspect.loss.counted = counted;
		lanes_set_suspect(t->engine->lanes, lane, &suspect);
	}
}

/* --- detached reads --- */

void crash_count_read(const struct transaction *t, struct batch *batch, struct detached_read *read)
{
	enum crash_verdict verdict = crash_judge(&read->loss, t->connection);
	read->loss = (struct lane_loss){ 0 };
	read->crashes += verdict == CRASH_PROVEN;
	if (verdict == CRASH_BROKEN)
		crash_add_broken(&read->broken);
	int times = crash_breaks_always(&read->broken) ? read->broken.count : read->crashes;
	if (times >= t->engine->config->limits.attempts)
		job_refuse_breaking(&batch->jobs[0], batch->arena, times);
}

void crash_read_lost(const struct transaction *t, struct detached_read *read,
	const struct db_failure *failure)
{
	read->loss = crash_loss(t, failure);
}
