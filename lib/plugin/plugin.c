#include "plugin/plugin.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "clock/clock.h"
#include "http/http.h"
#include "log/log.h"
#include "loop/loop.h"
#include "mem/mem.h"

#define BUCKETS 256
#define BACKOFF_MIN_MS 50
#define BACKOFF_MAX_MS 2000
#define ROOM_MS 5                    /* how soon a full queue is worth another look */
#define QUEUE_MAX (256u << 10)
#define MESSAGE_MAX (1u << 20)
#define LOGGED_ERRORS 5

struct plugin {
	struct plugins *all;
	struct plugin *next;                 /* in its bucket */
	char *character;
	size_t len;
	struct http_ws *ws;
	enum { IDLE, CONNECTING, OPEN } state;
	int64_t retry_ms, backoff_ms;
	int wanted;                          /* 1 kept up, 0 made when there is something to send, -1 closed */
};

struct plugins {
	struct pollable timer;               /* first: on_timer() casts */
	struct plugins_config config;
	struct plugin *bucket[BUCKETS];
	size_t open;
	size_t gone_unread;                  /* lost while the server was asked what it has read */
	uint64_t errors;
	int64_t down_ms;
	int closing, said_down;
};

/* ---- addresses ---- */

/* The host of ws://host[:port][/path] in out; -1 when it is no such address. */
static int
host_of(const char *url, char *out, size_t size)
{
	const char *host;
	size_t len;

	if (strncmp(url, "ws://", 5) != 0)
		return -1;
	host = url + 5;
	if (*host == '[') {
		host++;
		len = strcspn(host, "]");
		if (host[len] == '\0')
			return -1;
	} else
		len = strcspn(host, ":/?#");
	if (len == 0 || len >= size || memchr(host, '@', len) != NULL)
		return -1;
	memcpy(out, host, len);
	out[len] = '\0';
	return 0;
}

int
plugins_is_remote(const char *url)
{
	struct in6_addr six;
	struct in_addr four;
	char host[256];

	if (strncmp(url, "ws+unix://", 10) == 0)
		return 0;
	if (host_of(url, host, sizeof(host)) == -1)
		return -1;
	if (strcmp(host, "localhost") == 0)
		return 0;
	if (inet_pton(AF_INET, host, &four) == 1)
		return ntohl(four.s_addr) >> 24 != 127;
	if (inet_pton(AF_INET6, host, &six) == 1)
		return !IN6_IS_ADDR_LOOPBACK(&six);
	return 1;
}

static char *
with_path(const char *url)
{
	const char *rest = strncmp(url, "ws://", 5) == 0 ? strchr(url + 5, '/') : "/x";

	if (rest == NULL)
		return xasprintf("%s/ws/position", url);
	if (strcmp(rest, "/") == 0)
		return xasprintf("%sws/position", url);
	return xstrdup(url);
}

/* ---- one connection ---- */

static void
wake(struct plugins *all, int64_t when_ms)
{
	if (when_ms < all->timer.deadline_ms)
		all->timer.deadline_ms = when_ms;
}

static void
on_open(void *priv, struct http_ws *ws)
{
	struct plugin *p = priv;
	struct plugins *all = p->all;

	p->ws = ws;
	p->state = OPEN;
	p->backoff_ms = BACKOFF_MIN_MS;
	http_ws_queue_max(ws, QUEUE_MAX);
	if (all->open++ == 0) {
		if (all->said_down)
			log_info("connected to %s", all->config.url);
		all->said_down = 0;
		all->down_ms = 0;
	}
	if (all->closing || p->wanted < 0)
		http_ws_close(ws, 1000, "done");
	else if (all->config.on_open != NULL)
		all->config.on_open(all->config.priv, p->character);
	wake(all, 0);
}

/* Somewhere in the upper half of the time, so that a fleet does not come back as one. */
static int64_t
jitter(int64_t ms)
{
	static uint32_t s = 2463534242u;

	s ^= s << 13;
	s ^= s >> 17;
	s ^= s << 5;
	return ms / 2 + s % (ms / 2 + 1);
}

static void
on_close(void *priv, struct http_ws *ws, int code)
{
	struct plugin *p = priv;
	struct plugins *all = p->all;
	int64_t now_ms = clock_mono_ms();
	int was_open = p->state == OPEN;

	if (was_open)
		all->open--;
	if (ws != NULL && http_ws_pings(ws) > 0)
		all->gone_unread++;
	if (!all->said_down && !all->closing && p->wanted >= 0) {
		if (p->state == CONNECTING)
			log_info("unable to connect to %s as %s; trying again", all->config.url, p->character);
		else
			log_warn("%s closed the connection of %s with code %d; connecting again", all->config.url, p->character, code);
		all->said_down = 1;
	}
	p->state = IDLE;
	p->ws = NULL;
	p->retry_ms = now_ms + jitter(p->backoff_ms);
	p->backoff_ms = p->backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : p->backoff_ms * 2;
	if (was_open && all->config.on_close != NULL)
		all->config.on_close(all->config.priv, p->character);
	wake(all, p->retry_ms);
}

static void
on_message(void *priv, struct http_ws *ws, const char *data, size_t len, int binary)
{
	struct plugin *p = priv;
	struct plugins *all = p->all;

	(void)ws, (void)binary;
	if (memmem(data, len < 64 ? len : 64, "\"error\"", 7) != NULL && all->errors++ < LOGGED_ERRORS && all->config.on_message == NULL)
		log_warn("the server says to %s: %.*s", p->character, len > 300 ? 300 : (int)len, data);
	if (all->config.on_message != NULL)
		all->config.on_message(all->config.priv, p->character, data, len);
}

static const struct http_ws_handler handler = { .max_message = MESSAGE_MAX, .on_open = on_open, .on_message = on_message, .on_close = on_close };

static void
connect_plugin(struct plugin *p)
{
	const struct plugins_config *c = &p->all->config;
	const char *headers[] = { "X-Plugin-Secret", c->secret, NULL };

	p->state = CONNECTING;
	http_ws_connect(c->http, c->url, headers, &handler, p);
}

static struct plugin *
find(struct plugins *all, const char *character, size_t len)
{
	struct plugin **at, *p;
	uint32_t hash = 2166136261u;
	size_t i;

	for (i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)character[i]) * 16777619u;
	for (at = &all->bucket[hash % BUCKETS]; (p = *at) != NULL; at = &p->next)
		if (p->len == len && memcmp(p->character, character, len) == 0)
			return p;
	*at = p = xcalloc(1, sizeof(*p));
	p->all = all;
	p->character = xstrndup(character, len);
	p->len = len;
	p->backoff_ms = BACKOFF_MIN_MS;
	return p;
}

/* ---- all of them ---- */

static void
keep_up(struct plugins *all, int64_t now_ms)
{
	struct plugin *p;
	size_t i;

	for (i = 0; i < BUCKETS && !all->closing; i++)
		for (p = all->bucket[i]; p != NULL; p = p->next) {
			if (p->state != IDLE || p->wanted <= 0)
				continue;
			if (now_ms >= p->retry_ms)
				connect_plugin(p);
			else
				wake(all, p->retry_ms);
		}
}

static void
on_timer(struct pollable *timer, short revents, int64_t now_ms)
{
	struct plugins *all = (struct plugins *)timer;

	(void)revents;
	timer->deadline_ms = CLOCK_NEVER;
	keep_up(all, now_ms);
	if (all->config.on_room != NULL)
		all->config.on_room(all->config.priv);
}

struct plugins *
plugins_new(const struct plugins_config *config)
{
	struct plugins *all = xcalloc(1, sizeof(*all));

	all->config = *config;
	all->config.url = with_path(config->url);
	all->config.secret = xstrdup(config->secret);
	all->timer = (struct pollable){ .fd = -1, .deadline_ms = CLOCK_NEVER, .handle = on_timer };
	http_add(config->http, &all->timer);
	return all;
}

void
plugins_free(struct plugins **allp)
{
	struct plugins *all = *allp;
	struct plugin *p, *next;
	size_t i;

	if (all == NULL)
		return;
	*allp = NULL;
	for (i = 0; i < BUCKETS; i++)
		for (p = all->bucket[i]; p != NULL; p = next) {
			next = p->next;
			free(p->character);
			free(p);
		}
	free((char *)all->config.url);
	free((char *)all->config.secret);
	free(all);
}

int
plugins_send(struct plugins *all, const char *character, size_t character_len, const char *frame, size_t len)
{
	struct plugin *p = find(all, character, character_len);
	int64_t now_ms;

	if (p->state == OPEN) {
		if (http_ws_send(p->ws, frame, len) == 0)
			return 0;
		wake(all, clock_mono_ms() + ROOM_MS);
		return -1;
	}
	now_ms = clock_mono_ms();
	if (all->open == 0 && all->down_ms == 0)
		all->down_ms = now_ms;
	if (p->state == IDLE && p->wanted >= 0 && !all->closing) {
		if (now_ms >= p->retry_ms)
			connect_plugin(p);
		else
			wake(all, p->retry_ms);
	}
	return -1;
}

void
plugins_want(struct plugins *all, const char *character, int on)
{
	struct plugin *p = find(all, character, strlen(character));

	p->wanted = on ? 1 : -1;
	if (!on && p->state == OPEN)
		http_ws_close(p->ws, 1000, "logged out");
	else if (on && p->state == IDLE && !all->closing)
		wake(all, p->retry_ms);
}

size_t
plugins_queued_of(struct plugins *all, const char *character)
{
	const struct plugin *p = find(all, character, strlen(character));

	return p->state == OPEN ? http_ws_queued(p->ws) : 0;
}

size_t
plugins_open(const struct plugins *all)
{
	return all->open;
}

size_t
plugins_queued(const struct plugins *all)
{
	const struct plugin *p;
	size_t i, n = 0;

	for (i = 0; i < BUCKETS; i++)
		for (p = all->bucket[i]; p != NULL; p = p->next)
			n += p->state == OPEN ? http_ws_queued(p->ws) : 0;
	return n;
}

void
plugins_ask(struct plugins *all)
{
	struct plugin *p;
	size_t i;

	for (i = 0; i < BUCKETS; i++)
		for (p = all->bucket[i]; p != NULL; p = p->next)
			if (p->state == OPEN)
				http_ws_ping(p->ws);
}

size_t
plugins_unread(const struct plugins *all)
{
	const struct plugin *p;
	size_t i, n = all->gone_unread;

	for (i = 0; i < BUCKETS; i++)
		for (p = all->bucket[i]; p != NULL; p = p->next)
			n += p->state == OPEN && http_ws_pings(p->ws) > 0;
	return n;
}

uint64_t
plugins_errors(const struct plugins *all)
{
	return all->errors;
}

int64_t
plugins_down_since(const struct plugins *all)
{
	return all->down_ms;
}

void
plugins_close(struct plugins *all)
{
	struct plugin *p;
	size_t i;

	all->closing = 1;
	for (i = 0; i < BUCKETS; i++)
		for (p = all->bucket[i]; p != NULL; p = p->next)
			if (p->state == OPEN)
				http_ws_close(p->ws, 1000, "done");
}
