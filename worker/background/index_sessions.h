/*
 * index_sessions.h - the index builder's sessions with PostgreSQL: one for the builds' rows, one for a build
 *
 * If the server refuses one, executors give theirs up for it. For the builder's thread.
 */
#ifndef WORKER_BACKGROUND_INDEX_SESSIONS_H
#define WORKER_BACKGROUND_INDEX_SESSIONS_H

#include <stdatomic.h>

#include "db/connection/build_session.h"
#include "worker/engine/engine.h"

struct index_sessions {
	const struct engine *engine;
	struct connection *rows;
	struct build_session *build; /* NULL: none */
	const atomic_bool *stopping; /* waits end when it is set */
	unsigned generation;         /* of the pool, when the session for rows was opened */
	bool counted;                /* the pool counts the session for rows */
	bool refused;                /* the server refused the last session, while others lived */
	bool alone; /* set by the owner: the build's session is the only one to be had */
};

/* Opens the session for the rows unless it is open, and again if secrets may have changed. Closes the build's
 * session first if that is the only one to be had. */
bool index_sessions_open_rows(struct index_sessions *s, struct db_failure *failure)
	__attribute__((warn_unused_result));
void index_sessions_close_rows(struct index_sessions *s);

bool index_sessions_open_build(struct index_sessions *s, struct db_failure *failure)
	__attribute__((warn_unused_result));
void index_sessions_close_build(struct index_sessions *s);

#endif
