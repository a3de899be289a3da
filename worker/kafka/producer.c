/* producer.c - see producer.h */
#include "worker/kafka/producer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"
#include "schemas/base/clock.h"
#include "worker/kafka/client_conf.h"

#define POLL_MS 100
/* librdkafka's queue: rounds bound it, and a single message of any size must pass. */
#define QUEUE_MESSAGES 50000
#define QUEUE_KBYTES 2097151
/* Longer nothing is held on purpose, and POLL_MS more where nobody comes by. */
#define GATHER_MOST_MS 50
/* A reply that was not delivered goes again so much later. */
#define RESEND_MS 5000
/* Held for the next round; beyond it senders wait. */
#define HELD_BYTES (4 * 1024 * 1024)
/* librdkafka's own limit: a command that was too large for us goes to its dead letters whole. */
#define MESSAGE_BYTES 1000000000

/* A message that waits for its round or is on its way: a copy of what was given, in one block
 * that librdkafka reads from until it is delivered. */
struct sent {
	struct sent *next;
	struct round *round;
	struct delivery delivery;
	bool dead_letter;
	int32_t partition;
	int64_t timestamp_ms;
	rd_kafka_headers_t *headers; /* NULL once librdkafka has them */
	void *key, *value;           /* into `bytes`; NULL: none */
	size_t key_size, value_size;
	char bytes[];
};

/*
 * The messages of one topic go in rounds: what comes while a round is on its way is held and
 * goes as the next one. Alone a message leaves at once; under load a round is one request to
 * the broker. An idempotent producer given message after message instead sends requests of a
 * few, and librdkafka's broker thread spins while five are not acknowledged.
 */
struct round {
	struct round *next;
	char *topic;
	size_t in_flight;
	struct sent *held, **held_end;
	int64_t held_since; /* clock_tick_ms, of the first */
	bool due;           /* what is held is to leave as soon as nothing is in flight */
};

struct producer {
	struct kafka_opaque opaque; /* first: librdkafka's opaque */
	const struct config *config;
	struct lanes *lanes;
	struct log *log;
	struct metrics *metrics;
	pthread_rwlock_t lock; /* sending: read; rebuilding: write */
	rd_kafka_t *rk;
	atomic_bool failed; /* the idempotent producer can't go on */
	atomic_bool stopping;
	atomic_bool closing;    /* senders wait no longer */
	atomic_bool rebuilding; /* what is lost goes with its producer */
	pthread_mutex_t mutex;  /* guards the rounds */
	struct round *rounds;
	size_t held_bytes;
	pthread_t thread;
};

/* Kafka will never take this message, however often it is sent. */
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
			"make the topic (stowage topics create) or raise its max.message.bytes, "
			"then restart: nothing is lost"));
	lanes_stop(p->lanes, lane);
}

/* --- rounds --- */

static void sent_free(struct producer *p, struct sent *sent)
{
	if (sent->headers)
		rd_kafka_headers_destroy(sent->headers);
	if (sent->delivery.lane)
		lane_unref(p->lanes, sent->delivery.lane);
	free(sent);
}

static size_t sent_bytes(const struct sent *sent)
{
	return sizeof(*sent) + sent->key_size + sent->value_size;
}

static struct round *find_round(struct producer *p, const char *topic)
{
	struct round *round = p->rounds;
	while (round && strcmp(round->topic, topic) != 0)
		round = round->next;
	if (round)
		return round;
	round = alloc_zero(1, sizeof(*round));
	round->topic = alloc_copy(topic);
	round->held_end = &round->held;
	round->next = p->rounds;
	p->rounds = round;
	return round;
}

static rd_kafka_resp_err_t producer_produce(struct producer *p, struct sent *sent)
{
	/* Once it is produced it may be delivered, and freed, at any moment. */
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

/* Takes what the round holds as messages in flight. With the mutex held. */
static struct sent *take_round(struct producer *p, struct round *round)
{
	struct sent *first = round->held;
	for (struct sent *sent = first; sent; sent = sent->next) {
		round->in_flight++;
		p->held_bytes -= sent_bytes(sent);
	}
	round->held = NULL;
	round->held_end = &round->held;
	round->due = false;
	return first;
}

/* librdkafka's queue is full: the rest waits for the next round. */
static void hold_again(struct producer *p, struct sent *first)
{
	struct round *round = first->round;
	struct sent *last = first;
	pthread_mutex_lock(&p->mutex);
	for (struct sent *sent = first; sent; sent = sent->next) {
		last = sent;
		round->in_flight--;
		p->held_bytes += sent_bytes(sent);
	}
	last->next = round->held;
	if (!round->held)
		round->held_end = &last->next;
	round->held = first;
	round->due = true;
	pthread_mutex_unlock(&p->mutex);
}

static void producer_settle(struct producer *p, struct sent *sent, rd_kafka_resp_err_t error);

static void send_round(struct producer *p, struct sent *first)
{
	for (struct sent *sent = first, *next; sent; sent = next) {
		next = sent->next;
		rd_kafka_resp_err_t error = producer_produce(p, sent);
		if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
			hold_again(p, sent);
			return;
		}
		if (error)
			producer_settle(p, sent, error);
	}
}

/* One message of the round has ended; the last one lets the next round go. */
static void end_of_one(struct producer *p, struct round *round)
{
	struct sent *first = NULL;
	pthread_mutex_lock(&p->mutex);
	if (--round->in_flight == 0 && round->due && !atomic_load(&p->rebuilding))
		first = take_round(p, round);
	pthread_mutex_unlock(&p->mutex);
	send_round(p, first);
}

/* What has been held since then, or earlier, is due. */
static void flush_since(struct producer *p, int64_t tick)
{
	pthread_mutex_lock(&p->mutex);
	for (struct round *round = p->rounds; round; round = round->next) {
		if (!round->held || (!round->due && round->held_since > tick))
			continue;
		round->due = true;
		if (round->in_flight > 0)
			continue;
		struct sent *first = take_round(p, round);
		pthread_mutex_unlock(&p->mutex);
		send_round(p, first);
		pthread_mutex_lock(&p->mutex);
	}
	pthread_mutex_unlock(&p->mutex);
}

void producer_flush(struct producer *p)
{
	flush_since(p, INT64_MAX);
}

void producer_flush_gathered(struct producer *p, int64_t gather_ms)
{
	flush_since(p, clock_tick_ms() - (gather_ms < GATHER_MOST_MS ? gather_ms : GATHER_MOST_MS));
}

/* What is held belongs to lanes that are taken anew, or to the next worker: it is in the outbox,
 * or its read is run again. */
static void drop_held(struct producer *p)
{
	pthread_mutex_lock(&p->mutex);
	for (struct round *round = p->rounds; round; round = round->next) {
		struct sent *sent = take_round(p, round);
		while (sent) {
			struct sent *next = sent->next;
			round->in_flight--;
			metrics_gauge_add(p->metrics, GAUGE_REPLIES_IN_FLIGHT, -1);
			if (!sent->delivery.lane)
				sent->delivery.done(sent->delivery.arg, SENT_LOST);
			sent_free(p, sent);
			sent = next;
		}
	}
	pthread_mutex_unlock(&p->mutex);
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
		lanes_reply_done(p->lanes, delivery->lane, delivery->reply_generation,
			delivery->stored, delivery->read_offset);
	} else if (!atomic_load(&p->rebuilding) && !atomic_load(&p->stopping)) {
		/* The partition claimed anew sends it again, as all lanes do when the producer fails. */
		log_warn(p->log, "a reply was not delivered: its partition sends it again",
			LOG_STR("reply_to", sent->round->topic),
			LOG_STR("error", rd_kafka_err2str(error)),
			LOG_STR("topic", delivery->lane->topic),
			LOG_INT("partition", delivery->lane->partition));
		lanes_reclaim(p->lanes, delivery->lane, delivery->reply_generation, RESEND_MS);
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
	sent_free(p, sent);
	end_of_one(p, round);
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
		log_error(p->log, "producer failed, building a new one",
			LOG_STR("error", rd_kafka_err2name(cause)), LOG_STR("reason", text));
		atomic_store(&p->failed, true);
	} else {
		/* Brokers that are away too: the consumer tells of them, once, where this comes with each
		 * try to begin as an idempotent producer. */
		log_debug(p->log, "producer", LOG_STR("error", rd_kafka_err2name(error)),
			LOG_STR("reason", reason));
	}
}

static rd_kafka_t *producer_build(struct producer *p, char *error, size_t error_size)
{
	static const struct kafka_default defaults[] = {
		{ "linger.ms", "0" },
		{ "partitioner", "murmur2_random" }, /* as the Java client's */
		{ NULL, NULL },
	};
	rd_kafka_conf_t *conf = kafka_conf(p->config, defaults, error, error_size);
	if (!conf)
		return NULL;
	kafka_set(conf, "enable.idempotence", "true");
	kafka_set(conf, "acks", "all");
	kafka_set(conf, "message.timeout.ms", "0");
	kafka_set_number(conf, "queue.buffering.max.messages", QUEUE_MESSAGES);
	kafka_set_number(conf, "queue.buffering.max.kbytes", QUEUE_KBYTES);
	kafka_set_number(conf, "message.max.bytes", MESSAGE_BYTES);
	kafka_set_opaque(conf, &p->opaque);
	rd_kafka_conf_set_dr_msg_cb(conf, producer_delivered);
	rd_kafka_conf_set_error_cb(conf, producer_on_error);
	return kafka_new(RD_KAFKA_PRODUCER, conf, error, error_size);
}

/* Drops the producer with what is in its queues (their lanes are taken anew), makes another. */
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
		/* It could be made at the start: the process is out of something. Nothing is lost. */
		log_error(p->log, "no new producer can be made", LOG_STR("error", error));
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
		/* What a full queue held up while nothing of its round was in flight, and what no executor
		 * has come by for. */
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
	pthread_mutex_init(&p->mutex, NULL);
	p->rk = producer_build(p, error, error_size);
	if (!p->rk || pthread_create(&p->thread, NULL, producer_run, p)) {
		if (p->rk)
			rd_kafka_destroy(p->rk);
		free(p);
		return NULL;
	}
	return p;
}

rd_kafka_t *producer_client(const struct producer *p)
{
	return p->rk;
}

static rd_kafka_headers_t *headers_of(const struct outgoing *message)
{
	rd_kafka_headers_t *headers = rd_kafka_headers_new(message->header_count);
	for (size_t i = 0; i < message->header_count; i++)
		rd_kafka_header_add(headers, message->headers[i].name, -1,
			message->headers[i].value, (ssize_t)message->headers[i].size);
	return headers;
}

static void *producer_copy(char **at, const void *bytes, size_t size)
{
	if (!bytes)
		return NULL;
	char *to = *at;
	if (size)
		memcpy(to, bytes, size);
	*at += size;
	return to;
}

static struct sent *sent_new(const struct outgoing *message, const struct delivery *delivery)
{
	/* One byte more: an empty key or value is not a missing one, so it has an address. */
	struct sent *sent = alloc_zero(1,
		sizeof(*sent) + message->key_size + message->value_size + 1);
	char *at = sent->bytes;
	sent->delivery = *delivery;
	sent->dead_letter = message->dead_letter;
	sent->partition = message->partition;
	sent->timestamp_ms = message->timestamp_ms;
	sent->headers = headers_of(message);
	sent->key = producer_copy(&at, message->key, message->key_size);
	sent->key_size = message->key_size;
	sent->value = producer_copy(&at, message->value, message->value_size);
	sent->value_size = message->value_size;
	return sent;
}

static bool producer_hold(struct producer *p, struct sent *sent, const char *topic)
{
	pthread_mutex_lock(&p->mutex);
	struct round *round = find_round(p, topic);
	sent->round = round;
	if (!round->held)
		round->held_since = clock_tick_ms();
	*round->held_end = sent;
	round->held_end = &sent->next;
	p->held_bytes += sent_bytes(sent);
	bool full = p->held_bytes > HELD_BYTES;
	pthread_mutex_unlock(&p->mutex);
	return full;
}

static bool producer_is_full(struct producer *p)
{
	pthread_mutex_lock(&p->mutex);
	bool full = p->held_bytes > HELD_BYTES;
	pthread_mutex_unlock(&p->mutex);
	return full;
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
	bool full = producer_hold(p, sent_new(message, delivery), message->topic);
	while (full && !atomic_load(&p->closing)) {
		producer_flush(p);
		producer_pause_ms(2);
		full = producer_is_full(p);
	}
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
		log_warn(p->log, "replies not yet acknowledged are kept for the next worker",
			LOG_INT("count", rd_kafka_outq_len(p->rk)));
	pthread_rwlock_unlock(&p->lock);
	atomic_store(&p->stopping, true);
	pthread_join(p->thread, NULL);
	rd_kafka_purge(p->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	rd_kafka_flush(p->rk, POLL_MS);
	drop_held(p);
	rd_kafka_destroy(p->rk);
	while (p->rounds) {
		struct round *next = p->rounds->next;
		free(p->rounds->topic);
		free(p->rounds);
		p->rounds = next;
	}
	pthread_rwlock_destroy(&p->lock);
	pthread_mutex_destroy(&p->mutex);
	free(p);
}
