/* gate: what a plugin's frame must be before it becomes an event.  Pure: no socket, no clock, no counters. */
#ifndef GATE_H
#define GATE_H
#include <stddef.h>
#include <stdint.h>

#include "event/event.h"

#define GATE_SMALL_MAX (256u << 10)      /* of types that carry no inventory and no map */
#define GATE_NAME_MAX 32                 /* characters of a character's name */
#define GATE_NAME_SIZE (4 * GATE_NAME_MAX + 1)
#define GATE_LATE_US (24 * 3600 * INT64_C(1000000))
#define GATE_FUTURE_US (5 * 60 * INT64_C(1000000))

enum gate_role { GATE_OTHER, GATE_LARGE, GATE_TELEMETRY, GATE_NEARBY, GATE_STATS, GATE_SHARE };
enum gate_time { GATE_TIME_GOOD, GATE_TIME_MISSING, GATE_TIME_UNREADABLE, GATE_TIME_LATE, GATE_TIME_FUTURE };

struct gate_refusal {
	const char *reason;              /* a metric label; NULL: the frame is good */
	char text[256];                  /* a sentence for the plugin */
};

/* Fills the event (and the name, "" when there is none) when the frame is good: 0, else -1 and why. */
int gate_check(const char *data, size_t len, int binary, struct event *, char name[GATE_NAME_SIZE], struct gate_refusal *);
enum gate_role gate_role(struct event_value type);
enum gate_time gate_time(const struct event *, int64_t now_us);

#endif
