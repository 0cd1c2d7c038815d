#include "roster/trail.h"

#include <stdlib.h>
#include <string.h>

#include "mem/mem.h"

#define FIRST_CAP 32

static void
drop_front(struct trail *t, unsigned n)
{
	memmove(t->point, t->point + n, (t->n - n) * sizeof(*t->point));
	t->n -= n;
}

/* Less detail rather than less length: so far apart, the time that is kept takes half of the places.  The newest point stays. */
static void
thin(struct trail *t, unsigned max, int64_t keep_us)
{
	unsigned i, kept = 1;

	t->apart_us = 2 * keep_us / max;
	for (i = 1; i < t->n; i++)
		if (i + 1 == t->n || t->point[i].us - t->point[kept - 1].us >= t->apart_us)
			t->point[kept++] = t->point[i];
	t->n = kept;
}

static void
make_room(struct trail *t, unsigned max, int64_t oldest_us, int64_t keep_us)
{
	unsigned stale = 0;

	while (stale < t->n && t->point[stale].us < oldest_us)
		stale++;
	/* A memmove for each point would be dear: wait until a quarter is stale. */
	if (stale > t->n / 4)
		drop_front(t, stale);
	if (t->n >= max)
		thin(t, max, keep_us);
	if (t->n < max / 4)
		t->apart_us = 0;
	if (t->n == t->cap) {
		t->cap = t->cap == 0 ? FIRST_CAP : t->cap * 2;
		if (t->cap > max)
			t->cap = max;
		t->point = xreallocarray(t->point, t->cap, sizeof(*t->point));
	}
}

void
trail_add(struct trail *t, struct trail_point p, unsigned max, int64_t keep_us)
{
	int64_t newest = t->n > 0 && t->point[t->n - 1].us > p.us ? t->point[t->n - 1].us : p.us;
	unsigned at;

	if (p.us < newest - keep_us)
		return;
	make_room(t, max, newest - keep_us, keep_us);
	/* The last point is provisional until the next is far enough from the one before it. */
	if (t->n >= 2 && p.us > t->point[t->n - 1].us && t->point[t->n - 1].us - t->point[t->n - 2].us < t->apart_us)
		t->n--;
	for (at = t->n; at > 0 && t->point[at - 1].us > p.us; at--)
		;
	if (at > 0 && t->point[at - 1].us == p.us) {
		t->point[at - 1] = p;
		return;
	}
	memmove(t->point + at + 1, t->point + at, (t->n - at) * sizeof(*t->point));
	t->point[at] = p;
	t->n++;
}

void
trail_trim(struct trail *t, int64_t before_us)
{
	unsigned stale = 0;

	while (stale < t->n && t->point[stale].us < before_us)
		stale++;
	if (stale == t->n)
		trail_fini(t);
	else if (stale > t->n / 4)
		drop_front(t, stale);
}

void
trail_fini(struct trail *t)
{
	free(t->point);
	memset(t, 0, sizeof(*t));
}
