/*
 * config.h - the effective configuration
 *
 * load.h fills it, once. It does not change after that, so any thread may read it.
 */
#ifndef WORKER_CONFIG_CONFIG_H
#define WORKER_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/retention/retention.h"
#include "worker/telemetry/log.h"

struct config_list {
	char **items;
	size_t count;
};

/* postgres.indexes: the reference's CreateIndexOptions */
struct config_index {
	char *name;
	char *table;
	struct config_list columns;
	bool unique;
	bool concurrent; /* false: one statement builds it and locks writers out meanwhile */
	char *where;
	char *method;
	char *opclass;
	char *storage; /* "fillfactor = '70', fastupdate = 'false'" */
	char *tablespace;
};

/* Which of clients' own statements run; as enum query_allowed. */
enum config_query { CONFIG_QUERY_OFF, CONFIG_QUERY_READ, CONFIG_QUERY_WRITE };

struct config {
	struct {
		char *connection_string; /* NULL: the keys below */
		char *host;
		int64_t port;
		char *database;
		char *user;
		char *password;   /* also from postgres.passwordFile */
		char *ssl;        /* sslmode of libpq; NULL: the connection string decides */
		char *ssl_reject; /* rejectUnauthorized: "true" or "false"; NULL: not given */
		char *ssl_ca;     /* a file's name, or PEM text; NULL: not given. Likewise: */
		char *ssl_cert;
		char *ssl_key;
		char *ssl_files[3]; /* of ca, cert and key: names that libpq can open (tls.h) */
		char *schema_name;
		char *schemas; /* regular expression of the tenants' schemas; "": none */
		int64_t tenant_statement_bytes;
		int64_t max;
		int64_t idle_timeout_ms;
		int64_t connection_timeout_ms;
		int64_t lock_timeout_ms;
		int64_t statement_timeout_ms;
		bool prepared_statements; /* false for a PgBouncer before 1.21 in transaction mode */
		bool skip_default_indexes;
		bool disable_init; /* true: `run` does not create missing tables */
		struct config_index *indexes;
		size_t index_count;
	} postgres;
	struct {
		char *bootstrap_servers;
		char *group_id;
		struct config_list topics;     /* names, or ^patterns */
		struct config_list properties; /* name=value, any librdkafka property */
		char *offset_reset;            /* earliest, latest, error */
		bool create_topics;
		int64_t topic_partitions;  /* of topics that stowage creates */
		int64_t topic_replication; /* -1: the broker's default */
	} kafka;
	struct {
		char *allow; /* regular expression that a reply topic must match */
		int64_t max_bytes;
		int64_t missing_topic_ms;
	} replies;
	struct {
		int64_t max_commands;
		int64_t max_bytes;
		int64_t max_parallel; /* large batches in parallel; 0: by the number of processors */
		int64_t max_detached_reads; /* in parallel; 0: by the number of processors */
		int64_t linger_ms;
	} batch;
	struct {
		int64_t memory_bytes;  /* maximum of fetched and waiting commands in all queues */
		int64_t command_bytes; /* memory that one command's own work may take */
		int64_t message_bytes; /* the next four limit the decoder, per message */
		int64_t headers; /* of one command: their number, and their names and values together */
		int64_t header_bytes;
		int64_t string_bytes;
		int64_t array_items;
		int64_t depth;
		int64_t transaction_commands; /* in one storage.transaction */
		int64_t attempts; /* crashes of worker or session until a command is dead-lettered */
		int64_t shutdown_timeout_ms; /* also limits how long a revoke waits for a batch */
	} limits;
	struct {
		int64_t keep_ms; /* how long a key and its first reply are kept */
	} idempotency;
	struct {
		char *ages[RETENTION_COUNT]; /* by enum retention_id; NULL: rows stay */
		char *every;
		int64_t command_ms; /* how long a command may prune; 0: no limit */
	} retention;
	struct {
		bool allow_clear;        /* run dangerouslyClearAll */
		enum config_query query; /* off, read, write: clients' own statements */
		char *query_role;        /* NULL: none */
		int64_t query_rows;
	} storage;
	struct {
		char *directory; /* clients' schemas of other releases, *.avsc; NULL: none */
	} schemas;
	struct {
		char *address; /* host:port of /metrics, /livez, /readyz; "" turns the server off */
	} http;
	struct {
		char *text_repair; /* repair or reject */
	} data;
	struct {
		enum log_level level;
		enum log_format format;
	} log;
};

#endif
