/*
 * index_builder.h - builds the indexes that commands asked for, one at a time, beside the lanes
 *
 * A thread of its own with two connections: one holds the build's row by a lease and writes down
 * its progress, on the other the statements run, in no transaction. A worker that dies, or ends,
 * in the middle of a build leaves it to the next one. Ended builds' replies and dead letters are
 * sent from here, and kept in the row until Kafka has acknowledged them.
 *
 * The state of builds is in db/ddl/stowage.sql, what is built is the database's matter.
 */
#ifndef WORKER_BACKGROUND_INDEX_BUILDER_H
#define WORKER_BACKGROUND_INDEX_BUILDER_H

struct builder;
struct engine;

struct builder *builder_start(const struct engine *engine);

/* Cancels the build in hand, which another worker goes on with, and waits for the thread. The
 * producer may still tell of messages afterwards: builder_free when it is gone, too. */
void builder_stop(struct builder *builder);
void builder_free(struct builder *builder);

#endif
