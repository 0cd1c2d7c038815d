#include "verdict.h"

const char *
verdict_word(enum verdict_state state)
{
	return state == VERDICT_UP ? "up" : state == VERDICT_DOWN ? "down" : "unknown";
}

/* What is unclear says nothing of how long the server has been up; that it is down does. */
int
verdict_step(struct verdict *v, enum probe_outcome outcome, double latency_ms, int64_t now_ms)
{
	enum verdict_state before = v->state;

	v->misses = outcome == PROBE_MISSED ? v->misses + 1 : 0;
	switch (outcome) {
	case PROBE_ANSWERED:
		v->state = VERDICT_UP;
		v->latency_ms = latency_ms;
		if (v->up_since_ms == 0)
			v->up_since_ms = now_ms;
		break;
	case PROBE_UNCLEAR:
		v->state = VERDICT_UNKNOWN;
		break;
	case PROBE_MISSED:
		if (v->misses < v->misses_max)
			break;
		v->state = VERDICT_DOWN;
		v->up_since_ms = 0;
		break;
	}
	return v->state != before;
}
