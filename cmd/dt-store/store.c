#include "store.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "clock/clock.h"
#include "inner.h"
#include "intake.h"
#include "log/log.h"
#include "mem/mem.h"
#include "stat/stat.h"

#define TICK_MS 200
#define BATCH_EVENTS 20              /* events in a batch, as a multiple of its rows */
#define QUICK_MS 500                 /* a transaction of so long lets batches grow */
#define SLOW_MS 1000                 /* of so long makes them smaller */

static void
gauges(struct store *s)
{
	int behind = s->phase != RUNNING || s->seen > s->stored;

	stat_set(STAT_STORE_LAG_EVENTS, s->seen > s->stored ? (int64_t)(s->seen - s->stored) : 0);
	stat_set(STAT_STORE_LAG_SECONDS, behind && s->stored_rx_us > 0 ? (clock_wall_us() - s->stored_rx_us) / 1000000 : 0);
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

/* Large batches cost less a row, but one that a busy server cannot do in time is all in vain. */
static void
set_share(struct store *s, int64_t took_ms)
{
	if (took_ms > SLOW_MS && s->share > 1)
		s->share /= 2;
	else if (took_ms < QUICK_MS && s->share < STORE_SHARES)
		s->share *= 2;
}

static void
on_stored(void *priv)
{
	struct store *s = priv;
	struct batch *b = s->sent;

	s->sent = NULL;
	set_share(s, clock_mono_ms() - s->sent_ms);
	s->stored = b->to;
	s->stored_rx_us = b->rx_us;
	s->stall_ms = STALL_MIN_MS;
	if (s->said_stalled)
		log_info("storing again");
	s->said_stalled = 0;
	batch_count(b);
	if (s->sink->stored != NULL)
		s->sink->stored(s->state, b);
	stat_set(STAT_STORE_POSITION, (int64_t)s->stored);
	gauges(s);
	poison_stored(&s->poison, s->stored);
	batch_clear(b);
	if (s->reload_when_idle && s->fill->events == 0)
		store_load(s);
	else {
		maybe_send(s);
		resume(s);
	}
}

/* The sink leaves out less than the whole event. */
static int
is_sinks_own(struct store *s, const struct batch *b, const struct pg_error *e)
{
	size_t row;
	int part;

	return s->sink->culprit != NULL && batch_culprit_row(b, e->context, &part, &row) && s->sink->culprit(s->state, b, part, row, e);
}

static void
on_refused(void *priv, const struct pg_error *e)
{
	struct store *s = priv;
	struct batch *b = s->sent;

	if (b == NULL)
		return;                      /* the second of two questions */
	s->sent = NULL;
	s->share = 1;
	stat_add(STAT_STORE_FAILED, 1);
	if (e->lost) {
		;                            /* on_down follows */
	} else if (store_is_class(e, " 21 22 23 54 P0")) {
		if (is_sinks_own(s, b, e) || poison_refused(&s->poison, b, e) == 0)
			store_load(s);
		else
			store_stall(s, e->message);
	} else if (strcmp(e->sqlstate, "DT001") == 0) {
		store_load(s);
	} else {
		store_die_if_hopeless(e, "unable to store");
		store_stall(s, e->message);
	}
	batch_clear(b);
}

static void
on_said(void *priv, const struct pg_row *row)
{
	struct store *s = priv;

	batch_said(s->sent, s->state, row);
}

/* What had to be asked first is known. */
static void
on_asked(void *priv)
{
	struct pg_calls calls = { .on_row = on_said, .on_done = on_stored, .on_error = on_refused, .priv = priv };
	struct store *s = priv;
	struct batch *b = s->sent;

	batch_compose(b, s->state);
	if (pg_exec(s->pg, buf_data(&b->sql), b->n_pieces, b->piece, &calls) != 0)
		return;
	s->sent = NULL;              /* gone this moment: on_down comes and all is read again */
	batch_clear(b);
}

static void
send_batch(struct store *s)
{
	struct batch *b = s->fill;

	strcpy(b->journal, s->journal);
	b->from = s->sent_to;
	s->sent_to = b->to;
	s->sent = b;
	s->sent_ms = clock_mono_ms();
	s->fill = b == &s->batch[0] ? &s->batch[1] : &s->batch[0];
	if (s->sink->ask == NULL || !s->sink->ask(s->state, b, &s->asking))
		on_asked(s);
	resume(s);
}

static int
is_at(const struct store *s, size_t share)
{
	const struct batch *b = s->fill;
	size_t rows = share * s->config.max_rows, bytes = share * s->config.max_bytes;

	return STORE_SHARES * b->rows >= rows || STORE_SHARES * b->bytes >= bytes || STORE_SHARES * b->events >= BATCH_EVENTS * rows ||
	    (s->poison.limit != 0 && b->events >= s->poison.limit);
}

/* Enough for a database that has nothing else to do; while it works the batch grows on. */
static int
is_worth_it(const struct store *s)
{
	return is_at(s, 1);
}

static int
is_full(const struct store *s)
{
	return is_at(s, s->share);
}

static void
maybe_send(struct store *s)
{
	const struct batch *b = s->fill;
	int hurry = s->draining || s->ended || s->reload_when_idle;

	if (s->phase != RUNNING || s->sent != NULL)
		return;
	if (b->events > 0 && (hurry || is_worth_it(s) || clock_mono_ms() >= b->opened_ms + s->config.max_wait_ms))
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
	if (s->config.to != 0 && seq > s->config.to) {
		s->ended = 1;
		source_pause(s->source, 1);
		maybe_send(s);
		return;
	}
	if (s->poison.limit != 0 && b->events >= s->poison.limit) {
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
	intake_add(s->sink, s->state, b, seq, line, len, poison_why(&s->poison, seq));
	if (s->sent == NULL && is_worth_it(s))
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
		store_load(s);
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
	store_begin(s);
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
		store_begin(s);
	if (s->phase == RUNNING)
		store_tend(s, now);
	maybe_send(s);
	timer->deadline_ms = now + TICK_MS;
	if (s->fill->events > 0 && s->sent == NULL && s->fill->opened_ms + s->config.max_wait_ms < timer->deadline_ms)
		timer->deadline_ms = s->fill->opened_ms + s->config.max_wait_ms;
}

/* ---- */

static void
set_errands(struct store *s)
{
	size_t n = 0, n_loads = 0;

	while (s->sink->chores[s->n_chores].sql != NULL)
		s->n_chores++;
	while (s->sink->loads[n_loads].sql != NULL)
		n_loads++;
	s->errands = xcalloc(s->n_chores + n_loads + 1, sizeof *s->errands);
	for (; n < s->n_chores + n_loads; n++) {
		s->errands[n].store = s;
		s->errands[n].row = n < s->n_chores ? s->sink->chores[n].row : s->sink->loads[n - s->n_chores].row;
	}
}

static struct source *
new_source(struct store *s)
{
	struct source_config source = {
		.loop = s->config.loop, .socket = s->config.socket, .path = s->config.path, .types = s->types,
		.on_line = on_line, .on_journal = on_journal, .on_end = on_source_end, .priv = s,
	};

	return source_new(&source);
}

struct store *
store_new(const struct store_config *config)
{
	/* What a crash of the server takes back it takes back together with the position: no need to wait for its disk. */
	static const char setup[] = "set lock_timeout = '2s'; set synchronous_commit = off";
	struct store *s = xcalloc(1, sizeof *s);
	struct pg_config pg = {
		.url = config->url, .password = config->password, .name = config->sink->program, .setup = setup,
		.timeout_ms = config->timeout_ms, .on_up = on_up, .on_down = on_down, .priv = s,
	};
	s->config = *config;
	s->sink = config->sink;
	s->types = intake_types(s->sink);
	s->stall_ms = STALL_MIN_MS;
	s->share = 1;
	migrations_read(&s->migrations, config->migrations);
	s->state = s->sink->open(config);
	set_errands(s);
	batch_init(&s->batch[0], s->sink);
	batch_init(&s->batch[1], s->sink);
	s->fill = &s->batch[0];
	s->source = new_source(s);
	source_pause(s->source, 1);
	if (source_journal(s->source) != NULL)
		(void)snprintf(s->wanted, sizeof s->wanted, "%s", source_journal(s->source));
	s->capture = config->path != NULL && s->wanted[0] == '\0';
	s->pg = pg_new(&pg);
	s->preparing = (struct sink_db){ s->pg, store_prepared, store_load_failed, s };
	s->asking = (struct sink_db){ s->pg, on_asked, on_refused, s };
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
	batch_fini(&s->batch[0]);
	batch_fini(&s->batch[1]);
	s->sink->close(s->state);
	free(s->errands);
	free(s->types);
	poison_fini(&s->poison);
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
