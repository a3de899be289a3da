/* vectors.listIndexes and vectors.describeIndex: what tables there are, and what they are like. */
#include <string.h>

#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/reply.h"
#include "handlers/domains/vectors/index.h"

/* ---------------------------------------------------------------- listIndexes */

static void listed(struct turn *turn, const struct rows *rows, void *arg)
{
	int count = rows_count(rows);
	struct datum *names = arena_alloc(turn->arena, ((size_t)count + 1) * sizeof(*names));

	for (int row = 0; row < count; row++) {
		size_t len = 0;
		const char *text = rows_text(rows, row, 0, &len);
		names[row] = datum_text(text, (uint32_t)len);
	}
	call_reply(turn, arg, datum_array(names, (uint32_t)count));
}

void vectors_list_indexes(struct turn *turn)
{
	params_text(turn->params, turn->schema, strlen(turn->schema));
	turn_send(turn, SQL_VECTORS_LIST_INDEXES, listed, turn->calls[0]);
}

/* ---------------------------------------------------------------- describeIndex */

struct description {
	struct call *call;
	const struct vectors_index *index;
};

static struct datum number_or_null(int value)
{
	return value ? datum_integer(value) : datum_null();
}

static void counted(struct turn *turn, const struct rows *rows, void *arg)
{
	const struct description *description = arg;
	const struct vectors_index *index = description->index;
	struct datum config[VECTORS_PG_INDEX_STATS_CONFIG_SIZE] = {
		[VECTORS_PG_INDEX_STATS_CONFIG__M] = number_or_null(index->m),
		[VECTORS_PG_INDEX_STATS_CONFIG__EF_CONSTRUCTION] =
			number_or_null(index->ef_construction),
		[VECTORS_PG_INDEX_STATS_CONFIG__LISTS] = number_or_null(index->lists),
	};
	struct datum stats[VECTORS_PG_INDEX_STATS_SIZE] = {
		[VECTORS_PG_INDEX_STATS__DIMENSION] = datum_integer(index->dimension),
		[VECTORS_PG_INDEX_STATS__COUNT] = datum_integer(rows_integer(rows, 0, 0)),
		[VECTORS_PG_INDEX_STATS__METRIC] =
			datum_string(vectors_metric_names[index->metric]),
		[VECTORS_PG_INDEX_STATS__TYPE] = datum_string(index->method_name),
		[VECTORS_PG_INDEX_STATS__VECTOR_TYPE] =
			datum_string(vectors_type_names[index->type]),
		[VECTORS_PG_INDEX_STATS__CONFIG] = datum_record(config,
			VECTORS_PG_INDEX_STATS_CONFIG_SIZE),
	};

	call_reply(turn, description->call, datum_record(stats, VECTORS_PG_INDEX_STATS_SIZE));
}

static void described(struct turn *turn, const struct vectors_index *indexes, uint32_t count,
	void *arg)
{
	struct description *description = arg;

	(void)count;
	description->index = indexes;
	if (!vectors_index_ok(turn, description->call, indexes))
		return;
	turn_send_sql(turn,
		arena_printf(turn->arena, "SELECT count(*) FROM %s",
			vectors_table(turn->arena, indexes)),
		counted, description);
}

void vectors_describe_index(struct turn *turn)
{
	struct description *description = arena_calloc(turn->arena, 1, sizeof(*description));
	struct call *call = turn->calls[0];
	const struct datum *name = datum_field(call->request, VECTORS_DESCRIBE_INDEX__INDEX_NAME);

	description->call = call;
	if (vectors_name_ok(turn, call, name))
		vectors_describe(turn, name, 1, described, description);
}
