/*
 * codec.h - commands and replies of the command line: JSON on one side, framed messages on the
 * other
 *
 * One thread.
 */
#ifndef WORKER_CLIENT_CODEC_H
#define WORKER_CLIENT_CODEC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "schemas/base/buffer.h"
#include "schemas/catalog/catalog.h"
#include "worker/client/json_avro.h"

struct codec;

/* All commands' schemas. NULL, and why, only by a defect of ours. */
struct codec *codec_new(char why[JSON_AVRO_WHY_MAX]) __attribute__((warn_unused_result));
void codec_free(struct codec *codec);
const struct catalog *codec_catalog(const struct codec *codec);

/* Appends the framed request. False if the JSON does not fit; `why` names the place. */
bool codec_request(struct codec *codec, int command, const json_t *request, struct buffer *out,
	char why[JSON_AVRO_WHY_MAX]) __attribute__((warn_unused_result));

/* The command's message key, as its declaration names it (free it; a NUL may be in it); NULL if
 * the request has none. */
char *codec_key(int command, const json_t *request, size_t *size);

/* What a reply holds: the result, or with *is_error the fields of mastra.Error. NULL, and why,
 * if the message is no reply to this command. */
json_t *codec_reply(struct codec *codec, int command, const void *message, size_t size,
	bool *is_error, char why[JSON_AVRO_WHY_MAX]) __attribute__((warn_unused_result));

/* Index of the command a message holds, by its schema's fingerprint; -1 if it is none of ours. */
int codec_command(const struct codec *codec, const void *message, size_t size);

/* A command's request as JSON, also of an earlier release's schema. The message may be anything:
 * it is decoded within limits. NULL, and why, if it can't be read. */
json_t *codec_open(const struct codec *codec, const void *message, size_t size,
	char why[JSON_AVRO_WHY_MAX]) __attribute__((warn_unused_result));

#endif
