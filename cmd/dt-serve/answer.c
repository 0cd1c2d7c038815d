#include "answer.h"

#include <stdlib.h>
#include <string.h>

#include "log/log.h"
#include "mem/mem.h"
#include "stat/stat.h"

#define OUT_MAX (64u << 20)
#define OUT_HIGH (8u << 20)          /* over this the database waits */
#define OUT_LOW (1u << 20)
#define CHUNK 65536u

struct answer {
	struct pg *pg;
	struct http_req *req;            /* NULL: it has gone */
	uint64_t query;                  /* 0: over */
	struct answer_shape shape;
	struct buf out;
	int64_t rows, sum;
	int begun, more, paused;
};

static void
answer_free(struct answer *a)
{
	if (a->paused)
		pg_pause(a->pg, 0);
	if (a->shape.done != NULL)
		a->shape.done(a->shape.priv);
	buf_fini(&a->out);
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
		pg_pause(a->pg, 0);
	}
	if (buf_size(&a->out) == 0 && a->query == 0)
		http_stream_end(req);
}

static void
on_gone(void *priv)
{
	struct answer *a = priv;

	a->req = NULL;
	if (a->query != 0)
		pg_cancel(a->pg, a->query);
	answer_free(a);
}

static void
begin(struct answer *a)
{
	if (a->begun)
		return;
	a->begun = 1;
	http_reply_header(a->req, "cache-control", "no-store");
	http_stream(a->req, 200, a->shape.prefix != NULL ? "application/json" : "text/csv; charset=utf-8", on_more, on_gone, a);
}

/* ---- from the database ---- */

static void
put_json_row(struct answer *a, const struct pg_row *row)
{
	int i, n = pg_columns(row);

	for (i = 0; i < n; i++) {
		size_t len;
		const char *text = pg_text(row, i, &len);

		(void)buf_printf(&a->out, "%s\"%s\":", i > 0 ? "," : a->rows > 0 ? ",{" : "{", pg_column_name(row, i));
		if (pg_null(row, i) || (a->shape.kinds[i] == 'n' && strpbrk(text, "NnIi") != NULL))
			(void)buf_appends(&a->out, "null");
		else if (a->shape.kinds[i] == 'n')
			(void)buf_append(&a->out, text, len);
		else
			(void)buf_append_json(&a->out, text, len);
	}
	(void)buf_append(&a->out, "}", 1);
}

static void
put_csv(struct answer *a, const char *text)
{
	if (strpbrk(text, "\",\r\n") == NULL) {
		(void)buf_appends(&a->out, text);
		return;
	}
	(void)buf_append(&a->out, "\"", 1);
	for (; *text != '\0'; text++)
		(void)buf_append(&a->out, *text == '"' ? "\"\"" : text, *text == '"' ? 2 : 1);
	(void)buf_append(&a->out, "\"", 1);
}

static void
put_csv_row(struct answer *a, const struct pg_row *row)
{
	int i, n = pg_columns(row);

	for (i = 0; i < n && a->rows == 0; i++) {
		(void)buf_appends(&a->out, i > 0 ? "," : "");
		put_csv(a, pg_column_name(row, i));
	}
	if (a->rows == 0)
		(void)buf_appends(&a->out, "\r\n");
	for (i = 0; i < n; i++) {
		(void)buf_appends(&a->out, i > 0 ? "," : "");
		put_csv(a, pg_text(row, i, NULL));
	}
	(void)buf_appends(&a->out, "\r\n");
}

static void
on_row(void *priv, const struct pg_row *row)
{
	struct answer *a = priv;

	if (a->shape.limit > 0 && a->rows == a->shape.limit) {
		a->more = 1;
		return;
	}
	begin(a);
	if (a->rows == 0 && a->shape.prefix != NULL)
		(void)buf_appends(&a->out, a->shape.prefix);
	if (a->shape.prefix != NULL)
		put_json_row(a, row);
	else
		put_csv_row(a, row);
	a->rows++;
	if (a->shape.sum_column >= 0)
		a->sum += pg_int(row, a->shape.sum_column, 0);
	if (!a->paused && buf_size(&a->out) > OUT_HIGH) {
		a->paused = 1;
		pg_pause(a->pg, 1);
	}
	if (buf_size(&a->out) > CHUNK / 4)
		http_stream_wake(a->req);
}

static void
on_done(void *priv)
{
	struct answer *a = priv;

	a->query = 0;
	begin(a);
	if (a->shape.prefix != NULL) {
		if (a->rows == 0)
			(void)buf_appends(&a->out, a->shape.prefix);
		a->shape.suffix(a->shape.priv, a->rows, a->sum, a->more, &a->out);
	}
	http_stream_wake(a->req);
}

static void
refuse_away(struct http_req *req)
{
	(*stat_cell(STAT_SERVE_REJECTED, "database_away"))++;
	http_reply_header(req, "retry-after", "5");
	http_reply_error(req, 503, "database_away", "the database is away; what is live goes on without it");
}

/* Before the first row there is a proper answer; after it the text just ends, which no reader takes for JSON. */
static void
on_error(void *priv, const struct pg_error *e)
{
	struct answer *a = priv;
	struct http_req *req = a->req;

	a->query = 0;
	if (!e->lost)
		log_warn("a query failed: %s %s", e->sqlstate, e->message);
	if (a->begun) {
		http_stream_wake(req);
		return;
	}
	if (e->lost)
		refuse_away(req);
	else if (strcmp(e->sqlstate, "57014") == 0) {
		http_reply_header(req, "retry-after", "30");
		http_reply_error(req, 503, "too_slow", "the database took too long; ask for less");
	} else if (strncmp(e->sqlstate, "42", 2) == 0 || strncmp(e->sqlstate, "3F", 2) == 0) {
		http_reply_header(req, "retry-after", "5");
		http_reply_error(req, 503, "database_not_ready", "the database has no tables yet: dt-store makes them");
	} else
		http_reply_error(req, 500, "internal", "the query failed");
	a->req = NULL;
	answer_free(a);
}

void
answer_query(struct pg *pg, struct http_req *req, const char *sql, int n_params, const char *const *params, const struct answer_shape *shape)
{
	struct answer *a = xcalloc(1, sizeof(*a));
	struct pg_calls calls = { .on_row = on_row, .on_done = on_done, .on_error = on_error, .priv = a, .stream = 1 };

	*a = (struct answer){ .pg = pg, .req = req, .shape = *shape };
	buf_init(&a->out, OUT_MAX);
	if ((a->query = pg_query(pg, sql, n_params, params, &calls)) == 0) {
		refuse_away(req);
		answer_free(a);
		return;
	}
	http_defer(req, on_gone, a);
}
