/* detached_limit.c - see detached_limit.h */
#include "worker/lanes/detached_limit.h"

/* One at a time would leave a processor idle whenever an answer is on its way. */
#define LEAST 2
/* Above the number of processors the rate hardly changes from one limit to the next: a smaller step
 * down would not show. */
#define STEP_UP 2
#define STEP_DOWN 4
/* A window is long enough for a rate that is not chance. */
#define WINDOW_MS 200
#define WINDOW_READS 4 /* for each that may run */
#define PAUSE 4
#define PAUSE_MAX 128
/* A trial has to be better by so much: by less, two windows differ anyway. */
#define BETTER 1.03

static unsigned detached_limit_neighbour(const struct detached_limit *limit)
{
	unsigned value = limit->upward ? limit->base * STEP_UP : limit->base / STEP_DOWN;
	if (value < LEAST)
		value = LEAST;
	return value > limit->most ? limit->most : value;
}

/* Unless there is nothing the other way. */
static void turn_round(struct detached_limit *limit)
{
	limit->upward = !limit->upward;
	if (detached_limit_neighbour(limit) == limit->base)
		limit->upward = !limit->upward;
}

static void detached_limit_set(struct detached_limit *limit, unsigned value)
{
	limit->settling = value > limit->now ? value : limit->now;
	limit->now = value;
}

void detached_limit_init(struct detached_limit *limit, unsigned most)
{
	*limit = (struct detached_limit){ .most = most, .now = most, .base = most, .pause = PAUSE };
}

static void detached_limit_move(struct detached_limit *limit)
{
	limit->base = limit->trial;
	limit->pause = PAUSE;
	detached_limit_set(limit, limit->base);
	if (detached_limit_neighbour(limit) == limit->base)
		turn_round(limit);
}

static void detached_limit_stay(struct detached_limit *limit)
{
	limit->left = limit->pause;
	if (limit->pause < PAUSE_MAX)
		limit->pause *= 2;
	turn_round(limit);
}

static void window_over(struct detached_limit *limit, double rate)
{
	if (limit->now != limit->base) {
		limit->tried = rate;
		limit->trial = limit->now;
		detached_limit_set(limit, limit->base);
		return;
	}
	if (limit->trial) {
		if (limit->tried > BETTER * (limit->before + rate) / 2)
			detached_limit_move(limit);
		else
			detached_limit_stay(limit);
		limit->trial = 0;
	} else if (limit->left > 0) {
		limit->left--;
	} else {
		detached_limit_set(limit, detached_limit_neighbour(limit));
	}
	limit->before = rate;
}

void detached_limit_done(struct detached_limit *limit, bool waits, int64_t now)
{
	if (limit->settling > 0) {
		limit->settling--;
	} else if (limit->last) {
		limit->done++;
		limit->elapsed += now - limit->last;
	}
	limit->last = waits ? now : 0;
	if (limit->done < WINDOW_READS * limit->now || limit->elapsed < WINDOW_MS)
		return;
	double rate = (double)limit->done / (double)limit->elapsed;
	limit->done = 0;
	limit->elapsed = 0;
	window_over(limit, rate);
}
