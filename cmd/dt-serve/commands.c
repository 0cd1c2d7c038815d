#include "commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>

#include "clock/clock.h"
#include "mem/mem.h"
#include "stat/stat.h"

#define ANSWER_MS 5000
#define PENDING_MAX 500
#define ID_MAX 64
#define NAME_MAX_CHARACTERS 32
#define COMMAND_MAX_CHARACTERS 500

struct pending {
	TAILQ_ENTRY(pending) link;
	struct client *client;
	char bus_id[40];                 /* ours: two browsers may use the same id */
	char id[ID_MAX * 4 + 1];         /* the browser's */
	char *player_name, *command;
	int64_t until_ms;
};

struct commands {
	struct bus_pub *pub;
	TAILQ_HEAD(, pending) list;      /* oldest first */
	size_t n;
	uint64_t run, count;
};

struct commands *
commands_new(struct bus_pub *pub)
{
	struct commands *cs = xcalloc(1, sizeof(*cs));

	cs->pub = pub;
	TAILQ_INIT(&cs->list);
	if (getrandom(&cs->run, sizeof(cs->run), 0) != sizeof(cs->run))
		cs->run = (uint64_t)clock_wall_us();
	return cs;
}

static void
forget(struct commands *cs, struct pending *p)
{
	TAILQ_REMOVE(&cs->list, p, link);
	cs->n--;
	free(p->player_name);
	free(p->command);
	free(p);
}

void
commands_free(struct commands **csp)
{
	struct commands *cs = *csp;

	if (cs == NULL)
		return;
	while (!TAILQ_EMPTY(&cs->list))
		forget(cs, TAILQ_FIRST(&cs->list));
	free(cs);
	*csp = NULL;
}

void
commands_forget(struct commands *cs, const struct client *client)
{
	struct pending *p, *next;

	for (p = TAILQ_FIRST(&cs->list); p != NULL; p = next) {
		next = TAILQ_NEXT(p, link);
		if (p->client == client)
			forget(cs, p);
	}
}

static void
put_string(struct buf *b, const char *name, const char *value)
{
	(void)buf_printf(b, ",\"%s\":", name);
	(void)buf_append_json(b, value, strlen(value));
}

static void
answer(struct commands *cs, struct pending *p, const char *status)
{
	struct buf b = BUF_INIT(16384);

	(void)buf_appends(&b, "{\"type\":\"command_status\"");
	put_string(&b, "id", p->id);
	put_string(&b, "player_name", p->player_name);
	put_string(&b, "command", p->command);
	put_string(&b, "status", status);
	(void)buf_appends(&b, "}");
	client_put(p->client, buf_data(&b), buf_size(&b));
	buf_fini(&b);
	(*stat_cell(STAT_SERVE_COMMANDS, status))++;
	forget(cs, p);
}

static void
publish(struct commands *cs, const struct pending *p)
{
	struct buf b = BUF_INIT(16384);
	char now[CLOCK_ISO_SIZE];

	clock_format_iso(clock_wall_us(), now);
	(void)buf_appends(&b, "{\"type\":\"command\"");
	put_string(&b, "timestamp", now);
	put_string(&b, "id", p->bus_id);
	put_string(&b, "player_name", p->player_name);
	put_string(&b, "command", p->command);
	put_string(&b, "by", client_who(p->client)->name);
	(void)buf_appends(&b, "}");
	(void)bus_pub_send(cs->pub, buf_data(&b), buf_size(&b));
	buf_fini(&b);
}

/* Characters of UTF-8 text; -1 when it holds control characters. */
static long
length(const char *s)
{
	long n = 0;

	for (; *s != '\0'; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return -1;
		n += ((unsigned char)*s & 0xc0) != 0x80;
	}
	return n;
}

static int
is_between(long n, long low, long high)
{
	return n >= low && n <= high;
}

void
commands_ask(struct commands *cs, struct client *client, const struct json *j, int64_t now_ms)
{
	const char *name = json_str(j, "player_name", ""), *command = json_str(j, "command", ""), *id = json_str(j, "id", "");
	struct pending *p;

	if (!is_between(length(name), 1, NAME_MAX_CHARACTERS)) {
		client_error(client, "bad_command", "player_name must be a name of 1 to %d characters", NAME_MAX_CHARACTERS);
		return;
	}
	if (!is_between(length(command), 1, COMMAND_MAX_CHARACTERS)) {
		client_error(client, "bad_command", "command must be one line of 1 to %d characters", COMMAND_MAX_CHARACTERS);
		return;
	}
	if (json_has(j, "id") && (json_kind(j, "id") != 's' || !is_between(length(id), 1, ID_MAX))) {
		client_error(client, "bad_command", "id must be text of 1 to %d characters", ID_MAX);
		return;
	}
	if (cs->n == PENDING_MAX) {
		client_error(client, "too_many", "%d commands wait for their answer already; try again in some seconds", PENDING_MAX);
		return;
	}
	p = xcalloc(1, sizeof(*p));
	snprintf(p->bus_id, sizeof(p->bus_id), "s%016" PRIx64 "-%" PRIu64, cs->run, ++cs->count);
	snprintf(p->id, sizeof(p->id), "%s", id[0] != '\0' ? id : p->bus_id);
	p->client = client;
	p->player_name = xstrdup(name);
	p->command = xstrdup(command);
	p->until_ms = now_ms + ANSWER_MS;
	TAILQ_INSERT_TAIL(&cs->list, p, link);
	cs->n++;
	/* Kept for a bus that is away it would be carried out at a time when nobody expects it any more. */
	if (bus_pub_connected(cs->pub))
		publish(cs, p);
}

void
commands_status(struct commands *cs, const struct event *ev)
{
	char id[sizeof(((struct pending *)0)->bus_id)], status[16];
	struct pending *p;

	if (event_string(event_get(ev, "id"), id, sizeof(id)) <= 0 || event_string(event_get(ev, "status"), status, sizeof(status)) <= 0)
		return;
	TAILQ_FOREACH(p, &cs->list, link)
		if (strcmp(p->bus_id, id) == 0) {
			answer(cs, p, strcmp(status, "sent") == 0 ? "sent" : strcmp(status, "limited") == 0 ? "limited" : "offline");
			return;
		}
}

void
commands_expire(struct commands *cs, int64_t now_ms)
{
	while (!TAILQ_EMPTY(&cs->list) && TAILQ_FIRST(&cs->list)->until_ms <= now_ms)
		answer(cs, TAILQ_FIRST(&cs->list), "timeout");
}
