/*
 * connection_state.h - inside of connection.c and copy.c; nobody else's
 */
#ifndef DB_CONNECTION_CONNECTION_STATE_H
#define DB_CONNECTION_CONNECTION_STATE_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#include "db/connection/connection.h"
#include "db/connection/statement_cache.h"

enum expected_kind {
	EXPECT_PREPARE,
	EXPECT_ROWS,
	EXPECT_SYNC,
};

/* One answer that is on its way. */
struct expected {
	enum expected_kind kind;
	connection_result_fn *done;
	void *arg;
	void *tag;
	size_t bound;  /* bytes of rows that are kept; 0: all */
	char name[24]; /* of a prepared statement */
};

struct connection {
	struct connection_options options;
	PGconn *pg;
	struct statement_cache *statements;
	struct expected *queue; /* a ring of queue_size, a power of two */
	size_t queue_size;
	size_t head, tail;
	size_t unsent;
	bool unsynced; /* something was sent since the last sync */
	bool blames_cancels;
	bool cut;    /* the result at hand lacks rows, by its bound */
	bool failed; /* an error since the last sync: the server skips what follows */
	struct db_failure failure;
	char last_tag[64];
};

/* The connection is of no use any more: closes it, `message` says why. */
void connection_lose(struct connection *c, const char *message);
/* Waits until the socket is readable (or writable, if something is unsent), takes in what came. */
void connection_wait(struct connection *c, bool unsent);
/* Sends what the socket takes; waits while more than `allowed` bytes are unsent. */
void connection_flush(struct connection *c, size_t allowed);
/* The next result: false if the connection is lost; NULL is the end of a statement's. */
bool connection_result(struct connection *c, PGresult **result);
/* Keeps the first failure since the last sync. */
void connection_keep_failure(struct connection *c, const PGresult *result, void *tag);
/* Sends a sync and takes all answers; a failure stays for drain to tell. */
void connection_settle(struct connection *c);

#endif
