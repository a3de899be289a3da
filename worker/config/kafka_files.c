/*
 * kafka_files.c - notices changed files behind kafka.properties
 */
#include "worker/config/kafka_files.h"

#include <string.h>
#include <sys/stat.h>

#include "worker/config/keys.h"
#include "worker/config/state.h"

/* FNV-1a over the number's bytes */
static uint64_t kafka_files_mix(uint64_t hash, uint64_t number)
{
	for (int i = 0; i < 8; i++)
		hash = (hash ^ (number >> (8 * i) & 0xff)) * 0x100000001b3u;
	return hash;
}

/* A file that is missing counts too: it may come. */
static uint64_t kafka_files_mix_file(uint64_t hash, const char *path)
{
	struct stat file = { 0 };

	if (stat(path, &file))
		return kafka_files_mix(hash, 0);
	hash = kafka_files_mix(hash, (uint64_t)file.st_ino);
	hash = kafka_files_mix(hash, (uint64_t)file.st_size);
	hash = kafka_files_mix(hash, (uint64_t)file.st_mtim.tv_sec);
	return kafka_files_mix(hash, (uint64_t)file.st_mtim.tv_nsec);
}

uint64_t config_kafka_files(const struct config *config)
{
	static const char suffix[] = ".location";
	const struct config_full *full = (const struct config_full *)config;
	const struct config_key *key = config_key_find("kafka.propertiesFile");
	const char *path = full->files[key - config_keys];
	uint64_t hash = 0xcbf29ce484222325u;

	if (path)
		hash = kafka_files_mix_file(hash, path);
	for (size_t i = 0; i < config->kafka.properties.count; i++) {
		const char *property = config->kafka.properties.items[i];
		size_t len = strcspn(property, "=");

		if (property[len] && len >= sizeof(suffix) - 1 &&
			strncmp(property + len - (sizeof(suffix) - 1), suffix,
				sizeof(suffix) - 1) == 0)
			hash = kafka_files_mix_file(hash, property + len + 1);
	}
	return hash;
}
