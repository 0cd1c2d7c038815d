#include "totals/totals.h"

int64_t
totals_step(struct totals_counter *c, int64_t value, int64_t at_us)
{
	int64_t grew = value - c->value;

	if (at_us == TOTALS_NO_TIME || at_us == c->at_us) {
		if (grew <= 0)
			return 0;
		c->value = value;
		return grew;
	}
	if (at_us < c->at_us)
		return 0;
	c->at_us = at_us;
	c->value = value;
	return grew >= 0 ? grew : value;
}

void
totals_state(struct totals_stated *s, int64_t total, int64_t at_us)
{
	if (at_us == TOTALS_NO_TIME ? total <= s->total : at_us < s->at_us)
		return;
	s->total = total;
	if (at_us != TOTALS_NO_TIME)
		s->at_us = at_us;
}
