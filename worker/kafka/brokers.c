/* brokers.c - reports outages of all brokers, and trouble with one, once each */
#include "worker/kafka/brokers.h"

#include <stdio.h>

#include "schemas/base/clock.h"

/* Trouble with one broker is logged after it has lasted this long without a new complaint. */
#define QUIET_MS 1000
/* ... and logged again after this long without trouble: librdkafka repeats a complaint every 30
 * s. */
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
	brokers->logged = BROKERS_LOGGED_NOTHING;
	brokers->trouble[0] = '\0';
}

void brokers_up(struct brokers *brokers)
{
	if (!atomic_exchange(&brokers->down, false))
		return;
	if (brokers->logged == BROKERS_LOGGED_ALL)
		log_info(brokers->log, "Kafka is back");
	brokers_forget(brokers);
}

/* Waits a moment before it logs. When brokers hang up, all are down before one refuses a
 * connection, and that refusal is the reason to name. The last reachable broker has been in trouble
 * on its own before that. */
void brokers_tell(struct brokers *brokers)
{
	const char *reason = brokers->trouble[0] ? brokers->trouble : NULL;
	int64_t quiet = clock_tick_ms() - brokers->trouble_at;
	if (brokers_are_down(brokers)) {
		if (brokers->logged != BROKERS_LOGGED_ALL)
			log_warn(brokers->log, "no Kafka broker can be reached: waiting for one",
				LOG_STR("servers", brokers->servers), LOG_STR("reason", reason));
		brokers->logged = BROKERS_LOGGED_ALL;
	} else if (brokers->logged == BROKERS_LOGGED_NOTHING && reason && quiet >= QUIET_MS) {
		log_warn(brokers->log, "trouble with a Kafka broker", LOG_STR("reason", reason));
		brokers->logged = BROKERS_LOGGED_ONE;
	} else if (brokers->logged == BROKERS_LOGGED_ONE && quiet > TROUBLE_MS) {
		brokers_forget(brokers);
	}
}

bool brokers_are_down(const struct brokers *brokers)
{
	return atomic_load(&brokers->down);
}
