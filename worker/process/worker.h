/*
 * worker.h - the worker as a whole: consumer, lanes, executors, replies
 */
#ifndef WORKER_PROCESS_WORKER_H
#define WORKER_PROCESS_WORKER_H

#include "worker/config/config.h"
#include "worker/telemetry/log.h"

/*
 * Runs until SIGTERM or SIGINT, then stops cleanly; a second signal ends at once. Installs the
 * signal handlers. Returns the process's exit status; what went wrong is in the log. RUN_AGAIN: a SIGHUP found
 * changed files of Kafka's properties, which librdkafka reads only when its clients are made.
 * The configuration and the log must outlive the call.
 */
int worker_run(const struct config *config, struct log *log);

#endif
