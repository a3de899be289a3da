/*
 * check_kafka.h - checks the brokers and the command, dead-letter and reply topics
 */
#ifndef WORKER_CLI_CHECK_KAFKA_H
#define WORKER_CLI_CHECK_KAFKA_H

#include "worker/cli/check_report.h"

void check_kafka(struct check *check);

#endif
