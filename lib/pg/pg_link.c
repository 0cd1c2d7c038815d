/* The connection: made, lost and made again. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "clock/clock.h"
#include "log/log.h"
#include "mem/mem.h"
#include "pg/pg_int.h"

#define BACKOFF_MAX_MS 2000
#define STABLE_MS 5000               /* up for so long: the next loss begins with the shortest wait again */

void
pg_forget_prepared(struct pg *pg)
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

	pg_set_text(&pg->why, message);
	PQfinish(pg->conn);
	pg->conn = NULL;
	pg_forget_prepared(pg);
	pg->state = DOWN;
	pg->ready = pg->copying = pg->want_write = pg->paused = 0;
	pg->pollable.fd = -1;
	pg->pollable.events = 0;
	if (was_ready && pg->now_ms - pg->up_since >= STABLE_MS)
		pg->backoff_ms = PG_BACKOFF_MIN_MS;
	pg->pollable.deadline_ms = pg->now_ms + pg->backoff_ms / 2 + arc4random_uniform((uint32_t)pg->backoff_ms);
	if (pg->backoff_ms < BACKOFF_MAX_MS)
		pg->backoff_ms = pg->backoff_ms * 2 < BACKOFF_MAX_MS ? pg->backoff_ms * 2 : BACKOFF_MAX_MS;
	if (!pg->said_away && !pg->config.quiet)
		log_warn("%s is away: %s; trying again", pg->config.what, pg->why);
	pg->said_away = 1;
	if ((q = pg->cur) != NULL) {
		pg->cur = NULL;
		pg_fail_query(pg, q, pg->failed ? pg->sqlstate : "", pg->failed ? pg->message : pg->why, "", 1);
	}
	while ((q = pg_dequeue(pg)) != NULL)
		pg_fail_query(pg, q, "", pg->why, "", 1);
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

void
pg_check_url(const char *url)
{
	(void)url_has_password(url);
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
	pg->told = 0;
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
	struct query *q = pg_enqueue(pg, sql, NULL);

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

void
pg_setup_done(struct pg *pg)
{
	pg->ready = 1;
	pg->up_since = pg->now_ms;
	if (pg->said_away && !pg->config.quiet)
		log_info("%s is %s", pg->config.what, pg->was_up ? "back" : "there");
	if (pg->was_up)
		pg->reconnects++;
	pg->said_away = 0;
	pg->was_up = 1;
	pg_set_text(&pg->why, "");
	if (pg->config.on_up != NULL)
		pg->config.on_up(pg->config.priv);
}

/* libpq keeps what it said of the last query until there is a next one, and adds to it. */
static const char *
last_words(struct pg *pg)
{
	const char *said = PQerrorMessage(pg->conn);

	if (strlen(said) >= pg->told)
		said += pg->told;
	if (pg->failed && pg->cur != NULL)
		return pg->message;
	return *said ? said : "the connection was closed";
}

static void
work(struct pg *pg, short revents)
{
	if (revents != 0 || pg->paused)      /* something moves: the server is alive */
		pg->cur_deadline = pg_deadline(pg, pg->now_ms);
	if (((revents & (POLLIN | POLLHUP | POLLERR)) && !PQconsumeInput(pg->conn)) || pg_step(pg) < 0) {
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

void
pg_handle(struct pollable *pollable, short revents, int64_t now_ms)
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
