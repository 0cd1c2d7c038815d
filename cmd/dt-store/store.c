#include "store.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "batch.h"
#include "clock/clock.h"
#include "log/log.h"
#include "mem/mem.h"
#include "migrate.h"
#include "pg/pg.h"
#include "rows.h"
#include "source.h"
#include "sql.h"
#include "stat/stat.h"
#include "state.h"

#define LOCK_WAIT_MS 5000           /* a store that was killed leaves a backend that needs a moment to notice */
#define LOCK_RETRY_MS 200
#define STALL_MIN_MS 200
#define STALL_MAX_MS 5000
#define VERSION_MIN 140000
#define MAINTAIN_MS 3600000
#define TIDY_MS 120000

enum phase {
	AWAY,                        /* no connection */
	LOADING,                     /* taking the lock, migrating, reading what is remembered */
	STALLED,                     /* the database is there but cannot store; retry_at */
	RUNNING
};

struct store {
	struct pollable timer;       /* first: tick() casts back */
	struct store_config config;
	struct pg *pg;
	struct source *source;
	struct migrations migrations;
	struct state state;
	struct rows rows;
	struct batch batch[2];
	struct batch *fill, *sent;   /* sent: NULL or the one that the database has */
	enum phase phase;
	int capture;                 /* reads a file whose position is kept nowhere but here */
	int ready, ended, draining, said_stalled, reload_when_idle;
	int skipped;                 /* lines came that the batch had no room for: read again behind seen */

	char journal[JOURNAL_ID_MAX];        /* that the position belongs to; "": a capture, or none known yet */
	char wanted[JOURNAL_ID_MAX];         /* what the source says it reads; "": not said */
	uint64_t stored, sent_to, seen;      /* seq: committed, in the batch sent, last read */
	int64_t stored_rx_us;

	int locked, lost_backend;
	int64_t lock_until, retry_at, stall_ms, maintain_at, tidy_at;

	size_t limit;                        /* events in a batch while a poisoned one is looked for; 0: not looking */
	uint64_t limit_until;
	int found;                           /* the culprit is out: the limit grows again */
	struct poison { uint64_t seq; char *why; } *poison;   /* events that the database refuses, until they are put aside */
	size_t n_poison;

	struct days known[SERIES_COUNT];
	struct character **by_id;            /* while loading */
	uint32_t n_by_id;
};

static void begin(struct store *);

/* ---- steps of loading, each a query in pg's queue ---- */

static int
is_class(const struct pg_error *e, const char *classes)
{
	char two[4] = { ' ', e->sqlstate[0], e->sqlstate[1], '\0' };

	return e->sqlstate[0] != '\0' && strstr(classes, two) != NULL;
}

static void
stall(struct store *s, const char *why)
{
	if (!s->said_stalled)
		log_warn("unable to store: %s; trying again", why);
	s->said_stalled = 1;
	s->phase = STALLED;
	source_pause(s->source, 1);
	s->retry_at = clock_mono_ms() + s->stall_ms / 2 + arc4random_uniform((uint32_t)s->stall_ms);
	s->stall_ms = s->stall_ms * 2 < STALL_MAX_MS ? s->stall_ms * 2 : STALL_MAX_MS;
}

/* Syntax, missing tables or rights: trying again mends nothing. */
static void
die_if_hopeless(const struct pg_error *e, const char *doing)
{
	if (is_class(e, " 42 3F 0A"))
		die(EX_CONFIG, "%s: the database says: %s", doing, e->message);
}

static void
on_load_error(void *priv, const struct pg_error *e)
{
	struct store *s = priv;

	if (e->lost || s->phase != LOADING)
		return;
	die_if_hopeless(e, "unable to read what is stored");
	stall(s, e->message);
}

static uint64_t
ask(struct store *s, const char *sql, const char *param, void (*on_row)(void *, const struct pg_row *), void (*on_done)(void *))
{
	struct pg_calls calls = { .on_row = on_row, .on_done = on_done, .on_error = on_load_error, .priv = s };

	return pg_query(s->pg, sql, param != NULL, &param, &calls);
}

static void
on_position(void *priv, const struct pg_row *row)
{
	struct store *s = priv;
	const char *journal = pg_text(row, 0, NULL);

	if (s->capture || (s->wanted[0] != '\0' && strcmp(s->wanted, journal) != 0))
		return;
	(void)snprintf(s->journal, sizeof s->journal, "%s", journal);
	s->stored = (uint64_t)pg_int(row, 1, 0);
}

static void
on_character(void *priv, const struct pg_row *row)
{
	struct store *s = priv;
	uint32_t id = (uint32_t)pg_int(row, 0, 0);
	const char *name;
	struct character *c;
	size_t len;

	name = pg_text(row, 1, &len);
	c = state_load_character(&s->state, id, name, len);
	c->total_kills = pg_int(row, 2, 0);
	c->deaths = (struct totals_stated){ pg_int(row, 3, 0), pg_int(row, 4, 0) };
	c->telemetry_us = pg_int(row, 5, INT64_MIN);
	c->spawn_us = pg_int(row, 6, INT64_MIN);
	if (id >= s->n_by_id) {
		uint32_t n = id + 1024;
		s->by_id = xreallocarray(s->by_id, n, sizeof *s->by_id);
		memset(s->by_id + s->n_by_id, 0, (n - s->n_by_id) * sizeof *s->by_id);
		s->n_by_id = n;
	}
	s->by_id[id] = c;
}

static void
on_session(void *priv, const struct pg_row *row)
{
	struct store *s = priv;
	uint32_t character = (uint32_t)pg_int(row, 1, 0);
	int64_t last_us = pg_int(row, 4, 0);
	struct session *session;
	const char *text;
	size_t len;

	if (character >= s->n_by_id || s->by_id[character] == NULL)
		return;
	text = pg_text(row, 2, &len);
	session = state_load_session(&s->state, (uint32_t)pg_int(row, 0, 0), s->by_id[character], text, len);
	session->first_us = pg_int(row, 3, 0);
	session->kills = (struct totals_counter){ pg_int(row, 5, 0), last_us };
	session->deaths = (struct totals_counter){ pg_int(row, 6, 0), last_us };
}

static void
on_mob(void *priv, const struct pg_row *row)
{
	struct store *s = priv;
	const char *text;
	size_t len;

	text = pg_text(row, 1, &len);
	names_add(&s->state.mobs, (uint32_t)pg_int(row, 0, 0), text, len)->saved = 1;
}

static void
on_day(void *priv, const struct pg_row *row)
{
	struct store *s = priv;
	enum series series = strcmp(pg_text(row, 0, NULL), "spawns") == 0 ? SERIES_SPAWNS : SERIES_TELEMETRY;

	(void)days_add(&s->known[series], pg_int(row, 1, 0));
}

static void
on_loaded(void *priv)
{
	struct store *s = priv;

	if (s->phase != LOADING)
		return;
	free(s->by_id);
	s->by_id = NULL;
	s->n_by_id = 0;
	s->phase = RUNNING;
	if (s->wanted[0] != '\0' && strcmp(s->journal, s->wanted) != 0) {
		strcpy(s->journal, s->wanted);
		s->stored = 0;
	}
	s->sent_to = s->seen = s->stored;
	s->ended = s->skipped = 0;
	log_debug("at %" PRIu64 " of journal %s", s->stored, s->journal);
	if (s->draining) {
		loop_stop(s->config.loop);
		return;
	}
	source_pause(s->source, 0);
	source_start(s->source, s->stored);
	if (!s->ready && s->config.on_ready != NULL)
		s->config.on_ready(s->config.priv);
	s->ready = 1;
}

static void
on_maintain_error(void *priv, const struct pg_error *e)
{
	struct store *s = priv;

	if (e->lost)
		return;
	log_warn("unable to tend the tables, next try in two minutes: %s", e->message);
	s->maintain_at = clock_mono_ms() + TIDY_MS;
}

static void
maintain(struct store *s)
{
	struct pg_calls calls = { .on_error = on_maintain_error, .priv = s };

	s->maintain_at = clock_mono_ms() + MAINTAIN_MS;
	(void)pg_query(s->pg, sql_maintain, 0, NULL, &calls);
}

static void
tidy(struct store *s)
{
	static const char *const chores[] = { sql_summarize, sql_forget_portals, sql_forget_dead_letters };
	struct pg_calls calls = { .on_error = on_maintain_error, .priv = s };

	s->tidy_at = clock_mono_ms() + TIDY_MS;
	for (size_t i = 0; i < sizeof chores / sizeof *chores; i++)
		(void)pg_query(s->pg, chores[i], 0, NULL, &calls);
}

/* Everything that is remembered, from the database. */
static void
load(struct store *s)
{
	static const char *const stages[] = { sql_stage_telemetry, sql_stage_spawns, sql_stage_rares, sql_stage_portals };

	s->phase = LOADING;
	s->reload_when_idle = 0;
	source_pause(s->source, 1);
	batch_clear(s->fill);
	state_fini(&s->state);
	state_init(&s->state);
	for (int i = 0; i < SERIES_COUNT; i++)
		s->known[i].n = 0;
	if (!s->capture)
		s->stored = 0;
	for (size_t i = 0; i < sizeof stages / sizeof *stages; i++)
		(void)ask(s, stages[i], NULL, NULL, NULL);
	(void)ask(s, sql_load_positions, s->config.sink, on_position, NULL);
	(void)ask(s, sql_load_characters, NULL, on_character, NULL);
	(void)ask(s, sql_load_sessions, NULL, on_session, NULL);
	(void)ask(s, sql_load_mobs, NULL, on_mob, NULL);
	(void)ask(s, sql_load_days, NULL, on_day, on_loaded);
}

/* ---- the lock and the migrations, once per connection ---- */

static void
on_migration_error(void *priv, const struct pg_error *e)
{
	struct store *s = priv;

	if (e->lost)
		return;
	if (!is_class(e, " 40 53 55 57 58"))
		die(EX_CONFIG, "unable to migrate the database: %s%s%s", e->message, *e->context ? "; " : "", e->context);
	if (s->phase == LOADING)
		stall(s, e->message);
}

static void
on_migrated(void *priv)
{
	struct store *s = priv;

	if (s->phase != LOADING)
		return;
	maintain(s);
	tidy(s);
	load(s);
}

static void
on_applied(void *priv, const struct pg_row *row)
{
	struct store *s = priv;

	migrations_mark(&s->migrations, pg_text(row, 0, NULL), pg_text(row, 1, NULL));
}

static void
on_listed(void *priv)
{
	struct store *s = priv;
	struct pg_calls calls = { .on_error = on_migration_error, .priv = s };
	char *sql;

	if (s->phase != LOADING)
		return;
	for (size_t i = 0; i < s->migrations.n; i++) {
		struct migration *m = &s->migrations.list[i];
		if (m->applied)
			continue;
		log_info("applying migration %s", m->name);
		sql = migration_sql(m);
		(void)pg_exec(s->pg, sql, 0, NULL, &calls);
		free(sql);
	}
	calls.on_done = on_migrated;
	(void)pg_query(s->pg, "select 1", 0, NULL, &calls);
}

static void
migrate(struct store *s)
{
	struct pg_calls calls = { .on_error = on_migration_error, .priv = s };

	for (size_t i = 0; i < s->migrations.n; i++)
		s->migrations.list[i].applied = 0;
	(void)pg_query(s->pg, sql_migrations_schema, 0, NULL, &calls);
	(void)pg_query(s->pg, sql_migrations_table, 0, NULL, &calls);
	calls.on_row = on_applied;
	calls.on_done = on_listed;
	(void)pg_query(s->pg, sql_migrations_list, 0, NULL, &calls);
}

/* A backend of our own that was thought lost holds the lock until it wakes and finds nobody there: wait for that, however long.
 * Anybody else is another store. */
static void
on_lock(void *priv, const struct pg_row *row)
{
	struct store *s = priv;
	int holder = (int)pg_int(row, 2, 0);
	int64_t now = clock_mono_ms();

	if (s->phase != LOADING)
		return;
	if (pg_int(row, 1, 0) < VERSION_MIN)
		die(EX_CONFIG, "the database is PostgreSQL %" PRId64 ", but at least 14 is needed", pg_int(row, 1, 0) / 10000);
	s->locked = pg_bool(row, 0);
	if (s->locked) {
		migrate(s);
		return;
	}
	if (holder == 0 || holder != s->lost_backend) {
		if (s->lock_until == 0)
			s->lock_until = now + LOCK_WAIT_MS;
		if (now > s->lock_until)
			die(EX_TEMPFAIL, "another dt-store already stores %s in this database (its backend is %d)", s->config.sink, holder);
	}
	s->phase = STALLED;
	s->retry_at = now + LOCK_RETRY_MS;
}

static void
begin(struct store *s)
{
	s->phase = LOADING;
	if (s->locked)
		load(s);
	else
		(void)ask(s, sql_store_lock, "1", on_lock, NULL);
}

/* ---- batches ---- */

static void
gauges(struct store *s)
{
	int behind = s->phase != RUNNING || s->seen > s->stored;

	stat_set(STAT_STORE_LAG_EVENTS, s->seen > s->stored ? (int64_t)(s->seen - s->stored) : 0);
	stat_set(STAT_STORE_LAG_SECONDS, behind && s->stored_rx_us > 0 ? (clock_wall_us() - s->stored_rx_us) / 1000000 : 0);
}

static void
count_batch(struct store *s, const struct batch *b)
{
	static const char *const tables[] = { "telemetry_events", "spawn_events" };
	static const char *const odd[TIME_COUNT] = { "late", "future", "unreadable" };
	static const enum part fresh[] = { PART_TELEMETRY, PART_SPAWNS }, again[] = { PART_TELEMETRY_AGAIN, PART_SPAWNS_AGAIN };

	for (int i = 0; i < SERIES_COUNT; i++) {
		*stat_cell(STAT_STORE_ROWS, tables[i]) += (int64_t)b->n[fresh[i]] + b->merged[i];
		*stat_cell(STAT_STORE_DUPLICATES, tables[i]) += (int64_t)b->n[again[i]] - b->merged[i];
	}
	*stat_cell(STAT_STORE_ROWS, "rare_events") += b->merged_rares;
	*stat_cell(STAT_STORE_DUPLICATES, "rare_events") += (int64_t)b->n[PART_RARES] - b->merged_rares;
	*stat_cell(STAT_STORE_ROWS, "portals") += (int64_t)b->n[PART_PORTALS];
	for (int i = 0; i < REASON_COUNT; i++)
		if (b->dead[i] > 0)
			*stat_cell(STAT_STORE_REJECTED, reason_word((enum reason)i)) += b->dead[i];
	for (int i = 0; i < TIME_COUNT; i++)
		*stat_cell(STAT_STORE_TIMES, odd[i]) += b->times[i];
	stat_add(STAT_STORE_EVENTS, (int64_t)b->events);
	stat_add(STAT_STORE_BATCHES, 1);
	stat_add(STAT_STORE_BYTES, (int64_t)b->bytes);
	stat_set(STAT_STORE_POSITION, (int64_t)s->stored);
	gauges(s);
}

static void maybe_send(struct store *);
static int is_full(const struct store *);

/* The batch has room: read on. */
static void
resume(struct store *s)
{
	if (s->phase != RUNNING || s->draining || s->reload_when_idle || is_full(s))
		return;
	source_pause(s->source, 0);
	if (s->skipped)
		source_start(s->source, s->seen);
	s->skipped = 0;
}

static const char *
why_poisoned(const struct store *s, uint64_t seq)
{
	for (size_t i = 0; i < s->n_poison; i++)
		if (s->poison[i].seq == seq)
			return s->poison[i].why;
	return NULL;
}

static void
add_poison(struct store *s, uint64_t seq, const char *why)
{
	log_warn("event %" PRIu64 " is put aside: the database refuses it: %s", seq, why);
	s->poison = xreallocarray(s->poison, s->n_poison + 1, sizeof *s->poison);
	s->poison[s->n_poison++] = (struct poison){ seq, xstrdup(why) };
}

static void
forget_poison(struct store *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n_poison; i++) {
		if (s->poison[i].seq > s->stored) {
			s->poison[kept++] = s->poison[i];
			continue;
		}
		free(s->poison[i].why);
		s->found = 1;
	}
	s->n_poison = kept;
}

/* The search narrows with each failure; once the culprit is put aside it widens again. */
static void
widen(struct store *s)
{
	if (s->limit == 0)
		return;
	if (s->found)
		s->limit *= 2;
	if (s->stored >= s->limit_until) {
		s->limit = 0;
		s->found = 0;
	}
}

static void
on_stored(void *priv)
{
	struct store *s = priv;
	struct batch *b = s->sent;

	s->sent = NULL;
	s->stored = b->to;
	s->stored_rx_us = b->rx_us;
	s->stall_ms = STALL_MIN_MS;
	if (s->said_stalled)
		log_info("storing again");
	s->said_stalled = 0;
	count_batch(s, b);
	forget_poison(s);
	widen(s);
	batch_clear(b);
	if (s->reload_when_idle && s->fill->events == 0)
		load(s);
	else {
		maybe_send(s);
		resume(s);
	}
}

/* Mostly the database says which row it was.  Where it does not, the batch is halved, again and again, until it is one event. */
static void
on_poisoned(struct store *s, const struct batch *b, const struct pg_error *e)
{
	uint64_t seq = batch_culprit(b, e->context);

	log_debug("a batch of %zu events is refused: %s; %s", b->events, e->message, e->context);
	if (seq == 0 && b->events == 1)
		seq = b->to;
	if (why_poisoned(s, seq) != NULL) {  /* not even as a dead letter */
		stall(s, e->message);
		return;
	}
	if (seq != 0) {
		add_poison(s, seq, e->message);
	} else {
		if (s->limit == 0 || b->to > s->limit_until)
			s->limit_until = b->to;
		s->found = 0;
		s->limit = b->events / 2;
	}
	load(s);
}

static void
on_refused(void *priv, const struct pg_error *e)
{
	struct store *s = priv;
	struct batch *b = s->sent;

	s->sent = NULL;
	stat_add(STAT_STORE_FAILED, 1);
	if (e->lost)
		;                            /* on_down follows */
	else if (is_class(e, " 21 22 23 54 P0"))
		on_poisoned(s, b, e);
	else if (strcmp(e->sqlstate, "DT001") == 0)
		load(s);
	else {
		die_if_hopeless(e, "unable to store");
		stall(s, e->message);
	}
	batch_clear(b);
}

static void
on_merged(void *priv, const struct pg_row *row)
{
	struct store *s = priv;
	const char *column = pg_column_name(row, 0);

	if (strcmp(column, "merged_telemetry") == 0)
		s->sent->merged[SERIES_TELEMETRY] = pg_int(row, 0, 0);
	else if (strcmp(column, "merged_spawns") == 0)
		s->sent->merged[SERIES_SPAWNS] = pg_int(row, 0, 0);
	else if (strcmp(column, "merged_rares") == 0)
		s->sent->merged_rares = pg_int(row, 0, 0);
}

static void
send_batch(struct store *s)
{
	struct pg_calls calls = { .on_row = on_merged, .on_done = on_stored, .on_error = on_refused, .priv = s };
	struct batch *b = s->fill;

	strcpy(b->journal, s->journal);
	b->from = s->sent_to;
	batch_compose(b, s->config.sink, &s->state, s->known);
	if (pg_exec(s->pg, buf_data(&b->sql), b->n_pieces, b->piece, &calls) == 0)
		return;                      /* gone this moment: on_down comes and all is read again */
	s->sent_to = b->to;
	s->sent = b;
	s->fill = b == &s->batch[0] ? &s->batch[1] : &s->batch[0];
	resume(s);
}

static int
is_full(const struct store *s)
{
	const struct batch *b = s->fill;

	return b->rows >= s->config.max_rows || b->bytes >= s->config.max_bytes || b->events >= 20 * s->config.max_rows ||
	    (s->limit != 0 && b->events >= s->limit);
}

static void
maybe_send(struct store *s)
{
	const struct batch *b = s->fill;
	int hurry = s->draining || s->ended || s->reload_when_idle;

	if (s->phase != RUNNING || s->sent != NULL)
		return;
	if (b->events > 0 && (hurry || is_full(s) || clock_mono_ms() >= b->opened_ms + s->config.max_wait_ms))
		send_batch(s);
	else if (b->events == 0 && (s->draining || (s->ended && s->config.once)))
		loop_stop(s->config.loop);
}

/* ---- what the source and the database say ---- */

static void
on_line(void *priv, uint64_t seq, const char *line, size_t len)
{
	struct store *s = priv;
	struct batch *b = s->fill;

	if (s->phase != RUNNING || s->draining || s->reload_when_idle || s->skipped || seq <= s->seen)
		return;
	if (s->limit != 0 && b->events >= s->limit) {
		s->skipped = 1;
		return;
	}
	s->seen = seq;
	if (b->events == 0) {
		b->opened_ms = clock_mono_ms();
		if (s->timer.deadline_ms > b->opened_ms + s->config.max_wait_ms)
			s->timer.deadline_ms = b->opened_ms + s->config.max_wait_ms;
		strcpy(b->journal, s->journal);
	}
	rows_add(&s->rows, b, seq, line, len, why_poisoned(s, seq));
	if (!is_full(s))
		return;
	maybe_send(s);
	if (s->phase == RUNNING && is_full(s))
		source_pause(s->source, 1);
}

static void
on_journal(void *priv, const char *id)
{
	struct store *s = priv;

	(void)snprintf(s->wanted, sizeof s->wanted, "%s", id);
	if (strcmp(s->journal, s->wanted) == 0 || s->phase != RUNNING)
		return;
	if (s->journal[0] == '\0' && s->stored == 0 && s->fill->events == 0) {
		strcpy(s->journal, s->wanted);
		return;
	}
	log_info("the stream comes from journal %s now", id);
	s->reload_when_idle = 1;
	source_pause(s->source, 1);
	if (s->sent == NULL && s->fill->events == 0)
		load(s);
	else
		maybe_send(s);
}

static void
on_source_end(void *priv)
{
	struct store *s = priv;

	if (s->phase != RUNNING)
		return;
	s->ended = s->config.once;
	maybe_send(s);
}

static void
on_up(void *priv)
{
	struct store *s = priv;

	stat_set(STAT_STORE_DB_UP, 1);
	stat_add(STAT_STORE_RECONNECTS, (int64_t)pg_reconnects(s->pg) - stat_get(STAT_STORE_RECONNECTS));
	begin(s);
}

static void
on_down(void *priv, const char *why)
{
	struct store *s = priv;

	(void)why;
	stat_set(STAT_STORE_DB_UP, 0);
	s->phase = AWAY;
	if (s->locked)
		s->lost_backend = pg_backend(s->pg);
	s->locked = 0;
	s->lock_until = 0;
	source_pause(s->source, 1);
	if (s->draining)
		loop_stop(s->config.loop);
}

/* ---- time ---- */

static void
tick(struct pollable *timer, short revents, int64_t now)
{
	struct store *s = (struct store *)timer;

	(void)revents;
	gauges(s);
	stat_write(now);
	if (s->phase == STALLED && now >= s->retry_at && pg_up(s->pg))
		begin(s);
	if (s->phase == RUNNING && now >= s->maintain_at) {
		maintain(s);
		(void)ask(s, sql_load_days, NULL, on_day, NULL);
	}
	if (s->phase == RUNNING && now >= s->tidy_at)
		tidy(s);
	maybe_send(s);
	timer->deadline_ms = now + LOCK_RETRY_MS;
	if (s->fill->events > 0 && s->sent == NULL && s->fill->opened_ms + s->config.max_wait_ms < timer->deadline_ms)
		timer->deadline_ms = s->fill->opened_ms + s->config.max_wait_ms;
}

/* ---- */

struct store *
store_new(const struct store_config *config)
{
	struct store *s = xcalloc(1, sizeof *s);
	struct pg_config pg = {
		.url = config->url, .password = config->password, .name = "dt-store", .setup = "set lock_timeout = '2s'",
		.timeout_ms = config->timeout_ms, .on_up = on_up, .on_down = on_down, .priv = s,
	};
	struct source_config source = {
		.loop = config->loop, .socket = config->socket, .path = config->path, .types = rows_types,
		.on_line = on_line, .on_journal = on_journal, .on_end = on_source_end, .priv = s,
	};

	s->config = *config;
	s->stall_ms = STALL_MIN_MS;
	migrations_read(&s->migrations, config->migrations);
	state_init(&s->state);
	s->rows = (struct rows){ &s->state, config->count_replays };
	batch_init(&s->batch[0]);
	batch_init(&s->batch[1]);
	s->fill = &s->batch[0];
	s->source = source_new(&source);
	source_pause(s->source, 1);
	if (source_journal(s->source) != NULL)
		(void)snprintf(s->wanted, sizeof s->wanted, "%s", source_journal(s->source));
	s->capture = config->path != NULL && s->wanted[0] == '\0';
	s->pg = pg_new(&pg);
	s->timer = (struct pollable){ .fd = -1, .deadline_ms = 0, .handle = tick };
	loop_add(config->loop, &s->timer);
	loop_add(config->loop, pg_pollable(s->pg));
	return s;
}

void
store_free(struct store **sp)
{
	struct store *s = *sp;

	if (s == NULL)
		return;
	*sp = NULL;
	loop_del(s->config.loop, &s->timer);
	loop_del(s->config.loop, pg_pollable(s->pg));
	pg_free(&s->pg);
	source_free(&s->source);
	migrations_fini(&s->migrations);
	state_fini(&s->state);
	batch_fini(&s->batch[0]);
	batch_fini(&s->batch[1]);
	for (int i = 0; i < SERIES_COUNT; i++)
		days_fini(&s->known[i]);
	free(s->by_id);
	for (size_t i = 0; i < s->n_poison; i++)
		free(s->poison[i].why);
	free(s->poison);
	free(s);
}

int
store_drain(struct store *s)
{
	s->draining = 1;
	source_pause(s->source, 1);
	maybe_send(s);
	return s->phase == RUNNING && (s->sent != NULL || s->fill->events > 0);
}
