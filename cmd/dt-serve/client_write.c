/* What leaves for a browser: its own frames first, then those of the ring that it wants. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client_int.h"
#include "clock/clock.h"
#include "stat/stat.h"

#define CHUNKS_A_TURN 4                  /* while the socket takes them */
#define OUT_LOW (64u << 10)
#define BATCH_WAITING_MAX 2000           /* so many do not wait for their time */

/* ---- frames for this one alone ---- */

static size_t
put_header(char *to, unsigned opcode_and_fin, size_t len)
{
	size_t n = http_ws_frame(to, len);

	to[0] = (char)opcode_and_fin;
	return n;
}

/* First byte of a frame that carries the bytes [at, at + n) of a message of len. */
static unsigned
opcode(size_t at, size_t n, size_t len)
{
	return (at == 0 ? 0x01u : 0x00u) | (at + n == len ? 0x80u : 0x00u);
}

static void
hold(struct client *c, int on)
{
	if (c->held == on)
		return;
	c->held = on;
	http_ws_pause(c->ws, on);
	if (c->journal != NULL)
		bus_sub_pause(c->journal, on);
}

void
client_put(struct client *c, const char *payload, size_t len)
{
	size_t at = 0, n;
	char *to;

	if (c->ws == NULL)
		return;
	if (buf_size(&c->out) + len + len / RING_FRAME_MAX * 10 + 20 > CLIENT_OUT_MAX) {
		http_ws_close(c->ws, 1013, "reads too slowly");
		return;
	}
	do {
		n = len - at < RING_FRAME_MAX ? len - at : RING_FRAME_MAX;
		to = buf_reserve(&c->out, n + 10);
		assert(to != NULL);
		buf_added(&c->out, put_header(to, opcode(at, n, len), n));
		(void)buf_append(&c->out, payload + at, n);
		at += n;
	} while (at < len);
	if (buf_size(&c->out) > CLIENT_OUT_HIGH)
		hold(c, 1);
	http_ws_want_write(c->ws);
}

/* 0: the connection is gone. */
static int
write_raw(struct client *c, const char *frames, size_t len)
{
	int room = http_ws_write_raw(c->ws, frames, len);

	c->full = room <= 0;
	return room != -1;
}

static void
write_out(struct client *c)
{
	const char *p = buf_data(&c->out);
	size_t size = buf_size(&c->out), n = 0, next;

	while (n < size && (next = n + http_ws_frame_len(p + n)) <= CLIENT_CHUNK)
		n = next;
	if (!write_raw(c, p, n))
		return;
	buf_consume(&c->out, n);
	if (buf_size(&c->out) == 0 && c->out.cap > OUT_LOW)
		buf_fini(&c->out);
	if (buf_size(&c->out) < OUT_LOW)
		hold(c, 0);
}

void
client_put_gap(struct client *c)
{
	char text[160];
	int n = snprintf(text, sizeof(text), "{\"type\":\"gap\",\"from\":%" PRIu64 ",\"to\":%" PRIu64 ",\"count\":%" PRIu64 "}", c->gap_from, c->gap_to, c->gap_count);

	stat_add(STAT_SERVE_GAPS, 1);
	stat_add(STAT_SERVE_GAP_EVENTS, (int64_t)c->gap_count);
	c->gap_from = c->gap_to = c->gap_count = 0;
	client_put(c, text, (size_t)n);
}

/* An event outside the ring: one that was held back, or from the journal. */
void
client_put_event(struct client *c, const char *payload, size_t len)
{
	struct buf b = BUF_INIT(len + 2);

	stat_add(STAT_SERVE_DELIVERIES, 1);
	if (c->sub->batch_ms == 0) {
		client_put(c, payload, len);
		return;
	}
	(void)buf_appends(&b, "[");
	(void)buf_append(&b, payload, len);
	(void)buf_appends(&b, "]");
	client_put(c, buf_data(&b), buf_size(&b));
	buf_fini(&b);
}

static int
put_held(void *priv, const char *payload, size_t len)
{
	struct client *c = priv;

	if (buf_size(&c->out) > CLIENT_OUT_HIGH)
		return -1;
	client_put_event(c, payload, len);
	return 0;
}

/* ---- the ring ---- */

int
client_waits(const struct client *c)
{
	return c->catch_up == LIVE && group_end(c->group) > c->pos;
}

static int
is_held_back(struct client *c, const struct ring_msg *m, int64_t now_ms)
{
	double per_s = c->rates != NULL ? subscription_rate(c->sub, m) : 0;
	uint64_t key;

	if (per_s == 0)
		return 0;
	key = subscription_name_hash(ring_payload(m) + m->type_at, m->type_len) * 31 + m->name_hash;
	return !rates_pass(c->rates, key, per_s, now_ms, ring_payload(m), m->len);
}

const struct ring_msg *
client_next(struct client *c, int64_t now_ms)
{
	struct ring *ring = group_ring(c->group);
	uint64_t end = group_end(c->group);

	for (; c->pos < end; c->pos++) {
		const struct ring_msg *m;

		if (!group_wants(c->group, c->pos))
			continue;
		m = ring_get(ring, c->pos);
		if (!is_held_back(c, m, now_ms))
			return m;
	}
	return NULL;
}

static void
write_fragment(struct client *c)
{
	static char scratch[RING_FRAME_MAX + 16];
	size_t len = c->big->len + (c->big_batch ? 2 : 0), n = len - c->big_at, at = c->big_at, i;
	char *to;

	if (n > RING_FRAME_MAX)
		n = RING_FRAME_MAX;
	to = scratch + put_header(scratch, opcode(at, n, len), n);
	i = 0;
	if (c->big_batch && at == 0)
		to[i++] = '[';
	while (i < n && at + i - (c->big_batch ? 1 : 0) < c->big->len) {
		size_t from = at + i - (c->big_batch ? 1 : 0), m = c->big->len - from;

		if (m > n - i)
			m = n - i;
		memcpy(to + i, c->big->data + from, m);
		i += m;
	}
	if (i < n)
		to[i] = ']';
	if (!write_raw(c, scratch, (size_t)(to - scratch) + n))
		return;
	c->big_at += n;
	if (c->big_at == len)
		ring_big_unref(c->env->ring, &c->big);
}

static void
begin_big(struct client *c, const struct ring_msg *m)
{
	c->big = ring_big_ref(m->big);
	c->big_at = 0;
	c->big_batch = c->sub->batch_ms > 0;
	c->pos++;
	stat_add(STAT_SERVE_DELIVERIES, 1);
	write_fragment(c);
}

/* One event a frame: the same bytes for all of the group. */
static void
write_run(struct client *c)
{
	struct ring_run run = group_run(c->group, c->pos, CLIENT_CHUNK);

	c->pos = run.next;
	if (run.len == 0 && client_waits(c)) {
		begin_big(c, ring_get(group_ring(c->group), c->pos));
		return;
	}
	stat_add(STAT_SERVE_DELIVERIES, (int64_t)run.count);
	(void)write_raw(c, run.frames, run.len);
}

static void
write_chosen(struct client *c, int64_t now_ms)
{
	static char scratch[CLIENT_CHUNK];
	const struct ring_msg *m;
	size_t n = 0;

	while ((m = client_next(c, now_ms)) != NULL) {
		if (m->big != NULL && n == 0) {
			begin_big(c, m);
			return;
		}
		if (m->big != NULL || n + m->header + m->len > sizeof(scratch))
			break;
		memcpy(scratch + n, m->frame, m->header + m->len);
		n += m->header + m->len;
		c->pos++;
		stat_add(STAT_SERVE_DELIVERIES, 1);
	}
	if (n > 0)
		(void)write_raw(c, scratch, n);
}

/* One array of what there is, up to a chunk.  The header is put before it when its length is known. */
static void
write_batch(struct client *c, int64_t now_ms)
{
	static char scratch[CLIENT_CHUNK];
	const size_t begin = 10, most = 65535;
	const struct ring_msg *m;
	char header[10];
	size_t n = begin, h;

	while ((m = client_next(c, now_ms)) != NULL) {
		if (m->big != NULL && n == begin) {
			begin_big(c, m);
			return;
		}
		if (m->big != NULL || n + m->len + 2 > sizeof(scratch) || n - begin + m->len + 2 > most)
			break;
		scratch[n] = n == begin ? '[' : ',';
		n++;
		memcpy(scratch + n, ring_payload(m), m->len);
		n += m->len;
		c->pos++;
		stat_add(STAT_SERVE_DELIVERIES, 1);
	}
	if (m == NULL)
		c->due_ms = now_ms + c->sub->batch_ms;
	if (n == begin)
		return;
	scratch[n++] = ']';
	h = http_ws_frame(header, n - begin);
	memcpy(scratch + begin - h, header, h);
	(void)write_raw(c, scratch + begin - h, n - begin + h);
}

/* ---- when ---- */

static int
is_due(const struct client *c, int64_t now_ms)
{
	return client_waits(c) && (c->sub->batch_ms == 0 || now_ms >= c->due_ms || group_end(c->group) - c->pos > BATCH_WAITING_MAX);
}

/* 0: there was nothing. */
static int
write_once(struct client *c, int64_t now_ms)
{
	if (c->big != NULL) {
		write_fragment(c);
		return 1;
	}
	if (c->gap_count > 0)
		client_put_gap(c);
	if (c->rates != NULL)
		rates_due(c->rates, now_ms, put_held, c);
	if (buf_size(&c->out) > 0)
		write_out(c);
	else if (!is_due(c, now_ms))
		return 0;
	else if (c->sub->batch_ms > 0)
		write_batch(c, now_ms);
	else if (c->rates != NULL)
		write_chosen(c, now_ms);
	else
		write_run(c);
	return 1;
}

int64_t
client_write(struct client *c, int64_t now_ms)
{
	int i;

	c->asked_ms = 0;
	c->full = 0;
	for (i = 0; i < CHUNKS_A_TURN && !c->full && write_once(c, now_ms); i++)
		;
	return client_poke(c, now_ms);
}

int64_t
client_poke(struct client *c, int64_t now_ms)
{
	int64_t held_ms = c->rates != NULL ? rates_next_ms(c->rates) : CLOCK_NEVER, due_ms = CLOCK_NEVER;

	if (c->ws == NULL)
		return CLOCK_NEVER;
	if (c->catch_up == AHEAD)
		client_look_again(c, now_ms);
	if (c->big != NULL || c->gap_count > 0 || buf_size(&c->out) > 0 || is_due(c, now_ms) || held_ms <= now_ms) {
		if (c->asked_ms == 0)
			c->asked_ms = now_ms;
		http_ws_want_write(c->ws);
	} else if (client_waits(c))
		due_ms = c->due_ms;
	return held_ms > now_ms && held_ms < due_ms ? held_ms : due_ms;
}
