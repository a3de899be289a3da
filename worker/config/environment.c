/*
 * environment.c - reads keys from environment variables
 */
#include "worker/config/environment.h"

#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"
#include "schemas/base/nearest.h"
#include "worker/config/keys.h"
#include "worker/config/parse.h"

extern char **environ;

/* Variables that are not keys: the file's path, variables of the tests and of compose/setup, and
 * those that Kubernetes sets for a service named stowage. */
static bool is_other(const char *name, size_t len)
{
	static const char *const exact[] = { "STOWAGE_CONFIG", "STOWAGE_CACHE", "STOWAGE_PORT" };
	static const char *const begin[] = { "STOWAGE_TEST_", "STOWAGE_BIN", "STOWAGE_SERVICE_",
		"STOWAGE_PORT_" };

	for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++)
		if (len == strlen(exact[i]) && strncmp(name, exact[i], len) == 0)
			return true;
	for (size_t i = 0; i < sizeof(begin) / sizeof(begin[0]); i++)
		if (strncmp(name, begin[i], strlen(begin[i])) == 0)
			return true;
	return false;
}

/* Does the name start with the prefix of a group's variables? */
static bool has_group(const char *name)
{
	char variable[CONFIG_NAME_MAX];

	for (size_t i = 0; i < config_key_count; i++) {
		size_t len = strcspn(config_keys[i].path, ".") + strlen("STOWAGE__");

		config_key_variable(config_keys[i].path, variable);
		if (strncmp(name, variable, len) == 0)
			return true;
	}
	return false;
}

static void check_variable(struct config_load *load, const char *name)
{
	const size_t prefix = strlen("STOWAGE_");
	struct nearest nearest = { .wanted = name + prefix };
	char variables[CONFIG_KEYS_MAX][CONFIG_NAME_MAX];

	for (size_t i = 0; i < config_key_count; i++) {
		config_key_variable(config_keys[i].path, variables[i]);
		if (strcmp(variables[i], name) == 0)
			return;
		nearest_offer(&nearest, variables[i] + prefix);
	}
	if (nearest.found)
		config_mistake(load, "environment", name,
			"no key uses this variable; did you mean STOWAGE_%s?", nearest.found);
	else if (has_group(name))
		config_mistake(load, "environment", name,
			"no key uses this variable; `stowage config --reference` lists all keys");
}

void config_read_environment(struct config_load *load)
{
	char variable[CONFIG_NAME_MAX];

	load->source = CONFIG_FROM_ENVIRONMENT;
	for (size_t i = 0; i < config_key_count; i++) {
		const char *text;
		char *where;

		config_key_variable(config_keys[i].path, variable);
		text = getenv(variable);
		if (!text)
			continue;
		where = alloc_printf("environment %s", variable);
		config_set_from_text(load, &config_keys[i], where, text);
		free(where);
	}
	for (char **entry = environ; *entry; entry++) {
		size_t len = strcspn(*entry, "=");
		char *name = alloc_bytes(*entry, len);

		if (strncmp(name, "STOWAGE_", 8) == 0 && len < CONFIG_NAME_MAX &&
			!is_other(name, len))
			check_variable(load, name);
		free(name);
	}
}
