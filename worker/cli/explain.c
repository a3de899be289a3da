/*
 * explain.c - `stowage commands`: lists all commands, or explains one
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handlers/domains/command_table.h"
#include "schemas/base/text.h"
#include "schemas/catalog/schema_table.h"
#include "worker/cli/cli.h"
#include "worker/client/json_print.h"

#define NAME_WIDTH 44
#define FLAGS_WIDTH 22
#define FIELD_WIDTH 30
#define TYPE_WIDTH 22

/* The schemas, and what index.json says of a command. */
struct explained {
	const char *name;
	json_t *request, *reply, *entry;
};

static struct explained explained_new(size_t index)
{
	const struct schema_def *def = &schema_defs[index];

	return (struct explained){
		.name = def->command,
		.request = json_loads(def->request, 0, NULL),
		.reply = json_loads(def->reply, 0, NULL),
		.entry = json_loads(def->entry, 0, NULL),
	};
}

static void explained_free(struct explained *command)
{
	json_decref(command->request);
	json_decref(command->reply);
	json_decref(command->entry);
}

static const char *explain_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static void explain_print_json(const json_t *json, bool pretty)
{
	struct buffer text = { 0 };

	json_print(&text, json, pretty);
	puts(text_string(&text));
	buffer_free(&text);
}

/* The texts of a list, with `between` between them. The caller frees the buffer. */
static struct buffer joined(const json_t *list, const char *between)
{
	struct buffer text = { 0 };
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		text_add(&text, i ? between : "");
		if (json_is_string(item))
			text_add(&text, json_string_value(item));
		else
			json_print(&text, item, false);
	}
	return text;
}

static void print_joined(const char *label, const json_t *list)
{
	struct buffer text = joined(list, ", ");

	if (text.size)
		printf("%-12s%s\n", label, text_string(&text));
	buffer_free(&text);
}

/* --- types --- */

static void add_type(struct buffer *out, const json_t *type)
{
	const char *logical = explain_text(type, "logicalType");
	const char *kind = json_is_string(type) ? json_string_value(type)
						: explain_text(type, "type");

	if (json_is_array(type)) { /* null and another one */
		bool first = json_is_string(json_array_get(type, 0)) &&
			strcmp(json_string_value(json_array_get(type, 0)), "null") == 0;
		add_type(out, json_array_get(type, first ? 1 : 0));
		text_add(out, "?");
	} else if (*logical) {
		text_add(out, logical);
	} else if (strcmp(kind, "array") == 0) {
		add_type(out, json_object_get(type, "items"));
		text_add(out, "[]");
	} else if (strcmp(kind, "map") == 0) {
		text_add(out, "map of ");
		add_type(out, json_object_get(type, "values"));
	} else {
		const char *name = strcmp(kind, "record") == 0 ? explain_text(type, "name") : kind;
		const char *dot = strrchr(name, '.');
		text_add(out, dot ? dot + 1 : name);
	}
}

/* The record that a type defines, at any depth; NULL: it defines none. */
static const json_t *explain_record(const json_t *type)
{
	const json_t *branch, *found = NULL;
	size_t i;

	json_array_foreach(type, i, branch)
		if (!found)
			found = explain_record(branch);
	if (!json_is_object(type))
		return found;
	if (json_object_get(type, "fields"))
		return type;
	found = explain_record(json_object_get(type, "items"));
	return found ? found : explain_record(json_object_get(type, "values"));
}

static void print_fields(const json_t *record, int level);

static void print_words(const json_t *field)
{
	const json_t *words = json_object_get(field, "words");
	struct buffer text = joined(words, ", ");

	if (text.size)
		printf(" One of: %s.", text_string(&text));
	buffer_free(&text);
}

/* Records are shown where they are defined, at their first use. */
static void print_field(const json_t *field, int level)
{
	const json_t *type = json_object_get(field, "type"), *record = explain_record(type);
	struct buffer name = { 0 };

	add_type(&name, type);
	printf("%*s%-*s %-*s %s", 2 * level, "", FIELD_WIDTH - 2 * level,
		explain_text(field, "name"), TYPE_WIDTH, text_string(&name),
		explain_text(field, "doc"));
	print_words(field);
	putchar('\n');
	buffer_free(&name);
	if (record)
		print_fields(record, level + 1);
}

/* As deep as the schemas are nested, which the build limits. */
static void print_fields(const json_t *record, int level)
{
	const json_t *field;
	size_t i;

	json_array_foreach(json_object_get(record, "fields"), i, field)
		print_field(field, level);
}

/* --- one command --- */

/* The example as a line for a shell: a quote in it leaves and enters the quotes again. */
static void print_example(const struct explained *command)
{
	struct buffer text = { 0 };

	json_print(&text, json_object_get(command->entry, "example"), false);
	printf("\nExample:\n  stowage send %s '", command->name);
	for (const char *at = text_string(&text); *at; at++)
		*at == '\'' ? (void)fputs("'\\''", stdout) : (void)putchar(*at);
	puts("'");
	buffer_free(&text);
}

static json_t *general_codes_new(void)
{
	json_t *error = json_loads(schema_error, 0, NULL);
	json_t *code = json_array_get(json_object_get(error, "fields"), 0);
	json_t *general = json_incref(json_object_get(code, "general"));

	json_decref(error);
	return general;
}

static void print_errors(const struct explained *command)
{
	json_t *general = general_codes_new(), *meaning;
	const char *code;

	puts("\nErrors:");
	print_joined("  its own", json_object_get(command->entry, "errors"));
	puts("  of any command");
	json_object_foreach(general, code, meaning)
		printf("    %-26s %s\n", code, json_string_value(meaning));
	json_decref(general);
}

static void explain_one(const struct explained *command)
{
	printf("%s: %s\n\n", command->name, explain_text(command->request, "doc"));
	print_joined("flags", json_object_get(command->entry, "flags"));
	printf("%-12s%s\n", "topic", explain_text(command->entry, "topic"));
	if (*explain_text(command->entry, "key"))
		printf("%-12s%s\n", "key", explain_text(command->entry, "key"));
	print_joined("parameters", json_object_get(command->entry, "parameters"));
	puts("\nRequest (? is nullable):");
	print_fields(command->request, 1);
	puts("\nReply:");
	print_fields(command->reply, 1);
	print_example(command);
	print_errors(command);
}

static json_t *explained_json(const struct explained *command)
{
	json_t *json = json_pack("{s:s, s:s}", "command", command->name, "summary",
		explain_text(command->request, "doc"));

	json_object_update(json, command->entry);
	json_object_set(json, "request", command->request);
	json_object_set(json, "reply", command->reply);
	return json;
}

/* --- all commands --- */

static void list_one(const struct explained *command)
{
	struct buffer flags = joined(json_object_get(command->entry, "flags"), " ");

	printf("%-*s %-*s %s\n", NAME_WIDTH, command->name, FLAGS_WIDTH, text_string(&flags),
		explain_text(command->request, "doc"));
	buffer_free(&flags);
}

static int explain_all(bool json)
{
	json_t *list = json_array();

	for (size_t i = 0; i < schema_count; i++) {
		struct explained command = explained_new(i);
		if (json)
			json_array_append_new(list,
				json_pack("{s:s, s:O, s:s}", "command", command.name, "flags",
					json_object_get(command.entry, "flags"), "summary",
					explain_text(command.request, "doc")));
		else
			list_one(&command);
		explained_free(&command);
	}
	if (json)
		explain_print_json(list, true);
	json_decref(list);
	return EXIT_OK;
}

static int cli_explain_run(struct cli *cli)
{
	const char *format = cli_text(cli, "format");
	bool json = format && strcmp(format, "json") == 0;
	int index;

	if (format && !json && strcmp(format, "text") != 0)
		return cli_usage_error(cli, "--format must be text or json, not \"%s\"", format);
	if (cli->operand_count == 0)
		return explain_all(json);
	index = cli_find_command(cli, "", cli->operands[0], "`stowage commands` lists all of them");
	if (index < 0)
		return EXIT_FAILED;
	struct explained command = explained_new((size_t)index);
	if (json) {
		json_t *whole = explained_json(&command);
		explain_print_json(whole, true);
		json_decref(whole);
	} else {
		explain_one(&command);
	}
	explained_free(&command);
	return EXIT_OK;
}

const struct cli_command cli_explain = {
	.name = "commands",
	.summary = "list the storage commands, or explain one",
	.usage = "[COMMAND] [--format text|json]",
	.help = "Without COMMAND, prints a line for each command: its name, its flags and what it does.\n"
		"With COMMAND, explains its request, reply and errors, and shows an example.\n\n"
		"  stowage commands memory.saveThread",
	.options =
		(const struct cli_option[]){
			{ "format", "text|json", "format of the output (text)" },
			{ NULL, NULL, NULL },
		},
	.operands_max = 1,
	.run = cli_explain_run,
};
