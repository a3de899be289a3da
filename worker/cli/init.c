/*
 * init.c - `stowage init` and `stowage export-schema`: create tables, or print their DDL
 */
#include <stdio.h>
#include <stdlib.h>

#include "db/migrate/ddl.h"
#include "db/migrate/migrate.h"
#include "schemas/base/alloc.h"
#include "worker/cli/cli.h"
#include "worker/client/database.h"
#include "worker/config/ddl_options.h"

static int print_plan(struct cli *cli, PGconn *conn, const struct ddl_options *options)
{
	char error[DATABASE_ERROR_MAX];
	struct migrate_sql sql;

	if (!migrate_plan(conn, options, &sql, error, sizeof(error))) {
		cli_error(cli, NULL, "%s", error);
		return EXIT_DATABASE;
	}
	for (size_t i = 0; i < sql.count; i++)
		printf("%s;\n", sql.statements[i]);
	if (sql.count == 0)
		cli_note(cli, "nothing to do: schema %s is up to date", options->schema);
	migrate_sql_free(&sql);
	return EXIT_OK;
}

static int make_tables(struct cli *cli, PGconn *conn, const struct ddl_options *options)
{
	char error[DATABASE_ERROR_MAX];
	struct migrate_report report;
	int status;

	cli_progress(cli, "schema %s: checking tables and indexes", options->schema);
	if (!migrate_init(conn, options, &report, error, sizeof(error))) {
		cli_progress_end(cli);
		cli_error(cli, "`stowage init --plan` prints the statements that init runs", "%s",
			error);
		return EXIT_DATABASE;
	}
	cli_progress_end(cli);
	for (size_t i = 0; i < report.warning_count; i++)
		cli_error(cli, NULL, "warning: %s", report.warnings[i]);
	for (size_t i = 0; i < report.failure_count; i++)
		cli_error(cli, NULL, "%s", report.failures[i]);
	if (report.statements)
		printf("schema %s: ran %zu statements\n", options->schema, report.statements);
	else if (!report.failure_count)
		printf("schema %s: nothing to do\n", options->schema);
	status = report.failure_count ? EXIT_DATABASE : EXIT_OK;
	migrate_report_free(&report);
	return status;
}

static int cli_init_run(struct cli *cli)
{
	const struct config *config = cli_config(cli);
	struct ddl_index *indexes;
	struct ddl_options options;
	PGconn *conn;
	int status;

	if (!config)
		return EXIT_CONFIG;
	conn = cli_database(cli, config);
	if (!conn)
		return EXIT_DATABASE;
	indexes = alloc_zero(config->postgres.index_count, sizeof(*indexes));
	options = config_ddl_options(config, cli_text(cli, "tenant"), indexes);
	status = cli_given(cli, "plan") ? print_plan(cli, conn, &options)
					: make_tables(cli, conn, &options);
	free(indexes);
	PQfinish(conn);
	return status;
}

const struct cli_command cli_init = {
	.name = "init",
	.summary = "create tables and indexes, migrate older ones",
	.usage = "[--plan] [--tenant SCHEMA]",
	.help = "Creates the missing tables and indexes in postgres.schemaName, both the reference's and the\n"
		"worker's. Changes nothing else. You can run it at any time, also repeatedly. Builds indexes\n"
		"of existing tables without blocking writes. If an index cannot be created, creates the others\n"
		"and ends with exit status 4.",
	.options =
		(const struct cli_option[]){
			{ "tenant", "SCHEMA",
				"a tenant's schema instead, without the worker's tables" },
			{ "plan", NULL, "print the SQL that init would run, without running it" },
			{ NULL, NULL, NULL },
		},
	.run = cli_init_run,
};

static int export_schema(struct cli *cli)
{
	static const char *const fallback[] = { "public" };
	bool named = cli->operand_count > 0;
	char *sql;

	for (int i = 0; i < cli->operand_count; i++)
		if (!ddl_schema_valid(cli->operands[i]))
			return cli_usage_error(cli, "\"%s\" is not a valid schema's name",
				cli->operands[i]);
	sql = ddl_export(named ? (const char *const *)cli->operands : fallback,
		named ? (size_t)cli->operand_count : 1);
	fputs(sql, stdout);
	free(sql);
	return EXIT_OK;
}

const struct cli_command cli_export_schema = {
	.name = "export-schema",
	.summary = "print the complete DDL for PostgreSQL schemas",
	.usage = "[SCHEMA...]",
	.help = "Prints the DDL for the named schemas, by default for public. psql can run it on an empty\n"
		"database, also repeatedly.",
	.operands_max = -1,
	.run = export_schema,
};
