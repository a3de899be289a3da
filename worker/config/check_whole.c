/*
 * check_whole.c - checks that keys agree with each other
 */
#include "worker/config/check_whole.h"

#include "worker/config/keys.h"

/* Where the key's value came from; NULL if it is the default. */
static const char *check_whole_source(const struct config_load *load, const char *path)
{
	return config_origin(load, config_key_find(path))->where;
}

/* connectionString and host, port or database would both locate the database. An empty value counts
 * as not set. */
static void check_place(struct config_load *load, const char *path, bool given)
{
	const char *string_from = check_whole_source(load, "postgres.connectionString");
	const char *from = check_whole_source(load, path);

	if (load->full->config.postgres.connection_string && given && string_from && from)
		config_mistake(load, from, path,
			"conflicts with postgres.connectionString of %s: both locate the database, "
			"remove one of them",
			string_from);
}

/* A key whose 0 means that the value follows from others. With less, ordinary commands would fail. */
static void check_least(struct config_load *load, const char *path, int64_t value, int64_t least)
{
	if (value && value < least)
		config_mistake(load, check_whole_source(load, path), path,
			"%lld is neither 0 nor at least %lld", (long long)value, (long long)least);
}

void config_check_whole(struct config_load *load)
{
	const struct config *config = &load->full->config;

	check_place(load, "postgres.host", config->postgres.host);
	check_place(load, "postgres.port", config->postgres.port);
	check_place(load, "postgres.database", config->postgres.database);
	check_least(load, "limits.messageBytes", config->limits.message_bytes, 1024);
	check_least(load, "limits.commandBytes", config->limits.command_bytes, 1024 * 1024);
	if (config->storage.query == CONFIG_QUERY_WRITE && !config->storage.query_role)
		config_mistake(load, check_whole_source(load, "storage.query"), "storage.query",
			"\"write\" needs storage.queryRole, the role of the clients' statements");
	if (config->limits.memory_bytes < config->limits.message_bytes) {
		const char *from = check_whole_source(load, "limits.memoryBytes");

		config_mistake(load, from ? from : check_whole_source(load, "limits.messageBytes"),
			"limits.memoryBytes",
			"%lld is less than limits.messageBytes, %lld: the largest command "
			"would never fit",
			(long long)config->limits.memory_bytes,
			(long long)config->limits.message_bytes);
	}
}
