/* What browsers ask for. */
#include <stdio.h>
#include <string.h>

#include "clock/clock.h"
#include "live_int.h"
#include "stat/stat.h"

#define SNAPSHOT_MAX (16u << 20)
#define SNAPSHOT_WITHIN_US (INT64_C(900) * 1000000)

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
on_subscribe(struct seat *s, const struct json *j)
{
	struct live *l = s->live;
	struct buf b = BUF_INIT(1u << 20);
	char error[256];
	struct subscription *sub = subscription_parse(j, error, sizeof(error));

	if (sub == NULL) {
		client_error(s->client, "bad_subscribe", "%s", error);
		return;
	}
	client_settle(s->client, http_now(l->config.http));
	if (live_join(s, sub) == -1) {
		client_error(s->client, "too_many", "at most %d different jq programs are run at a time: narrow by message_types and characters", FILTERS_MAX);
		subscription_free(&sub);
		return;
	}
	subscription_write(sub, l->config.newest_seq(l->config.priv), &b);
	client_put(s->client, buf_data(&b), buf_size(&b));
	buf_fini(&b);
	if (sub->snapshot)
		put_snapshot(l, s->client);
	client_subscribe(s->client, sub, s->group);
}

static void
on_request_dungeon_map(struct seat *s, const struct json *j)
{
	const char *text = json_str(j, "landblock", "");
	char landblock[5];

	if (dungeons_landblock(text, landblock) == -1) {
		client_error(s->client, "bad_landblock", "landblock must be up to 8 hexadecimal digits in a string");
		return;
	}
	maps_ask(s->live->maps, s->client, landblock, http_now(s->live->config.http));
}

static void
on_later(struct seat *s, const struct json *j)
{
	client_error(s->client, "not_available", "\"%s\" is not available yet: this socket is always live", json_str(j, "type", ""));
}

static void
on_command(struct seat *s, const struct json *j)
{
	if (client_who(s->client)->role < ACCOUNT_OPERATOR) {
		(*stat_cell(STAT_SERVE_REJECTED, "not_allowed"))++;
		client_error(s->client, "not_allowed", "commands need the role operator");
		return;
	}
	commands_ask(s->live->commands, s->client, j, http_now(s->live->config.http));
}

static const struct request {
	const char *type;
	void (*f)(struct seat *, const struct json *);
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
dispatch(struct seat *s, const struct json *j)
{
	const char *type = json_str(j, "type", "");
	size_t i;

	if (is_bare_command(j))
		type = "command";
	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (strcmp(type, requests[i].type) == 0) {
			requests[i].f(s, j);
			return;
		}
	if (type[0] == '\0')
		client_error(s->client, "bad_message", "a message needs a \"type\", or a \"command\" and \"player_name\", \"tag\" or \"all\"");
	else
		client_error(s->client, "bad_message", "no message of type \"%.40s\" is known here", type);
}

void
live_request(struct seat *s, const char *data, size_t len)
{
	const char *error = "";
	struct json *j = json_parse(data, len, &error);

	if (j == NULL || json_kind(j, "") != 'o')
		client_error(s->client, "bad_message", "a message is one JSON object%s%s", j == NULL ? ": " : "", j == NULL ? error : "");
	else
		dispatch(s, j);
	json_free(&j);
}
