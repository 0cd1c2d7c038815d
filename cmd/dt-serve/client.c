#include "client.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock/clock.h"
#include "event/event.h"
#include "mem/mem.h"
#include "stat/stat.h"

#define CHUNK 65536u                     /* most that is given to the socket at once */
#define OUT_MAX (32u << 20)              /* a snapshot, or one event of the greatest size */
#define OUT_HIGH (256u << 10)            /* over this it is not read from, and the journal waits */
#define OUT_LOW (64u << 10)
#define LAG_MESSAGES 2048
#define LAG_MS 250                       /* took nothing for so long: it does not read well */
#define STUCK_MS 30000                   /* took nothing for so long: it is cut */
#define CATCHING_UP_MAX 8                /* each has a reading buffer of its own */
#define MESSAGES_PER_S 20
#define MESSAGES_BURST 60

enum catch_up { LIVE, WAITING, READING, READ };

struct client {
	struct client_env *env;
	struct account_who who;
	struct ring *ring;               /* that of all, or that of its filter */
	struct filter_feed *feed;        /* NULL: no jq */
	struct http_ws *ws;              /* NULL: not open yet */
	struct subscription *sub;
	struct rates *rates;             /* NULL: no limits */
	uint64_t pos;                    /* number of the next message of the ring */
	struct buf out;                  /* frames for it alone; they go before those of the ring */
	int held;                        /* we do not read from it */
	struct ring_big *big;            /* a long message that is on its way in fragments */
	size_t big_at;                   /* of its text with brackets */
	int big_batch;
	uint64_t gap_from, gap_to, gap_count;
	int64_t due_ms;                  /* when the next batch may go */
	int64_t asked_ms;                /* since when the socket could take something but does not; 0: it does */
	enum catch_up catch_up;
	struct bus_sub *journal;
	uint64_t from, to;               /* of the journal, inclusive */
	struct buf batch;
	double tokens;
	int64_t tokens_ms;
};

struct client *
client_new(struct client_env *env, const struct account_who *who)
{
	struct client *c = xcalloc(1, sizeof(*c));

	c->env = env;
	c->who = *who;
	c->ring = env->ring;
	c->sub = subscription_all();
	c->tokens = MESSAGES_BURST;
	buf_init(&c->out, OUT_MAX);
	buf_init(&c->batch, CHUNK);
	return c;
}

struct account_who *
client_who(struct client *c)
{
	return &c->who;
}

static void
end_reading(struct client *c)
{
	if (c->journal != NULL) {
		http_del(c->env->http, bus_sub_pollable(c->journal));
		bus_sub_free(&c->journal);
		c->env->catching_up--;
	}
	buf_fini(&c->batch);
}

void
client_free(struct client **cp)
{
	struct client *c = *cp;

	if (c == NULL)
		return;
	end_reading(c);
	filters_put(c->env->filters, &c->feed);
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
	c->pos = ring_end(c->ring);
}

uint64_t
client_pos(const struct client *c)
{
	return c->ws == NULL || c->catch_up != LIVE ? UINT64_MAX : c->pos;
}

int
client_is_open(const struct client *c)
{
	return c->ws != NULL;
}

const struct subscription *
client_subscription(const struct client *c)
{
	return c->sub;
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
	if (buf_size(&c->out) + len + len / RING_FRAME_MAX * 10 + 20 > OUT_MAX) {
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
	if (buf_size(&c->out) > OUT_HIGH)
		hold(c, 1);
	http_ws_want_write(c->ws);
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

static size_t
frame_len(const unsigned char *p)
{
	size_t len = p[1] & 0x7f;

	if (len == 126)
		return 4 + ((size_t)p[2] << 8 | p[3]);
	assert(len < 126);               /* ours are never longer than RING_FRAME_MAX */
	return 2 + len;
}

static void
write_out(struct client *c)
{
	const unsigned char *p = (const unsigned char *)buf_data(&c->out);
	size_t size = buf_size(&c->out), n = 0, next;

	while (n < size && (next = n + frame_len(p + n)) <= CHUNK)
		n = next;
	if (http_ws_write_raw(c->ws, (const char *)p, n) == -1)
		return;
	buf_consume(&c->out, n);
	if (buf_size(&c->out) == 0 && c->out.cap > OUT_LOW)
		buf_fini(&c->out);
	if (buf_size(&c->out) < OUT_LOW)
		hold(c, 0);
}

/* ---- the ring ---- */

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

static void
put_gap(struct client *c)
{
	char text[160];
	int n = snprintf(text, sizeof(text), "{\"type\":\"gap\",\"from\":%" PRIu64 ",\"to\":%" PRIu64 ",\"count\":%" PRIu64 "}", c->gap_from, c->gap_to, c->gap_count);

	stat_add(STAT_SERVE_GAPS, 1);
	stat_add(STAT_SERVE_GAP_EVENTS, (int64_t)c->gap_count);
	c->gap_from = c->gap_to = c->gap_count = 0;
	client_put(c, text, (size_t)n);
}

/* What came through its filter is what it wants. */
static int
wants(const struct client *c, const struct ring_msg *m)
{
	return c->feed != NULL || subscription_wants(c->sub, m);
}

static int
wants_all(const struct client *c)
{
	return c->feed != NULL ? c->rates == NULL : subscription_wants_all(c->sub);
}

struct filter_feed *
client_feed(const struct client *c)
{
	return c->feed;
}

void
client_gap(struct client *c, uint64_t from, uint64_t to, uint64_t count)
{
	if (c->gap_count > 0)
		put_gap(c);
	c->gap_from = from;
	c->gap_to = to;
	c->gap_count = count;
	put_gap(c);
}

void
client_evict(struct client *c, uint64_t n)
{
	uint64_t end = ring_end(c->ring);

	if (c->ws == NULL || c->pos > n || c->catch_up != LIVE)
		return;
	for (; c->pos < end; c->pos++) {
		const struct ring_msg *m = ring_get(c->ring, c->pos);

		if (wants(c, m))
			add_to_gap(c, m);
	}
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

/* The next message that it wants, without taking it; NULL: none. */
static const struct ring_msg *
next_wanted(struct client *c, int64_t now_ms)
{
	uint64_t end = ring_end(c->ring);

	for (; c->pos < end; c->pos++) {
		const struct ring_msg *m = ring_get(c->ring, c->pos);

		if (wants(c, m) && !is_held_back(c, m, now_ms))
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
	if (http_ws_write_raw(c->ws, scratch, (size_t)(to - scratch) + n) == -1)
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

/* Everything is wanted, one event a frame: the shared bytes themselves, as far as they lie side by side. */
static void
write_shared(struct client *c)
{
	const struct ring_msg *m = ring_get(c->ring, c->pos);
	const char *begin = m->frame;
	uint64_t end = ring_end(c->ring), first = c->pos;
	size_t n = 0;

	if (m->big != NULL) {
		begin_big(c, m);
		return;
	}
	for (; c->pos < end; c->pos++, n += m->header + m->len) {
		m = ring_get(c->ring, c->pos);
		if (m->frame != begin + n || n + m->header + m->len > CHUNK)
			break;
	}
	stat_add(STAT_SERVE_DELIVERIES, (int64_t)(c->pos - first));
	(void)http_ws_write_raw(c->ws, begin, n);
}

static void
write_chosen(struct client *c, int64_t now_ms)
{
	static char scratch[CHUNK];
	const struct ring_msg *m;
	size_t n = 0;

	while ((m = next_wanted(c, now_ms)) != NULL) {
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
		(void)http_ws_write_raw(c->ws, scratch, n);
}

/* One array of what there is, up to a chunk.  The header is put before it when its length is known. */
static void
write_batch(struct client *c, int64_t now_ms)
{
	static char scratch[CHUNK];
	const size_t begin = 10, most = 65535;
	const struct ring_msg *m;
	char header[10];
	size_t n = begin, h;

	while ((m = next_wanted(c, now_ms)) != NULL) {
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
	(void)http_ws_write_raw(c->ws, scratch + begin - h, n - begin + h);
}

/* An event outside the ring: one that was held back, or from the journal. */
static void
put_event(struct client *c, const char *payload, size_t len)
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

	if (buf_size(&c->out) > OUT_HIGH)
		return -1;
	put_event(c, payload, len);
	return 0;
}

static int
is_due(const struct client *c, int64_t now_ms)
{
	uint64_t waiting = ring_end(c->ring) - c->pos;

	return c->catch_up == LIVE && waiting > 0 && (c->sub->batch_ms == 0 || now_ms >= c->due_ms || waiting > 2000);
}

void
client_write(struct client *c, int64_t now_ms)
{
	c->asked_ms = 0;
	if (c->big != NULL) {
		write_fragment(c);
	} else {
		if (c->gap_count > 0)
			put_gap(c);
		if (c->rates != NULL)
			rates_due(c->rates, now_ms, put_held, c);
		if (buf_size(&c->out) > 0)
			write_out(c);
		else if (!is_due(c, now_ms))
			return;
		else if (c->sub->batch_ms > 0)
			write_batch(c, now_ms);
		else if (wants_all(c))
			write_shared(c);
		else
			write_chosen(c, now_ms);
	}
	(void)client_poke(c, now_ms);
}

int64_t
client_poke(struct client *c, int64_t now_ms)
{
	int64_t held_ms = c->rates != NULL ? rates_next_ms(c->rates) : CLOCK_NEVER, due_ms = CLOCK_NEVER;

	if (c->ws == NULL)
		return CLOCK_NEVER;
	if (c->big != NULL || c->gap_count > 0 || buf_size(&c->out) > 0 || is_due(c, now_ms) || held_ms <= now_ms) {
		if (c->asked_ms == 0)
			c->asked_ms = now_ms;
		http_ws_want_write(c->ws);
	} else if (c->catch_up == LIVE && c->pos < ring_end(c->ring))
		due_ms = c->due_ms;
	return held_ms > now_ms && held_ms < due_ms ? held_ms : due_ms;
}

/* ---- what it missed ---- */

/* Puts the position behind seq when the ring goes back so far. */
static int
find_in_ring(struct client *c, uint64_t seq)
{
	uint64_t first = ring_first(c->ring), end = ring_end(c->ring), n, oldest = 0;

	for (n = first; n < end && oldest == 0; n++)
		oldest = ring_get(c->ring, n)->seq;
	if (oldest == 0 ? seq < c->env->newest_seq(c->env->priv) : seq + 1 < oldest)
		return 0;
	for (n = end; n > first; n--) {
		const struct ring_msg *m = ring_get(c->ring, n - 1);

		if (m->seq != 0 && m->seq <= seq)
			break;
	}
	c->pos = n;
	return 1;
}

static void
go_on_after(struct client *c, uint64_t seq)
{
	if (find_in_ring(c, seq)) {
		c->catch_up = LIVE;
		return;
	}
	c->from = seq + 1;
	c->to = c->env->newest_seq(c->env->priv);
	c->catch_up = WAITING;
	c->env->turn = 1;
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
		put_event(c, line, len);
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
		end_reading(c);
		go_on_after(c, c->to);
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

int
client_lags(const struct client *c, int64_t now_ms)
{
	return c->ws != NULL && c->catch_up == LIVE && ring_end(c->ring) - c->pos > LAG_MESSAGES &&
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
	end_reading(c);
	c->catch_up = LIVE;
}

/* What comes through the filter from now on, or since `from`, lies in a ring beside that of all. */
static void
follow(struct client *c, struct filter_feed *feed)
{
	if (c->gap_count > 0)
		put_gap(c);
	filters_put(c->env->filters, &c->feed);
	c->feed = feed;
	c->ring = feed != NULL ? filter_feed_ring(feed) : c->env->ring;
	c->pos = ring_end(c->ring);
}

void
client_subscribe(struct client *c, struct subscription *sub, struct filter_feed *feed)
{
	uint64_t newest = c->env->newest_seq(c->env->priv);

	end_reading(c);
	if (feed != NULL || c->feed != NULL)
		follow(c, feed);
	/* Within what was being caught up, the new subscription starts where it stands: now. */
	if (c->catch_up != LIVE)
		c->pos = ring_end(c->ring);
	c->catch_up = LIVE;
	subscription_free(&c->sub);
	rates_free(&c->rates);
	c->sub = sub;
	if (sub->n_rates > 0)
		c->rates = rates_new();
	if (feed == NULL && sub->has_from && sub->from <= newest)
		go_on_after(c, sub->from > 0 ? sub->from - 1 : 0);
}
