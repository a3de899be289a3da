/* limits.c - derives the limits that are 0 from the others */
#include "worker/config/limits.h"

/* A reply holds what was stored and a little more: ids, times, its own fields. */
#define MESSAGE_PERCENT 96
/* Text is copied while it is normalised, escaped and encoded. */
#define COMMAND_FACTOR 8
#define COMMAND_BYTES_MIN ((int64_t)32 * 1024 * 1024)

int64_t config_message_bytes(const struct config *config)
{
	int64_t bytes = config->replies.max_bytes / 100 * MESSAGE_PERCENT;
	if (config->limits.message_bytes)
		return config->limits.message_bytes;
	return bytes < config->limits.memory_bytes ? bytes : config->limits.memory_bytes;
}

int64_t config_command_bytes(const struct config *config)
{
	int64_t message = config_message_bytes(config), reply = config->replies.max_bytes;
	int64_t bytes = COMMAND_FACTOR * (message > reply ? message : reply);
	if (config->limits.command_bytes)
		return config->limits.command_bytes;
	return bytes > COMMAND_BYTES_MIN ? bytes : COMMAND_BYTES_MIN;
}
