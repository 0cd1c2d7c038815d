/* Running one query: prepare, send, COPY, results. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "mem/mem.h"
#include "pg/pg_int.h"

#define COPY_CHUNK 65536

/* Each of these returns -1 when the connection is lost. */

static int
prepared_index(const struct pg *pg, const char *sql)
{
	for (int i = 0; i < pg->n_prepared; i++)
		if (strcmp(pg->prepared[i], sql) == 0)
			return i;
	return -1;
}

static int
send_params(struct pg *pg, struct query *q)
{
	const char *const *param = (const char *const *)q->param;
	char name[16];
	int at = -1;

	if (q->calls.prepare) {
		at = prepared_index(pg, q->sql);
		snprintf(name, sizeof name, "q%d", at >= 0 ? at : pg->n_prepared);
		if (at < 0 && pg->n_prepared < PG_PREPARED_MAX) {
			pg->phase = PREPARING;
			return PQsendPrepare(pg->conn, name, q->sql, q->n, NULL);
		}
	}
	pg->phase = RUNNING;
	if (at >= 0)
		return PQsendQueryPrepared(pg->conn, name, q->n, param, NULL, NULL, 0);
	return PQsendQueryParams(pg->conn, q->sql, q->n, NULL, param, NULL, NULL, 0);
}

static int
send_query(struct pg *pg)
{
	struct query *q = pg->cur;
	int ok;

	pg->phase = RUNNING;
	ok = q->simple ? PQsendQuery(pg->conn, q->sql) : send_params(pg, q);
	if (ok && q->calls.stream && pg->phase == RUNNING)
		PQsetSingleRowMode(pg->conn);
	return ok ? 0 : -1;
}

static int
start_next(struct pg *pg)
{
	pg->cur = pg_dequeue(pg);
	if (pg->cur == NULL)
		return 0;
	pg->failed = pg->copying = pg->next_piece = 0;
	pg->sqlstate[0] = '\0';
	pg->cur_deadline = pg_deadline(pg, pg->now_ms);
	return send_query(pg) == 0 ? 1 : -1;
}

static void
keep_error(struct pg *pg, const PGresult *res)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);

	if (pg->failed)
		return;
	pg->failed = 1;
	snprintf(pg->sqlstate, sizeof pg->sqlstate, "%s", state ? state : "");
	pg_set_text(&pg->message, text ? text : PQresultErrorMessage(res));
	pg_set_text(&pg->context, PQresultErrorField(res, PG_DIAG_CONTEXT));
}

/* The next piece of a COPY.  1: all sent, 0: the socket is full, -1: lost. */
static int
feed_copy(struct pg *pg)
{
	const struct pg_piece *piece = &pg->cur->piece[pg->next_piece];
	size_t n;
	int r;

	while (pg->piece_off < piece->len) {
		n = piece->len - pg->piece_off < COPY_CHUNK ? piece->len - pg->piece_off : COPY_CHUNK;
		if ((r = PQputCopyData(pg->conn, piece->p + pg->piece_off, (int)n)) < 0)
			return -1;
		pg->piece_off += r > 0 ? n : 0;
		if (r == 0 || (r = PQflush(pg->conn)) > 0) {
			pg->want_write = 1;
			return 0;
		}
		if (r < 0)
			return -1;
	}
	if ((r = PQputCopyEnd(pg->conn, NULL)) <= 0) {
		pg->want_write = 1;
		return r;
	}
	pg->copying = 0;
	pg->next_piece++;
	return 1;
}

static void
hand_rows(struct pg *pg, const PGresult *res)
{
	struct pg_row row = { .res = res };
	int n = PQntuples(res);

	for (; row.row < n && pg->drop_why == NULL; row.row++) {
		if (pg->cur->cancelled || pg->cur->calls.on_row == NULL)
			return;
		pg->cur->calls.on_row(pg->cur->calls.priv, &row);
	}
}

static int
take_result(struct pg *pg, const PGresult *res)
{
	switch (PQresultStatus(res)) {
	case PGRES_SINGLE_TUPLE:
	case PGRES_TUPLES_OK:
		hand_rows(pg, res);
		return 0;
	case PGRES_COPY_IN:
		assert(pg->cur->simple);
		if (pg->next_piece >= pg->cur->n)
			return PQputCopyEnd(pg->conn, "no data for this COPY") < 0 ? -1 : 0;
		pg->copying = 1;
		pg->piece_off = 0;
		return 0;
	case PGRES_COPY_OUT:
	case PGRES_COPY_BOTH:
		return -1;
	case PGRES_FATAL_ERROR:
	case PGRES_BAD_RESPONSE:
		keep_error(pg, res);
		return 0;
	default:
		return 0;
	}
}

static void
tell_idle(struct pg *pg)
{
	if (pg->n_queued == 0 && pg->config.on_idle != NULL)
		pg->config.on_idle(pg->config.priv);
}

static int
finish_query(struct pg *pg)
{
	struct query *q = pg->cur;
	int lost;

	if (pg->phase == PREPARING && !pg->failed && !q->cancelled) {
		pg->prepared[pg->n_prepared++] = xstrdup(q->sql);
		return send_query(pg);
	}
	/* The server says 57P01…57P03 when it shuts down, just before the connection ends. */
	lost = PQstatus(pg->conn) == CONNECTION_BAD || (pg->failed && strncmp(pg->sqlstate, "57P", 3) == 0);
	if (lost || (pg->failed && q->internal))
		return -1;
	pg->cur = NULL;
	pg->paused = 0;
	pg->told = strlen(PQerrorMessage(pg->conn));
	if (pg->failed) {
		pg_fail_query(pg, q, pg->sqlstate, pg->message, pg->context, 0);
		tell_idle(pg);
		return 0;
	}
	assert(!q->simple || pg->next_piece == q->n || q->cancelled);
	pg->n_queued--;
	if (q->internal)
		pg_setup_done(pg);
	else if (q->calls.on_done != NULL && !q->cancelled)
		q->calls.on_done(q->calls.priv);
	pg_query_free(q);
	tell_idle(pg);
	return 0;
}

int
pg_step(struct pg *pg)
{
	PGresult *res;
	int r;

	while (pg->drop_why == NULL) {
		if (pg->cur == NULL && (r = start_next(pg)) <= 0)
			return r;
		if ((pg->want_write = PQflush(pg->conn)) < 0)
			return -1;
		if (pg->copying) {
			if ((r = feed_copy(pg)) <= 0)
				return r;
			continue;            /* its end may not be flushed yet */
		}
		if (pg->paused || PQisBusy(pg->conn))
			return 0;
		res = PQgetResult(pg->conn);
		r = res != NULL ? take_result(pg, res) : finish_query(pg);
		PQclear(res);
		if (r < 0)
			return -1;
	}
	return 0;
}

int
pg_columns(const struct pg_row *row)
{
	return PQnfields(row->res);
}

const char *
pg_column_name(const struct pg_row *row, int column)
{
	return PQfname(row->res, column);
}

int
pg_null(const struct pg_row *row, int column)
{
	return PQgetisnull(row->res, row->row, column);
}

const char *
pg_text(const struct pg_row *row, int column, size_t *len)
{
	if (len != NULL)
		*len = (size_t)PQgetlength(row->res, row->row, column);
	return PQgetvalue(row->res, row->row, column);
}
