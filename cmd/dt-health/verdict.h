/* verdict: what the outcomes of probes say of the server. */
#ifndef VERDICT_H
#define VERDICT_H
#include <stdint.h>

#include "probe.h"

enum verdict_state { VERDICT_UNKNOWN, VERDICT_UP, VERDICT_DOWN };

struct verdict {
	unsigned misses_max;     /* so many in a row mean down */
	enum verdict_state state;
	unsigned misses;         /* in a row */
	double latency_ms;       /* of the last answer, while up */
	int64_t up_since_ms;     /* 0: not up, or not seen yet */
};

/* 1 when the state is another one now. */
int verdict_step(struct verdict *, enum probe_outcome, double latency_ms, int64_t now_ms);
const char *verdict_word(enum verdict_state);

#endif
