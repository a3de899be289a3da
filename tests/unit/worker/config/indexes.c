/*
 * indexes.c - tests of postgres.indexes by domain
 */
#include "tests/support/config_text.h"

TestSuite(indexes, .init = forget_stack, .fini = free_errors);

Test(indexes, a_domain_gives_table_and_name)
{
	struct config *config = load(
		"postgres: { indexes: {\n"
		"  memory = ( { columns = [\"resourceId\", \"title\"]; method = \"btree\"; unique = false; },\n"
		"    { columns = [\"id\", \"createdAt DESC\"]; table = \"mastra_threads\"; where = \"true\"; },\n"
		"    { columns = [\"role\"]; name = \"mine\"; } );\n"
		"  observability = ( { columns = [\"name\"]; method = \"hash\"; unique = true; } );\n"
		"  blobs = ();\n"
		"}; };");
	static const struct {
		const char *name, *table, *method;
		bool unique;
	} wanted[] = {
		{ "mastra_threads_resourceid_title_btree_idx", "mastra_threads", "btree", false },
		{ "mastra_threads_id_createdat_desc_btree_idx", "mastra_threads", NULL, false },
		{ "mine", "mastra_messages", NULL, false },
		{ "mastra_ai_spans_name_hash_idx", "mastra_ai_spans", "hash", true },
	};

	cr_assert_not_null(config, "%s", errors);
	cr_assert_eq(config->postgres.index_count, 4);
	for (size_t i = 0; i < 4; i++) {
		const struct config_index *index = &config->postgres.indexes[i];
		cr_expect_str_eq(index->name, wanted[i].name);
		cr_expect_str_eq(index->table, wanted[i].table);
		cr_expect_eq(index->unique, wanted[i].unique);
		cr_expect_eq(!index->method, !wanted[i].method);
		cr_expect(index->concurrent);
	}
	cr_expect_str_eq(config->postgres.indexes[1].where, "true");
	config_free(config);
}

Test(indexes, a_long_name_ends_in_a_hash_of_the_whole)
{
	struct config *config = load(
		"postgres: { indexes: { observability = (\n"
		"  { columns = [\"threadId\", \"organizationId\", \"parentSpanId\", \"resourceId\"]; },\n"
		"  { columns = [\"threadId\", \"organizationId\", \"parentSpanId\", \"runId\"]; } ); }; };");
	const struct config_index *indexes;

	cr_assert_not_null(config, "%s", errors);
	indexes = config->postgres.indexes;
	for (size_t i = 0; i < 2; i++)
		cr_expect_eq(strlen(indexes[i].name), 63, "%s", indexes[i].name);
	cr_expect(strncmp(indexes[0].name, indexes[1].name, 40) == 0);
	cr_expect_str_neq(indexes[0].name, indexes[1].name);
	config_free(config);
}

Test(indexes, of_the_environment)
{
	struct config *config;

	setenv("STOWAGE_POSTGRES_INDEXES", "{ scores = ( { columns = [\"runId\"]; } ); }", 1);
	config = load("postgres: { indexes = (); };");
	cr_assert_not_null(config, "%s", errors);
	cr_assert_str_eq(config->postgres.indexes[0].table, "mastra_scorers");
	config_free(config);
	setenv("STOWAGE_POSTGRES_INDEXES", "3", 1);
	fails(NULL, "STOWAGE_POSTGRES_INDEXES", "neither a list of groups");
}

/* Wrong members of the group `indexes`. */
static const struct {
	const char *text;
	const char *where;
	const char *reason;
} wrong[] = {
	{ "memory = ( { columns = [\"user_id\", \"created_at\"]; } );",
		"postgres.indexes.memory[0]",
		"no table of memory has user_id, created_at; its tables are: mastra_threads (id, resourceId, "
		"title, metadata," },
	{ "memory = ( { columns = [\"user_id\"]; } );", "postgres.indexes.memory[0]",
		"; mastra_messages (id, thread_id," },
	{ "memory = ( { columns = [\"role\"]; }, { columns = [\"id\", \"createdAt DESC\"]; } );",
		"postgres.indexes.memory[1]",
		"several tables of memory have id, createdAt; name one in `table`: mastra_threads (id," },
	{ "memory = ( { columns = [\"id\"]; table = \"mastra_scorers\"; } );",
		"postgres.indexes.memory[0]",
		"mastra_scorers is not a table of memory, whose tables are mastra_threads, mastra_messages," },
	{ "memory = ( { name = \"x\"; } );", "postgres.indexes.memory[0]", "columns is missing" },
	{ "memory = ( { columns = []; } );", "postgres.indexes.memory[0]",
		"columns must be a list" },
	{ "memory = ( { columns = [\"role\"]; metod = \"hash\"; } );", "postgres.indexes.memory[0]",
		"did you mean \"method\"?" },
	{ "memory = ( 3 );", "postgres.indexes.memory[0]", "must be a group" },
	{ "memory = { columns = [\"role\"]; };", "postgres.indexes.memory",
		"must be a list of groups" },
	{ "memroy = ();", "postgres.indexes.memroy", "did you mean memory?" },
	{ "vectors = ();", "postgres.indexes.vectors", "is not a domain that has tables" },
	{ "memory = ( { columns = [\"role\"]; }, { columns = [\"role\"]; method = \"btree\"; } );",
		"postgres.indexes",
		"two indexes have the name mastra_messages_role_btree_idx: give one of them another `name`" },
};

Test(indexes, every_mistake_is_reported)
{
	char text[400];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(text, sizeof(text), "postgres: { indexes: { %s }; };", wrong[i].text);
		fails(text, wrong[i].where, wrong[i].reason);
	}
}

Test(indexes, a_list_still_needs_names)
{
	fails("postgres: { indexes = ( { columns = [\"role\"]; } ); };", "postgres.indexes[0]",
		"name is missing");
	fails("postgres: { indexes = ( { name = \"a\"; table = \"t\"; columns = [\"c\"]; },"
	      " { name = \"a\"; table = \"u\"; columns = [\"c\"]; } ); };",
		"postgres.indexes", "two indexes have the name a");
}
