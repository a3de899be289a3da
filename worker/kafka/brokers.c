/* brokers.c - see brokers.h */
#include "worker/kafka/brokers.h"

#include <stdio.h>

#include "schemas/base/clock.h"

/* Trouble with one is told when it has lasted so long without another. */
#define QUIET_MS 1000
/* ... and again after so long without: librdkafka says the same of one only every 30 seconds. */
#define TROUBLE_MS 60000

void brokers_all_down(struct brokers *brokers)
{
	atomic_store(&brokers->down, true);
}

void brokers_trouble(struct brokers *brokers, const char *reason)
{
	snprintf(brokers->trouble, sizeof(brokers->trouble), "%s", reason);
	brokers->trouble_at = clock_tick_ms();
}

static void brokers_forget(struct brokers *brokers)
{
	brokers->told = BROKERS_TOLD_NOTHING;
	brokers->trouble[0] = '\0';
}

void brokers_up(struct brokers *brokers)
{
	if (!atomic_exchange(&brokers->down, false))
		return;
	if (brokers->told == BROKERS_TOLD_ALL)
		log_info(brokers->log, "Kafka is back");
	brokers_forget(brokers);
}

/* Not at once: brokers that hang up are all down before one has refused, which is the reason to
 * name, and the last one that can't be reached has been in trouble by itself before. */
void brokers_tell(struct brokers *brokers)
{
	const char *reason = brokers->trouble[0] ? brokers->trouble : NULL;
	int64_t quiet = clock_tick_ms() - brokers->trouble_at;
	if (brokers_are_down(brokers)) {
		if (brokers->told != BROKERS_TOLD_ALL)
			log_warn(brokers->log, "no Kafka broker can be reached, waiting for one",
				LOG_STR("servers", brokers->servers), LOG_STR("reason", reason));
		brokers->told = BROKERS_TOLD_ALL;
	} else if (brokers->told == BROKERS_TOLD_NOTHING && reason && quiet >= QUIET_MS) {
		log_warn(brokers->log, "trouble with a Kafka broker", LOG_STR("reason", reason));
		brokers->told = BROKERS_TOLD_ONE;
	} else if (brokers->told == BROKERS_TOLD_ONE && quiet > TROUBLE_MS) {
		brokers_forget(brokers);
	}
}

bool brokers_are_down(const struct brokers *brokers)
{
	return atomic_load(&brokers->down);
}
