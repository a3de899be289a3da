/*
 * kafka_transaction.h - transactions of a client's producer: all of its messages or none
 *
 * The client has a transactional_id. Another client with the same id ends the transactions of this one: from
 * then on every call fails here. On failure the functions set *error.
 *
 * One thread. Blocking.
 */
#ifndef WORKER_CLIENT_KAFKA_TRANSACTION_H
#define WORKER_CLIENT_KAFKA_TRANSACTION_H

#include <stdbool.h>

#include "worker/client/client.h"

/* Ends the transactions of every earlier client with this id. Call it once, first. */
bool kafka_transaction_init(struct client *client, struct client_error *error)
	__attribute__((warn_unused_result));
bool kafka_transaction_begin(struct client *client, struct client_error *error)
	__attribute__((warn_unused_result));
/* Waits until all messages are delivered. After a failure none is visible to readers of committed ones. */
bool kafka_transaction_commit(struct client *client, struct client_error *error)
	__attribute__((warn_unused_result));
void kafka_transaction_abort(struct client *client);

#endif
