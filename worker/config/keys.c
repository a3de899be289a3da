/*
 * keys.c - every key, once
 */
#include "worker/config/keys.h"

#include <ctype.h>
#include <string.h>

#define AT(member) offsetof(struct config, member)
#define MIB(n) ((int64_t)(n) << 20)
#define DAY_MS 86400000

static const char *const ssl_choices[] = { "disable", "allow", "prefer", "require", "verify-ca",
	"verify-full", "true=verify-full", "false=disable", NULL };
static const char *const reset_choices[] = { "earliest", "latest", "error", NULL };
static const char *const repair_choices[] = { "repair", "reject", NULL };
static const char *const level_choices[] = { "error", "warn", "info", "debug", NULL };
static const char *const format_choices[] = { "logfmt", "json", NULL };

const struct config_key config_keys[] = {
	{ .path = "postgres.connectionString",
		.kind = CONFIG_TEXT,
		.secret = true,
		.offset = AT(postgres.connection_string),
		.check = config_check_conninfo,
		.help = "The database, as a URI or as name=value pairs of libpq. Everything libpq knows "
			"can be said in it (sslrootcert, several hosts). user, password and ssl may be given "
			"beside it and win over it. Without it and without host, libpq's own defaults and "
			"environment (PGHOST, ...) hold." },
	{ .path = "postgres.connectionStringFile",
		.kind = CONFIG_SECRET_FILE,
		.target = "postgres.connectionString",
		.help = "A file that holds the connection string (a mounted secret)." },
	{ .path = "postgres.host",
		.kind = CONFIG_TEXT,
		.offset = AT(postgres.host),
		.help = "Host name, address, or folder of the Unix socket; not together with "
			"connectionString." },
	{ .path = "postgres.port",
		.kind = CONFIG_INTEGER,
		.offset = AT(postgres.port),
		.min = 1,
		.max = 65535,
		.help = "Port; libpq's own is 5432. Not together with connectionString." },
	{ .path = "postgres.database",
		.kind = CONFIG_TEXT,
		.offset = AT(postgres.database),
		.help = "Name of the database; not together with connectionString." },
	{ .path = "postgres.user",
		.kind = CONFIG_TEXT,
		.offset = AT(postgres.user),
		.help = "Role to connect as." },
	{ .path = "postgres.password",
		.kind = CONFIG_TEXT,
		.secret = true,
		.offset = AT(postgres.password),
		.help = "Its password." },
	{ .path = "postgres.passwordFile",
		.kind = CONFIG_SECRET_FILE,
		.target = "postgres.password",
		.help = "A file that holds the password (a mounted secret)." },
	{ .path = "postgres.ssl",
		.kind = CONFIG_CHOICE,
		.offset = AT(postgres.ssl),
		.choices = ssl_choices,
		.help = "TLS, as libpq's sslmode; true is verify-full, false is disable. Only verify-full "
			"keeps out who sits between: it needs the authority's certificate, in "
			"~/.postgresql/root.crt or as sslrootcert of the connection string. Not set: what the "
			"connection string says, else prefer." },
	{ .path = "postgres.schemaName",
		.kind = CONFIG_TEXT,
		.offset = AT(postgres.schema_name),
		.fallback = "public",
		.min = 1,
		.check = config_check_schema,
		.help = "The schema of the tables, the worker's own included." },
	{ .path = "postgres.max",
		.kind = CONFIG_INTEGER,
		.offset = AT(postgres.max),
		.min = 1,
		.max = 1000,
		.fallback = "10",
		.help = "Most connections of this worker's pool; as many batches run side by side." },
	{ .path = "postgres.idleTimeoutMillis",
		.kind = CONFIG_INTEGER,
		.offset = AT(postgres.idle_timeout_ms),
		.max = DAY_MS,
		.fallback = "30000",
		.help = "A connection that did nothing for so long is closed; 0 keeps it for ever." },
	{ .path = "postgres.connectionTimeoutMillis",
		.kind = CONFIG_INTEGER,
		.offset = AT(postgres.connection_timeout_ms),
		.max = DAY_MS,
		.fallback = "10000",
		.help = "Longest wait for one connection to be made (rounded up to seconds, at least 2); "
			"0 waits as long as the system does. connect_timeout in the connection string wins." },
	{ .path = "postgres.lockTimeoutMillis",
		.kind = CONFIG_INTEGER,
		.offset = AT(postgres.lock_timeout_ms),
		.min = 1,
		.max = DAY_MS,
		.fallback = "10000",
		.help = "Longest wait of a statement for a lock; then the batch is run again." },
	{ .path = "postgres.preparedStatements",
		.kind = CONFIG_SWITCH,
		.offset = AT(postgres.prepared_statements),
		.fallback = "true",
		.help = "Keep statements prepared on each connection. Set to false behind a PgBouncer in "
			"transaction mode that knows no prepared statements (before 1.21)." },
	{ .path = "postgres.skipDefaultIndexes",
		.kind = CONFIG_SWITCH,
		.offset = AT(postgres.skip_default_indexes),
		.fallback = "false",
		.help = "Leave the reference's default indexes out when the tables are made." },
	{ .path = "postgres.indexes",
		.kind = CONFIG_INDEXES,
		.offset = AT(postgres.indexes),
		.help = "Indexes to make beside the default ones, a list of groups with name, table, "
			"columns and, if wanted, unique, where, method (btree, hash, gin, gist, spgist, brin): "
			"`( { name = \"idx_threads_tenant\"; table = \"mastra_threads\"; "
			"columns = [\"resourceId\", \"createdAt DESC\"]; } )`. In the environment in the same "
			"notation." },
	{ .path = "postgres.disableInit",
		.kind = CONFIG_SWITCH,
		.offset = AT(postgres.disable_init),
		.fallback = "false",
		.help = "`stowage run` does not make missing tables; it says which are missing and waits. "
			"For deployments where `stowage init` runs with another role." },

	{ .path = "kafka.bootstrapServers",
		.kind = CONFIG_TEXT,
		.offset = AT(kafka.bootstrap_servers),
		.fallback = "localhost:9092",
		.min = 1,
		.check = config_check_servers,
		.help = "Brokers to start from, host:port, parted by commas." },
	{ .path = "kafka.groupId",
		.kind = CONFIG_TEXT,
		.offset = AT(kafka.group_id),
		.fallback = "stowage",
		.min = 1,
		.help = "Consumer group. Workers of one group share the partitions; the place in each "
			"partition is kept in PostgreSQL under this name." },
	{ .path = "kafka.topics",
		.kind = CONFIG_TEXTS,
		.offset = AT(kafka.topics),
		.min = 1,
		.fallback = "^mastra\\.commands\\.[^.]+$",
		.check = config_check_topic,
		.help = "Command topics. A leading ^ makes it a pattern (POSIX extended regular "
			"expression). Topics that end in .dlq are never read." },
	{ .path = "kafka.offsetReset",
		.kind = CONFIG_CHOICE,
		.offset = AT(kafka.offset_reset),
		.fallback = "earliest",
		.choices = reset_choices,
		.help = "Where a partition starts that this group never had. error: it is not started "
			"before `stowage offsets set` says where." },
	{ .path = "kafka.createTopics",
		.kind = CONFIG_SWITCH,
		.offset = AT(kafka.create_topics),
		.fallback = "false",
		.help = "Make missing command, dead-letter and reply topics when the worker starts. "
			"`stowage topics create` makes them without it." },
	{ .path = "kafka.topicPartitions",
		.kind = CONFIG_INTEGER,
		.offset = AT(kafka.topic_partitions),
		.min = 1,
		.max = 10000,
		.fallback = "4",
		.help = "Partitions of topics that are made." },
	{ .path = "kafka.topicReplication",
		.kind = CONFIG_INTEGER,
		.offset = AT(kafka.topic_replication),
		.min = -1,
		.max = 100,
		.fallback = "-1",
		.help = "Copies of each partition of topics that are made; -1 is the broker's default." },
	{ .path = "kafka.properties",
		.kind = CONFIG_TEXTS,
		.secret = true,
		.offset = AT(kafka.properties),
		.fallback = "",
		.check = config_check_property,
		.help = "Any properties of librdkafka, name=value: [\"security.protocol=SASL_SSL\"]. "
			"Properties the promises hang on (acks, group.id, enable.auto.commit, ...) are "
			"refused." },
	{ .path = "kafka.propertiesFile",
		.kind = CONFIG_TEXTS_FILE,
		.target = "kafka.properties",
		.help = "A file with more of them, one name=value a line, # begins a comment line (a "
			"mounted secret with sasl.password). What stands in kafka.properties as well is taken "
			"from there." },

	{ .path = "replies.allow",
		.kind = CONFIG_TEXT,
		.offset = AT(replies.allow),
		.min = 1,
		.fallback = "^mastra\\.replies(\\..+)?$",
		.check = config_check_regex,
		.help = "What a reply topic's name must match (POSIX extended regular expression). "
			"Without anchors it matches in the middle." },
	{ .path = "replies.maxBytes",
		.kind = CONFIG_INTEGER,
		.offset = AT(replies.max_bytes),
		.min = 1024,
		.max = MIB(512),
		.fallback = "1000000",
		.help = "Largest reply; a larger one is the error REPLY_TOO_LARGE. Not above the topic's "
			"max.message.bytes, which is 1048588 by default." },

	{ .path = "batch.maxCommands",
		.kind = CONFIG_INTEGER,
		.offset = AT(batch.max_commands),
		.min = 1,
		.max = 100000,
		.fallback = "1500",
		.help = "Most commands of one transaction." },
	{ .path = "batch.maxBytes",
		.kind = CONFIG_INTEGER,
		.offset = AT(batch.max_bytes),
		.min = 1024,
		.max = MIB(1024),
		.fallback = "2097152",
		.help = "Most bytes of commands in one transaction; a larger command goes alone. Batches under "
			"way count against limits.memoryBytes: large ones leave little for other partitions." },
	{ .path = "batch.maxParallel",
		.kind = CONFIG_INTEGER,
		.offset = AT(batch.max_parallel),
		.max = 1000,
		.fallback = "0",
		.help = "Most large batches at work at once: the pool's other connections stay free for "
			"commands that somebody waits for, and while such come, one large batch less is at "
			"work. More than PostgreSQL has cores to spare is slower. 0: as many as this machine "
			"has processors, from 2 to 8." },
	{ .path = "batch.maxDetachedReads",
		.kind = CONFIG_INTEGER,
		.offset = AT(batch.max_detached_reads),
		.max = 1000,
		.fallback = "0",
		.help = "Detached reads (vector searches, large lists) that run at once. Reads that take "
			"longer than 50 ms do not count, so quick searches never wait behind slow ones. "
			"Raise it if PostgreSQL has more processors than this machine. 0: one for each "
			"processor of this machine, from 2 to 8." },
	{ .path = "batch.lingerMillis",
		.kind = CONFIG_INTEGER,
		.offset = AT(batch.linger_ms),
		.max = 60000,
		.fallback = "0",
		.help = "How long a batch waits to grow. 0: it goes with what is there, and grows by "
			"itself under load." },

	{ .path = "limits.memoryBytes",
		.kind = CONFIG_INTEGER,
		.offset = AT(limits.memory_bytes),
		.min = MIB(1),
		.max = MIB(65536),
		.fallback = "33554432",
		.help = "The ceiling of fetched and waiting commands, all queues together. Not below "
			"messageBytes. A broker hands out whole batches, of up to a megabyte: where more "
			"partitions have much waiting than this has two megabytes for, they take turns." },
	{ .path = "limits.messageBytes",
		.kind = CONFIG_INTEGER,
		.offset = AT(limits.message_bytes),
		.min = 1024,
		.max = MIB(1024),
		.fallback = "16777216",
		.help = "Largest command; a larger one is an INVALID error." },
	{ .path = "limits.stringBytes",
		.kind = CONFIG_INTEGER,
		.offset = AT(limits.string_bytes),
		.min = 16,
		.max = MIB(1024),
		.fallback = "16777216",
		.help = "Longest text or bytes value in a command." },
	{ .path = "limits.arrayItems",
		.kind = CONFIG_INTEGER,
		.offset = AT(limits.array_items),
		.min = 1,
		.max = 100000000,
		.fallback = "1000000",
		.help = "Most items of one array or map in a command." },
	{ .path = "limits.depth",
		.kind = CONFIG_INTEGER,
		.offset = AT(limits.depth),
		.min = 8,
		.max = 5000,
		.fallback = "512",
		.help = "Deepest nesting of a JSON text." },
	{ .path = "limits.attempts",
		.kind = CONFIG_INTEGER,
		.offset = AT(limits.attempts),
		.min = 1,
		.max = 1000,
		.fallback = "3",
		.help = "A command that took the worker or its database session down so often goes to the "
			"dead-letter topic." },
	{ .path = "limits.shutdownTimeoutMillis",
		.kind = CONFIG_INTEGER,
		.offset = AT(limits.shutdown_timeout_ms),
		.min = 100,
		.max = DAY_MS,
		.fallback = "10000",
		.help = "Bound on finishing the batch in hand when stopping or when a partition is "
			"revoked; then it is rolled back." },

	{ .path = "schemas.directory",
		.kind = CONFIG_TEXT,
		.offset = AT(schemas.directory),
		.help = "Folder with writers' schemas of other releases, *.avsc." },

	{ .path = "http.address",
		.kind = CONFIG_TEXT,
		.offset = AT(http.address),
		.fallback = "",
		.check = config_check_address,
		.help = "host:port of /metrics, /livez and /readyz, for example 127.0.0.1:9464, or :9464 "
			"for every interface; there is no authentication. Empty, the default, is off: two "
			"workers on one host need two ports." },

	{ .path = "data.textRepair",
		.kind = CONFIG_CHOICE,
		.offset = AT(data.text_repair),
		.fallback = "repair",
		.choices = repair_choices,
		.help = "Text that PostgreSQL can't hold (NUL, a lone surrogate in JSON): repair it as the "
			"reference does, and count it, or reject the command as INVALID." },

	{ .path = "log.level",
		.kind = CONFIG_ENUM,
		.offset = AT(log.level),
		.fallback = "info",
		.choices = level_choices,
		.help = "What is logged, to standard error." },
	{ .path = "log.format",
		.kind = CONFIG_ENUM,
		.offset = AT(log.format),
		.fallback = "logfmt",
		.choices = format_choices,
		.help = "Form of a log line." },
};

const size_t config_key_count = sizeof(config_keys) / sizeof(config_keys[0]);
_Static_assert(sizeof(config_keys) / sizeof(config_keys[0]) <= CONFIG_KEYS_MAX,
	"raise CONFIG_KEYS_MAX");

const struct config_key *config_key_find(const char *path)
{
	for (size_t i = 0; i < config_key_count; i++)
		if (strcmp(config_keys[i].path, path) == 0)
			return &config_keys[i];
	return NULL;
}

void config_key_variable(const char *path, char variable[CONFIG_NAME_MAX])
{
	static const char prefix[] = "STOWAGE_";
	size_t used = sizeof(prefix) - 1;

	memcpy(variable, prefix, used);
	for (; *path && used < CONFIG_NAME_MAX - 2; path++) {
		if (isupper((unsigned char)*path))
			variable[used++] = '_';
		variable[used++] = *path == '.' ? '_' : (char)toupper((unsigned char)*path);
	}
	variable[used] = '\0';
}

void *config_member(struct config *config, const struct config_key *key)
{
	return (char *)config + key->offset;
}

const void *config_member_const(const struct config *config, const struct config_key *key)
{
	return (const char *)config + key->offset;
}
