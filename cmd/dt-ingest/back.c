/* From the stream to the plugins: commands, shared vitals, requests for maps. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock/clock.h"
#include "door.h"
#include "event/event.h"
#include "geo/geo.h"
#include "log/log.h"
#include "stat/stat.h"

#define STALE_US (15 * INT64_C(1000000))     /* nobody waits for these any more: a command that comes late may do harm */
#define ID_MAX 400
#define COMMAND_MAX 2000                     /* bytes of a command: 500 characters */

static struct door *D;

/* ---- commands ---- */

static void
append_value(struct buf *b, const char *key, struct event_value v)
{
	(void)buf_printf(b, ",\"%s\":", key);
	if (v.kind == EVENT_STRING)
		(void)buf_printf(b, "\"%.*s\"", (int)v.len, v.p);
	else
		(void)buf_append(b, v.p, v.len);
}

static void
report(const struct event *e, const char *name, const char *status)
{
	struct event_value id = event_get(e, "id"), tag = event_get(e, "tag");
	struct buf b = BUF_INIT(16384);
	char now[CLOCK_ISO_SIZE];

	*stat_cell(STAT_INGEST_COMMANDS, status) += 1;
	clock_format_iso(clock_wall_us(), now);
	(void)buf_printf(&b, "{\"type\":\"command_status\",\"timestamp\":\"%s\"", now);
	if ((id.kind == EVENT_STRING || id.kind == EVENT_NUMBER) && id.len <= ID_MAX)
		append_value(&b, "id", id);
	if (name != NULL) {
		(void)buf_appends(&b, ",\"player_name\":");
		(void)buf_append_json(&b, name, strlen(name));
	}
	if (tag.kind == EVENT_STRING)
		append_value(&b, "tag", tag);
	append_value(&b, "command", event_get(e, "command"));
	(void)buf_printf(&b, ",\"status\":\"%s\"}", status);
	if (door_publish(D, buf_data(&b), buf_size(&b)) != 0)
		log_warn("no room to report a command as %s", status);
	buf_fini(&b);
}

/* Just these two fields, as they came. */
static void
deliver(const struct event *e, struct roll_conn *c, const char *name)
{
	struct buf b = BUF_INIT(16384);
	int sent;

	(void)buf_appends(&b, "{\"player_name\":");
	(void)buf_append_json(&b, name, strlen(name));
	append_value(&b, "command", event_get(e, "command"));
	(void)buf_appends(&b, "}");
	sent = c->ws != NULL && http_ws_send(c->ws, buf_data(&b), buf_size(&b)) == 0;
	buf_fini(&b);
	if (!sent && c->ws != NULL) {
		log_warn("%s reads too slowly for commands: closing its connection", name);
		http_ws_close(c->ws, 1013, "too slow");
	}
	report(e, name, sent ? "sent" : "offline");
}

static int
deliver_by_tag(const struct event *e, const char *tag)
{
	struct roll_conn *c;
	int n = 0;

	for (c = roll_first(D->roll); c != NULL; c = LIST_NEXT(c, link))
		if (c->tag[0] != '\0' && c->tag_name[0] != '\0' && strcmp(c->tag, tag) == 0) {
			deliver(e, c, c->tag_name);
			n++;
		}
	return n;
}

static int
is_good_command(struct event_value v)
{
	char text[COMMAND_MAX + 1];
	long n = event_string(v, text, sizeof(text));

	return n > 0 && strpbrk(text, "\r\n") == NULL;
}

static void
on_command(const struct event *e, int stale)
{
	char name[GATE_NAME_SIZE], tag[ROLL_WORD_SIZE];
	long n_name = event_string(event_get(e, "player_name"), name, sizeof(name));
	long n_tag = event_string(event_get(e, "tag"), tag, sizeof(tag));
	struct roll_name *n;

	if ((n_name <= 0 && n_tag <= 0) || !is_good_command(event_get(e, "command"))) {
		*stat_cell(STAT_INGEST_COMMANDS, "invalid") += 1;
		log_warn("a command without player_name or tag, or with a bad text: ignored");
	} else if (n_name > 0) {
		n = stale ? NULL : roll_find(D->roll, name);
		if (n != NULL)
			deliver(e, n->owner, name);
		else
			report(e, name, "offline");
	} else if (stale || deliver_by_tag(e, tag) == 0)
		report(e, NULL, "offline");
}

/* ---- shared vitals ---- */

static void
on_share(const struct event *e)
{
	char name[GATE_NAME_SIZE], server[ROLL_WORD_SIZE] = "";
	struct roll_name *n = event_string(e->character_name, name, sizeof(name)) > 0 ? roll_find(D->roll, name) : NULL;
	const struct roll_conn *sender = n != NULL ? n->owner : NULL;
	struct roll_conn *c;
	size_t len;
	char *to;

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
		on_command(&e, stale);
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
	static const char *const types[] = { "command", "share_*", "request_dungeon_map", NULL };
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
