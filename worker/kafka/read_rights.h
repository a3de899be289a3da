/*
 * read_rights.h - which rights to read commands are missing: for the log and for /readyz
 *
 * librdkafka reports a missing right once, or never, and not that it was granted. So who notices one names a suspect.
 * The topic watch asks the brokers about suspects until they have answered several times that all is allowed. About
 * the group the brokers are not asked: it is over when the worker joins it or commits offsets. The log reports each
 * beginning and each end once.
 *
 * read_rights_lack: any thread. All other functions: the consumer's thread.
 */
#ifndef WORKER_KAFKA_READ_RIGHTS_H
#define WORKER_KAFKA_READ_RIGHTS_H

#include <stdbool.h>
#include <stddef.h>

#include "worker/telemetry/log.h"

struct read_rights;

/* Borrows the group's name and the log. */
struct read_rights *read_rights_new(const char *group, struct log *log);
void read_rights_free(struct read_rights *rights);

/* A right on the topic may be missing. Copies the name. */
void read_rights_suspect(struct read_rights *rights, const char *topic);
/* The topics to ask about, from 0 on; NULL: no further one. */
const char *read_rights_at(const struct read_rights *rights, size_t i);
/* The brokers' answer. `right`: a static string, "Describe" or "Read"; NULL: none is missing. */
void read_rights_answer(struct read_rights *rights, const char *topic, const char *right);

/* The group refused the worker for a missing right, or it did not. */
void read_rights_group(struct read_rights *rights, bool refused);

/* Is a right missing? Then `why` names it. */
bool read_rights_lack(struct read_rights *rights, char *why, size_t size);

#endif
