/* rounds.c - tests of rounds: what is sent together, what goes again, and who waits for whom */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/kafka/rounds.h"
#include "worker/lanes/replies.h"
#include "worker/lanes/state.h" /* to look at the held lane */

#define MISSING_MS 1000000

static struct rounds rounds;
static struct lanes *lanes;
static struct metrics *metrics;
static struct lane *lane;
static struct round_news news;

static void make(void)
{
	const struct lanes_limits limits = { .batch_commands = 1, .large_batches = 1 };
	metrics = metrics_new(NULL, 0);
	lanes = lanes_new(&limits, metrics);
	lane = lanes_add(lanes, "commands", 0);
	rounds_init(&rounds, lanes, MISSING_MS);
}

static void drop(void)
{
	struct sent_list held = rounds_drop(&rounds);
	struct sent *sent;
	while ((sent = sent_take(&held)))
		sent_free(sent);
	rounds_free(&rounds);
	lanes_free(lanes);
	metrics_free(metrics);
}

TestSuite(rounds, .init = make, .fini = drop);

static struct sent *hold(const char *topic, int32_t partition, size_t size)
{
	char *value = calloc(1, size);
	const struct outgoing message = {
		.topic = topic, .partition = partition, .value = value, .value_size = size
	};
	const struct delivery delivery = { .lane = lane, .generation = lane->replies.generation };
	struct sent *sent = sent_new(&message, &delivery);
	free(value);
	rounds_hold(&rounds, sent, topic);
	return sent;
}

/* Starts what may start; returns the number of messages, the first of them in news.start. */
static size_t start(void)
{
	size_t count = 0;
	rounds_start(&rounds, INT64_MAX, &news);
	for (const struct sent *sent = news.start.first; sent; sent = sent->next)
		count++;
	return count;
}

static void end(struct sent *sent, enum sent_outcome outcome, rd_kafka_resp_err_t error)
{
	rounds_end_one(&rounds, sent, outcome, error, false, &news);
	if (outcome == OUTCOME_OVER)
		sent_free(sent);
}

/* Ends all messages in the list, in reverse: Kafka's threads keep no order among requests. */
static void end_all(struct sent_list list, enum sent_outcome outcome, rd_kafka_resp_err_t error)
{
	struct sent *reversed = NULL, *sent;
	while ((sent = sent_take(&list))) {
		sent->next = reversed;
		reversed = sent;
	}
	while ((sent = reversed)) {
		reversed = sent->next;
		end(sent, outcome, error);
	}
}

Test(rounds, a_partition_waits_for_its_round_and_for_no_other)
{
	struct sent *first = hold("a", 0, 10);
	cr_assert_eq(start(), 1);
	hold("a", 0, 10);
	struct sent *other = hold("a", 1, 10);
	cr_assert_eq(start(), 1, "partition 1 alone");
	cr_assert_eq(news.start.first, other);
	end(first, OUTCOME_OVER, RD_KAFKA_RESP_ERR_NO_ERROR);
	cr_assert_eq(start(), 1);
	end_all(news.start, OUTCOME_OVER, RD_KAFKA_RESP_ERR_NO_ERROR);
	end(other, OUTCOME_OVER, RD_KAFKA_RESP_ERR_NO_ERROR);
}

Test(rounds, a_refused_round_is_halved_in_order_until_one_message_is_alone)
{
	struct sent *sent[4];
	for (int i = 0; i < 4; i++)
		sent[i] = hold("a", 0, 10);
	for (size_t most = 4; most > 0; most /= 2) {
		cr_assert_eq(start(), most);
		cr_assert_eq(news.start.first, sent[0]);
		cr_assert_eq(rounds_sent_alone(&rounds, sent[0], 0), most == 1);
		if (most > 1)
			end_all(news.start, OUTCOME_REFUSED, RD_KAFKA_RESP_ERR_INVALID_RECORD);
	}
	end(sent[0], OUTCOME_OVER, RD_KAFKA_RESP_ERR_INVALID_RECORD);
	cr_assert_eq(start(), 2, "more at a time again");
	cr_assert_eq(news.start.first, sent[1]);
	end_all(news.start, OUTCOME_OVER, RD_KAFKA_RESP_ERR_NO_ERROR);
	cr_assert_eq(start(), 1);
	end(sent[3], OUTCOME_OVER, RD_KAFKA_RESP_ERR_NO_ERROR);
}

Test(rounds, a_round_refused_for_its_size_has_fewer_bytes_for_a_while)
{
	for (int i = 0; i < 64; i++)
		hold("a", 0, 1000);
	cr_assert_eq(start(), 64);
	end_all(news.start, OUTCOME_REFUSED, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
	cr_assert_eq(start(), 32);
	end_all(news.start, OUTCOME_OVER, RD_KAFKA_RESP_ERR_NO_ERROR);
	cr_assert_eq(start(), 32);
	end_all(news.start, OUTCOME_OVER, RD_KAFKA_RESP_ERR_NO_ERROR);
	for (int i = 0; i < 64; i++)
		hold("a", 0, 1000);
	cr_assert_eq(start(), 32);
	end_all(news.start, OUTCOME_OVER, RD_KAFKA_RESP_ERR_NO_ERROR);
}

Test(rounds, a_message_that_may_share_its_request_is_judged_with_nothing_beside_it)
{
	struct sent *any = hold("a", -1, 10); /* without a key */
	struct sent *known = hold("a", 0, 10);
	cr_assert_eq(start(), 2);
	cr_assert_not(rounds_sent_alone(&rounds, any, 0));
	end(any, OUTCOME_REFUSED, RD_KAFKA_RESP_ERR_INVALID_RECORD);
	cr_assert_eq(start(), 0, "something is in flight beside it");
	end(known, OUTCOME_OVER, RD_KAFKA_RESP_ERR_NO_ERROR);
	known = hold("a", 0, 10);
	cr_assert_eq(start(), 1);
	cr_assert_eq(news.start.first, any);
	cr_assert(rounds_sent_alone(&rounds, any, 0));
	end(any, OUTCOME_OVER, RD_KAFKA_RESP_ERR_INVALID_RECORD);
	cr_assert_eq(start(), 1);
	end(known, OUTCOME_OVER, RD_KAFKA_RESP_ERR_NO_ERROR);
}

Test(rounds, a_reason_that_can_pass_is_logged_once_and_then_over)
{
	struct sent *sent[2] = { hold("a", 0, 10), hold("a", 1, 10) };
	cr_assert_eq(start(), 2);
	end(sent[0], OUTCOME_LATER, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
	cr_assert(news.began);
	end(sent[1], OUTCOME_LATER, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
	cr_assert_not(news.began);
	char why[128];
	cr_assert(rounds_lack_right(&rounds, why, sizeof(why)));
	cr_assert_eq(start(), 0, "not before the delay is over");
	sent[0]->round->retry_at = sent[1]->round->retry_at = 0;
	cr_assert_eq(start(), 2);
	end(sent[0], OUTCOME_OVER, RD_KAFKA_RESP_ERR_NO_ERROR);
	cr_assert_not(news.over);
	end(sent[1], OUTCOME_OVER, RD_KAFKA_RESP_ERR_NO_ERROR);
	cr_assert(news.over);
	cr_assert_not(rounds_lack_right(&rounds, why, sizeof(why)));
}

Test(rounds, replies_to_a_missing_topic_are_given_up_in_the_end_and_dead_letters_never)
{
	struct sent *old = hold("a", 0, 10), *letter = hold("a", 0, 10), *young = hold("a", 0, 10);
	letter->dead_letter = true;
	old->held_at = letter->held_at = -MISSING_MS;
	cr_assert_eq(start(), 3);
	end_all(news.start, OUTCOME_LATER, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC);
	cr_assert_eq(news.given_up.first, old);
	cr_assert_eq(news.given_up.last, old);
	cr_assert_eq(letter->round->held.first, letter);
	cr_assert_eq(letter->round->held.last, young);
	sent_free(old);
}

Test(rounds, a_lane_waits_while_its_partition_holds_too_much)
{
	struct sent *first = hold("a", 0, 10);
	cr_assert_eq(start(), 1);
	hold("a", 0, 5 << 20);
	cr_assert_eq(lane->replies.held[HOLD_UNSENT], 1);
	hold("b", 0, 10);
	cr_assert_eq(lane->replies.held[HOLD_UNSENT], 1, "another topic has room");
	end(first, OUTCOME_OVER, RD_KAFKA_RESP_ERR_NO_ERROR);
	cr_assert_eq(start(), 2);
	cr_assert_eq(lane->replies.held[HOLD_UNSENT], 0, "it left");
	end_all(news.start, OUTCOME_OVER, RD_KAFKA_RESP_ERR_NO_ERROR);
}

Test(rounds, messages_of_a_lane_that_was_claimed_again_are_dropped)
{
	struct sent *stale = hold("a", 0, 10);
	stale->held_at -= 5000;
	lane_forget_replies(lane);
	struct sent *fresh = hold("a", 0, 10);
	cr_assert_eq(start(), 1);
	cr_assert_eq(news.start.first, fresh);
	cr_assert_eq(news.dropped.first, stale);
	sent_free(stale);
	end(fresh, OUTCOME_OVER, RD_KAFKA_RESP_ERR_NO_ERROR);
}
