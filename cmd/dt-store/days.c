#include "days.h"

#include <stdlib.h>
#include <string.h>

#include "mem/mem.h"

static size_t
days_at(const struct days *d, int64_t day)
{
	size_t lo = 0, hi = d->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (d->day[mid] < day)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int
days_add(struct days *d, int64_t day)
{
	size_t at = days_at(d, day);

	if (at < d->n && d->day[at] == day)
		return 0;
	if (d->n == d->cap) {
		d->cap = d->cap ? 2 * d->cap : 16;
		d->day = xreallocarray(d->day, d->cap, sizeof *d->day);
	}
	memmove(d->day + at + 1, d->day + at, (d->n - at) * sizeof *d->day);
	d->day[at] = day;
	d->n++;
	return 1;
}

void
days_fini(struct days *d)
{
	free(d->day);
	*d = (struct days){ 0 };
}
