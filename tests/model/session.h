/*
 * session.h - one session of the simulated database: what the client has sent, and its transaction
 */
#ifndef TESTS_MODEL_SESSION_H
#define TESTS_MODEL_SESSION_H

#include "db/connection/connection.h"
#include "db/state/lane_rows.h"
#include "tests/model/model.h"
#include "tests/model/sim.h"

#define STATEMENTS_MAX 256
#define EFFECTS_MAX 64
#define STORED_MAX 16
#define PLACES_MAX (PARTITIONS_MAX * OFFSETS_MAX)

enum statement_kind {
	STATEMENT_BEGIN,
	STATEMENT_FENCE,
	STATEMENT_CLAIM,
	STATEMENT_COMMANDS,
	STATEMENT_STORE,
	STATEMENT_DELETE,
	STATEMENT_ADVANCE,
	STATEMENT_SAVEPOINT,
	STATEMENT_ROLLBACK_TO,
	STATEMENT_CRASH,
	STATEMENT_COMMIT,
	STATEMENT_ROLLBACK,
	STATEMENT_SYNC,
	STATEMENT_OTHER,
};

/* A row of stowage_outbox. */
struct outbox_row {
	struct outbox_row *next;
	int partition;
	int64_t seq;
	int64_t offsets[PLACES_MAX]; /* of the commands whose replies it holds */
	int count;
	size_t size;
	char payload[];
};

struct statement {
	enum statement_kind kind;
	struct lane_row rows[PARTITIONS_MAX];
	int row_count;
	int64_t wait_ms; /* for a lock */
	struct place places[PLACES_MAX];
	int place_count;
	int64_t seqs[PLACES_MAX];
	void *payload; /* of STATEMENT_STORE: an outbox_row */
	bool counts;   /* its result is one row with a number */
	connection_result_fn *done;
	void *arg, *tag;
	/* The result. */
	struct lane_claimed claimed;
	enum db_kind failure;
	char sqlstate[6];
	char detail[64];
	bool skipped, rolled_back;
};

struct row_write {
	bool used, claim;
	int64_t epoch, applied, answered;
};

struct deleted {
	int partition;
	int64_t seq;
};

struct session_transaction {
	bool open, failed;
	int64_t epochs[PARTITIONS_MAX]; /* as the fence was given them */
	struct place effects[EFFECTS_MAX];
	int effect_count, saved;
	struct row_write writes[PARTITIONS_MAX];
	struct outbox_row *stored[STORED_MAX];
	int stored_count;
	struct deleted deleted[PLACES_MAX]; /* each command is stored once */
	int deleted_count;
};

struct session {
	const struct process *process;
	struct statement statements[STATEMENTS_MAX];
	int tail, executed, read; /* sent by the client, executed, read by the client */
	bool lost;                /* the connection broke */
	int left;                 /* statements that still arrive after that */
	bool ended;               /* at the server */
	bool abandoned;           /* by the client */
	bool skipping;            /* after a failure, up to the next sync */
	int64_t blocked_since;
	struct session_transaction transaction;
};

struct session *session_new(const struct process *process);
/* The connection breaks; the server still executes `left` statements. */
void session_break(struct session *session, int left);
/* The client closes it. */
void session_abandon(struct session *session);

const struct outbox_row *database_outbox(int partition);
/* Ends the session that holds the partition's row. */
void database_unblock(int partition, const struct session *asker);

#endif
