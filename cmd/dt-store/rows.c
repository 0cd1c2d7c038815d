#include "rows.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "clock/clock.h"
#include "event/event.h"
#include "rare/rare.h"

#define CHARACTER_MAX_BYTES 128
#define THING_MAX_BYTES 256          /* the name of a monster, rare, portal */
#define TAG_MAX_BYTES 128
#define VT_STATE_MAX_BYTES 256
#define ONLINETIME_MAX_BYTES 32
#define ROW_MAX 4096                 /* all of the above twice (escapes), and the numbers */
#define NUMBER_MAX 24                /* longer digits are written anew */
#define DEGREES_MAX 1000.0           /* dungeons lie off the map, but not further */
#define REPLAY_MIN_US 946684800000000       /* 2000-01-01 */

const char *const rows_types[] = { "telemetry", "spawn", "rare", "portal", NULL };

/* An event on its way into a batch. */
struct row {
	const struct rows *rows;
	struct batch *batch;
	const struct event *event;
	uint64_t seq;
	int replay;
	int64_t rx_us;
	int64_t at_us;               /* what the row goes by */
	int64_t own_us;              /* what the totals go by: its own time, TOTALS_NO_TIME when it has no usable one */
	int odd;                     /* enum oddity, -1: none */
	struct character *character;
	int bad;                     /* a number was out of its column's range */
};

struct text { const char *p; size_t len; char room[1024]; };

/* ---- fields ---- */

enum field_id {
#define FIELDS \
	F(ew) F(ns) F(z) F(kills) F(kills_per_hour) F(deaths) F(total_deaths) F(rares_found) F(prismatic_taper_count) F(mem_mb) F(cpu_pct) \
	F(mem_handles) F(latency_ms) F(onlinetime) F(char_tag) F(vt_state) F(session_id) F(mob) F(name) F(portal_name) F(_replay)
#define F(name) FIELD_##name,
	FIELDS
#undef F
	FIELD_COUNT
};
static const struct { const char *name; size_t len; } field_names[FIELD_COUNT] = {
#define F(name) { #name, sizeof #name - 1 },
	FIELDS
#undef F
};

/* Plugins send their fields in one order: where a name was last is where it is looked for first. */
static struct event_value
field(const struct event *e, enum field_id id)
{
	static unsigned hint[FIELD_COUNT];
	unsigned n = e->n_fields < EVENT_FIELDS_MAX ? e->n_fields : EVENT_FIELDS_MAX;
	const char *name = field_names[id].name;
	size_t len = field_names[id].len;

	for (unsigned k = 0, i = hint[id]; k <= n; k++, i = k - 1) {
		const struct event_field *f = &e->field[i];
		if (i < n && f->key_len == len && !f->key_escaped && memcmp(f->key, name, len) == 0) {
			hint[id] = i;
			return f->value;
		}
	}
	return event_get(e, name);
}

static size_t
whole_characters(const char *s, size_t len, size_t max)
{
	if (len <= max)
		return len;
	for (len = max; len > 0 && ((unsigned char)s[len] & 0xc0) == 0x80; len--)
		;
	return len;
}

/* A string's bytes or a number's as they stand; cut at max.  0 when it is neither. */
static int
get_text(struct event_value v, struct text *t, size_t max)
{
	long n;

	t->len = 0;
	if (v.kind == EVENT_NUMBER || (v.kind == EVENT_STRING && !v.escaped)) {
		t->p = v.p;
		t->len = whole_characters(v.p, v.len, max);
		return 1;
	}
	if (v.kind != EVENT_STRING)
		return 0;
	t->p = t->room;
	n = event_string(v, t->room, sizeof t->room);
	if (n < 0)
		return 0;                    /* over 1 kB of escapes: nobody's name or state */
	t->len = whole_characters(t->room, (size_t)n, max);
	return 1;
}

static void
strip(struct text *t)
{
	while (t->len > 0 && *t->p == ' ')
		t->p++, t->len--;
	while (t->len > 0 && t->p[t->len - 1] == ' ')
		t->len--;
}

/* A name: some text without control characters, not too long. */
static int
get_name(struct event_value v, struct text *t, size_t max, enum reason *why)
{
	*why = REASON_NO_NAME;
	if (v.kind != EVENT_STRING)
		return 0;
	*why = REASON_BAD_NAME;
	if (!get_text(v, t, sizeof t->room - 1) || t->len > max)
		return 0;
	strip(t);
	for (size_t i = 0; i < t->len; i++)
		if ((unsigned char)t->p[i] < ' ' || t->p[i] == 0x7f)
			return 0;
	*why = REASON_NO_NAME;
	return t->len > 0;
}

/* ---- columns: each writes its text and a tab ---- */

static char *
put_null(char *p)
{
	memcpy(p, "\\N\t", 3);
	return p + 3;
}

static char *
put_uint(char *p, uint64_t n)
{
	char digits[20];
	int i = 0;

	do
		digits[i++] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	while (i > 0)
		*p++ = digits[--i];
	*p++ = '\t';
	return p;
}

static char *
put_text(char *p, const struct text *t)
{
	p = pg_copy_escape(p, t->p, t->len);
	*p++ = '\t';
	return p;
}

static char *
put_string(char *p, struct event_value v, size_t max)
{
	struct text t;

	return get_text(v, &t, max) ? put_text(p, &t) : put_null(p);
}

static char *
put_time(char *p, int64_t us)
{
	p = pg_copy_time(p, us);
	*p++ = '\t';
	return p;
}

/* Where it cannot be read: one that no double holds. */
static int
is_number(struct event_value v)
{
	return v.kind == EVENT_NUMBER;
}

/* A float4 column.  Digits stand as they were sent where PostgreSQL reads them alike. */
static char *
put_real(struct row *r, char *p, struct event_value v, double limit)
{
	double x;

	if (event_double(v, &x) == -1) {
		r->bad |= is_number(v);
		return put_null(p);
	}
	if (fabs(x) > limit) {
		r->bad = 1;
		return put_null(p);
	}
	if (fabs(x) < 1e-30) {
		*p++ = '0';
	} else if (v.kind == EVENT_NUMBER && v.len <= NUMBER_MAX) {
		memcpy(p, v.p, v.len);
		p += v.len;
	} else {
		p += snprintf(p, NUMBER_MAX, "%.9g", x);
	}
	*p++ = '\t';
	return p;
}

/* An int4 column of a count. */
static char *
put_count(struct row *r, char *p, struct event_value v, int64_t *out)
{
	double x;

	*out = -1;
	if (event_int(v, out) == 0 && *out >= 0 && *out <= INT32_MAX)
		return put_uint(p, (uint64_t)*out);
	*out = -1;
	r->bad |= event_double(v, &x) == 0 || is_number(v);
	return put_null(p);
}

/* ---- time ---- */

static void
believe(struct row *r, int64_t own_us)
{
	int64_t ahead = own_us - r->rx_us;

	r->own_us = own_us;
	if (r->replay ? own_us >= REPLAY_MIN_US && ahead <= DAY_US : ahead >= -LATE_US && ahead <= FUTURE_US) {
		r->at_us = own_us;
		return;
	}
	r->odd = ahead < 0 ? TIME_LATE : TIME_FUTURE;
	if (ahead > DAY_US || own_us < REPLAY_MIN_US)
		r->own_us = TOTALS_NO_TIME;  /* a clock so wrong would hold up the session's totals until it is right */
}

/* Lines of a capture that are not stamped were received when they say, unless that cannot be: then with the one before. */
static int
is_sane(int64_t us)
{
	return us >= REPLAY_MIN_US && us <= clock_wall_us() + DAY_US;
}

/* A row that takes the receive time gets microseconds of its own, so that two of one millisecond are two rows, and the same two when read again. */
static void
set_times(struct row *r)
{
	int64_t own_us;
	int known = event_time(r->event, &own_us) == 0;

	r->odd = -1;
	if (event_rx(r->event, &r->rx_us) == -1)
		r->rx_us = known && is_sane(own_us) ? own_us : r->batch->rx_us > 0 ? r->batch->rx_us : clock_wall_us() / 1000 * 1000;
	r->at_us = r->rx_us + (int64_t)(r->seq % 1000);
	r->own_us = TOTALS_NO_TIME;
	if (known)
		believe(r, own_us);
	else
		r->odd = TIME_UNREADABLE;
}

static int64_t
day_of(int64_t us)
{
	return us / DAY_US - (us % DAY_US < 0);
}

/* ---- names ---- */

static void
save_name(struct batch *b, enum part part, struct name *name)
{
	char *p;

	if (name->saved)
		return;
	name->saved = 1;
	p = batch_row(b, part, 2 * name->len + 32);
	p = put_uint(p, name->id);
	p = pg_copy_escape(p, name->text, name->len);
	*p++ = '\n';
	batch_row_end(b, part, p);
	b->rows--;                           /* rows are those of events */
}

static void
save_session(struct batch *b, struct session *s)
{
	const char *text = s->name.text + sizeof s->name.id;
	size_t len = s->name.len - sizeof s->name.id;
	char *p;

	if (s->name.saved)
		return;
	s->name.saved = 1;
	p = batch_row(b, PART_SESSIONS, 2 * len + 96);
	p = put_uint(p, s->name.id);
	p = put_uint(p, s->character->name.id);
	p = pg_copy_escape(p, text, len);
	*p++ = '\t';
	p = pg_copy_time(p, s->first_us);
	*p++ = '\n';
	batch_row_end(b, PART_SESSIONS, p);
	b->rows--;
}

/* ---- the tables: each returns REASON_COUNT when the row is in, or why not ---- */

static void
count_totals(struct row *r, struct session *s, int64_t kills, int64_t deaths, int64_t total_deaths)
{
	struct character *c = r->character;
	int64_t died = 0;

	if (r->replay && !r->rows->count_replays)
		return;
	if (kills >= 0)
		c->total_kills += totals_step(&s->kills, kills, r->own_us);
	if (deaths >= 0)
		died = totals_step(&s->deaths, deaths, r->own_us);
	if (total_deaths >= 0)
		totals_state(&c->deaths, total_deaths, r->own_us);
	else
		c->deaths.total += died;
	state_touch_session(r->rows->state, s);
}

static struct session *
session_of(struct row *r)
{
	struct state *state = r->rows->state;
	int64_t at_us = r->own_us != TOTALS_NO_TIME ? r->own_us : r->at_us;
	struct session *s;
	struct text t;

	(void)get_text(field(r->event, FIELD_session_id), &t, SESSION_TEXT_MAX);
	s = state_session(state, r->character, t.p, t.len, at_us);
	if (s != NULL && at_us < s->first_us) {
		s->first_us = at_us;
		state_touch_session(state, s);
	}
	return s;
}

static enum reason
add_telemetry(struct row *r)
{
	const struct event *e = r->event;
	int64_t kills, deaths, total_deaths, other;
	struct character *c = r->character;
	enum part part = r->at_us > c->telemetry_us ? PART_TELEMETRY : PART_TELEMETRY_AGAIN;
	char *row = batch_row(r->batch, part, ROW_MAX), *p = row;
	struct event_value ew = field(e, FIELD_ew), ns = field(e, FIELD_ns);
	struct session *s;
	double x;

	if (event_double(ew, &x) == -1)
		return is_number(ew) ? REASON_OUT_OF_RANGE : REASON_NO_POSITION;
	if (event_double(ns, &x) == -1)
		return is_number(ns) ? REASON_OUT_OF_RANGE : REASON_NO_POSITION;
	s = session_of(r);
	if (s == NULL)
		return REASON_TOO_MANY_NAMES;
	p = put_time(p, r->at_us);
	p = put_time(p, r->rx_us);
	p = put_uint(p, c->name.id);
	p = put_uint(p, s->name.id);
	p = put_real(r, p, ew, DEGREES_MAX);
	p = put_real(r, p, ns, DEGREES_MAX);
	p = put_real(r, p, field(e, FIELD_z), 1e30);
	p = put_count(r, p, field(e, FIELD_kills), &kills);
	p = put_real(r, p, field(e, FIELD_kills_per_hour), 1e30);
	p = put_count(r, p, field(e, FIELD_deaths), &deaths);
	p = put_count(r, p, field(e, FIELD_total_deaths), &total_deaths);
	p = put_count(r, p, field(e, FIELD_rares_found), &other);
	p = put_count(r, p, field(e, FIELD_prismatic_taper_count), &other);
	p = put_real(r, p, field(e, FIELD_mem_mb), 1e30);
	p = put_real(r, p, field(e, FIELD_cpu_pct), 1e30);
	p = put_count(r, p, field(e, FIELD_mem_handles), &other);
	p = put_real(r, p, field(e, FIELD_latency_ms), 1e30);
	p = put_string(p, field(e, FIELD_onlinetime), ONLINETIME_MAX_BYTES);
	p = put_string(p, field(e, FIELD_char_tag), TAG_MAX_BYTES);
	p = put_string(p, field(e, FIELD_vt_state), VT_STATE_MAX_BYTES);
	p[-1] = '\n';
	save_name(r->batch, PART_CHARACTERS, &c->name);
	save_session(r->batch, s);
	if (r->bad)
		return REASON_OUT_OF_RANGE;
	batch_row_end(r->batch, part, p);
	(void)days_add(&r->batch->days[SERIES_TELEMETRY], day_of(r->at_us));
	if (part == PART_TELEMETRY)
		c->telemetry_us = r->at_us;
	count_totals(r, s, kills, deaths, total_deaths);
	state_touch_character(r->rows->state, c);
	return REASON_COUNT;
}

static int
get_position(struct row *r, double *ew, double *ns, double *z)
{
	*z = NAN;
	(void)event_double(field(r->event, FIELD_z), z);
	return event_double(field(r->event, FIELD_ew), ew) == 0 && event_double(field(r->event, FIELD_ns), ns) == 0;
}

static char *
put_position(struct row *r, char *p)
{
	p = put_real(r, p, field(r->event, FIELD_ew), DEGREES_MAX);
	p = put_real(r, p, field(r->event, FIELD_ns), DEGREES_MAX);
	return put_real(r, p, field(r->event, FIELD_z), 1e30);
}

/* A pack comes into view all at once: spawns of the newest time are told apart by what they say.  1: surely not there yet. */
static int
spawn_is_new(struct row *r, uint32_t mob, double ew, double ns, double z)
{
	struct character *c = r->character;
	struct { float ew, ns, z; uint32_t mob; } it = { (float)ew, (float)ns, (float)z, mob };
	const unsigned char *bytes = (const unsigned char *)&it;
	uint64_t key = 0xcbf29ce484222325u;

	for (size_t i = 0; i < sizeof it; i++)
		key = (key ^ bytes[i]) * 0x100000001b3u;
	if (r->at_us > c->spawn_us) {
		c->spawn_us = r->at_us;
		c->n_spawn_keys = 0;
	} else if (r->at_us < c->spawn_us || c->n_spawn_keys == 0 || c->n_spawn_keys == SPAWN_KEYS) {
		return 0;
	}
	for (unsigned i = 0; i < c->n_spawn_keys; i++)
		if (c->spawn_key[i] == key)
			return 0;
	c->spawn_key[c->n_spawn_keys++] = key;
	return 1;
}

static enum reason
add_spawn(struct row *r)
{
	struct name *mob;
	struct text name;
	enum reason why;
	enum part part;
	double ew, ns, z;
	char room[256], *p;

	if (!get_name(field(r->event, FIELD_mob), &name, THING_MAX_BYTES, &why))
		return why;
	if (!get_position(r, &ew, &ns, &z))
		return REASON_NO_POSITION;
	p = put_position(r, room);
	if (r->bad)
		return REASON_OUT_OF_RANGE;
	mob = state_mob(r->rows->state, name.p, name.len);
	if (mob == NULL)
		return REASON_TOO_MANY_NAMES;
	save_name(r->batch, PART_CHARACTERS, &r->character->name);
	save_name(r->batch, PART_MOBS, mob);
	part = spawn_is_new(r, mob->id, ew, ns, z) ? PART_SPAWNS : PART_SPAWNS_AGAIN;
	{
		size_t len = (size_t)(p - room);
		char *row = batch_row(r->batch, part, 512);
		row = put_time(row, r->at_us);
		row = put_uint(row, r->character->name.id);
		row = put_uint(row, mob->id);
		memcpy(row, room, len);
		row[len - 1] = '\n';
		batch_row_end(r->batch, part, row + len);
	}
	(void)days_add(&r->batch->days[SERIES_SPAWNS], day_of(r->at_us));
	state_touch_character(r->rows->state, r->character);
	return REASON_COUNT;
}

static enum reason
add_rare(struct row *r)
{
	int64_t own_us = r->own_us != TOTALS_NO_TIME ? r->own_us : r->at_us;
	const char *tier;
	struct text name;
	enum reason why;
	char *p;

	if (!get_name(field(r->event, FIELD_name), &name, THING_MAX_BYTES, &why))
		return why;
	tier = rare_tier(name.p, name.len);
	save_name(r->batch, PART_CHARACTERS, &r->character->name);
	p = batch_row(r->batch, PART_RARES, ROW_MAX);
	p = put_time(p, r->at_us);
	p = put_uint(p, (uint64_t)(own_us > 0 ? own_us / 1000000 : 0));
	p = put_uint(p, r->character->name.id);
	p = put_text(p, &name);
	p += sprintf(p, "%s\t", tier);
	p = put_position(r, p);
	*p++ = r->replay && !r->rows->count_replays ? 'f' : 't';
	*p++ = '\n';
	if (r->bad)
		return REASON_OUT_OF_RANGE;
	batch_row_end(r->batch, PART_RARES, p);
	return REASON_COUNT;
}

static char *
put_tenths(char *p, double degrees)
{
	return p + sprintf(p, "%ld\t", lround(degrees * 10));
}

static enum reason
add_portal(struct row *r)
{
	double ew, ns, z;
	struct text name;
	enum reason why;
	char *p;

	if (!get_name(field(r->event, FIELD_portal_name), &name, THING_MAX_BYTES, &why))
		return why;
	if (!get_position(r, &ew, &ns, &z))
		return REASON_NO_POSITION;
	if (fabs(ew) > DEGREES_MAX || fabs(ns) > DEGREES_MAX)
		return REASON_OUT_OF_RANGE;
	save_name(r->batch, PART_CHARACTERS, &r->character->name);
	p = batch_row(r->batch, PART_PORTALS, ROW_MAX);
	p = put_tenths(p, ns);
	p = put_tenths(p, ew);
	p = put_text(p, &name);
	p = put_real(r, p, field(r->event, FIELD_ns), DEGREES_MAX);
	p = put_real(r, p, field(r->event, FIELD_ew), DEGREES_MAX);
	p = put_real(r, p, field(r->event, FIELD_z), 1e30);
	p = put_time(p, r->at_us);
	p = put_uint(p, r->character->name.id);
	p[-1] = '\n';
	if (r->bad)
		return REASON_OUT_OF_RANGE;
	batch_row_end(r->batch, PART_PORTALS, p);
	return REASON_COUNT;
}

/* ---- */

typedef enum reason add_f(struct row *);

static add_f *
adder(const struct event *e)
{
	static add_f *const adders[] = { add_telemetry, add_spawn, add_rare, add_portal };

	for (size_t i = 0; rows_types[i] != NULL; i++)
		if (event_value_is(e->type, rows_types[i]))
			return adders[i];
	return NULL;
}

/* Names that begin with _ are rare beyond the two of the stamp. */
static int
is_replay(const struct event *e)
{
	unsigned stamp = e->reserved >= 2 && e->field[0].key_len == 4 && memcmp(e->field[0].key, "_seq", 4) == 0 ? 2 : 0;
	int on;

	return e->reserved > stamp && event_bool(field(e, FIELD__replay), &on) == 0 && on;
}

static enum reason
add(struct row *r, add_f *f)
{
	struct text name;
	enum reason why;

	if (r->event->character_name.kind == EVENT_ABSENT)
		return REASON_NO_CHARACTER;
	if (!get_name(r->event->character_name, &name, CHARACTER_MAX_BYTES, &why))
		return why == REASON_NO_NAME ? REASON_NO_CHARACTER : why;
	r->character = state_character(r->rows->state, name.p, name.len);
	return r->character ? f(r) : REASON_TOO_MANY_NAMES;
}

void
rows_add(const struct rows *rows, struct batch *b, uint64_t seq, const char *line, size_t len, const char *poisoned)
{
	struct event e;
	struct row r = { .rows = rows, .batch = b, .event = &e, .seq = seq };
	enum event_error error = event_scan(line, len, &e);
	enum reason why;
	add_f *f;

	b->events++;
	b->to = seq;
	if (error != EVENT_OK) {
		batch_dead_letter(b, seq, clock_wall_us(), REASON_NOT_EVENT, event_error_word(error), line, len);
		return;
	}
	f = adder(&e);
	if (f == NULL)
		return;
	r.replay = is_replay(&e);
	set_times(&r);
	b->rx_us = r.rx_us;
	why = poisoned ? REASON_DATABASE : add(&r, f);
	if (why != REASON_COUNT)
		batch_dead_letter(b, seq, r.rx_us, why, poisoned ? poisoned : "", line, len);
	else if (r.odd >= 0)
		b->times[r.odd]++;
}
