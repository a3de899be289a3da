/*
 * conninfo.c - libpq's connection parameters from the configuration
 *
 * In libpq a later keyword overrides an earlier one, and libpq expands the connection string where
 * `dbname` stands. So the connection string may override parameters before `dbname`, and parameters
 * after it override the connection string.
 */
#include "worker/config/conninfo.h"

#include <inttypes.h>
#include <stdlib.h>

#include "schemas/base/alloc.h"
#include "worker/config/secret.h"
#include "worker/config/tls.h"

#define PAIRS_MAX 24

static void conninfo_add(struct config_conninfo *info, size_t *count, const char *keyword,
	char *value)
{
	if (!value)
		return;
	info->keywords[*count] = keyword;
	info->values[(*count)++] = value;
}

static char *connect_timeout(int64_t ms)
{
	return alloc_printf("%" PRId64, (ms + 999) / 1000);
}

/* The keepalives detect a peer that vanished without closing the connection in about 30 s. */
static const struct {
	const char *keyword, *value;
} defaults[] = {
	{ "application_name", "stowage" },
	{ "keepalives", "1" },
	{ "keepalives_idle", "10" },
	{ "keepalives_interval", "5" },
	{ "keepalives_count", "4" },
	{ "tcp_user_timeout", "30000" },
};

static void add_defaults(const struct config *config, struct config_conninfo *info, size_t *count)
{
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		conninfo_add(info, count, defaults[i].keyword, alloc_copy(defaults[i].value));
	conninfo_add(info, count, "connect_timeout",
		connect_timeout(config->postgres.connection_timeout_ms));
	/* A worker always writes. Behind an address that moves to a new primary, or with several hosts, a
	 * server that rejects writes is not the one. libpq's own variable may say otherwise. */
	if (!getenv("PGTARGETSESSIONATTRS"))
		conninfo_add(info, count, "target_session_attrs", alloc_copy("read-write"));
}

static char *secret_now(const struct config *config, const char *path)
{
	char why[512];

	return config_secret_now(config, path, why, sizeof(why));
}

struct config_conninfo config_conninfo(const struct config *config)
{
	struct config_conninfo info = {
		.keywords = alloc_zero(PAIRS_MAX, sizeof(char *)),
		.values = alloc_zero(PAIRS_MAX, sizeof(char *)),
	};
	size_t count = 0;

	add_defaults(config, &info, &count);
	conninfo_add(&info, &count, "dbname", secret_now(config, "postgres.connectionString"));
	conninfo_add(&info, &count, "host", alloc_copy(config->postgres.host));
	if (config->postgres.port)
		conninfo_add(&info, &count, "port",
			alloc_printf("%" PRId64, config->postgres.port));
	conninfo_add(&info, &count, "dbname", alloc_copy(config->postgres.database));
	conninfo_add(&info, &count, "user", alloc_copy(config->postgres.user));
	conninfo_add(&info, &count, "password", secret_now(config, "postgres.password"));
	conninfo_add(&info, &count, "sslmode", alloc_copy(config->postgres.ssl));
	for (size_t i = 0; i < TLS_FILES; i++)
		conninfo_add(&info, &count, tls_parameters[i],
			alloc_copy(config->postgres.ssl_files[i]));
	conninfo_add(&info, &count, "client_encoding", alloc_copy("UTF8"));
	return info;
}

void config_conninfo_free(struct config_conninfo *info)
{
	for (size_t i = 0; info->values && info->values[i]; i++)
		free((char *)info->values[i]);
	free(info->values);
	free(info->keywords);
	*info = (struct config_conninfo){ 0 };
}

PGconn *config_connect(const void *config)
{
	struct config_conninfo info = config_conninfo(config);
	PGconn *pg = PQconnectdbParams(info.keywords, info.values, 1);

	config_conninfo_free(&info);
	if (!pg)
		abort();
	return pg;
}

bool config_conninfo_readable(const struct config *config, char *error, size_t error_size)
{
	static const char *const paths[] = { "postgres.connectionString", "postgres.password" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		free(config_secret_now(config, paths[i], error, error_size));
		if (*error)
			return false;
	}
	return true;
}
