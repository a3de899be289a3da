/*
 * tls.c - postgres.ssl as a group, with the meaning that it has in Node's TLS
 *
 * libpq reads certificates and keys only from files. PEM text goes into a file in memory, which libpq opens by
 * its name in /proc.
 */
#define _GNU_SOURCE /* memfd_create */
#include "worker/config/tls.h"

#include <errno.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "schemas/base/alloc.h"

#define PEM "-----BEGIN"
#define MEMORY "/proc/self/fd/"
/* No such file can exist, so libpq finds no authority and verifies nothing, even if the user's home has a
 * root.crt. */
#define NO_AUTHORITY "/dev/null/none"

enum { TLS_CA, TLS_CERT, TLS_KEY };

const char *const tls_parameters[TLS_FILES] = { "sslrootcert", "sslcert", "sslkey" };

static const char *const tls_paths[TLS_FILES] = { "postgres.ssl.ca", "postgres.ssl.cert",
	"postgres.ssl.key" };

static const char *tls_given(const struct config *config, int file)
{
	const char *given[TLS_FILES] = { config->postgres.ssl_ca, config->postgres.ssl_cert,
		config->postgres.ssl_key };

	return given[file];
}

static const char *tls_where(const struct config_load *load, const char *path)
{
	return config_origin(load, config_key_find(path))->where;
}

/* --- the mode --- */

static void tls_set_mode(struct config_load *load, const char *mode, const char *where)
{
	struct config_origin *origin = config_origin(load, config_key_find("postgres.ssl"));

	free(load->full->config.postgres.ssl);
	load->full->config.postgres.ssl = alloc_copy(mode);
	if (origin->where)
		return;
	origin->where = alloc_copy(where);
	origin->source = load->source;
}

/* Does nothing say the mode but the group, or its keys in the environment? */
static bool tls_mode_open(const struct config_load *load)
{
	return !load->full->config.postgres.ssl ||
		(load->ssl_group &&
			config_origin(load, config_key_find("postgres.ssl"))->source ==
				CONFIG_FROM_FILE);
}

static void tls_choose_mode(struct config_load *load)
{
	static const char path[] = "postgres.ssl.rejectUnauthorized";
	struct config *config = &load->full->config;
	const char *reject = config->postgres.ssl_reject, *where = tls_where(load, path);
	const char *mode = reject && strcmp(reject, "false") == 0 ? "require" : "verify-full";

	for (int i = 0; i < TLS_FILES && !where; i++)
		where = tls_given(config, i) ? tls_where(load, tls_paths[i]) : NULL;
	if (!where)
		return;
	if (tls_mode_open(load))
		tls_set_mode(load, mode, where);
	else if (reject && strcmp(config->postgres.ssl, mode) != 0)
		config_mistake(load, where, path,
			"%s means %s, but postgres.ssl of %s is %s: remove one of them", reject,
			mode, tls_where(load, "postgres.ssl"), config->postgres.ssl);
}

/* --- keys that contradict each other --- */

static void tls_check_files(struct config_load *load)
{
	const struct config *config = &load->full->config;
	const char *mode = config->postgres.ssl ? config->postgres.ssl : "";
	bool cert = config->postgres.ssl_cert;

	if (config->postgres.ssl_ca && strncmp(mode, "verify", strlen("verify")) != 0)
		config_mistake(load, tls_where(load, tls_paths[TLS_CA]), tls_paths[TLS_CA],
			"has no use: the mode %s does not verify the server; remove it, or set "
			"rejectUnauthorized to true",
			mode);
	if (cert != (config->postgres.ssl_key != NULL))
		config_mistake(load, tls_where(load, tls_paths[cert ? TLS_CERT : TLS_KEY]),
			tls_paths[cert ? TLS_CERT : TLS_KEY], "needs %s too",
			tls_paths[cert ? TLS_KEY : TLS_CERT]);
	if (cert && strcmp(mode, "disable") == 0)
		config_mistake(load, tls_where(load, tls_paths[TLS_CERT]), tls_paths[TLS_CERT],
			"has no use, because postgres.ssl turns TLS off: remove one of them");
}

/* --- what the connection string says --- */

static const char *tls_in_string(const PQconninfoOption *options, const char *keyword)
{
	for (; options && options->keyword; options++)
		if (strcmp(options->keyword, keyword) == 0)
			return options->val;
	return NULL;
}

static void tls_check_pair(struct config_load *load, const PQconninfoOption *options,
	const char *keyword, const char *path, const char *ours)
{
	const char *theirs = tls_in_string(options, keyword);

	if (ours && theirs && strcmp(ours, theirs) != 0)
		config_mistake(load, tls_where(load, path), path,
			"contradicts %s=%s in postgres.connectionString of %s: remove one of them",
			keyword, theirs, tls_where(load, "postgres.connectionString"));
}

static void tls_check_string(struct config_load *load)
{
	const struct config *config = &load->full->config;
	const char *string = config->postgres.connection_string;
	PQconninfoOption *options = string ? PQconninfoParse(string, NULL) : NULL;
	bool blind = config->postgres.ssl_reject &&
		strcmp(config->postgres.ssl_reject, "false") == 0;

	tls_check_pair(load, options, "sslmode", "postgres.ssl", config->postgres.ssl);
	for (int i = 0; i < TLS_FILES; i++)
		tls_check_pair(load, options, tls_parameters[i], tls_paths[i],
			tls_given(config, i));
	if (blind)
		tls_check_pair(load, options, "sslrootcert", "postgres.ssl.rejectUnauthorized",
			NO_AUTHORITY);
	PQconninfoFree(options);
}

/* --- files for libpq --- */

static bool tls_write(int fd, const char *text)
{
	size_t size = strlen(text);

	while (size > 0) {
		ssize_t written = write(fd, text, size);
		if (written < 0)
			return false;
		text += written;
		size -= (size_t)written;
	}
	return true;
}

/* Returns the name of a new file in memory that holds the text; NULL: errno says why. Only this process and
 * its user can open it, which libpq demands of a key. */
static char *tls_memory_file(const char *text)
{
	int fd = memfd_create("stowage-pem", MFD_CLOEXEC);

	if (fd >= 0 && fchmod(fd, S_IRUSR | S_IWUSR) == 0 && tls_write(fd, text))
		return alloc_printf(MEMORY "%d", fd);
	if (fd >= 0)
		close(fd);
	return NULL;
}

static char *tls_file(const char *given)
{
	if (strncmp(given, PEM, strlen(PEM)) == 0)
		return tls_memory_file(given);
	return access(given, R_OK) == 0 ? alloc_copy(given) : NULL;
}

static void tls_make_files(struct config_load *load)
{
	struct config *config = &load->full->config;
	char **files = config->postgres.ssl_files;

	for (int i = 0; i < TLS_FILES; i++) {
		const char *given = tls_given(config, i);
		files[i] = given ? tls_file(given) : NULL;
		if (given && !files[i])
			config_mistake(load, tls_where(load, tls_paths[i]), tls_paths[i],
				"cannot be read: %s", strerror(errno));
	}
	if (!files[TLS_CA] && config->postgres.ssl_reject &&
		strcmp(config->postgres.ssl_reject, "false") == 0)
		files[TLS_CA] = alloc_copy(NO_AUTHORITY);
}

void config_complete_tls(struct config_load *load)
{
	tls_choose_mode(load);
	tls_check_files(load);
	tls_check_string(load);
	if (load->mistakes == 0)
		tls_make_files(load);
}

void config_tls_free(struct config *config)
{
	for (int i = 0; i < TLS_FILES; i++) {
		char *file = config->postgres.ssl_files[i];
		if (file && strncmp(file, MEMORY, strlen(MEMORY)) == 0)
			close(atoi(file + strlen(MEMORY)));
		free(file);
	}
}
