#include "limit.h"

void
limit_init(struct limit *l, const struct limit_rate *rate, int64_t now_ms)
{
	l->tokens = rate->burst;
	l->at_ms = now_ms;
}

int64_t
limit_take(struct limit *l, const struct limit_rate *rate, double n, int64_t now_ms)
{
	if (rate->per_s <= 0)
		return 0;
	if (now_ms > l->at_ms) {
		l->tokens += rate->per_s * (double)(now_ms - l->at_ms) / 1000;
		if (l->tokens > rate->burst)
			l->tokens = rate->burst;
		l->at_ms = now_ms;
	}
	l->tokens -= n;
	return l->tokens >= 0 ? 0 : (int64_t)(-l->tokens * 1000 / rate->per_s) + 1;
}

int
limit_try(struct limit *l, const struct limit_rate *rate, int64_t now_ms)
{
	(void)limit_take(l, rate, 0, now_ms);
	if (rate->per_s > 0 && l->tokens < 1)
		return -1;
	l->tokens -= rate->per_s > 0;
	return 0;
}
