#include "roster/portals.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clock/clock.h"
#include "mem/mem.h"

#define NAME_MAX_BYTES 128

struct portal {
	int key_ew, key_ns;        /* tenths of a degree */
	double ew, ns, z;
	int64_t us, rx_us;
	char name[NAME_MAX_BYTES], by[NAME_MAX_BYTES];
};

static struct portal *
find(struct portals *t, int key_ew, int key_ns)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (t->portal[i].key_ew == key_ew && t->portal[i].key_ns == key_ns)
			return &t->portal[i];
	return NULL;
}

static struct portal *
oldest(struct portals *t)
{
	size_t i, found = 0;

	for (i = 1; i < t->n; i++)
		if (t->portal[i].rx_us < t->portal[found].rx_us)
			found = i;
	return &t->portal[found];
}

static struct portal *
place(struct portals *t)
{
	if (t->n == t->max)
		return oldest(t);
	if (t->n == t->cap) {
		t->cap = t->cap == 0 ? 16 : t->cap * 2;
		t->portal = xreallocarray(t->portal, t->cap, sizeof(*t->portal));
	}
	return &t->portal[t->n++];
}

void
portals_feed(struct portals *t, const struct event *ev, const char *character, int64_t us, int64_t rx_us)
{
	struct portal new = { .us = us, .rx_us = rx_us }, *p;

	if (event_double(event_get(ev, "ew"), &new.ew) == -1 || event_double(event_get(ev, "ns"), &new.ns) == -1 ||
	    fabs(new.ew) > 1e4 || fabs(new.ns) > 1e4)
		return;
	if (event_double(event_get(ev, "z"), &new.z) == -1)
		new.z = NAN;
	if (event_string(event_get(ev, "portal_name"), new.name, sizeof(new.name)) <= 0)
		return;
	strncpy(new.by, character, sizeof(new.by) - 1);
	new.key_ew = (int)lround(new.ew * 10);
	new.key_ns = (int)lround(new.ns * 10);

	if ((p = find(t, new.key_ew, new.key_ns)) == NULL)
		p = place(t);
	else if (p->rx_us > rx_us)
		return;
	*p = new;
}

void
portals_expire(struct portals *t, int64_t before_rx_us)
{
	size_t i;

	for (i = 0; i < t->n; )
		if (t->portal[i].rx_us < before_rx_us)
			t->portal[i] = t->portal[--t->n];
		else
			i++;
}

static int
newest_first(const void *va, const void *vb)
{
	const struct portal *const *a = va, *const *b = vb;

	return ((*a)->rx_us < (*b)->rx_us) - ((*a)->rx_us > (*b)->rx_us);
}

static int
write_one(const struct portal *p, int first, struct buf *out)
{
	char iso[CLOCK_ISO_SIZE];
	int bad = 0;

	clock_format_iso(p->us, iso);
	bad |= buf_appends(out, first ? "{\"portal_name\":" : ",{\"portal_name\":");
	bad |= buf_append_json(out, p->name, strlen(p->name));
	bad |= buf_printf(out, ",\"ns\":%.10g,\"ew\":%.10g", p->ns, p->ew);
	bad |= isnan(p->z) ? buf_appends(out, ",\"z\":null") : buf_printf(out, ",\"z\":%.7g", p->z);
	bad |= buf_printf(out, ",\"discovered_at\":\"%s\",\"discovered_by\":", iso);
	bad |= buf_append_json(out, p->by, strlen(p->by));
	bad |= buf_append(out, "}", 1);
	return bad;
}

int
portals_write(const struct portals *t, int64_t since_rx_us, struct buf *out)
{
	const struct portal **sorted = xmalloc((t->n + 1) * sizeof(struct portal *));
	size_t i, n = 0;
	int bad;

	for (i = 0; i < t->n; i++)
		if (t->portal[i].rx_us >= since_rx_us)
			sorted[n++] = &t->portal[i];
	qsort(sorted, n, sizeof(*sorted), newest_first);
	bad = buf_appends(out, "\"portals\":[");
	for (i = 0; i < n; i++)
		bad |= write_one(sorted[i], i == 0, out);
	bad |= buf_printf(out, "],\"portal_count\":%zu", n);
	free(sorted);
	return bad ? -1 : 0;
}

void
portals_fini(struct portals *t)
{
	free(t->portal);
	t->portal = NULL;
	t->n = t->cap = 0;
}
