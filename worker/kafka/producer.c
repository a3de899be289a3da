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
#include "worker/kafka/rounds.h"
#include "worker/lanes/replies.h"

#define POLL_MS 100
/* librdkafka's queue: rounds bound it, and a single message of any size must fit. */
#define QUEUE_MESSAGES 50000
#define QUEUE_KBYTES 2097151
/* Nothing is held longer on purpose; POLL_MS more if no executor flushes. */
#define GATHER_MOST_MS 50
/* A reply that was not delivered is sent again after this delay. */
#define RESEND_MS 5000
/* librdkafka's own limit: the dead letter of an oversized command carries the whole command. */
#define MESSAGE_BYTES 1000000000

struct producer {
	struct kafka_opaque opaque; /* first: this struct is librdkafka's opaque */
	const struct config *config;
	struct lanes *lanes;
	struct log *log;
	struct metrics *metrics;
	pthread_rwlock_t lock; /* sending: read; rebuilding: write */
	rd_kafka_t *rk;
	atomic_bool failed; /* the idempotent producer had a fatal error */
	atomic_bool stopping;
	atomic_bool closing;    /* senders no longer wait */
	atomic_bool rebuilding; /* messages of the old client are lost, not failed */
	struct rounds rounds;
	pthread_t thread;
};

/* Kafka will never accept this message, however often it is sent. */
static bool is_refusal(rd_kafka_resp_err_t error)
{
	switch (error) {
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
	case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
	case RD_KAFKA_RESP_ERR_INVALID_RECORD:
	case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
	case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
	case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
	case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
	case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
	case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
	case RD_KAFKA_RESP_ERR__INVALID_ARG:
		return true;
	default:
		return false;
	}
}

static void stop_lane(struct producer *p, struct lane *lane, const char *topic, const char *why)
{
	log_error(p->log, "partition stopped: its dead letter can't be produced",
		LOG_STR("topic", lane->topic), LOG_INT("partition", lane->partition),
		LOG_STR("dead_letter_topic", topic), LOG_STR("error", why),
		LOG_STR("help",
			"create the topic (stowage topics create) or raise its max.message.bytes, "
			"then restart: nothing is lost"));
	lanes_stop(p->lanes, lane, "its dead letter can't be produced");
}

/* --- rounds --- */

static void release_sent(struct producer *p, struct sent *sent)
{
	if (sent->delivery.lane)
		lane_unref(p->lanes, sent->delivery.lane);
	sent_free(sent);
}

static rd_kafka_resp_err_t producer_produce(struct producer *p, struct sent *sent)
{
	/* After rd_kafka_producev the message may be delivered, and freed, at any moment. */
	rd_kafka_headers_t *headers = sent->headers;
	sent->headers = NULL;
	pthread_rwlock_rdlock(&p->lock);
	rd_kafka_resp_err_t error = rd_kafka_producev(p->rk, RD_KAFKA_V_TOPIC(sent->round->topic),
		RD_KAFKA_V_PARTITION(sent->partition < 0 ? RD_KAFKA_PARTITION_UA : sent->partition),
		RD_KAFKA_V_KEY(sent->key, sent->key_size),
		RD_KAFKA_V_VALUE(sent->value, sent->value_size),
		RD_KAFKA_V_TIMESTAMP(sent->timestamp_ms), RD_KAFKA_V_HEADERS(headers),
		RD_KAFKA_V_OPAQUE(sent), RD_KAFKA_V_END);
	pthread_rwlock_unlock(&p->lock);
	if (error)
		sent->headers = headers;
	return error;
}

static void producer_settle(struct producer *p, struct sent *sent, rd_kafka_resp_err_t error);

static void send_round(struct producer *p, struct sent *first)
{
	for (struct sent *sent = first, *next; sent; sent = next) {
		next = sent->next;
		rd_kafka_resp_err_t error = producer_produce(p, sent);
		if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
			rounds_hold_again(&p->rounds, sent);
			return;
		}
		if (error)
			producer_settle(p, sent, error);
	}
}

/* Sends what has been held since `tick` or longer. */
static void flush_since(struct producer *p, int64_t tick)
{
	struct round *at = NULL;
	struct sent *first;
	while ((first = rounds_start(&p->rounds, &at, tick)))
		send_round(p, first);
}

void producer_flush(struct producer *p)
{
	flush_since(p, INT64_MAX);
}

void producer_flush_gathered(struct producer *p, int64_t gather_ms)
{
	flush_since(p, clock_tick_ms() - (gather_ms < GATHER_MOST_MS ? gather_ms : GATHER_MOST_MS));
}

/* Held messages belong to lanes that executors claim again, or to the next worker: they are in the
 * outbox, or their reads run again. */
static void drop_held(struct producer *p)
{
	for (struct sent *sent = rounds_drop(&p->rounds), *next; sent; sent = next) {
		next = sent->next;
		metrics_gauge_add(p->metrics, GAUGE_REPLIES_IN_FLIGHT, -1);
		if (!sent->delivery.lane)
			sent->delivery.done(sent->delivery.arg, SENT_LOST);
		release_sent(p, sent);
	}
}

/* --- the end of a message --- */

static void reply_refused(struct producer *p, const struct sent *sent, rd_kafka_resp_err_t error)
{
	const struct lane *lane = sent->delivery.lane;
	metrics_add(p->metrics, METRIC_REPLIES_REFUSED, 1);
	log_error(p->log, "reply given up: Kafka refuses it",
		LOG_STR("reply_to", sent->round->topic), LOG_STR("error", rd_kafka_err2str(error)),
		LOG_STR("topic", lane ? lane->topic : NULL),
		LOG_INT("partition", lane ? lane->partition : -1));
}

static void settle_lane(struct producer *p, const struct sent *sent, rd_kafka_resp_err_t error)
{
	const struct delivery *delivery = &sent->delivery;
	if (error && sent->dead_letter && is_refusal(error))
		stop_lane(p, delivery->lane, sent->round->topic, rd_kafka_err2str(error));
	if (!error || is_refusal(error)) {
		lane_ref(p->lanes, delivery->lane);
		lanes_reply_done(p->lanes, delivery->lane, delivery->generation, delivery->stored,
			delivery->read_offset);
	} else if (!atomic_load(&p->rebuilding) && !atomic_load(&p->stopping)) {
		/* The next claim sends it again, as for all lanes when the producer fails. */
		log_warn(p->log, "a reply was not delivered: its partition sends it again",
			LOG_STR("reply_to", sent->round->topic),
			LOG_STR("error", rd_kafka_err2str(error)),
			LOG_STR("topic", delivery->lane->topic),
			LOG_INT("partition", delivery->lane->partition));
		lanes_reclaim(p->lanes, delivery->lane, delivery->generation, RESEND_MS);
	}
}

static void settle_other(const struct sent *sent, rd_kafka_resp_err_t error)
{
	bool gone = error && is_refusal(error) && sent->dead_letter;
	bool lost = error && !is_refusal(error);
	sent->delivery.done(sent->delivery.arg,
		gone           ? SENT_REFUSED
			: lost ? SENT_LOST
			       : SENT_ACKED);
}

static void producer_settle(struct producer *p, struct sent *sent, rd_kafka_resp_err_t error)
{
	struct round *round = sent->round;
	metrics_gauge_add(p->metrics, GAUGE_REPLIES_IN_FLIGHT, -1);
	if (!error)
		metrics_add(p->metrics, sent->dead_letter ? METRIC_DEAD_LETTERS : METRIC_REPLIES,
			1);
	else if (!sent->dead_letter && is_refusal(error))
		reply_refused(p, sent, error);
	if (sent->delivery.lane)
		settle_lane(p, sent, error);
	else
		settle_other(sent, error);
	release_sent(p, sent);
	send_round(p, rounds_end_one(&p->rounds, round, !atomic_load(&p->rebuilding)));
}

static void producer_delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
	(void)rk;
	producer_settle(opaque, message->_private, message->err);
}

static void producer_on_error(rd_kafka_t *rk, int error, const char *reason, void *opaque)
{
	struct producer *p = opaque;
	char text[512];
	if (error == RD_KAFKA_RESP_ERR__FATAL) {
		rd_kafka_resp_err_t cause = rd_kafka_fatal_error(rk, text, sizeof(text));
		log_error(p->log, "producer failed: creating a new one",
			LOG_STR("error", rd_kafka_err2name(cause)), LOG_STR("reason", text));
		atomic_store(&p->failed, true);
	} else {
		/* This includes unreachable brokers. The consumer reports those once; here they
		 * come with every attempt to start as an idempotent producer. */
		log_debug(p->log, "producer", LOG_STR("error", rd_kafka_err2name(error)),
			LOG_STR("reason", reason));
	}
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
	return conf;
}

static rd_kafka_t *producer_build(struct producer *p, char *error, size_t error_size)
{
	rd_kafka_conf_t *conf = producer_conf(p->config, error, error_size);
	if (!conf)
		return NULL;
	kafka_set_opaque(conf, &p->opaque);
	rd_kafka_conf_set_dr_msg_cb(conf, producer_delivered);
	rd_kafka_conf_set_error_cb(conf, producer_on_error);
	return kafka_new(RD_KAFKA_PRODUCER, conf, error, error_size);
}

/* Drops the client with what its queues hold, and makes another one. Executors claim all lanes
 * again. */
static void producer_rebuild(struct producer *p)
{
	char error[512];
	pthread_rwlock_wrlock(&p->lock);
	atomic_store(&p->rebuilding, true);
	rd_kafka_purge(p->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	while (rd_kafka_outq_len(p->rk) > 0 && rd_kafka_poll(p->rk, POLL_MS) >= 0)
		;
	rd_kafka_destroy(p->rk);
	p->rk = producer_build(p, error, sizeof(error));
	if (!p->rk) {
		/* The same configuration worked at the start, so the process lacks some resource.
		 * Nothing is lost. */
		log_error(p->log, "no new producer can be created", LOG_STR("error", error));
		abort();
	}
	atomic_store(&p->failed, false);
	atomic_store(&p->rebuilding, false);
	drop_held(p);
	pthread_rwlock_unlock(&p->lock);
	lanes_reclaim_all(p->lanes);
}

static void *producer_run(void *arg)
{
	struct producer *p = arg;
	while (!atomic_load(&p->stopping)) {
		rd_kafka_poll(p->rk, POLL_MS);
		if (atomic_load(&p->failed))
			producer_rebuild(p);
		/* Sends what a full queue held back while nothing of its round was in flight, and
		 * what no executor has flushed. */
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
	rounds_init(&p->rounds);
	p->rk = producer_build(p, error, error_size);
	if (!p->rk || pthread_create(&p->thread, NULL, producer_run, p)) {
		if (p->rk)
			rd_kafka_destroy(p->rk);
		free(p);
		return NULL;
	}
	return p;
}

static void producer_pause_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
}

void producer_send(struct producer *p, const struct outgoing *message,
	const struct delivery *delivery)
{
	if (delivery->lane)
		lane_ref(p->lanes, delivery->lane);
	metrics_gauge_add(p->metrics, GAUGE_REPLIES_IN_FLIGHT, 1);
	bool full = rounds_hold(&p->rounds, sent_new(message, delivery), message->topic);
	while (full && !atomic_load(&p->closing)) {
		producer_flush(p);
		producer_pause_ms(2);
		full = rounds_are_full(&p->rounds);
	}
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

void producer_close(struct producer *p)
{
	atomic_store(&p->closing, true);
}

void producer_free(struct producer *p, int timeout_ms)
{
	if (!p)
		return;
	producer_close(p);
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
	drop_held(p);
	rd_kafka_destroy(p->rk);
	rounds_free(&p->rounds);
	pthread_rwlock_destroy(&p->lock);
	free(p);
}
