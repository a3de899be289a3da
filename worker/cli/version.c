/*
 * version.c - `stowage version`: prints the versions of stowage and its libraries
 */
#include <jansson.h>
#include <libconfig.h>
#include <libpq-fe.h>
#include <librdkafka/rdkafka.h>
#include <microhttpd.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>

#include "worker/cli/cli.h"

/* Versions of the linked libraries, where a library reports its version. */
static int print_versions(struct cli *cli)
{
	int pq = PQlibVersion();
	char pcre2[64]; /* "10.42 2022-12-11" */

	(void)cli;
	printf("stowage %s\n", STOWAGE_VERSION);
	printf("librdkafka %s\n", rd_kafka_version_str());
	printf("libpq %d.%d\n", pq / 10000, pq % 10000);
#ifdef STOWAGE_AVRO_VERSION /* set by the build: avro-c has no function for its version */
	printf("avro-c %s\n", STOWAGE_AVRO_VERSION);
#endif
	printf("libconfig %d.%d.%d\n", LIBCONFIG_VER_MAJOR, LIBCONFIG_VER_MINOR,
		LIBCONFIG_VER_REVISION);
	printf("libmicrohttpd %s\n", MHD_get_version());
	printf("jansson %s\n", jansson_version_str());
	if (pcre2_config(PCRE2_CONFIG_VERSION, NULL) <= (int)sizeof(pcre2) &&
		pcre2_config(PCRE2_CONFIG_VERSION, pcre2) > 0)
		printf("pcre2 %s\n", pcre2);
	return EXIT_OK;
}

const struct cli_command cli_version = {
	.name = "version",
	.summary = "print the versions of stowage and its libraries",
	.usage = "",
	.run = print_versions,
};
