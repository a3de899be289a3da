/*
 * check.c - checks that one text is a valid value for its key
 */
#include "worker/config/check.h"

#include <libpq-fe.h>
#include <librdkafka/rdkafka.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/migrate/ddl_name.h"
#include "db/retention/retention.h"
#include "schemas/base/address.h"
#include "schemas/base/alloc.h"
#include "worker/config/mask.h"

#define TOPIC_NAME_MAX 249 /* Kafka's own limit */

bool config_check_conninfo(const char *text, char *why, size_t why_size)
{
	char *error = NULL;
	PQconninfoOption *options = PQconninfoParse(text, &error);

	/* libpq's error repeats parts of the string, which may be the password. */
	PQfreemem(error);
	if (options) {
		PQconninfoFree(options);
		return true;
	}
	snprintf(why, why_size,
		"is not a connection string that libpq accepts: write "
		"postgresql://user:password@host:5432/database, or name=value pairs separated by blanks; "
		"in a URI, percent-encode special characters of the password");
	return false;
}

bool config_check_schema(const char *text, char *why, size_t why_size)
{
	if (strncmp(text, "pg_", 3) == 0 || strcmp(text, "information_schema") == 0) {
		snprintf(why, why_size, "is reserved by PostgreSQL: tables can't be created there");
		return false;
	}
	if (ddl_schema_valid(text))
		return true;
	snprintf(why, why_size, "is not a valid schema's name: it must have 1 to %d bytes of UTF-8",
		DDL_NAME_MAX);
	return false;
}

bool config_check_regex(const char *text, char *why, size_t why_size)
{
	char error[200];
	regex_t regex;
	int code = regcomp(&regex, text, REG_EXTENDED | REG_NOSUB);

	if (code == 0) {
		regfree(&regex);
		return true;
	}
	regerror(code, &regex, error, sizeof(error));
	snprintf(why, why_size, "is not a POSIX extended regular expression: %s", error);
	return false;
}

static bool ends_in(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

bool config_check_topic(const char *text, char *why, size_t why_size)
{
	size_t len = strlen(text);

	if (text[0] == '^')
		return config_check_regex(text, why, why_size);
	if (len == 0 || len > TOPIC_NAME_MAX || strcmp(text, ".") == 0 || strcmp(text, "..") == 0 ||
		strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") !=
			len) {
		snprintf(why, why_size,
			"is not a valid topic name (up to %d letters, digits, '.', '_', '-'); "
			"a pattern starts with ^",
			TOPIC_NAME_MAX);
		return false;
	}
	if (ends_in(text, ".dlq")) {
		snprintf(why, why_size,
			"is a dead-letter topic, which the worker never reads; "
			"`stowage dlq replay` sends dead letters again");
		return false;
	}
	return true;
}

/* The protocols of librdkafka, case-insensitive. librdkafka ignores a server with any other
 * protocol. */
static bool is_protocol(const char *text, size_t len)
{
	static const char *const protocols[] = { "plaintext", "ssl", "sasl_plaintext", "sasl_ssl" };

	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		if (len == strlen(protocols[i]) && strncasecmp(text, protocols[i], len) == 0)
			return true;
	return false;
}

/* host, host:port or protocol://host:port; the default port is 9092. */
static bool config_check_server(const char *text, char *why, size_t why_size)
{
	const char *scheme = strstr(text, "://");
	const char *host = scheme ? scheme + 3 : text;
	struct address address;
	char *full;
	bool ok;

	if (scheme && !is_protocol(text, (size_t)(scheme - text))) {
		snprintf(why, why_size,
			"has an unknown protocol: use plaintext://, ssl://, sasl_plaintext:// or "
			"sasl_ssl://, or only the host");
		return false;
	}
	if (*host && *host != ':' && (strchr(host, ':') == NULL || ends_in(host, "]")))
		full = alloc_printf("%s:9092", host);
	else
		full = alloc_copy(host);
	ok = address_parse(full, &address, why, why_size);
	if (ok && (!address.host[0] || atoi(address.port) == 0)) {
		snprintf(why, why_size, "needs a host and a port");
		ok = false;
	}
	free(full);
	return ok;
}

bool config_check_servers(const char *text, char *why, size_t why_size)
{
	char *copy = alloc_copy(text), *rest = copy, *server;
	bool ok = true;

	while (ok && (server = strsep(&rest, ","))) {
		server += strspn(server, " ");
		server[strcspn(server, " ")] = '\0';
		ok = config_check_server(server, why, why_size);
	}
	free(copy);
	return ok;
}

bool config_check_address(const char *text, char *why, size_t why_size)
{
	struct address address;

	return address_parse(text, &address, why, why_size);
}

/* Properties that the worker sets itself, and the key to use instead, if any. */
static const struct {
	const char *name;
	const char *instead;
} own_properties[] = {
	{ "bootstrap.servers", "kafka.bootstrapServers" },
	{ "metadata.broker.list", "kafka.bootstrapServers" },
	{ "group.id", "kafka.groupId" },
	{ "auto.offset.reset", "kafka.offsetReset" },
	{ "enable.auto.commit", NULL },
	{ "enable.auto.offset.store", NULL },
	{ "isolation.level", NULL },
	{ "partition.assignment.strategy", NULL },
	{ "enable.idempotence", NULL },
	{ "acks", NULL },
	{ "request.required.acks", NULL },
	{ "transactional.id", NULL },
	{ "message.timeout.ms", NULL },
	{ "delivery.timeout.ms", NULL },
	{ "message.max.bytes", "replies.maxBytes" },
	{ "queue.buffering.max.messages", NULL },
	{ "queue.buffering.max.kbytes", NULL },
	{ "allow.auto.create.topics", "kafka.createTopics" },
	{ "enable.partition.eof", NULL },
};

static bool refuse_own(const char *name, char *why, size_t why_size)
{
	for (size_t i = 0; i < sizeof(own_properties) / sizeof(own_properties[0]); i++) {
		const char *instead = own_properties[i].instead;

		if (strcmp(own_properties[i].name, name) != 0)
			continue;
		snprintf(why, why_size,
			"%s is set by the worker itself, whose guarantees depend on it%s%s", name,
			instead ? "; use the key " : "", instead ? instead : "");
		return true;
	}
	return false;
}

/* librdkafka's message repeats the value only if it knows the property. */
static bool try_property(const char *name, const char *value, char *why, size_t why_size)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char error[256];
	rd_kafka_conf_res_t result = rd_kafka_conf_set(conf, name, value, error, sizeof(error));

	rd_kafka_conf_destroy(conf);
	if (result == RD_KAFKA_CONF_OK)
		return true;
	error[strcspn(error, "\n")] = '\0';
	if (result != RD_KAFKA_CONF_UNKNOWN && config_property_is_secret(name, strlen(name)))
		snprintf(why, why_size, "librdkafka rejects the value of %s", name);
	else
		snprintf(why, why_size, "librdkafka: %s", error);
	return false;
}

bool config_check_property(const char *text, char *why, size_t why_size)
{
	const char *equals = strchr(text, '=');
	char *name;
	bool ok;

	if (!equals || equals == text) {
		/* The message does not repeat the text, which may be a secret without its name. */
		snprintf(why, why_size, "an item is not name=value");
		return false;
	}
	name = alloc_bytes(text, (size_t)(equals - text));
	ok = !refuse_own(name, why, why_size) && try_property(name, equals + 1, why, why_size);
	free(name);
	return ok;
}

bool config_check_age(const char *text, char *why, size_t why_size)
{
	int64_t ms;

	if (!retention_age(text, strlen(text), &ms))
		snprintf(why, why_size,
			"\"%s\" is no time such as \"30d\": a number and ms, s, m, h, d or w",
			text);
	else if (ms == 0)
		snprintf(why, why_size, "\"%s\" is not longer than 0", text);
	else
		return true;
	return false;
}
