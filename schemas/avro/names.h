/*
 * names.h - computes the full names of Avro's named types
 *
 * Source: Apache Avro 1.11 specification, "Names". Threads: pure functions.
 */
#ifndef SCHEMAS_AVRO_NAMES_H
#define SCHEMAS_AVRO_NAMES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* The maximum size of a full name, with the NUL. */
#define NAME_SIZE 256

/* A full name and its namespace. */
struct full_name {
	char text[NAME_SIZE]; /* "mastra.memory.Thread" */
	char namespace[NAME_SIZE];
};

/* Sets the full name of a `name` that is used within `namespace` ("": none). A name with a dot is a
 * full name. False if the result is too long. */
bool name_resolve(struct full_name *full, const char *name, const char *namespace);

/* Sets the full name of a definition (record, enum or fixed) from its "name" and "namespace". False
 * if the definition has no name, or one that is too long. */
bool name_define(struct full_name *full, const json_t *definition, const char *namespace);

/* Is this the name of a primitive type? */
bool name_is_primitive(const char *name);

#endif
