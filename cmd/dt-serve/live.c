#include "live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock/clock.h"
#include "live_int.h"
#include "log/log.h"
#include "mem/mem.h"
#include "origin.h"
#include "stat/stat.h"

#define USED_MS 60000                    /* how often open sockets keep their sessions from ending idle */
#define RING_BYTES (2u << 20)
#define RING_MESSAGES 8192
#define RING_BIG_BYTES (2u << 20)
#define BIG_ALIVE_MAX (64u << 20)        /* of long messages that slow browsers still read, before those are closed */
#define DUNGEON_BYTES (2u << 20)
#define MESSAGE_MAX 65536
#define CLIENTS_MAX 10000

size_t
live_clients(const struct live *l)
{
	return l->n;
}

/* ---- what goes out ---- */

static void
evict(void *priv, struct group *g)
{
	struct live *l = priv;
	struct seat *s;
	uint64_t pos;

	LIST_FOREACH(s, group_seats(g), in_group) {
		client_evict(s->client, ring_first(l->ring));
		if ((pos = client_pos(s->client)) < l->low)
			l->low = pos;
	}
}

/* Most messages go when everybody has long had them: all are asked only when the slowest of the last time could stand here. */
static void
on_evict(void *priv, uint64_t n)
{
	struct live *l = priv;

	if (n < l->low)
		return;
	l->low = ring_end(l->ring);
	groups_each(l->groups, evict, l);
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
	groups_added(l->groups, ring_add(l->ring, &m, ev->line, ev->len));
}

static void
wake_at(struct live *l, int64_t due_ms)
{
	if (due_ms < l->timer.deadline_ms)
		l->timer.deadline_ms = due_ms;
}

/* Everybody who has something to get asks for his turn; the timer wakes us for those whose batch is not due yet. */
static void
poke(struct live *l, int64_t now_ms)
{
	struct seat *s;

	l->timer.deadline_ms = CLOCK_NEVER;
	LIST_FOREACH(s, &l->seats, link)
		wake_at(l, client_poke(s->client, now_ms));
}

static void
on_news(void *priv, struct group *g, uint64_t from, uint64_t to)
{
	struct live *l = priv;
	int64_t now_ms = http_now(l->config.http);
	struct seat *s;

	LIST_FOREACH(s, group_seats(g), in_group) {
		client_skip(s->client, from, to);
		wake_at(l, client_poke(s->client, now_ms));
		l->lags |= client_lags(s->client, now_ms);
	}
}

int
live_flush(struct live *l)
{
	l->lags = 0;
	groups_news(l->groups, on_news, l);
	return l->lags;
}

int
live_lags(const struct live *l, int64_t now_ms)
{
	const struct seat *s;

	LIST_FOREACH(s, &l->seats, link)
		if (s->feed == NULL && client_lags(s->client, now_ms))
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
	struct seat *s;

	l->held = 0;
	filters_go_on(l->filters);
	LIST_FOREACH(s, &l->seats, link)
		if (s->feed != NULL && client_lags(s->client, now_ms)) {
			filter_feed_pause(s->feed, 1);
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
		if (s->feed == NULL)
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

/* ---- connections ---- */

static void
leave(struct seat *s)
{
	struct live *l = s->live;

	LIST_REMOVE(s, in_group);
	if (s->feed != NULL)
		filters_put(l->filters, &s->feed);
	else
		groups_put(&s->group);
}

int
live_join(struct seat *s, const struct subscription *sub)
{
	struct live *l = s->live;
	struct filter_feed *feed = NULL;
	struct group *group;

	if (sub->jq != NULL && (feed = filters_get(l->filters, sub)) == NULL)
		return -1;
	group = feed != NULL ? filter_feed_group(feed) : groups_get(l->groups, sub);
	if (s->group != NULL)
		leave(s);
	s->group = group;
	s->feed = feed;
	LIST_INSERT_HEAD(group_seats(group), s, in_group);
	l->low = 0;
	return 0;
}

static void
on_message(void *conn_priv, struct http_ws *ws, const char *data, size_t len, int binary)
{
	struct seat *s = conn_priv;

	(void)ws;
	stat_add(STAT_SERVE_MESSAGES, 1);
	if (!client_allow(s->client, http_now(s->live->config.http)))
		client_error(s->client, "too_many", "too many messages: at most 20 a second");
	else if (binary)
		client_error(s->client, "bad_message", "messages are text");
	else
		live_request(s, data, len);
}

static int
on_upgrade(void *priv, struct http_req *req, void **conn_priv)
{
	struct live *l = priv;
	struct subscription *all;
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
	all = subscription_all();
	(void)live_join(s, all);
	subscription_free(&all);
	s->client = client_new(&l->env, door_who(req), s->group);
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
	wake_at(s->live, client_write(s->client, http_now(s->live->config.http)));
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
	leave(s);
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
on_filter_events(void *priv, struct group *g)
{
	struct live *l = priv;
	int64_t now_ms = http_now(l->config.http);
	struct seat *s;

	LIST_FOREACH(s, group_seats(g), in_group)
		wake_at(l, client_poke(s->client, now_ms));
	l->held = 1;
}

static void
on_filter_evict(void *priv, struct group *g, uint64_t n)
{
	struct seat *s;

	(void)priv;
	LIST_FOREACH(s, group_seats(g), in_group)
		client_evict(s->client, n);
}

static void
on_filter_gap(void *priv, struct group *g, uint64_t from, uint64_t to, uint64_t count)
{
	struct seat *s;

	(void)priv;
	LIST_FOREACH(s, group_seats(g), in_group)
		client_gap(s->client, from, to, count);
}

static void
on_filter_dead(void *priv, struct group *g, const char *reason)
{
	struct seat *s;

	(void)priv;
	LIST_FOREACH(s, group_seats(g), in_group)
		client_error(s->client, "bad_jq", "jq: %s", reason);
}

struct live *
live_new(const struct live_config *config)
{
	struct live *l = xcalloc(1, sizeof(*l));

	l->config = *config;
	LIST_INIT(&l->seats);
	l->ring = ring_new(RING_BYTES, RING_MESSAGES, RING_BIG_BYTES, on_evict, l);
	l->groups = groups_new(l->ring);
	l->filters = filters_new(&(struct filters_config){ .http = config->http, .main = l->ring, .on_events = on_filter_events, .on_evict = on_filter_evict,
	    .on_gap = on_filter_gap, .on_dead = on_filter_dead, .priv = l });
	l->commands = commands_new(config->pub);
	l->dungeons = dungeons_new(DUNGEON_BYTES);
	l->maps = maps_new(l->dungeons, config->pub, config->map_wait_ms);
	l->env = (struct client_env){ .http = config->http, .ring = l->ring, .newest_seq = config->newest_seq, .priv = config->priv };
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
	groups_free(&l->groups);
	ring_free(&l->ring);
	free(l);
	*lp = NULL;
}
