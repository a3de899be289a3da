/*
 * index_builder.h - builds the vector indexes that commands asked for, one at a time
 *
 * The builder is a thread with up to two sessions, and none while it has no work. One keeps the build's row
 * by a lease and records its progress; on the other the statements run, in no transaction. If the server
 * refuses the second one, the build runs on the only one, with a longer lease. A worker that dies or ends
 * during a build leaves it to the next worker. The builder sends the replies and dead letters of
 * ended builds, and keeps their rows until Kafka has acknowledged them.
 *
 * db/ddl/stowage_builds.sql holds the state of builds, and decides which statements run. Writing to the
 * engine's builder_wake_fd wakes the builder.
 */
#ifndef WORKER_BACKGROUND_INDEX_BUILDER_H
#define WORKER_BACKGROUND_INDEX_BUILDER_H

struct builder;
struct engine;

struct builder *builder_start(const struct engine *engine);

/* Cancels the running build, which another worker continues, and waits for the thread. The producer
 * may still report deliveries afterwards, so call builder_free after producer_free. */
void builder_stop(struct builder *builder);
void builder_free(struct builder *builder);

#endif
