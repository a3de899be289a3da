/*
 * kafka_files.h - the files behind kafka.properties: kafka.propertiesFile, certificates, keys
 */
#ifndef WORKER_CONFIG_KAFKA_FILES_H
#define WORKER_CONFIG_KAFKA_FILES_H

#include <stdint.h>

#include "worker/config/config.h"

/* Returns a number that changes when one of the files changes: kafka.propertiesFile, and the files that
 * properties such as ssl.ca.location name. `config` must come from config_load. Any thread. */
uint64_t config_kafka_files(const struct config *config);

#endif
