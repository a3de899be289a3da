/* database.c - rows, locks, and what each statement does at the server */
#include "tests/model/database.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"
#include "tests/model/model.h"
#include "tests/model/session.h"

#define SESSIONS_MAX 64

static struct row {
	bool exists;
	int64_t epoch, applied, answered;
	int32_t claims, crash_count;
	int64_t crash_offset;
	struct session *lock;
} rows[PARTITIONS_MAX];

static const char *const kind_names[] = { "gap", "write", "poison", "read", "detached read",
	"bad" };
static struct outbox_row *outbox[PARTITIONS_MAX];
static struct session *sessions[SESSIONS_MAX];

/* --- sessions --- */

struct session *session_new(const struct process *process)
{
	for (int i = 0; i < SESSIONS_MAX; i++) {
		if (sessions[i])
			continue;
		sessions[i] = alloc_zero(1, sizeof(*sessions[i]));
		sessions[i]->process = process;
		sessions[i]->left = -1;
		return sessions[i];
	}
	return NULL;
}

static void session_forget(struct session *session)
{
	for (int i = 0; i < STATEMENTS_MAX; i++)
		free(session->statements[i].payload);
	free(session);
}

static void end_transaction(struct session *session)
{
	for (int p = 0; p < PARTITIONS_MAX; p++)
		if (rows[p].lock == session)
			rows[p].lock = NULL;
	for (int i = 0; i < session->transaction.stored_count; i++)
		free(session->transaction.stored[i]);
	session->transaction = (struct session_transaction){ 0 };
}

static void end_session(int number)
{
	struct session *session = sessions[number];
	end_transaction(session);
	session->ended = true;
	sessions[number] = NULL;
	if (session->abandoned)
		session_forget(session);
}

void session_abandon(struct session *session)
{
	session->abandoned = true;
	session->lost = true;
	if (session->left < 0)
		session->left = 0;
	if (session->ended)
		session_forget(session);
}

void session_break(struct session *session, int left)
{
	sim_trace("session of %d breaks, %d statements are on their way", session->process->number,
		left);
	session->lost = true;
	session->left = left;
}

static int waiting(const struct session *session)
{
	return session->tail - session->executed;
}

/* --- effects --- */

static bool in_outbox(int partition, int64_t offset)
{
	for (const struct outbox_row *row = outbox[partition]; row; row = row->next)
		for (int i = 0; i < row->count; i++)
			if (row->offsets[i] == offset)
				return true;
	return false;
}

/* The effect of one write becomes visible. */
static void commit_effect(const struct session *session, struct place place)
{
	int p = place.partition;
	int due = model.effects[p], number = writes_before(p, place.offset);
	const struct row *row = &rows[p];
	if (number != due)
		sim_broken("partition %d offset %d: %s", p, place.offset,
			number < due ? "its effect is there twice"
				     : "its effect comes before an earlier one");
	if (session->transaction.epochs[p] != row->epoch)
		sim_broken("partition %d offset %d: an effect by a worker with epoch %d, while "
			   "the row has %d",
			p, place.offset, (int)session->transaction.epochs[p], (int)row->epoch);
	model.effects[p] = number + 1;
}

/* Below `answered`, everything that is due is in Kafka or in the outbox. */
static void check_answered(int p, int64_t from, int64_t to)
{
	for (int64_t offset = from; offset < to; offset++)
		if (!is_answered(p, offset) && !in_outbox(p, offset))
			sim_broken("partition %d offset %d: its reply is lost, the row's answered "
				   "is %d",
				p, (int)offset, (int)to);
}

static void delete_from_outbox(int p, int64_t seq)
{
	for (struct outbox_row **at = &outbox[p]; *at; at = &(*at)->next) {
		if ((*at)->seq != seq)
			continue;
		struct outbox_row *row = *at;
		*at = row->next;
		for (int i = 0; i < row->count; i++)
			if (!is_answered(p, row->offsets[i]))
				sim_broken("partition %d offset %d: its stored reply is deleted, "
					   "Kafka never had it",
					p, (int)row->offsets[i]);
		free(row);
		return;
	}
}

static void add_to_outbox(struct outbox_row *row)
{
	struct outbox_row **at = &outbox[row->partition];
	while (*at && (*at)->seq < row->seq)
		at = &(*at)->next;
	if (*at && (*at)->seq == row->seq)
		sim_broken("partition %d: two outbox rows have the same seq", row->partition);
	row->next = *at;
	*at = row;
}

static void commit_row(int p, const struct row_write *write)
{
	struct row *row = &rows[p];
	if (write->claim) {
		row->exists = true;
		row->epoch = write->epoch;
		row->claims++;
		return;
	}
	if (write->applied < row->applied)
		sim_broken("partition %d: applied goes back from %d to %d", p, (int)row->applied,
			(int)write->applied);
	int64_t answered = row->answered;
	if (write->answered > answered)
		row->claims = 0;
	row->applied = write->applied;
	row->answered = write->answered;
	row->crash_count = 0;
	row->crash_offset = -1;
	sim_trace("partition %d: applied %d, answered %d", p, (int)row->applied,
		(int)row->answered);
	check_answered(p, answered, row->answered);
}

static void commit(struct session *session)
{
	struct session_transaction *t = &session->transaction;
	for (int i = 0; i < t->effect_count; i++)
		commit_effect(session, t->effects[i]);
	for (int i = 0; i < t->stored_count; i++)
		add_to_outbox(t->stored[i]);
	t->stored_count = 0;
	for (int p = 0; p < PARTITIONS_MAX; p++)
		if (t->writes[p].used)
			commit_row(p, &t->writes[p]);
	for (int i = 0; i < t->deleted_count; i++)
		delete_from_outbox(t->deleted[i].partition, t->deleted[i].seq);
	end_transaction(session);
}

/* --- statements: each returns the kind of its failure --- */

static enum db_kind fail(struct statement *s, enum db_kind kind, const char *sqlstate)
{
	s->failure = kind;
	snprintf(s->sqlstate, sizeof(s->sqlstate), "%s", sqlstate);
	sim_trace("a statement fails with %s", sqlstate);
	return kind;
}

static bool row_holds(const struct lane_row *given)
{
	const struct row *row = &rows[given->partition];
	if (model.broken && strcmp(model.broken, "fence") == 0)
		return true;
	return row->exists && row->epoch == given->epoch && row->applied == given->expected;
}

static enum db_kind run_fence(struct session *session, struct statement *s)
{
	char *detail = s->detail;
	for (int i = 0; i < s->row_count; i++) {
		const struct lane_row *given = &s->rows[i];
		session->transaction.epochs[given->partition] = given->epoch;
		if (row_holds(given))
			rows[given->partition].lock = session;
		else
			detail += snprintf(detail, 8, detail == s->detail ? "%d" : ",%d", i);
	}
	return detail == s->detail ? DB_OK : fail(s, DB_FENCED, "SW001");
}

static enum db_kind run_claim_row(struct session *session, struct statement *s)
{
	int p = s->rows[0].partition;
	struct row *row = &rows[p];
	row->lock = session;
	s->claimed = (struct lane_claimed){ .found = true,
		.epoch = row->epoch + 1,
		.applied = row->applied,
		.answered = row->answered,
		.claims = row->claims + 1,
		.crash_count = row->crash_count,
		.crash_offset = row->crash_offset };
	session->transaction.writes[p] =
		(struct row_write){ .used = true, .claim = true, .epoch = row->epoch + 1 };
	return DB_OK;
}

static enum db_kind run_advance(struct session *session, struct statement *s)
{
	for (int i = 0; i < s->row_count; i++) {
		const struct lane_row *given = &s->rows[i];
		bool any = model.broken && strcmp(model.broken, "fence") == 0;
		if (!any && rows[given->partition].epoch != given->epoch)
			continue;
		session->transaction.writes[given->partition] = (struct row_write){
			.used = true, .applied = given->applied, .answered = given->answered
		};
	}
	return DB_OK;
}

/* Commands that write add their effects; commands that read must see every write before them. */
static enum db_kind run_commands(struct session *session, struct statement *s)
{
	struct session_transaction *t = &session->transaction;
	for (int i = 0; i < s->place_count; i++) {
		struct place place = s->places[i];
		const struct command *command = command_at(place.partition, place.offset);
		sim_trace("runs: partition %d offset %d, a %s", place.partition, place.offset,
			kind_names[command->kind]);
		if (command->kind == KIND_POISON)
			return fail(s, DB_COMMAND, "22P02");
		if (command->kind == KIND_WRITE) {
			if (t->effect_count == EFFECTS_MAX)
				abort();
			t->effects[t->effect_count++] = place;
			continue;
		}
		int seen = model.effects[place.partition];
		for (int j = 0; j < t->effect_count; j++)
			seen += t->effects[j].partition == place.partition;
		if (seen < writes_before(place.partition, place.offset))
			sim_broken(
				"partition %d offset %d: a read sees %d of the %d writes before it",
				place.partition, place.offset, seen,
				writes_before(place.partition, place.offset));
	}
	return DB_OK;
}

static void run_store(struct session *session, struct statement *s)
{
	struct session_transaction *t = &session->transaction;
	if (t->stored_count == STORED_MAX)
		abort();
	struct outbox_row *row = s->payload;
	s->payload = NULL;
	t->stored[t->stored_count++] = row;
}

static void run_delete(struct session *session, const struct statement *s)
{
	struct session_transaction *t = &session->transaction;
	if (t->deleted_count + s->place_count > PLACES_MAX)
		abort();
	for (int i = 0; i < s->place_count; i++)
		t->deleted[t->deleted_count++] = (struct deleted){ s->rows[0].partition,
			s->seqs[i] };
}

static enum db_kind run_statement(struct session *session, struct statement *s)
{
	struct session_transaction *t = &session->transaction;
	switch (s->kind) {
	case STATEMENT_BEGIN:
		t->open = true;
		break;
	case STATEMENT_FENCE:
		return run_fence(session, s);
	case STATEMENT_CLAIM:
		return run_claim_row(session, s);
	case STATEMENT_ADVANCE:
		return run_advance(session, s);
	case STATEMENT_COMMANDS:
		return run_commands(session, s);
	case STATEMENT_STORE:
		run_store(session, s);
		break;
	case STATEMENT_DELETE:
		run_delete(session, s);
		break;
	case STATEMENT_SAVEPOINT:
		t->saved = t->effect_count;
		break;
	case STATEMENT_CRASH:
		if (rows[s->rows[0].partition].epoch == s->rows[0].epoch) {
			struct row *row = &rows[s->rows[0].partition];
			row->crash_count = (int32_t)s->rows[0].answered;
			row->crash_offset = s->rows[0].applied;
		}
		break;
	default:
		break;
	}
	return DB_OK;
}

/* Ends of transactions, and what a failed transaction still accepts. True: the statement is done. */
static bool run_end(struct session *session, struct statement *s)
{
	struct session_transaction *t = &session->transaction;
	switch (s->kind) {
	case STATEMENT_SYNC:
		session->skipping = false;
		if (!t->open)
			commit(session);
		return true;
	case STATEMENT_ROLLBACK:
		end_transaction(session);
		return true;
	case STATEMENT_COMMIT:
		s->rolled_back = t->failed;
		if (t->failed)
			end_transaction(session);
		else
			commit(session);
		return true;
	case STATEMENT_ROLLBACK_TO:
		t->effect_count = t->saved;
		t->failed = false;
		return true;
	default:
		return false;
	}
}

static void execute(struct session *session)
{
	struct statement *s = &session->statements[session->executed++ % STATEMENTS_MAX];
	if (session->skipping && s->kind != STATEMENT_SYNC) {
		s->skipped = true;
		return;
	}
	enum db_kind kind = DB_OK;
	if (run_end(session, s))
		return;
	if (session->transaction.failed)
		kind = fail(s, DB_COMMAND, "25P02");
	else if (s->kind != STATEMENT_BEGIN && strikes(model.faults.statement))
		kind = sim_one_in(2) ? fail(s, DB_CONTEND, "40P01") : fail(s, DB_OUTAGE, "53100");
	else
		kind = run_statement(session, s);
	if (kind == DB_OK)
		return;
	session->skipping = true;
	session->transaction.failed = session->transaction.open;
	if (!session->transaction.open)
		end_transaction(session);
}

/* --- the server's work --- */

/* Must the next statement wait for another transaction's lock? A row that the fence does not find is
 * not locked. */
static bool is_blocked(const struct session *session)
{
	const struct statement *s = &session->statements[session->executed % STATEMENTS_MAX];
	if (session->skipping || session->transaction.failed ||
		(s->kind != STATEMENT_FENCE && s->kind != STATEMENT_CLAIM))
		return false;
	for (int i = 0; i < s->row_count; i++) {
		const struct session *lock = rows[s->rows[i].partition].lock;
		if (lock && lock != session &&
			(s->kind == STATEMENT_CLAIM || row_holds(&s->rows[i])))
			return true;
	}
	return false;
}

static bool session_has_work(struct session *session, int64_t *later)
{
	if (session->lost && session->left == 0)
		return true;
	if (waiting(session) == 0)
		return session->lost;
	if (!is_blocked(session)) {
		session->blocked_since = 0;
		return true;
	}
	if (session->blocked_since == 0)
		session->blocked_since = sim_now();
	const struct statement *s = &session->statements[session->executed % STATEMENTS_MAX];
	int64_t end = session->blocked_since + s->wait_ms * MS;
	if (end > sim_now() && end < *later)
		*later = end;
	return end <= sim_now();
}

static void session_work(int number)
{
	struct session *session = sessions[number];
	if (session->lost && (session->left == 0 || waiting(session) == 0)) {
		end_session(number);
		return;
	}
	if (session->lost)
		session->left--;
	if (is_blocked(session)) {
		struct statement *s = &session->statements[session->executed++ % STATEMENTS_MAX];
		fail(s, DB_CONTEND, "55P03");
		session->skipping = true;
		session->transaction.failed = true;
		session->blocked_since = 0;
		return;
	}
	execute(session);
	if (!session->lost && strikes(model.faults.cut))
		session_break(session, sim_below(waiting(session) + 1));
}

static bool database_is_ready(void *arg, int64_t *later)
{
	bool ready = false;
	(void)arg;
	for (int i = 0; i < SESSIONS_MAX; i++)
		ready |= sessions[i] && session_has_work(sessions[i], later);
	return ready;
}

static void database_step(void *arg)
{
	int able[SESSIONS_MAX], count = 0;
	int64_t later = INT64_MAX;
	(void)arg;
	for (int i = 0; i < SESSIONS_MAX; i++)
		if (sessions[i] && session_has_work(sessions[i], &later))
			able[count++] = i;
	session_work(able[sim_below(count)]);
}

/* --- the outside --- */

const struct outbox_row *database_outbox(int partition)
{
	return outbox[partition];
}

void database_unblock(int partition, const struct session *asker)
{
	struct session *lock = rows[partition].lock;
	if (lock && lock != asker)
		session_break(lock, 0);
}

void database_start(void)
{
	memset(rows, 0, sizeof(rows));
	for (int p = 0; p < PARTITIONS_MAX; p++)
		rows[p].crash_offset = -1;
	sim_actor(&(struct actor){ .ready = database_is_ready, .step = database_step });
}

void database_end(void)
{
	for (int i = 0; i < SESSIONS_MAX; i++)
		if (sessions[i]) {
			sessions[i]->abandoned = true;
			end_session(i);
		}
	for (int p = 0; p < PARTITIONS_MAX; p++)
		while (outbox[p]) {
			struct outbox_row *next = outbox[p]->next;
			free(outbox[p]);
			outbox[p] = next;
		}
}

void database_drop(const struct process *process)
{
	for (int i = 0; i < SESSIONS_MAX; i++) {
		struct session *session = sessions[i];
		if (!session || session->process != process)
			continue;
		if (!session->lost)
			session_break(session, sim_below(waiting(session) + 1));
		session->abandoned = true;
	}
}

void database_restart(void)
{
	for (int i = 0; i < SESSIONS_MAX; i++)
		if (sessions[i] && !sessions[i]->lost)
			session_break(sessions[i], 0);
}

bool database_is_settled(int p)
{
	return rows[p].exists && rows[p].applied == model.offsets &&
		rows[p].answered == model.offsets && !outbox[p];
}

void database_describe(int p, char *text, int size)
{
	snprintf(text, (size_t)size, "epoch %d applied %d answered %d of %d, outbox %s",
		(int)rows[p].epoch, (int)rows[p].applied, (int)rows[p].answered, model.offsets,
		outbox[p] ? "not empty" : "empty");
}
