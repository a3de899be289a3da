/*
 * kafka_transaction.c - transactions of a client's producer
 */
#include "worker/client/kafka_transaction.h"

#define INIT_TIMEOUT_MS 30000
#define COMMIT_TIMEOUT_MS 60000
#define ABORT_TIMEOUT_MS 5000

/* Takes the failure over. */
static bool kafka_transaction_ok(rd_kafka_error_t *failure, struct client_error *error)
{
	rd_kafka_resp_err_t code = rd_kafka_error_code(failure);

	if (!failure)
		return true;
	switch (code) {
	case RD_KAFKA_RESP_ERR__FENCED:
	case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
	case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
		client_error_set(error, "wait until the other one has ended",
			"another process does the same at the same time, and goes on alone");
		break;
	case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
		client_error_set(error,
			"grant this user Write and Describe on transactional ids that begin with "
			"stowage: kafka-acls.sh --add --transactional-id",
			"%s", rd_kafka_error_string(failure));
		break;
	default:
		client_error_set(error, NULL, "%s", rd_kafka_error_string(failure));
		break;
	}
	rd_kafka_error_destroy(failure);
	return false;
}

bool kafka_transaction_init(struct client *client, struct client_error *error)
{
	return kafka_transaction_ok(rd_kafka_init_transactions(client_handle(client),
					    INIT_TIMEOUT_MS),
		error);
}

bool kafka_transaction_begin(struct client *client, struct client_error *error)
{
	return kafka_transaction_ok(rd_kafka_begin_transaction(client_handle(client)), error);
}

bool kafka_transaction_commit(struct client *client, struct client_error *error)
{
	rd_kafka_error_t *failure = rd_kafka_commit_transaction(client_handle(client),
		COMMIT_TIMEOUT_MS);

	if (kafka_transaction_ok(failure, error))
		return true;
	kafka_transaction_abort(client);
	return false;
}

void kafka_transaction_abort(struct client *client)
{
	rd_kafka_error_destroy(rd_kafka_abort_transaction(client_handle(client), ABORT_TIMEOUT_MS));
}
