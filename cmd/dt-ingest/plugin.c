/* The plugins' connections: authentication, frames in, limits and back-pressure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock/clock.h"
#include "door.h"
#include "event/event.h"
#include "gate.h"
#include "geo/geo.h"
#include "log/log.h"
#include "secret/secret.h"
#include "stat/stat.h"

#define ROOM_MIN (EVENT_LINE_MAX + (256u << 10))     /* held below: whatever has been read still fits, and what we say ourselves */

enum { PAUSED_BUS = 1, PAUSED_RATE = 2, PAUSED_STOP = 4 };

static struct door *D;                   /* libs give each connection one pointer: the connection */

/* ---- reading or not ---- */

static void
pause_set(struct roll_conn *c, unsigned why, int on)
{
	unsigned was = c->paused;

	c->paused = on ? was | why : was & ~why;
	if (c->ws != NULL && !was != !c->paused)
		http_ws_pause(c->ws, c->paused != 0);
}

static void
pause_all(struct door *d, unsigned why, int on)
{
	struct roll_conn *c;

	for (c = roll_first(d->roll); c != NULL; c = LIST_NEXT(c, link))
		pause_set(c, why, on);
}

static void
hold(struct door *d)
{
	if (d->held || bus_pub_room(d->pub) >= ROOM_MIN)
		return;
	d->held = 1;
	*stat_cell(STAT_INGEST_HELD, "bus") += 1;
	log_warn("%ju events wait for the bus: the plugins are held back", (uintmax_t)bus_pub_unacked(d->pub));
	pause_all(d, PAUSED_BUS, 1);
}

static void
release(struct door *d)
{
	if (!d->held || bus_pub_room(d->pub) < ROOM_MIN + (d->buffer - ROOM_MIN) / 4)
		return;
	d->held = 0;
	log_info("the bus takes events again: the plugins are read on");
	pause_all(d, PAUSED_BUS, 0);
}

static void
charge(struct roll_conn *c, size_t len)
{
	int64_t now = http_now(D->http), wait = limit_take(&c->messages, &D->messages, 1, now), wait_bytes = limit_take(&c->bytes, &D->bytes, (double)len, now);

	if (wait_bytes > wait)
		wait = wait_bytes;
	if (wait == 0 || c->paused & PAUSED_RATE)
		return;
	*stat_cell(STAT_INGEST_HELD, "rate") += 1;
	c->resume_ms = now + wait;
	if (c->resume_ms < D->resume.deadline_ms)
		D->resume.deadline_ms = c->resume_ms;
	pause_set(c, PAUSED_RATE, 1);
}

static void
on_resume(struct pollable *p, short revents, int64_t now_ms)
{
	struct roll_conn *c;

	(void)revents;
	p->deadline_ms = CLOCK_NEVER;
	for (c = roll_first(D->roll); c != NULL; c = LIST_NEXT(c, link)) {
		if (!(c->paused & PAUSED_RATE))
			continue;
		if (c->resume_ms <= now_ms)
			pause_set(c, PAUSED_RATE, 0);
		else if (c->resume_ms < p->deadline_ms)
			p->deadline_ms = c->resume_ms;
	}
}

/* ---- what a frame tells of its sender ---- */

static void
keep_word(char to[ROLL_WORD_SIZE], struct event_value v)
{
	char word[ROLL_WORD_SIZE];

	if (event_string(v, word, sizeof(word)) > 0)
		memcpy(to, word, sizeof(word));
}

static void
keep_tag(struct roll_name *n, const struct event *e)
{
	n->tag[0] = '\0';
	keep_word(n->tag, event_get(e, "char_tag"));
}

static void
keep_landblock(struct roll_conn *c, const struct event *e)
{
	struct event_value v = event_get(e, "landcell");
	char text[16];
	long n = event_string(v, text, sizeof(text));
	uint16_t block;

	if (n > 0 && geo_parse_landblock(text, (size_t)n, &block) == 0)
		c->landblock = block;
}

static void
keep_share(struct roll_conn *c, struct roll_name *n, const struct event *e)
{
	struct event_value id = event_get(e, "player_id");

	keep_word(c->server, event_get(e, "server"));
	if (n == NULL)
		return;
	n->shares_sent++;
	memcpy(n->server, c->server, sizeof(n->server));
	n->shares = !event_value_is(e->type, "share_goodbye");
	if (id.kind == EVENT_NUMBER && id.len < sizeof(n->player_id)) {
		memcpy(n->player_id, id.p, id.len);
		n->player_id[id.len] = '\0';
	}
}

static void
learn(struct roll_conn *c, const struct event *e, const char *name)
{
	struct roll_conn *from = NULL;
	struct roll_name *n = NULL;

	if (name[0] != '\0' && (n = roll_bind(D->roll, c, name, &from)) != NULL && from != NULL) {
		stat_add(STAT_INGEST_CONFLICTS, 1);
		log_warn("%s is claimed by a second connection (%s, before: %s): it gets the commands now", name, c->peer, from->peer);
	}
	switch (gate_role(e->type)) {
	case GATE_TELEMETRY:
		if (n != NULL)
			keep_tag(n, e);
		keep_landblock(c, e);
		break;
	case GATE_NEARBY:
		keep_landblock(c, e);
		break;
	case GATE_STATS:
		keep_word(c->server, event_get(e, "server"));
		break;
	case GATE_SHARE:
		keep_share(c, n, e);
		break;
	default:
		break;
	}
}

/* ---- frames ---- */

static void
reject(struct http_ws *ws, const struct gate_refusal *r)
{
	struct buf b = BUF_INIT(4096);

	*stat_cell(STAT_INGEST_REJECTED, r->reason) += 1;
	(void)buf_appends(&b, "{\"type\":\"error\",\"error\":");
	(void)buf_append_json(&b, r->text, strlen(r->text));
	(void)buf_appends(&b, "}");
	if (http_ws_queued(ws) > SHARE_QUEUE_MAX || http_ws_send(ws, buf_data(&b), buf_size(&b)) != 0)
		*stat_cell(STAT_INGEST_DROPPED, "error") += 1;
	buf_fini(&b);
}

static void
count_time(const struct event *e)
{
	static const char *const kinds[] = { "good", "missing", "unreadable", "late", "future" };
	static int64_t *cells[5];
	static int64_t at_ms, now_us;
	enum gate_time t;

	if (http_now(D->http) != at_ms) {
		at_ms = http_now(D->http);
		now_us = clock_wall_us();
	}
	t = gate_time(e, now_us);
	if (t == GATE_TIME_GOOD)
		return;
	if (cells[t] == NULL)
		cells[t] = stat_cell(STAT_INGEST_TIMES, kinds[t]);
	++*cells[t];
}

int
door_publish(struct door *d, const char *line, size_t len)
{
	if (bus_pub_send(d->pub, line, len) == 0)
		return -1;
	hold(d);
	return 0;
}

static int
publish(const struct event *e)
{
	char *to;
	size_t n;

	if (e->reserved == 0)            /* the bus client turns line breaks into blanks */
		return door_publish(D, e->line, e->len);
	stat_add(STAT_INGEST_STRIPPED, e->reserved);
	buf_clear(&D->scratch);
	to = buf_reserve(&D->scratch, e->len + 1);
	n = event_write(e, EVENT_STRIP_RESERVED, to);
	return door_publish(D, to, n);
}

static void
on_message(void *priv, struct http_ws *ws, const char *data, size_t len, int binary)
{
	struct roll_conn *c = priv;
	struct gate_refusal r;
	char name[GATE_NAME_SIZE];
	struct event e;

	stat_add(STAT_INGEST_FRAMES, 1);
	stat_add(STAT_INGEST_BYTES, (int64_t)len);
	charge(c, len);
	if (gate_check(data, len, binary, &e, name, &r) != 0) {
		reject(ws, &r);
		return;
	}
	if (publish(&e) != 0) {          /* cannot be: reading is held before the buffer is full */
		r.reason = "no_room";
		snprintf(r.text, sizeof(r.text), "the tracker cannot take more at the moment");
		reject(ws, &r);
		return;
	}
	stat_add(STAT_INGEST_EVENTS, 1);
	count_time(&e);
	learn(c, &e, name);
}

/* ---- connections ---- */

static int
authenticate(struct http_req *r)
{
	int status = secret_admit(D->secret, r, http_req_peer(r));

	if (status != 0)
		*stat_cell(STAT_INGEST_AUTH, status == 401 ? "missing" : status == 403 ? "wrong" : "throttled") += 1;
	return status;
}

static int
on_upgrade(void *priv, struct http_req *r, void **conn_priv)
{
	const char *forwarded = http_req_header(r, "x-forwarded-for"), *peer = http_req_peer(r);
	struct roll_conn *c;
	int status;

	(void)priv;
	if (D->stopping)
		return 503;
	if ((status = authenticate(r)) != 0)
		return status;
	*conn_priv = c = roll_add(D->roll);
	/* only our own server comes by the UNIX socket, and says for whom; used in messages, not for trust */
	snprintf(c->peer, sizeof(c->peer), "%s", peer[0] != '\0' ? peer : forwarded != NULL && forwarded[0] != '\0' ? forwarded : "local");
	limit_init(&c->messages, &D->messages, http_now(D->http));
	limit_init(&c->bytes, &D->bytes, http_now(D->http));
	return 0;
}

static void
on_open(void *priv, struct http_ws *ws)
{
	struct roll_conn *c = priv;

	c->ws = ws;
	http_ws_queue_max(ws, QUEUE_MAX);
	stat_add(STAT_INGEST_OPENED, 1);
	log_debug("a plugin at %s has connected", c->peer);
	if (D->held)
		pause_set(c, PAUSED_BUS, 1);
	if (D->stopping)
		pause_set(c, PAUSED_STOP, 1);
}

static void
say_goodbye(struct door *d, struct roll_name *n)
{
	struct buf b = BUF_INIT(4096);
	char now[CLOCK_ISO_SIZE];

	n->shares = 0;
	clock_format_iso(clock_wall_us(), now);
	(void)buf_appends(&b, "{\"type\":\"share_goodbye\",\"character_name\":");
	(void)buf_append_json(&b, n->text, strlen(n->text));
	(void)buf_printf(&b, ",\"timestamp\":\"%s\"", now);
	if (n->server[0] != '\0') {
		(void)buf_appends(&b, ",\"server\":");
		(void)buf_append_json(&b, n->server, strlen(n->server));
	}
	if (n->player_id[0] != '\0')
		(void)buf_printf(&b, ",\"player_id\":%s", n->player_id);
	(void)buf_appends(&b, "}");
	if (door_publish(d, buf_data(&b), buf_size(&b)) != 0)
		log_warn("no room to say goodbye for %s", n->text);
	buf_fini(&b);
}

static void
say_goodbyes(struct door *d, struct roll_conn *c)
{
	struct roll_name *n;

	LIST_FOREACH(n, &c->names, by_owner)
		if (n->shares)
			say_goodbye(d, n);
}

static void
on_close(void *priv, struct http_ws *ws, int code)
{
	struct roll_conn *c = priv;

	(void)ws;
	log_debug("a plugin at %s has gone: %d", c->peer, code);
	if (code == 1009) {              /* lib/http did not let us see the frame */
		stat_add(STAT_INGEST_FRAMES, 1);
		*stat_cell(STAT_INGEST_REJECTED, "oversize") += 1;
	}
	c->ws = NULL;
	say_goodbyes(D, c);
	roll_del(D->roll, c);
}

static void
on_healthz(void *priv, struct http_req *r)
{
	(void)priv;
	http_reply(r, 200, "text/plain", "ok\n", 3);
}

static void
on_readyz(void *priv, struct http_req *r)
{
	(void)priv;
	if (bus_pub_connected(D->pub) && !D->held)
		http_reply(r, 200, "text/plain", "ok\n", 3);
	else
		http_reply(r, 503, "text/plain", "the bus does not answer\n", 24);
}

static const struct http_ws_handler handler = {
	.max_message = EVENT_MAX, .on_upgrade = on_upgrade, .on_open = on_open, .on_message = on_message, .on_close = on_close,
};

void
plugin_open(struct door *d)
{
	D = d;
	d->roll = roll_new();
	buf_init(&d->scratch, EVENT_LINE_MAX);
	d->resume = (struct pollable){ .fd = -1, .deadline_ms = CLOCK_NEVER, .handle = on_resume };
	http_add(d->http, &d->resume);
	http_route_ws(d->http, "/ws/position", &handler, NULL);
	http_route(d->http, "GET", "/healthz", on_healthz, NULL);
	http_route(d->http, "GET", "/readyz", on_readyz, NULL);
}

void
plugin_close(struct door *d)
{
	roll_free(&d->roll);
	buf_fini(&d->scratch);
}

void
plugin_turn(struct door *d, int64_t now_ms)
{
	release(d);
	stat_set(STAT_INGEST_CONNECTIONS, roll_count(d->roll));
	stat_set(STAT_INGEST_PENDING, (int64_t)bus_pub_unacked(d->pub));
	stat_set(STAT_INGEST_PENDING_BYTES, (int64_t)(d->buffer - bus_pub_room(d->pub)));
	stat_set(STAT_INGEST_BUS_UP, bus_pub_connected(d->pub));
	stat_write(now_ms);
}

void
plugin_stop(struct door *d)
{
	struct roll_conn *c;

	d->stopping = 1;
	pause_all(d, PAUSED_STOP, 1);
	for (c = roll_first(d->roll); c != NULL; c = LIST_NEXT(c, link))
		say_goodbyes(d, c);
}
