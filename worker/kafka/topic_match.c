/*
 * topic_match.c - which topics the configuration names
 */
#include "worker/kafka/topic_match.h"

#include <regex.h>
#include <string.h>

#include "worker/kafka/topic_create.h"

bool topic_match_pattern(const char *pattern, const char *topic)
{
	regex_t regex;
	bool found;

	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	found = regexec(&regex, topic, 0, NULL, 0) == 0;
	regfree(&regex);
	return found;
}

bool topic_match_command(const struct config *config, const char *topic)
{
	const struct config_list *wanted = &config->kafka.topics;
	bool found = false;

	if (topic_match_dead_letters(topic))
		return false;
	for (size_t i = 0; i < wanted->count && !found; i++)
		found = wanted->items[i][0] == '^' ? topic_match_pattern(wanted->items[i], topic)
						   : strcmp(wanted->items[i], topic) == 0;
	return found;
}

bool topic_match_dead_letters(const char *topic)
{
	size_t len = strlen(topic), suffix = strlen(TOPIC_DEAD_LETTERS);

	return len > suffix && strcmp(topic + len - suffix, TOPIC_DEAD_LETTERS) == 0;
}
