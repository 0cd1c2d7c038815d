#include "pace.h"

#include "clock/clock.h"

void
pace_begin(struct pace *p, int64_t now_ms)
{
	if (p->end_ms != CLOCK_NEVER)
		p->end_ms += now_ms - p->from_ms;
	p->from_ms = now_ms;
}

int
pace_over(const struct pace *p, int64_t next, int64_t now_ms)
{
	return next >= p->end || now_ms >= p->end_ms;
}

int
pace_go(const struct pace *p, int64_t next, uint64_t events, int64_t now_ms, int64_t *wait_ms)
{
	int64_t at_ms;

	switch (p->kind) {
	case PACE_MAX:
		return 1;
	case PACE_CLOCK:
		at_ms = p->from_ms + (int64_t)((double)(next - p->from) / T_MS / p->speed);
		break;
	default:
		at_ms = p->from_ms + (int64_t)(events * 1000 / (uint64_t)p->rate);
	}
	*wait_ms = at_ms;
	return at_ms <= now_ms;
}
