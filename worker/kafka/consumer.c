/* consumer.c - the consumer's loop: serves the group, fills lanes, watches them */
#include "worker/kafka/consumer.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "schemas/base/alloc.h"
#include "schemas/base/clock.h"
#include "worker/decompression/decompression.h"
#include "worker/kafka/assignment.h"
#include "worker/kafka/brokers.h"
#include "worker/kafka/client_conf.h"
#include "worker/kafka/consumer_conf.h"
#include "worker/kafka/fetch_window.h"
#include "worker/kafka/read_rights.h"
#include "worker/kafka/subscription.h"
#include "worker/kafka/topic_watch.h"
#include "worker/lanes/queue.h"
#include "worker/lanes/work.h"

#define LOOP_MS 100
#define STATS_MS 1000
/* Restart a lane after this many consecutive checks that found messages in the log but received
 * none. */
#define STALLED_CHECKS 3
#define SEEK_TIMEOUT_MS 2000
#define WAKE_TIMEOUT_MS 100
/* Batches that run when partitions are revoked have this part of limits.shutdownTimeoutMillis. At a shutdown
 * the rest is for replies, and for leaving the group. */
#define SETTLE_PART 3
#define SETTLE_WHOLE 4
/* Messages moved from a partition's queue to its lane at a time. */
#define FILL_MESSAGES 500

struct consumer {
	struct kafka_opaque opaque; /* first: this struct is librdkafka's opaque */
	const struct config *config;
	struct lanes *lanes;
	struct log *log;
	struct metrics *metrics;
	rd_kafka_t *rk, *admin;
	rd_kafka_queue_t *queue; /* the group's events */
	struct fetch_window *window;
	struct read_rights *rights;
	struct topic_watch *watch;
	struct subscription *subscription;
	struct brokers brokers;
	atomic_bool joined;
	bool fatal, fenced;
	int64_t stats_at;
};

/* --- callbacks --- */

static void consumer_rebalanced(rd_kafka_t *rk, rd_kafka_resp_err_t event,
	rd_kafka_topic_partition_list_t *partitions, void *opaque)
{
	struct consumer *c = opaque;
	metrics_add(c->metrics, METRIC_REBALANCES, 1);
	switch (event) {
	case RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS:
		read_rights_group(c->rights, false);
		if (assignment_add(rk, c->lanes, c->log, partitions))
			atomic_store(&c->joined, true);
		break;
	case RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS:
		assignment_remove(rk, c->lanes, c->log, partitions,
			rd_kafka_assignment_lost(rk) || c->fatal ? 0
								 : clock_tick_ms() +
					c->config->limits.shutdown_timeout_ms * SETTLE_PART /
						SETTLE_WHOLE);
		break;
	default:
		log_error(c->log, "rebalance failed", LOG_STR("error", rd_kafka_err2str(event)));
		rd_kafka_assign(rk, NULL);
		break;
	}
}

/* librdkafka does not always name the topic. */
static void suspect_topics(struct consumer *c, const char *topic)
{
	const struct config_list *topics = &c->config->kafka.topics;
	if (topic)
		read_rights_suspect(c->rights, topic);
	for (size_t i = 0; !topic && i < topics->count; i++)
		if (topics->items[i][0] != '^')
			read_rights_suspect(c->rights, topics->items[i]);
}

/* Returns true if a right is missing. read_rights.h logs that. */
static bool note_right(struct consumer *c, rd_kafka_resp_err_t error, const char *topic)
{
	switch (error) {
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
		suspect_topics(c, topic);
		return true;
	case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
		read_rights_group(c->rights, true);
		return true;
	default:
		return false;
	}
}

static void read_commit(struct consumer *c, const rd_kafka_topic_partition_t *offset)
{
	if (!offset->err)
		read_rights_group(c->rights, false);
	else if (!note_right(c, offset->err, offset->topic))
		log_at_limited(c->log, LOG_WARN,
			"an offset can't be committed to Kafka for lag tools",
			rd_kafka_err2name(offset->err), LOG_STR("topic", offset->topic),
			LOG_INT("partition", offset->partition),
			LOG_STR("error", rd_kafka_err2str(offset->err)));
}

/* librdkafka commits what failed again every few seconds. */
static void consumer_committed(rd_kafka_t *rk, rd_kafka_resp_err_t error,
	rd_kafka_topic_partition_list_t *offsets, void *opaque)
{
	struct consumer *c = opaque;
	(void)rk;
	log_debug(c->log, "offsets committed to Kafka", LOG_STR("error", rd_kafka_err2name(error)));
	if (error == RD_KAFKA_RESP_ERR__NO_OFFSET)
		return;
	for (int i = 0; offsets && i < offsets->cnt; i++)
		if (offsets->elems[i].offset >= 0)
			read_commit(c, &offsets->elems[i]);
}

/* librdkafka reports a fatal error of a consumer among the group's events. */
static void consumer_failed(struct consumer *c)
{
	char reason[512] = "";
	rd_kafka_resp_err_t cause = rd_kafka_fatal_error(c->rk, reason, sizeof(reason));
	if (c->fatal)
		return;
	c->fatal = true;
	c->fenced = cause == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID ||
		cause == RD_KAFKA_RESP_ERR_UNRELEASED_INSTANCE_ID;
	if (c->fenced)
		log_error(c->log,
			cause == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID
				? "another process has joined the group with this worker's group.instance.id "
				  "and taken its partitions"
				: "another process has this worker's group.instance.id, or had it until less "
				  "than a session timeout ago",
			LOG_STR("group", c->config->kafka.group_id), LOG_STR("reason", reason),
			LOG_STR("help",
				"give each worker a group.instance.id of its own in kafka.properties; nothing "
				"is lost"));
	else
		log_error(c->log, "the consumer failed", LOG_STR("error", rd_kafka_err2name(cause)),
			LOG_STR("reason", reason));
}

static void consumer_on_error(rd_kafka_t *rk, int error, const char *reason, void *opaque)
{
	struct consumer *c = opaque;
	(void)rk;
	if (error == RD_KAFKA_RESP_ERR__FATAL) {
		consumer_failed(c);
	} else if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
		brokers_all_down(&c->brokers);
	} else {
		brokers_trouble(&c->brokers, reason);
		log_debug(c->log, "consumer", LOG_STR("error", rd_kafka_err2name(error)),
			LOG_STR("reason", reason));
	}
}

/* --- starting --- */

static rd_kafka_t *consumer_make_client(struct consumer *c, char *error, size_t error_size)
{
	int partitions = consumer_count_partitions(c->config, c->admin, c->log);
	rd_kafka_conf_t *conf = consumer_conf(c->config, partitions, error, error_size);
	if (!conf)
		return NULL;
	kafka_set_opaque(conf, &c->opaque);
	rd_kafka_conf_set_rebalance_cb(conf, consumer_rebalanced);
	rd_kafka_conf_set_error_cb(conf, consumer_on_error);
	rd_kafka_conf_set_offset_commit_cb(conf, consumer_committed);
	topic_watch_conf(c->watch, conf);
	return kafka_new(RD_KAFKA_CONSUMER, conf, error, error_size);
}

struct consumer *consumer_new(const struct config *config, rd_kafka_t *admin, struct lanes *lanes,
	struct log *log, struct metrics *metrics, char *error, size_t error_size)
{
	struct consumer *c = alloc_zero(1, sizeof(*c));
	c->opaque.log = log;
	c->config = config;
	c->lanes = lanes;
	c->log = log;
	c->metrics = metrics;
	c->brokers = (struct brokers){ .log = log, .servers = config->kafka.bootstrap_servers };
	c->admin = admin;
	decompression_limit(2 * (size_t)config->limits.memory_bytes);
	c->rights = read_rights_new(config->kafka.group_id, log);
	c->watch = topic_watch_new(admin, lanes, c->rights, log);
	c->rk = consumer_make_client(c, error, error_size);
	if (!c->rk) {
		topic_watch_free(c->watch);
		read_rights_free(c->rights);
		free(c);
		return NULL;
	}
	rd_kafka_poll_set_consumer(c->rk);
	c->window = fetch_window_new(c->rk, lanes, (size_t)config->limits.memory_bytes / 2);
	c->subscription = subscription_new(config, c->rk, admin, log);
	c->queue = rd_kafka_queue_get_consumer(c->rk);
	uint64_t one = 1;
	rd_kafka_queue_io_event_enable(c->queue, lanes_wake_fd(lanes), &one, sizeof(one));
	return c;
}

/* --- the loop --- */

static void consumer_wait_for_work(struct consumer *c)
{
	struct pollfd fd = { .fd = lanes_wake_fd(c->lanes), .events = POLLIN };
	if (poll(&fd, 1, LOOP_MS) > 0) {
		uint64_t count;
		ssize_t got = read(fd.fd, &count, sizeof(count));
		(void)got; /* any number of wake-ups counts as one */
	}
}

/* Serves the group's events; rebalances run inside. Partitions have queues of their own. */
static void serve_group(struct consumer *c)
{
	rd_kafka_message_t *message;
	while ((message = rd_kafka_consumer_poll(c->rk, 0))) {
		const char *topic = message->rkt ? rd_kafka_topic_name(message->rkt) : NULL;
		if (message->err == RD_KAFKA_RESP_ERR__FATAL)
			consumer_failed(c);
		else if (message->err && !note_right(c, message->err, topic))
			log_warn(c->log, "consumer",
				LOG_STR("error", rd_kafka_message_errstr(message)));
		rd_kafka_message_destroy(message);
	}
}

/* librdkafka's threads that fetch from the partitions' brokers are not woken when a partition
 * resumes, and may sleep for another second. Any request wakes them, so this sends one and ignores
 * the answer. */
static void wake_fetchers(struct consumer *c, rd_kafka_topic_partition_list_t *resumed)
{
	for (int i = 0; i < resumed->cnt; i++)
		resumed->elems[i].offset = RD_KAFKA_OFFSET_END;
	rd_kafka_offsets_for_times(c->rk, resumed, WAKE_TIMEOUT_MS);
	rd_kafka_topic_partition_list_destroy(resumed);
}

/* Starts a lane at offsets.next: where its row says, or again after a gap. Returns false if it must
 * be tried again later. If librdkafka now fetches the partition, adds it to *resumed, and creates
 * that list first if it is NULL. */
static bool start_lane(struct consumer *c, struct lane *lane,
	rd_kafka_topic_partition_list_t **resumed)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_t *p = rd_kafka_topic_partition_list_add(list, lane->topic,
		lane->partition);
	p->offset = lane->offsets.next;
	rd_kafka_error_t *error = rd_kafka_seek_partitions(c->rk, list, SEEK_TIMEOUT_MS);
	bool started = !error && !p->err;
	if (started && fetch_window_admit(c->window, lane)) {
		if (!*resumed)
			*resumed = rd_kafka_topic_partition_list_new(1);
		rd_kafka_topic_partition_list_add(*resumed, lane->topic, lane->partition);
	} else if (!started) {
		log_debug(c->log, "seek", LOG_STR("topic", lane->topic),
			LOG_INT("offset", lane->offsets.next),
			LOG_STR("error",
				error ? rd_kafka_error_string(error) : rd_kafka_err2str(p->err)));
	}
	if (error)
		rd_kafka_error_destroy(error);
	rd_kafka_topic_partition_list_destroy(list);
	return started;
}

/* Fetching it again would end likewise, and cost as much each time. */
static void source_unreadable(struct consumer *c, struct lane *lane,
	const rd_kafka_message_t *message)
{
	if (lane->fetch.unreadable)
		return;
	log_error(c->log, "partition stopped: a batch of a producer can't be decompressed",
		LOG_STR("topic", lane->topic), LOG_INT("partition", lane->partition),
		LOG_INT("offset", message->offset),
		LOG_STR("error", rd_kafka_message_errstr(message)),
		LOG_STR("help",
			"a batch may decompress to twice limits.memoryBytes: raise it, or continue behind "
			"the batch with `stowage offsets set`; then restart"));
	fetch_window_block(c->window, lane);
}

static void source_failed(struct consumer *c, struct lane *lane, const rd_kafka_message_t *message)
{
	switch (message->err) {
	case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
	case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
		log_error(c->log, "partition stopped: its offset is no longer in the log",
			LOG_STR("topic", lane->topic), LOG_INT("partition", lane->partition),
			LOG_INT("offset", lane->offsets.next),
			LOG_STR("error", rd_kafka_message_errstr(message)),
			LOG_STR("help",
				"set the offset to continue from with `stowage offsets set`, then restart"));
		lanes_stop(c->lanes, lane, "its offset is no longer in the log");
		return;
	case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
		source_unreadable(c, lane, message);
		return;
	default:
		if (!note_right(c, message->err, lane->topic))
			log_warn(c->log, "partition", LOG_STR("topic", lane->topic),
				LOG_INT("partition", lane->partition),
				LOG_STR("error", rd_kafka_message_errstr(message)));
	}
}

/* Removes errors from the messages and returns how many are left. *end: where the partition ends,
 * if nothing followed; otherwise -1. */
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
	size_t got = lane_consume(lane, messages, most < FILL_MESSAGES ? most : FILL_MESSAGES);
	if (got == 0)
		return;
	brokers_up(&c->brokers);
	if (!topic_watch_is_sure(c->watch, lane)) {
		/* A metadata response has just come. */
		for (size_t i = 0; i < got; i++)
			rd_kafka_message_destroy(messages[i]);
		lane_refetch(c->lanes, lane);
		return;
	}
	int64_t end;
	size_t kept = keep_messages(c, lane, messages, got, &end);
	fetch_window_moved(c->window, lane, lanes_push(c->lanes, lane, messages, kept));
	if (end >= 0)
		lanes_reached_end(c->lanes, lane, end);
}

/* Moves everything, whatever the lane's room: pausing the partition drops its queue. */
static bool empty_source(void *arg, struct lane *lane)
{
	struct consumer *c = arg;
	while (lane_has_arrived(lane) && topic_watch_is_sure(c->watch, lane))
		move_messages(c, lane, FILL_MESSAGES);
	return !lane_has_arrived(lane);
}

static void fill_lane(struct consumer *c, struct lane *lane)
{
	size_t room = 1;
	while (lane_has_arrived(lane) && topic_watch_is_sure(c->watch, lane) &&
		(room = lanes_room(c->lanes, lane)) > 0)
		move_messages(c, lane, room);
	if (room == 0 && lane_is_heavy(lane))
		fetch_window_hold(c->window, lane, empty_source, c);
}

static void serve_lanes(struct consumer *c)
{
	struct lane *lane;
	size_t at = 0;
	bool seeking;
	rd_kafka_topic_partition_list_t *resumed = NULL;
	while ((lane = lanes_next_to_serve(c->lanes, &at, &seeking))) {
		if (seeking && topic_watch_is_sure(c->watch, lane) && start_lane(c, lane, &resumed))
			lanes_started(c->lanes, lane);
		fill_lane(c, lane);
	}
	if (resumed)
		wake_fetchers(c, resumed);
	fetch_window_turn(c->window, empty_source, c);
}

/* Consumer-lag tools read this offset. No worker starts from it. */
static void store_offset(struct consumer *c, const struct lane *lane, int64_t offset)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(list, lane->topic, lane->partition)->offset = offset;
	rd_kafka_offsets_store(c->rk, list);
	rd_kafka_topic_partition_list_destroy(list);
}

/* An idle worker receives nothing that shows that a broker is back, so it asks. */
static void look_for_brokers(struct consumer *c)
{
	const struct rd_kafka_metadata *metadata;
	if (!brokers_are_down(&c->brokers) || rd_kafka_metadata(c->rk, 0, NULL, &metadata, LOOP_MS))
		return;
	rd_kafka_metadata_destroy(metadata);
	brokers_up(&c->brokers);
}

static void check_lane(struct consumer *c, struct lane *lane, int64_t *lag, int64_t *queued)
{
	int64_t low, high = -1;
	rd_kafka_get_watermark_offsets(c->rk, lane->topic, lane->partition, &low, &high);
	struct lane_look look = lanes_look(c->lanes, lane, high, STALLED_CHECKS);
	*lag += look.lag;
	*queued += (int64_t)look.waiting;
	if (look.starved)
		log_debug(c->log, "the log has messages but none arrive: restarting the partition",
			LOG_STR("topic", lane->topic), LOG_INT("partition", lane->partition),
			LOG_INT("offset", look.next));
	if (look.running)
		store_offset(c, lane, look.answered);
}

static void serve_stats(struct consumer *c)
{
	if (clock_tick_ms() < c->stats_at)
		return;
	rd_kafka_poll(c->admin, 0);
	look_for_brokers(c);
	brokers_tell(&c->brokers);
	if (!brokers_are_down(&c->brokers))
		subscription_serve(c->subscription);
	c->stats_at = clock_tick_ms() + STATS_MS;
	log_left_out(c->log);
	int64_t lag = 0, queued = 0;
	for (size_t i = 0; i < lanes_count(c->lanes); i++)
		check_lane(c, lanes_at(c->lanes, i), &lag, &queued);
	metrics_gauge(c->metrics, GAUGE_LAG, lag);
	metrics_gauge(c->metrics, GAUGE_QUEUED_COMMANDS, queued);
	metrics_gauge(c->metrics, GAUGE_OLDEST_WORK_SECONDS, lanes_oldest_ms(c->lanes) / 1000);
}

enum consumer_end consumer_run(struct consumer *c, const atomic_bool *stop)
{
	if (!subscription_start(c->subscription))
		return CONSUMER_FAILED;
	while (!atomic_load(stop) && !c->fatal) {
		consumer_wait_for_work(c);
		topic_watch_serve(c->watch);
		serve_lanes(c); /* first, because a client may wait for an answer */
		serve_group(c);
		serve_stats(c);
	}
	if (!c->fatal)
		return CONSUMER_STOPPED;
	return c->fenced ? CONSUMER_FENCED : CONSUMER_FAILED;
}

void consumer_leave(struct consumer *c)
{
	/* Closing revokes the assigned partitions, which runs consumer_rebalanced. */
	rd_kafka_consumer_close(c->rk);
	atomic_store(&c->joined, false);
	int64_t now = clock_tick_ms();
	while (lanes_count(c->lanes) > 0) {
		lane_close_source(lanes_at(c->lanes, 0));
		lanes_revoke(c->lanes, lanes_at(c->lanes, 0), now);
	}
}

void consumer_detach(struct consumer *c)
{
	if (!c)
		return;
	rd_kafka_queue_io_event_enable(c->queue, -1, NULL, 0);
	topic_watch_detach(c->watch);
}

void consumer_free(struct consumer *c)
{
	if (!c)
		return;
	rd_kafka_queue_destroy(c->queue);
	fetch_window_free(c->window);
	subscription_free(c->subscription);
	rd_kafka_destroy(c->rk);
	topic_watch_free(c->watch);
	read_rights_free(c->rights);
	free(c);
}

bool consumer_is_ready(const struct consumer *c, char *why, size_t size)
{
	if (brokers_are_down(&c->brokers)) {
		snprintf(why, size, "kafka: no broker can be reached");
		return false;
	}
	if (read_rights_lack(c->rights, why, size))
		return false;
	if (!atomic_load(&c->joined)) {
		snprintf(why, size, "kafka: no partition is assigned yet");
		return false;
	}
	size_t waiting = lanes_not_started(c->lanes);
	if (waiting > 0)
		snprintf(why, size, "%zu partitions are not started yet", waiting);
	return waiting == 0;
}
