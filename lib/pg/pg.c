/* The queue of queries, and what callers ask. */
#include "pg/pg.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "clock/clock.h"
#include "log/log.h"
#include "mem/mem.h"
#include "pg/pg_int.h"

void
pg_set_text(char **at, const char *text)
{
	char *p, *copy = xstrdup(text ? text : "");

	for (p = copy + strlen(copy); p > copy && (p[-1] == '\n' || p[-1] == ' '); p--)
		p[-1] = '\0';
	for (p = copy; *p; p++)
		if (*p == '\n' || *p == '\t')
			*p = ' ';
	free(*at);
	*at = copy;
}

int64_t
pg_deadline(const struct pg *pg, int64_t now_ms)
{
	int64_t own_ms = pg->cur != NULL ? pg->cur->calls.timeout_ms : 0;

	return now_ms + (own_ms > 0 ? own_ms : pg->config.timeout_ms) + PG_GRACE_MS;
}

/* ---- the queue ---- */

void
pg_query_free(struct query *q)
{
	if (q->param != NULL)
		for (int i = 0; i < q->n; i++)
			free(q->param[i]);
	free(q->param);
	free(q->piece);
	free(q->sql);
	free(q);
}

struct query *
pg_enqueue(struct pg *pg, const char *sql, const struct pg_calls *calls)
{
	struct query *q = xcalloc(1, sizeof *q);

	q->id = ++pg->next_id;
	q->sql = xstrdup(sql);
	if (calls != NULL)
		q->calls = *calls;
	*pg->tail = q;
	pg->tail = &q->next;
	pg->n_queued++;
	pg->pollable.deadline_ms = 0;        /* begin in the next turn, not in the caller's frame */
	return q;
}

struct query *
pg_dequeue(struct pg *pg)
{
	struct query *q = pg->queue;

	if (q == NULL)
		return NULL;
	pg->queue = q->next;
	if (pg->queue == NULL)
		pg->tail = &pg->queue;
	return q;
}

uint64_t
pg_query(struct pg *pg, const char *sql, int n_params, const char *const *params, const struct pg_calls *calls)
{
	struct query *q;

	if (!pg_up(pg))
		return 0;
	q = pg_enqueue(pg, sql, calls);
	q->n = n_params;
	q->param = xcalloc((size_t)n_params, sizeof *q->param);
	for (int i = 0; i < n_params; i++)
		q->param[i] = params[i] ? xstrdup(params[i]) : NULL;
	return q->id;
}

uint64_t
pg_exec(struct pg *pg, const char *sql, int n_pieces, const struct pg_piece *pieces, const struct pg_calls *calls)
{
	struct query *q;

	if (!pg_up(pg))
		return 0;
	q = pg_enqueue(pg, sql, calls);
	q->simple = 1;
	q->n = n_pieces;
	q->piece = xcalloc((size_t)n_pieces, sizeof *q->piece);
	if (n_pieces > 0)
		memcpy(q->piece, pieces, (size_t)n_pieces * sizeof *q->piece);
	return q->id;
}

/* libpq knows only a blocking way, and a server that hangs would hang us: it has a thread to itself. */
static void *
cancel_thread(void *c)
{
	char error[256];

	(void)PQcancel(c, error, sizeof error);
	PQfreeCancel(c);
	return NULL;
}

static void
tell_server_to_stop(struct pg *pg)
{
	PGcancel *c = PQgetCancel(pg->conn);
	pthread_attr_t attr;
	pthread_t thread;

	if (c == NULL)
		return;
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attr, cancel_thread, c) != 0)
		PQfreeCancel(c);             /* statement_timeout stops it later */
	(void)pthread_attr_destroy(&attr);
}

void
pg_cancel(struct pg *pg, uint64_t id)
{
	struct query **at, *q;

	if (id == 0)
		return;
	if (pg->cur != NULL && pg->cur->id == id) {
		pg->cur->cancelled = 1;
		tell_server_to_stop(pg);
		return;
	}
	for (at = &pg->queue; (q = *at) != NULL; at = &q->next) {
		if (q->id != id)
			continue;
		*at = q->next;
		if (*at == NULL)
			pg->tail = at;
		pg->n_queued--;
		pg_query_free(q);
		return;
	}
}

size_t
pg_queued(const struct pg *pg)
{
	return pg->n_queued;
}

void
pg_fail_query(struct pg *pg, struct query *q, const char *sqlstate, const char *message, const char *context, int lost)
{
	struct pg_error error = { .lost = lost, .message = message, .context = context };

	pg->n_queued--;
	strcpy(error.sqlstate, sqlstate);
	if (q->cancelled || q->internal)
		;
	else if (q->calls.on_error != NULL)
		q->calls.on_error(q->calls.priv, &error);
	else
		log_warn("query failed: %s (%.60s)", message, q->sql);
	pg_query_free(q);
}

/* ---- the rest of the interface ---- */

struct pg *
pg_new(const struct pg_config *config)
{
	struct pg *pg = xcalloc(1, sizeof *pg);

	pg->config = *config;
	pg->config.url = xstrdup(config->url);
	pg->config.password = config->password && *config->password ? xstrdup(config->password) : NULL;
	pg->config.name = xstrdup(config->name);
	pg->config.what = xstrdup(config->what ? config->what : "database");
	pg->config.setup = config->setup ? xstrdup(config->setup) : NULL;
	if (pg->config.timeout_ms == 0)
		pg->config.timeout_ms = 10000;
	pg_check_url(config->url);
	pg->backoff_ms = PG_BACKOFF_MIN_MS;
	pg->tail = &pg->queue;
	pg_set_text(&pg->why, "not connected yet");
	pg->pollable = (struct pollable){ .fd = -1, .deadline_ms = 0, .handle = pg_handle };
	return pg;
}

void
pg_free(struct pg **pgp)
{
	struct pg *pg = *pgp;
	struct query *q;

	if (pg == NULL)
		return;
	*pgp = NULL;
	if (pg->cur != NULL)
		pg_query_free(pg->cur);
	while ((q = pg_dequeue(pg)) != NULL)
		pg_query_free(q);
	PQfinish(pg->conn);
	pg_forget_prepared(pg);
	free((void *)pg->config.url);
	free((void *)pg->config.password);
	free((void *)pg->config.name);
	free((void *)pg->config.what);
	free((void *)pg->config.setup);
	free(pg->drop_why);
	free(pg->why);
	free(pg->message);
	free(pg->context);
	free(pg);
}

struct pollable *
pg_pollable(struct pg *pg)
{
	return &pg->pollable;
}

int
pg_up(const struct pg *pg)
{
	return pg->ready && pg->drop_why == NULL;
}

const char *
pg_why(const struct pg *pg)
{
	return pg->why;
}

uint64_t
pg_reconnects(const struct pg *pg)
{
	return pg->reconnects;
}

int
pg_backend(const struct pg *pg)
{
	return pg->backend;
}

void
pg_drop(struct pg *pg, const char *why)
{
	if (pg->state == DOWN)
		return;
	pg_set_text(&pg->drop_why, why);
	pg->pollable.deadline_ms = 0;
}

void
pg_pause(struct pg *pg, int on)
{
	if (pg->cur == NULL || pg->paused == on)
		return;
	pg->paused = on;
	pg->cur_deadline = pg_deadline(pg, clock_mono_ms());
	pg->pollable.deadline_ms = 0;        /* also: rows that libpq has already read wait for nobody's POLLIN */
}

