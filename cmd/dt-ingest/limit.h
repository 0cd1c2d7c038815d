/* limit: a token bucket.  It may go into debt by one frame, which then has to be waited for. */
#ifndef LIMIT_H
#define LIMIT_H
#include <stdint.h>

struct limit {
	double tokens;
	int64_t at_ms;
};

struct limit_rate {
	double per_s;                    /* 0: no limit */
	double burst;
};

void limit_init(struct limit *, const struct limit_rate *, int64_t now_ms);
/* Takes n; returns how many milliseconds to wait before the next take (0: none). */
int64_t limit_take(struct limit *, const struct limit_rate *, double n, int64_t now_ms);
/* Takes one when it is there: 0, or -1. */
int limit_try(struct limit *, const struct limit_rate *, int64_t now_ms);

#endif
