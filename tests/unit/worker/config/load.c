/*
 * load.c - tests of loading the configuration: the file, the environment, mistakes
 *
 * Each test runs in its own process, so it may set environment variables.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/config_text.h"
#include "worker/config/keys.h"
#include "worker/config/load.h"

TestSuite(config, .init = forget_stack, .fini = free_errors);

Test(config, defaults_of_every_key_are_valid)
{
	struct config *config = load(NULL);

	cr_assert_not_null(config, "%s", errors);
	cr_assert_null(config->postgres.connection_string);
	cr_assert_eq(config->postgres.max, 10);
	cr_assert_str_eq(config->postgres.schema_name, "public");
	cr_assert_eq(config->kafka.topics.count, 1);
	cr_assert_str_eq(config->kafka.topics.items[0], "^mastra\\.commands\\.[^.]+$");
	cr_assert_eq(config->kafka.properties.count, 0);
	cr_assert_str_eq(config->http.address, "");
	cr_assert_eq(config->log.level, LOG_INFO);
	cr_assert_eq(config->limits.memory_bytes, 32 << 20);
	config_free(config);
}

Test(config, a_file_sets_every_type)
{
	struct config *config = load(
		"postgres: { host = \"h\"; port = 5433; preparedStatements = false; ssl = \"require\";\n"
		"  indexes = ( { name = \"i\"; table = \"t\"; columns = [\"a\", \"b DESC\"]; unique = true; } ); };\n"
		"kafka: { topics = [\"one\", \"^two$\"]; properties = [\"security.protocol=ssl\"]; };\n"
		"limits: { memoryBytes = 4294967296L; };\n"
		"log: { level = \"debug\"; format = \"json\"; };\n");

	cr_assert_not_null(config, "%s", errors);
	cr_assert_str_eq(config->postgres.host, "h");
	cr_assert_eq(config->postgres.port, 5433);
	cr_assert_not(config->postgres.prepared_statements);
	cr_assert_str_eq(config->postgres.ssl, "require");
	cr_assert_eq(config->postgres.index_count, 1);
	cr_assert_str_eq(config->postgres.indexes[0].columns.items[1], "b DESC");
	cr_assert(config->postgres.indexes[0].unique);
	cr_assert_str_eq(config->kafka.topics.items[1], "^two$");
	cr_assert_eq(config->limits.memory_bytes, 4294967296);
	cr_assert_eq(config->log.level, LOG_DEBUG);
	cr_assert_eq(config->log.format, LOG_JSON);
	config_free(config);
}

Test(config, ssl_accepts_true_and_false)
{
	struct config *config = load("postgres: { ssl = true; };");

	cr_assert_str_eq(config->postgres.ssl, "verify-full");
	config_free(config);
	config = load("postgres: { ssl = false; };");
	cr_assert_str_eq(config->postgres.ssl, "disable");
	config_free(config);
}

/* One row for each kind of wrong line. */
static const struct {
	const char *text;
	const char *where; /* key or line */
	const char *reason;
} wrong_lines[] = {
	{ "postgres: { max = \"10\"; };", ":1: postgres.max", "must be a whole number" },
	{ "postgres: { max = 1.5; };", "postgres.max", "must be a whole number" },
	{ "postgres: { max = true; };", "postgres.max", "must be a whole number" },
	{ "postgres: { max = 0; };", "postgres.max", "from 1 to 1000" },
	{ "postgres: { disableInit = 1; };", "postgres.disableInit", "must be true or false" },
	{ "postgres: { host = 3; };", "postgres.host", "must be a text" },
	{ "kafka: { topics = \"a\"; };", "kafka.topics", "must be a list" },
	{ "kafka: { topics = [1]; };", "kafka.topics", "must be a list of texts" },
	{ "kafka: { topics = []; };", "kafka.topics", "at least 1" },
	{ "kafka: { topics = [\"^(\"]; };", "kafka.topics", "regular expression" },
	{ "kafka: { topics = [\"a.dlq\"]; };", "kafka.topics", "dead-letter" },
	{ "kafka: { topics = [\"a b\"]; };", "kafka.topics", "not a valid topic name" },
	{ "kafka: { offsetReset = \"lastest\"; };", "kafka.offsetReset", "did you mean latest?" },
	{ "kafka: { properties = [\"no.such=1\"]; };", "kafka.properties", "no.such" },
	{ "kafka: { properties = [\"no.such.password=1\"]; };", "kafka.properties",
		"No such configuration property: \"no.such.password\"" },
	{ "kafka: { properties = [\"session.timeout.ms=0\"]; };", "kafka.properties",
		"range 1..3600000" },
	{ "kafka: { properties = [\"group.id=1\"]; };", "kafka.properties", "kafka.groupId" },
	{ "kafka: { properties = [\"hunter2\"]; };", "kafka.properties", "not name=value" },
	{ "kafka: { bootstrapServers = \"a:x\"; };", "kafka.bootstrapServers", "port" },
	{ "kafka: { bootstrapServers = \"a,http://b\"; };", "kafka.bootstrapServers",
		"sasl_ssl://" },
	{ "kafka: { bootstrapServers = \"://a\"; };", "kafka.bootstrapServers", "sasl_ssl://" },
	{ "kafka: { bootstrapServers = \"\"; };", "kafka.bootstrapServers", "must not be empty" },
	{ "replies: { allow = \"[\"; };", "replies.allow", "regular expression" },
	{ "http: { address = \"9464\"; };", "http.address", "host:port" },
	{ "log: { level = \"loud\"; };", "log.level", "error, warn, info, debug" },
	{ "postgres: { schemaName = \"a\\xff\"; };", "postgres.schemaName", "schema's name" },
	{ "postgres: { schemaName = \"pg_catalog\"; };", "postgres.schemaName", "reserved" },
	{ "postgres: { schemaName = \"information_schema\"; };", "postgres.schemaName",
		"reserved" },
	{ "postgres: { connectionString = \"postgresql://u:p%zz@h\"; };",
		"postgres.connectionString", "libpq" },
	{ "postgres: { maxx = 3; };", ":1: postgres.maxx", "did you mean postgres.max?" },
	{ "a = 1;\n\nfoo = 1;", ":3: foo", "is not a key" },
	{ "retention: { memory: { message = \"1d\"; }; };", "retention.memory.message",
		"did you mean retention.memory.messages?" },
	{ "retention: { memry: { messages = \"1d\"; }; };", "retention.memry", "is not a key" },
	{ "retention: { memory = \"1d\"; };", "retention.memory", "is not a key" },
	{ "retention: { scores: { scorers = \"1y\"; }; };", "retention.scores.scorers",
		"no time such as" },
	{ "retention: { scores: { scorers = \"0d\"; }; };", "retention.scores.scorers",
		"not longer than 0" },
	{ "retention: { every = \"often\"; };", "retention.every", "no time such as" },
	{ "max = 3;", ": max", "did you mean postgres.max?" },
	{ "postgers: { max = 3; };", "postgers", "did you mean postgres?" },
	{ "postgres = 3;", "postgres", "must be a group" },
	{ "postgres: { max = 3 }; foo = ;", ":1:", "syntax error" },
	{ "postgres: { max = 3; max = 4; };", ":1:", "duplicate" },
	{ "limits: { memoryBytes = 5000000000; };", "limits.memoryBytes", "needs the suffix L" },
	{ "limits: { memoryBytes = 1048576; messageBytes = 1048577; };", "limits.memoryBytes",
		"limits.messageBytes" },
	{ "limits: { messageBytes = 1; };", "limits.messageBytes", "neither 0 nor at least 1024" },
	{ "limits: { commandBytes = 1024; };", "limits.commandBytes", "neither 0 nor" },
	{ "postgres: { connectionString = \"host=a\"; host = \"b\"; };", "postgres.host",
		"connectionString" },
	{ "postgres: { indexes = ( { name = \"i\"; tabel = \"t\"; columns = [\"a\"]; } ); };",
		"postgres.indexes[0]", "did you mean \"table\"?" },
	{ "postgres: { indexes = ( { name = \"i\"; columns = [\"a\"]; } ); };",
		"postgres.indexes[0]", "table is missing" },
	{ "postgres: { indexes = ( 3 ); };", "postgres.indexes[0]", "must be a group" },
	{ "postgres: { passwordFile = \"/nonexistent\"; };", "postgres.passwordFile",
		"No such file" },
};

Test(config, every_kind_of_wrong_line_is_reported)
{
	for (size_t i = 0; i < sizeof(wrong_lines) / sizeof(wrong_lines[0]); i++)
		fails(wrong_lines[i].text, wrong_lines[i].where, wrong_lines[i].reason);
}

Test(config, servers_may_have_a_protocol)
{
	struct config *config = load(
		"kafka: { bootstrapServers = \"a, SSL://b:1,sasl_ssl://[::1]:2,plaintext://c\"; };");

	cr_assert_not_null(config, "%s", errors);
	config_free(config);
}

Test(config, all_mistakes_are_reported_at_once)
{
	cr_assert_null(load("postgres: { max = 0; nix = 1; };\nkafka: { topics = 3; };\nlog: 3;"));
	cr_assert_not_null(strstr(errors, ":1: postgres.max"));
	cr_assert_not_null(strstr(errors, ":1: postgres.nix"));
	cr_assert_not_null(strstr(errors, ":2: kafka.topics"));
	cr_assert_not_null(strstr(errors, ":3:"));
}

Test(config, secrets_are_not_repeated_in_mistakes)
{
	cr_assert_null(load("postgres: { connectionString = \"postgresql://u:hunter2%zz@h\"; };\n"
			    "kafka: { properties = [\"hunter2\"]; };"));
	cr_assert_null(strstr(errors, "hunter2"));
}

Test(config, a_directory_and_a_missing_file_are_mistakes)
{
	size_t size;
	FILE *out = open_memstream(&errors, &size);

	cr_assert_null(config_load("/tmp", out));
	cr_assert_null(config_load("/nonexistent.conf", out));
	fclose(out);
	cr_assert_not_null(strstr(errors, "/tmp: is a directory"));
	cr_assert_not_null(strstr(errors, "/nonexistent.conf: cannot be read"));
}

Test(config, the_environment_overrides_the_file)
{
	struct config *config;

	setenv("STOWAGE_POSTGRES_MAX", "7", 1);
	setenv("STOWAGE_POSTGRES_DISABLE_INIT", "yes", 1);
	setenv("STOWAGE_KAFKA_TOPICS", "^a{1\\,2}$,b", 1);
	setenv("STOWAGE_HTTP_ADDRESS", "", 1);
	setenv("STOWAGE_LOG_LEVEL", "warn", 1);
	setenv("STOWAGE_POSTGRES_INDEXES", "({ name=\"i\"; table=\"t\"; columns=[\"a\"]; })", 1);
	config = load("postgres: { max = 3; };\nhttp: { address = \":9464\"; };");
	cr_assert_not_null(config, "%s", errors);
	cr_assert_eq(config->postgres.max, 7);
	cr_assert(config->postgres.disable_init);
	cr_assert_eq(config->kafka.topics.count, 2);
	cr_assert_str_eq(config->kafka.topics.items[0], "^a{1,2}$");
	cr_assert_str_eq(config->http.address, "");
	cr_assert_eq(config->log.level, LOG_WARN);
	cr_assert_str_eq(config->postgres.indexes[0].table, "t");
	config_free(config);
}

Test(config, every_key_has_its_own_variable)
{
	char variable[CONFIG_NAME_MAX];

	for (size_t i = 0; i < config_key_count; i++) {
		config_key_variable(config_keys[i].path, variable);
		setenv(variable, "\xff [wrong for every key", 1);
		if (config_keys[i].check || config_keys[i].kind != CONFIG_TEXT) {
			cr_assert_null(load(NULL), "%s is not read", variable);
			cr_assert_not_null(strstr(errors, variable), "%s: %s", variable, errors);
		}
		unsetenv(variable);
	}
	config_key_variable("postgres.idleTimeoutMillis", variable);
	cr_assert_str_eq(variable, "STOWAGE_POSTGRES_IDLE_TIMEOUT_MILLIS");
}

Test(config, unknown_variables)
{
	setenv("STOWAGE_TEST_X", "1", 1);
	setenv("STOWAGE_BIN", "1", 1);
	setenv("STOWAGE_CACHE", "/x", 1);
	setenv("STOWAGE_PORT", "tcp://1.2.3.4:80", 1);
	setenv("STOWAGE_SERVICE_HOST", "1.2.3.4", 1);
	setenv("STOWAGE_VERSION", "3", 1);
	config_free(load(NULL));
	cr_assert_str_empty(errors);
	setenv("STOWAGE_POSTGRES_MAXX", "1", 1);
	fails(NULL, "STOWAGE_POSTGRES_MAXX", "did you mean STOWAGE_POSTGRES_MAX?");
	unsetenv("STOWAGE_POSTGRES_MAXX");
	setenv("STOWAGE_KAFKA_SOMETHING", "1", 1);
	fails(NULL, "STOWAGE_KAFKA_SOMETHING", "no key");
}

Test(config, properties_that_the_producer_sets_itself_are_rejected)
{
	static const char *const names[] = { "message.timeout.ms", "delivery.timeout.ms",
		"message.max.bytes", "queue.buffering.max.messages", "queue.buffering.max.kbytes" };
	char text[200];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(text, sizeof(text), "kafka: { properties = [\"%s=300000\"]; };", names[i]);
		fails(text, names[i], "set by the worker itself");
	}
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	cr_assert_not_null(file);
	fputs(text, file);
	fclose(file);
}

Test(config, secrets_from_files)
{
	struct config *config;

	write_file("secret-password", "hunter2\n");
	write_file("secret-properties", "# comment\r\nsasl.password=a=b\r\n\r\n sasl.username=u\n");
	config = load(
		"postgres: { passwordFile = \"secret-password\"; };\n"
		"kafka: { properties = [\"client.id=x\"]; propertiesFile = \"secret-properties\"; };");
	cr_assert_not_null(config, "%s", errors);
	cr_assert_str_eq(config->postgres.password, "hunter2");
	cr_assert_eq(config->kafka.properties.count, 3);
	cr_assert_str_eq(config->kafka.properties.items[0], "sasl.password=a=b");
	cr_assert_str_eq(config->kafka.properties.items[1], "sasl.username=u");
	cr_assert_str_eq(config->kafka.properties.items[2], "client.id=x");
	config_free(config);
	fails("postgres: { passwordFile = \"secret-password\"; password = \"x\"; };",
		"postgres.password", "given twice");
	setenv("STOWAGE_POSTGRES_PASSWORD", "other", 1);
	config = load("postgres: { passwordFile = \"secret-password\"; };");
	cr_assert_str_eq(config->postgres.password, "other");
	config_free(config);
	unlink("secret-password");
	unlink("secret-properties");
}

static void has_properties(const struct config *config, const char *first, const char *second)
{
	const struct config_list *list = &config->kafka.properties;

	cr_assert_not_null(config, "%s", errors);
	cr_assert_eq(list->count, (first != NULL) + (second != NULL));
	if (first)
		cr_assert_str_eq(list->items[0], first);
	if (second)
		cr_assert_str_eq(list->items[list->count - 1], second);
}

Test(config, properties_and_their_file_are_overridden_separately)
{
	static const char text[] =
		"kafka: { properties = [\"client.id=x\"]; propertiesFile = \"properties-one\"; };";
	struct config *config;

	write_file("properties-one", "sasl.username=one\n");
	write_file("properties-two", "sasl.username=two\n");
	/* librdkafka uses the last value of a name, so kafka.properties overrides the file. */
	config = load(text);
	has_properties(config, "sasl.username=one", "client.id=x");
	config_free(config);
	setenv("STOWAGE_KAFKA_PROPERTIES", "client.id=y", 1);
	config = load(text);
	has_properties(config, "sasl.username=one", "client.id=y");
	config_free(config);
	setenv("STOWAGE_KAFKA_PROPERTIES_FILE", "properties-two", 1);
	config = load(text);
	has_properties(config, "sasl.username=two", "client.id=y");
	config_free(config);
	setenv("STOWAGE_KAFKA_PROPERTIES_FILE", "", 1);
	config = load(text);
	has_properties(config, "client.id=y", NULL);
	config_free(config);
	unlink("properties-one");
	unlink("properties-two");
}

Test(config, blanks_around_the_equals_sign_of_a_line)
{
	struct config *config;

	write_file("properties", "sasl.password \t=  x = y \nsasl.username=u\n");
	config = load("kafka: { propertiesFile = \"properties\"; };");
	has_properties(config, "sasl.password=x = y ", "sasl.username=u");
	config_free(config);
	write_file("properties", "\nsasl.password\n");
	fails("kafka: { propertiesFile = \"properties\"; };", "properties:2: ", "not name=value");
	unlink("properties");
}

Test(config, a_comma_in_an_item_of_a_variable)
{
	struct config *config;

	setenv("STOWAGE_KAFKA_PROPERTIES", "sasl.password=a,b", 1);
	fails(NULL, "STOWAGE_KAFKA_PROPERTIES", "a comma inside an item is written \\,");
	setenv("STOWAGE_KAFKA_PROPERTIES", "sasl.password", 1);
	cr_assert_null(load(NULL));
	cr_assert_null(strstr(errors, "comma"));
	setenv("STOWAGE_KAFKA_PROPERTIES", "sasl.password=a\\,b", 1);
	config = load(NULL);
	has_properties(config, "sasl.password=a,b", NULL);
	config_free(config);
}

Test(config, each_table_whose_old_rows_can_go_has_a_key)
{
	for (size_t i = 0; i < RETENTION_COUNT; i++) {
		const struct retention_table *table = &retention_tables[i];
		char path[CONFIG_NAME_MAX];

		snprintf(path, sizeof(path), "retention.%s.%s", table->domain, table->key);
		const struct config_key *key = config_key_find(path);
		cr_assert_not_null(key, "%s", path);
		cr_assert_eq(key->offset, offsetof(struct config, retention.ages[i]), "%s", path);
	}
	struct config *config = load("retention: { memory: { threads = \"2w\"; }; };");
	cr_assert_not_null(config, "%s", errors);
	cr_assert_str_eq(config->retention.ages[RETENTION_THREADS], "2w");
	cr_assert_null(config->retention.ages[RETENTION_MESSAGES]);
	config_free(config);
}

Test(config, a_mistake_is_one_line)
{
	cr_assert_null(load("kafka: { properties = [\"session.timeout.ms=0\"]; };"));
	cr_assert_eq(strchr(errors, '\n'), errors + strlen(errors) - 1, "%s", errors);
}
