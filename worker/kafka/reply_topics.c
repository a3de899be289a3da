/* reply_topics.c - looks reply topics up, many at once, and caches the answers */
#include "worker/kafka/reply_topics.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"
#include "schemas/base/clock.h"
#include "schemas/base/siphash.h"
#include "worker/kafka/send_error.h"
#include "worker/kafka/topic_ids.h"

#define ASK_TIMEOUT_MS 10000
/* How long an answer is kept. A missing topic may be created at any moment. */
#define KEEP_THERE_MS 60000
#define KEEP_MISSING_MS 2000
#define KEEP_UNSURE_MS 500
/* A topic is missing if the brokers do not know it for this long: longer if it was there before, because
 * it may be created again. */
#define DOUBT_MS 1000
#define DOUBT_THERE_MS 5000
/* Nobody has asked for a forbidden topic for this long: no command waits for it. */
#define FORGET_MS 10000
/* Names come from strangers, though only allowed ones get here, so the cache is bounded. */
#define KEEP_COUNT 8192
#define SLOTS 4096

struct known_topic {
	struct known_topic *next; /* in its slot */
	char *name;
	size_t size;
	enum reply_topic answer;
	bool was_there, forbidden;
	int32_t partitions;
	int64_t until;         /* clock_tick_ms */
	int64_t missing_since; /* clock_tick_ms; 0: it was not missing last time */
	int64_t asked_at;      /* clock_tick_ms */
};

struct reply_topics {
	rd_kafka_t *rk;
	struct log *log;
	struct siphash_seed seed;
	pthread_mutex_t mutex;
	struct known_topic *slots[SLOTS];
	struct known_topic known[KEEP_COUNT];
	size_t count, oldest;
	bool silent; /* no broker answered last time */
};

struct reply_topics *reply_topics_new(rd_kafka_t *rk, struct log *log)
{
	struct reply_topics *topics = alloc_zero(1, sizeof(*topics));
	topics->rk = rk;
	topics->log = log;
	topics->seed = siphash_seed();
	pthread_mutex_init(&topics->mutex, NULL);
	return topics;
}

void reply_topics_free(struct reply_topics *topics)
{
	if (!topics)
		return;
	for (size_t i = 0; i < topics->count; i++)
		free(topics->known[i].name);
	pthread_mutex_destroy(&topics->mutex);
	free(topics);
}

/* --- the cache: with the mutex held --- */

static struct known_topic **slot_for(struct reply_topics *topics, const char *name, size_t size)
{
	return &topics->slots[siphash(topics->seed, name, size) % SLOTS];
}

static struct known_topic *find_known(struct reply_topics *topics, const char *name, size_t size)
{
	struct known_topic *known = *slot_for(topics, name, size);
	while (known && (known->size != size || memcmp(known->name, name, size) != 0))
		known = known->next;
	return known;
}

static void forget_known(struct reply_topics *topics, struct known_topic *known)
{
	struct known_topic **at = slot_for(topics, known->name, known->size);
	while (*at != known)
		at = &(*at)->next;
	*at = known->next;
	free(known->name);
}

static struct known_topic *add_known(struct reply_topics *topics, const char *name)
{
	size_t size = strlen(name);
	struct known_topic *known = find_known(topics, name, size);
	if (known)
		return known;
	if (topics->count < KEEP_COUNT) {
		known = &topics->known[topics->count++];
	} else {
		known = &topics->known[topics->oldest++ % KEEP_COUNT];
		forget_known(topics, known);
	}
	struct known_topic **slot = slot_for(topics, name, size);
	*known = (struct known_topic){ .name = alloc_copy(name), .size = size, .next = *slot };
	*slot = known;
	return known;
}

enum reply_topic reply_topics_known(struct reply_topics *topics, const char *name, size_t size,
	int32_t *partitions)
{
	pthread_mutex_lock(&topics->mutex);
	const struct known_topic *known = find_known(topics, name, size);
	bool fresh = known && known->until > clock_tick_ms();
	enum reply_topic answer = fresh ? known->answer : REPLY_TOPIC_UNASKED;
	*partitions = fresh ? known->partitions : 0;
	pthread_mutex_unlock(&topics->mutex);
	return answer;
}

/* --- answers: with the mutex held, except read_answer --- */

static void keep_answer(struct known_topic *known, enum reply_topic answer, int64_t keep_ms)
{
	known->answer = answer;
	known->until = clock_tick_ms() + keep_ms;
}

static void topic_is_there(struct known_topic *known,
	const rd_kafka_TopicDescription_t *description)
{
	size_t count;
	rd_kafka_TopicDescription_partitions(description, &count);
	known->partitions = (int32_t)count;
	known->was_there = true;
	known->missing_since = 0;
	keep_answer(known, REPLY_TOPIC_THERE, KEEP_THERE_MS);
}

static void topic_is_missing(struct known_topic *known)
{
	int64_t now = clock_tick_ms();
	int64_t doubt = known->was_there ? DOUBT_THERE_MS : DOUBT_MS;
	if (known->missing_since == 0)
		known->missing_since = now;
	int64_t left = known->missing_since + doubt - now;
	if (left > 0)
		keep_answer(known, REPLY_TOPIC_UNSURE, left < DOUBT_MS ? left : DOUBT_MS);
	else
		keep_answer(known, REPLY_TOPIC_MISSING, KEEP_MISSING_MS);
}

static void set_forbidden(struct reply_topics *topics, struct known_topic *known, bool forbidden)
{
	if (known->forbidden == forbidden)
		return;
	known->forbidden = forbidden;
	if (forbidden)
		log_error(topics->log, "a reply topic can't be looked up: its commands wait",
			LOG_STR("topic", known->name), LOG_STR("error", "a right is missing"),
			LOG_STR("help",
				"grant the worker's user the right DESCRIBE on this topic; it goes on by "
				"itself"));
	else
		log_info(topics->log, "a reply topic can be looked up again",
			LOG_STR("topic", known->name));
}

static void set_silent(struct reply_topics *topics, bool silent)
{
	if (silent && !topics->silent)
		log_warn(topics->log,
			"no Kafka broker answers for a reply topic: its commands wait");
	topics->silent = silent;
}

static void read_answer(void *arg, const struct topic_id *topic)
{
	struct reply_topics *topics = arg;
	pthread_mutex_lock(&topics->mutex);
	struct known_topic *known = add_known(topics, topic->topic);
	known->asked_at = clock_tick_ms();
	set_forbidden(topics, known, send_error_is_right(topic->error));
	if (topic->error == RD_KAFKA_RESP_ERR_NO_ERROR)
		topic_is_there(known, topic->description);
	else if (send_error_is_missing(topic->error))
		topic_is_missing(known);
	else
		keep_answer(known, REPLY_TOPIC_UNSURE, KEEP_UNSURE_MS);
	pthread_mutex_unlock(&topics->mutex);
}

void reply_topics_ask(struct reply_topics *topics, const char *const *names, size_t count)
{
	bool answered = topic_ids_get(topics->rk, names, count, ASK_TIMEOUT_MS, read_answer,
		topics);
	pthread_mutex_lock(&topics->mutex);
	set_silent(topics, !answered);
	for (size_t i = 0; i < count && !answered; i++)
		keep_answer(add_known(topics, names[i]), REPLY_TOPIC_UNSURE, KEEP_UNSURE_MS);
	pthread_mutex_unlock(&topics->mutex);
}

bool reply_topics_are_ready(struct reply_topics *topics, char *why, size_t size)
{
	bool ready = true;
	pthread_mutex_lock(&topics->mutex);
	int64_t now = clock_tick_ms();
	for (size_t i = 0; i < topics->count && ready; i++) {
		const struct known_topic *known = &topics->known[i];
		ready = !known->forbidden || now - known->asked_at > FORGET_MS;
		if (!ready)
			snprintf(why, size, "kafka: the right to describe %s is missing",
				known->name);
	}
	pthread_mutex_unlock(&topics->mutex);
	return ready;
}
