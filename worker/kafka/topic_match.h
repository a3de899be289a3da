/*
 * topic_match.h - which topics the configuration names: by name, or by a pattern that starts with ^
 *
 * config_load has checked the patterns (POSIX extended regular expressions). Any thread.
 */
#ifndef WORKER_KAFKA_TOPIC_MATCH_H
#define WORKER_KAFKA_TOPIC_MATCH_H

#include <stdbool.h>

#include "worker/config/config.h"

/* Does the regular expression match anywhere in the topic's name? */
bool topic_match_pattern(const char *pattern, const char *topic);
/* Does the worker read the topic: does an item of kafka.topics name it, and is it no dead-letter
 * topic? */
bool topic_match_command(const struct config *config, const char *topic);
/* Is it a dead-letter topic, by its name? */
bool topic_match_dead_letters(const char *topic);

#endif
