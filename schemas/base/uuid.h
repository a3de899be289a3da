/*
 * uuid.h - creates ids in the format of crypto.randomUUID()
 */
#ifndef SCHEMAS_BASE_UUID_H
#define SCHEMAS_BASE_UUID_H

#define UUID_TEXT_SIZE 37 /* with the NUL */

/* Writes a random UUID (RFC 9562, version 4) in lower case with a NUL. Thread-safe. Aborts the
 * process if the system returns no random bytes. */
void uuid_v4(char out[UUID_TEXT_SIZE]);

#endif
