#include "pg/pg.h"

#include <assert.h>
#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "clock/clock.h"
#include "log/log.h"
#include "mem/mem.h"

#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 2000
#define STABLE_MS 5000               /* up for so long: the next loss begins with the shortest wait again */
#define GRACE_MS 2000                /* the server's own timeout gets so much longer before we stop believing in it */
#define COPY_CHUNK 65536
#define PREPARED_MAX 64

enum state { DOWN, CONNECTING, UP };
enum phase { PREPARING, RUNNING };

struct query {
	struct query *next;
	uint64_t id;
	char *sql;
	int simple;                  /* several statements and COPY allowed; no parameters */
	int n;                       /* parameters or pieces */
	char **param;
	struct pg_piece *piece;
	struct pg_calls calls;
	int internal, cancelled;
};

struct pg {
	struct pollable pollable;    /* first: handle() casts back */
	struct pg_config config;
	PGconn *conn;
	enum state state;
	int ready;                   /* setup has run */
	int said_away, was_up;
	int64_t up_since, backoff_ms, now_ms;
	int64_t cur_deadline;        /* when the running query is given up */
	char *drop_why, *why;
	uint64_t next_id, reconnects;
	int backend;

	struct query *queue, **tail;
	size_t n_queued;
	struct query *cur;
	enum phase phase;
	int copying, want_write, paused;
	int next_piece;
	size_t piece_off;
	int failed;                  /* the running query met an error: */
	char sqlstate[6];
	char *message, *context;
	char *prepared[PREPARED_MAX];
	int n_prepared;
};

static void
set_text(char **at, const char *text)
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

/* ---- the queue ---- */

static void
query_free(struct query *q)
{
	if (q->param != NULL)
		for (int i = 0; i < q->n; i++)
			free(q->param[i]);
	free(q->param);
	free(q->piece);
	free(q->sql);
	free(q);
}

static struct query *
enqueue(struct pg *pg, const char *sql, const struct pg_calls *calls)
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

static struct query *
dequeue(struct pg *pg)
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
	q = enqueue(pg, sql, calls);
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
	q = enqueue(pg, sql, calls);
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
		query_free(q);
		return;
	}
}

size_t
pg_queued(const struct pg *pg)
{
	return pg->n_queued;
}

static void
fail_query(struct pg *pg, struct query *q, const char *sqlstate, const char *message, const char *context, int lost)
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
	query_free(q);
}

/* ---- connecting and losing ---- */

static void
forget_prepared(struct pg *pg)
{
	while (pg->n_prepared > 0)
		free(pg->prepared[--pg->n_prepared]);
}

/* Whatever state it is in: back to waiting for the next try. */
static void
lose(struct pg *pg, const char *message)
{
	int was_ready = pg->ready;
	struct query *q;

	set_text(&pg->why, message);
	PQfinish(pg->conn);
	pg->conn = NULL;
	forget_prepared(pg);
	pg->state = DOWN;
	pg->ready = pg->copying = pg->want_write = pg->paused = 0;
	pg->pollable.fd = -1;
	pg->pollable.events = 0;
	if (was_ready && pg->now_ms - pg->up_since >= STABLE_MS)
		pg->backoff_ms = BACKOFF_MIN_MS;
	pg->pollable.deadline_ms = pg->now_ms + pg->backoff_ms / 2 + arc4random_uniform((uint32_t)pg->backoff_ms);
	if (pg->backoff_ms < BACKOFF_MAX_MS)
		pg->backoff_ms = pg->backoff_ms * 2 < BACKOFF_MAX_MS ? pg->backoff_ms * 2 : BACKOFF_MAX_MS;
	if (!pg->said_away)
		log_warn("%s is away: %s; trying again", pg->config.what, pg->why);
	pg->said_away = 1;
	if ((q = pg->cur) != NULL) {
		pg->cur = NULL;
		fail_query(pg, q, pg->failed ? pg->sqlstate : "", pg->failed ? pg->message : pg->why, "", 1);
	}
	while ((q = dequeue(pg)) != NULL)
		fail_query(pg, q, "", pg->why, "", 1);
	if (was_ready && pg->config.on_down != NULL)
		pg->config.on_down(pg->config.priv, pg->why);
}

static void
quiet_notice(void *priv, const char *message)
{
	(void)priv;
	log_debug("database: %s", message);
}

static int
url_has_password(const char *url)
{
	PQconninfoOption *o, *all = PQconninfoParse(url, NULL);
	int has = 0;

	if (all == NULL)                     /* libpq's own words could show a password */
		die(EX_CONFIG, "the database URL is not one that PostgreSQL understands");
	for (o = all; o->keyword != NULL; o++)
		if (strcmp(o->keyword, "password") == 0 && o->val != NULL && *o->val)
			has = 1;
	PQconninfoFree(all);
	return has;
}

static void
connect_start(struct pg *pg)
{
	const char *key[8], *value[8];
	int n = 0;

#define PARAM(k, v) (key[n] = (k), value[n++] = (v))
	PARAM("dbname", pg->config.url);
	PARAM("fallback_application_name", pg->config.name);
	PARAM("client_encoding", "UTF8");
	PARAM("tcp_user_timeout", "10000");
	if (pg->config.password != NULL && !url_has_password(pg->config.url))
		PARAM("password", pg->config.password);
#undef PARAM
	key[n] = value[n] = NULL;
	pg->conn = PQconnectStartParams(key, value, 1);
	if (pg->conn == NULL || PQstatus(pg->conn) == CONNECTION_BAD) {
		lose(pg, pg->conn ? PQerrorMessage(pg->conn) : "out of memory");
		return;
	}
	PQsetNoticeProcessor(pg->conn, quiet_notice, NULL);
	pg->state = CONNECTING;
	pg->pollable.fd = PQsocket(pg->conn);
	pg->pollable.events = POLLOUT;
	pg->pollable.deadline_ms = pg->now_ms + pg->config.timeout_ms;
}

static void
queue_setup(struct pg *pg)
{
	char *sql = xasprintf("set statement_timeout = %lld; set timezone = 'UTC'; set datestyle = 'ISO'; %s",
	    (long long)pg->config.timeout_ms, pg->config.setup ? pg->config.setup : "");
	struct query *q = enqueue(pg, sql, NULL);

	q->simple = q->internal = 1;
	free(sql);
}

static void
connect_poll(struct pg *pg)
{
	switch (PQconnectPoll(pg->conn)) {
	case PGRES_POLLING_READING:
		pg->pollable.events = POLLIN;
		break;
	case PGRES_POLLING_WRITING:
		pg->pollable.events = POLLOUT;
		break;
	case PGRES_POLLING_OK:
		pg->state = UP;
		pg->backend = PQbackendPID(pg->conn);
		if (PQsetnonblocking(pg->conn, 1) != 0) {
			lose(pg, PQerrorMessage(pg->conn));
			return;
		}
		queue_setup(pg);
		return;
	default:
		lose(pg, PQerrorMessage(pg->conn));
		return;
	}
	pg->pollable.fd = PQsocket(pg->conn);       /* another one when it tries the next address */
}

static void
setup_done(struct pg *pg)
{
	pg->ready = 1;
	pg->up_since = pg->now_ms;
	if (pg->said_away && pg->was_up)
		log_info("%s is back", pg->config.what);
	else if (pg->said_away)
		log_info("%s is there", pg->config.what);
	if (pg->was_up)
		pg->reconnects++;
	pg->said_away = 0;
	pg->was_up = 1;
	set_text(&pg->why, "");
	if (pg->config.on_up != NULL)
		pg->config.on_up(pg->config.priv);
}

/* ---- running a query: each of these returns -1 when the connection is lost ---- */

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
		if (at < 0 && pg->n_prepared < PREPARED_MAX) {
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
	pg->cur = dequeue(pg);
	if (pg->cur == NULL)
		return 0;
	pg->failed = pg->copying = pg->next_piece = 0;
	pg->sqlstate[0] = '\0';
	pg->cur_deadline = pg->now_ms + pg->config.timeout_ms + GRACE_MS;
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
	set_text(&pg->message, text ? text : PQresultErrorMessage(res));
	set_text(&pg->context, PQresultErrorField(res, PG_DIAG_CONTEXT));
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

struct pg_row { const PGresult *res; int row; };

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
	if (pg->failed) {
		fail_query(pg, q, pg->sqlstate, pg->message, pg->context, 0);
		return 0;
	}
	assert(!q->simple || pg->next_piece == q->n || q->cancelled);
	pg->n_queued--;
	if (q->internal)
		setup_done(pg);
	else if (q->calls.on_done != NULL && !q->cancelled)
		q->calls.on_done(q->calls.priv);
	query_free(q);
	return 0;
}

static int
step(struct pg *pg)
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

static const char *
last_words(struct pg *pg)
{
	const char *said = PQerrorMessage(pg->conn);

	if (pg->failed && pg->cur != NULL)
		return pg->message;
	return *said ? said : "the connection was closed";
}

static void
work(struct pg *pg, short revents)
{
	if (revents != 0 || pg->paused)      /* something moves: the server is alive */
		pg->cur_deadline = pg->now_ms + pg->config.timeout_ms + GRACE_MS;
	if (((revents & (POLLIN | POLLHUP | POLLERR)) && !PQconsumeInput(pg->conn)) || step(pg) < 0) {
		lose(pg, last_words(pg));
		return;
	}
	if (pg->cur != NULL && pg->now_ms >= pg->cur_deadline) {
		lose(pg, "it does not answer");
		return;
	}
	pg->pollable.fd = PQsocket(pg->conn);
	pg->pollable.events = (short)((pg->paused ? 0 : POLLIN) | (pg->want_write ? POLLOUT : 0));
	pg->pollable.deadline_ms = pg->cur != NULL && !pg->paused ? pg->cur_deadline : CLOCK_NEVER;
}

static void
handle(struct pollable *pollable, short revents, int64_t now_ms)
{
	struct pg *pg = (struct pg *)pollable;
	char *why;

	pg->now_ms = now_ms;
	if (pg->drop_why == NULL && pg->state == UP)
		work(pg, revents);
	else if (pg->drop_why == NULL && pg->state == CONNECTING && revents != 0)
		connect_poll(pg);
	else if (pg->drop_why == NULL && pg->state == CONNECTING && now_ms >= pollable->deadline_ms)
		lose(pg, "connecting takes too long");
	else if (pg->drop_why == NULL && pg->state == DOWN && now_ms >= pollable->deadline_ms)
		connect_start(pg);
	if ((why = pg->drop_why) != NULL) {
		pg->drop_why = NULL;
		if (pg->state != DOWN)
			lose(pg, why);
		free(why);
	}
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
	(void)url_has_password(config->url);
	pg->backoff_ms = BACKOFF_MIN_MS;
	pg->tail = &pg->queue;
	set_text(&pg->why, "not connected yet");
	pg->pollable = (struct pollable){ .fd = -1, .deadline_ms = 0, .handle = handle };
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
		query_free(pg->cur);
	while ((q = dequeue(pg)) != NULL)
		query_free(q);
	PQfinish(pg->conn);
	forget_prepared(pg);
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
	set_text(&pg->drop_why, why);
	pg->pollable.deadline_ms = 0;
}

void
pg_pause(struct pg *pg, int on)
{
	if (pg->cur == NULL || pg->paused == on)
		return;
	pg->paused = on;
	pg->cur_deadline = clock_mono_ms() + pg->config.timeout_ms + GRACE_MS;
	pg->pollable.deadline_ms = 0;        /* also: rows that libpq has already read wait for nobody's POLLIN */
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
