/*
 * engine.h - what the rooms of the worker share: made once at the start
 */
#ifndef WORKER_ENGINE_H
#define WORKER_ENGINE_H

#include <regex.h>
#include <stdatomic.h>

#include "db/connection.h"
#include "handlers/turn.h"
#include "schemas/catalog.h"
#include "schemas/decode.h"
#include "worker/config.h"
#include "worker/lanes.h"
#include "worker/log.h"
#include "worker/metrics.h"
#include "worker/outage.h"
#include "worker/producer.h"
#include "worker/topics.h"

struct engine {
	const struct config *config;
	struct log *log;
	struct metrics *metrics;
	_Atomic(const struct catalog *) catalog; /* by engine_catalog: SIGHUP puts another one here */
	struct lanes *lanes;
	struct producer *producer;
	struct topics *topics;
	struct outage *outage;
	struct builder *builder;
	rd_kafka_t *consumer; /* to ask for watermarks */
	regex_t reply_allow;
	struct decode_limits limits;
	struct worker_settings settings;
	struct connection_options connection;
};

/* The schemas to use from now on. One that was replaced stays valid until the worker ends. */
static inline const struct catalog *engine_catalog(const struct engine *engine)
{
	return atomic_load(&engine->catalog);
}

#endif
