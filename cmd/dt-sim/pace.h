/* pace: how fast simulated time goes.  Either bound to the clock (--speed), or to a number of events a second (--rate N), or not at all. */
#ifndef SIM_PACE_H
#define SIM_PACE_H
#include <stdint.h>

#include "sim.h"

enum pace_kind { PACE_MAX, PACE_CLOCK, PACE_EVENTS };

struct pace {
	enum pace_kind kind;
	double speed;                /* simulated seconds a second */
	int64_t rate;                /* events a second */
	int64_t end;                 /* simulated time at which PACE_CLOCK and PACE_MAX end; T_NEVER */
	int64_t end_ms;              /* monotonic time at which PACE_EVENTS ends; CLOCK_NEVER */
	int restamp;                 /* events carry the clock's time, not the simulated one */
	int64_t from, from_ms;       /* where simulated time and the clock began to run together */
};

/* May the next step be done now, given the events so far?  Else *wait_ms is the monotonic time to ask again. */
int pace_go(const struct pace *, int64_t next, uint64_t events, int64_t now_ms, int64_t *wait_ms);
/* The events begin now: so many seconds of them are still to come. */
void pace_begin(struct pace *, int64_t now_ms);

int pace_over(const struct pace *, int64_t next, int64_t now_ms);

#endif
