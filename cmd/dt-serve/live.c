#include "live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "client.h"
#include "clock/clock.h"
#include "commands.h"
#include "dungeons.h"
#include "filters.h"
#include "log/log.h"
#include "maps.h"
#include "mem/mem.h"
#include "origin.h"
#include "ring.h"
#include "stat/stat.h"

#define USED_MS 60000                    /* how often open sockets keep their sessions from ending idle */
#define RING_BYTES (2u << 20)
#define RING_MESSAGES 8192
#define RING_BIG_BYTES (2u << 20)
#define BIG_ALIVE_MAX (64u << 20)        /* of long messages that slow browsers still read, before those are closed */
#define DUNGEON_BYTES (2u << 20)
#define MESSAGE_MAX 65536
#define CLIENTS_MAX 10000
#define SNAPSHOT_MAX (16u << 20)
#define SNAPSHOT_WITHIN_US (INT64_C(900) * 1000000)

struct seat {                            /* one connection */
	LIST_ENTRY(seat) link;
	struct live *live;
	struct client *client;
	struct http_ws *ws;
};

struct live {
	struct live_config config;
	struct client_env env;
	struct ring *ring;
	uint64_t low;                    /* nobody on the ring stands before this message */
	struct filters *filters;
	int held;                        /* a filter is paused */
	struct commands *commands;
	struct dungeons *dungeons;
	struct maps *maps;
	struct pollable timer;
	LIST_HEAD(, seat) seats;
	size_t n;
	struct door *door;
	uint64_t door_version;
	int64_t used_ms;
};

size_t
live_clients(const struct live *l)
{
	return l->n;
}

/* ---- what goes out ---- */

/* Most messages go when everybody has long had them: all are asked only when the slowest of the last time could stand here. */
static void
on_evict(void *priv, uint64_t n)
{
	struct live *l = priv;
	struct seat *s;
	uint64_t pos;

	if (n < l->low)
		return;
	l->low = ring_end(l->ring);
	LIST_FOREACH(s, &l->seats, link) {
		if (client_feed(s->client) != NULL)
			continue;
		client_evict(s->client, n);
		if ((pos = client_pos(s->client)) < l->low)
			l->low = pos;
	}
}

const char *
live_dungeon(const struct live *l, const char *landblock, size_t *len)
{
	return dungeons_get(l->dungeons, landblock, len);
}

void
live_remember(struct live *l, const struct event *ev)
{
	if (event_value_is(ev->type, "dungeon_map"))
		dungeons_feed(l->dungeons, ev);
	maps_event(l->maps, ev);
}

void
live_database(struct live *l, struct pool *pool)
{
	maps_database(l->maps, pool);
}

void
live_event(struct live *l, const struct event *ev, uint64_t seq)
{
	struct ring_msg m;

	if (event_value_is(ev->type, "command_status")) {        /* goes to who asked, in his own words */
		commands_status(l->commands, ev, http_now(l->config.http));
		return;
	}
	if (event_value_is(ev->type, "request_dungeon_map"))     /* between us and the plugins */
		return;
	live_remember(l, ev);
	subscription_message(ev, seq, &m);
	(void)ring_add(l->ring, &m, ev->line, ev->len);
}

/* Everybody who has something to get asks for his turn; the timer wakes us for those whose batch is not due yet. */
static void
poke(struct live *l, int64_t now_ms)
{
	struct seat *s;
	int64_t next = CLOCK_NEVER;

	LIST_FOREACH(s, &l->seats, link) {
		int64_t due = client_poke(s->client, now_ms);

		if (due < next)
			next = due;
	}
	l->timer.deadline_ms = next;
}

void
live_flush(struct live *l)
{
	poke(l, http_now(l->config.http));
}

int
live_lags(const struct live *l, int64_t now_ms)
{
	const struct seat *s;

	LIST_FOREACH(s, &l->seats, link)
		if (client_feed(s->client) == NULL && client_lags(s->client, now_ms))
			return 1;
	return 0;
}

static void
on_timer(struct pollable *p, short revents, int64_t now_ms)
{
	(void)revents;
	poke((struct live *)((char *)p - offsetof(struct live, timer)), now_ms);
}

/* Reads nothing, or so little that it comes to the same: it would hold its memory for ever. */
static void
cut_stuck(struct live *l, int64_t now_ms)
{
	struct seat *s;

	LIST_FOREACH(s, &l->seats, link)
		if (client_stuck(s->client, now_ms)) {
			(*stat_cell(STAT_SERVE_REJECTED, "slow"))++;
			http_ws_kill(s->ws);
		}
}

void
live_door(struct live *l, struct door *door)
{
	l->door = door;
}

/* A socket that is open is a use of its session. */
static void
check_sessions(struct live *l, int64_t now_ms)
{
	uint64_t version = door_version(l->door);
	int used = now_ms >= l->used_ms + USED_MS;
	struct seat *s;

	if (version == l->door_version && !used)
		return;
	l->door_version = version;
	if (used)
		l->used_ms = now_ms;
	LIST_FOREACH(s, &l->seats, link)
		if (s->ws != NULL && door_still(l->door, client_who(s->client), used) == -1)
			http_ws_close(s->ws, 4401, "the session is over");
}

void
live_tick(struct live *l, int64_t now_ms)
{
	struct seat *s;

	check_sessions(l, now_ms);
	commands_expire(l->commands, now_ms);
	maps_expire(l->maps, now_ms);
	if (ring_big_bytes(l->ring) > BIG_ALIVE_MAX)
		LIST_FOREACH(s, &l->seats, link)
			if (client_holds_big(s->client))
				http_ws_close(s->ws, 1013, "reads too slowly");
	cut_stuck(l, now_ms);
	poke(l, now_ms);
}

/* Those whose browsers read, but are behind, wait for them. */
static void
hold_filters(struct live *l)
{
	int64_t now_ms = http_now(l->config.http);
	struct filter_feed *feed;
	struct seat *s;

	l->held = 0;
	filters_go_on(l->filters);
	LIST_FOREACH(s, &l->seats, link)
		if ((feed = client_feed(s->client)) != NULL && client_lags(s->client, now_ms)) {
			filter_feed_pause(feed, 1);
			l->held = 1;
		}
}

void
live_turn(struct live *l)
{
	struct seat *s;

	filters_turn(l->filters);
	if (l->held)
		hold_filters(l);
	if (!l->env.turn)
		return;
	l->env.turn = 0;
	LIST_FOREACH(s, &l->seats, link)
		client_turn(s->client);
	l->low = 0;
}

void
live_gap(struct live *l, uint64_t from, uint64_t to, uint64_t count)
{
	char text[160];
	int n = snprintf(text, sizeof(text), "{\"type\":\"gap\",\"from\":%ju,\"to\":%ju,\"count\":%ju}", (uintmax_t)from, (uintmax_t)to, (uintmax_t)count);
	struct seat *s;

	log_warn("missed the events %ju to %ju: the journal no longer has them", (uintmax_t)from, (uintmax_t)to);
	LIST_FOREACH(s, &l->seats, link)
		if (client_feed(s->client) == NULL)
			client_put(s->client, text, (size_t)n);
}

/* Catching up means a subscription of the client's own, which hangs in the loop. */
void
live_close(struct live *l)
{
	struct seat *s;

	http_del(l->config.http, &l->timer);
	maps_stop(l->maps);
	filters_close(l->filters);
	LIST_FOREACH(s, &l->seats, link)
		client_close(s->client);
}

/* ---- what comes in ---- */

static void
put_snapshot(struct live *l, struct client *c)
{
	struct buf b = BUF_INIT(SNAPSHOT_MAX);
	char now[CLOCK_ISO_SIZE];
	int64_t now_us = clock_wall_us();
	int bad;

	clock_format_iso(now_us, now);
	bad = buf_printf(&b, "{\"type\":\"snapshot\",\"seq\":%ju,\"at\":\"%s\",", (uintmax_t)l->config.newest_seq(l->config.priv), now);
	bad |= roster_write_players(l->config.roster, now_us, SNAPSHOT_WITHIN_US, &b);
	bad |= buf_appends(&b, ",");
	bad |= roster_write_portals(l->config.roster, now_us, &b);
	bad |= buf_appends(&b, "}");
	if (bad)
		client_error(c, "too_large", "the live state is too large for one message: use /live");
	else
		client_put(c, buf_data(&b), buf_size(&b));
	buf_fini(&b);
}

static void
on_subscribe(struct live *l, struct client *c, const struct json *j)
{
	struct buf b = BUF_INIT(1u << 20);
	char error[256];
	struct subscription *sub = subscription_parse(j, error, sizeof(error));
	struct filter_feed *feed = NULL;

	if (sub == NULL) {
		client_error(c, "bad_subscribe", "%s", error);
		return;
	}
	if (sub->jq != NULL && (feed = filters_get(l->filters, sub)) == NULL) {
		client_error(c, "too_many", "at most %d different jq programs are run at a time: narrow by message_types and characters", FILTERS_MAX);
		subscription_free(&sub);
		return;
	}
	subscription_write(sub, l->config.newest_seq(l->config.priv), &b);
	client_put(c, buf_data(&b), buf_size(&b));
	buf_fini(&b);
	if (sub->snapshot)
		put_snapshot(l, c);
	client_subscribe(c, sub, feed);
	l->low = 0;
}

static void
on_request_dungeon_map(struct live *l, struct client *c, const struct json *j)
{
	const char *text = json_str(j, "landblock", "");
	char landblock[5];

	if (dungeons_landblock(text, landblock) == -1) {
		client_error(c, "bad_landblock", "landblock must be up to 8 hexadecimal digits in a string");
		return;
	}
	maps_ask(l->maps, c, landblock, http_now(l->config.http));
}

static void
on_later(struct live *l, struct client *c, const struct json *j)
{
	(void)l;
	client_error(c, "not_available", "\"%s\" is not available yet: this socket is always live", json_str(j, "type", ""));
}

static void
on_command(struct live *l, struct client *c, const struct json *j)
{
	if (client_who(c)->role < ACCOUNT_OPERATOR) {
		(*stat_cell(STAT_SERVE_REJECTED, "not_allowed"))++;
		client_error(c, "not_allowed", "commands need the role operator");
		return;
	}
	commands_ask(l->commands, c, j, http_now(l->config.http));
}

static const struct request {
	const char *type;
	void (*f)(struct live *, struct client *, const struct json *);
} requests[] = {
	{ "subscribe", on_subscribe },
	{ "command", on_command },
	{ "request_dungeon_map", on_request_dungeon_map },
	{ "seek", on_later },
	{ "pause", on_later },
	{ "live", on_later },
};

/* As the first browsers said it: a command has no type. */
static int
is_bare_command(const struct json *j)
{
	return !json_has(j, "type") && json_has(j, "command") && (json_has(j, "player_name") || json_has(j, "tag") || json_has(j, "all"));
}

static void
dispatch(struct live *l, struct client *c, const struct json *j)
{
	const char *type = json_str(j, "type", "");
	size_t i;

	if (is_bare_command(j))
		type = "command";
	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (strcmp(type, requests[i].type) == 0) {
			requests[i].f(l, c, j);
			return;
		}
	if (type[0] == '\0')
		client_error(c, "bad_message", "a message needs a \"type\", or a \"command\" and \"player_name\", \"tag\" or \"all\"");
	else
		client_error(c, "bad_message", "no message of type \"%.40s\" is known here", type);
}

static void
on_message(void *conn_priv, struct http_ws *ws, const char *data, size_t len, int binary)
{
	struct seat *s = conn_priv;
	const char *error = "";
	struct json *j;

	stat_add(STAT_SERVE_MESSAGES, 1);
	if (!client_allow(s->client, http_now(s->live->config.http))) {
		client_error(s->client, "too_many", "too many messages: at most 20 a second");
		return;
	}
	if (binary) {
		client_error(s->client, "bad_message", "messages are text");
		return;
	}
	if ((j = json_parse(data, len, &error)) == NULL || json_kind(j, "") != 'o') {
		client_error(s->client, "bad_message", "a message is one JSON object%s%s", j == NULL ? ": " : "", j == NULL ? error : "");
		json_free(&j);
		return;
	}
	(void)ws;
	dispatch(s->live, s->client, j);
	json_free(&j);
}

/* ---- connections ---- */

static int
on_upgrade(void *priv, struct http_req *req, void **conn_priv)
{
	struct live *l = priv;
	struct seat *s;

	/* Cookies are sent by whatever page opens the socket: then the page has to say whose it is. */
	if (!origin_is_ours(req, l->config.any_host) || (door_who(req)->session != 0 && http_req_header(req, "origin") == NULL)) {
		(*stat_cell(STAT_SERVE_REJECTED, "foreign_origin"))++;
		return 403;
	}
	if (l->n == CLIENTS_MAX)
		return 503;
	s = xcalloc(1, sizeof(*s));
	s->live = l;
	s->client = client_new(&l->env, door_who(req));
	LIST_INSERT_HEAD(&l->seats, s, link);
	l->n++;
	stat_set(STAT_SERVE_BROWSERS, (int64_t)l->n);
	*conn_priv = s;
	return 0;
}

static void
on_open(void *conn_priv, struct http_ws *ws)
{
	struct seat *s = conn_priv;

	s->ws = ws;
	client_open(s->client, ws);
}

static void
on_writable(void *conn_priv, struct http_ws *ws)
{
	struct seat *s = conn_priv;

	(void)ws;
	client_write(s->client, http_now(s->live->config.http));
}

static void
on_close(void *conn_priv, struct http_ws *ws, int code)
{
	struct seat *s = conn_priv;
	struct live *l = s->live;

	(void)ws;
	(void)code;
	commands_forget(l->commands, s->client);
	maps_forget(l->maps, s->client);
	client_free(&s->client);
	LIST_REMOVE(s, link);
	free(s);
	l->n--;
	stat_set(STAT_SERVE_BROWSERS, (int64_t)l->n);
}

static const struct http_ws_handler handler = {
	.max_message = MESSAGE_MAX, .on_upgrade = on_upgrade, .on_open = on_open, .on_message = on_message, .on_writable = on_writable, .on_close = on_close
};

/* ---- filters ---- */

static void
on_filter_events(void *priv, struct filter_feed *feed)
{
	struct live *l = priv;
	int64_t now_ms = http_now(l->config.http);
	struct seat *s;

	LIST_FOREACH(s, &l->seats, link)
		if (client_feed(s->client) == feed)
			(void)client_poke(s->client, now_ms);
	l->held = 1;
}

static void
on_filter_evict(void *priv, struct filter_feed *feed, uint64_t n)
{
	struct live *l = priv;
	struct seat *s;

	LIST_FOREACH(s, &l->seats, link)
		if (client_feed(s->client) == feed)
			client_evict(s->client, n);
}

static void
on_filter_gap(void *priv, struct filter_feed *feed, uint64_t from, uint64_t to, uint64_t count)
{
	struct live *l = priv;
	struct seat *s;

	LIST_FOREACH(s, &l->seats, link)
		if (client_feed(s->client) == feed)
			client_gap(s->client, from, to, count);
}

static void
on_filter_dead(void *priv, struct filter_feed *feed, const char *reason)
{
	struct live *l = priv;
	struct seat *s;

	LIST_FOREACH(s, &l->seats, link)
		if (client_feed(s->client) == feed)
			client_error(s->client, "bad_jq", "jq: %s", reason);
}

struct live *
live_new(const struct live_config *config)
{
	struct live *l = xcalloc(1, sizeof(*l));

	l->config = *config;
	LIST_INIT(&l->seats);
	l->ring = ring_new(RING_BYTES, RING_MESSAGES, RING_BIG_BYTES, on_evict, l);
	l->filters = filters_new(&(struct filters_config){ .http = config->http, .main = l->ring, .on_events = on_filter_events, .on_evict = on_filter_evict,
	    .on_gap = on_filter_gap, .on_dead = on_filter_dead, .priv = l });
	l->commands = commands_new(config->pub);
	l->dungeons = dungeons_new(DUNGEON_BYTES);
	l->maps = maps_new(l->dungeons, config->pub, config->map_wait_ms);
	l->env = (struct client_env){ .http = config->http, .ring = l->ring, .filters = l->filters, .newest_seq = config->newest_seq, .priv = config->priv };
	l->timer = (struct pollable){ .fd = -1, .deadline_ms = CLOCK_NEVER, .handle = on_timer };
	http_add(config->http, &l->timer);
	http_route_ws(config->http, "/ws/live", &handler, l);
	return l;
}

/* After http_free, which has closed the connections. */
void
live_free(struct live **lp)
{
	struct live *l = *lp;

	if (l == NULL)
		return;
	commands_free(&l->commands);
	maps_free(&l->maps);
	dungeons_free(&l->dungeons);
	filters_free(&l->filters);
	ring_free(&l->ring);
	free(l);
	*lp = NULL;
}
