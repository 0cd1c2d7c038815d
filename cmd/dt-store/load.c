/* What happens between a connection and the first batch, each step a query in pg's queue: lock, migrations, upkeep, and reading what is remembered. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "clock/clock.h"
#include "inner.h"
#include "log/log.h"
#include "mem/mem.h"
#include "sql.h"

#define LOCK_WAIT_MS 5000            /* a store that was killed leaves a backend that needs a moment to notice */
#define LOCK_RETRY_MS 200
#define VERSION_MIN 140000
#define MAINTAIN_MS 3600000
#define TIDY_MS 120000

int
store_is_class(const struct pg_error *e, const char *classes)
{
	char two[4] = { ' ', e->sqlstate[0], e->sqlstate[1], '\0' };

	return e->sqlstate[0] != '\0' && strstr(classes, two) != NULL;
}

void
store_stall(struct store *s, const char *why)
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
void
store_die_if_hopeless(const struct pg_error *e, const char *doing)
{
	if (store_is_class(e, " 42 3F 0A"))
		die(EX_CONFIG, "%s: the database says: %s", doing, e->message);
}

static void
on_load_error(void *priv, const struct pg_error *e)
{
	struct store *s = priv;

	if (e->lost || s->phase != LOADING)
		return;
	store_die_if_hopeless(e, "unable to read what is stored");
	store_stall(s, e->message);
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

void
store_maintain(struct store *s)
{
	struct pg_calls calls = { .on_error = on_maintain_error, .priv = s };

	s->maintain_at = clock_mono_ms() + MAINTAIN_MS;
	(void)pg_query(s->pg, sql_maintain, 0, NULL, &calls);
	if (s->phase == RUNNING)             /* else load() asks */
		(void)ask(s, sql_load_days, NULL, on_day, NULL);
}

void
store_tidy(struct store *s)
{
	static const char *const chores[] = { sql_summarize, sql_forget_portals, sql_forget_dead_letters };
	struct pg_calls calls = { .on_error = on_maintain_error, .priv = s };

	s->tidy_at = clock_mono_ms() + TIDY_MS;
	for (size_t i = 0; i < sizeof chores / sizeof *chores; i++)
		(void)pg_query(s->pg, chores[i], 0, NULL, &calls);
}

/* Everything that is remembered, from the database. */
void
store_load(struct store *s)
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
	if (!store_is_class(e, " 40 53 55 57 58"))
		die(EX_CONFIG, "unable to migrate the database: %s%s%s", e->message, *e->context ? "; " : "", e->context);
	if (s->phase == LOADING)
		store_stall(s, e->message);
}

static void
on_migrated(void *priv)
{
	struct store *s = priv;

	if (s->phase != LOADING)
		return;
	store_maintain(s);
	store_tidy(s);
	store_load(s);
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

void
store_begin(struct store *s)
{
	s->phase = LOADING;
	if (s->locked)
		store_load(s);
	else
		(void)ask(s, sql_store_lock, "1", on_lock, NULL);
}
