/*
 * ddl_sha256.h - SHA-256, for the one index name that carries a hash of its full name
 *
 * Here only because nothing else the program links has it. Not for secrets. Pure.
 */
#ifndef DB_MIGRATE_DDL_SHA256_H
#define DB_MIGRATE_DDL_SHA256_H

#include <stddef.h>
#include <stdint.h>

void ddl_sha256(const void *bytes, size_t len, uint8_t digest[32]);

#endif
