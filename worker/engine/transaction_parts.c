/* transaction_parts.c - what an executor's transactions keep from one batch to the next */
#include "handlers/core/hints.h"
#include "worker/engine/prune_command.h"
#include "worker/engine/reply.h"
#include "worker/engine/transaction.h"

/* Its session has the limits of a batch without deadlines, so that most batches send none. */
static struct connection *parts_connection(const struct engine *engine)
{
	struct connection_options options = engine->connection;
	const struct budget shared = budget_new(engine->config->postgres.statement_timeout_ms,
		engine->config->postgres.lock_timeout_ms, false);
	options.limits = budget_limits(&shared);
	return connection_new(&options);
}

void transaction_init(struct transaction *t, const struct engine *engine, struct buffer *reply)
{
	const char *schema = engine->config->postgres.schema_name;
	*t = (struct transaction){ .engine = engine, .connection = parts_connection(engine) };
	t->session = (struct context_session){
		.hooks = { .address = reply_address_bytes,
			.init_storage = engine->init_storage,
			.prune = prune_command },
		.engine = engine,
		.settings = &engine->settings,
		.schema = schema,
		.connection = t->connection,
		.params = params_new(),
		.reply = reply,
		.hints = hints_new(),
	};
	t->table = (struct lane_table){
		.schema = schema, .group = engine->config->kafka.group_id, .params = params_new()
	};
}

void transaction_end(struct transaction *t)
{
	params_free(t->session.params);
	params_free(t->table.params);
	connection_free(t->connection);
	hints_free(t->session.hints);
}
