#include "telemetry.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "column.h"
#include "mem/mem.h"
#include "sql.h"
#include "store.h"

#define HOUR_MS 3600000
#define TIDY_MS 120000
#define SAVED_MAX (64u << 20)

static const char *const series_names[SERIES_COUNT] = { "telemetry", "spawns" };

/* ---- steps ---- */

static void
ensure_days(struct buf *sql, enum series series, const struct days *days, struct days *known)
{
	const char *separator = "";
	int begun = 0;

	for (size_t i = 0; i < days->n; i++) {
		if (!days_add(known, days->day[i]))
			continue;
		if (!begun)
			(void)buf_printf(sql, "select dt.ensure_days('%s', array[", series_names[series]);
		begun = 1;
		(void)buf_printf(sql, "%sdate '1970-01-01' + %" PRId64, separator, days->day[i]);
		separator = ",";
	}
	if (begun)
		(void)buf_appends(sql, "]);");
}

/* Days that have no table yet get one with the first rows of theirs. */
static void
telemetry_ensure_days(void *state, struct batch *b, struct buf *sql)
{
	struct telemetry *t = state;
	const struct telemetry_batch *own = b->own;

	for (int i = 0; i < SERIES_COUNT; i++)
		ensure_days(sql, (enum series)i, &own->days[i], &t->known[i]);
}

/* The sums of a batch become rows of its own parts. */
static void
telemetry_write_sums(void *state, struct batch *b, struct buf *sql)
{
	const struct telemetry_batch *own = b->own;
	struct rowset *rows = &b->set[PART_ROLLUP], *cells = &b->set[PART_CELLS];
	int bad;

	(void)state;
	(void)sql;
	batch_begin(b, PART_ROLLUP);
	bad = rollup_write_minutes(&own->rollup, buf_data(&b->set[PART_TELEMETRY].buf), &rows->buf);
	bad |= rollup_write_cells(&own->rollup, &cells->buf);
	assert(!bad);                        /* shorter than the rows themselves */
	rows->n = own->rollup.n_minutes;
	cells->n = own->rollup.n_cells;
}

static void
telemetry_roll_up(void *state, struct batch *b, struct buf *sql)
{
	size_t rows = b->set[PART_ROLLUP].n + b->set[PART_TELEMETRY_AGAIN].n, cells = b->set[PART_CELLS].n + b->set[PART_SPAWNS_AGAIN].n;

	(void)state;
	if (rows > 0) {
		(void)buf_printf(sql, "%s;", sql_merge_rollup);
		batch_empty_stage(b, PART_ROLLUP, rows);
	}
	if (cells > 0) {
		(void)buf_printf(sql, "%s;", sql_merge_spawn_cells);
		batch_empty_stage(b, PART_CELLS, cells);
	}
}

static uint64_t
first_seq(const struct batch *b)
{
	uint64_t first = 0;

	for (int i = 0; i <= b->sink->n_parts; i++)
		if (b->set[i].n > 0 && (first == 0 || b->set[i].seq[0] < first))
			first = b->set[i].seq[0];
	return first;
}

/* The first event that is stored of a journal is noted beside the position in it. */
static void
telemetry_note_first(void *state, struct batch *b, struct buf *sql)
{
	struct telemetry *t = state;
	uint64_t first = t->first_noted || b->journal[0] == '\0' ? 0 : first_seq(b);

	if (first == 0)
		return;
	t->first_noted = 1;
	(void)buf_printf(sql, "update dt.positions set first_seq = %" PRIu64 " where first_seq is null and sink = '%s' and journal = ", first, b->sink->name);
	(void)pg_append_literal(sql, b->journal, strlen(b->journal));
	(void)buf_appends(sql, ";");
}

static void
telemetry_save_state(void *state, struct batch *b, struct buf *sql)
{
	struct telemetry_batch *own = b->own;

	(void)state;
	(void)buf_append(sql, buf_data(&own->saved), buf_size(&own->saved));
}

static int
telemetry_ask(void *state, struct batch *b, const struct sink_db *db)
{
	struct telemetry *t = state;

	state_save(&t->state, &((struct telemetry_batch *)b->own)->saved);
	return combat_ask(t, b, db);
}

/* ---- loading ---- */

static void
on_character(void *state, const struct pg_row *row)
{
	struct telemetry *t = state;
	uint32_t id = (uint32_t)pg_int(row, 0, 0);
	const char *name;
	struct character *c;
	size_t len;

	name = pg_text(row, 1, &len);
	c = state_load_character(&t->state, id, name, len);
	c->total_kills = pg_int(row, 2, 0);
	c->deaths = (struct totals_stated){ pg_int(row, 3, 0), pg_int(row, 4, 0) };
	c->telemetry_us = pg_int(row, 5, INT64_MIN);
	c->spawn_us = pg_int(row, 6, INT64_MIN);
	c->current = (uint32_t)pg_int(row, 7, 0);
	c->current_us = pg_int(row, 8, 0);
	c->tapers = pg_int(row, 9, -1);
	c->tapers_us = pg_int(row, 10, 0);
	if (id >= t->n_by_id) {
		uint32_t n = id + 1024;
		t->by_id = xreallocarray(t->by_id, n, sizeof *t->by_id);
		memset(t->by_id + t->n_by_id, 0, (n - t->n_by_id) * sizeof *t->by_id);
		t->n_by_id = n;
	}
	t->by_id[id] = c;
}

static void
on_session(void *state, const struct pg_row *row)
{
	struct telemetry *t = state;
	uint32_t character = (uint32_t)pg_int(row, 1, 0);
	int64_t last_us = pg_int(row, 4, 0);
	struct session *session;
	const char *text;
	size_t len;

	if (character >= t->n_by_id || t->by_id[character] == NULL)
		return;
	text = pg_text(row, 2, &len);
	session = state_load_session(&t->state, (uint32_t)pg_int(row, 0, 0), t->by_id[character], text, len);
	session->first_us = pg_int(row, 3, 0);
	session->kills = (struct totals_counter){ pg_int(row, 5, 0), last_us };
	session->deaths = (struct totals_counter){ pg_int(row, 6, 0), pg_int(row, 7, 0) };
	session->kills_sum = pg_int(row, 8, 0);
	session->deaths_sum = pg_int(row, 9, 0);
}

static void
on_mob(void *state, const struct pg_row *row)
{
	struct telemetry *t = state;
	const char *text;
	size_t len;

	text = pg_text(row, 1, &len);
	names_add(&t->state.mobs, (uint32_t)pg_int(row, 0, 0), text, len)->saved = 1;
}

static void
on_day(void *state, const struct pg_row *row)
{
	struct telemetry *t = state;
	enum series series = strcmp(pg_text(row, 0, NULL), "spawns") == 0 ? SERIES_SPAWNS : SERIES_TELEMETRY;

	(void)days_add(&t->known[series], pg_int(row, 1, 0));
}

static void
loaded(void *state)
{
	struct telemetry *t = state;

	free(t->by_id);
	t->by_id = NULL;
	t->n_by_id = 0;
}

/* ---- the state and a batch's own ---- */

static void *
telemetry_open(const struct store_config *config)
{
	struct telemetry *t = xcalloc(1, sizeof *t);

	t->count_replays = config->count_replays;
	state_init(&t->state);
	combat_memory_init(&t->combat);
	return t;
}

static void
telemetry_forget(void *state)
{
	struct telemetry *t = state;

	combat_memory_clear(&t->combat);
	state_fini(&t->state);
	state_init(&t->state);
	t->first_noted = 0;
	for (int i = 0; i < SERIES_COUNT; i++)
		t->known[i].n = 0;
	loaded(t);
}

static void
telemetry_close(void *state)
{
	struct telemetry *t = state;

	combat_memory_clear(&t->combat);
	state_fini(&t->state);
	for (int i = 0; i < SERIES_COUNT; i++)
		days_fini(&t->known[i]);
	loaded(t);
	free(t);
}

static void *
own_new(void)
{
	struct telemetry_batch *b = xcalloc(1, sizeof *b);

	buf_init(&b->saved, SAVED_MAX);
	return b;
}

static void
own_clear(void *own)
{
	struct telemetry_batch *b = own;

	combat_queue_clear(&b->combat);
	buf_clear(&b->saved);
	for (int i = 0; i < SERIES_COUNT; i++)
		b->days[i].n = 0;
	rollup_clear(&b->rollup);
}

static void
own_free(void *own)
{
	struct telemetry_batch *b = own;

	combat_queue_fini(&b->combat);
	buf_fini(&b->saved);
	for (int i = 0; i < SERIES_COUNT; i++)
		days_fini(&b->days[i]);
	rollup_fini(&b->rollup);
	free(b);
}

/* ---- the tables ---- */

static const struct part parts[] = {
#define PART(id, ...) { __VA_ARGS__ },
#include "telemetry_parts.def"
#undef PART
};

static const struct kind kinds[] = {
	{ "telemetry", rows_add_telemetry },
	{ "spawn", rows_add_spawn },
	{ "rare", rows_add_rare },
	{ "portal", rows_add_portal },
	{ "combat_stats", combat_add },
	{ "character_stats", latest_add_character_stats },
	{ "quest", latest_add_quest },
	{ "equipment_cantrip_state", latest_add_equipment_cantrips },
	{ "dungeon_map", latest_add_dungeon_map },
	{ "server_status", latest_add_server_status },
	{ NULL, NULL }
};

static const struct load loads[] = {
	{ sql_load_characters, on_character },
	{ sql_load_sessions, on_session },
	{ sql_load_mobs, on_mob },
	{ sql_load_days, on_day },
	{ NULL, NULL }
};

static const struct chore chores[] = {
	{ sql_maintain, HOUR_MS, NULL },
	{ sql_load_days, HOUR_MS, on_day },
	{ sql_summarize, TIDY_MS, NULL },
	{ sql_forget_portals, TIDY_MS, NULL },
	{ sql_forget_dead_letters, TIDY_MS, NULL },
	{ NULL, 0, NULL }
};

const struct sink sink_telemetry = {
	.name = "telemetry", .program = "dt-store", .lock = "1", .migrations = "dereth", .url = pg_telemetry_url, .password = "POSTGRES_PASSWORD",
	.parts = parts, .n_parts = PART_COUNT, .kinds = kinds, .loads = loads, .chores = chores,
	.open = telemetry_open, .close = telemetry_close, .forget = telemetry_forget, .loaded = loaded,
	.own_new = own_new, .own_clear = own_clear, .own_free = own_free,
	.ask = telemetry_ask,
};
