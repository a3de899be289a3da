/*
 * topic_watch.h - notices that a topic was deleted and created again while its partitions are read
 *
 * librdkafka fetches by topic id. When its metadata shows a new id under the same name, it silently goes on
 * with that topic at the old offset, past the new topic's first messages. So after each metadata response
 * of the consumer's client, no message enters a lane before the brokers have said once more that the topic
 * is the one whose offsets the lane claimed. What was fetched before the response is of that topic for sure.
 * A broker before 3.1 knows no fetch by id: there the next metadata response shows the new topic.
 *
 * Consumer's thread, but for the interceptor.
 */
#ifndef WORKER_KAFKA_TOPIC_WATCH_H
#define WORKER_KAFKA_TOPIC_WATCH_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

#include "worker/kafka/read_rights.h"
#include "worker/lanes/lanes.h"
#include "worker/telemetry/log.h"

struct topic_watch;

/* Borrows the client that asks, the lanes, the log, and `rights`, about whose suspects it asks too. */
struct topic_watch *topic_watch_new(rd_kafka_t *admin, struct lanes *lanes,
	struct read_rights *rights, struct log *log);
/* It touches the lanes no longer. */
void topic_watch_detach(struct topic_watch *watch);
void topic_watch_free(struct topic_watch *watch);

/* Makes the consumer's client report metadata responses. Call it before rd_kafka_new; the watch must outlive
 * the client. */
void topic_watch_conf(struct topic_watch *watch, rd_kafka_conf_t *conf);

/* Asks about the topics of lanes that wait for it, and reads answers: lanes whose topic is still the same go
 * on, the others stop. Returns at once; an answer wakes the consumer. */
void topic_watch_serve(struct topic_watch *watch);

/* May the messages that librdkafka has delivered so far enter the lane? If not, the watch asks. */
bool topic_watch_is_sure(struct topic_watch *watch, const struct lane *lane);

#endif
