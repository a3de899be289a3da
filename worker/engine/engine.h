/*
 * engine.h - what the parts of a worker share; worker/process makes it once at the start
 */
#ifndef WORKER_ENGINE_ENGINE_H
#define WORKER_ENGINE_ENGINE_H

#include <regex.h>
#include <stdatomic.h>

#include "db/connection/connection.h"
#include "handlers/core/context.h"
#include "schemas/avro/decode.h"
#include "schemas/catalog/catalog.h"
#include "worker/config/config.h"
#include "worker/engine/order_clock.h"
#include "worker/engine/outage.h"
#include "worker/engine/pool.h"
#include "worker/engine/tenants.h"
#include "worker/kafka/producer.h"
#include "worker/kafka/reply_topics.h"
#include "worker/lanes/lanes.h"
#include "worker/telemetry/log.h"
#include "worker/telemetry/metrics.h"

struct engine {
	const struct config *config;
	struct log *log;
	struct metrics *metrics;
	_Atomic(const struct catalog *)
		catalog; /* read it with engine_catalog; SIGHUP replaces it */
	struct lanes *lanes;
	struct producer *producer;
	struct reply_topics *reply_topics;
	struct outage *outage;
	struct pool *pool;
	struct order_clock *clock;
	int builder_wake_fd; /* an eventfd: write to it when an index build may be waiting */
	enum db_kind (*init_storage)(const void *engine, const char *schema, int64_t *statements,
		struct db_failure *failure);
	rd_kafka_t *admin; /* asks brokers about topics */
	struct partition_looks *looks;
	regex_t reply_allow;
	struct tenants *tenants;
	struct decode_limits limits;
	struct worker_settings settings;
	struct connection_options connection;
};

/* Returns the schemas to use now. A replaced catalog stays valid until the worker ends. */
static inline const struct catalog *engine_catalog(const struct engine *engine)
{
	return atomic_load(&engine->catalog);
}

#endif
