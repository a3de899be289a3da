/*
 * uuid.h - new ids, as crypto.randomUUID() makes them
 */
#ifndef SCHEMAS_BASE_UUID_H
#define SCHEMAS_BASE_UUID_H

#define UUID_TEXT_SIZE 37 /* with its NUL */

/* A random UUID (RFC 9562, version 4) in lower case, NUL-terminated. Thread-safe. Ends the
 * process if the system has no randomness. */
void uuid_v4(char out[UUID_TEXT_SIZE]);

#endif
