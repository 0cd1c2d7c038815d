#include "heatmap.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "clock/clock.h"
#include "heat/heat.h"
#include "log/log.h"
#include "mem/mem.h"
#include "params.h"
#include "roster/roster.h"
#include "routes.h"
#include "sql.h"
#include "stat/stat.h"

#define HOUR_US (INT64_C(3600) * 1000000)
#define WINDOW 168                   /* hours that may be asked for */
#define AHEAD 2                      /* clocks may be ahead */
#define LOAD_HOURS 12                /* of one query */
#define AGAIN_MS 1000                /* an hour that changes is read so often */
#define AGAIN_DOUBLED 5              /* one that is long over ever more rarely, while the store lags */
#define RETRY_MS 2000
#define CELLS_MAX 50000
#define BODY_MAX (16u << 20)
#define KEPT 8                       /* answers */
#define KEPT_MS 5000

struct slot {
	int64_t hour;                    /* 0: none */
	uint64_t wanted;                 /* changed up to this event; 0: not since it was read */
	int64_t due_ms;
	unsigned tries;                  /* that the table had not come so far */
};

struct kept {                            /* an answer that may serve the next who asks the same */
	struct http_body *body;
	int64_t hours, limit, mob, hour, made_ms;
	uint64_t version;
};

struct heatmap {
	struct pool *pool;
	struct heat *heat;
	struct slot slot[HEAT_HOURS];
	struct heat_hour loading[LOAD_HOURS];
	size_t n_loading;
	uint64_t query, version, read_to, newest;
	int64_t next_ms;
	int seeded;
	char *journal;
	char *trouble;                   /* of the last query: its SQLSTATE */
	int lacks_tables;                /* as was said */
	struct kept kept[KEPT];
	unsigned next_kept;
};

static int64_t
this_hour(void)
{
	return clock_wall_us() / HOUR_US;
}

static struct slot *
slot_of(struct heatmap *h, int64_t hour)
{
	return &h->slot[(uint64_t)hour % HEAT_HOURS];
}

static int
in_window(int64_t hour)
{
	int64_t now = this_hour();

	return hour >= now - WINDOW && hour <= now + AHEAD;
}

/* ---- which hours have to be read ---- */

static void
want(struct heatmap *h, int64_t hour, uint64_t seq)
{
	struct slot *s = slot_of(h, hour);

	if (s->hour != hour)
		*s = (struct slot){ .hour = hour };
	if (seq > s->wanted)
		s->wanted = seq;
}

void
heatmap_event(struct heatmap *h, const struct event *ev, uint64_t seq, int64_t rx_us)
{
	int64_t hour;

	if (seq > h->newest)
		h->newest = seq;
	if (!event_value_is(ev->type, "spawn"))
		return;
	hour = roster_event_time(ev, rx_us) / HOUR_US;
	if (in_window(hour))
		want(h, hour, seq);
}

void
heatmap_all(struct heatmap *h, uint64_t seq)
{
	int64_t hour, now = this_hour();

	if (seq > h->newest)
		h->newest = seq;
	for (hour = now - WINDOW; hour <= now + AHEAD; hour++)
		want(h, hour, seq > 0 ? seq : 1);
}

static int
is_due(const struct slot *s, int64_t now_ms)
{
	return s->wanted > 0 && now_ms >= s->due_ms;
}

/* The newest first: that is where something happens. */
static void
choose(struct heatmap *h, int64_t now_ms)
{
	int64_t hour, now = this_hour();

	h->n_loading = 0;
	for (hour = now + AHEAD; hour >= now - WINDOW && h->n_loading < LOAD_HOURS; hour--) {
		struct slot *s = slot_of(h, hour);

		if (s->hour == hour && is_due(s, now_ms))
			h->loading[h->n_loading++] = (struct heat_hour){ .hour = hour };
	}
}

/* ---- reading them ---- */

static void
drop_loading(struct heatmap *h)
{
	while (h->n_loading > 0)
		heat_hour_fini(&h->loading[--h->n_loading]);
}

static void
on_row(void *priv, const struct pg_row *row)
{
	struct heatmap *h = priv;
	int64_t hour = pg_int(row, 0, -2);
	size_t i;

	if (hour == -1) {
		h->read_to = (uint64_t)pg_int(row, 4, 0);
		return;
	}
	for (i = 0; i < h->n_loading; i++)
		if (h->loading[i].hour == hour)
			heat_hour_add(&h->loading[i], (int)pg_int(row, 1, INT32_MAX), (int)pg_int(row, 2, INT32_MAX), pg_int(row, 3, 0), pg_int(row, 4, 0));
}

static void
settle(struct heatmap *h, struct slot *s, int64_t now_ms)
{
	if (s->wanted <= h->read_to || s->wanted == 1)
		s->wanted = s->tries = 0;
	else if (s->hour < this_hour() - 1 && s->tries < AGAIN_DOUBLED)
		s->tries++;
	s->due_ms = now_ms + (AGAIN_MS << s->tries);
}

static int
all_read(struct heatmap *h)
{
	int64_t hour, now = this_hour();

	for (hour = now - WINDOW; hour <= now; hour++)
		if (!heat_has(h->heat, hour))
			return 0;
	return 1;
}

static void
on_done(void *priv)
{
	struct heatmap *h = priv;
	int64_t now_ms = clock_mono_ms();
	size_t i;

	h->query = 0;
	for (i = 0; i < h->n_loading; i++) {
		settle(h, slot_of(h, h->loading[i].hour), now_ms);
		heat_put(h->heat, &h->loading[i]);
	}
	h->n_loading = 0;
	h->version++;
	h->next_ms = h->seeded ? now_ms + AGAIN_MS : 0;
	if (h->lacks_tables)
		log_info("the database has its tables now");
	h->lacks_tables = 0;
	free(h->trouble);
	h->trouble = NULL;
	if (h->seeded)
		return;
	if (all_read(h)) {
		h->seeded = 1;
		log_debug("heat map: %zu bytes", heat_bytes(h->heat));
	} else
		heatmap_tick(h, now_ms, h->journal);
}

static void
on_error(void *priv, const struct pg_error *e)
{
	struct heatmap *h = priv;

	h->query = 0;
	drop_loading(h);
	h->next_ms = clock_mono_ms() + RETRY_MS;
	if (answer_lacks_tables(e->sqlstate) && !h->lacks_tables) {
		log_info("the database has no tables yet: dt-store makes them");
		h->lacks_tables = 1;
	}
	free(h->trouble);
	h->trouble = xstrdup(e->sqlstate);
}

static void
load(struct heatmap *h)
{
	struct pg_calls calls = { .on_row = on_row, .on_done = on_done, .on_error = on_error, .priv = h, .stream = 1, .prepare = 1 };
	struct buf hours = BUF_INIT(4096);
	const char *params[2];
	size_t i;

	for (i = 0; i < h->n_loading; i++)
		(void)buf_printf(&hours, "%c%" PRId64, i == 0 ? '{' : ',', h->loading[i].hour);
	(void)buf_append(&hours, "}", 2);
	params[0] = buf_data(&hours);
	params[1] = h->journal;
	h->query = pool_query(h->pool, POOL_LONG, sql_spawn_cells, 2, params, &calls);
	if (h->query == 0)
		drop_loading(h);
	buf_fini(&hours);
}

/* Hours come into the window by themselves. */
static void
slide(struct heatmap *h)
{
	int64_t hour, now = this_hour();

	heat_forget(h->heat, now - WINDOW);
	for (hour = now - WINDOW; hour <= now; hour++)
		if (slot_of(h, hour)->hour != hour)
			want(h, hour, h->newest > 0 ? h->newest : 1);
}

void
heatmap_tick(struct heatmap *h, int64_t now_ms, const char *journal)
{
	if (h->query != 0 || now_ms < h->next_ms || !pool_up(h->pool))
		return;
	if (h->journal == NULL || (h->journal != journal && strcmp(h->journal, journal) != 0)) {
		free(h->journal);
		h->journal = xstrdup(journal);
	}
	slide(h);
	choose(h, now_ms);
	if (h->n_loading > 0)
		load(h);
}

/* ---- answers ---- */

struct question {
	struct heatmap *h;
	struct http_req *req;            /* NULL: it has gone */
	int64_t hours, limit, mob;
	uint64_t query;
};

static struct http_body *
find_kept(struct heatmap *h, const struct question *q)
{
	int64_t now_ms = clock_mono_ms(), hour = this_hour();
	unsigned i;

	for (i = 0; i < KEPT; i++) {
		struct kept *k = &h->kept[i];

		if (k->body != NULL && k->hours == q->hours && k->limit == q->limit && k->mob == q->mob && k->hour == hour && k->version == h->version &&
		    now_ms - k->made_ms < KEPT_MS)
			return k->body;
	}
	return NULL;
}

static struct http_body *
make(struct heatmap *h, const struct question *q)
{
	struct kept *k = &h->kept[h->next_kept++ % KEPT];
	struct buf b = BUF_INIT(BODY_MAX);
	char now[CLOCK_ISO_SIZE];
	int64_t hour = this_hour();
	uint64_t events;
	size_t points;
	int bad;

	clock_format_iso(clock_wall_us(), now);
	bad = buf_appends(&b, "{\"spawn_points\":[");
	bad |= heat_write(h->heat, hour - q->hours, hour + AHEAD, q->mob, (size_t)q->limit, &b, &points, &events);
	bad |= buf_printf(&b, "],\"total_points\":%zu,\"total_events\":%" PRIu64 ",\"hours_window\":%" PRId64 ",\"timestamp\":\"%s\"}", points, events, q->hours, now);
	http_body_drop(&k->body);
	if (!bad)
		*k = (struct kept){ .body = http_body_new("application/json", &b), .hours = q->hours, .limit = q->limit, .mob = q->mob,
		    .hour = hour, .made_ms = clock_mono_ms(), .version = h->version };
	buf_fini(&b);
	return k->body;
}

static void
reply(struct heatmap *h, const struct question *q)
{
	struct http_body *body = find_kept(h, q);

	if (body == NULL && (body = make(h, q)) == NULL) {
		http_reply_error(q->req, 500, "too_large", "the answer is too large");
		return;
	}
	http_reply_header(q->req, "cache-control", "no-cache");
	http_reply_body(q->req, body);
}

static void
mob_row(void *priv, const struct pg_row *row)
{
	struct question *q = priv;

	q->mob = pg_int(row, 0, -2);
}

static void
mob_done(void *priv)
{
	struct question *q = priv;

	reply(q->h, q);
	free(q);
}

static void
mob_error(void *priv, const struct pg_error *e)
{
	struct question *q = priv;

	answer_error(q->req, e);
	free(q);
}

static void
mob_gone(void *priv)
{
	struct question *q = priv;

	pool_cancel(q->h->pool, q->query);
	free(q);
}

static void
reply_for_mob(struct heatmap *h, const struct question *asked, const char *mob)
{
	struct question *q = xcalloc(1, sizeof(*q));
	struct pg_calls calls = { .on_row = mob_row, .on_done = mob_done, .on_error = mob_error, .priv = q, .prepare = 1 };

	*q = *asked;
	q->mob = -2;                     /* no such monster */
	if ((q->query = pool_query(h->pool, POOL_QUICK, sql_mob_id, 1, &mob, &calls)) == 0) {
		answer_error(q->req, NULL);
		free(q);
		return;
	}
	http_defer(q->req, mob_gone, q);
}

static void
refuse_unseeded(const struct heatmap *h, struct http_req *req)
{
	struct pg_error e = { .message = "", .context = "" };

	if (!pool_up(h->pool))
		answer_error(req, NULL);
	else if (h->trouble != NULL) {
		snprintf(e.sqlstate, sizeof(e.sqlstate), "%s", h->trouble);
		answer_error(req, &e);
	} else {
		(*stat_cell(STAT_SERVE_REJECTED, "not_ready"))++;
		http_reply_header(req, "retry-after", "1");
		http_reply_error(req, 503, "not_ready", "the heat map is being read from the database; try again in a moment");
	}
}

void
heatmap_answer(struct heatmap *h, struct http_req *req)
{
	static const char *const known[] = { "hours", "limit", "mob", NULL };
	struct question q = { .h = h, .req = req, .mob = HEAT_ALL_MOBS };
	const char *mob;

	if (params_known(req, known) == -1 || params_int(req, "hours", 1, WINDOW, 24, &q.hours) == -1 ||
	    params_int(req, "limit", 1, CELLS_MAX, CELLS_MAX, &q.limit) == -1 || params_text(req, "mob", ROUTES_NAME_BYTES, &mob) == -1)
		return;
	if (!h->seeded)
		refuse_unseeded(h, req);
	else if (mob != NULL)
		reply_for_mob(h, &q, mob);
	else
		reply(h, &q);
}

struct heatmap *
heatmap_new(struct pool *pool)
{
	struct heatmap *h = xcalloc(1, sizeof(*h));

	h->pool = pool;
	h->heat = heat_new();
	return h;
}

void
heatmap_free(struct heatmap **hp)
{
	struct heatmap *h = *hp;
	unsigned i;

	if (h == NULL)
		return;
	drop_loading(h);
	for (i = 0; i < KEPT; i++)
		http_body_drop(&h->kept[i].body);
	heat_free(&h->heat);
	free(h->trouble);
	free(h->journal);
	free(h);
	*hp = NULL;
}
