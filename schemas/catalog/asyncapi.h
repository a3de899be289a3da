/*
 * asyncapi.h - the AsyncAPI document of all commands
 *
 * Source: AsyncAPI specification 3.0.0, and its Kafka bindings 0.5.0. The document refers to the schemas by
 * their paths in the folder of output.h, so it belongs into that folder.
 */
#ifndef SCHEMAS_CATALOG_ASYNCAPI_H
#define SCHEMAS_CATALOG_ASYNCAPI_H

#include <jansson.h>

/* `index`: what index.json holds. The caller releases the document. */
json_t *asyncapi_new(const json_t *index);

#endif
