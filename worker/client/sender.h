/*
 * sender.h - sends commands and returns their replies in the order of the commands
 *
 * A ring holds one slot per command until the command and all earlier ones are answered. The
 * correlation id, a random prefix per run and the command's number, assigns replies to commands.
 *
 * One thread.
 */
#ifndef WORKER_CLIENT_SENDER_H
#define WORKER_CLIENT_SENDER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "worker/client/client.h"
#include "worker/config/exit_status.h"

/* Maximum number of commands that `done` has not reported. */
#define SEND_WINDOW 4000

struct sender;

/* The result of a command. */
struct send_outcome {
	enum exit_status
		status; /* EXIT_OK, EXIT_REFUSED, EXIT_NO_ANSWER, EXIT_KAFKA or EXIT_FAILED */
	int command;    /* index in command_defs */
	json_t *json;   /* the result, or the fields of mastra.Error; NULL: see `why` */
	const char *why;
	const char *topic; /* the command's topic; NULL: Kafka has not stored it */
	int32_t partition;
	int64_t offset;
};

/* The sender calls this once per command, in the order of the commands. `number` counts from 0. */
typedef void send_done_fn(void *arg, uint64_t number, const struct send_outcome *outcome);

struct send_options {
	const char *reply_topic;    /* NULL: request no replies */
	const char *topic;          /* topic of all commands; NULL: mastra.commands.<domain> */
	const char *const *headers; /* name=value, for every command */
	size_t header_count;
	int64_t timeout_ms; /* of one command's reply */
	int linger_ms;
	send_done_fn *done;
	void *arg;
};

/* Connects and looks up the reply topic. On failure returns NULL and sets *error and the exit
 * status. */
struct sender *sender_new(const struct config *config, const struct send_options *options,
	int *status, struct client_error *error) __attribute__((warn_unused_result));
void sender_free(struct sender *sender);

struct send_request {
	int command; /* index in command_defs */
	const json_t *body;
	const char *key;       /* NULL: the field that the command declares */
	const json_t *headers; /* an object of texts; may be NULL */
};

/* Can sender_send accept another command? */
bool sender_has_room(const struct sender *sender);
/* Number of commands that `done` has not reported. */
uint64_t sender_under_way(const struct sender *sender);

/* Encodes and sends the command. On failure it sends nothing, returns false and sets *error and
 * *status: EXIT_FAILED for a mistake in the request, EXIT_KAFKA for a failure of the topic. */
bool sender_send(struct sender *sender, const struct send_request *request, int *status,
	struct client_error *error) __attribute__((warn_unused_result));

/* Waits up to wait_ms for replies, then calls `done` for finished commands. */
void sender_serve(struct sender *sender, int wait_ms);

#endif
