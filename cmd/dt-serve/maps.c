#include "maps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "clock/clock.h"
#include "geo/geo.h"
#include "mem/mem.h"
#include "sql.h"
#include "subscription.h"

#define ASKS_MAX 64                      /* landblocks that are searched for at once */
#define WAITING_MAX 64                   /* browsers for one of them */
#define PLACES 4096                      /* by hash of the name; who shares a place is forgotten for the other */
#define PLACE_US (INT64_C(60) * 1000000)

struct place {
	int64_t us;
	uint16_t block;
};

struct ask {
	TAILQ_ENTRY(ask) link;
	struct maps *maps;
	char landblock[5];
	struct client *client[WAITING_MAX];
	size_t n;
	uint64_t query;                  /* 0: the database has been asked */
	int64_t until_ms;
};

struct maps {
	struct dungeons *dungeons;
	struct bus_pub *pub;
	struct pool *pool;
	int64_t wait_ms;                 /* for a plugin's answer */
	TAILQ_HEAD(, ask) asks;
	size_t n;
	struct place place[PLACES];
};

struct maps *
maps_new(struct dungeons *dungeons, struct bus_pub *pub, int64_t wait_ms)
{
	struct maps *m = xcalloc(1, sizeof(*m));

	m->dungeons = dungeons;
	m->pub = pub;
	m->wait_ms = wait_ms;
	TAILQ_INIT(&m->asks);
	return m;
}

void
maps_database(struct maps *m, struct pool *pool)
{
	m->pool = pool;
}

static void
ask_free(struct ask *a)
{
	struct maps *m = a->maps;

	if (a->query != 0)
		pool_cancel(m->pool, a->query);
	TAILQ_REMOVE(&m->asks, a, link);
	m->n--;
	free(a);
}

void
maps_stop(struct maps *m)
{
	while (!TAILQ_EMPTY(&m->asks))
		ask_free(TAILQ_FIRST(&m->asks));
	m->pool = NULL;
}

void
maps_free(struct maps **mp)
{
	if (*mp == NULL)
		return;
	maps_stop(*mp);
	free(*mp);
	*mp = NULL;
}

/* ---- answers ---- */

static void
answer(struct ask *a, const char *line, size_t len)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		client_put(a->client[i], line, len);
	ask_free(a);
}

static void
answer_none(struct ask *a)
{
	char line[80];
	int n = snprintf(line, sizeof(line), "{\"type\":\"dungeon_map\",\"landblock\":\"%s\",\"found\":false}", a->landblock);

	answer(a, line, (size_t)n);
}

/* 1 when it could be answered. */
static int
answer_from_memory(struct ask *a)
{
	size_t len;
	const char *line = dungeons_get(a->maps->dungeons, a->landblock, &len);

	if (line == NULL)
		return 0;
	answer(a, line, len);
	return 1;
}

/* ---- plugins ---- */

static int
is_somebody_at(const struct maps *m, const char *landblock)
{
	int64_t since = clock_wall_us() - PLACE_US;
	uint16_t block = (uint16_t)strtoul(landblock, NULL, 16);
	size_t i;

	for (i = 0; i < PLACES; i++)
		if (m->place[i].us > since && m->place[i].block == block)
			return 1;
	return 0;
}

static void
ask_plugins(struct ask *a)
{
	struct maps *m = a->maps;
	char line[128], now[CLOCK_ISO_SIZE];
	int n;

	a->query = 0;
	if (!bus_pub_connected(m->pub) || !is_somebody_at(m, a->landblock)) {
		answer_none(a);
		return;
	}
	clock_format_iso(clock_wall_us(), now);
	n = snprintf(line, sizeof(line), "{\"type\":\"request_dungeon_map\",\"timestamp\":\"%s\",\"landblock\":\"%s\"}", now, a->landblock);
	(void)bus_pub_send(m->pub, line, (size_t)n);
	a->until_ms = clock_mono_ms() + m->wait_ms;
}

static void
learn_place(struct maps *m, const struct event *ev)
{
	struct event_value v = event_get(ev, "landcell");
	char name[512], text[16];
	long n_name = event_string(ev->character_name, name, sizeof(name)), n = event_string(v, text, sizeof(text));
	struct place p;

	if (n_name <= 0 || n <= 0 || geo_parse_landblock(text, (size_t)n, &p.block) != 0)
		return;
	if (event_rx(ev, &p.us) != 0)
		p.us = clock_wall_us();
	m->place[subscription_name_hash(name, (size_t)n_name) % PLACES] = p;
}

void
maps_event(struct maps *m, const struct event *ev)
{
	struct ask *a, *next;

	if (event_value_is(ev->type, "telemetry") || event_value_is(ev->type, "nearby_objects"))
		learn_place(m, ev);
	else if (event_value_is(ev->type, "dungeon_map"))
		for (a = TAILQ_FIRST(&m->asks); a != NULL; a = next) {
			next = TAILQ_NEXT(a, link);
			(void)answer_from_memory(a);
		}
}

/* ---- the database ---- */

static void
on_row(void *priv, const struct pg_row *row)
{
	struct ask *a = priv;
	struct event ev;
	size_t len;
	const char *line = pg_text(row, 0, &len);

	if (event_scan(line, len, &ev) == EVENT_OK)
		dungeons_feed(a->maps->dungeons, &ev);
}

static void
on_done(void *priv)
{
	struct ask *a = priv;

	a->query = 0;
	if (!answer_from_memory(a))
		ask_plugins(a);
}

static void
on_error(void *priv, const struct pg_error *e)
{
	(void)e;
	ask_plugins(priv);
}

static void
ask_database(struct ask *a)
{
	struct pg_calls calls = { .on_row = on_row, .on_done = on_done, .on_error = on_error, .priv = a };
	const char *param = a->landblock;

	if (a->maps->pool != NULL)
		a->query = pool_query(a->maps->pool, POOL_QUICK, sql_dungeon_map, 1, &param, &calls);
	if (a->query == 0)
		ask_plugins(a);
}

/* ---- browsers ---- */

static struct ask *
find(struct maps *m, const char *landblock)
{
	struct ask *a;

	TAILQ_FOREACH(a, &m->asks, link)
		if (strcmp(a->landblock, landblock) == 0)
			break;
	return a;
}

static int
waits(const struct ask *a, const struct client *c)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		if (a->client[i] == c)
			return 1;
	return 0;
}

void
maps_ask(struct maps *m, struct client *c, const char *landblock, int64_t now_ms)
{
	size_t len;
	const char *line = dungeons_get(m->dungeons, landblock, &len);
	struct ask *a;

	if (line != NULL) {
		client_put(c, line, len);
		return;
	}
	a = find(m, landblock);
	if (a != NULL ? a->n == WAITING_MAX : m->n == ASKS_MAX) {
		client_error(c, "too_many", "too many maps are being looked for; try again in some seconds");
		return;
	}
	if (a != NULL) {
		if (!waits(a, c))
			a->client[a->n++] = c;
		return;
	}
	a = xcalloc(1, sizeof(*a));
	a->maps = m;
	memcpy(a->landblock, landblock, sizeof(a->landblock));
	a->client[a->n++] = c;
	a->until_ms = now_ms + m->wait_ms;
	TAILQ_INSERT_TAIL(&m->asks, a, link);
	m->n++;
	ask_database(a);
}

void
maps_expire(struct maps *m, int64_t now_ms)
{
	struct ask *a, *next;

	for (a = TAILQ_FIRST(&m->asks); a != NULL; a = next) {
		next = TAILQ_NEXT(a, link);
		if (a->query == 0 && a->until_ms <= now_ms)
			answer_none(a);
	}
}

void
maps_forget(struct maps *m, const struct client *c)
{
	struct ask *a;
	size_t i;

	TAILQ_FOREACH(a, &m->asks, link)
		for (i = 0; i < a->n; i++)
			if (a->client[i] == c)
				a->client[i--] = a->client[--a->n];
}
