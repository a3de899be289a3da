/* read_rights.c - a list of topics on which a right may be missing */
#include "worker/kafka/read_rights.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"

/* One broker may learn of a granted right before another one. */
#define ANSWERS_TO_CLEAR 3

struct suspect {
	char *topic;
	const char *right; /* the missing one; NULL: not known yet */
	unsigned allowed;  /* answers in a row */
};

struct read_rights {
	const char *group;
	struct log *log;
	pthread_mutex_t mutex; /* for read_rights_lack */
	struct suspect *list;
	size_t count;
	bool group_refused;
};

struct read_rights *read_rights_new(const char *group, struct log *log)
{
	struct read_rights *rights = alloc_zero(1, sizeof(*rights));
	rights->group = group;
	rights->log = log;
	pthread_mutex_init(&rights->mutex, NULL);
	return rights;
}

void read_rights_free(struct read_rights *rights)
{
	for (size_t i = 0; i < rights->count; i++)
		free(rights->list[i].topic);
	free(rights->list);
	pthread_mutex_destroy(&rights->mutex);
	free(rights);
}

static struct suspect *find_suspect(const struct read_rights *rights, const char *topic)
{
	for (size_t i = 0; i < rights->count; i++)
		if (strcmp(rights->list[i].topic, topic) == 0)
			return &rights->list[i];
	return NULL;
}

void read_rights_suspect(struct read_rights *rights, const char *topic)
{
	struct suspect *suspect = find_suspect(rights, topic);
	if (suspect) {
		suspect->allowed = 0;
		return;
	}
	pthread_mutex_lock(&rights->mutex);
	rights->list = alloc_grow(rights->list, rights->count + 1, sizeof(*rights->list));
	rights->list[rights->count++] = (struct suspect){ .topic = alloc_copy(topic) };
	pthread_mutex_unlock(&rights->mutex);
}

const char *read_rights_at(const struct read_rights *rights, size_t i)
{
	return i < rights->count ? rights->list[i].topic : NULL;
}

static void set_missing(struct read_rights *rights, struct suspect *suspect, const char *right)
{
	suspect->allowed = 0;
	if (suspect->right && strcmp(suspect->right, right) == 0)
		return;
	pthread_mutex_lock(&rights->mutex);
	suspect->right = right;
	pthread_mutex_unlock(&rights->mutex);
	log_error(rights->log, "commands can't be read: the worker's user lacks a right",
		LOG_STR("right", right), LOG_STR("topic", suspect->topic),
		LOG_STR("help",
			"grant the worker's user the rights Read and Describe on this topic; it goes "
			"on by itself"));
}

static void clear_suspect(struct read_rights *rights, struct suspect *suspect)
{
	struct suspect gone = *suspect;
	pthread_mutex_lock(&rights->mutex);
	*suspect = rights->list[--rights->count];
	pthread_mutex_unlock(&rights->mutex);
	if (gone.right)
		log_info(rights->log, "commands can be read again: the right was granted",
			LOG_STR("right", gone.right), LOG_STR("topic", gone.topic));
	free(gone.topic);
}

void read_rights_answer(struct read_rights *rights, const char *topic, const char *right)
{
	if (right)
		read_rights_suspect(rights, topic);
	struct suspect *suspect = find_suspect(rights, topic);
	if (right)
		set_missing(rights, suspect, right);
	else if (suspect && ++suspect->allowed >= ANSWERS_TO_CLEAR)
		clear_suspect(rights, suspect);
}

void read_rights_group(struct read_rights *rights, bool refused)
{
	if (rights->group_refused == refused)
		return;
	pthread_mutex_lock(&rights->mutex);
	rights->group_refused = refused;
	pthread_mutex_unlock(&rights->mutex);
	if (refused)
		log_error(rights->log, "the group refuses the worker: its user lacks a right",
			LOG_STR("group", rights->group),
			LOG_STR("help",
				"grant the worker's user the rights Read and Describe on the group; it "
				"goes on by itself"));
	else
		log_info(rights->log, "the group accepts the worker again",
			LOG_STR("group", rights->group));
}

bool read_rights_lack(struct read_rights *rights, char *why, size_t size)
{
	pthread_mutex_lock(&rights->mutex);
	bool lack = rights->group_refused;
	if (lack)
		snprintf(why, size, "kafka: the right to read or describe the group %s is missing",
			rights->group);
	for (size_t i = 0; i < rights->count && !lack; i++) {
		const struct suspect *suspect = &rights->list[i];
		lack = suspect->right != NULL;
		if (lack)
			snprintf(why, size, "kafka: the right to %s %s is missing",
				strcmp(suspect->right, "Read") == 0 ? "read" : "describe",
				suspect->topic);
	}
	pthread_mutex_unlock(&rights->mutex);
	return lack;
}
