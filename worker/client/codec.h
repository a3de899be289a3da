/*
 * codec.h - translates commands and replies between JSON and framed messages
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

struct codec;

#define CODEC_WHY_MAX 512

/* Compiles the schemas of all commands. NULL, with the reason in `why`, only if stowage has a
 * defect. */
struct codec *codec_new(char why[CODEC_WHY_MAX]) __attribute__((warn_unused_result));
void codec_free(struct codec *codec);
/* Appends the framed request. Returns false if the JSON does not match the schema; `why` names the
 * field. */
bool codec_request(const struct codec *codec, int command, const json_t *request,
	struct buffer *out, char why[CODEC_WHY_MAX]) __attribute__((warn_unused_result));

/* The message key: the field of the request that the command declares. The caller frees it; it may
 * contain NUL. NULL if the request has no key. */
char *codec_key(int command, const json_t *request, size_t *size);

/* Decodes a reply: the result or, with *is_error, the fields of mastra.Error. NULL, with the reason
 * in `why`, if the message is not a reply to this command. */
json_t *codec_reply(const struct codec *codec, int command, const void *message, size_t size,
	bool *is_error, char why[CODEC_WHY_MAX]) __attribute__((warn_unused_result));

/* Index of the command that a reply answers, by the schema's fingerprint; -1 if the schema is unknown. */
int codec_replied(const struct codec *codec, const void *message, size_t size);

/* Index of the message's command, by the schema's fingerprint; -1 if the schema is unknown. */
int codec_command(const struct codec *codec, const void *message, size_t size);

/* Decodes a request to JSON, also one of an earlier release's schema. The message may be any bytes:
 * limits apply. NULL, with the reason in `why`, if it can't be decoded. */
json_t *codec_open(const struct codec *codec, const void *message, size_t size,
	char why[CODEC_WHY_MAX]) __attribute__((warn_unused_result));

#endif
