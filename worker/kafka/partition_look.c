/* partition_look.c - asks brokers about all unclaimed lanes at once, and hands the answers out */
#include "worker/kafka/partition_look.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"
#include "schemas/base/clock.h"
#include "worker/kafka/log_bounds.h"
#include "worker/kafka/topic_ids.h"

#define ASK_MS 5000
/* An older answer is not used. */
#define KEEP_MS 5000

/* An answer, used once. */
struct kept {
	char *topic;
	int32_t partition;
	int64_t asked_at; /* clock_tick_ms */
	bool good;
	struct partition_look look;
};

struct partition_looks {
	rd_kafka_t *admin;
	struct lanes *lanes;
	pthread_mutex_t mutex;
	pthread_cond_t answered;
	bool asking; /* an executor asks now */
	struct kept *kept;
	size_t count, size;
};

struct partition_looks *partition_looks_new(rd_kafka_t *admin, struct lanes *lanes)
{
	struct partition_looks *looks = alloc_zero(1, sizeof(*looks));
	looks->admin = admin;
	looks->lanes = lanes;
	pthread_mutex_init(&looks->mutex, NULL);
	pthread_cond_init(&looks->answered, NULL);
	return looks;
}

void partition_looks_free(struct partition_looks *looks)
{
	if (!looks)
		return;
	for (size_t i = 0; i < looks->count; i++)
		free(looks->kept[i].topic);
	free(looks->kept);
	pthread_cond_destroy(&looks->answered);
	pthread_mutex_destroy(&looks->mutex);
	free(looks);
}

/* --- kept answers, with the mutex held --- */

static void kept_remove(struct partition_looks *looks, size_t place)
{
	free(looks->kept[place].topic);
	looks->kept[place] = looks->kept[--looks->count];
}

static void kept_add(struct partition_looks *looks, const struct kept *kept)
{
	for (size_t i = looks->count; i-- > 0;)
		if (looks->kept[i].partition == kept->partition &&
			strcmp(looks->kept[i].topic, kept->topic) == 0)
			kept_remove(looks, i);
	if (looks->count == looks->size) {
		looks->size = looks->size ? looks->size * 2 : 64;
		looks->kept = alloc_grow(looks->kept, looks->size, sizeof(*looks->kept));
	}
	looks->kept[looks->count++] = *kept;
}

/* Takes the lane's answer out if it was asked for at `since` or later. */
static bool kept_take(struct partition_looks *looks, const struct lane *lane, int64_t since,
	struct kept *taken)
{
	for (size_t i = 0; i < looks->count; i++) {
		const struct kept *kept = &looks->kept[i];
		if (kept->asked_at < since || kept->partition != lane->partition ||
			strcmp(kept->topic, lane->topic) != 0)
			continue;
		*taken = *kept;
		taken->topic = NULL;
		kept_remove(looks, i);
		return true;
	}
	return false;
}

static void kept_forget_old(struct partition_looks *looks, int64_t since)
{
	for (size_t i = looks->count; i-- > 0;)
		if (looks->kept[i].asked_at < since)
			kept_remove(looks, i);
}

/* --- asking, without the mutex --- */

struct look_question {
	rd_kafka_topic_partition_list_t *wanted;
	rd_kafka_topic_partition_list_t *low, *high; /* those that have a leader */
	struct partition_look *looks;                /* of `wanted`, in its order */
};

static void look_want(void *arg, const char *topic, int32_t partition)
{
	rd_kafka_topic_partition_list_t *list = arg;
	if (!rd_kafka_topic_partition_list_find(list, topic, partition))
		rd_kafka_topic_partition_list_add(list, topic, partition);
}

static bool has_leader(const rd_kafka_TopicDescription_t *description, int32_t partition)
{
	size_t count;
	const rd_kafka_TopicPartitionInfo_t **list =
		rd_kafka_TopicDescription_partitions(description, &count);
	for (size_t i = 0; i < count; i++)
		if (rd_kafka_TopicPartitionInfo_partition(list[i]) == partition)
			return rd_kafka_TopicPartitionInfo_leader(list[i]) != NULL;
	return false;
}

static void look_topic(void *arg, const struct topic_id *topic)
{
	struct look_question *question = arg;
	for (int i = 0; i < question->wanted->cnt && !topic->error; i++) {
		const rd_kafka_topic_partition_t *p = &question->wanted->elems[i];
		if (strcmp(p->topic, topic->topic) != 0 ||
			!has_leader(topic->description, p->partition))
			continue;
		memcpy(question->looks[i].topic_id, topic->id, sizeof(topic->id));
		look_want(question->low, p->topic, p->partition);
		look_want(question->high, p->topic, p->partition);
	}
}

static void ask_topics(rd_kafka_t *admin, struct look_question *question)
{
	const char **names = alloc_zero((size_t)question->wanted->cnt, sizeof(*names));
	size_t count = 0;
	rd_kafka_topic_partition_list_sort(question->wanted, NULL, NULL);
	for (int i = 0; i < question->wanted->cnt; i++)
		if (count == 0 || strcmp(names[count - 1], question->wanted->elems[i].topic) != 0)
			names[count++] = question->wanted->elems[i].topic;
	(void)topic_ids_get(admin, names, count, ASK_MS, look_topic, question);
	free(names);
}

static int64_t offset_in(rd_kafka_topic_partition_list_t *list,
	const rd_kafka_topic_partition_t *wanted)
{
	const rd_kafka_topic_partition_t *p = rd_kafka_topic_partition_list_find(list,
		wanted->topic, wanted->partition);
	return p && !p->err ? p->offset : -1;
}

static struct kept look_answer(const struct look_question *question, int place, int64_t asked_at)
{
	const rd_kafka_topic_partition_t *p = &question->wanted->elems[place];
	struct kept kept = { .topic = alloc_copy(p->topic),
		.partition = p->partition,
		.asked_at = asked_at,
		.look = question->looks[place] };
	kept.look.low = offset_in(question->low, p);
	kept.look.high = offset_in(question->high, p);
	kept.good = kept.look.low >= 0 && kept.look.high >= 0;
	return kept;
}

/* Asks about the lane and about all others that nobody has claimed. */
static void looks_ask(struct partition_looks *looks, const struct lane *lane)
{
	int64_t asked_at = clock_tick_ms();
	struct look_question question = { .wanted = rd_kafka_topic_partition_list_new(64),
		.low = rd_kafka_topic_partition_list_new(64),
		.high = rd_kafka_topic_partition_list_new(64) };
	look_want(question.wanted, lane->topic, lane->partition);
	lanes_each_unclaimed(looks->lanes, look_want, question.wanted);
	question.looks = alloc_zero((size_t)question.wanted->cnt, sizeof(*question.looks));
	ask_topics(looks->admin, &question);
	log_bounds_ask(looks->admin, question.low, question.high, ASK_MS);
	pthread_mutex_lock(&looks->mutex);
	kept_forget_old(looks, asked_at - KEEP_MS);
	for (int i = 0; i < question.wanted->cnt; i++) {
		struct kept kept = look_answer(&question, i, asked_at);
		kept_add(looks, &kept);
	}
	pthread_mutex_unlock(&looks->mutex);
	free(question.looks);
	rd_kafka_topic_partition_list_destroy(question.wanted);
	rd_kafka_topic_partition_list_destroy(question.low);
	rd_kafka_topic_partition_list_destroy(question.high);
}

bool partition_look_at(struct partition_looks *looks, const struct lane *lane, bool now,
	struct partition_look *look)
{
	int64_t since = clock_tick_ms() - (now ? 0 : KEEP_MS);
	struct kept taken = { 0 };
	pthread_mutex_lock(&looks->mutex);
	while (!kept_take(looks, lane, since, &taken)) {
		if (looks->asking) {
			pthread_cond_wait(&looks->answered, &looks->mutex);
			continue;
		}
		looks->asking = true;
		pthread_mutex_unlock(&looks->mutex);
		looks_ask(looks, lane);
		pthread_mutex_lock(&looks->mutex);
		looks->asking = false;
		pthread_cond_broadcast(&looks->answered);
	}
	pthread_mutex_unlock(&looks->mutex);
	*look = taken.look;
	return taken.good;
}
