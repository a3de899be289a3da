/* index_replies.c - sends the replies of index builds that ended */
#include "worker/background/index_replies.h"

#include <string.h>
#include <unistd.h>

#include "worker/engine/reply.h"
#include "worker/kafka/outgoing.h"

static void index_replies_sent(void *arg, enum sent_end end)
{
	struct builder_answers *a = arg;
	uint64_t one = 1;
	if (end == SENT_LOST)
		atomic_store(&a->lost, true);
	else if (end == SENT_REFUSED)
		atomic_store(&a->refused, true);
	if (atomic_fetch_sub(&a->under_way, 1) == 1 && write(a->wake_fd, &one, sizeof(one)) < 0)
		return; /* the counter is full, so the builder has still to see a wake-up */
}

static enum failure_category category_named(const char *name)
{
	for (int i = FAILURE_INVALID; i < FAILURE_INTERNAL; i++)
		if (name && strcmp(name, failure_category_name((enum failure_category)i)) == 0)
			return (enum failure_category)i;
	return FAILURE_INTERNAL;
}

struct answers_send {
	struct builder_answers *answers;
	const struct failure *failure; /* of the build; NULL: it succeeded */
};

static void send_answer(void *arg, const struct outgoing *address)
{
	const struct answers_send *send = arg;
	struct builder_answers *a = send->answers;
	struct delivery delivery = { .done = index_replies_sent, .arg = a };
	struct outgoing message;
	if (!reply_finish(address, a->engine, a->arena, send->failure, &message))
		return;
	atomic_fetch_add(&a->under_way, 1);
	producer_send(a->engine->producer, &message, &delivery);
}

void builder_answers_send(void *arg, const struct build_answers *answers)
{
	struct builder_answers *a = arg;
	bool failed = strcmp(answers->state, "done") != 0;
	struct failure failure = {
		.category = category_named(answers->category),
		.code = answers->code ? answers->code : "INDEX_BUILD_FAILED",
		.message = answers->error ? answers->error : "",
	};
	struct answers_send send = { a, failed ? &failure : NULL };
	a->id = answers->id;
	a->token = answers->token;
	outgoing_each(answers->waiters, answers->size, send_answer, &send, &a->bad);
	producer_flush(a->engine->producer);
}
