/*
 * cli.h - what a command of the command line is, and the functions that commands share
 *
 * A command is a row: name, summary, usage, help, options and run. From the rows, dispatch.c checks
 * the options and starts the command, and help.c prints help. Results go to standard output,
 * everything else to standard error. Colours and progress appear only on a terminal. One thread.
 */
#ifndef WORKER_CLI_CLI_H
#define WORKER_CLI_CLI_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#include "worker/client/client.h"
#include "worker/config/config.h"
#include "worker/config/exit_status.h"

struct cli_option {
	const char *name;     /* without --; NULL ends the list */
	const char *argument; /* its name in the help; NULL: the option takes no argument */
	const char *help;
};

#define CLI_OPTIONS_MAX 16

struct cli_values {
	size_t count;
	const char **texts; /* "" for options without argument */
};

struct cli {
	const struct cli_command *command;
	const char *config_path;                   /* argument of --config; NULL: not given */
	struct cli_values values[CLI_OPTIONS_MAX]; /* in the order of command->options */
	char **operands;
	int operand_count;
	struct config *config; /* NULL before cli_config loads it */
	bool out_is_terminal;
	bool err_is_terminal;
	bool colour; /* use colours on standard error */
	bool progress_shown;
};

struct cli_command {
	const char *group; /* "topics" in `stowage topics create`; NULL: none */
	const char *name;
	const char *summary; /* one line */
	const char *usage;   /* arguments after the name */
	const char *help;    /* paragraphs; may be NULL */
	const struct cli_option *options;
	int operands_min, operands_max; /* max -1: any number */
	int (*run)(struct cli *cli);    /* returns the exit status */
};

/* The rows, each defined in its own file; commands.c lists them. */
extern const struct cli_command cli_run, cli_init, cli_export_schema, cli_check, cli_show_config,
	cli_explain, cli_schemas, cli_topics_create, cli_send, cli_offsets_show, cli_offsets_set,
	cli_dlq_list, cli_dlq_show, cli_dlq_replay, cli_version;

/* The name as the user writes it, "topics create". */
#define CLI_TITLE_SIZE 64
void cli_title(const struct cli_command *command, char title[CLI_TITLE_SIZE]);

/* Values of the running command's options. The command must declare the option. */
bool cli_given(const struct cli *cli, const char *option);
/* The option's last value; NULL if it was not given. */
const char *cli_text(const struct cli *cli, const char *option);
const struct cli_values *cli_all(const struct cli *cli, const char *option);
/* A number from min to max, or `fallback` if the option was not given. Returns false after it
 * printed a usage error. */
bool cli_number(const struct cli *cli, const char *option, long long min, long long max,
	long long fallback, long long *value) __attribute__((warn_unused_result));

/* Loads the configuration once. NULL after it printed the mistakes: return EXIT_CONFIG. */
const struct config *cli_config(struct cli *cli);
/* Loads it again; the previous one is freed. False after it printed the mistakes: the previous one stays. */
bool cli_reload_config(struct cli *cli) __attribute__((warn_unused_result));

/* Connects to PostgreSQL. NULL after it printed the error: return EXIT_DATABASE. */
PGconn *cli_database(struct cli *cli, const struct config *config)
	__attribute__((warn_unused_result));

/* Connects to Kafka; `options` may be NULL. NULL after it printed the error and set *status. */
struct client *cli_client(struct cli *cli, const struct config *config,
	const struct client_options *options, int *status) __attribute__((warn_unused_result));

/* Prints "stowage: ..." on standard error, and `hint`, the solution, on the next line. `hint` may
 * be NULL. */
void cli_error(const struct cli *cli, const char *hint, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Returns the index of the storage command with this name, or -1 after it printed an error that begins with
 * `place` and suggests a similar name; `hint` as in cli_error. */
int cli_find_command(const struct cli *cli, const char *place, const char *name, const char *hint);
/* Prints an error and the command's usage line. Returns EXIT_USAGE. */
int cli_usage_error(const struct cli *cli, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Prints a line on standard error. */
void cli_note(struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints a line that the next line overwrites. Only on a terminal. */
void cli_progress(struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cli_progress_end(struct cli *cli);

#endif
