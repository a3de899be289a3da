/* topic_watch.c - asks for the ids of topics after each metadata response of the consumer */
#include "worker/kafka/topic_watch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"
#include "schemas/base/clock.h"
#include "worker/kafka/topic_ids.h"
#include "worker/lanes/fetch.h"

#define API_METADATA 3
/* An answer may take this long; after each failure twice as long, because brokers may be slow. */
#define ASK_MS 2000
#define ASK_MAX_MS 60000
/* After an answer that does not settle everything. */
#define ASK_AGAIN_MS 500
/* One broker may know less than another: a lane stops only when this many answers in a row name another id. */
#define ANSWERS_TO_STOP 2

struct topic_watch {
	rd_kafka_t *admin;
	struct lanes *lanes;
	struct read_rights *rights;
	struct log *log;
	rd_kafka_queue_t *queue;
	atomic_ullong responses; /* metadata responses of the consumer's client */
	pthread_mutex_t mutex;   /* of `detached` */
	bool detached;
	unsigned long long asked; /* `responses` when it asked last */
	bool asking;
	int patience_ms; /* how long the next answer may take */
	bool wanted;     /* a lane waits that the last question may have left out */
	bool unsettled;  /* the answer being read leaves a lane waiting */
	int64_t ask_at;  /* clock_tick_ms; not before */
	bool logged;     /* the log says that a topic cannot be described */
};

struct topic_watch *topic_watch_new(rd_kafka_t *admin, struct lanes *lanes,
	struct read_rights *rights, struct log *log)
{
	struct topic_watch *watch = alloc_zero(1, sizeof(*watch));
	static const uint64_t one = 1;
	watch->admin = admin;
	watch->lanes = lanes;
	watch->rights = rights;
	watch->log = log;
	watch->queue = rd_kafka_queue_new(admin);
	watch->patience_ms = ASK_MS;
	atomic_init(&watch->responses, 1);
	pthread_mutex_init(&watch->mutex, NULL);
	rd_kafka_queue_io_event_enable(watch->queue, lanes_wake_fd(lanes), &one, sizeof(one));
	return watch;
}

void topic_watch_detach(struct topic_watch *watch)
{
	rd_kafka_queue_io_event_enable(watch->queue, -1, NULL, 0);
	pthread_mutex_lock(&watch->mutex);
	watch->detached = true;
	pthread_mutex_unlock(&watch->mutex);
}

void topic_watch_free(struct topic_watch *watch)
{
	if (!watch)
		return;
	rd_kafka_queue_destroy(watch->queue);
	pthread_mutex_destroy(&watch->mutex);
	free(watch);
}

/* --- the interceptor: librdkafka calls it before it reads the response --- */

static rd_kafka_resp_err_t on_response(rd_kafka_t *rk, int fd, const char *broker, int32_t id,
	int16_t api, int16_t version, int32_t correlation, size_t size, int64_t rtt,
	rd_kafka_resp_err_t error, void *opaque)
{
	struct topic_watch *watch = opaque;
	(void)rk, (void)fd, (void)broker, (void)id, (void)version, (void)correlation, (void)size;
	(void)rtt, (void)error;
	if (api != API_METADATA)
		return RD_KAFKA_RESP_ERR_NO_ERROR;
	atomic_fetch_add(&watch->responses, 1);
	pthread_mutex_lock(&watch->mutex);
	if (!watch->detached)
		lanes_wake(watch->lanes);
	pthread_mutex_unlock(&watch->mutex);
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t on_new(rd_kafka_t *rk, const rd_kafka_conf_t *conf, void *opaque,
	char *error, size_t error_size)
{
	(void)conf, (void)error, (void)error_size;
	return rd_kafka_interceptor_add_on_response_received(rk, "topic_watch", on_response,
		opaque);
}

void topic_watch_conf(struct topic_watch *watch, rd_kafka_conf_t *conf)
{
	rd_kafka_conf_interceptor_add_on_new(conf, "topic_watch", on_new, watch);
}

bool topic_watch_is_sure(struct topic_watch *watch, const struct lane *lane)
{
	bool sure = lane_proven(lane) == atomic_load(&watch->responses);
	watch->wanted = watch->wanted || !sure;
	return sure;
}

/* --- answers --- */

static void watch_stop_lane(struct topic_watch *watch, struct lane *lane)
{
	log_error(watch->log, "partition stopped", LOG_STR("topic", lane->topic),
		LOG_INT("partition", lane->partition),
		LOG_STR("reason", "the topic was deleted and created again"),
		LOG_INT("offset", lane->offsets.next),
		LOG_STR("help",
			"set the offset to continue from with `stowage offsets set`, then restart; nothing "
			"of the new topic was applied or skipped"));
	lanes_stop(watch->lanes, lane, "the topic was deleted and created again");
}

static void watch_tell(struct topic_watch *watch, const struct topic_id *topic)
{
	if (watch->logged || topic->error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
		topic->error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
		return;
	watch->logged = true;
	log_warn(watch->log,
		"a topic cannot be described: its partitions wait, for it may be another topic now",
		LOG_STR("topic", topic->topic), LOG_STR("error", rd_kafka_err2str(topic->error)));
}

static const char *missing_right(const struct topic_id *topic)
{
	if (topic->error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
		return "Describe";
	return topic_ids_forbid_read(topic) ? "Read" : NULL;
}

static void watch_read_topic(void *arg, const struct topic_id *topic)
{
	struct topic_watch *watch = arg;
	read_rights_answer(watch->rights, topic->topic, missing_right(topic));
	if (topic->error) {
		watch->unsettled = true;
		watch_tell(watch, topic);
		return;
	}
	for (size_t i = 0; i < lanes_count(watch->lanes); i++) {
		struct lane *lane = lanes_at(watch->lanes, i);
		if (strcmp(lane->topic, topic->topic) != 0)
			continue;
		int others = lane_prove(watch->lanes, lane, topic->id, watch->asked);
		watch->unsettled = watch->unsettled || others > 0;
		if (others >= ANSWERS_TO_STOP)
			watch_stop_lane(watch, lane);
	}
}

static void watch_read(struct topic_watch *watch)
{
	rd_kafka_event_t *event = rd_kafka_queue_poll(watch->queue, 0);
	if (!event)
		return;
	watch->asking = false;
	watch->unsettled = false;
	if (topic_ids_read(event, watch_read_topic, watch)) {
		watch->patience_ms = ASK_MS;
	} else {
		watch->unsettled = true;
		watch->patience_ms *= watch->patience_ms < ASK_MAX_MS ? 2 : 1;
	}
	rd_kafka_event_destroy(event);
	watch->logged = watch->logged && watch->unsettled;
	watch->wanted = watch->wanted || watch->unsettled;
	bool again = watch->unsettled || read_rights_at(watch->rights, 0);
	watch->ask_at = again ? clock_tick_ms() + ASK_AGAIN_MS : 0;
}

/* --- questions --- */

static bool is_listed(const char *const *names, size_t count, const char *name)
{
	for (size_t i = count; i-- > 0;)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* Collects the topics of lanes that wait for proof, and those on which a right may be missing. */
static size_t watch_topics(struct topic_watch *watch, const char ***names)
{
	size_t lanes = lanes_count(watch->lanes), suspects = 0, count = 0;
	const char *suspect;
	while (read_rights_at(watch->rights, suspects))
		suspects++;
	*names = alloc_zero(lanes + suspects + 1, sizeof(**names));
	for (size_t i = 0; (suspect = read_rights_at(watch->rights, i)); i++)
		(*names)[count++] = suspect;
	for (size_t i = 0; i < lanes; i++) {
		struct lane *lane = lanes_at(watch->lanes, i);
		if (lane_awaits_proof(watch->lanes, lane, watch->asked) &&
			!is_listed(*names, count, lane->topic))
			(*names)[count++] = lane->topic;
	}
	return count;
}

static void watch_ask(struct topic_watch *watch)
{
	const char **names;
	watch->asked = atomic_load(&watch->responses);
	watch->wanted = false;
	size_t count = watch_topics(watch, &names);
	if (count > 0) {
		watch->asking = true;
		topic_ids_ask_rights(watch->admin, names, count, watch->patience_ms, watch->queue);
	}
	free(names);
}

void topic_watch_serve(struct topic_watch *watch)
{
	if (watch->asking)
		watch_read(watch);
	bool due = watch->wanted || atomic_load(&watch->responses) != watch->asked ||
		read_rights_at(watch->rights, 0);
	if (due && !watch->asking && clock_tick_ms() >= watch->ask_at)
		watch_ask(watch);
}
