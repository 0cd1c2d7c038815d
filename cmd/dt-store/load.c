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
#include "stat/stat.h"

#define LOCK_WAIT_MS 5000            /* a store that was killed leaves a backend that needs a moment to notice */
#define LOCK_RETRY_MS 200
#define MIGRATION_MS 21600000       /* of a month of rows that were there before it */
#define VERSION_MIN 140000
#define TEND_RETRY_MS 120000

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

void
store_load_failed(void *priv, const struct pg_error *e)
{
	struct store *s = priv;

	if (e->lost || s->phase != LOADING)
		return;
	store_die_if_hopeless(e, "unable to read what is stored");
	store_stall(s, e->message);
}

static void
ask(struct store *s, const char *sql, const char *param, void (*on_row)(void *, const struct pg_row *))
{
	struct pg_calls calls = { .on_row = on_row, .on_error = store_load_failed, .priv = s };

	(void)pg_query(s->pg, sql, param != NULL, &param, &calls);
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

void
store_prepared(void *priv)
{
	struct store *s = priv;

	if (s->phase != LOADING)
		return;
	s->phase = RUNNING;
	if (s->wanted[0] != '\0' && strcmp(s->journal, s->wanted) != 0) {
		strcpy(s->journal, s->wanted);
		s->stored = 0;
	}
	s->sent_to = s->seen = s->stored;
	stat_set(STAT_STORE_POSITION, (int64_t)s->stored);
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
on_errand_row(void *priv, const struct pg_row *row)
{
	struct errand *e = priv;

	if (e->row != NULL)
		e->row(e->store->state, row);
}

static void
on_errand_failed(void *priv, const struct pg_error *error)
{
	struct errand *e = priv;

	store_load_failed(e->store, error);
}

/* ---- chores ---- */

static void
on_chore_error(void *priv, const struct pg_error *error)
{
	struct errand *e = priv;

	if (error->lost)
		return;
	log_warn("unable to tend the tables, next try in two minutes: %s", error->message);
	e->due_ms = clock_mono_ms() + TEND_RETRY_MS;
}

/* Before the loads their rows are of no use: those come back with the loads. */
void
store_tend(struct store *s, int64_t now_ms)
{
	for (size_t i = 0; s->sink->chores[i].sql != NULL; i++) {
		const struct chore *chore = &s->sink->chores[i];
		struct errand *e = &s->errands[i];
		struct pg_calls calls = { .on_error = on_chore_error, .priv = e };

		if (now_ms < e->due_ms)
			continue;
		e->due_ms = now_ms + chore->every_ms;
		if (s->phase != RUNNING && chore->row != NULL)
			continue;
		if (chore->row != NULL)
			calls.on_row = on_errand_row;
		(void)pg_query(s->pg, chore->sql, 0, NULL, &calls);
	}
}

/* ---- loading ---- */

static void
on_loaded(void *priv)
{
	struct store *s = priv;

	if (s->phase != LOADING)
		return;
	if (s->sink->loaded != NULL)
		s->sink->loaded(s->state);
	if (s->sink->prepare != NULL)
		s->sink->prepare(s->state, &s->preparing);
	else
		store_prepared(s);
}

/* Everything that is remembered, from the database. */
void
store_load(struct store *s)
{
	struct pg_calls calls = { .on_done = on_loaded, .on_error = store_load_failed, .priv = s };
	struct pg_calls load = { .on_row = on_errand_row, .on_error = on_errand_failed };

	s->phase = LOADING;
	s->reload_when_idle = 0;
	source_pause(s->source, 1);
	batch_clear(s->fill);
	s->sink->forget(s->state);
	if (!s->capture)
		s->stored = 0;
	for (int i = 0; i < s->sink->n_parts; i++)
		if (s->sink->parts[i].stage != NULL)
			ask(s, s->sink->parts[i].stage, NULL, NULL);
	ask(s, sql_load_positions, s->sink->name, on_position);
	for (size_t i = 0; s->sink->loads[i].sql != NULL; i++) {
		load.priv = &s->errands[s->n_chores + i];
		(void)pg_query(s->pg, s->sink->loads[i].sql, 0, NULL, &load);
	}
	(void)pg_query(s->pg, "select 1", 0, NULL, &calls);
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
	for (size_t i = 0; i < s->n_chores; i++)
		s->errands[i].due_ms = 0;
	store_tend(s, clock_mono_ms());
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
	struct pg_calls calls = { .on_error = on_migration_error, .timeout_ms = MIGRATION_MS, .priv = s };
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
	calls.timeout_ms = 0;
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
			die(EX_TEMPFAIL, "another dt-store already stores %s in this database (its backend is %d)", s->sink->name, holder);
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
		ask(s, sql_store_lock, s->sink->lock, on_lock);
}
