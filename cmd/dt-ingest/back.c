/* From the stream to the plugins: commands, shared vitals, requests for maps. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock/clock.h"
#include "command.h"
#include "door.h"
#include "event/event.h"
#include "geo/geo.h"
#include "log/log.h"
#include "stat/stat.h"

#define STALE_US (15 * INT64_C(1000000))     /* nobody waits for these any more: a command that comes late may do harm */

static struct door *D;

/* ---- shared vitals ---- */

/* More shares of a character than were published here: it shares by another door, whose matter the goodbye is then. */
static void
note_other_door(struct roll_name *n)
{
	if (n == NULL || ++n->shares_heard <= n->shares_sent)
		return;
	n->shares_heard = n->shares_sent;
	n->shares = 0;
}

static void
on_share(const struct event *e)
{
	char name[GATE_NAME_SIZE], server[ROLL_WORD_SIZE] = "";
	struct roll_name *n = event_string(e->character_name, name, sizeof(name)) > 0 ? roll_find(D->roll, name) : NULL;
	const struct roll_conn *sender = n != NULL ? n->owner : NULL;
	struct roll_conn *c;
	size_t len;
	char *to;

	note_other_door(n);
	if (event_string(event_get(e, "server"), server, sizeof(server)) <= 0)
		snprintf(server, sizeof(server), "%s", sender != NULL ? sender->server : "");
	buf_clear(&D->scratch);
	to = buf_reserve(&D->scratch, e->len + 1);
	len = event_write(e, EVENT_STRIP_STAMP, to);
	for (c = roll_first(D->roll); c != NULL; c = LIST_NEXT(c, link)) {
		if (c == sender || c->ws == NULL || strcmp(c->server, server) != 0)
			continue;
		if (http_ws_queued(c->ws) + len <= SHARE_QUEUE_MAX && http_ws_send(c->ws, to, len) == 0)
			stat_add(STAT_INGEST_RELAYED, 1);
		else
			*stat_cell(STAT_INGEST_DROPPED, "share") += 1;
	}
}

/* ---- maps ---- */

static void
on_map_request(const struct event *e)
{
	char text[64], line[128];
	long n = event_string(event_get(e, "landblock"), text, sizeof(text));
	struct roll_conn *c;
	uint16_t block;
	int len;

	if (n <= 0 || geo_parse_landblock(text, (size_t)n, &block) != 0)
		return;
	len = snprintf(line, sizeof(line), "{\"type\":\"request_dungeon_map\",\"landblock\":\"%04X\"}", block);
	for (c = roll_first(D->roll); c != NULL; c = LIST_NEXT(c, link)) {
		if (c->ws == NULL || c->landblock != block)
			continue;
		if (http_ws_queued(c->ws) <= SHARE_QUEUE_MAX && http_ws_send(c->ws, line, (size_t)len) == 0)
			stat_add(STAT_INGEST_MAP_REQUESTS, 1);
		else
			*stat_cell(STAT_INGEST_DROPPED, "map_request") += 1;
	}
}

/* ---- the subscription ---- */

static void
on_line(void *priv, uint64_t seq, const char *line, size_t len)
{
	int64_t rx;
	struct event e;
	int stale;

	(void)priv, (void)seq;
	if (event_scan(line, len, &e) != EVENT_OK || event_get(&e, "_replay").kind != EVENT_ABSENT)
		return;                  /* what is replayed has been done once */
	stale = event_rx(&e, &rx) == 0 && rx < clock_wall_us() - STALE_US;
	if (event_value_is(e.type, "command"))
		command_event(&e, stale);
	else if (event_value_is(e.type, "command_status"))
		command_status(&e);
	else if (stale)
		return;
	else if (event_value_is(e.type, "request_dungeon_map"))
		on_map_request(&e);
	else
		on_share(&e);
}

void
back_open(struct door *d)
{
	static const char *const types[] = { "command", "command_status", "share_*", "request_dungeon_map", NULL };
	char *path = bus_out_path();
	struct bus_sub_config config = { .path = path, .name = "dt-ingest", .types = types, .on_line = on_line };

	D = d;
	d->sub = bus_sub_new(&config);
	http_add(d->http, bus_sub_pollable(d->sub));
	free(path);
}

void
back_close(struct door *d)
{
	http_del(d->http, bus_sub_pollable(d->sub));
	bus_sub_free(&d->sub);
}
