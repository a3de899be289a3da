/* retention.c - declares the tables whose old rows can go, and reads ages */
#include "db/retention/retention.h"

#include <stdlib.h>
#include <string.h>

#define AGE_MAX_MS 3.2e16
#define AGE_DIGITS 32

/* Its domain, its policy's key, the column of a row's age and that column's kind. */
#define TABLE(domain_, key_, table_, anchor_, kind_) \
	.domain = (domain_), .key = (key_), .table = (table_), .anchor = (anchor_), .kind = (kind_)

const struct retention_table retention_tables[RETENTION_COUNT] = {
	[RETENTION_MESSAGES] = { TABLE("memory", "messages", "mastra_messages", "createdAtZ",
					 ANCHOR_TIMESTAMPTZ),
		.vectors = true },
	[RETENTION_RESOURCES] = { TABLE("memory", "resources", "mastra_resources", "createdAtZ",
		ANCHOR_TIMESTAMPTZ) },
	[RETENTION_THREADS] = { TABLE("memory", "threads", "mastra_threads", "createdAtZ",
		ANCHOR_TIMESTAMPTZ) },
	[RETENTION_THREAD_STATE] = { TABLE("threadState", "threadState", "mastra_thread_state",
		"updatedAtZ", ANCHOR_TIMESTAMPTZ) },
	[RETENTION_WORKFLOW_SNAPSHOT] = { TABLE("workflows", "workflowSnapshot",
		"mastra_workflow_snapshot", "updatedAtZ", ANCHOR_TIMESTAMPTZ) },
	[RETENTION_SPANS] = { TABLE("observability", "spans", "mastra_ai_spans", "startedAtZ",
		ANCHOR_TIMESTAMPTZ) },
	[RETENTION_SCORERS] = { TABLE("scores", "scorers", "mastra_scorers", "createdAtZ",
		ANCHOR_TIMESTAMPTZ) },
	[RETENTION_EXPERIMENTS] = { TABLE("experiments", "experiments", "mastra_experiments",
					    "completedAt", ANCHOR_TIMESTAMP),
		.part = "mastra_experiment_results", .part_key = "experimentId" },
	[RETENTION_BACKGROUND_TASKS] = { TABLE("backgroundTasks", "backgroundTasks",
		"mastra_background_tasks", "completedAtZ", ANCHOR_TIMESTAMPTZ) },
	[RETENTION_NOTIFICATIONS] = { TABLE("notifications", "notifications",
		"mastra_notifications", "createdAtZ", ANCHOR_TIMESTAMPTZ) },
	[RETENTION_TRIGGERS] = { TABLE("schedules", "triggers", "mastra_schedule_triggers",
		"actual_fire_at", ANCHOR_EPOCH_MS) },
};

#undef TABLE

static bool retention_is(const char *name, const char *text, size_t size)
{
	return strlen(name) == size && memcmp(name, text, size) == 0;
}

const struct retention_table *retention_find(const char *domain, const char *key, size_t key_size)
{
	for (size_t i = 0; i < RETENTION_COUNT; i++)
		if (strcmp(retention_tables[i].domain, domain) == 0 &&
			retention_is(retention_tables[i].key, key, key_size))
			return &retention_tables[i];
	return NULL;
}

bool retention_has(const char *domain, size_t size)
{
	for (size_t i = 0; i < RETENTION_COUNT; i++)
		if (retention_is(retention_tables[i].domain, domain, size))
			return true;
	return false;
}

static size_t age_digits(const char *text, size_t at)
{
	return strspn(text + at, "0123456789");
}

/* Milliseconds of a unit; 0: it is none. */
static double age_unit(const char *unit)
{
	static const struct {
		const char *name;
		double ms;
	} units[] = { { "", 1 }, { "ms", 1 }, { "s", 1e3 }, { "m", 6e4 }, { "h", 3.6e6 },
		{ "d", 8.64e7 }, { "w", 6.048e8 } };

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(units[i].name, unit) == 0)
			return units[i].ms;
	return 0;
}

bool retention_age(const char *text, size_t size, int64_t *ms)
{
	char copy[AGE_DIGITS + 4] = "";
	if (size >= sizeof(copy) || memchr(text, '\0', size))
		return false;
	memcpy(copy, text, size);
	size_t whole = age_digits(copy, 0), end = whole;
	if (copy[end] == '.') {
		size_t part = age_digits(copy, end + 1);
		end += part ? 1 + part : 0;
	}
	double unit = age_unit(copy + end);
	copy[end] = '\0';
	double age = strtod(copy, NULL) * unit;
	*ms = age < AGE_MAX_MS ? (int64_t)age : (int64_t)AGE_MAX_MS;
	return whole > 0 && unit > 0;
}
