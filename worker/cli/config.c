/*
 * config.c - `stowage config`: prints the effective configuration or the reference
 */
#include <stdio.h>

#include "worker/cli/cli.h"
#include "worker/config/print.h"

static int show_config(struct cli *cli)
{
	const struct config *config;

	if (cli_given(cli, "reference")) {
		config_print_reference(stdout);
		return EXIT_OK;
	}
	config = cli_config(cli);
	if (!config)
		return EXIT_CONFIG;
	config_print(config, stdout);
	return EXIT_OK;
}

const struct cli_command cli_show_config = {
	.name = "config",
	.summary = "print the effective configuration, or document every key",
	.usage = "[--reference]",
	.help = "Each line shows the source of the value. Secrets are masked.",
	.options =
		(const struct cli_option[]){
			{ "reference", NULL, "print the documentation of every key, as Markdown" },
			{ NULL, NULL, NULL },
		},
	.run = show_config,
};
