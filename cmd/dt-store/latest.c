/* What only the newest is kept of: character_stats, quests, worn equipment, dungeon maps, the server's state. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "clock/clock.h"
#include "column.h"
#include "countdown/countdown.h"
#include "geo/geo.h"
#include "telemetry.h"

#define QUEST_MAX_BYTES 256
#define COUNTDOWN_MAX_BYTES 64
#define SERVER_MAX_BYTES 128
#define WORDS_MAX 256                /* the numbers of a row and its times */

/* ---- pieces of rows: text and a tab ---- */

/* The event as it was sent, without the names that are the stream's own. */
static char *
put_event(char *p, const struct event *e)
{
	size_t room = e->len + 1;            /* written behind what its escapes may take, then copied forward */
	char *raw = p + 2 * room;

	p = pg_copy_escape(p, raw, event_write(e, EVENT_STRIP_RESERVED, raw));
	*p++ = '\t';
	return p;
}

static char *
put_int_or_null(char *p, struct event_value v, int64_t min, int64_t max)
{
	int64_t n;

	if (event_int(v, &n) == -1 || n < min || n > max)
		return put_null(p);
	return p + sprintf(p, "%" PRId64 "\t", n);
}

static char *
put_times(char *p, const struct incoming *in)
{
	return put_time(put_time(p, in->at_us), in->rx_us);
}

static void
end_row(struct batch *b, int part, char *p, const struct incoming *in)
{
	p = put_uint(p, in->seq);
	p[-1] = '\n';
	batch_row_end(b, part, p);
}

/* Room for a row that holds the event. */
static char *
row_of(struct batch *b, int part, const struct event *e, size_t more)
{
	return batch_row(b, part, 3 * (e->len + 1) + more);
}

static enum reason
bad_shape(struct batch *b, const char *detail)
{
	b->detail = detail;
	return REASON_BAD_SHAPE;
}

/* ---- character_stats ---- */

static const char *const of_allegiance[] = { "monarch", "patron", "vassals" };

static int
is_one_of(struct event_value key, const char *const *words)
{
	for (; *words != NULL; words++)
		if (event_value_is(key, *words))
			return 1;
	return 0;
}

/* Does it say nothing but who it is about?  Then nothing that is missing is gone. */
static int
is_stub(const struct event *e)
{
	static const char *const who[] = { "type", "character_name", "timestamp", "name", "server", "version", "key", "session_id", NULL };
	struct event_value key, value;
	size_t at = 0;

	while (event_next(event_body(e), &at, &key, &value))
		if (!(key.len > 0 && key.p[0] == '_') && !is_one_of(key, who))
			return 0;
	return 1;
}

static int
is_known_bad(const struct event *e, const char *name)
{
	return strcmp(name, "patron") == 0 && event_value_is(event_object_get(event_get(e, name), "name"), "??");
}

static int
is_there(const struct event *e, const char *name)
{
	struct event_value v = event_get(e, name);

	return v.kind != EVENT_ABSENT && v.kind != EVENT_NULL;
}

static char *
put_word(char *p, const char *word, int *n)
{
	return p + sprintf(p, "%s%s", (*n)++ ? "," : "", word);
}

/* Keys of the event that are not taken: nulls that say "none", and a patron that is known to be wrong. */
static char *
put_skipped(char *p, const struct event *e)
{
	int n = 0;

	*p++ = '{';
	for (size_t i = 0; i < 3; i++)
		if (event_get(e, of_allegiance[i]).kind == EVENT_NULL || is_known_bad(e, of_allegiance[i]))
			p = put_word(p, of_allegiance[i], &n);
	memcpy(p, "}\t", 2);
	return p + 2;
}

/* Stored keys that go: an allegiance that the event does not have, and the other name of its attributes. */
static char *
put_gone(char *p, const struct event *e)
{
	int n = 0, stub = is_stub(e);

	*p++ = '{';
	for (size_t i = 0; i < 3; i++)
		if (!stub && !is_there(e, of_allegiance[i]))
			p = put_word(p, of_allegiance[i], &n);
	if (is_there(e, "attributes"))
		p = put_word(p, "attribs", &n);
	else if (is_there(e, "attribs"))
		p = put_word(p, "attributes", &n);
	memcpy(p, "}\t", 2);
	return p + 2;
}

enum reason
latest_add_character_stats(void *state, struct batch *b, const struct incoming *in)
{
	enum reason why;
	struct character *c = telemetry_character(state, in->event, &why);
	char *p;

	if (c == NULL)
		return why;
	telemetry_save_character(b, c);
	p = row_of(b, PART_CHARACTER_STATS, in->event, WORDS_MAX);
	p = put_times(put_uint(p, c->name.id), in);
	p = put_event(p, in->event);
	p = put_skipped(p, in->event);
	p = put_gone(p, in->event);
	end_row(b, PART_CHARACTER_STATS, p, in);
	return REASON_COUNT;
}

/* ---- quests ---- */

static char *
put_seconds(char *p, const struct text *countdown)
{
	int64_t s = countdown_seconds(countdown->p, countdown->len);

	return s < 0 ? put_null(p) : put_uint(p, (uint64_t)s);
}

enum reason
latest_add_quest(void *state, struct batch *b, const struct incoming *in)
{
	const struct event *e = in->event;
	struct text name, countdown;
	enum reason why;
	struct character *c = telemetry_character(state, e, &why);
	char *p;

	if (c == NULL || !text_get_name(event_get(e, "quest_name"), &name, QUEST_MAX_BYTES, &why))
		return why;
	if (!text_get(event_get(e, "countdown"), &countdown, COUNTDOWN_MAX_BYTES))
		return bad_shape(b, "no countdown");
	telemetry_save_character(b, c);
	p = batch_row(b, PART_QUESTS, 2 * (2 * QUEST_MAX_BYTES + COUNTDOWN_MAX_BYTES) + WORDS_MAX);
	p = put_uint(p, c->name.id);
	p = put_text(p, &name);
	p = put_times(p, in);
	p = put_text(p, &countdown);
	p = put_seconds(p, &countdown);
	p = put_string(p, event_get(e, "flag"), QUEST_MAX_BYTES);
	p = put_int_or_null(p, event_get(e, "solves"), INT32_MIN, INT32_MAX);
	p = put_int_or_null(p, event_get(e, "max_solves"), INT32_MIN, INT32_MAX);
	p = put_int_or_null(p, event_get(e, "completed_on"), INT64_MIN, INT64_MAX);
	p = put_int_or_null(p, event_get(e, "repeat_s"), INT64_MIN, INT64_MAX);
	end_row(b, PART_QUESTS, p, in);
	return REASON_COUNT;
}

/* ---- equipment, dungeon maps ---- */

enum reason
latest_add_equipment_cantrips(void *state, struct batch *b, const struct incoming *in)
{
	enum reason why;
	struct character *c = telemetry_character(state, in->event, &why);
	char *p;

	if (c == NULL)
		return why;
	if (event_get(in->event, "items").kind != EVENT_ARRAY)
		return bad_shape(b, "items is not an array");
	telemetry_save_character(b, c);
	p = row_of(b, PART_EQUIPMENT, in->event, WORDS_MAX);
	p = put_times(put_uint(p, c->name.id), in);
	end_row(b, PART_EQUIPMENT, put_event(p, in->event), in);
	return REASON_COUNT;
}

enum reason
latest_add_dungeon_map(void *state, struct batch *b, const struct incoming *in)
{
	enum reason why;
	struct character *c = telemetry_character(state, in->event, &why);
	struct text text;
	uint16_t landblock;
	char *p;

	if (c == NULL)
		return why;
	if (!text_get(event_get(in->event, "landblock"), &text, 16) || geo_parse_landblock(text.p, text.len, &landblock) == -1)
		return bad_shape(b, "landblock is none");
	if (event_get(in->event, "layers").kind != EVENT_ARRAY)
		return bad_shape(b, "layers is not an array");
	telemetry_save_character(b, c);
	p = row_of(b, PART_DUNGEON_MAPS, in->event, WORDS_MAX);
	p += sprintf(p, "%04X\t", (unsigned)landblock);
	p = put_uint(put_times(p, in), c->name.id);
	end_row(b, PART_DUNGEON_MAPS, put_event(p, in->event), in);
	return REASON_COUNT;
}

/* ---- the game server ---- */

static char *
put_bool(char *p, struct event_value v)
{
	int on;

	if (event_bool(v, &on) == -1)
		return put_null(p);
	*p++ = on ? 't' : 'f';
	*p++ = '\t';
	return p;
}

static char *
put_moment(char *p, struct event_value v)
{
	struct text t;
	int64_t us;

	if (!text_get(v, &t, 40) || clock_parse_iso(t.p, t.len, &us) == -1 || us < 0)
		return put_null(p);
	return put_time(p, us);
}

enum reason
latest_add_server_status(void *state, struct batch *b, const struct incoming *in)
{
	const struct event *e = in->event;
	int bad = 0;
	char *p = row_of(b, PART_SERVER_STATUS, e, 2 * SERVER_MAX_BYTES + WORDS_MAX);

	(void)state;
	p = put_times(p, in);
	p = put_string(p, event_get(e, "server"), SERVER_MAX_BYTES);
	p = put_bool(p, event_get(e, "online"));
	p = put_real(p, event_get(e, "latency_ms"), 1e30, &bad);
	p = put_int_or_null(p, event_get(e, "player_count"), 0, INT32_MAX);
	p = put_int_or_null(p, event_get(e, "uptime_s"), 0, INT64_MAX);
	p = put_moment(p, event_get(e, "last_checked"));
	if (bad)
		return REASON_OUT_OF_RANGE;
	end_row(b, PART_SERVER_STATUS, put_event(p, e), in);
	return REASON_COUNT;
}
