/* transaction.c - see transaction.h */
#include "worker/engine/transaction.h"

#include <stdlib.h>
#include <string.h>

#include "schemas/base/clock.h"
#include "worker/engine/reply.h"

/* Turns that are sent before their results are taken in: keeps the server busy, and bounds what
 * results take in memory. */
#define TURNS_AHEAD 64
/* ... where their replies are large. */
#define TURNS_AHEAD_LARGE 8
#define REPLIES_LARGE ((size_t)1024 * 1024)
/* Replies are kept until the batch is in: with so many bytes of them it ends early. */
#define REPLIES_MOST ((size_t)16 * 1024 * 1024)

/* How far each lane of the batch has got, while turns are put together. */
struct walk {
	struct batch *batch;
	size_t next[WORK_LANES_MAX];
	size_t sent; /* turns since the last drain */
};

/* One attempt at a batch. */
struct attempt {
	struct transaction *transaction;
	struct batch *batch;
	struct db_failure *failure;
	bool open; /* a transaction is begun */
};

static bool is_runnable(const struct job *job)
{
	return !job->skip && !job->refused && !job->aside;
}

static struct job *front(struct walk *walk, size_t place)
{
	const struct batch_lane *part = &walk->batch->lanes[place];
	while (walk->next[place] < part->count) {
		struct job *job = &walk->batch->jobs[part->first + walk->next[place]];
		if (is_runnable(job))
			return job;
		walk->next[place]++;
	}
	return NULL;
}

/* Alone each has a fold group of its own; commands of one group have one handler. */
static bool shares_turn(const struct job *job, const struct job *first)
{
	return job->call.command->fold_group == first->call.command->fold_group;
}

/* The commands at the fronts of all lanes that can share a turn with the first one's. */
static size_t gather(struct walk *walk, const struct job *first, struct call **calls)
{
	size_t count = 0;
	for (size_t i = first->lane_place; i < walk->batch->lane_count; i++) {
		struct job *job;
		while ((job = front(walk, i)) && shares_turn(job, first)) {
			job->call.origin = job;
			calls[count++] = &job->call;
			walk->next[i]++;
			if (!(job->call.command->flags & COMMAND_FOLD))
				return count;
		}
	}
	return count;
}

static struct turn *next_turn(struct attempt *attempt, struct walk *walk)
{
	struct batch *batch = attempt->batch;
	for (size_t i = 0; i < batch->lane_count; i++) {
		struct job *job = front(walk, i);
		if (!job)
			continue;
		size_t most = job->call.command->flags & COMMAND_FOLD ? batch->job_count : 1;
		struct call **calls = arena_calloc(batch->arena, most, sizeof(*calls));
		size_t count = gather(walk, job, calls);
		return turns_new(&attempt->transaction->link, batch->arena,
			attempt->transaction->params, calls, count);
	}
	return NULL;
}

static enum db_kind drain(struct attempt *attempt)
{
	struct connection *connection = attempt->transaction->connection;
	/* Without a transaction each drain ends what was sent at a sync. */
	return attempt->open ? connection_drain(connection, attempt->failure)
			     : connection_sync(connection, attempt->failure);
}

/* Calls past their deadline are answered so and left out; the others get their time. */
static void start_calls(struct turn *turn)
{
	int64_t now = clock_now_ms();
	size_t kept = 0;
	for (size_t i = 0; i < turn->count; i++) {
		struct call *call = turn->calls[i];
		int64_t deadline = job_of(call)->envelope.deadline_ms;
		call->now_ms = now;
		if (deadline && now > deadline)
			call_fail(turn, call, FAILURE_TIMEOUT, "DEADLINE_PASSED", NULL,
				"the command's turn came %lld ms after its deadline",
				(long long)(now - deadline));
		else
			turn->calls[kept++] = call;
	}
	turn->count = kept;
}

/* Is it the fault of a command, or of a table that clients have named, and not of the installation? */
static bool is_a_turns(const struct db_failure *failure)
{
	const struct turn *turn = failure->tag;
	if (failure->kind != DB_SETUP)
		return failure->kind == DB_COMMAND;
	return turn && (turn->calls[0]->command->flags & COMMAND_NAMED) &&
		strncmp(failure->sqlstate, "42", 2) == 0;
}

/* The turn's command failed in the database, alone: its own error. */
static void fail_turn(struct attempt *attempt, struct turn *turn)
{
	const struct db_failure *f = attempt->failure;
	enum failure_category category = FAILURE_INTERNAL;
	if (strncmp(f->sqlstate, "22", 2) == 0 || strncmp(f->sqlstate, "54", 2) == 0)
		category = FAILURE_INVALID;
	else if (strncmp(f->sqlstate, "23", 2) == 0)
		category = FAILURE_CONFLICT;
	else if (strcmp(f->sqlstate, "57014") == 0)
		category = FAILURE_TIMEOUT;
	const char *details = arena_printf(turn->arena, "{\"sqlstate\":\"%s\"}", f->sqlstate);
	bool pattern = strcmp(f->sqlstate, "2201B") == 0; /* that PostgreSQL can't read */
	for (size_t i = 0; i < turn->count; i++) {
		struct call *call = turn->calls[i];
		if (pattern && call->patterns)
			call_fail_at(turn, call, "INVALID_FILTER", call->patterns, f->message);
		else
			call_fail(turn, call, category, "DATABASE_ERROR", details, "%s",
				f->message);
	}
}

static void send_plain(struct attempt *attempt, const char *sql)
{
	connection_send(attempt->transaction->connection, sql, NULL, NULL, NULL, NULL, NULL);
}

/* One turn behind a savepoint of its own. Returns DB_OK also when it failed for its own sake:
 * then it is undone, *failed is set. */
static enum db_kind try_turn(struct attempt *attempt, struct turn *turn, bool *failed)
{
	*failed = false;
	if (attempt->open)
		send_plain(attempt, "SAVEPOINT stowage_turn");
	turns_run(turn);
	enum db_kind kind = drain(attempt);
	if (kind == DB_OK && attempt->open)
		send_plain(attempt, "RELEASE SAVEPOINT stowage_turn");
	if (kind == DB_OK || !is_a_turns(attempt->failure))
		return kind;
	*failed = true;
	struct db_failure cause = *attempt->failure;
	if (attempt->open)
		send_plain(attempt, "ROLLBACK TO SAVEPOINT stowage_turn");
	kind = drain(attempt);
	*attempt->failure = cause;
	return kind;
}

/* Halves a failing turn, in order, until the culprit stands alone. Depth is the logarithm of the
 * batch's size. */
static enum db_kind bisect(struct attempt *attempt, struct turn *turn)
{
	bool failed;
	enum db_kind kind = try_turn(attempt, turn, &failed);
	if (kind != DB_OK || !failed)
		return kind;
	if (turn->count == 1) {
		fail_turn(attempt, turn);
		return DB_OK;
	}
	metrics_add(attempt->transaction->engine->metrics, METRIC_BISECTIONS, 1);
	struct transaction *t = attempt->transaction;
	size_t half = turn->count / 2;
	struct turn *low = turns_new(&t->link, turn->arena, t->params, turn->calls, half);
	struct turn *high = turns_new(&t->link, turn->arena, t->params, turn->calls + half,
		turn->count - half);
	kind = bisect(attempt, low);
	return kind == DB_OK ? bisect(attempt, high) : kind;
}

static enum db_kind run_turn(struct attempt *attempt, struct walk *walk, struct turn *turn)
{
	if (attempt->transaction->link.careful)
		return bisect(attempt, turn);
	turns_run(turn);
	bool barrier = turn->count > 0 && (turn->calls[0]->command->flags & COMMAND_BARRIER);
	size_t ahead = attempt->transaction->link.reply_bytes > REPLIES_LARGE ? TURNS_AHEAD_LARGE
									      : TURNS_AHEAD;
	if (!barrier && ++walk->sent < ahead)
		return DB_OK;
	walk->sent = 0;
	return drain(attempt);
}

/* A command that runs outside of a transaction says by its link that it is to be run again. */
static enum db_kind outside_failure(struct attempt *attempt)
{
	struct db_failure *outage = &attempt->transaction->link.outage;
	enum db_kind kind = outage->kind;
	if (kind != DB_OK)
		*attempt->failure = *outage;
	*outage = (struct db_failure){ .kind = DB_OK };
	return kind;
}

static enum db_kind run_turns(struct attempt *attempt)
{
	struct walk walk = { .batch = attempt->batch };
	struct turn *turn;
	while ((turn = next_turn(attempt, &walk))) {
		start_calls(turn);
		if (turn->count == 0)
			continue;
		enum db_kind kind = run_turn(attempt, &walk, turn);
		if (kind == DB_OK)
			kind = outside_failure(attempt);
		if (kind != DB_OK)
			return kind;
		if (attempt->transaction->link.reply_bytes > REPLIES_MOST) {
			batch_cut(attempt->batch, walk.next);
			break;
		}
	}
	return drain(attempt);
}

static void begin(struct attempt *attempt)
{
	struct lane_row rows[WORK_LANES_MAX];
	batch_rows(attempt->batch, rows);
	lane_rows_begin(attempt->transaction->connection, &attempt->transaction->table, rows,
		attempt->batch->lane_count,
		attempt->transaction->engine->config->postgres.lock_timeout_ms);
	attempt->open = true;
	attempt->transaction->link.in_transaction = true;
}

/* Handlers that gave no outcome; writes whose reply can't be had, which are to be taken back. */
static bool settle(struct attempt *attempt)
{
	bool undo = false;
	for (size_t i = 0; i < attempt->batch->job_count; i++) {
		struct job *job = &attempt->batch->jobs[i];
		if (!is_runnable(job))
			continue;
		if (job->call.state == CALL_PENDING)
			job_refuse(job, attempt->batch->arena, FAILURE_INTERNAL, "NO_OUTCOME",
				"%s ended without an outcome: a defect of stowage",
				job->call.command->name);
		if (job->call.undo) {
			job->refused = true;
			undo = true;
		}
	}
	return undo;
}

static void store_message(struct batch_lane *part, const struct outgoing *message)
{
	outgoing_write(&part->payload, message);
	part->stored++;
}

/* Puts together what must survive: one outbox row a lane. */
static bool build_stored(struct attempt *attempt)
{
	struct batch *batch = attempt->batch;
	const struct engine *engine = attempt->transaction->engine;
	bool any = false;
	for (size_t i = 0; i < batch->lane_count; i++) {
		batch->lanes[i].payload.size = 0;
		batch->lanes[i].stored = 0;
	}
	for (size_t i = 0; i < batch->job_count; i++) {
		const struct job *job = &batch->jobs[i];
		struct batch_lane *part = &batch->lanes[job->lane_place];
		struct outgoing message;
		if (!job_is_stored(job))
			continue;
		any = true;
		if (job_replies(job)) {
			reply_build(job, engine, batch->arena, &message);
			store_message(part, &message);
		}
		if (job_dies(job)) {
			reply_dead_letter(job, engine, batch->arena, &message);
			store_message(part, &message);
		}
	}
	return any;
}

static void send_rows(struct attempt *attempt)
{
	struct batch *batch = attempt->batch;
	struct transaction *t = attempt->transaction;
	struct lane_row rows[WORK_LANES_MAX];
	batch_rows(batch, rows);
	for (size_t i = 0; i < batch->lane_count; i++) {
		struct batch_lane *part = &batch->lanes[i];
		part->new_applied = rows[i].applied;
		part->new_answered = rows[i].answered;
		if (part->stored) {
			/* The epoch is this worker's alone, so no other ever has this number. */
			part->seq = part->epoch << 32 | part->lane->seq++;
			lane_rows_store(t->connection, &t->table, &rows[i], part->seq,
				part->payload.bytes, part->payload.size);
		}
		if (part->acked_count)
			lane_rows_delete(t->connection, &t->table, &rows[i], part->acked,
				part->acked_count);
	}
	lane_rows_advance(t->connection, &t->table, rows, batch->lane_count);
}

static enum db_kind commit(struct attempt *attempt)
{
	send_rows(attempt);
	send_plain(attempt, "COMMIT");
	enum db_kind kind = connection_sync(attempt->transaction->connection, attempt->failure);
	/* libpq calls a COMMIT that rolled back a success. */
	if (kind == DB_OK &&
		strcmp(connection_last_tag(attempt->transaction->connection), "COMMIT") != 0) {
		*attempt->failure = (struct db_failure){ .kind = DB_CONTEND,
			.message = "COMMIT was answered by ROLLBACK" };
		return DB_CONTEND;
	}
	return kind;
}

static bool has_writes(const struct batch *batch)
{
	for (size_t i = 0; i < batch->job_count; i++)
		if (is_runnable(&batch->jobs[i]) && batch->jobs[i].write)
			return true;
	return false;
}

/* All of it once. *again: it is to be run anew, without the commands that are refused now. */
static enum db_kind run_once(struct attempt *attempt, bool *again)
{
	struct batch *batch = attempt->batch;
	*again = false;
	if (!batch->outside && (has_writes(batch) || batch->job_count == 0))
		begin(attempt);
	enum db_kind kind = run_turns(attempt);
	if (kind != DB_OK)
		return kind;
	*again = settle(attempt);
	if (*again)
		return DB_OK;
	/* A read beside its lane has no row of it to keep anything with: it is run again. */
	bool stored = !batch->side && build_stored(attempt);
	if (!attempt->open && !stored && !batch->outside)
		return DB_OK;
	if (!attempt->open)
		begin(attempt);
	return commit(attempt);
}

/* A guess that was wrong may name what is not there (any more): that is not the database's state. */
static bool may_be_a_turns(const struct transaction *transaction, const struct db_failure *failure)
{
	return is_a_turns(failure) || (failure->kind == DB_SETUP && transaction->link.guessed);
}

/* A row that was expected to be new is there already: mostly nobody's fault, and the batch runs again. */
static bool was_not_new(struct transaction *transaction, const struct db_failure *failure)
{
	struct turn_link *link = &transaction->link;
	const struct turn *turn = failure->tag; /* none: a constraint that is checked by COMMIT */
	if (failure->kind != DB_COMMAND || strcmp(failure->sqlstate, DB_UNIQUE_VIOLATION) != 0 ||
		!(turn ? turn->expects_new : new_rows_tried(&link->new_rows)))
		return false;
	new_rows_failed(&link->new_rows);
	link->none_new = true;
	metrics_add(transaction->engine->metrics, METRIC_NEW_ROWS_REFUSED, 1);
	return true;
}

static void start_batch(struct turn_link *link)
{
	link->careful = false;
	link->none_new = false;
}

static void start_attempt(struct attempt *attempt)
{
	struct turn_link *link = &attempt->transaction->link;
	attempt->open = false;
	link->in_transaction = false;
	link->guessed = false;
	link->costly = false;
	link->reply_bytes = 0;
	new_rows_begin(&link->new_rows);
}

enum db_kind transaction_run(struct transaction *transaction, struct batch *batch,
	struct db_failure *failure, bool *written)
{
	struct attempt attempt = { .transaction = transaction, .batch = batch, .failure = failure };
	bool again;
	enum db_kind kind;
	start_batch(&transaction->link);
	for (;;) {
		start_attempt(&attempt);
		kind = run_once(&attempt, &again);
		*written = attempt.open;
		if (kind == DB_OK && !again) {
			new_rows_held(&transaction->link.new_rows);
			return kind;
		}
		if (attempt.open || kind != DB_OK)
			connection_rollback(transaction->connection);
		if (kind == DB_OK)
			continue; /* without what is refused now */
		if (was_not_new(transaction, failure))
			continue;
		if (transaction->link.careful || !may_be_a_turns(transaction, failure))
			return kind;
		transaction->link.careful = true;
	}
}
