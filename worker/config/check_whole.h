/*
 * check_whole.h - checks that keys agree with each other
 */
#ifndef WORKER_CONFIG_CHECK_WHOLE_H
#define WORKER_CONFIG_CHECK_WHOLE_H

#include "worker/config/state.h"

/* Call it after all sources were read without a mistake. */
void config_check_whole(struct config_load *load);

#endif
