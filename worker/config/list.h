/*
 * list.h - lists of texts and of indexes, as values of the configuration
 */
#ifndef WORKER_CONFIG_LIST_H
#define WORKER_CONFIG_LIST_H

#include "worker/config/config.h"

/* Takes ownership of the item. */
void config_list_add(struct config_list *list, char *item);
/* Frees the items and empties the list. */
void config_list_clear(struct config_list *list);
/* Frees the indexes and the array. */
void config_indexes_clear(struct config_index *indexes, size_t count);

#endif
