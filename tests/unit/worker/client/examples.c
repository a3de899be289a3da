/*
 * examples.c - `stowage send` takes the example of each command
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "handlers/domains/command_table.h"
#include "schemas/catalog/schema_table.h"
#include "worker/client/codec.h"

static void check_example(struct codec *codec, int command, const json_t *example)
{
	const char *name = schema_defs[command].command;
	char why[CODEC_WHY_MAX];
	struct buffer message = { 0 };
	size_t size;

	cr_assert(json_is_object(example), "%s", name);
	cr_assert(codec_request(codec, command, example, &message, why), "%s: %s", name, why);
	cr_assert_eq(codec_command(codec, message.data, message.size), command);
	json_t *opened = codec_open(codec, message.data, message.size, why);
	cr_assert_not_null(opened, "%s: %s", name, why);
	char *key = codec_key(command, example, &size);
	cr_assert(key || !*command_defs[command].key, "the example of %s has no key", name);
	free(key);
	json_decref(opened);
	buffer_free(&message);
}

Test(examples, can_be_sent)
{
	char why[CODEC_WHY_MAX];
	struct codec *codec = codec_new(why);

	cr_assert_not_null(codec, "%s", why);
	for (size_t i = 0; i < schema_count; i++) {
		json_t *entry = json_loads(schema_defs[i].entry, 0, NULL);
		check_example(codec, (int)i, json_object_get(entry, "example"));
		json_decref(entry);
	}
	codec_free(codec);
}
