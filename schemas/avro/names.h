/*
 * names.h - full names of Avro's named types
 *
 * Source: Apache Avro 1.11 specification, "Names". Threads: pure functions.
 */
#ifndef SCHEMAS_AVRO_NAMES_H
#define SCHEMAS_AVRO_NAMES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Longest full name that is taken. */
#define NAME_SIZE 256

/* A full name, and where its namespace ends. */
struct full_name {
	char text[NAME_SIZE]; /* "mastra.memory.Thread" */
	char namespace[NAME_SIZE];
};

/* The full name of a reference or definition `name` met within `namespace` ("" for none); a name
 * with a dot is full already. False if it is longer than is taken. */
bool name_resolve(struct full_name *full, const char *name, const char *namespace);

/* The full name that a definition (a record, enum or fixed) gives itself by its "name" and
 * "namespace". False if it has no name or too long a one. */
bool name_define(struct full_name *full, const json_t *definition, const char *namespace);

/* Is this the name of a primitive type? */
bool name_is_primitive(const char *name);

#endif
