#include "combat.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock/clock.h"
#include "column.h"
#include "log/log.h"
#include "mem/mem.h"
#include "sql.h"
#include "telemetry.h"

#define KEEP_MS 600000               /* a session that said nothing for so long is not remembered */
#define KEEP_BYTES (32u << 20)       /* nor are the oldest when all take more */
#define EVENT_TEXT (EVENT_LINE_MAX + 1)

static const char too_many[] = "too many monsters in one session";

/* ---- memory ---- */

void
combat_memory_init(struct combat_memory *m)
{
	*m = (struct combat_memory){ 0 };
	TAILQ_INIT(&m->list);
}

static void
drop(struct combat_memory *m, struct combat_known *k)
{
	TAILQ_REMOVE(&m->list, k, link);
	m->bytes -= k->c.bytes;
	k->session->combat = NULL;
	combat_fini(&k->c);
	buf_fini(&k->event);
	free(k);
}

void
combat_memory_clear(struct combat_memory *m)
{
	while (!TAILQ_EMPTY(&m->list))
		drop(m, TAILQ_FIRST(&m->list));
}

static void
trim(struct combat_memory *m, int64_t now_ms)
{
	struct combat_known *last;

	while ((last = TAILQ_LAST(&m->list, combat_list)) != NULL && (m->bytes > KEEP_BYTES || last->used_ms < now_ms - KEEP_MS)) {
		if (last->changed)
			break;
		drop(m, last);
	}
}

/* The session's, as just used; wanted when it has to be loaded first. */
static struct combat_known *
known_of(struct combat_memory *m, struct session *s, int64_t now_ms)
{
	struct combat_known *k = s->combat;

	if (k != NULL) {
		TAILQ_REMOVE(&m->list, k, link);
	} else {
		k = s->combat = xcalloc(1, sizeof *k);
		k->session = s;
		k->wanted = 1;
		combat_init(&k->c);
		buf_init(&k->event, EVENT_TEXT);
		m->bytes += k->c.bytes;
	}
	k->used_ms = now_ms;
	TAILQ_INSERT_HEAD(&m->list, k, link);
	return k;
}

/* ---- the queue of a batch ---- */

/* Sessions may be gone by now. */
void
combat_queue_clear(struct combat_queue *q)
{
	for (size_t i = 0; i < q->n; i++) {
		combat_fini(&q->list[i].c);
		buf_fini(&q->list[i].event);
	}
	q->n = q->n_changed = 0;
}

void
combat_queue_fini(struct combat_queue *q)
{
	combat_queue_clear(q);
	free(q->list);
	free(q->changed);
}

/* Takes what w owns. */
static void
push(struct combat_queue *q, const struct combat_waiting *w)
{
	if (q->n == q->cap) {
		q->cap = q->cap ? 2 * q->cap : 16;
		q->list = xreallocarray(q->list, q->cap, sizeof *q->list);
	}
	q->list[q->n++] = *w;
	w->session->combat_queued++;
}

static void
push_changed(struct combat_queue *q, struct combat_known *k)
{
	if (k->changed)
		return;
	k->changed = 1;
	if (q->n_changed == q->cap_changed) {
		q->cap_changed = q->cap_changed ? 2 * q->cap_changed : 64;
		q->changed = xreallocarray(q->changed, q->cap_changed, sizeof *q->changed);
	}
	q->changed[q->n_changed++] = k;
}

static struct combat_queue *
queue_of(struct batch *b)
{
	return &((struct telemetry_batch *)b->own)->combat;
}

/* ---- folding ---- */

struct folding { struct telemetry *t; struct batch *batch; struct combat_known *known; };

static char *
put_head(char *p, const struct folding *f, const struct combat_monster *m)
{
	p = put_uint(p, f->known->session->character->name.id);
	return put_uint(p, names_get(&f->t->state.mobs, m->name, m->len)->id);
}

static void
on_cell(void *priv, const struct combat_monster *m, unsigned cell, const int64_t n[COMBAT_COUNTERS])
{
	struct folding *f = priv;
	char *p = put_uint(put_head(batch_row(f->batch, PART_COMBAT, 512), f, m), cell);

	for (int i = 0; i < COMBAT_COUNTERS; i++)
		p = put_uint(p, (uint64_t)n[i]);
	p[-1] = '\n';
	batch_row_end(f->batch, PART_COMBAT, p);
}

static void
on_monster(void *priv, const struct combat_monster *m, const int64_t n[COMBAT_TALLIES])
{
	struct folding *f = priv;
	char *p = put_head(batch_row(f->batch, PART_COMBAT_MOBS, 256), f, m);

	for (int i = 0; i < COMBAT_TALLIES; i++)
		p = put_uint(p, (uint64_t)n[i]);
	p[-1] = '\n';
	batch_row_end(f->batch, PART_COMBAT_MOBS, p);
}

static void
on_totals(void *priv, const int64_t n[COMBAT_TOTALS])
{
	struct folding *f = priv;

	for (int i = 0; i < COMBAT_TOTALS; i++)
		f->known->sum[i] += n[i];
}

static enum combat_fold
fold(struct telemetry *t, struct batch *b, struct combat_waiting *w, struct combat_known *k)
{
	struct folding f = { t, b, k };
	const struct combat_sink sink = { .cell = on_cell, .monster = on_monster, .totals = on_totals, .priv = &f };
	size_t before = k->c.bytes;
	enum combat_fold how = combat_fold(&k->c, &w->c, &sink);

	t->combat.bytes += k->c.bytes - before;
	if (how == COMBAT_FULL || how == COMBAT_OLDER)
		return how;
	if (!k->changed)
		b->bytes += buf_size(&w->event);
	push_changed(queue_of(b), k);
	k->covered = combat_covers(&w->c, &k->c);
	k->seq = w->seq;
	k->rx_us = w->rx_us;
	buf_fini(&k->event);
	k->event = w->event;
	buf_init(&w->event, EVENT_TEXT);
	return how;
}

/* The row of a session: its last snapshot, and what else is known where that does not say it all. */
static void
put_session(struct batch *b, struct combat_known *k)
{
	struct buf rest = BUF_INIT(EVENT_TEXT);
	char *p;

	if (!k->covered)
		(void)combat_write(&k->c, &rest);    /* of bounded size, by its own limits */
	p = batch_row(b, PART_COMBAT_SESSIONS, 512 + 2 * buf_size(&k->event) + 2 * buf_size(&rest));
	p = put_uint(p, k->session->name.id);
	p = put_uint(p, k->session->character->name.id);
	p = k->c.at_us != COMBAT_NO_TIME ? put_time(p, k->c.at_us) : put_null(p);
	p = k->c.seq != COMBAT_NONE ? put_uint(p, (uint64_t)k->c.seq) : put_null(p);
	p = put_time(p, k->rx_us);
	for (int i = 0; i < COMBAT_TOTALS; i++)
		p = put_uint(p, (uint64_t)k->sum[i]);
	p = pg_copy_escape(p, buf_data(&k->event), buf_size(&k->event));
	*p++ = '\t';
	if (k->covered) {
		p = put_null(p);
	} else {
		p = pg_copy_escape(p, buf_data(&rest), buf_size(&rest));
		*p++ = '\t';
	}
	p[-1] = '\n';
	batch_row_end(b, PART_COMBAT_SESSIONS, p);
	buf_fini(&rest);
}

/* The sessions that the batch has changed so far. */
static void
put_changed(struct batch *b)
{
	struct combat_queue *q = queue_of(b);
	uint64_t to = b->to;

	for (size_t i = 0; i < q->n_changed; i++) {
		struct combat_known *k = q->changed[i];
		b->to = k->seq;              /* whose row it is */
		put_session(b, k);
		k->changed = 0;
		memset(k->sum, 0, sizeof k->sum);
		buf_fini(&k->event);
	}
	q->n_changed = 0;
	b->to = to;
}

/* Those that have waited for their sessions. */
static void
fold_queue(struct telemetry *t, struct batch *b)
{
	struct combat_queue *q = queue_of(b);
	int64_t now_ms = clock_mono_ms();
	uint64_t to = b->to;

	for (size_t i = 0; i < q->n; i++) {
		struct combat_waiting *w = &q->list[i];
		w->session->combat_queued--;
		b->to = w->seq;
		if (fold(t, b, w, known_of(&t->combat, w->session, now_ms)) == COMBAT_FULL)
			batch_dead_letter(b, w->seq, w->rx_us, REASON_TOO_MANY_NAMES, too_many, buf_data(&w->event), buf_size(&w->event));
	}
	b->to = to;
	put_changed(b);
	combat_queue_clear(q);
	trim(&t->combat, now_ms);
}

/* ---- taking ---- */

/* Monsters get their numbers and rows now, with this batch: later ones may know them by then. */
static enum reason
name_monsters(struct telemetry *t, struct batch *b, const struct combat *c)
{
	for (uint32_t i = 0; i < c->n_monsters; i++) {
		struct name *mob = state_mob(&t->state, c->monsters[i].name, c->monsters[i].len);
		if (mob == NULL)
			return REASON_TOO_MANY_NAMES;
		telemetry_save_mob(b, mob);
	}
	return REASON_COUNT;
}

static enum reason
read_event(struct telemetry *t, struct batch *b, const struct incoming *in, struct combat_waiting *w)
{
	const struct event *e = in->event;
	enum reason why;
	struct character *c = telemetry_character(t, e, &why);

	if (c == NULL)
		return why;
	if (combat_read(&w->c, event_body(e), &b->detail) == -1)
		return REASON_BAD_SHAPE;
	w->session = telemetry_session(t, c, in, event_get(e, "session_id"));
	if (w->session == NULL)
		return REASON_TOO_MANY_NAMES;
	why = name_monsters(t, b, &w->c);
	if (why != REASON_COUNT)
		return why;
	telemetry_save_character(b, c);
	w->c.at_us = in->own_us;
	w->seq = in->seq;
	w->rx_us = in->rx_us;
	buf_added(&w->event, event_write(e, EVENT_STRIP_RESERVED, buf_reserve(&w->event, e->len + 1)));
	return REASON_COUNT;
}

/* Folded now when all is known of its session: nothing can be known of one that begins here. */
static enum reason
take(struct telemetry *t, struct batch *b, struct combat_waiting *w)
{
	struct session *s = w->session;
	struct combat_known *k = s->combat;
	int64_t now_ms = clock_mono_ms();

	if (s->combat_queued == 0 && (!s->name.saved || (k != NULL && !k->wanted))) {
		k = known_of(&t->combat, s, now_ms);
		k->wanted = 0;
		telemetry_save_session(b, s);
		if (fold(t, b, w, k) != COMBAT_FULL)
			return REASON_COUNT;
		b->detail = too_many;
		return REASON_TOO_MANY_NAMES;
	}
	telemetry_save_session(b, s);
	b->bytes += buf_size(&w->event);
	push(queue_of(b), w);
	combat_init(&w->c);
	buf_init(&w->event, EVENT_TEXT);
	return REASON_COUNT;
}

enum reason
combat_add(void *state, struct batch *b, const struct incoming *in)
{
	struct telemetry *t = state;
	struct combat_waiting w = { .seq = 0 };
	enum reason why;

	if (in->replay && !t->count_replays)
		return REASON_COUNT;
	combat_init(&w.c);
	buf_init(&w.event, EVENT_TEXT);
	why = read_event(t, b, in, &w);
	if (why == REASON_COUNT)
		why = take(t, b, &w);
	combat_fini(&w.c);
	buf_fini(&w.event);
	return why;
}

/* ---- asking ---- */

static void
on_known(void *priv, const struct pg_row *row)
{
	struct combat_memory *m = priv;
	int column = pg_null(row, 4) ? 3 : 4;
	struct event_value body = { .kind = EVENT_OBJECT };
	struct combat_known *k;
	const char *why = "";
	size_t len, at;

	TAILQ_FOREACH(k, &m->list, link)
		if (k->wanted && k->session->name.id == (uint32_t)pg_int(row, 0, 0))
			break;
	if (k == NULL)
		return;
	m->bytes -= k->c.bytes;
	body.p = pg_text(row, column, &len);
	body.len = (uint32_t)len;
	if (event_check_json(body.p, len, &at) != EVENT_OK || combat_read(&k->c, body, &why) == -1) {
		log_warn("the last combat_stats of session %" PRIu32 " in the database is none: %s", k->session->name.id, why);
		combat_clear(&k->c);
	}
	k->c.at_us = pg_int(row, 1, COMBAT_NO_TIME);
	k->c.seq = pg_int(row, 2, COMBAT_NONE);
	k->wanted = 0;
	m->bytes += k->c.bytes;
}

static void
on_all_known(void *priv)
{
	struct combat_memory *m = priv;
	struct combat_known *k;

	TAILQ_FOREACH(k, &m->list, link)
		k->wanted = 0;               /* the others are new */
	fold_queue(m->asking.t, m->asking.batch);
	m->asking.db->done(m->asking.db->priv);
}

static void
on_error(void *priv, const struct pg_error *error)
{
	struct combat_memory *m = priv;

	m->asking.db->failed(m->asking.db->priv, error);
}

int
combat_ask(struct telemetry *t, struct batch *b, const struct sink_db *db)
{
	const struct combat_queue *q = queue_of(b);
	struct pg_calls calls = { .on_row = on_known, .on_done = on_all_known, .on_error = on_error, .priv = &t->combat };
	struct buf ids = BUF_INIT(1 << 20);
	int64_t now_ms = clock_mono_ms();
	const struct pg_error gone = { .lost = 1, .message = "", .context = "" };
	const char *list;
	int wanted = 0;

	put_changed(b);
	(void)buf_append(&ids, "{", 1);
	for (size_t i = 0; i < q->n; i++) {
		int again = q->list[i].session->combat != NULL;
		struct combat_known *k = known_of(&t->combat, q->list[i].session, now_ms);
		if (k->wanted && !again)
			(void)buf_printf(&ids, "%s%" PRIu32, wanted++ ? "," : "", k->session->name.id);
	}
	(void)buf_append(&ids, "}", 2);
	list = buf_data(&ids);
	t->combat.asking.t = t;
	t->combat.asking.batch = b;
	t->combat.asking.db = db;
	if (wanted == 0)
		fold_queue(t, b);
	else if (pg_query(db->pg, sql_load_combat, 1, &list, &calls) == 0)
		db->failed(db->priv, &gone);
	buf_fini(&ids);
	return wanted > 0;
}
