/* What a browser missed: from the ring where that goes back so far, else from the journal, as a subscription of its own to the bus. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "client_int.h"
#include "event/event.h"
#include "stat/stat.h"

#define CATCHING_UP_MAX 8                /* each has a reading buffer of its own */
#define AHEAD_MS 30000                   /* a number that has not come by then is of some other journal */

void
client_end_reading(struct client *c)
{
	if (c->journal != NULL) {
		http_del(c->env->http, bus_sub_pollable(c->journal));
		bus_sub_free(&c->journal);
		c->env->catching_up--;
	}
	buf_fini(&c->batch);
}

/* Puts the position behind seq when the ring goes back so far. */
static int
find_in_ring(struct client *c, uint64_t seq)
{
	const struct ring *ring = group_ring(c->group);
	uint64_t first = ring_first(ring), end = ring_end(ring), n, oldest = 0;

	for (n = first; n < end && oldest == 0; n++)
		oldest = ring_get(ring, n)->seq;
	if (oldest == 0 ? seq < c->env->newest_seq(c->env->priv) : seq + 1 < oldest)
		return 0;
	for (n = end; n > first; n--) {
		const struct ring_msg *m = ring_get(ring, n - 1);

		if (m->seq != 0 && m->seq <= seq)
			break;
	}
	c->pos = n;
	return 1;
}

void
client_go_on_after(struct client *c, uint64_t seq)
{
	c->from = seq + 1;
	c->to = c->env->newest_seq(c->env->priv);
	c->env->turn = 1;                /* its place is another one now, or there is something to read */
	if (seq > c->to) {
		c->catch_up = AHEAD;
		c->until_ms = 0;
		return;
	}
	if (find_in_ring(c, seq)) {
		c->catch_up = LIVE;
		return;
	}
	c->catch_up = WAITING;
}

/* It has had more than we, as after a restart that we are still at. */
void
client_look_again(struct client *c, int64_t now_ms)
{
	uint64_t newest = c->env->newest_seq(c->env->priv);

	if (c->until_ms == 0 && newest > 0)
		c->until_ms = now_ms + AHEAD_MS;
	if (newest >= c->from - 1)
		client_go_on_after(c, c->from - 1);
	else if (newest > 0 && now_ms >= c->until_ms) {
		c->pos = ring_end(group_ring(c->group));
		c->catch_up = LIVE;
	}
}

static void
flush_batch(struct client *c)
{
	if (buf_size(&c->batch) == 0)
		return;
	(void)buf_appends(&c->batch, "]");
	client_put(c, buf_data(&c->batch), buf_size(&c->batch));
	buf_clear(&c->batch);
}

static void
on_line(void *priv, uint64_t seq, const char *line, size_t len)
{
	struct client *c = priv;
	struct event ev;

	(void)seq;
	if (event_scan(line, len, &ev) != EVENT_OK || event_value_is(ev.type, "command_status"))
		return;
	if (buf_size(&c->batch) > 0 && buf_size(&c->batch) + len + 2 > RING_FRAME_MAX)
		flush_batch(c);
	if (c->sub->batch_ms == 0 || len + 2 > RING_FRAME_MAX) {
		client_put_event(c, line, len);
		return;
	}
	stat_add(STAT_SERVE_DELIVERIES, 1);
	(void)buf_appends(&c->batch, buf_size(&c->batch) > 0 ? "," : "[");
	(void)buf_append(&c->batch, line, len);
}

static void
on_batch(void *priv)
{
	flush_batch(priv);
}

static void
on_gap(void *priv, uint64_t from, uint64_t to, uint64_t count)
{
	struct client *c = priv;

	flush_batch(c);
	client_gap(c, from, to, count);
}

static void
on_end(void *priv, const char *error)
{
	struct client *c = priv;

	flush_batch(c);
	if (error != NULL)
		client_error(c, "unavailable", "what was missed cannot be read: %s", error);
	c->catch_up = READ;
	c->env->turn = 1;
}

static void
begin_reading(struct client *c)
{
	char from[24], to[24];
	char *path = bus_out_path();
	struct bus_sub_config config = {
		.path = path, .name = "dt-serve catch-up", .from = from, .to = to, .once = 1,
		.types = (const char *const *)c->sub->types, .characters = (const char *const *)c->sub->characters,
		.on_line = on_line, .on_batch = on_batch, .on_gap = on_gap, .on_end = on_end, .priv = c
	};

	snprintf(from, sizeof(from), "%" PRIu64, c->from);
	snprintf(to, sizeof(to), "%" PRIu64, c->to);
	c->journal = bus_sub_new(&config);
	free(path);
	http_add(c->env->http, bus_sub_pollable(c->journal));
	c->env->catching_up++;
	c->catch_up = READING;
}

void
client_turn(struct client *c)
{
	if (c->catch_up == READ) {
		client_end_reading(c);
		client_go_on_after(c, c->to);
		if (c->catch_up == LIVE)
			http_ws_want_write(c->ws);
	}
	if (c->catch_up != WAITING)
		return;
	if (c->env->catching_up < CATCHING_UP_MAX)
		begin_reading(c);
	else
		c->env->turn = 1;
}
