/*
 * ddl_options.c - options for creating tables, from the configuration
 */
#include "worker/config/ddl_options.h"

struct ddl_options config_ddl_options(const struct config *config, const char *tenant,
	struct ddl_index *indexes)
{
	for (size_t i = 0; i < config->postgres.index_count; i++) {
		const struct config_index *from = &config->postgres.indexes[i];

		indexes[i] = (struct ddl_index){
			.name = from->name,
			.table = from->table,
			.columns = (const char *const *)from->columns.items,
			.column_count = from->columns.count,
			.unique = from->unique,
			.where = from->where,
			.method = from->method,
			.opclass = from->opclass,
			.storage = from->storage,
			.tablespace = from->tablespace,
			.locking = !from->concurrent,
		};
	}
	return (struct ddl_options){
		.schema = tenant ? tenant : config->postgres.schema_name,
		.reference_tables = true,
		.own_tables = !tenant,
		.skip_default_indexes = config->postgres.skip_default_indexes,
		.indexes = indexes,
		.index_count = config->postgres.index_count,
	};
}
