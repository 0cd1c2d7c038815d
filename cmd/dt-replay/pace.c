#include "replay.h"

#define BACK_US 60000000             /* disorder of a journal is less; a step back of more is another recording */

int64_t
pace_due(struct pace *p, int64_t us, int64_t now_ms)
{
	double after_ms;

	if (p->speed <= 0)
		return now_ms;
	if (!p->started || us < p->last_us - BACK_US) {
		p->started = 1;
		p->first_us = p->last_us = us;
		p->first_ms = now_ms;
		return now_ms;
	}
	if (us > p->last_us)
		p->last_us = us;
	after_ms = (double)(us - p->first_us) / 1000 / p->speed;
	return after_ms <= 0 ? now_ms : after_ms > 1e15 ? INT64_MAX / 2 : p->first_ms + (int64_t)after_ms;
}
