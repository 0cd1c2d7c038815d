/* The subscriber: a cursor kept by the bus; after a reconnection it goes on behind the last line handed over. */
#include "bus/bus.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "buf/buf.h"
#include "bus/bus_link.h"
#include "clock/clock.h"
#include "event/event.h"
#include "log/log.h"
#include "mem/mem.h"
#include "ndjson/ndjson.h"

#define READ_SIZE (256u << 10)
#define SUBSCRIBE_MAX (1u << 20)
#define TEXT_MAX 1024                /* of an error or a journal's id */

enum state { DOWN, ASKING, UP, ENDED };

struct bus_sub {
	struct pollable pollable;        /* first: handle() casts */
	struct bus_sub_config config;
	struct bus_link link;
	enum state state;
	int paused, stop;                /* stop: the rest of this read is of no interest any more */
	struct ndjson *lines;
	char *data;                      /* READ_SIZE */
	struct buf out;                  /* what is left to send of the subscription */
	char *from;                      /* where the next subscription starts unless next says so; NULL: from now on */
	uint64_t next;                   /* the seq to come, 0 when not known */
	uint64_t seq;                    /* the last one handed over */
	uint64_t handed;                 /* lines on this connection */
	char journal[TEXT_MAX];          /* "" before the first answer */
};

/* ---- the connection ---- */

static void
want(struct bus_sub *sub)
{
	/* A hang-up cannot be masked, so that a paused descriptor leaves the set altogether. */
	sub->pollable.fd = sub->paused && sub->state == UP ? -1 : sub->link.fd;
	sub->pollable.events = (short)(POLLIN | (buf_size(&sub->out) > 0 ? POLLOUT : 0));
}

static void
end(struct bus_sub *sub, const char *error)
{
	bus_link_close(&sub->link);
	sub->state = ENDED;
	sub->stop = 1;
	sub->pollable.deadline_ms = CLOCK_NEVER;
	want(sub);
	if (sub->config.on_end != NULL)
		sub->config.on_end(sub->config.priv, error);
	else if (error != NULL)
		log_err("%s", error);
}

/* Lost, or never had. */
static void
go_down(struct bus_sub *sub, const char *why)
{
	char text[512];

	if (sub->config.once) {
		(void)snprintf(text, sizeof(text), sub->state == DOWN ? "unable to connect to the bus at %s: %s" : "lost the bus at %s: %s",
		    sub->link.path, why);
		end(sub, text);
		return;
	}
	sub->pollable.deadline_ms = bus_link_down(&sub->link, why, clock_mono_ms());
	sub->state = DOWN;
	sub->stop = 1;
	want(sub);
}

/* Connect anew at once, of our own accord. */
static void
restart(struct bus_sub *sub)
{
	if (sub->state == ENDED)
		return;
	bus_link_close(&sub->link);
	sub->state = DOWN;
	sub->stop = 1;
	sub->pollable.deadline_ms = 0;
	want(sub);
}

static void
put_words(struct buf *out, const char *key, const char *const *words)
{
	size_t i;

	if (words == NULL)
		return;
	(void)buf_printf(out, ",\"%s\":[", key);
	for (i = 0; words[i] != NULL; i++) {
		(void)buf_appends(out, i ? "," : "");
		(void)buf_append_json(out, words[i], strlen(words[i]));
	}
	(void)buf_appends(out, "]");
}

static void
put_position(struct buf *out, const char *key, const char *position)
{
	if (position == NULL)
		return;
	(void)buf_printf(out, ",\"%s\":", key);
	if (position[0] != '\0' && position[strspn(position, "0123456789")] == '\0')
		(void)buf_appends(out, position);
	else
		(void)buf_append_json(out, position, strlen(position));
}

/* 0, or -1: it does not fit in SUBSCRIBE_MAX (each append fails alone, so the closing brace decides). */
static int
put_subscription(struct bus_sub *sub)
{
	const struct bus_sub_config *c = &sub->config;
	struct buf *out = &sub->out;
	char next[24];

	buf_clear(out);
	(void)buf_appends(out, "{\"subscribe\":{\"name\":");
	(void)buf_append_json(out, c->name, strlen(c->name));
	put_words(out, "types", c->types);
	put_words(out, "characters", c->characters);
	if (c->jq != NULL) {
		(void)buf_appends(out, ",\"jq\":");
		if (buf_append_json(out, c->jq, strlen(c->jq)) == -1)
			return -1;
	}
	(void)snprintf(next, sizeof(next), "%ju", (uintmax_t)sub->next);
	put_position(out, "from", sub->next ? next : sub->from);
	put_position(out, "to", c->to);
	return buf_appends(out, "}}\n");
}

static void
send_out(struct bus_sub *sub)
{
	ssize_t n = send(sub->link.fd, buf_data(&sub->out), buf_size(&sub->out), MSG_NOSIGNAL);

	if (n >= 0)
		buf_consume(&sub->out, (size_t)n);
	else if (errno != EAGAIN && errno != EINTR) {
		go_down(sub, strerror(errno));
		return;
	}
	want(sub);
}

static void
ask(struct bus_sub *sub)
{
	if (put_subscription(sub) == -1) {
		end(sub, "the subscription is too long");
		return;
	}
	if (bus_link_connect(&sub->link) == -1) {
		go_down(sub, strerror(errno));
		return;
	}
	ndjson_free(&sub->lines);
	sub->lines = ndjson_new(EVENT_LINE_MAX);
	sub->state = ASKING;
	sub->handed = 0;
	sub->pollable.deadline_ms = clock_mono_ms() + BUS_LINK_ANSWER_MS;
	send_out(sub);
}

/* ---- what the bus says ---- */

static void
set_from(struct bus_sub *sub, const char *from)
{
	char *copy = from ? xstrdup(from) : NULL;

	free(sub->from);
	sub->from = copy;
	sub->next = 0;
}

static void
on_subscribed(struct bus_sub *sub, const char *line, size_t len)
{
	char journal[TEXT_MAX];
	uint64_t from;

	if (!bus_link_number(line, len, "from", &from))
		from = 0;
	if (!bus_link_string(line, len, "journal", journal, sizeof(journal)))
		journal[0] = '\0';
	if (sub->journal[0] != '\0' && strcmp(sub->journal, journal) != 0) {
		log_warn("the bus at %s has another journal now (%s, not %s): starting at its beginning", sub->link.path, journal, sub->journal);
		strcpy(sub->journal, journal);
		sub->seq = 0;
		set_from(sub, "earliest");
		restart(sub);
		return;
	}
	strcpy(sub->journal, journal);
	bus_link_up(&sub->link);
	sub->state = UP;
	sub->pollable.deadline_ms = CLOCK_NEVER;
	if (from > 0)
		sub->next = from;
	if (sub->config.on_subscribed != NULL)
		sub->config.on_subscribed(sub->config.priv, from, journal);
}

static void
on_gap(struct bus_sub *sub, const char *line, size_t len)
{
	uint64_t from, to, count;

	if (!bus_link_number(line, len, "from", &from) || !bus_link_number(line, len, "to", &to))
		return;
	if (!bus_link_number(line, len, "count", &count))
		count = to - from + 1;
	if (to >= sub->next)
		sub->next = to + 1;
	if (sub->config.on_gap != NULL)
		sub->config.on_gap(sub->config.priv, from, to, count);
	else
		log_warn("events %ju to %ju are no longer in the journal", (uintmax_t)from, (uintmax_t)to);
}

static int
control(struct bus_sub *sub, const char *line, size_t len)
{
	char type[32], text[TEXT_MAX], error[TEXT_MAX + 64];

	if (!bus_link_string(line, len, "type", type, sizeof(type)))
		type[0] = '\0';
	if (strcmp(type, "subscribed") == 0)
		on_subscribed(sub, line, len);
	else if (strcmp(type, "gap") == 0)
		on_gap(sub, line, len);
	else if (strcmp(type, "error") == 0) {
		if (!bus_link_string(line, len, "error", text, sizeof(text)))
			strcpy(text, "no reason given");
		(void)snprintf(error, sizeof(error), "the bus refused the subscription: %s", text);
		if (sub->config.once || sub->config.on_end != NULL)
			end(sub, error);
		else
			go_down(sub, error);
	} else
		log_warn("the bus said what no subscriber understands: %.*s", len > 200 ? 200 : (int)len, line);
	return sub->stop;
}

/* We did not get round to subscribing in time: the bus took us for one who says nothing and sends everything. */
static int
taken_for_silent(struct bus_sub *sub, uint64_t seq)
{
	if (sub->from == NULL && sub->next == 0)
		sub->next = seq;
	restart(sub);
	return sub->stop;
}

static int
on_line(void *priv, const char *line, size_t len)
{
	static const char stamp[] = "{\"_seq\":";
	struct bus_sub *sub = priv;
	uint64_t seq = 0;
	size_t i;

	if (line == NULL)
		return 0;
	if (len < sizeof(stamp) || memcmp(line, stamp, sizeof(stamp) - 1) != 0)
		return control(sub, line, len);
	for (i = sizeof(stamp) - 1; i < len && line[i] >= '0' && line[i] <= '9'; i++)
		seq = seq * 10 + (uint64_t)(line[i] - '0');
	if (sub->state == ASKING)
		return taken_for_silent(sub, seq);
	sub->seq = seq;
	sub->next = seq + 1;
	sub->handed++;
	sub->config.on_line(sub->config.priv, seq, line, len);
	return sub->stop;
}

/* With `to` the bus closes when it has sent all; so it does when it is restarted.  A subscription to the rest that brings nothing tells which. */
static void
on_eof(struct bus_sub *sub)
{
	if (sub->state == UP && (sub->config.once || (sub->config.to != NULL && sub->handed == 0)))
		end(sub, NULL);
	else if (sub->state == UP && sub->config.to != NULL)
		restart(sub);
	else
		go_down(sub, "it closed the connection");
}

static void
receive(struct bus_sub *sub)
{
	uint64_t handed = sub->handed;
	ssize_t n = recv(sub->link.fd, sub->data, READ_SIZE, 0);

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == -1) {
		go_down(sub, strerror(errno));
		return;
	}
	if (n == 0) {
		on_eof(sub);
		return;
	}
	sub->stop = 0;
	(void)ndjson_feed(sub->lines, sub->data, (size_t)n, on_line, sub);
	if (sub->handed != handed && sub->config.on_batch != NULL)
		sub->config.on_batch(sub->config.priv);
	want(sub);
}

static void
handle(struct pollable *pollable, short revents, int64_t now_ms)
{
	struct bus_sub *sub = (struct bus_sub *)pollable;

	(void)now_ms;
	if (sub->state == ENDED)
		return;
	if (sub->state == DOWN) {
		ask(sub);
		return;
	}
	if (revents == 0) {
		if (sub->state == ASKING)
			go_down(sub, "it does not answer");
		return;
	}
	if (revents & POLLOUT && buf_size(&sub->out) > 0)
		send_out(sub);
	if (revents & (POLLIN | POLLHUP | POLLERR) && sub->link.fd != -1)
		receive(sub);
}

/* ---- the caller's side ---- */

static const char *const *
dup_words(const char *const *words)
{
	char **copy;
	size_t n = 0, i;

	if (words == NULL)
		return NULL;
	while (words[n] != NULL)
		n++;
	copy = xcalloc(n + 1, sizeof(*copy));
	for (i = 0; i < n; i++)
		copy[i] = xstrdup(words[i]);
	return (const char *const *)copy;
}

static void
free_words(const char *const *words)
{
	size_t i;

	for (i = 0; words != NULL && words[i] != NULL; i++)
		free((char *)words[i]);
	free((void *)words);
}

struct bus_sub *
bus_sub_new(const struct bus_sub_config *config)
{
	struct bus_sub *sub = xcalloc(1, sizeof(*sub));

	sub->config = *config;
	sub->config.name = xstrdup(config->name);
	sub->config.types = dup_words(config->types);
	sub->config.characters = dup_words(config->characters);
	sub->config.jq = config->jq ? xstrdup(config->jq) : NULL;
	sub->config.to = config->to ? xstrdup(config->to) : NULL;
	sub->config.from = NULL;
	bus_link_init(&sub->link, config->path);
	sub->config.path = sub->link.path;
	buf_init(&sub->out, SUBSCRIBE_MAX);
	sub->data = xmalloc(READ_SIZE);
	sub->state = DOWN;
	sub->pollable = (struct pollable){ .fd = -1, .deadline_ms = 0, .handle = handle };
	set_from(sub, config->from);
	return sub;
}

void
bus_sub_free(struct bus_sub **subp)
{
	struct bus_sub *sub = *subp;

	if (sub == NULL)
		return;
	*subp = NULL;
	bus_link_fini(&sub->link);
	ndjson_free(&sub->lines);
	buf_fini(&sub->out);
	free_words(sub->config.types);
	free_words(sub->config.characters);
	free((char *)sub->config.name);
	free((char *)sub->config.jq);
	free((char *)sub->config.to);
	free(sub->from);
	free(sub->data);
	free(sub);
}

struct pollable *
bus_sub_pollable(struct bus_sub *sub)
{
	return &sub->pollable;
}

void
bus_sub_pause(struct bus_sub *sub, int on)
{
	sub->paused = on;
	want(sub);
}

void
bus_sub_seek(struct bus_sub *sub, const char *from)
{
	set_from(sub, from);
	sub->seq = 0;
	restart(sub);
}

uint64_t
bus_sub_seq(const struct bus_sub *sub)
{
	return sub->seq;
}

int
bus_sub_connected(const struct bus_sub *sub)
{
	return sub->state == UP;
}
