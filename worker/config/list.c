/*
 * list.c - lists of texts and of indexes
 */
#include "worker/config/list.h"

#include <stdlib.h>

#include "schemas/base/alloc.h"

void config_list_add(struct config_list *list, char *item)
{
	list->items = alloc_grow(list->items, list->count + 1, sizeof(*list->items));
	list->items[list->count++] = item;
}

void config_list_clear(struct config_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct config_list){ 0 };
}

void config_indexes_clear(struct config_index *indexes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(indexes[i].name);
		free(indexes[i].table);
		config_list_clear(&indexes[i].columns);
		free(indexes[i].where);
		free(indexes[i].method);
		free(indexes[i].opclass);
		free(indexes[i].storage);
		free(indexes[i].tablespace);
	}
	free(indexes);
}
