/*
 * load.c - loads the configuration: defaults, then the file, then the environment
 */
#include "worker/config/load.h"

#include <stdlib.h>
#include <unistd.h>

#include "schemas/base/alloc.h"
#include "worker/config/check_whole.h"
#include "worker/config/environment.h"
#include "worker/config/file.h"
#include "worker/config/keys.h"
#include "worker/config/list.h"
#include "worker/config/parse.h"
#include "worker/config/state.h"
#include "worker/config/tls.h"
#include "worker/config/value.h"

#define DEFAULT_PATH "/etc/stowage/stowage.conf"

static void set_defaults(struct config_load *load)
{
	load->source = CONFIG_FROM_DEFAULT;
	for (size_t i = 0; i < config_key_count; i++)
		if (config_keys[i].fallback)
			config_set_from_text(load, &config_keys[i], "default",
				config_keys[i].fallback);
}

/* The path of the file to read, NULL if there is none. */
static const char *find_path(const char *path)
{
	const char *named = getenv("STOWAGE_CONFIG");

	if (path)
		return path;
	if (named && *named)
		return named;
	return access(DEFAULT_PATH, F_OK) == 0 ? DEFAULT_PATH : NULL;
}

struct config *config_load(const char *path, FILE *errors)
{
	struct config_full *full = alloc_zero(1, sizeof(*full));
	struct config_load load = { .full = full, .errors = errors };
	const char *file = find_path(path);

	set_defaults(&load);
	if (file)
		config_read_path(&load, file);
	config_read_environment(&load);
	config_join_lines(&load);
	/* A key with a mistake would only cause further reports. */
	if (load.mistakes == 0)
		config_check_whole(&load);
	if (load.mistakes == 0)
		config_complete_tls(&load);
	if (load.mistakes == 0)
		return &full->config;
	config_free(&full->config);
	return NULL;
}

static void free_member(struct config *config, const struct config_key *key)
{
	void *member = config_member(config, key);

	switch (key->kind) {
	case CONFIG_TEXT:
	case CONFIG_CHOICE:
		free(*(char **)member);
		break;
	case CONFIG_TEXTS:
		config_list_clear(member);
		break;
	case CONFIG_INDEXES:
		config_indexes_clear(config->postgres.indexes, config->postgres.index_count);
		break;
	default:
		break;
	}
}

void config_free(struct config *config)
{
	struct config_full *full = (struct config_full *)config;

	if (!config)
		return;
	config_tls_free(config);
	for (size_t i = 0; i < config_key_count; i++) {
		free_member(config, &config_keys[i]);
		free(full->origins[i].where);
		free(full->files[i]);
	}
	free(full);
}
