/*
 * print.c - tests of the printed configuration and of libpq's connection parameters
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "worker/config/conninfo.h"
#include "worker/config/keys.h"
#include "worker/config/load.h"
#include "worker/config/mask.h"
#include "worker/config/print.h"

static void init(void)
{
	unsetenv("STOWAGE_POSTGRES_CONNECTION_STRING");
	unsetenv("STOWAGE_KAFKA_BOOTSTRAP_SERVERS");
}

TestSuite(config_print, .init = init);

/* Not inlined: gcc 12 would warn that the stream's text is the address of a local variable. */
__attribute__((noinline)) static char *printed(const struct config *config)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (config)
		config_print(config, out);
	else
		config_print_reference(out);
	fclose(out);
	return text;
}

static struct config *with_secrets(void)
{
	setenv("STOWAGE_POSTGRES_CONNECTION_STRING",
		"postgresql://u:hunter2@h:5/d?sslpassword=hunter3&application_name=mine", 1);
	setenv("STOWAGE_POSTGRES_PASSWORD", "hunter4", 1);
	setenv("STOWAGE_KAFKA_PROPERTIES", "sasl.password=hunter5,sasl.username=u", 1);
	return config_load("/dev/null", stderr);
}

Test(config_print, secrets_are_masked_and_origins_shown)
{
	struct config *config = with_secrets();
	char *text = printed(config);

	cr_assert_null(strstr(text, "hunter"), "%s", text);
	cr_assert_not_null(strstr(text, "user=u password=***"));
	cr_assert_not_null(strstr(text, "host=h port=5"));
	cr_assert_not_null(strstr(text, "\"sasl.password=***\", \"sasl.username=u\""));
	cr_assert_not_null(strstr(text, "# environment STOWAGE_POSTGRES_PASSWORD"));
	cr_assert_not_null(strstr(text, "postgres.max = 10;"));
	cr_assert_not_null(strstr(text, "# default"));
	free(text);
	config_free(config);
}

Test(config_print, a_printed_value_can_be_pasted_into_a_file)
{
	static const char key[] = "kafka.topics = ";
	char path[] = "/tmp/stowage-config-XXXXXX";
	struct config *config, *again;
	char *text, *value;
	FILE *file;

	setenv("STOWAGE_KAFKA_TOPICS", "^a\\.b\"c$,d", 1);
	config = config_load("/dev/null", stderr);
	text = printed(config);
	unsetenv("STOWAGE_KAFKA_TOPICS");
	value = strstr(text, key);
	cr_assert_not_null(value);
	value += strlen(key);
	value[strcspn(value, "#")] = '\0'; /* "# environment ..." */
	file = fdopen(mkstemp(path), "w");
	fprintf(file, "kafka: { topics = %s };\n", value);
	fclose(file);
	again = config_load(path, stderr);
	unlink(path);
	cr_assert_not_null(again);
	cr_assert_eq(again->kafka.topics.count, 2);
	cr_assert_str_eq(again->kafka.topics.items[0], "^a\\.b\"c$");
	free(text);
	config_free(again);
	config_free(config);
}

Test(config_print, the_reference_lists_every_key_and_variable)
{
	char *text = printed(NULL);
	char variable[CONFIG_NAME_MAX];

	for (size_t i = 0; i < config_key_count; i++) {
		config_key_variable(config_keys[i].path, variable);
		cr_assert_not_null(strstr(text, config_keys[i].path));
		cr_assert_not_null(strstr(text, variable));
		cr_assert_not_null(config_keys[i].help);
	}
	free(text);
}

static void file_of(char *path, const char *text)
{
	int fd = mkstemp(path);

	cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

Test(config_print, a_joined_list_shows_all_its_origins)
{
	char properties[] = "/tmp/stowage-properties-XXXXXX", path[] = "/tmp/stowage-config-XXXXXX";
	char text[200], wanted[300], *shown;
	struct config *config;

	file_of(properties, "sasl.username=u\n");
	snprintf(text, sizeof(text),
		"kafka: {\nproperties = [\"client.id=x\"];\n"
		"propertiesFile = \"%s\";\n};",
		properties);
	file_of(path, text);
	config = config_load(path, stderr);
	cr_assert_not_null(config);
	shown = printed(config);
	snprintf(wanted, sizeof(wanted), "# %s, kafka.propertiesFile in %s:3, %s:2\n", properties,
		path, path);
	cr_assert_not_null(strstr(shown,
		"kafka.properties = [\"sasl.username=u\", \"client.id=x\"];"));
	cr_assert_not_null(strstr(shown, wanted), "%s", shown);
	free(shown);
	config_free(config);
	unlink(properties);
	unlink(path);
}

/* Value of the keyword's last pair, NULL if there is none. */
static const char *last(const struct config_conninfo *info, const char *keyword)
{
	const char *value = NULL;

	for (size_t i = 0; info->keywords[i]; i++)
		if (strcmp(info->keywords[i], keyword) == 0)
			value = info->values[i];
	return value;
}

Test(config_print, conninfo_of_a_connection_string)
{
	struct config *config = with_secrets();
	struct config_conninfo info = config_conninfo(config);

	cr_assert_str_eq(last(&info, "dbname"), config->postgres.connection_string);
	cr_assert_str_eq(last(&info, "password"), "hunter4");
	cr_assert_str_eq(last(&info, "connect_timeout"), "10");
	cr_assert_str_eq(last(&info, "keepalives_idle"), "10");
	cr_assert_str_eq(last(&info, "target_session_attrs"), "read-write");
	/* It comes before dbname, so the connection string overrides it. */
	cr_assert_str_eq(info.keywords[0], "application_name");
	config_conninfo_free(&info);
	config_free(config);
}

Test(config_print, conninfo_of_single_keys)
{
	struct config *config;
	struct config_conninfo info;

	setenv("STOWAGE_POSTGRES_HOST", "h", 1);
	setenv("STOWAGE_POSTGRES_PORT", "5433", 1);
	setenv("STOWAGE_POSTGRES_DATABASE", "d", 1);
	setenv("STOWAGE_POSTGRES_SSL", "true", 1);
	setenv("STOWAGE_POSTGRES_CONNECTION_TIMEOUT_MILLIS", "2500", 1);
	config = config_load("/dev/null", stderr);
	info = config_conninfo(config);
	cr_assert_str_eq(last(&info, "host"), "h");
	cr_assert_str_eq(last(&info, "port"), "5433");
	cr_assert_str_eq(last(&info, "dbname"), "d");
	cr_assert_str_eq(last(&info, "sslmode"), "verify-full");
	cr_assert_str_eq(last(&info, "connect_timeout"), "3");
	config_conninfo_free(&info);
	config_free(config);
}
