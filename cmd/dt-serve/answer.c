#include "answer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "log/log.h"
#include "mem/mem.h"
#include "rowtext.h"
#include "stat/stat.h"

#define OUT_MAX (64u << 20)
#define OUT_HIGH (8u << 20)          /* over this the database waits */
#define OUT_LOW (1u << 20)
#define WHOLE_MAX (256u << 10)       /* up to this an answer goes out whole */
#define CHUNK 65536u

struct answer {
	struct pool *pool;
	struct http_req *req;            /* NULL: it has gone */
	uint64_t query;                  /* 0: over */
	struct answer_shape shape;
	struct rowtext text;
	struct buf out;
	int64_t rows, sum;
	int64_t step_rows;               /* that the running query has given */
	void (*seen)(void *priv, const struct pg_row *);
	char *cursor;
	int streaming, more, paused, broken;
	int next_waits;                  /* the next query is run when the reader has taken more */
};

static void run_next(struct answer *);

static void
answer_free(struct answer *a)
{
	if (a->shape.done != NULL)
		a->shape.done(a->shape.priv);
	rowtext_fini(&a->text);
	buf_fini(&a->out);
	free(a->cursor);
	free(a);
}

/* ---- towards the browser ---- */

static void
on_more(void *priv, struct http_req *req)
{
	struct answer *a = priv;
	size_t n = buf_size(&a->out) < CHUNK ? buf_size(&a->out) : CHUNK;

	http_stream_write(req, buf_data(&a->out), n);
	buf_consume(&a->out, n);
	if (a->paused && buf_size(&a->out) < OUT_LOW) {
		a->paused = 0;
		pool_pause(a->pool, a->query, 0);
	}
	if (a->next_waits && buf_size(&a->out) < OUT_LOW)
		run_next(a);
	if (buf_size(&a->out) == 0 && a->query == 0 && !a->next_waits) {
		if (a->broken)
			http_stream_abort(req);
		else
			http_stream_end(req);
	}
}

static void
on_gone(void *priv)
{
	struct answer *a = priv;

	a->req = NULL;
	if (a->query != 0)
		pool_cancel(a->pool, a->query);
	answer_free(a);
}

static const char *
content_type(const struct answer *a)
{
	return a->text.csv ? "text/csv; charset=utf-8" : "application/json";
}

static void
stream(struct answer *a)
{
	if (a->streaming) {
		http_stream_wake(a->req);
		return;
	}
	a->streaming = 1;
	http_reply_header(a->req, "cache-control", "no-store");
	http_stream(a->req, 200, content_type(a), on_more, on_gone, a);
}

/* The request is answered and no longer ours. */
static void
settle(struct answer *a)
{
	a->req = NULL;
	answer_free(a);
}

/* ---- from the database ---- */

static void
keep_cursor(struct answer *a, const struct pg_row *row)
{
	int column = rowtext_cursor(&a->text);

	if (column < 0)
		return;
	free(a->cursor);
	a->cursor = xstrdup(pg_text(row, column, NULL));
}

static void
on_row(void *priv, const struct pg_row *row)
{
	struct answer *a = priv;

	a->step_rows++;
	if (a->seen != NULL) {
		a->seen(a->shape.priv, row);
		return;
	}
	if (a->shape.limit > 0 && a->rows == a->shape.limit) {
		a->more = 1;
		return;
	}
	if ((a->shape.is_object || a->shape.is_document) && a->rows > 0)
		return;
	if (a->shape.is_document) {
		size_t len;
		const char *text = pg_text(row, 0, &len);

		(void)buf_append(&a->out, text, len);
		a->rows++;
		return;
	}
	if (a->rows == 0 && a->shape.prefix != NULL)
		(void)buf_appends(&a->out, a->shape.prefix);
	rowtext_put(&a->text, row, a->rows == 0, &a->out);
	a->rows++;
	if (a->shape.on_row != NULL)
		a->shape.on_row(a->shape.priv, row);
	if (a->rows == a->shape.limit)
		keep_cursor(a, row);
	if (a->shape.sum_column >= 0)
		a->sum += pg_int(row, a->shape.sum_column, 0);
	if (!a->paused && buf_size(&a->out) > OUT_HIGH) {
		a->paused = 1;
		pool_pause(a->pool, a->query, 1);
	}
	if (buf_size(&a->out) > (a->streaming ? CHUNK / 4 : WHOLE_MAX))
		stream(a);
}

static void
put_end(struct answer *a)
{
	struct answer_end end = { .rows = a->rows, .sum = a->sum, .more = a->more, .cursor = a->more ? a->cursor : NULL };

	if (a->shape.is_object || a->shape.is_document || a->text.csv)
		return;
	if (a->rows == 0 && a->shape.prefix != NULL)
		(void)buf_appends(&a->out, a->shape.prefix);
	if (a->shape.suffix != NULL) {
		a->shape.suffix(a->shape.priv, &end, &a->out);
		return;
	}
	(void)buf_printf(&a->out, "],\"count\":%" PRId64 ",\"more\":%s", end.rows, end.more ? "true" : "false");
	if (rowtext_cursor(&a->text) >= 0) {
		(void)buf_appends(&a->out, ",\"cursor\":");
		if (end.cursor != NULL)
			(void)buf_append_json(&a->out, end.cursor, strlen(end.cursor));
		else
			(void)buf_appends(&a->out, "null");
	}
	(void)buf_appends(&a->out, "}");
}

static void
reply_whole(struct answer *a, const char *body, size_t len)
{
	http_reply_header(a->req, "cache-control", a->shape.status == 0 ? "no-cache" : "no-store");
	if (a->shape.status == 204)
		http_reply(a->req, 204, NULL, "", 0);
	else if (a->shape.status != 0)
		http_reply(a->req, a->shape.status, content_type(a), body, len);
	else
		http_reply_cached(a->req, content_type(a), body, len);
}

static void
finish(struct answer *a)
{
	if (a->rows == 0 && a->shape.missing != NULL) {
		http_reply_error(a->req, a->shape.missing_status != 0 ? a->shape.missing_status : 404, a->shape.missing_status != 0 ? "refused" : "not_found", "%s", a->shape.missing);
		settle(a);
		return;
	}
	put_end(a);
	if (a->streaming) {
		http_stream_wake(a->req);
		return;
	}
	reply_whole(a, buf_size(&a->out) > 0 ? buf_data(&a->out) : "", buf_size(&a->out));
	settle(a);
}

static void
on_done(void *priv)
{
	struct answer *a = priv;

	a->query = 0;
	if (a->shape.next == NULL || a->more)
		finish(a);
	else if (buf_size(&a->out) > OUT_LOW && a->streaming)
		a->next_waits = 1;
	else
		run_next(a);
}

static void
refuse(struct http_req *req, const char *code, const char *retry_s, const char *text)
{
	(*stat_cell(STAT_SERVE_REJECTED, code))++;
	http_reply_header(req, "retry-after", retry_s);
	http_reply_error(req, 503, code, "%s", text);
}

int
answer_lacks_tables(const char *sqlstate)
{
	return strcmp(sqlstate, "42P01") == 0 || strcmp(sqlstate, "3F000") == 0;
}

void
answer_error(struct http_req *req, const struct pg_error *e)
{
	if (e == NULL || e->lost)
		refuse(req, "database_away", "5", "the database is away; what is live goes on without it");
	else if (strcmp(e->sqlstate, "57014") == 0 || strcmp(e->sqlstate, "55P03") == 0)
		refuse(req, "too_slow", "30", "the database took too long; ask for less");
	else if (strcmp(e->sqlstate, "53300") == 0)
		refuse(req, "busy", "2", "too many questions wait for the database; try again in a moment");
	else if (strncmp(e->sqlstate, "42", 2) == 0 || strncmp(e->sqlstate, "3F", 2) == 0)
		refuse(req, "database_not_ready", "5", "the database lacks tables: dt-store makes them");
	else
		http_reply_error(req, 500, "internal", "the query failed");
}

/* Before the first byte there is a proper answer; after it the connection is cut, so that nobody takes half for the whole. */
static void
on_error(void *priv, const struct pg_error *e)
{
	struct answer *a = priv;

	a->query = 0;
	if (!e->lost && !answer_lacks_tables(e->sqlstate))
		log_warn("a query failed: %s %s", e->sqlstate, e->message);
	if (a->streaming) {
		a->broken = 1;
		http_stream_wake(a->req);
		return;
	}
	answer_error(a->req, e);
	settle(a);
}

/* 0, or -1: the database is away. */
static int
run(struct answer *a, const char *sql, int n_params, const char *const *params)
{
	struct pg_calls calls = {
		.on_row = on_row, .on_done = on_done, .on_error = on_error, .priv = a, .stream = a->shape.is_long && a->shape.next == NULL, .prepare = 1
	};

	a->step_rows = 0;
	a->query = pool_query(a->pool, a->shape.is_long ? POOL_LONG : POOL_QUICK, sql, n_params, params, &calls);
	return a->query != 0 ? 0 : -1;
}

static void
run_next(struct answer *a)
{
	static const struct pg_error away = { .lost = 1, .message = "", .context = "" };
	struct answer_step step = { .sql = NULL };

	a->next_waits = 0;
	if (!a->shape.next(a->shape.priv, a->step_rows, &step)) {
		finish(a);
		return;
	}
	a->seen = step.seen;
	if (run(a, step.sql, step.n, step.params) == -1)
		on_error(a, &away);
}

static struct answer *
answer_new(struct pool *pool, struct http_req *req, const struct answer_shape *shape)
{
	struct answer *a = xcalloc(1, sizeof(*a));

	*a = (struct answer){ .pool = pool, .req = req, .shape = *shape };
	rowtext_init(&a->text, shape->kinds != NULL ? shape->kinds : "", shape->prefix == NULL && !shape->is_object && !shape->is_document);
	if (shape->is_object || shape->is_document)
		a->shape.prefix = NULL;
	buf_init(&a->out, OUT_MAX);
	return a;
}

void
answer_query(struct pool *pool, struct http_req *req, const char *sql, int n_params, const char *const *params, const struct answer_shape *shape)
{
	struct answer *a = answer_new(pool, req, shape);

	if (run(a, sql, n_params, params) == -1) {
		answer_error(req, NULL);
		settle(a);
		return;
	}
	http_defer(req, on_gone, a);
}

void
answer_queries(struct pool *pool, struct http_req *req, const struct answer_shape *shape)
{
	struct answer *a = answer_new(pool, req, shape);

	http_defer(req, on_gone, a);
	run_next(a);
}

void
answer_json(struct http_req *req, struct buf *b, int bad)
{
	http_reply_header(req, "cache-control", "no-cache");
	if (bad)
		http_reply_error(req, 500, "too_large", "the answer is too large");
	else
		http_reply_cached(req, "application/json", buf_data(b), buf_size(b));
	buf_fini(b);
}

int
answer_wants_csv(struct http_req *req)
{
	const char *accept = http_req_header(req, "accept");

	http_reply_header(req, "vary", "accept");
	return accept != NULL && strstr(accept, "text/csv") != NULL;
}
