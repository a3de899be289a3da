/* consumer.c - see consumer.h */
#include "worker/kafka/consumer.h"

#include <poll.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "schemas/base/alloc.h"
#include "schemas/base/clock.h"
#include "worker/kafka/brokers.h"
#include "worker/kafka/client_conf.h"
#include "worker/kafka/fetch_window.h"

#define LOOP_MS 100
#define STATS_MS 1000
/* So many looks in a row at a lane that gets nothing of what is there, and it is started anew. */
#define STALLED_LOOKS 3
#define SEEK_TIMEOUT_MS 2000
#define WAKE_TIMEOUT_MS 100
#define METADATA_TIMEOUT_MS 5000
/* Messages moved from a partition's queue to its lane at a time. */
#define FILL_MESSAGES 500
/* Of the memory ceiling one fetch of each partition may have this part, and librdkafka's queues twice
 * as much: a partition is asked for while its queue holds less than a fetch brings. With less it
 * would be left out of the requests that follow its fetch, although its lane takes what came at
 * once, and these would wait at the ends of others meanwhile. A fetch is as large as that allows,
 * as each costs the broker more than its bytes; a response is kept until the last of its messages
 * is done. */
#define FETCH_SHARE 5
#define FETCH_MIN_BYTES (64 * 1024)
#define FETCH_MAX_BYTES (1536 * 1024)
#define FETCH_RESPONSE_BYTES (1536 * 1024)
/* The partitions it is parted by where no broker tells at the start. */
#define FETCH_PARTITIONS 16

struct consumer {
	struct kafka_opaque opaque; /* first: librdkafka's opaque */
	const struct config *config;
	struct lanes *lanes;
	struct log *log;
	struct metrics *metrics;
	rd_kafka_t *rk;
	rd_kafka_queue_t *queue; /* the group's own events */
	struct fetch_window *window;
	struct brokers brokers;
	atomic_bool joined;
	bool fatal;
	int64_t stats_at;
};

/* --- assignment --- */

/* On a thread of librdkafka's: the queue, empty before, has something. */
static void consumer_arrived(rd_kafka_t *rk, void *opaque)
{
	struct lane *lane = opaque;
	uint64_t one = 1;
	(void)rk;
	if (atomic_exchange(&lane->arrived, true))
		return;
	ssize_t written = write(lane->wake_fd, &one, sizeof(one));
	(void)written; /* a full counter is a wake-up that is still to be seen */
}

static void open_source(struct consumer *c, struct lane *lane, rd_kafka_queue_t *source)
{
	lane->wake_fd = lanes_wake_fd(c->lanes);
	lane->source = source;
	rd_kafka_queue_cb_event_enable(lane->source, consumer_arrived, lane);
}

/* No more calls of `arrived`: the lane may go. */
static void close_source(struct lane *lane)
{
	if (lane->source)
		rd_kafka_queue_cb_event_enable(lane->source, NULL, NULL);
}

/* Their queues. To ask for one makes a partition known that was not: only such can be paused. */
static rd_kafka_queue_t **sources_of(struct consumer *c,
	const rd_kafka_topic_partition_list_t *partitions)
{
	rd_kafka_queue_t **sources = alloc_zero((size_t)partitions->cnt, sizeof(*sources));
	for (int i = 0; i < partitions->cnt; i++) {
		sources[i] = rd_kafka_queue_get_partition(c->rk, partitions->elems[i].topic,
			partitions->elems[i].partition);
		rd_kafka_queue_forward(sources[i], NULL);
	}
	return sources;
}

static void open_lanes(struct consumer *c, const rd_kafka_topic_partition_list_t *partitions,
	rd_kafka_queue_t *const *sources)
{
	for (int i = 0; i < partitions->cnt; i++) {
		const rd_kafka_topic_partition_t *p = &partitions->elems[i];
		open_source(c, lanes_add(c->lanes, p->topic, p->partition), sources[i]);
		log_info(c->log, "partition assigned", LOG_STR("topic", p->topic),
			LOG_INT("partition", p->partition));
	}
}

/* Where a lane starts is told by its row, by a seek: until then its partition is paused, and so before
 * it is assigned. What is fetched from the offset given here may be gone from the log, which ends
 * the partition's fetching: no seek takes it up again. The offset is no logical one: librdkafka looks
 * those up, and an answer that the seek has overtaken makes it look again and go there after all, past
 * what was to be read. */
static void consumer_assign(struct consumer *c, rd_kafka_topic_partition_list_t *partitions)
{
	rd_kafka_queue_t **sources = sources_of(c, partitions);
	for (int i = 0; i < partitions->cnt; i++)
		partitions->elems[i].offset = 0;
	rd_kafka_pause_partitions(c->rk, partitions);
	rd_kafka_error_t *error = rd_kafka_incremental_assign(c->rk, partitions);
	if (error) {
		log_error(c->log, "partitions can't be assigned",
			LOG_STR("error", rd_kafka_error_string(error)));
		rd_kafka_error_destroy(error);
		for (int i = 0; i < partitions->cnt; i++)
			rd_kafka_queue_destroy(sources[i]);
	} else {
		open_lanes(c, partitions, sources);
		atomic_store(&c->joined, true);
	}
	free(sources);
}

static void give_up_lanes(struct consumer *c, const rd_kafka_topic_partition_list_t *partitions,
	bool lost)
{
	int64_t deadline = lost ? 0 : clock_tick_ms() + c->config->limits.shutdown_timeout_ms;
	for (int i = 0; i < partitions->cnt; i++) {
		struct lane *lane = lanes_find(c->lanes, partitions->elems[i].topic,
			partitions->elems[i].partition);
		if (lane)
			lanes_revoking(c->lanes, lane);
	}
	for (int i = 0; i < partitions->cnt; i++) {
		const rd_kafka_topic_partition_t *p = &partitions->elems[i];
		struct lane *lane = lanes_find(c->lanes, p->topic, p->partition);
		if (!lane)
			continue;
		close_source(lane);
		lanes_revoke(c->lanes, lane, deadline);
		log_info(c->log, lost ? "partition lost" : "partition revoked",
			LOG_STR("topic", p->topic), LOG_INT("partition", p->partition));
	}
	rd_kafka_error_t *error = rd_kafka_incremental_unassign(c->rk, partitions);
	if (error)
		rd_kafka_error_destroy(error); /* nothing was assigned any more */
}

static void consumer_rebalanced(rd_kafka_t *rk, rd_kafka_resp_err_t event,
	rd_kafka_topic_partition_list_t *partitions, void *opaque)
{
	struct consumer *c = opaque;
	metrics_add(c->metrics, METRIC_REBALANCES, 1);
	switch (event) {
	case RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS:
		consumer_assign(c, partitions);
		break;
	case RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS:
		give_up_lanes(c, partitions, rd_kafka_assignment_lost(rk) != 0);
		break;
	default:
		log_error(c->log, "rebalance failed", LOG_STR("error", rd_kafka_err2str(event)));
		rd_kafka_assign(rk, NULL);
		break;
	}
}

/* --- errors --- */

static void consumer_on_error(rd_kafka_t *rk, int error, const char *reason, void *opaque)
{
	struct consumer *c = opaque;
	char text[512];
	if (error == RD_KAFKA_RESP_ERR__FATAL) {
		rd_kafka_resp_err_t cause = rd_kafka_fatal_error(rk, text, sizeof(text));
		log_error(c->log, "the consumer can't go on",
			LOG_STR("error", rd_kafka_err2name(cause)), LOG_STR("reason", text));
		c->fatal = true;
	} else if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
		brokers_all_down(&c->brokers);
	} else {
		brokers_trouble(&c->brokers, reason);
		log_debug(c->log, "consumer", LOG_STR("error", rd_kafka_err2name(error)),
			LOG_STR("reason", reason));
	}
}

/* --- making it --- */

static bool is_ours(const struct config *config, const char *topic)
{
	for (size_t i = 0; i < config->kafka.topics.count; i++) {
		const char *wanted = config->kafka.topics.items[i];
		regex_t pattern;
		bool match = strcmp(wanted, topic) == 0;
		if (*wanted == '^' && regcomp(&pattern, wanted, REG_EXTENDED | REG_NOSUB) == 0) {
			match = regexec(&pattern, topic, 0, NULL, 0) == 0;
			regfree(&pattern);
		}
		if (match)
			return true;
	}
	return false;
}

/* Partitions that may all be ours: what a queue may hold can't be changed later. */
static int count_partitions(const struct config *config, rd_kafka_t *client, struct log *log)
{
	const struct rd_kafka_metadata *metadata;
	int count = 0;
	if (rd_kafka_metadata(client, 1, NULL, &metadata, METADATA_TIMEOUT_MS))
		return FETCH_PARTITIONS;
	for (int i = 0; i < metadata->topic_cnt; i++)
		if (is_ours(config, metadata->topics[i].topic))
			count += metadata->topics[i].partition_cnt;
	rd_kafka_metadata_destroy(metadata);
	if (count == 0)
		log_warn(log, "no topic matches kafka.topics, waiting for one",
			LOG_STR("help", "`stowage topics create` makes the topics"));
	return count > 0 ? count : FETCH_PARTITIONS;
}

static long long fetch_bytes(const struct config *config, int partitions)
{
	long long bytes = config->limits.memory_bytes / FETCH_SHARE / partitions;
	return bytes < FETCH_MIN_BYTES    ? FETCH_MIN_BYTES
		: bytes > FETCH_MAX_BYTES ? FETCH_MAX_BYTES
					  : bytes;
}

static rd_kafka_conf_t *make_conf(struct consumer *c, int partitions, char *error,
	size_t error_size)
{
	char fetch[24], queue[24], response[24];
	const struct kafka_default defaults[] = {
		/* A worker that was killed holds its partitions no longer than that. */
		{ "session.timeout.ms", "10000" },
		{ "heartbeat.interval.ms", "2000" },
		{ "topic.metadata.refresh.interval.ms", "10000" },
		{ "queued.min.messages", "1000" },
		/* One request is under way to a broker at a time: while it waits at the end of some
		 * partitions, those whose queues have become empty get nothing. */
		{ "fetch.wait.max.ms", "20" },
		/* A full queue is how a lane holds its partition back: look again soon, not in a second. */
		{ "fetch.queue.backoff.ms", "10" },
		{ "fetch.message.max.bytes", fetch },
		{ "queued.max.messages.kbytes", queue },
		{ "fetch.max.bytes", response },
		{ NULL, NULL },
	};
	long long bytes = fetch_bytes(c->config, partitions);
	snprintf(fetch, sizeof(fetch), "%lld", bytes);
	snprintf(queue, sizeof(queue), "%lld", bytes / 1024);
	snprintf(response, sizeof(response), "%d", FETCH_RESPONSE_BYTES);
	rd_kafka_conf_t *conf = kafka_conf(c->config, defaults, error, error_size);
	if (!conf)
		return NULL;
	kafka_set(conf, "group.id", c->config->kafka.group_id);
	kafka_set(conf, "partition.assignment.strategy", "cooperative-sticky");
	kafka_set(conf, "enable.auto.offset.store", "false");
	kafka_set(conf, "enable.auto.commit", "true");
	/* Every lane is started at the offset in its row: a log that has lost it is an error. */
	kafka_set(conf, "auto.offset.reset", "error");
	kafka_set(conf, "isolation.level", "read_committed");
	kafka_set(conf, "allow.auto.create.topics", "false");
	kafka_set(conf, "enable.partition.eof", "true");
	kafka_set_opaque(conf, &c->opaque);
	rd_kafka_conf_set_rebalance_cb(conf, consumer_rebalanced);
	rd_kafka_conf_set_error_cb(conf, consumer_on_error);
	return conf;
}

struct consumer *consumer_new(const struct config *config, rd_kafka_t *client, struct lanes *lanes,
	struct log *log, struct metrics *metrics, char *error, size_t error_size)
{
	struct consumer *c = alloc_zero(1, sizeof(*c));
	c->opaque.log = log;
	c->config = config;
	c->lanes = lanes;
	c->log = log;
	c->metrics = metrics;
	c->brokers = (struct brokers){ .log = log, .servers = config->kafka.bootstrap_servers };
	rd_kafka_conf_t *conf = make_conf(c, count_partitions(config, client, log), error,
		error_size);
	c->rk = conf ? kafka_new(RD_KAFKA_CONSUMER, conf, error, error_size) : NULL;
	if (!c->rk) {
		free(c);
		return NULL;
	}
	rd_kafka_poll_set_consumer(c->rk);
	c->window = fetch_window_new(c->rk, lanes, (size_t)config->limits.memory_bytes / 2);
	c->queue = rd_kafka_queue_get_consumer(c->rk);
	uint64_t one = 1;
	rd_kafka_queue_io_event_enable(c->queue, lanes_wake_fd(lanes), &one, sizeof(one));
	return c;
}

rd_kafka_t *consumer_client(const struct consumer *c)
{
	return c->rk;
}

static bool consumer_subscribe(struct consumer *c)
{
	rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(8);
	for (size_t i = 0; i < c->config->kafka.topics.count; i++)
		rd_kafka_topic_partition_list_add(topics, c->config->kafka.topics.items[i],
			RD_KAFKA_PARTITION_UA);
	rd_kafka_resp_err_t error = rd_kafka_subscribe(c->rk, topics);
	rd_kafka_topic_partition_list_destroy(topics);
	if (error)
		log_error(c->log, "kafka.topics can't be subscribed to",
			LOG_STR("error", rd_kafka_err2str(error)));
	return !error;
}

/* --- the loop --- */

static void consumer_wait_for_work(struct consumer *c)
{
	struct pollfd fd = { .fd = lanes_wake_fd(c->lanes), .events = POLLIN };
	if (poll(&fd, 1, LOOP_MS) > 0) {
		uint64_t count;
		ssize_t got = read(fd.fd, &count, sizeof(count));
		(void)got; /* any number of wake-ups is one */
	}
}

/* The group's events: rebalances are served within. Partitions have queues of their own. */
static void serve_group(struct consumer *c)
{
	rd_kafka_message_t *message;
	while ((message = rd_kafka_consumer_poll(c->rk, 0))) {
		if (message->err)
			log_warn(c->log, "consumer",
				LOG_STR("error", rd_kafka_message_errstr(message)));
		rd_kafka_message_destroy(message);
	}
}

/* Nothing tells the threads that fetch from the lanes' brokers of partitions that were resumed: they
 * may sleep for another second. Any request wakes one; what these bring is not needed. */
static void wake_fetchers(struct consumer *c, rd_kafka_topic_partition_list_t *resumed)
{
	for (int i = 0; i < resumed->cnt; i++)
		resumed->elems[i].offset = RD_KAFKA_OFFSET_END;
	rd_kafka_offsets_for_times(c->rk, resumed, WAKE_TIMEOUT_MS);
	rd_kafka_topic_partition_list_destroy(resumed);
}

/* Starts a lane at `next`: where its row says, or again after a gap. False: not yet, again later.
 * A partition that is fetched from now is added to `*resumed`, which is made for it. */
static bool start_lane(struct consumer *c, struct lane *lane,
	rd_kafka_topic_partition_list_t **resumed)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_t *p = rd_kafka_topic_partition_list_add(list, lane->topic,
		lane->partition);
	p->offset = lane->next;
	rd_kafka_error_t *error = rd_kafka_seek_partitions(c->rk, list, SEEK_TIMEOUT_MS);
	bool started = !error && !p->err;
	if (started && fetch_window_admit(c->window, lane)) {
		if (!*resumed)
			*resumed = rd_kafka_topic_partition_list_new(1);
		rd_kafka_topic_partition_list_add(*resumed, lane->topic, lane->partition);
	} else if (!started) {
		log_debug(c->log, "seek", LOG_STR("topic", lane->topic),
			LOG_INT("offset", lane->next),
			LOG_STR("error",
				error ? rd_kafka_error_string(error) : rd_kafka_err2str(p->err)));
	}
	if (error)
		rd_kafka_error_destroy(error);
	rd_kafka_topic_partition_list_destroy(list);
	return started;
}

static void source_failed(struct consumer *c, struct lane *lane, const rd_kafka_message_t *message)
{
	switch (message->err) {
	case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
	case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
		log_error(c->log, "partition stopped: its offset is no longer in the log",
			LOG_STR("topic", lane->topic), LOG_INT("partition", lane->partition),
			LOG_INT("offset", lane->next),
			LOG_STR("error", rd_kafka_message_errstr(message)),
			LOG_STR("help",
				"decide where to go on with `stowage offsets set`, then restart"));
		lanes_stop(c->lanes, lane);
		return;
	default:
		log_warn(c->log, "partition", LOG_STR("topic", lane->topic),
			LOG_INT("partition", lane->partition),
			LOG_STR("error", rd_kafka_message_errstr(message)));
	}
}

/* Sorts errors out of what came; returns how many messages are left. *end: where the partition ends,
 * if nothing was behind them; else -1. */
static size_t keep_messages(struct consumer *c, struct lane *lane, rd_kafka_message_t **messages,
	size_t count, int64_t *end)
{
	size_t kept = 0;
	*end = -1;
	for (size_t i = 0; i < count; i++) {
		bool at_end = messages[i]->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
		*end = at_end ? messages[i]->offset : -1;
		if (!messages[i]->err) {
			messages[kept++] = messages[i];
			continue;
		}
		if (!at_end)
			source_failed(c, lane, messages[i]);
		rd_kafka_message_destroy(messages[i]);
	}
	return kept;
}

/* Moves up to `most` messages from a partition's queue to its lane. */
static void move_messages(struct consumer *c, struct lane *lane, size_t most)
{
	rd_kafka_message_t *messages[FILL_MESSAGES];
	/* Before it is emptied: what comes behind the last one raises it again. */
	atomic_store(&lane->arrived, false);
	ssize_t got = rd_kafka_consume_batch_queue(lane->source, 0, messages,
		most < FILL_MESSAGES ? most : FILL_MESSAGES);
	if (got <= 0)
		return;
	atomic_store(&lane->arrived, true);
	brokers_up(&c->brokers);
	int64_t end;
	size_t kept = keep_messages(c, lane, messages, (size_t)got, &end);
	fetch_window_moved(c->window, lane, lanes_push(c->lanes, lane, messages, kept));
	if (end >= 0)
		lanes_reached_end(c->lanes, lane, end);
}

static void fill_lane(struct consumer *c, struct lane *lane)
{
	size_t room;
	while (atomic_load(&lane->arrived) && (room = lanes_room(c->lanes, lane)) > 0)
		move_messages(c, lane, room);
}

/* Whatever the lane's room: the partition is to be paused, and its queue goes with that. */
static void empty_source(void *arg, struct lane *lane)
{
	struct consumer *c = arg;
	while (atomic_load(&lane->arrived))
		move_messages(c, lane, FILL_MESSAGES);
}

static void serve_lanes(struct consumer *c)
{
	struct lane *lane;
	size_t at = 0;
	bool seeking;
	rd_kafka_topic_partition_list_t *resumed = NULL;
	while ((lane = lanes_next_to_serve(c->lanes, &at, &seeking))) {
		if (seeking && start_lane(c, lane, &resumed)) {
			lanes_started(c->lanes, lane);
			atomic_store(&lane->arrived, true);
		}
		fill_lane(c, lane);
	}
	if (resumed)
		wake_fetchers(c, resumed);
	fetch_window_turn(c->window, empty_source, c);
}

/* What consumer-lag tools look at; nobody starts from it. */
static void store_offset(struct consumer *c, const struct lane *lane)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(list, lane->topic, lane->partition)->offset =
		lane->answered;
	rd_kafka_offsets_store(c->rk, list);
	rd_kafka_topic_partition_list_destroy(list);
}

/* An idle worker fetches nothing that would tell. */
static void look_for_brokers(struct consumer *c)
{
	const struct rd_kafka_metadata *metadata;
	if (!brokers_are_down(&c->brokers) || rd_kafka_metadata(c->rk, 0, NULL, &metadata, LOOP_MS))
		return;
	rd_kafka_metadata_destroy(metadata);
	brokers_up(&c->brokers);
}

static void serve_stats(struct consumer *c)
{
	if (clock_tick_ms() < c->stats_at)
		return;
	look_for_brokers(c);
	brokers_tell(&c->brokers);
	c->stats_at = clock_tick_ms() + STATS_MS;
	int64_t lag = 0, queued = 0;
	for (size_t i = 0; i < lanes_count(c->lanes); i++) {
		struct lane *lane = lanes_at(c->lanes, i);
		int64_t low, high = -1;
		rd_kafka_get_watermark_offsets(c->rk, lane->topic, lane->partition, &low, &high);
		lanes_lock(c->lanes);
		bool running = lane->state == LANE_RUNNING;
		queued += (int64_t)message_queue_length(&lane->messages);
		if (running && high > lane->position)
			lag += high - lane->position;
		bool starved = lane->fetched && lane_looks_starved(lane, high, STALLED_LOOKS);
		lanes_unlock(c->lanes);
		if (starved)
			log_debug(c->log,
				"the log has messages but none arrive: restarting the partition",
				LOG_STR("topic", lane->topic),
				LOG_INT("partition", lane->partition),
				LOG_INT("offset", lane->next));
		if (running)
			store_offset(c, lane);
	}
	metrics_gauge(c->metrics, GAUGE_LAG, lag);
	metrics_gauge(c->metrics, GAUGE_QUEUED_COMMANDS, queued);
}

bool consumer_run(struct consumer *c, const atomic_bool *stop)
{
	if (!consumer_subscribe(c))
		return false;
	while (!atomic_load(stop) && !c->fatal) {
		consumer_wait_for_work(c);
		serve_lanes(c); /* first: somebody may wait for an answer */
		serve_group(c);
		serve_stats(c);
	}
	return !c->fatal;
}

void consumer_leave(struct consumer *c)
{
	/* Closing revokes what is assigned, which runs `rebalanced`. */
	rd_kafka_consumer_close(c->rk);
	atomic_store(&c->joined, false);
	int64_t now = clock_tick_ms();
	while (lanes_count(c->lanes) > 0) {
		close_source(lanes_at(c->lanes, 0));
		lanes_revoke(c->lanes, lanes_at(c->lanes, 0), now);
	}
}

void consumer_free(struct consumer *c)
{
	if (!c)
		return;
	rd_kafka_queue_destroy(c->queue);
	fetch_window_free(c->window);
	rd_kafka_destroy(c->rk);
	free(c);
}

bool consumer_is_ready(const struct consumer *c, char *why, size_t size)
{
	if (brokers_are_down(&c->brokers)) {
		snprintf(why, size, "kafka: no broker can be reached");
		return false;
	}
	if (!atomic_load(&c->joined)) {
		snprintf(why, size, "kafka: no partition was assigned yet");
		return false;
	}
	size_t waiting = lanes_not_started(c->lanes);
	if (waiting > 0)
		snprintf(why, size, "%zu partitions are not started yet", waiting);
	return waiting == 0;
}
