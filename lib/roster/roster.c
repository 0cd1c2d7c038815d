#include "roster/roster.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clock/clock.h"
#include "mem/mem.h"
#include "roster/portals.h"
#include "roster/trail.h"

#define NAME_MAX_BYTES 128
#define TEXT_MAX (64 << 10)          /* a telemetry or vitals event beyond this is no such thing */
#define SECOND_US INT64_C(1000000)
#define SAME_SILENCE_US (15 * SECOND_US)     /* a player_offline of an earlier silence is older than that */

/* Names of members that /live adds: ours win, so that no name comes twice. */
static const char *const added[] = { "last_seen", "age_s", "online", "vitals" };

struct character {
	char *name;
	uint64_t hash;
	char *telemetry, *vitals;        /* members as sent, without braces; NULL: none yet */
	size_t telemetry_len, vitals_len;
	int64_t seen_us;                 /* of the last telemetry */
	int64_t heard_us, vitals_us;     /* of anything; of the last vitals */
	int offline_told;
	struct trail trail;
};

struct roster {
	struct roster_config config;
	struct character *character;     /* in no order */
	size_t n;
	uint32_t *slot;                  /* open addressing: index + 1 of a character, 0 free */
	size_t slots;                    /* a power of two over twice max_characters */
	struct portals portals;
	struct buf scratch;
};

struct roster *
roster_new(const struct roster_config *config)
{
	struct roster *r = xcalloc(1, sizeof(*r));

	r->config = *config;
	for (r->slots = 16; r->slots < config->max_characters * 2; r->slots *= 2)
		;
	r->character = xcalloc(config->max_characters, sizeof(*r->character));
	r->slot = xcalloc(r->slots, sizeof(*r->slot));
	r->portals.max = config->max_portals;
	buf_init(&r->scratch, TEXT_MAX);
	return r;
}

static void
character_fini(struct character *c)
{
	free(c->name);
	free(c->telemetry);
	free(c->vitals);
	trail_fini(&c->trail);
}

void
roster_free(struct roster **rp)
{
	struct roster *r = *rp;
	size_t i;

	if (r == NULL)
		return;
	for (i = 0; i < r->n; i++)
		character_fini(&r->character[i]);
	portals_fini(&r->portals);
	buf_fini(&r->scratch);
	free(r->character);
	free(r->slot);
	free(r);
	*rp = NULL;
}

/* ---- characters by name ---- */

static uint64_t
hash_name(const char *name)
{
	uint64_t h = 14695981039346656037u;

	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * 1099511628211u;
	return h ^ h >> 29;
}

static size_t
slot_of(const struct roster *r, const char *name, uint64_t hash)
{
	size_t at = hash & (r->slots - 1);

	for (; r->slot[at] != 0; at = (at + 1) & (r->slots - 1)) {
		const struct character *c = &r->character[r->slot[at] - 1];

		if (c->hash == hash && strcmp(c->name, name) == 0)
			break;
	}
	return at;
}

static void
index_again(struct roster *r)
{
	size_t i;

	memset(r->slot, 0, r->slots * sizeof(*r->slot));
	for (i = 0; i < r->n; i++)
		r->slot[slot_of(r, r->character[i].name, r->character[i].hash)] = (uint32_t)i + 1;
}

static void
forget_most_silent(struct roster *r)
{
	size_t i, found = 0;

	for (i = 1; i < r->n; i++)
		if (r->character[i].heard_us < r->character[found].heard_us)
			found = i;
	character_fini(&r->character[found]);
	r->character[found] = r->character[--r->n];
	index_again(r);
}

static struct character *
character_get(struct roster *r, const char *name)
{
	uint64_t hash = hash_name(name);
	size_t at = slot_of(r, name, hash);
	struct character *c;

	if (r->slot[at] != 0)
		return &r->character[r->slot[at] - 1];
	if (r->n == r->config.max_characters) {
		forget_most_silent(r);
		at = slot_of(r, name, hash);
	}
	c = &r->character[r->n++];
	*c = (struct character){ .name = xstrdup(name), .hash = hash };
	r->slot[at] = (uint32_t)r->n;
	return c;
}

/* ---- feeding ---- */

static int
is_replay(const struct event *ev)
{
	int replay = 0;

	return event_bool(event_get(ev, "_replay"), &replay) == 0 && replay;
}

int64_t
roster_event_time(const struct event *ev, int64_t rx_us)
{
	int64_t us;

	if (event_time(ev, &us) == -1)
		return rx_us;
	if (is_replay(ev))
		return us;
	return us < rx_us - 86400 * SECOND_US || us > rx_us + 300 * SECOND_US ? rx_us : us;
}

static int
is_added(const char *key, size_t len)
{
	size_t i;

	for (i = 0; i < sizeof(added) / sizeof(added[0]); i++)
		if (strlen(added[i]) == len && memcmp(added[i], key, len) == 0)
			return 1;
	return 0;
}

static int
append_member(struct buf *b, struct event_value key, struct event_value value)
{
	int bad = 0;

	if (buf_size(b) > 0)
		bad |= buf_append(b, ",", 1);
	bad |= buf_append(b, "\"", 1);
	bad |= buf_append(b, key.p, key.len);
	bad |= buf_append(b, value.kind == EVENT_STRING ? "\":\"" : "\":", value.kind == EVENT_STRING ? 3 : 2);
	bad |= buf_append(b, value.p, value.len);
	if (value.kind == EVENT_STRING)
		bad |= buf_append(b, "\"", 1);
	return bad;
}

/* The event's members as sent, but for ours. */
static int
members_of(const struct event *ev, struct buf *out)
{
	struct event_value whole = { .p = ev->line, .len = (uint32_t)ev->len, .kind = EVENT_OBJECT }, key, value;
	size_t at = 0;

	buf_clear(out);
	while (event_next(whole, &at, &key, &value))
		if ((key.len == 0 || key.p[0] != '_') && !is_added(key.p, key.len) && append_member(out, key, value))
			return -1;
	return 0;
}

static void
keep_text(char **text, size_t *len, struct buf *b)
{
	size_t n = buf_size(b);

	/* Realloc only when the size class changes: telemetry of one character is always about as long. */
	if (*text == NULL || *len / 64 != n / 64)
		*text = xrealloc(*text, (n / 64 + 1) * 64);
	memcpy(*text, buf_data(b), n);
	*len = n;
}

static void
add_to_trail(struct roster *r, struct character *c, const struct event *ev, int64_t rx_us)
{
	struct trail_point p = { .us = roster_event_time(ev, rx_us) };
	double z;

	if (event_double(event_get(ev, "ew"), &p.ew) == -1 || event_double(event_get(ev, "ns"), &p.ns) == -1)
		return;
	p.z = event_double(event_get(ev, "z"), &z) == 0 ? (float)z : NAN;
	if (p.us >= rx_us - r->config.trail_us)
		trail_add(&c->trail, p, r->config.trail_points, r->config.trail_us);
}

static void
feed_telemetry(struct roster *r, struct character *c, const struct event *ev, int64_t rx_us)
{
	add_to_trail(r, c, ev, rx_us);
	if (rx_us < c->seen_us || members_of(ev, &r->scratch) == -1)
		return;
	keep_text(&c->telemetry, &c->telemetry_len, &r->scratch);
	c->seen_us = rx_us;
	c->offline_told = is_replay(ev);         /* who is only replayed leaves without a word */
}

/* Somebody has told it, perhaps we before a restart. */
static void
feed_offline(struct roster *r, const char *name, const struct event *ev)
{
	struct event_value v = event_get(ev, "last_seen");
	size_t at = slot_of(r, name, hash_name(name));
	struct character *c;
	int64_t us;

	if (r->slot[at] == 0 || v.kind != EVENT_STRING || clock_parse_iso(v.p, v.len, &us) == -1)
		return;
	c = &r->character[r->slot[at] - 1];
	if (us > c->seen_us - SAME_SILENCE_US)
		c->offline_told = 1;
}

void
roster_feed(struct roster *r, const struct event *ev, int64_t rx_us)
{
	int telemetry = event_value_is(ev->type, "telemetry"), vitals = event_value_is(ev->type, "vitals");
	int portal = event_value_is(ev->type, "portal"), offline = event_value_is(ev->type, "player_offline");
	char name[NAME_MAX_BYTES];
	struct character *c;

	if (!(telemetry || vitals || portal || offline) || ev->len > TEXT_MAX || event_string(ev->character_name, name, sizeof(name)) <= 0)
		return;
	if (offline) {
		feed_offline(r, name, ev);
		return;
	}
	if (portal) {
		portals_feed(&r->portals, ev, name, roster_event_time(ev, rx_us), rx_us);
		return;
	}
	c = character_get(r, name);
	if (rx_us > c->heard_us)
		c->heard_us = rx_us;
	if (telemetry)
		feed_telemetry(r, c, ev, rx_us);
	else if (rx_us >= c->vitals_us && members_of(ev, &r->scratch) == 0) {
		keep_text(&c->vitals, &c->vitals_len, &r->scratch);
		c->vitals_us = rx_us;
	}
}

void
roster_expire(struct roster *r, int64_t now_us, roster_offline_f *f, void *priv)
{
	size_t i;

	for (i = 0; i < r->n; i++) {
		struct character *c = &r->character[i];

		trail_trim(&c->trail, now_us - r->config.trail_us);
		if (c->telemetry == NULL || c->offline_told || now_us - c->seen_us < r->config.offline_us)
			continue;
		c->offline_told = 1;
		if (f != NULL)
			f(priv, c->name, c->seen_us);
	}
	portals_expire(&r->portals, now_us - r->config.portal_us);
}

/* ---- answers ---- */

size_t
roster_characters(const struct roster *r)
{
	return r->n;
}

static int
is_seen(const struct character *c, int64_t since_us)
{
	return c->telemetry != NULL && c->seen_us > since_us;
}

size_t
roster_online(const struct roster *r, int64_t now_us)
{
	size_t i, n = 0;

	for (i = 0; i < r->n; i++)
		n += is_seen(&r->character[i], now_us - r->config.offline_us);
	return n;
}

static int
by_name(const void *va, const void *vb)
{
	const struct character *const *a = va, *const *b = vb;

	return strcmp((*a)->name, (*b)->name);
}

static int
write_player(const struct roster *r, const struct character *c, int64_t now_us, int first, struct buf *out)
{
	char seen[CLOCK_ISO_SIZE];
	int64_t age_us = now_us > c->seen_us ? now_us - c->seen_us : 0;
	int bad = 0;

	clock_format_iso(c->seen_us, seen);
	bad |= buf_appends(out, first ? "{" : ",{");
	bad |= buf_append(out, c->telemetry, c->telemetry_len);
	bad |= buf_printf(out, ",\"last_seen\":\"%s\",\"age_s\":%.1f,\"online\":%s", seen, (double)age_us / SECOND_US,
	    age_us < r->config.offline_us ? "true" : "false");
	if (c->vitals != NULL) {
		bad |= buf_appends(out, ",\"vitals\":{");
		bad |= buf_append(out, c->vitals, c->vitals_len);
		bad |= buf_append(out, "}", 1);
	}
	return bad | buf_append(out, "}", 1);
}

int
roster_write_players(const struct roster *r, int64_t now_us, int64_t within_us, struct buf *out)
{
	const struct character **sorted = xmalloc((r->n + 1) * sizeof(struct character *));
	size_t i, n = 0;
	int bad;

	for (i = 0; i < r->n; i++)
		if (is_seen(&r->character[i], now_us - within_us))
			sorted[n++] = &r->character[i];
	qsort(sorted, n, sizeof(*sorted), by_name);
	bad = buf_appends(out, "\"players\":[");
	for (i = 0; i < n && !bad; i++)
		bad |= write_player(r, sorted[i], now_us, i == 0, out);
	bad |= buf_printf(out, "],\"count\":%zu", n);
	free(sorted);
	return bad ? -1 : 0;
}

int
roster_write_portals(const struct roster *r, int64_t now_us, struct buf *out)
{
	return portals_write(&r->portals, now_us - r->config.portal_us, out);
}

/* ---- trails: the characters' points merged by time ---- */

struct leg {
	const struct character *c;
	unsigned at, end;
};

static int64_t
leg_us(const struct leg *l)
{
	return l->c->trail.point[l->at].us;
}

static void
sift_down(struct leg *heap, size_t n, size_t i)
{
	for (;;) {
		size_t least = i, left = 2 * i + 1, right = left + 1;
		struct leg swap;

		if (left < n && leg_us(&heap[left]) < leg_us(&heap[least]))
			least = left;
		if (right < n && leg_us(&heap[right]) < leg_us(&heap[least]))
			least = right;
		if (least == i)
			return;
		swap = heap[i];
		heap[i] = heap[least];
		heap[least] = swap;
		i = least;
	}
}

static struct leg
leg_of(const struct character *c, int64_t from_us, int64_t to_us)
{
	const struct trail *t = &c->trail;
	struct leg l = { c, 0, t->n };

	while (l.at < l.end && t->point[l.at].us < from_us)
		l.at++;
	while (l.end > l.at && t->point[l.end - 1].us >= to_us)
		l.end--;
	return l;
}

static int
write_point(const char *name, const struct trail_point *p, int first, struct buf *out)
{
	char iso[CLOCK_ISO_SIZE];
	int bad = 0;

	clock_format_iso(p->us, iso);
	bad |= buf_appends(out, first ? "{\"character_name\":" : ",{\"character_name\":");
	bad |= buf_append_json(out, name, strlen(name));
	bad |= buf_appends(out, ",\"timestamp\":\"");
	bad |= buf_appends(out, iso);
	bad |= buf_appends(out, "\",\"ew\":");
	bad |= buf_append_decimal(out, p->ew, 7);
	bad |= buf_appends(out, ",\"ns\":");
	bad |= buf_append_decimal(out, p->ns, 7);
	bad |= buf_appends(out, ",\"z\":");
	bad |= isnan(p->z) ? buf_appends(out, "null") : buf_append_decimal(out, p->z, fabsf(p->z) < 64 ? 5 : 3);
	return bad | buf_appends(out, "}");
}

int
roster_write_trails(const struct roster *r, int64_t from_us, int64_t to_us, const char *character, struct buf *out)
{
	struct leg *heap = xmalloc((r->n + 1) * sizeof(*heap));
	size_t i, n = 0;
	int bad = 0, first = 1;

	for (i = 0; i < r->n; i++) {
		if (character != NULL && strcmp(character, r->character[i].name) != 0)
			continue;
		heap[n] = leg_of(&r->character[i], from_us, to_us);
		n += heap[n].at < heap[n].end;
	}
	for (i = n; i-- > 0; )
		sift_down(heap, n, i);
	while (n > 0 && !bad) {
		bad |= write_point(heap->c->name, &heap->c->trail.point[heap->at], first, out);
		first = 0;
		if (++heap->at == heap->end)
			heap[0] = heap[--n];
		sift_down(heap, n, 0);
	}
	free(heap);
	return bad ? -1 : 0;
}
