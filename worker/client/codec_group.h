/*
 * codec_group.h - the commands inside of a command (storage.transaction) as JSON
 *
 * On the wire they are framed messages. In JSON each may be {"command": name, "request": {...}}, and each reply
 * is its result. One thread.
 */
#ifndef WORKER_CLIENT_CODEC_GROUP_H
#define WORKER_CLIENT_CODEC_GROUP_H

#include "worker/client/codec.h"

/* Has the request such objects? */
bool codec_group_open(int command, const json_t *request);

/* A new request with each such object as base64 of its message; other elements stay as they are. NULL: an object
 * names no command, or its request does not match the schema; `why` names its place. */
json_t *codec_group_request(const struct codec *codec, const json_t *request,
	char why[CODEC_WHY_MAX]) __attribute__((warn_unused_result));

/* A new array of the replies' results. What is no reply of a known command stays base64. */
json_t *codec_group_reply(const struct codec *codec, const json_t *replies)
	__attribute__((warn_unused_result));

#endif
