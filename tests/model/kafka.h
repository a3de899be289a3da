/*
 * kafka.h - Kafka as far as a worker sees it: commands to read, replies to send
 */
#ifndef TESTS_MODEL_KAFKA_H
#define TESTS_MODEL_KAFKA_H

#include "tests/model/sim.h"
#include "worker/kafka/producer.h"
#include "worker/lanes/lanes.h"

/* Makes the commands' messages, once for all schedules. */
void kafka_prepare(void);

/* Returns the message at this place, with a message of its own for the caller; NULL: a gap. */
rd_kafka_message_t *kafka_fetch(int partition, int offset);

/* A worker's producer. Its task settles messages. */
struct producer *producer_start(struct process *process, struct lanes *lanes);
/* The worker is dead: what it sent last may have arrived or not. */
void producer_drop(struct producer *producer);
void producer_end(struct producer *producer);
bool producer_is_idle(const struct producer *producer);

#endif
