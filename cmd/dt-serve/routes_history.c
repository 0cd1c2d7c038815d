/* GET /history: stored telemetry, every row or by steps of the roll-ups. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "clock/clock.h"
#include "mem/mem.h"
#include "params.h"
#include "routes.h"
#include "sql.h"

#define SECOND_US INT64_C(1000000)
#define DAY_US (86400 * SECOND_US)
#define KINDS "ztnnnnntnnntttnnnnnc"
#define ROWS_MAX 1000000
#define ROWS_DEFAULT 10000
#define AUTO_ROWS 10000              /* bucket=auto: about so many at the most */
#define ROW_S 2                      /* a character's telemetry comes every so many seconds */
#define CENSUS_MS 30000
#define CHARACTERS_GUESS 60          /* before the first census */
#define CHUNK_ROWS 8192              /* of a query */
#define SPAN_ROWS_MIN 1024           /* a span is as long as so many rows would fill, when fewer are asked for, too */
#define RARER_MAX 32                 /* rows may be so much rarer than characters would send them; rarer still and a query may find far more than it asks for */
#define SEEK_TIER_S 3600             /* the finest that is kept for ever */

/* Rows of all characters lie by time in blocks: a query over the whole range would sort it all for its first page.  So the range is read in spans, each as
 * long as the rows that it asks for may fill; each is quick, and between them a slow reader holds no connection. */
struct history {
	int64_t from_us, to_us;          /* of the running query */
	int64_t end_us;
	int64_t row_us, row_max_us;      /* a row fills so much of a span, as far as known; at the most */
	int64_t found_us;                /* where there are rows again, of a query that looks for them; -1: nowhere */
	int seeks;                       /* the running query does */
	int64_t after_us;                /* last row of the running span */
	int64_t after_id;                /* -1: none yet */
	int64_t last_us, last_id;        /* last row of the answer, for its cursor */
	int64_t asked, left;             /* rows: by the running query, still wanted */
	int64_t step_s;                  /* 0: every row */
	char *character;
	char text[8][CLOCK_ISO_SIZE];    /* parameters */
};

/* ---- queries ---- */

static int
tier_of(int64_t step_s)
{
	return step_s % 21600 == 0 ? 21600 : step_s % 3600 == 0 ? 3600 : step_s % 600 == 0 ? 600 : 60;
}

/* The span gave n rows, fewer than it was asked for. */
static void
adapt(struct history *h, int64_t n)
{
	int64_t asked = h->asked > SPAN_ROWS_MIN ? h->asked : SPAN_ROWS_MIN;

	if (n < asked / 8)
		h->row_us *= 4;
	else if (n < asked / 2)
		h->row_us *= 2;
	if (h->row_us > h->row_max_us)
		h->row_us = h->row_max_us;
}

/* Steps are whole: those that begin in the range. */
static int64_t
round_up(int64_t us, int64_t step_us)
{
	int64_t since = us - INT64_C(946684800) * SECOND_US, over = (since % step_us + step_us) % step_us;

	return over == 0 ? us : us + step_us - over;
}

/* The next span, long enough for the rows that it is asked for. */
static int
span(struct history *h, int64_t from_us)
{
	h->from_us = from_us;
	h->asked = h->left < CHUNK_ROWS ? h->left + 1 : CHUNK_ROWS;
	h->to_us = h->from_us + (h->asked > SPAN_ROWS_MIN ? h->asked : SPAN_ROWS_MIN) * h->row_us;
	if (h->step_s > 0)
		h->to_us = round_up(h->to_us, h->step_s * SECOND_US);
	if (h->to_us > h->end_us)
		h->to_us = h->end_us;
	return h->from_us < h->end_us;
}

/* Where the next query begins: behind the last row when this one was full, else with the next span; after one without a row it first looks for where there
 * are some: the range may begin in 1970.  0: the range is done. */
static int
move_on(struct history *h, int64_t n)
{
	if (h->asked == 0)
		return span(h, h->from_us);
	if (h->seeks) {
		h->seeks = 0;
		return h->found_us != -1 && span(h, h->found_us > h->to_us ? h->found_us : h->to_us);
	}
	if (n >= h->asked) {
		h->after_us = h->last_us;
		h->after_id = h->last_id;
		h->asked = h->left < CHUNK_ROWS ? h->left + 1 : CHUNK_ROWS;
		return 1;
	}
	h->after_id = -1;
	adapt(h, n);
	h->seeks = n == 0 && h->to_us < h->end_us;
	return h->seeks || span(h, h->to_us);
}

static void
on_found(void *priv, const struct pg_row *row)
{
	struct history *h = priv;
	size_t len;
	const char *at = pg_text(row, 0, &len);

	if (clock_parse_iso(at, len, &h->found_us) == -1)
		h->found_us = -1;
}

static void
seek(struct history *h, struct answer_step *q)
{
	int64_t tier_s = h->step_s == 0 ? SEEK_TIER_S : tier_of(h->step_s);

	h->found_us = -1;
	q->sql = h->character != NULL ? sql_history_seek_one : sql_history_seek;
	q->n = h->character != NULL ? 4 : 3;
	/* a row may lie anywhere in its bucket */
	q->params[0] = params_time_text(h->step_s == 0 ? h->to_us - tier_s * SECOND_US + 1 : h->to_us, h->text[0]);
	q->params[1] = params_time_text(h->end_us, h->text[1]);
	snprintf(h->text[2], sizeof(h->text[2]), "%" PRId64, tier_s);
	q->params[2] = h->text[2];
	q->params[3] = h->character;
	q->seen = on_found;
}

static int
next(void *priv, int64_t n, struct answer_step *q)
{
	struct history *h = priv;
	int tier = tier_of(h->step_s);

	if (!move_on(h, n))
		return 0;
	if (h->seeks) {
		seek(h, q);
		return 1;
	}
	q->sql = h->step_s == 0 ? sql_history_raw : tier == h->step_s ? sql_history_tier : sql_history_steps;
	q->n = h->step_s == 0 ? 6 : tier == h->step_s ? 7 : 8;
	q->params[0] = params_time_text(h->from_us, h->text[0]);
	q->params[1] = params_time_text(h->to_us, h->text[1]);
	q->params[2] = h->character;
	snprintf(h->text[3], sizeof(h->text[3]), "%" PRId64, h->asked);
	q->params[3] = h->text[3];
	q->params[4] = h->after_id >= 0 ? params_time_text(h->after_us, h->text[4]) : NULL;
	snprintf(h->text[5], sizeof(h->text[5]), "%" PRId64, h->after_id);
	q->params[5] = h->after_id >= 0 ? h->text[5] : NULL;
	snprintf(h->text[6], sizeof(h->text[6]), "%d", tier);
	q->params[6] = h->text[6];
	snprintf(h->text[7], sizeof(h->text[7]), "%" PRId64, h->step_s);
	q->params[7] = h->text[7];
	return 1;
}

static void
on_row(void *priv, const struct pg_row *row)
{
	struct history *h = priv;
	size_t len;
	const char *at = pg_text(row, 0, &len);

	(void)clock_parse_iso(at, len, &h->last_us);
	h->last_id = pg_int(row, (int)sizeof(KINDS) - 2, 0);
	h->left--;
}

static void
suffix(void *priv, const struct answer_end *end, struct buf *out)
{
	struct history *h = priv;

	(void)buf_printf(out, "],\"count\":%" PRId64 ",\"more\":%s,\"cursor\":", end->rows, end->more ? "true" : "false");
	if (end->more)
		(void)buf_printf(out, "\"%" PRId64 "-%" PRId64 "\"", h->last_us, h->last_id);
	else
		(void)buf_appends(out, "null");
	(void)buf_printf(out, ",\"step_s\":%" PRId64 "}", h->step_s);
}

static void
done(void *priv)
{
	struct history *h = priv;

	free(h->character);
	free(h);
}

/* ---- parameters ---- */

/* The smallest step that gives about AUTO_ROWS at the most; 0: every row. */
static int64_t
auto_step(const struct history *h, size_t characters)
{
	static const int64_t steps[] = { 60, 120, 600, 1800, 3600, 10800, 21600, 43200, 86400 };
	int64_t wanted = (h->end_us - h->from_us) / SECOND_US * (int64_t)(h->character != NULL || characters == 0 ? 1 : characters) / AUTO_ROWS;
	size_t i;

	if (wanted < ROW_S)
		return 0;
	for (i = 0; i + 1 < sizeof(steps) / sizeof(steps[0]) && steps[i] < wanted; i++)
		;
	return steps[i];
}

static int
read_bucket(const struct routes *r, struct http_req *req, struct history *h)
{
	const char *text = http_req_query(req, "bucket");

	if (text != NULL && strcmp(text, "auto") == 0)
		h->step_s = auto_step(h, r->characters);
	else if (params_seconds(req, "bucket", &h->step_s) == -1)
		return -1;
	if (h->step_s > 0) {
		h->from_us = round_up(h->from_us, h->step_s * SECOND_US);
		h->end_us = round_up(h->end_us, h->step_s * SECOND_US);
	}
	return 0;
}

static int
read_cursor(struct http_req *req, struct history *h)
{
	if (params_cursor(req, "cursor", &h->after_us, &h->after_id) == -1)
		return -1;
	if (h->after_id > INT32_MAX)
		return params_refuse(req, "cursor", "the cursor of an earlier answer");
	if (h->after_id >= 0 && h->after_us > h->from_us)
		h->from_us = h->after_us;
	return 0;
}

static int
read_params(struct routes *r, struct http_req *req, struct history *h)
{
	static const char *const known[] = { "from", "to", "character", "limit", "bucket", "cursor", NULL };
	int64_t now_us = clock_wall_us();
	const char *character;

	if (params_known(req, known) == -1 || params_range(req, DAY_US, now_us, &h->from_us, &h->end_us) == -1 ||
	    params_text(req, "character", ROUTES_NAME_BYTES, &character) == -1 || params_int(req, "limit", 1, ROWS_MAX, ROWS_DEFAULT, &h->left) == -1)
		return -1;
	h->character = character != NULL ? xstrdup(character) : NULL;
	return read_bucket(r, req, h) == -1 || read_cursor(req, h) == -1 ? -1 : 0;
}

static void
set_row_time(struct history *h, size_t characters)
{
	int64_t one_us = (h->step_s > 0 ? h->step_s : ROW_S) * SECOND_US;

	h->row_us = h->character != NULL ? one_us : one_us / (int64_t)(characters > 0 ? characters : CHARACTERS_GUESS) + 1;
	h->row_max_us = h->row_us * RARER_MAX;
}

static void
on_history(void *priv, struct http_req *req)
{
	struct routes *r = priv;
	struct history *h = xcalloc(1, sizeof(*h));
	struct answer_shape shape = {
		.prefix = "{\"data\":[", .kinds = KINDS, .sum_column = -1, .is_long = 1, .suffix = suffix, .done = done, .next = next, .on_row = on_row, .priv = h
	};

	h->after_id = -1;
	if (read_params(r, req, h) == -1) {
		done(h);
		return;
	}
	shape.limit = h->left;
	set_row_time(h, r->characters);
	if (answer_wants_csv(req))
		shape.prefix = NULL;
	answer_queries(r->pool, req, &shape);
}

/* ---- how many characters there are, for bucket=auto ---- */

static void
census_row(void *priv, const struct pg_row *row)
{
	struct routes *r = priv;

	r->characters = (size_t)pg_int(row, 0, 0);
}

static void
census_error(void *priv, const struct pg_error *e)
{
	(void)priv;
	(void)e;                         /* asked again */
}

void
history_tick(struct routes *r, int64_t now_ms)
{
	struct pg_calls calls = { .on_row = census_row, .on_error = census_error, .priv = r, .prepare = 1 };

	if (now_ms < r->census_ms || !pool_up(r->pool))
		return;
	r->census_ms = now_ms + CENSUS_MS;
	(void)pool_query(r->pool, POOL_QUICK, sql_census, 0, NULL, &calls);
}

const struct route routes_history[] = {
	{ "GET", "/history", on_history },
	ROUTE_END
};
