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

#define ANSWER_MS 5000                   /* for the first status, and of many for each further one */
#define PENDING_MAX 500
#define ID_MAX 64
#define NAME_MAX_CHARACTERS 32
#define COMMAND_MAX_CHARACTERS 500
#define DELAY_MAX_MS 60000

struct pending {
	TAILQ_ENTRY(pending) link;
	struct client *client;
	char bus_id[40];                 /* ours: two browsers may use the same id */
	char id[ID_MAX * 4 + 1];         /* the browser's */
	char *player_name, *tag;         /* to whom: one of them, or NULL both: to all */
	char *command;
	int delay_ms;
	unsigned answers;
	int64_t until_ms;
};

struct commands {
	struct bus_pub *pub;
	TAILQ_HEAD(, pending) list;
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
	free(p->tag);
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
	if (value == NULL)
		return;
	(void)buf_printf(b, ",\"%s\":", name);
	(void)buf_append_json(b, value, strlen(value));
}

static void
answer(struct pending *p, const char *player_name, const char *status)
{
	struct buf b = BUF_INIT(16384);

	(void)buf_appends(&b, "{\"type\":\"command_status\"");
	put_string(&b, "id", p->id);
	put_string(&b, "player_name", player_name);
	put_string(&b, "tag", p->tag);
	put_string(&b, "command", p->command);
	put_string(&b, "status", status);
	(void)buf_appends(&b, "}");
	client_put(p->client, buf_data(&b), buf_size(&b));
	buf_fini(&b);
	p->answers++;
	(*stat_cell(STAT_SERVE_COMMANDS, status))++;
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
	put_string(&b, "tag", p->tag);
	if (p->player_name == NULL && p->tag == NULL)
		(void)buf_appends(&b, ",\"all\":true");
	if (p->delay_ms > 0)
		(void)buf_printf(&b, ",\"delay_ms\":%d", p->delay_ms);
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
is_text(const struct json *j, const char *name, long most)
{
	long n = length(json_str(j, name, ""));

	return n >= 1 && n <= most;
}

/* Why it is no command, a sentence; NULL: it is one. */
static const char *
fault(const struct json *j)
{
	int name = json_has(j, "player_name"), tag = json_has(j, "tag"), all = json_has(j, "all");
	double delay = json_num(j, "delay_ms", -1);

	if (name + tag + all != 1)
		return "a command needs one of player_name, tag and all, to say whom it is for";
	if (name && !is_text(j, "player_name", NAME_MAX_CHARACTERS))
		return "player_name must be a name of 1 to 32 characters";
	if (tag && !is_text(j, "tag", NAME_MAX_CHARACTERS))
		return "tag must be text of 1 to 32 characters";
	if (all && !json_bool(j, "all", 0))
		return "all must be true";
	if (!is_text(j, "command", COMMAND_MAX_CHARACTERS))
		return "command must be one line of 1 to 500 characters";
	if (json_has(j, "delay_ms") && name)
		return "delay_ms is for a tag or all: it is the time between one character and the next";
	if (json_has(j, "delay_ms") && !(delay >= 0 && delay <= DELAY_MAX_MS && delay == (int)delay))
		return "delay_ms must be a whole number from 0 to 60000";
	if (json_has(j, "id") && !is_text(j, "id", ID_MAX))
		return "id must be text of 1 to 64 characters";
	return NULL;
}

static char *
dup_text(const struct json *j, const char *name)
{
	return json_has(j, name) ? xstrdup(json_str(j, name, "")) : NULL;
}

void
commands_ask(struct commands *cs, struct client *client, const struct json *j, int64_t now_ms)
{
	const char *why = fault(j);
	struct pending *p;

	if (why != NULL) {
		client_error(client, "bad_command", "%s", why);
		return;
	}
	if (cs->n == PENDING_MAX) {
		client_error(client, "too_many", "%d commands wait for their answer already; try again in some seconds", PENDING_MAX);
		return;
	}
	p = xcalloc(1, sizeof(*p));
	snprintf(p->bus_id, sizeof(p->bus_id), "s%016" PRIx64 "-%" PRIu64, cs->run, ++cs->count);
	snprintf(p->id, sizeof(p->id), "%s", json_str(j, "id", p->bus_id));
	p->client = client;
	p->player_name = dup_text(j, "player_name");
	p->tag = dup_text(j, "tag");
	p->command = dup_text(j, "command");
	p->delay_ms = (int)json_num(j, "delay_ms", 0);
	p->until_ms = now_ms + ANSWER_MS;
	TAILQ_INSERT_TAIL(&cs->list, p, link);
	cs->n++;
	/* Kept for a bus that is away it would be carried out at a time when nobody expects it any more. */
	if (bus_pub_connected(cs->pub))
		publish(cs, p);
}

/* A status without a name is about the whole command: the tag is nobody's, or it was one too many. */
static void
take_status(struct commands *cs, struct pending *p, const char *name, const char *status, int64_t now_ms)
{
	if (p->player_name != NULL || name == NULL) {
		answer(p, p->player_name, status);
		forget(cs, p);
		return;
	}
	answer(p, name, status);
	p->until_ms = now_ms + p->delay_ms + ANSWER_MS;
}

void
commands_status(struct commands *cs, const struct event *ev, int64_t now_ms)
{
	char id[sizeof(((struct pending *)0)->bus_id)], status[16], name[4 * NAME_MAX_CHARACTERS + 1];
	int named = event_string(event_get(ev, "player_name"), name, sizeof(name)) > 0;
	struct pending *p;

	if (event_string(event_get(ev, "id"), id, sizeof(id)) <= 0 || event_string(event_get(ev, "status"), status, sizeof(status)) <= 0)
		return;
	TAILQ_FOREACH(p, &cs->list, link)
		if (strcmp(p->bus_id, id) == 0) {
			take_status(cs, p, named ? name : NULL,
			    strcmp(status, "sent") == 0 ? "sent" : strcmp(status, "limited") == 0 ? "limited" : "offline", now_ms);
			return;
		}
}

void
commands_expire(struct commands *cs, int64_t now_ms)
{
	struct pending *p, *next;

	for (p = TAILQ_FIRST(&cs->list); p != NULL; p = next) {
		next = TAILQ_NEXT(p, link);
		if (p->until_ms > now_ms)
			continue;
		if (p->answers == 0)
			answer(p, p->player_name, "timeout");
		forget(cs, p);
	}
}
