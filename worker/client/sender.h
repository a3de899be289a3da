/*
 * sender.h - commands on their way, and their replies in the order of the commands
 *
 * A ring of slots, one for each command that is not answered yet or whose answer waits for an
 * earlier one's. Replies are told apart by their correlation id: this run's random prefix and
 * the command's number.
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

/* Commands under way at once. */
#define SEND_WINDOW 4000

struct sender;

/* What came of a command. */
struct send_outcome {
	enum exit_status
		status; /* EXIT_OK, EXIT_REFUSED, EXIT_NO_ANSWER, EXIT_KAFKA or EXIT_FAILED */
	int command;    /* index in command_defs */
	json_t *json;   /* the result, or the fields of mastra.Error; NULL: `why` says */
	const char *why;
	const char *topic; /* where the command stands; NULL if it is in no topic */
	int32_t partition;
	int64_t offset;
};

/* Called in the order of the commands, each once; `number` counts them from 0. */
typedef void send_done_fn(void *arg, uint64_t number, const struct send_outcome *outcome);

struct send_options {
	const char *reply_topic;    /* NULL: no replies are asked for */
	const char *topic;          /* of all commands; NULL: mastra.commands.<domain> */
	const char *const *headers; /* name=value, on every command */
	size_t header_count;
	int64_t timeout_ms; /* for one command's reply */
	int linger_ms;
	send_done_fn *done;
	void *arg;
};

/* Connects and looks up the reply topic. On failure returns NULL and sets *error and the exit status. */
struct sender *sender_new(const struct config *config, const struct send_options *options,
	int *status, struct client_error *error) __attribute__((warn_unused_result));
void sender_free(struct sender *sender);

struct send_request {
	int command; /* index in command_defs */
	const json_t *body;
	const char *key;       /* NULL: as the command's declaration says */
	const json_t *headers; /* an object of texts; NULL */
};

/* Room for another command? */
bool sender_has_room(const struct sender *sender);
/* Commands that are not done. */
uint64_t sender_under_way(const struct sender *sender);

/* Encodes and sends. False: nothing was sent; *error says what is wrong with the request, or, if
 * *status is EXIT_KAFKA, with the topic. */
bool sender_send(struct sender *sender, const struct send_request *request, int *status,
	struct client_error *error) __attribute__((warn_unused_result));

/* Takes in what arrives, for at most so long, and calls `done`. */
void sender_serve(struct sender *sender, int wait_ms);

#endif
