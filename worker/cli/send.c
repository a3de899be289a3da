/*
 * send.c - `stowage send`: sends one command, or many from lines of standard input
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "handlers/domains/command_table.h"
#include "schemas/base/alloc.h"
#include "schemas/base/clock.h"
#include "worker/cli/cli.h"
#include "worker/cli/lines.h"
#include "worker/cli/send_table.h"
#include "worker/client/json_print.h"
#include "worker/client/sender.h"
#include "worker/kafka/topic_create.h"

#define SERVE_MS 5 /* between checks of standard input */
#define PROGRESS_MS 200

struct sending {
	struct cli *cli;
	struct sender *sender;
	bool lines; /* read commands from standard input */
	bool no_reply;
	bool tables; /* print tables where a command's results allow it */
	int status;  /* the first status other than EXIT_OK */
	uint64_t done;
	uint64_t line; /* number of the current line, from 1 */
	int64_t progress_at;
};

static void note_status(struct sending *sending, int status)
{
	if (sending->status == EXIT_OK)
		sending->status = status;
}

static void print_json(const json_t *json, bool pretty)
{
	struct buffer text = { 0 };

	json_print(&text, json, pretty);
	text_add(&text, "\n");
	fwrite(text.data, 1, text.size, stdout);
	buffer_free(&text);
}

static void cli_send_print_result(const struct sending *sending, const struct send_outcome *outcome)
{
	struct buffer text = { 0 };

	if (!sending->tables || !send_table_fits(command_defs[outcome->command].name)) {
		print_json(outcome->json, sending->cli->out_is_terminal);
		return;
	}
	send_table_print(&text, outcome->json, send_table_columns());
	fwrite(text.data, 1, text.size, stdout);
	buffer_free(&text);
}

/* Prints {"error": ...}, so that each command has one line on standard output. */
static void print_error_line(const struct send_outcome *outcome)
{
	json_t *fields = outcome->json
		? json_incref(outcome->json)
		: json_pack("{s:s,s:s}", "code",
			  outcome->status == EXIT_NO_ANSWER ? "NO_ANSWER" : "NOT_SENT", "message",
			  outcome->why);
	json_t *line = json_pack("{s:o}", "error", fields);

	print_json(line, false);
	json_decref(line);
}

static const char *cli_send_member(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static void print_refusal(struct sending *sending, const char *place, const json_t *error)
{
	const json_t *details = json_object_get(error, "details");
	struct buffer text = { 0 };

	if (json_object_size(details)) {
		text_add(&text, "details: ");
		json_print(&text, details, false);
	}
	cli_error(sending->cli, text.size ? text_string(&text) : NULL, "%s%s (%s): %s", place,
		cli_send_member(error, "code"), cli_send_member(error, "category"),
		cli_send_member(error, "message"));
	buffer_free(&text);
}

static void print_failure(struct sending *sending, uint64_t number,
	const struct send_outcome *outcome)
{
	char place[32] = "";
	char *hint = NULL;

	cli_progress_end(sending->cli);
	if (sending->lines)
		snprintf(place, sizeof(place), "command %" PRIu64 ": ", number + 1);
	if (outcome->status == EXIT_REFUSED) {
		print_refusal(sending, place, outcome->json);
		return;
	}
	if (outcome->status == EXIT_NO_ANSWER && outcome->topic)
		hint = alloc_printf("the command is in %s [%d] at offset %" PRId64
				    " and will be executed; "
				    "is a worker running, and does it read this topic?",
			outcome->topic, outcome->partition, outcome->offset);
	cli_error(sending->cli, hint, "%s%s", place, outcome->why);
	free(hint);
}

static void on_done(void *arg, uint64_t number, const struct send_outcome *outcome)
{
	struct sending *sending = arg;
	int64_t now = clock_tick_ms();

	sending->done++;
	note_status(sending, outcome->status);
	if (outcome->status != EXIT_OK)
		print_failure(sending, number, outcome);
	if (outcome->status != EXIT_OK && sending->lines && !sending->no_reply)
		print_error_line(outcome);
	if (outcome->status == EXIT_OK && outcome->json)
		cli_send_print_result(sending, outcome);
	if (sending->lines && now - sending->progress_at >= PROGRESS_MS) {
		cli_progress(sending->cli, "%" PRIu64 " commands done", sending->done);
		sending->progress_at = now;
	}
}

static bool send_one(struct sending *sending, const char *place, const char *name,
	struct send_request *request)
{
	struct client_error error;
	int status = EXIT_FAILED;
	bool sent;

	request->command = cli_find_command(sending->cli, place, name,
		"`stowage schemas --output DIR` writes all commands' schemas");
	sent = request->command >= 0 && sender_send(sending->sender, request, &status, &error);
	if (request->command >= 0 && !sent)
		cli_error(sending->cli, error.hint, "%s%s: %s", place, name, error.text);
	if (!sent)
		note_status(sending, status);
	return sent;
}

static json_t *parse_json(const struct sending *sending, const char *place, const char *text)
{
	json_error_t error;
	json_t *json = json_parse(text, strlen(text), &error);

	if (!json)
		cli_error(sending->cli, NULL, "%sinvalid JSON at character %d: %s", place,
			error.position, error.text);
	return json;
}

/* Sends a line "COMMAND JSON"; the JSON is optional. */
static bool send_words(struct sending *sending, const char *place, char *line)
{
	size_t len = strcspn(line, " \t");
	const char *rest = line + len + strspn(line + len, " \t");
	struct send_request request = { 0 };
	json_t *body;
	bool sent;

	body = parse_json(sending, place, *rest ? rest : "{}");
	line[len] = '\0';
	request.body = body;
	sent = body && send_one(sending, place, line, &request);
	json_decref(body);
	return sent;
}

static bool check_line(const struct sending *sending, const char *place, const json_t *line)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)line, name, value) {
		bool ok = strcmp(name, "command") == 0 || strcmp(name, "key") == 0
			? json_is_string(value)
			: strcmp(name, "headers") == 0 ? json_is_object(value)
						       : strcmp(name, "request") == 0;

		if (ok)
			continue;
		cli_error(sending->cli, NULL,
			"%s\"%s\" is unknown or has the wrong type: a line is {\"command\": text, "
			"\"key\": text, \"headers\": {name: text}, \"request\": {...}}",
			place, name);
		return false;
	}
	json_object_foreach(json_object_get(line, "headers"), name, value)
		if (!json_is_string(value)) {
			cli_error(sending->cli, NULL, "%sthe value of header \"%s\" is not a text",
				place, name);
			return false;
		}
	if (json_object_get(line, "command"))
		return true;
	cli_error(sending->cli, NULL, "%sthe line has no \"command\"", place);
	return false;
}

static bool send_object(struct sending *sending, const char *place, const char *text)
{
	json_t *line = parse_json(sending, place, text);
	json_t *body, *given = line ? json_object_get(line, "request") : NULL;
	bool sent = false;

	if (line && check_line(sending, place, line)) {
		struct send_request request = {
			.key = json_string_value(json_object_get(line, "key")),
			.headers = json_object_get(line, "headers"),
		};

		body = given ? json_incref(given) : json_object();
		request.body = body;
		sent = send_one(sending, place, json_string_value(json_object_get(line, "command")),
			&request);
		json_decref(body);
	}
	json_decref(line);
	return sent;
}

/* Returns false if the line has a mistake; the caller then stops sending. */
static bool send_line(struct sending *sending, char *line)
{
	char place[32];

	sending->line++;
	line += strspn(line, " \t");
	line[strcspn(line, "\r")] = '\0';
	if (!*line)
		return true;
	snprintf(place, sizeof(place), "line %" PRIu64 ": ", sending->line);
	if (*line == '{' ? send_object(sending, place, line) : send_words(sending, place, line))
		return true;
	note_status(sending, EXIT_FAILED);
	return false;
}

/* Sends available lines while the sender has room, then reads more. Returns false at the end of the
 * input and after a mistake. */
static bool cli_send_feed(struct sending *sending, struct lines *lines)
{
	bool idle;
	char *line;

	while (sender_has_room(sending->sender) && (line = lines_next(lines)))
		if (!send_line(sending, line))
			return false;
	if (!sender_has_room(sending->sender))
		return true;
	if (lines->ended)
		return false;
	idle = sender_under_way(sending->sender) == 0;
	if (lines_fill(lines, idle ? -1 : 0))
		return true;
	cli_error(sending->cli, NULL, "cannot read standard input: %s", strerror(errno));
	note_status(sending, EXIT_FAILED);
	return false;
}

static void send_lines(struct sending *sending)
{
	struct lines lines = lines_of(STDIN_FILENO);
	bool more = true;

	while (more || sender_under_way(sending->sender)) {
		uint64_t before = sending->line;

		if (more)
			more = cli_send_feed(sending, &lines);
		if (sender_under_way(sending->sender))
			sender_serve(sending->sender, sending->line > before ? 0 : SERVE_MS);
		fflush(stdout);
	}
	lines_free(&lines);
	if (sending->cli->err_is_terminal)
		cli_note(sending->cli, "%" PRIu64 " commands done", sending->done);
}

/* Returns all of standard input, which the caller frees; NULL after it printed an error. */
static char *read_input(const struct sending *sending)
{
	struct buffer text = { 0 };
	char piece[4096];
	size_t got;

	while ((got = fread(piece, 1, sizeof(piece), stdin)) > 0)
		buffer_add(&text, piece, got);
	if (!ferror(stdin))
		return text_take(&text);
	cli_error(sending->cli, NULL, "cannot read standard input: %s", strerror(errno));
	buffer_free(&text);
	return NULL;
}

static void send_operand(struct sending *sending)
{
	struct cli *cli = sending->cli;
	const char *given = cli->operand_count > 1 ? cli->operands[1] : "{}";
	char *text = strcmp(given, "-") == 0 ? read_input(sending) : alloc_copy(given);
	struct send_request request = { .key = cli_text(cli, "key") };
	json_t *body = text ? parse_json(sending, "", text) : NULL;

	request.body = body;
	if (!body)
		note_status(sending, EXIT_FAILED);
	else if (send_one(sending, "", cli->operands[0], &request))
		while (sender_under_way(sending->sender))
			sender_serve(sending->sender, 100);
	json_decref(body);
	free(text);
}

static bool check_headers(const struct cli *cli)
{
	const struct cli_values *headers = cli_all(cli, "header");

	for (size_t i = 0; i < headers->count; i++)
		if (strcspn(headers->texts[i], "=") == strlen(headers->texts[i]) ||
			headers->texts[i][0] == '=') {
			cli_usage_error(cli, "--header must be name=value, not \"%s\"",
				headers->texts[i]);
			return false;
		}
	return true;
}

/* Returns false after it printed a usage error. */
static bool read_format(struct sending *sending)
{
	const char *format = cli_text(sending->cli, "format");

	sending->tables = format ? strcmp(format, "table") == 0 : sending->cli->out_is_terminal;
	if (!format || sending->tables || strcmp(format, "json") == 0)
		return true;
	cli_usage_error(sending->cli, "--format must be json or table, not \"%s\"", format);
	return false;
}

/* Returns false after it printed a usage error. */
static bool read_send_options(struct sending *sending, struct send_options *options)
{
	const struct cli *cli = sending->cli;
	const struct cli_values *headers = cli_all(cli, "header");
	const char *reply_topic = cli_text(cli, "reply-topic");
	long long seconds;

	if (!cli_number(cli, "timeout", 1, 86400, 30, &seconds) || !check_headers(cli) ||
		!read_format(sending))
		return false;
	if (sending->lines && cli_text(cli, "key")) {
		cli_usage_error(cli,
			"--key applies to a single command; in a line write {\"command\": ..., \"key\": ...}");
		return false;
	}
	*options = (struct send_options){
		.reply_topic = sending->no_reply ? NULL
			: reply_topic            ? reply_topic
						 : TOPIC_REPLIES,
		.topic = cli_text(cli, "topic"),
		.headers = headers->texts,
		.header_count = headers->count,
		.timeout_ms = seconds * 1000,
		.linger_ms = sending->lines ? 2 : 0,
		.done = on_done,
		.arg = sending,
	};
	return true;
}

static int cli_send_run(struct cli *cli)
{
	struct sending sending = {
		.cli = cli,
		.lines = cli->operand_count == 0,
		.no_reply = cli_given(cli, "no-reply"),
	};
	struct send_options options;
	struct client_error error;
	const struct config *config;

	if (!read_send_options(&sending, &options))
		return EXIT_USAGE;
	config = cli_config(cli);
	if (!config)
		return EXIT_CONFIG;
	sending.sender = sender_new(config, &options, &sending.status, &error);
	if (!sending.sender) {
		cli_error(cli, error.hint, "%s", error.text);
		return sending.status;
	}
	if (sending.lines)
		send_lines(&sending);
	else
		send_operand(&sending);
	sender_free(sending.sender);
	return sending.status;
}

const struct cli_command cli_send = {
	.name = "send",
	.summary = "send commands and print their replies",
	.usage = "[COMMAND [JSON]] [OPTION...]",
	.help = "JSON is the command's request; default: {}. With -, stowage reads it from standard input.\n"
		"Write union values without their type, bytes as base64, times as ISO text or milliseconds,\n"
		"and JSON fields as plain JSON. Missing fields get their defaults.\n\n"
		"  stowage send memory.getThreadById '{\"threadId\": \"t1\"}'\n\n"
		"Without COMMAND, stowage reads commands from lines of standard input, either COMMAND JSON or\n"
		"{\"command\": ..., \"key\": ..., \"headers\": {...}, \"request\": {...}}. It sends them without\n"
		"waiting for replies and prints one line per command in the order of the input: the result,\n"
		"or {\"error\": ...}. It stops sending at the first line with a mistake, and still prints the\n"
		"replies to earlier commands.\n\n"
		"Exit status 6: a command was answered with an error; 7: no reply before the timeout.",
	.options =
		(const struct cli_option[]){
			{ "no-reply", NULL,
				"request no reply; wait only until Kafka stores the command" },
			{ "reply-topic", "TOPIC",
				"topic of the reply (mastra.replies); it must exist, and the\n"
				"workers' replies.allow must match it" },
			{ "topic", "TOPIC", "topic of the command (mastra.commands.<domain>)" },
			{ "key", "KEY",
				"key of the message (the field that the command declares)" },
			{ "header", "NAME=VALUE",
				"header of the message; may be given several times" },
			{ "format", "json|table",
				"format of the results of vectors.query; default: table on a\n"
				"terminal, else json. Other results are always JSON" },
			{ "timeout", "SECONDS", "timeout of a reply (30)" },
			{ NULL, NULL, NULL },
		},
	.operands_max = 2,
	.run = cli_send_run,
};
