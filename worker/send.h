/*
 * send.h - commands on their way, and their replies in the order of the commands
 *
 * A ring of slots, one for each command that is not answered yet or whose answer waits for an
 * earlier one's. Replies are told apart by their correlation id: this run's random prefix and
 * the command's number.
 *
 * One thread.
 */
#ifndef WORKER_SEND_H
#define WORKER_SEND_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "worker/cli.h"
#include "worker/client.h"

/* Commands under way at once. */
#define SEND_WINDOW 4000

struct sender;

/* What came of a command. */
struct send_outcome {
	enum cli_status status; /* CLI_OK, CLI_REFUSED, CLI_NO_ANSWER, CLI_KAFKA or CLI_FAILED */
	int command;            /* index in command_defs */
	json_t *json;           /* the result, or the fields of mastra.Error; NULL: `why` says */
	const char *why;
	const char *topic; /* where the command stands; NULL if it is in no topic */
	int32_t partition;
	int64_t offset;
};

/* Called in the order of the commands, each once; `number` counts them from 0. */
typedef void send_done_fn(void *arg, uint64_t number, const struct send_outcome *outcome);

struct send_options {
	const char *reply_topic;  /* NULL: no replies are asked for */
	const char *topic;        /* of all commands; NULL: mastra.commands.<domain> */
	const char *const *headers; /* name=value, on every command */
	size_t header_count;
	int64_t timeout_ms; /* for one command's reply */
	int linger_ms;
	send_done_fn *done;
	void *arg;
};

/* Connects and looks up the reply topic. NULL after an error was printed; *status is the exit
 * status then. */
struct sender *sender_new(struct cli *cli, const struct config *config,
	const struct send_options *options, int *status) __attribute__((warn_unused_result));
void sender_free(struct sender *sender);

struct send_request {
	int command;           /* index in command_defs */
	const json_t *body;
	const char *key;       /* NULL: as the command's declaration says */
	const json_t *headers; /* an object of texts; NULL */
};

/* Room for another command? */
bool sender_has_room(const struct sender *sender);
/* Commands that are not done. */
uint64_t sender_under_way(const struct sender *sender);

/* Encodes and sends. False: nothing was sent, `why` says what is wrong with the request, or
 * with *status CLI_KAFKA with the topic. */
bool sender_send(struct sender *sender, const struct send_request *request, int *status,
	char why[CLIENT_ERROR_MAX]) __attribute__((warn_unused_result));

/* Takes in what arrives, for at most so long, and calls `done`. */
void sender_serve(struct sender *sender, int wait_ms);

#endif
