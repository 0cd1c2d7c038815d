/* An event becomes a row of its table, with the numbers of its names, the time it goes by and its share of the totals. */
#include "telemetry.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "binary.h"
#include "column.h"
#include "event/event.h"
#include "intake.h"
#include "rare/rare.h"

#define THING_MAX_BYTES 256          /* the name of a monster, rare, portal */
#define TAG_MAX_BYTES 128
#define VT_STATE_MAX_BYTES 256
#define ONLINETIME_MAX_BYTES 32
#define ROW_MAX 4096                 /* all of the above twice (escapes), and the numbers */
#define REAL_MAX 1e30
#define TELEMETRY_COLUMNS 20         /* of 002_telemetry.sql, in its order */
#define SPAWN_COLUMNS 6

/* An event on its way into a batch. */
struct row {
	struct telemetry *t;
	struct batch *batch;
	const struct incoming *in;
	const struct event *event;
	struct character *character;
	int bad;                     /* a number was out of its column's range */
};

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

static int64_t
day_of(int64_t us)
{
	return us / DAY_US - (us % DAY_US < 0);
}

/* ---- the tables: each returns REASON_COUNT when the row is in, or why not ---- */

static void
count_totals(struct row *r, struct session *s, int64_t kills, int64_t deaths, int64_t total_deaths)
{
	struct character *c = r->character;
	int64_t killed = 0, died = 0;

	if (kills >= 0)
		killed = totals_step(&s->kills, kills, r->in->own_us);
	if (deaths >= 0)
		died = totals_step(&s->deaths, deaths, r->in->own_us);
	c->total_kills += killed;
	s->kills_sum += killed;
	s->deaths_sum += died;
	if (total_deaths >= 0)
		totals_state(&c->deaths, total_deaths, r->in->own_us);
	else
		c->deaths.total += died;
	state_touch_session(&r->t->state, s);
}

/* What is newest goes by its own time, as totals do. */
static void
note_newest(struct row *r, const struct session *s, int64_t tapers)
{
	int64_t at_us = r->in->own_us != TOTALS_NO_TIME ? r->in->own_us : r->in->at_us;
	struct character *c = r->character;

	if (at_us >= c->current_us) {
		c->current_us = at_us;
		c->current = s->name.id;
	}
	if (tapers >= 0 && at_us >= c->tapers_us) {
		c->tapers_us = at_us;
		c->tapers = tapers;
	}
}

/* A row that is surely new, at this place of its part. */
static void
sum_up(struct row *r, int64_t kills, size_t at, size_t len)
{
	static const enum field_id fields[ROLLUP_MEANS] = { FIELD_kills_per_hour, FIELD_mem_mb, FIELD_cpu_pct, FIELD_mem_handles, FIELD_latency_ms };
	struct telemetry_batch *own = r->batch->own;
	double mean[ROLLUP_MEANS];

	for (int i = 0; i < ROLLUP_MEANS; i++)
		if (event_double(field(r->event, fields[i]), &mean[i]) == -1)
			mean[i] = NAN;
	rollup_add_row(&own->rollup, r->in->at_us, r->character->name.id, kills, mean, at, len);
}

static enum reason
add_telemetry(struct row *r)
{
	const struct event *e = r->event;
	int64_t kills, deaths, total_deaths, tapers, other;
	struct character *c = r->character;
	int part = r->in->at_us > c->telemetry_us ? PART_TELEMETRY : PART_TELEMETRY_AGAIN;
	char *row = batch_row(r->batch, part, ROW_MAX), *p = row;
	struct event_value ew = field(e, FIELD_ew), ns = field(e, FIELD_ns);
	struct session *s;
	size_t at;
	double x;

	if (event_double(ew, &x) == -1)
		return ew.kind == EVENT_NUMBER ? REASON_OUT_OF_RANGE : REASON_NO_POSITION;
	if (event_double(ns, &x) == -1)
		return ns.kind == EVENT_NUMBER ? REASON_OUT_OF_RANGE : REASON_NO_POSITION;
	s = telemetry_session(r->t, c, r->in, field(e, FIELD_session_id));
	if (s == NULL)
		return REASON_TOO_MANY_NAMES;
	p = bin_row(p, TELEMETRY_COLUMNS);
	p = bin_time(p, r->in->at_us);
	p = bin_time(p, r->in->rx_us);
	p = bin_int(p, c->name.id);
	p = bin_int(p, s->name.id);
	p = bin_real(p, ew, DEGREES_MAX, &r->bad);
	p = bin_real(p, ns, DEGREES_MAX, &r->bad);
	p = bin_real(p, field(e, FIELD_z), REAL_MAX, &r->bad);
	p = bin_count(p, field(e, FIELD_kills), &kills, &r->bad);
	p = bin_real(p, field(e, FIELD_kills_per_hour), REAL_MAX, &r->bad);
	p = bin_count(p, field(e, FIELD_deaths), &deaths, &r->bad);
	p = bin_count(p, field(e, FIELD_total_deaths), &total_deaths, &r->bad);
	p = bin_count(p, field(e, FIELD_rares_found), &other, &r->bad);
	p = bin_count(p, field(e, FIELD_prismatic_taper_count), &tapers, &r->bad);
	p = bin_real(p, field(e, FIELD_mem_mb), REAL_MAX, &r->bad);
	p = bin_real(p, field(e, FIELD_cpu_pct), REAL_MAX, &r->bad);
	p = bin_count(p, field(e, FIELD_mem_handles), &other, &r->bad);
	p = bin_real(p, field(e, FIELD_latency_ms), REAL_MAX, &r->bad);
	p = bin_text(p, field(e, FIELD_onlinetime), ONLINETIME_MAX_BYTES);
	p = bin_text(p, field(e, FIELD_char_tag), TAG_MAX_BYTES);
	p = bin_text(p, field(e, FIELD_vt_state), VT_STATE_MAX_BYTES);
	telemetry_save_character(r->batch, c);
	telemetry_save_session(r->batch, s);
	if (r->bad)
		return REASON_OUT_OF_RANGE;
	at = buf_size(&r->batch->set[part].buf);
	batch_row_end(r->batch, part, p);
	(void)days_add(&((struct telemetry_batch *)r->batch->own)->days[SERIES_TELEMETRY], day_of(r->in->at_us));
	if (part == PART_TELEMETRY) {
		c->telemetry_us = r->in->at_us;
		sum_up(r, kills, at, (size_t)(p - row));
	}
	if (!r->in->replay || r->t->count_replays) {
		count_totals(r, s, kills, deaths, total_deaths);
		note_newest(r, s, tapers);
	}
	state_touch_character(&r->t->state, c);
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
	p = put_real(p, field(r->event, FIELD_ew), DEGREES_MAX, &r->bad);
	p = put_real(p, field(r->event, FIELD_ns), DEGREES_MAX, &r->bad);
	return put_real(p, field(r->event, FIELD_z), REAL_MAX, &r->bad);
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
	if (r->in->at_us > c->spawn_us) {
		c->spawn_us = r->in->at_us;
		c->n_spawn_keys = 0;
	} else if (r->in->at_us < c->spawn_us || c->n_spawn_keys == 0 || c->n_spawn_keys == SPAWN_KEYS) {
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
	struct telemetry_batch *own = r->batch->own;
	struct name *mob;
	struct text name;
	enum reason why;
	int part;
	double ew, ns, z;
	char room[64], *p;

	if (!text_get_name(field(r->event, FIELD_mob), &name, THING_MAX_BYTES, &why))
		return why;
	if (!get_position(r, &ew, &ns, &z))
		return REASON_NO_POSITION;
	p = bin_real(room, field(r->event, FIELD_ew), DEGREES_MAX, &r->bad);
	p = bin_real(p, field(r->event, FIELD_ns), DEGREES_MAX, &r->bad);
	p = bin_real(p, field(r->event, FIELD_z), REAL_MAX, &r->bad);
	if (r->bad)
		return REASON_OUT_OF_RANGE;
	mob = state_mob(&r->t->state, name.p, name.len);
	if (mob == NULL)
		return REASON_TOO_MANY_NAMES;
	telemetry_save_character(r->batch, r->character);
	telemetry_save_mob(r->batch, mob);
	part = spawn_is_new(r, mob->id, ew, ns, z) ? PART_SPAWNS : PART_SPAWNS_AGAIN;
	{
		size_t len = (size_t)(p - room);
		char *row = bin_row(batch_row(r->batch, part, 128), SPAWN_COLUMNS);
		row = bin_time(row, r->in->at_us);
		row = bin_int(row, r->character->name.id);
		row = bin_int(row, mob->id);
		memcpy(row, room, len);
		batch_row_end(r->batch, part, row + len);
	}
	(void)days_add(&own->days[SERIES_SPAWNS], day_of(r->in->at_us));
	if (part == PART_SPAWNS)
		rollup_add_spawn(&own->rollup, r->in->at_us, mob->id, ew, ns);
	state_touch_character(&r->t->state, r->character);
	return REASON_COUNT;
}

static enum reason
add_rare(struct row *r)
{
	int64_t own_us = r->in->own_us != TOTALS_NO_TIME ? r->in->own_us : r->in->at_us;
	const char *tier;
	struct text name;
	enum reason why;
	char *p;

	if (!text_get_name(field(r->event, FIELD_name), &name, THING_MAX_BYTES, &why))
		return why;
	tier = rare_tier(name.p, name.len);
	telemetry_save_character(r->batch, r->character);
	p = batch_row(r->batch, PART_RARES, ROW_MAX);
	p = put_time(p, r->in->at_us);
	p = put_uint(p, (uint64_t)(own_us > 0 ? own_us / 1000000 : 0));
	p = put_uint(p, r->character->name.id);
	p = put_text(p, &name);
	p += sprintf(p, "%s\t", tier);
	p = put_position(r, p);
	*p++ = r->in->replay && !r->t->count_replays ? 'f' : 't';
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

	if (!text_get_name(field(r->event, FIELD_portal_name), &name, THING_MAX_BYTES, &why))
		return why;
	if (!get_position(r, &ew, &ns, &z))
		return REASON_NO_POSITION;
	if (fabs(ew) > DEGREES_MAX || fabs(ns) > DEGREES_MAX)
		return REASON_OUT_OF_RANGE;
	telemetry_save_character(r->batch, r->character);
	p = batch_row(r->batch, PART_PORTALS, ROW_MAX);
	p = put_tenths(p, ns);
	p = put_tenths(p, ew);
	p = put_text(p, &name);
	p = put_real(p, field(r->event, FIELD_ns), DEGREES_MAX, &r->bad);
	p = put_real(p, field(r->event, FIELD_ew), DEGREES_MAX, &r->bad);
	p = put_real(p, field(r->event, FIELD_z), REAL_MAX, &r->bad);
	p = put_time(p, r->in->at_us);
	p = put_uint(p, r->character->name.id);
	p[-1] = '\n';
	if (r->bad)
		return REASON_OUT_OF_RANGE;
	batch_row_end(r->batch, PART_PORTALS, p);
	return REASON_COUNT;
}

/* ---- the kinds ---- */

static enum reason
add(void *state, struct batch *b, const struct incoming *in, enum reason (*f)(struct row *))
{
	struct row r = { .t = state, .batch = b, .in = in, .event = in->event };
	enum reason why;

	r.character = telemetry_character(r.t, in->event, &why);
	return r.character ? f(&r) : why;
}

enum reason
rows_add_telemetry(void *state, struct batch *b, const struct incoming *in)
{
	return add(state, b, in, add_telemetry);
}

enum reason
rows_add_spawn(void *state, struct batch *b, const struct incoming *in)
{
	return add(state, b, in, add_spawn);
}

enum reason
rows_add_rare(void *state, struct batch *b, const struct incoming *in)
{
	return add(state, b, in, add_rare);
}

enum reason
rows_add_portal(void *state, struct batch *b, const struct incoming *in)
{
	return add(state, b, in, add_portal);
}
