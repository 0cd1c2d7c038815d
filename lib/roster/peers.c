#include "roster/peers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clock/clock.h"
#include "mem/mem.h"

#define NAME_MAX_BYTES 128
#define TAGS_MAX_BYTES 1024

enum { HEALTH, STAMINA, MANA, N_VITALS };
static const char *const vital_names[N_VITALS] = { "health", "stamina", "mana" };

struct peer {
	char *name;
	char *tags;                      /* a JSON array */
	int64_t seen_us;
	int left;                        /* said goodbye at seen_us */
	double percentage[N_VITALS];     /* NAN: not known; so below */
	double ns, ew, z;
};

struct peers {
	struct peer *peer;
	size_t n, max;
};

struct peers *
peers_new(size_t max)
{
	struct peers *ps = xcalloc(1, sizeof(*ps));

	ps->max = max;
	return ps;
}

static void
peer_fini(struct peer *p)
{
	free(p->name);
	free(p->tags);
}

void
peers_free(struct peers **psp)
{
	struct peers *ps = *psp;

	if (ps == NULL)
		return;
	while (ps->n > 0)
		peer_fini(&ps->peer[--ps->n]);
	free(ps->peer);
	free(ps);
	*psp = NULL;
}

static struct peer *
place(struct peers *ps)
{
	size_t i, oldest = 0;

	if (ps->n < ps->max) {
		ps->peer = xreallocarray(ps->peer, ps->n + 1, sizeof(*ps->peer));
		return &ps->peer[ps->n++];
	}
	for (i = 1; i < ps->n; i++)
		if (ps->peer[i].seen_us < ps->peer[oldest].seen_us)
			oldest = i;
	peer_fini(&ps->peer[oldest]);
	return &ps->peer[oldest];
}

static struct peer *
get(struct peers *ps, const char *name)
{
	struct peer *p;
	size_t i;

	for (i = 0; i < ps->n; i++)
		if (strcmp(ps->peer[i].name, name) == 0)
			return &ps->peer[i];
	p = place(ps);
	*p = (struct peer){ .name = xstrdup(name), .percentage = { NAN, NAN, NAN }, .ns = NAN, .ew = NAN, .z = NAN };
	return p;
}

/* ---- feeding ---- */

static void
take_vitals(struct peer *p, const struct event *ev)
{
	double current, max;
	char name[32];
	int i;

	for (i = 0; i < N_VITALS; i++) {
		strcat(strcpy(name, vital_names[i]), "_current");
		if (event_double(event_get(ev, name), &current) == -1)
			continue;
		strcat(strcpy(name, vital_names[i]), "_max");
		if (event_double(event_get(ev, name), &max) == 0)
			p->percentage[i] = max > 0 ? current / max * 100 : NAN;
	}
}

static void
take_tags(struct peer *p, struct event_value tags)
{
	if (tags.kind != EVENT_ARRAY || tags.len > TAGS_MAX_BYTES)
		return;
	free(p->tags);
	p->tags = xstrndup(tags.p, tags.len);
}

static void
take_place(struct peer *p, const struct event *ev)
{
	double ns, ew;

	if (event_double(event_get(ev, "ns"), &ns) == -1 || event_double(event_get(ev, "ew"), &ew) == -1)
		return;
	p->ns = ns;
	p->ew = ew;
	if (event_double(event_get(ev, "z"), &p->z) == -1)
		p->z = NAN;
}

void
peers_feed(struct peers *ps, const struct event *ev, int64_t rx_us)
{
	char name[NAME_MAX_BYTES];
	struct peer *p;

	if (ev->type.len < 6 || memcmp(ev->type.p, "share_", 6) != 0 || event_string(ev->character_name, name, sizeof(name)) <= 0)
		return;
	p = get(ps, name);
	if (rx_us < p->seen_us)          /* of before, read while newer ones came */
		return;
	p->seen_us = rx_us;
	p->left = event_value_is(ev->type, "share_goodbye");
	take_vitals(p, ev);
	take_tags(p, event_get(ev, "tags"));
	take_place(p, ev);
}

/* ---- the answer ---- */

static int
by_name(const void *va, const void *vb)
{
	const struct peer *const *a = va, *const *b = vb;

	return strcmp((*a)->name, (*b)->name);
}

static int
write_number(struct buf *out, const char *key, double value, int decimals)
{
	double unit = pow(10, decimals);

	return isnan(value) ? buf_printf(out, ",\"%s\":null", key) : buf_printf(out, ",\"%s\":%.10g", key, round(value * unit) / unit);
}

static int
write_peer(const struct peer *p, int64_t now_us, int first, struct buf *out)
{
	char seen[CLOCK_ISO_SIZE], name[32];
	int64_t age_us = now_us > p->seen_us ? now_us - p->seen_us : 0;
	int i, bad = 0;

	bad |= buf_appends(out, first ? "{\"character_name\":" : ",{\"character_name\":");
	bad |= buf_append_json(out, p->name, strlen(p->name));
	for (i = 0; i < N_VITALS; i++)
		bad |= write_number(out, strcat(strcpy(name, vital_names[i]), "_percentage"), p->percentage[i], 2);
	bad |= write_number(out, "ns", p->ns, 6);
	bad |= write_number(out, "ew", p->ew, 6);
	bad |= write_number(out, "z", p->z, 6);
	clock_format_iso(p->seen_us, seen);
	bad |= buf_printf(out, ",\"last_update\":\"%s\",\"age_s\":%.1f,\"tags\":", seen, (double)age_us / 1e6);
	bad |= buf_appends(out, p->tags != NULL ? p->tags : "[]");
	return bad | buf_append(out, "}", 1);
}

int
peers_write(const struct peers *ps, int64_t now_us, struct buf *out)
{
	const struct peer **sorted = xmalloc((ps->n + 1) * sizeof(struct peer *));
	size_t i, n = 0;
	int bad;

	for (i = 0; i < ps->n; i++)
		if (!ps->peer[i].left && now_us - ps->peer[i].seen_us < PEERS_STALE_US)
			sorted[n++] = &ps->peer[i];
	qsort(sorted, n, sizeof(*sorted), by_name);
	bad = buf_appends(out, "\"peers\":[");
	for (i = 0; i < n && !bad; i++)
		bad |= write_peer(sorted[i], now_us, i == 0, out);
	bad |= buf_printf(out, "],\"peer_count\":%zu", n);
	free(sorted);
	return bad ? -1 : 0;
}
