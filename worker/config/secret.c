/*
 * secret.c - reads files that hold secrets
 */
#include "worker/config/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"
#include "worker/config/keys.h"
#include "worker/config/state.h"

#define SECRET_FILE_MAX 65536

/* Returns false, with the reason in `why`, if the text is not a secret's. */
static bool secret_is_sound(FILE *file, const char *path, const char *text, size_t length,
	char *why, size_t size)
{
	if (ferror(file))
		snprintf(why, size, "cannot read %s: %s", path, strerror(errno));
	else if (length > SECRET_FILE_MAX)
		snprintf(why, size, "%s is larger than %d bytes", path, SECRET_FILE_MAX);
	else if (memchr(text, '\0', length))
		snprintf(why, size, "%s contains a NUL byte: it is not a text file", path);
	else
		return true;
	return false;
}

char *config_secret_read(const char *path, char *why, size_t size)
{
	FILE *file = fopen(path, "re");
	char *text;
	size_t length;

	if (!file) {
		snprintf(why, size, "cannot open %s: %s", path, strerror(errno));
		return NULL;
	}
	text = alloc_zero(1, SECRET_FILE_MAX + 1);
	length = fread(text, 1, SECRET_FILE_MAX + 1, file);
	if (!secret_is_sound(file, path, text, length, why, size)) {
		free(text);
		text = NULL;
	}
	fclose(file);
	while (text && length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
		text[--length] = '\0';
	return text;
}

char *config_secret_now(const struct config *config, const char *path, char *why, size_t size)
{
	const struct config_full *full = (const struct config_full *)config;
	const struct config_key *key = config_key_find(path);
	const char *const *member = config_member_const(config, key);
	const char *file = full->files[key - config_keys];
	char *text = NULL;

	*why = '\0';
	if (file)
		text = config_secret_read(file, why, size);
	return text || !*member ? text : alloc_copy(*member);
}
