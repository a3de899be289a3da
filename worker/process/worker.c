/* worker.c - makes the parts of a worker, runs them, handles signals, and ends them in order */
#include "worker/process/worker.h"

#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "handlers/domains/command_table.h"
#include "schemas/base/alloc.h"
#include "schemas/base/clock.h"
#include "worker/background/cleaner.h"
#include "worker/background/index_builder.h"
#include "worker/config/conninfo.h"
#include "worker/config/exit_status.h"
#include "worker/config/kafka_files.h"
#include "worker/config/limits.h"
#include "worker/engine/engine.h"
#include "worker/engine/executor.h"
#include "worker/engine/reset.h"
#include "worker/kafka/admin.h"
#include "worker/kafka/consumer.h"
#include "worker/kafka/partition_look.h"
#include "worker/kafka/topic_create.h"
#include "worker/lanes/batch_limits.h"
#include "worker/lanes/work.h"
#include "worker/process/init_storage.h"
#include "worker/telemetry/http.h"

#define DATABASE_RETRY_MS 1000
/* An init that fails this often in a row, while the database answers, ends the worker. */
#define INIT_TRIES 5
#define MALLOC_LARGE (2 * 1024 * 1024)
/* Supervisors that signal a process and its group send the same signal twice. */
#define SAME_SIGNAL_MS 500
#define TICK_MS 1000
/* The process ends this part of limits.shutdownTimeoutMillis earlier, because a supervisor ends it when that
 * time is over. */
#define SHUTDOWN_SPARE 20
/* A worker is not ready once all its connections have been busy for this time. */
#define STUCK_MS 15000

struct worker {
	struct engine engine;
	struct order_clock clock;
	struct kafka_opaque admin_opaque;
	struct consumer *consumer;
	struct builder *builder;
	struct cleaner *cleaner; /* NULL: none is needed */
	struct executor **executors;
	int executor_count;
	int init_failures; /* in a row */
	int give_up_fd;    /* readable: executors no longer wait for PostgreSQL */
	struct http *http;
	atomic_bool made; /* make_parts is done, so probes may look at the parts */
	pthread_mutex_t
		made_mutex; /* held to change `made`, and by the signal thread to use lanes */
	struct catalog **catalogs; /* all catalogs ever used: datums may point into an older one */
	size_t catalog_count;
	atomic_bool stopping;
	atomic_bool again;      /* stops in order to run again */
	uint64_t kafka_files;   /* config_kafka_files at the start */
	int64_t stopping_since; /* clock_tick_ms of the first signal; the signal thread's */
	int64_t stop_by; /* clock_tick_ms when the process ends at the latest; likewise; 0: not yet */
	pthread_t signals;
};

/* Reads the schemas, including schemas.directory, and uses them from now on. */
static bool load_schemas(struct worker *w, char *error, size_t error_size)
{
	struct engine *e = &w->engine;
	struct catalog *catalog = catalog_new(e->config->schemas.directory, error, error_size);
	if (!catalog)
		return false;
	w->catalogs = alloc_grow(w->catalogs, w->catalog_count + 1, sizeof(*w->catalogs));
	w->catalogs[w->catalog_count++] = catalog;
	atomic_store(&e->catalog, catalog);
	return true;
}

static int64_t shutdown_ms(const struct config *config)
{
	int64_t ms = config->limits.shutdown_timeout_ms;
	return ms - ms / SHUTDOWN_SPARE;
}

static void set_made(struct worker *w, bool made)
{
	pthread_mutex_lock(&w->made_mutex);
	atomic_store(&w->made, made);
	pthread_mutex_unlock(&w->made_mutex);
}

/* The signal thread's: the lanes may not be there yet, or may be about to go. */
static void wake_consumer(struct worker *w)
{
	pthread_mutex_lock(&w->made_mutex);
	if (atomic_load(&w->made))
		lanes_wake(w->engine.lanes);
	pthread_mutex_unlock(&w->made_mutex);
}

static void reload_schemas(struct worker *w)
{
	char error[1024];
	if (load_schemas(w, error, sizeof(error)))
		log_info(w->engine.log, "schemas reloaded",
			LOG_STR("directory", w->engine.config->schemas.directory));
	else
		log_error(w->engine.log, "schemas can't be read: the previous ones stay in use",
			LOG_STR("error", error));
}

/* SIGHUP */
static void reload(struct worker *w)
{
	char error[640];
	reload_schemas(w);
	if (config_conninfo_readable(w->engine.config, error, sizeof(error))) {
		log_info(w->engine.log, "database sessions are opened anew");
		pool_renew(w->engine.pool);
		lanes_rouse(w->engine.lanes);
	} else {
		log_error(w->engine.log,
			"a secret can't be read: database sessions stay as they are",
			LOG_STR("error", error));
	}
	if (config_kafka_files(w->engine.config) == w->kafka_files || atomic_load(&w->stopping))
		return;
	log_info(w->engine.log,
		"files of Kafka's properties changed: the worker stops and runs again with them");
	atomic_store(&w->again, true);
	atomic_store(&w->stopping, true);
	wake_consumer(w);
}

/* SIGTERM or SIGINT. */
static void worker_take_stop(struct worker *w, int signal)
{
	int64_t now = clock_tick_ms();
	if (w->stop_by && now - w->stopping_since < SAME_SIGNAL_MS)
		return;
	bool again = atomic_exchange(&w->again, false);
	if (atomic_exchange(&w->stopping, true) && !again) {
		log_warn(w->engine.log, "second signal: exiting at once; nothing is lost");
		_exit(128 + signal);
	}
	w->stopping_since = now;
	log_info(w->engine.log, "stopping", LOG_INT("signal", signal));
	wake_consumer(w);
}

static void worker_take_signal(struct worker *w, int signal)
{
	if (signal == SIGHUP && atomic_load(&w->made))
		reload(w);
	else if (signal == SIGTERM || signal == SIGINT)
		worker_take_stop(w, signal);
	if (w->stop_by == 0 && (signal == SIGUSR1 || atomic_load(&w->stopping)))
		w->stop_by = clock_tick_ms() + shutdown_ms(w->engine.config);
}

/* A server that accepts connections and stays silent may hold any thread. What is not committed then is
 * rolled back, and what is committed has its replies in the outbox. */
static void exit_when_late(struct worker *w)
{
	if (w->stop_by == 0 || clock_tick_ms() < w->stop_by)
		return;
	log_warn(w->engine.log,
		"PostgreSQL or Kafka did not answer within limits.shutdownTimeoutMillis: exiting "
		"at once; nothing is lost");
	_exit(atomic_load(&w->again) ? EXIT_KAFKA : EXIT_OK);
}

/* How long the signal thread may sleep. */
static struct timespec worker_tick(const struct worker *w)
{
	int64_t ms = TICK_MS, left = w->stop_by - clock_tick_ms();
	if (w->stop_by && left < ms)
		ms = left > 0 ? left : 0;
	return (struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
}

static sigset_t worker_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1); /* ours: the worker begins to end by itself */
	sigaddset(&set, SIGUSR2); /* ours: the worker has ended */
	return set;
}

/* Waits for signals, which all other threads block: a handler could not wake the consumer's loop. Does
 * meanwhile what must not wait for any server. */
static void *wait_for_signals(void *arg)
{
	struct worker *w = arg;
	sigset_t set = worker_signals();
	for (;;) {
		struct timespec tick = worker_tick(w);
		int signal = sigtimedwait(&set, NULL, &tick);
		if (signal == SIGUSR2)
			return NULL;
		if (signal > 0)
			worker_take_signal(w, signal);
		exit_when_late(w);
		outage_tick(w->engine.outage);
	}
}

/* Call this before any thread starts: each thread inherits the mask. */
static void block_signals(void)
{
	sigset_t set = worker_signals();
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void stop_signals(struct worker *w)
{
	pthread_kill(w->signals, SIGUSR2);
	pthread_join(w->signals, NULL);
}

/* Is every assigned partition stopped? */
static bool worker_is_stopped(struct worker *w, char *why, size_t size)
{
	static const char all[] = "every assigned partition is stopped: ";
	char text[512];
	if (!lanes_all_stopped(w->engine.lanes, text, sizeof(text)))
		return false;
	snprintf(why, size, "%s%s", all, text);
	return true;
}

static bool worker_is_ready(void *context, char *why, size_t size)
{
	struct worker *w = context;
	if (atomic_load(&w->stopping)) {
		snprintf(why, size, "stopping");
		return false;
	}
	if (!atomic_load(&w->made)) {
		snprintf(why, size, "starting");
		return false;
	}
	int64_t busy_ms = lanes_busy_ms(w->engine.lanes);
	if (busy_ms > STUCK_MS) {
		snprintf(why, size, "all connections have been busy for %lld s",
			(long long)busy_ms / 1000);
		return false;
	}
	if (outage_is_on(w->engine.outage, why, size) || !consumer_is_ready(w->consumer, why, size))
		return false;
	return producer_is_ready(w->engine.producer, why, size) &&
		reply_topics_are_ready(w->engine.reply_topics, why, size) &&
		!worker_is_stopped(w, why, size);
}

static bool is_live(void *context, char *why, size_t size)
{
	(void)context;
	(void)why;
	(void)size;
	return true;
}

/* --- starting the parts --- */

static void read_ages(struct worker_settings *settings, const struct config *config)
{
	for (size_t i = 0; i < RETENTION_COUNT; i++) {
		const char *age = config->retention.ages[i];
		if (age && !retention_age(age, strlen(age), &settings->retention_ms[i]))
			settings->retention_ms[i] = 0; /* check.c has refused such an age */
	}
}

static void make_settings(struct worker *w, const struct config *config, struct log *log)
{
	struct engine *e = &w->engine;
	e->config = config;
	e->log = log;
	e->metrics = metrics_new(command_names, command_count);
	e->outage = outage_new(log, e->metrics);
	e->pool = pool_new(log, e->metrics, config->postgres.max);
	e->clock = &w->clock;
	e->limits = (struct decode_limits){
		.message_bytes = (size_t)config_message_bytes(config),
		.string_bytes = (size_t)config->limits.string_bytes,
		.array_items = (size_t)config->limits.array_items,
		.depth = 64,
		.json_depth = (size_t)config->limits.depth,
	};
	e->settings = (struct worker_settings){
		.repair_text = strcmp(config->data.text_repair, "repair") == 0,
		.max_reply_bytes = (size_t)config->replies.max_bytes,
		.command_bytes = (size_t)config_command_bytes(config),
		.version = STOWAGE_VERSION,
		.allow_clear = config->storage.allow_clear,
		.query = (enum query_allowed)config->storage.query,
		.query_role = config->storage.query_role,
		.query_rows = config->storage.query_rows,
	};
	read_ages(&e->settings, config);
	e->connection = (struct connection_options){
		.connect = config_connect,
		.connect_arg = config,
		.prepared_statements = config->postgres.prepared_statements,
		.own_schema = config->postgres.schema_name,
		.tenant_bytes = (size_t)config->postgres.tenant_statement_bytes,
		.give_up_fd = &w->give_up_fd,
	};
	w->kafka_files = config_kafka_files(config);
	w->give_up_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	e->init_storage = init_storage_command;
	e->builder_wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (w->give_up_fd < 0 || e->builder_wake_fd < 0)
		abort();
}

/* The operator's number, or one for each processor. */
static size_t parallel(int64_t configured)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	if (configured > 0)
		return (size_t)configured;
	if (processors < PARALLEL_MIN)
		return PARALLEL_MIN;
	return processors > PARALLEL_MAX ? PARALLEL_MAX : (size_t)processors;
}

/* Slow work leaves one session to everything else. */
static unsigned slow_max(const struct config *config)
{
	unsigned sessions = (unsigned)config->postgres.max;
	return sessions > 1 ? sessions - 1 : sessions;
}

static unsigned detached_reads(const struct config *config)
{
	unsigned most = slow_max(config);
	unsigned wanted = (unsigned)parallel(config->batch.max_detached_reads);
	return wanted < most ? wanted : most;
}

static void make_lanes(struct worker *w)
{
	const struct config *config = w->engine.config;
	struct lanes_limits limits = {
		.batch_commands = (size_t)config->batch.max_commands,
		.large_batches = parallel(config->batch.max_parallel),
		.batch_bytes = (size_t)config->batch.max_bytes,
		.detached_reads = detached_reads(config),
		.slow_max = slow_max(config),
		.linger_ms = config->batch.linger_ms,
		/* librdkafka gets the other half. */
		.memory_bytes = (size_t)config->limits.memory_bytes / 2,
	};
	w->engine.lanes = lanes_new(&limits, w->engine.metrics);
}

static int worker_give_up(struct worker *w, const char *what, const char *error, int status)
{
	log_error(w->engine.log, what, LOG_STR("error", error));
	return status;
}

/* Returns true also if http.address is empty. */
static bool start_http(struct worker *w, char *error, size_t error_size)
{
	struct engine *e = &w->engine;
	if (!e->config->http.address[0])
		return true;
	w->http = http_start(e->config->http.address, e->metrics, worker_is_ready, is_live, w,
		e->log, error, error_size);
	return w->http != NULL;
}

static int make_parts(struct worker *w)
{
	struct engine *e = &w->engine;
	char error[1024];
	if (!load_schemas(w, error, sizeof(error)))
		return worker_give_up(w,
			e->config->schemas.directory ? "schemas.directory can't be used"
						     : "schemas can't be used",
			error, EXIT_CONFIG);
	if (regcomp(&e->reply_allow, e->config->replies.allow, REG_EXTENDED | REG_NOSUB))
		return worker_give_up(w, "replies.allow is not a regular expression",
			e->config->replies.allow, EXIT_CONFIG);
	e->tenants = tenants_new(e->config->postgres.schema_name, e->config->postgres.schemas);
	/* First of all, so that an occupied port is found before the brokers are asked. */
	if (!start_http(w, error, sizeof(error)))
		return worker_give_up(w, "http.address can't be served", error, EXIT_FAILED);
	make_lanes(w);
	e->producer = producer_new(e->config, e->lanes, e->log, e->metrics, error, sizeof(error));
	if (!e->producer)
		return worker_give_up(w, "the Kafka producer can't be created", error, EXIT_CONFIG);
	w->admin_opaque.log = e->log;
	e->admin = admin_new(e->config, &w->admin_opaque, error, sizeof(error));
	if (!e->admin)
		return worker_give_up(w, "the Kafka admin client can't be created", error,
			EXIT_CONFIG);
	e->reply_topics = reply_topics_new(e->admin, e->log);
	e->looks = partition_looks_new(e->admin, e->lanes);
	w->consumer = consumer_new(e->config, e->admin, e->lanes, e->log, e->metrics, error,
		sizeof(error));
	if (!w->consumer)
		return worker_give_up(w, "the Kafka consumer can't be created", error, EXIT_CONFIG);
	set_made(w, true);
	return EXIT_OK;
}

/* What may wait for a server. */
static void free_clients(struct worker *w)
{
	struct engine *e = &w->engine;
	http_stop(w->http);
	set_made(w, false);
	producer_free(e->producer, 0);
	builder_free(w->builder);
	reply_topics_free(e->reply_topics);
	consumer_detach(w->consumer);
	/* Detached reads that wait still hold messages, for which librdkafka waits. */
	lanes_free(e->lanes);
	consumer_free(w->consumer);
	partition_looks_free(e->looks);
	if (e->admin)
		rd_kafka_destroy(e->admin);
}

static void free_parts(struct worker *w)
{
	struct engine *e = &w->engine;
	for (size_t i = 0; i < w->catalog_count; i++)
		catalog_free(w->catalogs[i]);
	free(w->catalogs);
	outage_free(e->outage);
	pool_free(e->pool);
	metrics_free(e->metrics);
	regfree(&e->reply_allow);
	tenants_free(e->tenants);
	free(w->executors);
	close(w->give_up_fd);
	close(e->builder_wake_fd);
	pthread_mutex_destroy(&w->made_mutex);
}

/* --- running --- */

/* Looks at the database once. DB_SETUP: the worker cannot work, and the log says why. */
static enum db_kind try_database(struct worker *w)
{
	struct db_failure failure = { 0 };
	struct engine *e = &w->engine;
	failure.kind = init_storage_start(e->config, &e->connection, e->log, failure.message,
		sizeof(failure.message));
	/* The lock of another init, or a session that broke: only what fails again and again lasts. */
	if (failure.kind == DB_COMMAND)
		failure.kind = ++w->init_failures < INIT_TRIES ? DB_OUTAGE : DB_SETUP;
	if (failure.kind == DB_OK)
		outage_over(e->outage);
	else if (failure.kind == DB_SETUP)
		log_error(e->log, "the database can't be used", LOG_STR("error", failure.message),
			LOG_STR("help",
				"check postgres.* in the configuration; `stowage check` says more, "
				"`stowage init` creates tables"));
	else
		outage_seen(e->outage, &failure);
	return failure.kind;
}

/* Waits until the database has answered, because only then the tables are created or checked. Returns
 * false if the worker cannot work. */
static bool start_database(struct worker *w)
{
	enum db_kind kind = try_database(w);
	while (kind != DB_OK && kind != DB_SETUP && !atomic_load(&w->stopping)) {
		for (int ms = 0; ms < DATABASE_RETRY_MS && !atomic_load(&w->stopping); ms += 100)
			poll(NULL, 0, 100);
		if (!atomic_load(&w->stopping))
			kind = try_database(w);
	}
	pool_gives(w->engine.pool);
	return kind != DB_SETUP;
}

/* A topic that cannot be created does not end the worker: an operator may create it while the
 * worker runs. */
static void make_topics(struct worker *w)
{
	const struct config *config = w->engine.config;
	struct config_list names = topic_create_names(config, command_domains,
		command_domain_count);
	for (size_t i = 0; config->kafka.create_topics && i < names.count; i++) {
		char error[512];
		switch (topic_create(w->engine.admin, names.items[i],
			(int)config->kafka.topic_partitions, (int)config->kafka.topic_replication,
			error, sizeof(error))) {
		case TOPIC_CREATED:
			log_info(w->engine.log, "topic created", LOG_STR("topic", names.items[i]));
			break;
		case TOPIC_WAS_THERE:
			break;
		case TOPIC_REFUSED:
		case TOPIC_FORBIDDEN:
			log_warn(w->engine.log, "topic can't be created",
				LOG_STR("topic", names.items[i]), LOG_STR("error", error));
		}
	}
	topic_create_names_free(&names);
}

static void start_executors(struct worker *w)
{
	w->executor_count = (int)w->engine.config->postgres.max;
	w->executors = alloc_zero((size_t)w->executor_count, sizeof(struct executor *));
	for (int i = 0; i < w->executor_count; i++)
		w->executors[i] = executor_start(&w->engine);
}

/* All lanes are revoked. A batch that still runs is past the shutdown timeout, or is a detached
 * read of another worker's lane now. */
static void stop_executors(struct worker *w)
{
	lanes_quit(w->engine.lanes);
	outage_end(w->engine.outage);
	pool_quit(w->engine.pool);
	eventfd_write(w->give_up_fd, 1);
	for (int i = 0; i < w->executor_count; i++)
		executor_join(w->executors[i]);
}

static int worker_run_parts(struct worker *w)
{
	if (!start_database(w))
		return EXIT_DATABASE;
	make_topics(w);
	reset_record_at_start(&w->engine);
	w->builder = builder_start(&w->engine);
	w->cleaner = cleaner_start(&w->engine);
	start_executors(w);
	log_info(w->engine.log, "stowage started", LOG_STR("version", STOWAGE_VERSION),
		LOG_STR("group", w->engine.config->kafka.group_id),
		LOG_STR("schema", w->engine.config->postgres.schema_name),
		LOG_INT("connections", w->executor_count), LOG_INT("commands", command_count));
	enum consumer_end end = consumer_run(w->consumer, &w->stopping);
	atomic_store(&w->stopping, true);
	pthread_kill(w->signals, SIGUSR1);
	consumer_leave(w->consumer);
	stop_executors(w);
	cleaner_stop(w->cleaner);
	builder_stop(w->builder);
	producer_free(w->engine.producer, (int)w->engine.config->limits.shutdown_timeout_ms);
	w->engine.producer = NULL;
	log_info(w->engine.log, "stowage stopped");
	if (end == CONSUMER_FENCED)
		return EXIT_FENCED;
	return end == CONSUMER_STOPPED ? EXIT_OK : EXIT_KAFKA;
}

int worker_run(const struct config *config, struct log *log)
{
	struct worker w = { 0 };
	/* Executors' buffers come and go. With one malloc arena a thread, no executor could use
	 * what another one frees. Memory larger than a fetch goes back to the system at once:
	 * otherwise malloc learns to keep ever more, and the worker grows with its uptime. Smaller
	 * memory is reused, because pages fresh from the system cost more than writing to them. */
	mallopt(M_ARENA_MAX, 2);
	mallopt(M_MMAP_THRESHOLD, MALLOC_LARGE);
	mallopt(M_TRIM_THRESHOLD, MALLOC_LARGE);
	/* Idle executors call malloc_trim. Under a sanitizer with its own malloc, the first call to
	 * the system's malloc sets it up for the calling thread, and this thread ends last. */
	malloc_trim(0);
	block_signals();
	pthread_mutex_init(&w.made_mutex, NULL);
	make_settings(&w, config, log);
	/* First, so that a signal ends also a worker that waits for a server while it starts. */
	if (pthread_create(&w.signals, NULL, wait_for_signals, &w)) {
		perror("stowage: pthread_create");
		abort();
	}
	int status = make_parts(&w);
	if (status == EXIT_OK)
		status = worker_run_parts(&w);
	free_clients(&w);
	stop_signals(&w);
	free_parts(&w);
	return status == EXIT_OK && atomic_load(&w.again) ? RUN_AGAIN : status;
}
