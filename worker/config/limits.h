/*
 * limits.h - the limits that follow from each other unless they are set
 *
 * What comes in must fit when it goes out again, and what a command may take grows with both.
 */
#ifndef WORKER_CONFIG_LIMITS_H
#define WORKER_CONFIG_LIMITS_H

#include "worker/config/config.h"

/* The largest command in bytes: limits.messageBytes, or 96 % of replies.maxBytes, but not more than
 * limits.memoryBytes. */
int64_t config_message_bytes(const struct config *config);
/* The memory of one command in bytes: limits.commandBytes, or eight times the larger of command and
 * reply, but at least 32 MiB. */
int64_t config_command_bytes(const struct config *config);

#endif
