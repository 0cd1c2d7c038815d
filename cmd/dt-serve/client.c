#include "client_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem/mem.h"
#include "stat/stat.h"

#define LAG_MESSAGES 2048
#define LAG_MS 250                       /* took nothing for so long: it does not read well */
#define STUCK_MS 30000                   /* took nothing for so long: it is cut */
#define MESSAGES_PER_S 20
#define MESSAGES_BURST 60

struct client *
client_new(struct client_env *env, const struct account_who *who, struct group *group)
{
	struct client *c = xcalloc(1, sizeof(*c));

	c->env = env;
	c->who = *who;
	c->group = group;
	c->sub = subscription_all();
	c->tokens = MESSAGES_BURST;
	buf_init(&c->out, CLIENT_OUT_MAX);
	buf_init(&c->batch, CLIENT_CHUNK);
	return c;
}

struct account_who *
client_who(struct client *c)
{
	return &c->who;
}

void
client_free(struct client **cp)
{
	struct client *c = *cp;

	if (c == NULL)
		return;
	client_end_reading(c);
	subscription_free(&c->sub);
	rates_free(&c->rates);
	ring_big_unref(c->env->ring, &c->big);
	buf_fini(&c->out);
	free(c);
	*cp = NULL;
}

void
client_open(struct client *c, struct http_ws *ws)
{
	c->ws = ws;
	c->pos = ring_end(group_ring(c->group));
}

uint64_t
client_pos(const struct client *c)
{
	return c->ws == NULL || c->catch_up != LIVE ? UINT64_MAX : c->pos;
}

int
client_allow(struct client *c, int64_t now_ms)
{
	if (c->tokens_ms != 0)
		c->tokens += (double)(now_ms - c->tokens_ms) * MESSAGES_PER_S / 1000;
	if (c->tokens > MESSAGES_BURST)
		c->tokens = MESSAGES_BURST;
	c->tokens_ms = now_ms;
	if (c->tokens < 1)
		return 0;
	c->tokens--;
	return 1;
}

void
client_error(struct client *c, const char *code, const char *fmt, ...)
{
	struct buf b = BUF_INIT(4096);
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)buf_appends(&b, "{\"type\":\"error\",\"error\":");
	(void)buf_append_json(&b, text, strlen(text));
	(void)buf_printf(&b, ",\"code\":\"%s\"}", code);
	client_put(c, buf_data(&b), buf_size(&b));
	buf_fini(&b);
	(*stat_cell(STAT_SERVE_REJECTED, code))++;
}

/* ---- its place in the ring ---- */

static void
add_to_gap(struct client *c, const struct ring_msg *m)
{
	c->gap_count++;
	if (m->seq == 0)
		return;
	if (c->gap_from == 0)
		c->gap_from = m->seq;
	c->gap_to = m->seq;
}

void
client_gap(struct client *c, uint64_t from, uint64_t to, uint64_t count)
{
	if (c->gap_count > 0)
		client_put_gap(c);
	c->gap_from = from;
	c->gap_to = to;
	c->gap_count = count;
	client_put_gap(c);
}

/* Goes on with the newest; it will be told. */
static void
give_up(struct client *c)
{
	for (; c->pos < group_end(c->group); c->pos++)
		if (group_wants(c->group, c->pos))
			add_to_gap(c, ring_get(group_ring(c->group), c->pos));
}

void
client_evict(struct client *c, uint64_t n)
{
	uint64_t end = group_end(c->group);

	if (c->ws == NULL || c->catch_up != LIVE)
		return;
	while (c->pos <= n && c->pos < end && !group_wants(c->group, c->pos))
		c->pos++;
	if (c->pos <= n)
		give_up(c);
	if (c->pos >= end)
		c->pos = ring_end(group_ring(c->group));
}

void
client_skip(struct client *c, uint64_t from, uint64_t to)
{
	if (c->catch_up == LIVE && c->pos >= from && c->pos < to)
		c->pos = to;
}

int
client_lags(const struct client *c, int64_t now_ms)
{
	return c->ws != NULL && client_waits(c) && group_end(c->group) - c->pos > LAG_MESSAGES &&
	    (c->asked_ms == 0 || now_ms - c->asked_ms < LAG_MS);
}

int
client_stuck(const struct client *c, int64_t now_ms)
{
	return c->ws != NULL && c->asked_ms != 0 && now_ms - c->asked_ms > STUCK_MS;
}

int
client_holds_big(const struct client *c)
{
	return c->big != NULL;
}

void
client_close(struct client *c)
{
	client_end_reading(c);
	c->catch_up = LIVE;
}

void
client_settle(struct client *c, int64_t now_ms)
{
	const struct ring_msg *m;

	if (c->ws == NULL || c->catch_up != LIVE)
		return;
	if (c->gap_count > 0)
		client_put_gap(c);
	for (; buf_size(&c->out) < CLIENT_OUT_HIGH && (m = client_next(c, now_ms)) != NULL; c->pos++)
		client_put_event(c, ring_payload(m), m->len);
	give_up(c);
	if (c->gap_count > 0)
		client_put_gap(c);
}

/* Within what was being caught up, the new subscription starts where it stands: now. */
void
client_subscribe(struct client *c, struct subscription *sub, struct group *group)
{
	client_end_reading(c);
	c->catch_up = LIVE;
	c->group = group;
	c->pos = ring_end(group_ring(group));
	subscription_free(&c->sub);
	rates_free(&c->rates);
	c->sub = sub;
	if (sub->n_rates > 0)
		c->rates = rates_new();
	if (sub->jq == NULL && sub->has_from)
		client_go_on_after(c, sub->from > 0 ? sub->from - 1 : 0);
}
