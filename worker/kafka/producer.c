/* producer.c - sends replies and dead letters, settles them with their lanes, rebuilds the client */
#include "worker/kafka/producer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"
#include "schemas/base/clock.h"
#include "worker/kafka/client_conf.h"
#include "worker/kafka/partitioner.h"
#include "worker/kafka/rounds.h"
#include "worker/kafka/send_error.h"
#include "worker/lanes/replies.h"

#define POLL_MS 100
/* librdkafka's queue: rounds bound it, and a single message of any size must fit. */
#define QUEUE_MESSAGES 1000000
#define QUEUE_KBYTES 2097151
/* Nothing is held longer on purpose; POLL_MS more if no executor flushes. */
#define GATHER_MOST_MS 50
/* librdkafka's own limit: the dead letter of an oversized command carries the whole command. */
#define MESSAGE_BYTES 1000000000
/* A topic that was deleted is looked for again after this time, not after 30 s: its messages wait. */
#define PROPAGATION_MS 2000
#define LOOK_MS 1000
/* The delay before the next client, after the previous one failed at once. */
#define REBUILD_MS 500
#define REBUILD_MAX_MS 5000
/* A client that lived this long was accepted by the cluster. */
#define ACCEPTED_MS 8000

struct producer {
	struct kafka_opaque opaque; /* first: this struct is librdkafka's opaque */
	const struct config *config;
	struct lanes *lanes;
	struct log *log;
	struct metrics *metrics;
	pthread_rwlock_t lock; /* sending: read; rebuilding: write */
	rd_kafka_t *rk;
	struct partitioner partitioner;
	atomic_bool failed;     /* the idempotent producer had a fatal error */
	atomic_bool down;       /* there is no client that works: rounds wait */
	atomic_bool no_brokers; /* none can be reached; the consumer reports that */
	atomic_bool trouble;    /* the log said that the cluster refuses the producer */
	int64_t trouble_since;  /* clock_tick_ms; the members below: the producer's thread */
	int64_t built_at, rebuild_at, looked_at;
	unsigned rebuilds; /* consecutive */
	atomic_bool stopping;
	struct rounds rounds;
	pthread_t thread;
};

/* --- the end of a message --- */

static void release_sent(struct producer *p, struct sent *sent)
{
	if (sent->delivery.lane)
		lane_unref(p->lanes, sent->delivery.lane);
	sent_free(sent);
}

static const char *lane_topic(const struct sent *sent)
{
	return sent->delivery.lane ? sent->delivery.lane->topic : NULL;
}

static int64_t lane_partition(const struct sent *sent)
{
	return sent->delivery.lane ? sent->delivery.lane->partition : -1;
}

static void stop_lane(struct producer *p, struct sent *sent, rd_kafka_resp_err_t error)
{
	const struct delivery *delivery = &sent->delivery;
	if (sent->stops)
		return;
	sent->stops = true;
	if (lanes_hold(p->lanes, delivery->lane, delivery->generation, HOLD_DEAD_LETTER))
		log_error(p->log, "partition stopped: its dead letter can't be produced",
			LOG_STR("topic", lane_topic(sent)),
			LOG_INT("partition", lane_partition(sent)),
			LOG_STR("dead_letter_topic", sent->round->to->topic),
			LOG_STR("error", rd_kafka_err2str(error)),
			LOG_STR("help", send_error_help(error)));
}

static void start_lane_again(struct producer *p, const struct sent *sent)
{
	const struct delivery *delivery = &sent->delivery;
	if (sent->stops &&
		lanes_release(p->lanes, delivery->lane, delivery->generation, HOLD_DEAD_LETTER))
		log_info(p->log, "partition goes on: its dead letter was produced",
			LOG_STR("topic", lane_topic(sent)),
			LOG_INT("partition", lane_partition(sent)));
}

static void count_sent(struct producer *p, const struct sent *sent, rd_kafka_resp_err_t error)
{
	metrics_gauge_add(p->metrics, GAUGE_REPLIES_IN_FLIGHT, -1);
	if (!error)
		metrics_add(p->metrics, sent->dead_letter ? METRIC_DEAD_LETTERS : METRIC_REPLIES,
			1);
	else if (!sent->dead_letter)
		metrics_add(p->metrics, METRIC_REPLIES_REFUSED, 1);
}

/* Kafka has the message, or it is a reply that Kafka never takes. */
static void message_done(struct producer *p, struct sent *sent, rd_kafka_resp_err_t error)
{
	const struct delivery *delivery = &sent->delivery;
	count_sent(p, sent, error);
	if (!delivery->lane) {
		delivery->done(delivery->arg, SENT_ACKED);
		return;
	}
	start_lane_again(p, sent);
	lane_ref(p->lanes, delivery->lane);
	lanes_reply_done(p->lanes, delivery->lane, delivery->generation, delivery->stored,
		delivery->read_offset);
}

/* The message leaves without an end: it is in the outbox, or its read runs again. */
static void message_dropped(struct producer *p, struct sent *sent, enum sent_end end)
{
	metrics_gauge_add(p->metrics, GAUGE_REPLIES_IN_FLIGHT, -1);
	if (!sent->delivery.lane)
		sent->delivery.done(sent->delivery.arg, end);
}

static void drop_list(struct producer *p, struct sent_list *list)
{
	struct sent *sent;
	while ((sent = sent_take(list))) {
		message_dropped(p, sent, SENT_LOST);
		release_sent(p, sent);
	}
}

static void give_up_list(struct producer *p, struct sent_list *list)
{
	struct sent *sent = list->first;
	size_t count = 0;
	if (!sent)
		return;
	const char *topic = sent->round->to->topic;
	for (; (sent = sent_take(list)); count++) {
		message_done(p, sent, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
		release_sent(p, sent);
	}
	log_error(p->log, "replies given up: their topic stays missing", LOG_STR("reply_to", topic),
		LOG_INT("replies", count),
		LOG_STR("help", "replies.missingTopicMillis says how long replies wait"));
}

/* --- what the end of a message means --- */

static enum sent_outcome reply_refused(struct producer *p, struct sent *sent,
	rd_kafka_resp_err_t error)
{
	log_at_limited(p->log, LOG_ERROR, "reply given up: Kafka refuses it",
		rd_kafka_err2name(error), LOG_STR("reply_to", sent->round->to->topic),
		LOG_STR("error", rd_kafka_err2str(error)), LOG_STR("topic", lane_topic(sent)),
		LOG_INT("partition", lane_partition(sent)));
	message_done(p, sent, error);
	return OUTCOME_OVER;
}

/* As a last resort a dead letter goes without its value, which its command's topic still has. If it is too large even
 * so, its key and its message's headers stay behind too. */
static enum sent_outcome dead_letter_refused(struct producer *p, struct sent *sent,
	rd_kafka_resp_err_t error, int32_t partition)
{
	if (!send_error_is_size(error) || sent->bare)
		return OUTCOME_LATER;
	log_at_limited(p->log, LOG_ERROR,
		sent->slim ? "dead letter sent without its key and headers: they are only in the "
			     "command's topic"
			   : "dead letter sent without its value: the value is only in the "
			     "command's topic",
		rd_kafka_err2name(error), LOG_STR("topic", lane_topic(sent)),
		LOG_INT("partition", lane_partition(sent)),
		LOG_STR("dead_letter_topic", sent->round->to->topic),
		LOG_INT("bytes", sent->slim ? sent->key_size : sent->value_size),
		LOG_STR("error", rd_kafka_err2str(error)),
		LOG_STR("help", "raise max.message.bytes of the dead-letter topic"));
	if (sent->slim)
		sent_drop_key(sent, partition);
	else
		sent_drop_value(sent);
	return OUTCOME_AGAIN;
}

static enum sent_outcome message_failed(struct producer *p, struct sent *sent,
	rd_kafka_resp_err_t error, int32_t partition)
{
	if (atomic_load(&p->stopping)) {
		message_dropped(p, sent, SENT_LOST);
		return OUTCOME_OVER;
	}
	if (send_error_is_producers(error) || atomic_load(&p->failed) || atomic_load(&p->down))
		return OUTCOME_AGAIN;
	enum sent_outcome outcome = OUTCOME_LATER;
	if (send_error_is_refusal(error))
		outcome = !rounds_sent_alone(&p->rounds, sent, partition) ? OUTCOME_REFUSED
			: sent->dead_letter ? dead_letter_refused(p, sent, error, partition)
					    : reply_refused(p, sent, error);
	if (outcome == OUTCOME_LATER && !sent->delivery.lane) {
		message_dropped(p, sent, SENT_REFUSED);
		return OUTCOME_OVER;
	}
	if (outcome == OUTCOME_LATER && sent->dead_letter)
		stop_lane(p, sent, error);
	return outcome;
}

static const char *trouble_text(rd_kafka_resp_err_t error)
{
	return error == SILENCE ? "no answer: a partition may have no leader"
				: rd_kafka_err2str(error);
}

/* The producer's thread, or the thread that sends. */
static void tell_news(struct producer *p, struct round_news *news)
{
	if (news->began && !news->logged)
		log_at(p->log, send_error_is_right(news->error) ? LOG_ERROR : LOG_WARN,
			"messages to a topic wait: Kafka does not take them",
			LOG_STR("topic", news->topic), LOG_STR("error", trouble_text(news->error)),
			LOG_STR("help", send_error_help(news->error)));
	if (news->over && !news->logged)
		log_info(p->log, "messages to a topic no longer wait",
			LOG_STR("topic", news->topic), LOG_INT("after_ms", news->lasted_ms));
	drop_list(p, &news->dropped);
	give_up_list(p, &news->given_up);
}

static void cluster_accepts(struct producer *p)
{
	if (!atomic_load_explicit(&p->trouble, memory_order_relaxed) ||
		!atomic_exchange(&p->trouble, false))
		return;
	log_info(p->log, "Kafka accepts the producer again",
		LOG_INT("after_ms", clock_tick_ms() - p->trouble_since));
}

/* The message was in flight. Appends what leaves next to `start`. */
static void producer_settle(struct producer *p, struct sent *sent, rd_kafka_resp_err_t error,
	int32_t partition, struct sent_list *start)
{
	struct round_news news;
	enum sent_outcome outcome = OUTCOME_OVER;
	if (error) {
		outcome = message_failed(p, sent, error, partition);
	} else {
		cluster_accepts(p);
		message_done(p, sent, error);
	}
	bool may_start = !atomic_load(&p->down) && error != RD_KAFKA_RESP_ERR__QUEUE_FULL;
	rounds_end_one(&p->rounds, sent, outcome, error, may_start, &news);
	if (outcome == OUTCOME_OVER)
		release_sent(p, sent);
	tell_news(p, &news);
	sent_join(start, &news.start);
}

/* --- sending --- */

static rd_kafka_resp_err_t producer_produce(struct producer *p, struct sent *sent)
{
	/* After rd_kafka_producev the message may be delivered, and freed, at any moment. */
	rd_kafka_headers_t *headers = sent->headers;
	sent->headers = NULL;
	pthread_rwlock_rdlock(&p->lock);
	rd_kafka_resp_err_t error = atomic_load(&p->down)
		? RD_KAFKA_RESP_ERR__DESTROY
		: rd_kafka_producev(p->rk, RD_KAFKA_V_TOPIC(sent->round->to->topic),
			  RD_KAFKA_V_PARTITION(sent->partition < 0 ? RD_KAFKA_PARTITION_UA
								   : sent->partition),
			  RD_KAFKA_V_KEY(sent->key, sent->key_size),
			  RD_KAFKA_V_VALUE(sent->value, sent->value_size),
			  RD_KAFKA_V_TIMESTAMP(sent->timestamp_ms), RD_KAFKA_V_HEADERS(headers),
			  RD_KAFKA_V_OPAQUE(sent), RD_KAFKA_V_END);
	pthread_rwlock_unlock(&p->lock);
	if (error)
		sent->headers = headers;
	return error;
}

static void send_list(struct producer *p, struct sent_list *list)
{
	struct sent *sent;
	while ((sent = sent_take(list))) {
		rd_kafka_resp_err_t error = producer_produce(p, sent);
		if (error)
			producer_settle(p, sent, error, -1, list);
	}
}

/* Sends what has been held since `tick` or longer. */
static void flush_since(struct producer *p, int64_t tick)
{
	struct round_news news;
	if (atomic_load(&p->down))
		return;
	rounds_start(&p->rounds, tick, &news);
	tell_news(p, &news);
	send_list(p, &news.start);
}

void producer_flush(struct producer *p)
{
	flush_since(p, INT64_MAX);
}

void producer_flush_gathered(struct producer *p, int64_t gather_ms)
{
	flush_since(p, clock_tick_ms() - (gather_ms < GATHER_MOST_MS ? gather_ms : GATHER_MOST_MS));
}

static void producer_delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
	struct producer *p = opaque;
	struct sent *sent = message->_private;
	struct sent_list start = { 0 };
	(void)rk;
	/* It may go again, with its headers. */
	if (message->err)
		rd_kafka_message_detach_headers((rd_kafka_message_t *)(uintptr_t)message,
			&sent->headers);
	else
		atomic_store_explicit(&p->no_brokers, false, memory_order_relaxed);
	producer_settle(p, sent, message->err, message->partition, &start);
	send_list(p, &start);
}

/* --- the client --- */

static void producer_failed(struct producer *p, rd_kafka_t *rk)
{
	char text[512];
	rd_kafka_resp_err_t cause = rd_kafka_fatal_error(rk, text, sizeof(text));
	atomic_store(&p->failed, true);
	if (atomic_exchange(&p->trouble, true))
		return;
	p->trouble_since = clock_tick_ms();
	log_error(p->log, "Kafka refuses the producer: replies wait, and new producers are tried",
		LOG_STR("error", rd_kafka_err2name(cause)), LOG_STR("reason", text),
		LOG_STR("help",
			send_error_is_right(cause)
				? "grant the worker's user the right WRITE on its reply "
				  "and dead-letter topics"
				: NULL));
}

static void producer_on_error(rd_kafka_t *rk, int error, const char *reason, void *opaque)
{
	struct producer *p = opaque;
	if (error == RD_KAFKA_RESP_ERR__FATAL) {
		producer_failed(p, rk);
		return;
	}
	if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
		atomic_store(&p->no_brokers, true);
	/* This includes unreachable brokers. The consumer reports those once; here they come with
	 * every attempt to start as an idempotent producer. */
	log_debug(p->log, "producer", LOG_STR("error", rd_kafka_err2name(error)),
		LOG_STR("reason", reason));
}

rd_kafka_conf_t *producer_conf(const struct config *config, char *error, size_t error_size)
{
	static const struct kafka_default defaults[] = {
		{ "linger.ms", "0" },
		{ "partitioner", "murmur2_random" }, /* like the Java client */
		{ NULL, NULL },
	};
	rd_kafka_conf_t *conf = kafka_conf(config, defaults, error, error_size);
	if (!conf)
		return NULL;
	kafka_set(conf, "enable.idempotence", "true");
	kafka_set(conf, "acks", "all");
	kafka_set(conf, "message.timeout.ms", "0");
	kafka_set_number(conf, "queue.buffering.max.messages", QUEUE_MESSAGES);
	kafka_set_number(conf, "queue.buffering.max.kbytes", QUEUE_KBYTES);
	kafka_set_number(conf, "message.max.bytes", MESSAGE_BYTES);
	kafka_set_number(conf, "topic.metadata.propagation.max.ms", PROPAGATION_MS);
	return conf;
}

static rd_kafka_t *producer_build(struct producer *p, char *error, size_t error_size)
{
	rd_kafka_conf_t *conf = producer_conf(p->config, error, error_size);
	if (!conf)
		return NULL;
	partitioner_set(&p->partitioner, conf);
	kafka_set_opaque(conf, &p->opaque);
	rd_kafka_conf_set_dr_msg_cb(conf, producer_delivered);
	rd_kafka_conf_set_error_cb(conf, producer_on_error);
	return kafka_new(RD_KAFKA_PRODUCER, conf, error, error_size);
}

/* Ends the client. The messages that its queues held go to the next one; what was in flight may be in
 * Kafka already, and then comes twice. */
static void client_end(struct producer *p)
{
	rd_kafka_purge(p->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	while (rd_kafka_outq_len(p->rk) > 0 && rd_kafka_poll(p->rk, POLL_MS) >= 0)
		;
	rd_kafka_destroy(p->rk);
}

static void client_start(struct producer *p)
{
	char error[512];
	p->rk = producer_build(p, error, sizeof(error));
	if (!p->rk) {
		/* The same configuration worked at the start, so the process lacks some resource.
		 * Nothing is lost. */
		log_error(p->log, "no new producer can be created", LOG_STR("error", error));
		abort();
	}
	p->built_at = clock_tick_ms();
}

static int64_t rebuild_delay_ms(const struct producer *p)
{
	int64_t delay = (int64_t)REBUILD_MS << (p->rebuilds > 4 ? 4 : p->rebuilds);
	return delay > REBUILD_MAX_MS ? REBUILD_MAX_MS : delay;
}

/* A client that failed rests for a while, then another one takes its place. */
static void producer_rebuild(struct producer *p)
{
	int64_t now = clock_tick_ms();
	if (!atomic_exchange(&p->down, true)) {
		p->rebuild_at = now + (now - p->built_at < ACCEPTED_MS ? rebuild_delay_ms(p) : 0);
		p->rebuilds++;
	}
	if (now < p->rebuild_at)
		return;
	pthread_rwlock_wrlock(&p->lock);
	client_end(p);
	client_start(p);
	atomic_store(&p->failed, false);
	atomic_store(&p->down, false);
	pthread_rwlock_unlock(&p->lock);
}

static void producer_look(struct producer *p)
{
	struct round_news news;
	int64_t now = clock_tick_ms();
	if (now - p->looked_at < LOOK_MS)
		return;
	p->looked_at = now;
	if (atomic_load(&p->down) || now - p->built_at < ACCEPTED_MS)
		return;
	p->rebuilds = 0;
	if (atomic_load(&p->no_brokers))
		return;
	cluster_accepts(p);
	rounds_look_for_silence(&p->rounds, &news);
	tell_news(p, &news);
}

static void *producer_run(void *arg)
{
	struct producer *p = arg;
	while (!atomic_load(&p->stopping)) {
		rd_kafka_poll(p->rk, POLL_MS);
		if (atomic_load(&p->failed))
			producer_rebuild(p);
		producer_look(p);
		/* Sends what waited for a retry, and what no executor has flushed. */
		producer_flush_gathered(p, GATHER_MOST_MS);
	}
	return NULL;
}

struct producer *producer_new(const struct config *config, struct lanes *lanes, struct log *log,
	struct metrics *metrics, char *error, size_t error_size)
{
	struct producer *p = alloc_zero(1, sizeof(*p));
	p->opaque.log = log;
	p->config = config;
	p->lanes = lanes;
	p->log = log;
	p->metrics = metrics;
	pthread_rwlock_init(&p->lock, NULL);
	rounds_init(&p->rounds, lanes, config->replies.missing_topic_ms);
	p->built_at = clock_tick_ms();
	p->rk = producer_build(p, error, error_size);
	p->rounds.partition = p->partitioner.by_key;
	if (!p->rk || pthread_create(&p->thread, NULL, producer_run, p)) {
		if (p->rk)
			rd_kafka_destroy(p->rk);
		free(p);
		return NULL;
	}
	return p;
}

bool producer_is_ready(struct producer *p, char *why, size_t size)
{
	if (atomic_load(&p->trouble)) {
		snprintf(why, size, "kafka: the cluster refuses the producer, so replies wait");
		return false;
	}
	return !rounds_lack_right(&p->rounds, why, size);
}

void producer_send(struct producer *p, const struct outgoing *message,
	const struct delivery *delivery)
{
	if (delivery->lane)
		lane_ref(p->lanes, delivery->lane);
	metrics_gauge_add(p->metrics, GAUGE_REPLIES_IN_FLIGHT, 1);
	rounds_hold(&p->rounds, sent_new(message, delivery), message->topic);
}

struct stored_send {
	struct producer *producer;
	const struct delivery *delivery;
};

static void send_one_stored(void *arg, const struct outgoing *message)
{
	const struct stored_send *send = arg;
	producer_send(send->producer, message, send->delivery);
}

size_t producer_send_stored(struct producer *p, const void *payload, size_t size,
	const struct delivery *delivery)
{
	struct stored_send send = { p, delivery };
	bool bad;
	return outgoing_each(payload, size, send_one_stored, &send, &bad);
}

void producer_free(struct producer *p, int timeout_ms)
{
	if (!p)
		return;
	producer_flush(p);
	pthread_rwlock_rdlock(&p->lock);
	if (rd_kafka_flush(p->rk, timeout_ms))
		log_warn(p->log, "unacknowledged replies stay in the outbox for the next worker",
			LOG_INT("count", rd_kafka_outq_len(p->rk)));
	pthread_rwlock_unlock(&p->lock);
	atomic_store(&p->stopping, true);
	pthread_join(p->thread, NULL);
	rd_kafka_purge(p->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	rd_kafka_flush(p->rk, POLL_MS);
	struct sent_list held = rounds_drop(&p->rounds);
	drop_list(p, &held);
	rd_kafka_destroy(p->rk);
	rounds_free(&p->rounds);
	pthread_rwlock_destroy(&p->lock);
	free(p);
}
