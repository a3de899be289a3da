/*
 * setting.h - helpers for settings of libconfig
 */
#ifndef WORKER_CONFIG_SETTING_H
#define WORKER_CONFIG_SETTING_H

#include <libconfig.h>
#include <stdbool.h>

#include "worker/config/config.h"

/* An array or a list. */
bool config_setting_is_sequence(const config_setting_t *setting);
/* A list of texts; false (and an empty list) if it is anything else. */
bool config_setting_texts(const config_setting_t *setting, struct config_list *list);

#endif
