/*
 * keys.c - the table of configuration keys
 */
#include "worker/config/keys.h"

#include <ctype.h>
#include <string.h>

#define AT(member) offsetof(struct config, member)
#define MIB(n) ((int64_t)(n) << 20)
#define DAY_MS 86400000

/* A key of the group retention: the age at which rows of a table go. */
#define AGE(name, id, what) \
	{ .path = "retention." name, \
		.kind = CONFIG_TEXT, \
		.offset = AT(retention.ages[id]), \
		.min = 1, \
		.check = config_check_age, \
		.help = "The worker deletes " what \
			" after this time: \"30d\", \"12h\", \"2w\". If " \
			"not set, they stay." }

static const char *const ssl_choices[] = { "disable", "allow", "prefer", "require", "verify-ca",
	"verify-full", "true=verify-full", "false=disable", NULL };
static const char *const reject_choices[] = { "true", "false", NULL };
static const char *const reset_choices[] = { "earliest", "latest", "error", NULL };
static const char *const repair_choices[] = { "repair", "reject", NULL };
static const char *const query_choices[] = { "off", "read", "write", NULL };
static const char *const level_choices[] = { "error", "warn", "info", "debug", NULL };
static const char *const format_choices[] = { "logfmt", "json", NULL };

const struct config_key config_keys[] = {
	{ .path = "postgres.connectionString",
		.kind = CONFIG_TEXT,
		.secret = true,
		.offset = AT(postgres.connection_string),
		.check = config_check_conninfo,
		.help = "Connection string of the database: a URI, or name=value pairs of libpq. "
			"It may hold every libpq parameter (sslrootcert, several hosts). "
			"postgres.user and postgres.password override the string. "
			"If neither connectionString nor host is set, libpq uses its own defaults "
			"and environment variables (PGHOST, ...)." },
	{ .path = "postgres.connectionStringFile",
		.kind = CONFIG_SECRET_FILE,
		.target = "postgres.connectionString",
		.help = "File that holds the connection string, such as a mounted secret." },
	{ .path = "postgres.host",
		.kind = CONFIG_TEXT,
		.offset = AT(postgres.host),
		.help = "Host name, address, or directory of the Unix socket. Not allowed "
			"together with connectionString." },
	{ .path = "postgres.port",
		.kind = CONFIG_INTEGER,
		.offset = AT(postgres.port),
		.min = 1,
		.max = 65535,
		.help = "Port. If not set, libpq uses 5432. Not allowed together with "
			"connectionString." },
	{ .path = "postgres.database",
		.kind = CONFIG_TEXT,
		.offset = AT(postgres.database),
		.help = "Name of the database. Not allowed together with connectionString." },
	{ .path = "postgres.user",
		.kind = CONFIG_TEXT,
		.offset = AT(postgres.user),
		.help = "Role to connect as." },
	{ .path = "postgres.password",
		.kind = CONFIG_TEXT,
		.secret = true,
		.offset = AT(postgres.password),
		.help = "Password of the role." },
	{ .path = "postgres.passwordFile",
		.kind = CONFIG_SECRET_FILE,
		.target = "postgres.password",
		.help = "File that holds the password, such as a mounted secret." },
	{ .path = "postgres.ssl",
		.kind = CONFIG_CHOICE,
		.offset = AT(postgres.ssl),
		.choices = ssl_choices,
		.group = "true",
		.help = "TLS mode, as libpq's sslmode; true means verify-full, false means "
			"disable. Or a group of the four keys below, which turns TLS on: "
			"`{ rejectUnauthorized = true; ca = \"ca.pem\"; }`. Only verify-full protects "
			"against an attacker between worker and server. It needs the certificate "
			"of the authority: postgres.ssl.ca, else sslrootcert in the connection "
			"string, else ~/.postgresql/root.crt. If nothing is set, the connection "
			"string decides, else prefer. A connection string that says something "
			"else is an error." },
	{ .path = "postgres.ssl.rejectUnauthorized",
		.kind = CONFIG_CHOICE,
		.offset = AT(postgres.ssl_reject),
		.choices = reject_choices,
		.help = "true, which is the default of the group: the worker connects only to a "
			"server whose certificate is signed by an authority that it knows, for the "
			"server's name (verify-full). false: the connection is encrypted, but the "
			"worker does not verify the server (require)." },
	{ .path = "postgres.ssl.ca",
		.kind = CONFIG_TEXT,
		.offset = AT(postgres.ssl_ca),
		.help = "Certificates of the authorities that may sign the server's: a file, or "
			"PEM text." },
	{ .path = "postgres.ssl.cert",
		.kind = CONFIG_TEXT,
		.offset = AT(postgres.ssl_cert),
		.help = "The worker's own certificate: a file, or PEM text." },
	{ .path = "postgres.ssl.key",
		.kind = CONFIG_TEXT,
		.secret = true,
		.offset = AT(postgres.ssl_key),
		.help = "The private key of postgres.ssl.cert: a file, or PEM text. Others must "
			"have no right to read the file." },
	{ .path = "postgres.schemaName",
		.kind = CONFIG_TEXT,
		.offset = AT(postgres.schema_name),
		.fallback = "public",
		.min = 1,
		.check = config_check_schema,
		.help = "Schema of all tables, including the worker's own tables. Tenants have "
			"schemas of their own: see postgres.schemas." },
	{ .path = "postgres.schemas",
		.kind = CONFIG_TEXT,
		.offset = AT(postgres.schemas),
		.fallback = "",
		.check = config_check_regex,
		.help = "Pattern of the schemas that commands may name in the header schema-name "
			"(POSIX extended regular expression), such as `tenant_[0-9]+`. The whole "
			"name must match it. Without a pattern, commands may name only "
			"postgres.schemaName, which is always allowed." },
	{ .path = "postgres.tenantStatementBytes",
		.kind = CONFIG_INTEGER,
		.offset = AT(postgres.tenant_statement_bytes),
		.max = MIB(1024),
		.fallback = "1048576",
		.help = "Bytes of SQL text that each connection keeps prepared for tenants' "
			"schemas. PostgreSQL's process holds some sixty times as much. The "
			"statements of postgres.schemaName do not count." },
	{ .path = "postgres.max",
		.kind = CONFIG_INTEGER,
		.offset = AT(postgres.max),
		.min = 1,
		.max = 1000,
		.fallback = "10",
		.help = "Maximum number of connections in this worker's pool. The worker runs up "
			"to this many batches in parallel." },
	{ .path = "postgres.idleTimeoutMillis",
		.kind = CONFIG_INTEGER,
		.offset = AT(postgres.idle_timeout_ms),
		.max = DAY_MS,
		.fallback = "30000",
		.help = "The worker closes a connection that was idle for this time. 0 keeps idle "
			"connections open." },
	{ .path = "postgres.connectionTimeoutMillis",
		.kind = CONFIG_INTEGER,
		.offset = AT(postgres.connection_timeout_ms),
		.max = DAY_MS,
		.fallback = "10000",
		.help = "Timeout of one connection attempt, rounded up to whole seconds, at least "
			"2. 0 leaves the timeout to the operating system. connect_timeout in the "
			"connection string overrides this key." },
	{ .path = "postgres.lockTimeoutMillis",
		.kind = CONFIG_INTEGER,
		.offset = AT(postgres.lock_timeout_ms),
		.min = 1,
		.max = DAY_MS,
		.fallback = "10000",
		.help = "A statement waits up to this time for a lock, but at most for half of "
			"postgres.statementTimeoutMillis. After that the worker retries the "
			"batch." },
	{ .path = "postgres.statementTimeoutMillis",
		.kind = CONFIG_INTEGER,
		.offset = AT(postgres.statement_timeout_ms),
		.min = 100,
		.max = DAY_MS,
		.fallback = "60000",
		.help = "A command's statement may run for this time, but not beyond the command's "
			"deadline. A command that needs longer fails with TIMEOUT. This key "
			"overrides the statement_timeout of the role and of the database." },
	{ .path = "postgres.preparedStatements",
		.kind = CONFIG_SWITCH,
		.offset = AT(postgres.prepared_statements),
		.fallback = "true",
		.help = "Keep prepared statements on each connection. Set it to false for "
			"PgBouncer before 1.21 in transaction mode, which does not support "
			"prepared statements." },
	{ .path = "postgres.skipDefaultIndexes",
		.kind = CONFIG_SWITCH,
		.offset = AT(postgres.skip_default_indexes),
		.fallback = "false",
		.help = "Do not create the reference's default indexes when the tables are "
			"created." },
	{ .path = "postgres.indexes",
		.kind = CONFIG_INDEXES,
		.offset = AT(postgres.indexes),
		.help = "Indexes to create in addition to the default ones: for each domain a list "
			"of groups with columns and, optionally, unique, where, method (btree, "
			"hash, gin, gist, spgist, brin), opclass (for every column), storage (a "
			"group such as `{ fillfactor = 70; }`), tablespace, concurrent (if false, "
			"writes to the table wait for the build), table and name: "
			"`{ memory = ( { columns = [\"resourceId\", \"title\"]; method = "
			"\"btree\"; } ); }`. Without table it is the domain's one table that has "
			"all these columns. Without name it is made from table, columns and "
			"method. Also a list without domains, whose groups need name and table: "
			"`( { name = \"idx_threads_tenant\"; table = \"mastra_threads\"; columns = "
			"[\"resourceId\", \"createdAt DESC\"]; } )`. "
			"An index of that name with another definition is an error. "
			"The environment variable uses the same notation." },
	{ .path = "postgres.disableInit",
		.kind = CONFIG_SWITCH,
		.offset = AT(postgres.disable_init),
		.fallback = "false",
		.help = "If true, `stowage run` creates no tables or indexes, at its start or for "
			"storage.init. If one that it needs is missing when it starts, it logs "
			"which and ends with exit status 4. Use it where `stowage init` runs with "
			"another role." },

	{ .path = "kafka.bootstrapServers",
		.kind = CONFIG_TEXT,
		.offset = AT(kafka.bootstrap_servers),
		.fallback = "localhost:9092",
		.min = 1,
		.check = config_check_servers,
		.help = "Brokers to connect to first: host:port, separated by commas." },
	{ .path = "kafka.groupId",
		.kind = CONFIG_TEXT,
		.offset = AT(kafka.group_id),
		.fallback = "stowage",
		.min = 1,
		.help = "Consumer group. The workers of one group share the partitions. "
			"PostgreSQL stores the position in each partition under this name." },
	{ .path = "kafka.topics",
		.kind = CONFIG_TEXTS,
		.offset = AT(kafka.topics),
		.min = 1,
		.fallback = "^mastra\\.commands\\.[^.]+$",
		.check = config_check_topic,
		.help = "Command topics. An item that starts with ^ is a pattern (POSIX extended "
			"regular expression). The worker never reads topics that end in .dlq." },
	{ .path = "kafka.offsetReset",
		.kind = CONFIG_CHOICE,
		.offset = AT(kafka.offset_reset),
		.fallback = "earliest",
		.choices = reset_choices,
		.help = "Where the group starts in a topic that is new to it. latest skips the "
			"commands that are there at the group's first start, or when kafka.topics "
			"first names the topic; partitions and topics that the group finds later "
			"start at their beginning. With error, a partition without a stored offset "
			"stays stopped until `stowage offsets set` sets one." },
	{ .path = "kafka.createTopics",
		.kind = CONFIG_SWITCH,
		.offset = AT(kafka.create_topics),
		.fallback = "false",
		.help = "Create missing command, dead-letter and reply topics when the worker "
			"starts. `stowage topics create` creates them regardless of this key." },
	{ .path = "kafka.topicPartitions",
		.kind = CONFIG_INTEGER,
		.offset = AT(kafka.topic_partitions),
		.min = 1,
		.max = 10000,
		.fallback = "4",
		.help = "Number of partitions of a topic that stowage creates." },
	{ .path = "kafka.topicReplication",
		.kind = CONFIG_INTEGER,
		.offset = AT(kafka.topic_replication),
		.min = -1,
		.max = 100,
		.fallback = "-1",
		.help = "Replication factor of a topic that stowage creates. -1 uses the broker's "
			"default." },
	{ .path = "kafka.properties",
		.kind = CONFIG_TEXTS,
		.secret = true,
		.offset = AT(kafka.properties),
		.fallback = "",
		.check = config_check_property,
		.help = "Any librdkafka properties as name=value: [\"security.protocol=SASL_SSL\"]. "
			"Stowage rejects properties that its guarantees depend on (acks, "
			"group.id, enable.auto.commit, ...)." },
	{ .path = "kafka.propertiesFile",
		.kind = CONFIG_TEXTS_FILE,
		.target = "kafka.properties",
		.help = "File with more librdkafka properties, one name=value per line, such as a "
			"mounted secret with sasl.password. Lines that start with # are comments. "
			"kafka.properties overrides the file." },

	{ .path = "replies.allow",
		.kind = CONFIG_TEXT,
		.offset = AT(replies.allow),
		.min = 1,
		.fallback = "^mastra\\.replies(\\..+)?$",
		.check = config_check_regex,
		.help = "Pattern that the name of a reply topic must match (POSIX extended "
			"regular expression). A pattern without ^ and $ matches anywhere in the "
			"name." },
	{ .path = "replies.maxBytes",
		.kind = CONFIG_INTEGER,
		.offset = AT(replies.max_bytes),
		.min = 1024,
		.max = MIB(512),
		.fallback = "1040000",
		.help = "Maximum size of a reply, its key and headers included. For a larger "
			"reply the worker answers with the error REPLY_TOO_LARGE. Keep it below "
			"the reply topics' max.message.bytes, which is 1048588 by default. The "
			"largest command follows from it: see limits.messageBytes." },

	{ .path = "replies.missingTopicMillis",
		.kind = CONFIG_INTEGER,
		.offset = AT(replies.missing_topic_ms),
		.max = DAY_MS,
		.fallback = "600000",
		.help = "How long replies wait for a reply topic that was deleted after their "
			"commands began. If it is not created again within this time, the worker "
			"gives the replies up and logs their number." },

	{ .path = "batch.maxCommands",
		.kind = CONFIG_INTEGER,
		.offset = AT(batch.max_commands),
		.min = 1,
		.max = 100000,
		.fallback = "1500",
		.help = "Maximum number of commands in one transaction." },
	{ .path = "batch.maxBytes",
		.kind = CONFIG_INTEGER,
		.offset = AT(batch.max_bytes),
		.min = 1024,
		.max = MIB(1024),
		.fallback = "2097152",
		.help = "Maximum size of the commands in one transaction. A larger command gets a "
			"transaction of its own. Running batches count against "
			"limits.memoryBytes, so large batches leave less memory to other "
			"partitions." },
	{ .path = "batch.maxParallel",
		.kind = CONFIG_INTEGER,
		.offset = AT(batch.max_parallel),
		.max = 1000,
		.fallback = "0",
		.help = "Maximum number of large batches that run in parallel. The pool's other "
			"connections stay free for commands whose clients wait for a reply. While "
			"such commands arrive, the worker runs one large batch less. A number "
			"above the free cores of the PostgreSQL server slows the batches down. 0: "
			"the number of processors of this machine, at least 2 and at most 8." },
	{ .path = "batch.maxDetachedReads",
		.kind = CONFIG_INTEGER,
		.offset = AT(batch.max_detached_reads),
		.max = 1000,
		.fallback = "0",
		.help = "Maximum number of detached reads (vector searches, large lists) that run "
			"in parallel. Reads that take longer than 50 ms do not count, so quick "
			"searches never wait for slow ones. Raise it if PostgreSQL has more "
			"processors than this machine. 0: the number of processors of this "
			"machine, at least 2 and at most 8." },
	{ .path = "batch.lingerMillis",
		.kind = CONFIG_INTEGER,
		.offset = AT(batch.linger_ms),
		.max = 60000,
		.fallback = "0",
		.help = "How long a batch waits for more commands. With 0 it starts at once; "
			"under load, batches grow without waiting." },

	{ .path = "limits.memoryBytes",
		.kind = CONFIG_INTEGER,
		.offset = AT(limits.memory_bytes),
		.min = MIB(1),
		.max = MIB(65536),
		.fallback = "33554432",
		.help = "Maximum size of fetched and waiting commands in all queues together. It "
			"must be at least limits.messageBytes. A broker delivers batches of up to "
			"1 MB. If more partitions have a backlog than this value allows at 2 MB "
			"each, the partitions take turns." },
	{ .path = "limits.messageBytes",
		.kind = CONFIG_INTEGER,
		.offset = AT(limits.message_bytes),
		.max = MIB(1024),
		.fallback = "0",
		.help = "Maximum size of a command. The worker rejects a larger command as "
			"INVALID. 0: 96 % of replies.maxBytes, so that a reply can hold what one "
			"command has stored. To store larger ones, raise replies.maxBytes, this "
			"key if it is set, max.message.bytes of the command, reply and .dlq "
			"topics, and max.request.size of the clients." },
	{ .path = "limits.commandBytes",
		.kind = CONFIG_INTEGER,
		.offset = AT(limits.command_bytes),
		.max = MIB(65536),
		.fallback = "0",
		.help = "Memory that one command may take: for what is made of it, for rows of the "
			"database and for its reply. A command that needs more fails alone, with "
			"REPLY_TOO_LARGE or COMMAND_TOO_LARGE. 0: eight times the larger of "
			"limits.messageBytes and replies.maxBytes, but at least 32 MiB." },
	{ .path = "limits.headers",
		.kind = CONFIG_INTEGER,
		.offset = AT(limits.headers),
		.min = 16,
		.max = 100000,
		.fallback = "256",
		.help = "Maximum number of headers of a command. The worker rejects a command with "
			"more as INVALID." },
	{ .path = "limits.headerBytes",
		.kind = CONFIG_INTEGER,
		.offset = AT(limits.header_bytes),
		.min = 1024,
		.max = MIB(64),
		.fallback = "65536",
		.help = "Maximum size of a command's headers, names and values together. The worker "
			"rejects a command with more as INVALID." },
	{ .path = "limits.stringBytes",
		.kind = CONFIG_INTEGER,
		.offset = AT(limits.string_bytes),
		.min = 16,
		.max = MIB(1024),
		.fallback = "16777216",
		.help = "Maximum length of a string or bytes value in a command." },
	{ .path = "limits.arrayItems",
		.kind = CONFIG_INTEGER,
		.offset = AT(limits.array_items),
		.min = 1,
		.max = 100000000,
		.fallback = "1000000",
		.help = "Maximum number of items of one array or map in a command." },
	{ .path = "limits.depth",
		.kind = CONFIG_INTEGER,
		.offset = AT(limits.depth),
		.min = 8,
		.max = 5000,
		.fallback = "512",
		.help = "Maximum nesting depth of a JSON text." },
	{ .path = "limits.transactionCommands",
		.kind = CONFIG_INTEGER,
		.offset = AT(limits.transaction_commands),
		.min = 1,
		.max = 100000,
		.fallback = "1000",
		.help = "Maximum number of commands in one storage.transaction. Their bytes count as a "
			"command (limits.messageBytes), their replies as a reply "
			"(replies.maxBytes)." },
	{ .path = "limits.attempts",
		.kind = CONFIG_INTEGER,
		.offset = AT(limits.attempts),
		.min = 1,
		.max = 1000,
		.fallback = "3",
		.help = "After this many crashes of the worker or of its database session, the "
			"worker sends the command that caused them to the dead-letter topic." },
	{ .path = "limits.shutdownTimeoutMillis",
		.kind = CONFIG_INTEGER,
		.offset = AT(limits.shutdown_timeout_ms),
		.min = 100,
		.max = DAY_MS,
		.fallback = "10000",
		.help = "The worker ends within this time, also while PostgreSQL or Kafka does not "
			"answer. Running batches have three quarters of it when the worker stops or "
			"loses a partition. After that it rolls them back." },

	{ .path = "idempotency.keepMillis",
		.kind = CONFIG_INTEGER,
		.offset = AT(idempotency.keep_ms),
		.min = 1000,
		.max = 366LL * DAY_MS,
		.fallback = "86400000",
		.help = "How long PostgreSQL keeps an idempotency key with the first reply. A write "
			"with the same key within this time is not applied again." },

	AGE("memory.messages", RETENTION_MESSAGES,
		"messages, and their vectors in tables named memory_messages*,"),
	AGE("memory.resources", RETENTION_RESOURCES, "resources (working memory)"),
	AGE("memory.threads", RETENTION_THREADS, "threads; their messages go by their own age,"),
	AGE("threadState.threadState", RETENTION_THREAD_STATE,
		"the state of threads that did not change"),
	AGE("workflows.workflowSnapshot", RETENTION_WORKFLOW_SNAPSHOT,
		"snapshots of workflow runs that did not change"),
	AGE("observability.spans", RETENTION_SPANS, "spans"),
	AGE("scores.scorers", RETENTION_SCORERS, "results of scorers"),
	AGE("experiments.experiments", RETENTION_EXPERIMENTS,
		"completed experiments with their results"),
	AGE("backgroundTasks.backgroundTasks", RETENTION_BACKGROUND_TASKS,
		"completed background tasks"),
	AGE("notifications.notifications", RETENTION_NOTIFICATIONS, "notifications"),
	AGE("schedules.triggers", RETENTION_TRIGGERS, "the history of schedules"),
	{ .path = "retention.every",
		.kind = CONFIG_TEXT,
		.offset = AT(retention.every),
		.fallback = "1h",
		.min = 1,
		.check = config_check_age,
		.help = "How often one worker of the group deletes old rows." },
	{ .path = "retention.commandMillis",
		.kind = CONFIG_INTEGER,
		.offset = AT(retention.command_ms),
		.max = DAY_MS,
		.fallback = "300000",
		.help = "A prune command ends after this time, with tables that are not done; its "
			"client sends it again. Meanwhile its partition waits. 0: no limit." },

	{ .path = "storage.allowClear",
		.kind = CONFIG_SWITCH,
		.offset = AT(storage.allow_clear),
		.fallback = "false",
		.help = "Run dangerouslyClearAll, which deletes all rows of a domain. If false, the "
			"worker refuses it as UNSUPPORTED. It is meant for databases of tests." },

	{ .path = "storage.query",
		.kind = CONFIG_ENUM,
		.offset = AT(storage.query),
		.fallback = "off",
		.choices = query_choices,
		.help = "Which SQL of clients storage.query runs: none (off), statements that read, or "
			"any (write). It needs storage.queryRole." },
	{ .path = "storage.queryRole",
		.kind = CONFIG_TEXT,
		.offset = AT(storage.query_role),
		.min = 1,
		.help = "Role under which storage.query runs clients' SQL. The worker's role must be a "
			"member of it. It needs rights on the tables that clients may use, and must "
			"have none on the worker's own tables (stowage_*), or the worker refuses." },
	{ .path = "storage.queryRows",
		.kind = CONFIG_INTEGER,
		.offset = AT(storage.query_rows),
		.min = 1,
		.max = 10000000,
		.fallback = "10000",
		.help = "Maximum number of rows in a result of storage.query. A longer result is cut "
			"and marked as truncated." },

	{ .path = "schemas.directory",
		.kind = CONFIG_TEXT,
		.offset = AT(schemas.directory),
		.help = "Directory with clients' schemas of other releases (*.avsc)." },

	{ .path = "http.address",
		.kind = CONFIG_TEXT,
		.offset = AT(http.address),
		.fallback = "",
		.check = config_check_address,
		.help = "host:port of /metrics, /livez and /readyz, such as 127.0.0.1:9464, or "
			":9464 for all interfaces. There is no authentication. Empty turns the "
			"server off. Two workers on one host need two ports." },

	{ .path = "data.textRepair",
		.kind = CONFIG_CHOICE,
		.offset = AT(data.text_repair),
		.fallback = "repair",
		.choices = repair_choices,
		.help = "What to do with text that PostgreSQL can't store (NUL, or a lone "
			"surrogate in JSON). repair: change the text as the reference does, and "
			"count it. reject: reject the command as INVALID." },

	{ .path = "log.level",
		.kind = CONFIG_ENUM,
		.offset = AT(log.level),
		.fallback = "info",
		.choices = level_choices,
		.help = "Minimum severity of log lines. The worker logs to standard error." },
	{ .path = "log.format",
		.kind = CONFIG_ENUM,
		.offset = AT(log.format),
		.fallback = "logfmt",
		.choices = format_choices,
		.help = "Format of log lines." },
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
