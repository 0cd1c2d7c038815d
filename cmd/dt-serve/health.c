#include "health.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "clock/clock.h"
#include "mem/mem.h"
#include "params.h"
#include "sql.h"

#define LINE_MAX_BYTES 65536
#define BODY_MAX (128u << 10)

struct health {
	char *line;                      /* the newest event */
	int64_t rx_us;
};

struct health *
health_new(void)
{
	return xcalloc(1, sizeof(struct health));
}

void
health_free(struct health **hp)
{
	if (*hp == NULL)
		return;
	free((*hp)->line);
	free(*hp);
	*hp = NULL;
}

/* The newest is the last: a clock that was set back makes none older.  A replay is not about now. */
void
health_event(struct health *h, const struct event *ev, int64_t rx_us)
{
	int replay;

	if (!event_value_is(ev->type, "server_status") || (event_bool(event_get(ev, "_replay"), &replay) == 0 && replay) || ev->len > LINE_MAX_BYTES)
		return;
	free(h->line);
	h->line = xstrndup(ev->line, ev->len);
	h->rx_us = rx_us;
}

/* ---- the answer ---- */

static int
put_text(struct buf *b, const char *key, struct event_value v)
{
	int bad = buf_printf(b, "\"%s\":", key);

	if (v.kind != EVENT_STRING)
		return bad | buf_appends(b, "null,");
	bad |= buf_append(b, "\"", 1);
	bad |= buf_append(b, v.p, v.len);    /* escaped as it came */
	return bad | buf_appends(b, "\",");
}

static int
put_number(struct buf *b, const char *key, struct event_value v)
{
	double number;

	return event_double(v, &number) == 0 ? buf_printf(b, "\"%s\":%.15g,", key, number) : buf_printf(b, "\"%s\":null,", key);
}

static struct event_value
either(const struct event *ev, const char *name, const char *other)
{
	struct event_value v = event_get(ev, name);

	return v.kind != EVENT_ABSENT && v.kind != EVENT_NULL ? v : event_get(ev, other);
}

/* How long ago that was; null when it is no time. */
static int
put_age(struct buf *b, const char *key, struct event_value v, int64_t now_us)
{
	int64_t at_us;

	if (v.kind != EVENT_STRING || clock_parse_iso(v.p, v.len, &at_us) == -1)
		return buf_printf(b, "\"%s\":null,", key);
	return buf_printf(b, "\"%s\":%.1f,", key, now_us > at_us ? (double)(now_us - at_us) / 1e6 : 0.0);
}

static int
write_event(struct buf *b, const struct event *ev, int64_t rx_us)
{
	struct event_value checked = either(ev, "last_checked", "timestamp");
	int64_t at_us = rx_us, now_us = clock_wall_us();
	char at[CLOCK_ISO_SIZE];
	int online, bad = 0;

	if (checked.kind == EVENT_STRING)
		(void)clock_parse_iso(checked.p, checked.len, &at_us);
	clock_format_iso(at_us, at);
	bad |= put_text(b, "server_name", either(ev, "server", "server_name"));
	bad |= put_text(b, "server_address", either(ev, "server_address", "address"));
	bad |= buf_printf(b, "\"status\":\"%s\",", event_bool(event_get(ev, "online"), &online) == -1 ? "unknown" : online ? "up" : "down");
	bad |= put_number(b, "latency_ms", event_get(ev, "latency_ms"));
	bad |= put_number(b, "player_count", event_get(ev, "player_count"));
	bad |= put_age(b, "player_count_age_s", event_get(ev, "player_count_at"), now_us);
	bad |= put_number(b, "uptime_seconds", either(ev, "uptime_s", "uptime_seconds"));
	return bad | buf_printf(b, "\"last_check\":\"%s\",\"age_s\":%.1f", at, now_us > at_us ? (double)(now_us - at_us) / 1e6 : 0.0);
}

static void
answer_line(struct http_req *req, const char *line, int64_t rx_us)
{
	struct buf b = BUF_INIT(BODY_MAX);
	struct event ev;
	int bad = buf_appends(&b, "{");

	if (line != NULL && event_scan(line, strlen(line), &ev) == EVENT_OK)
		bad |= write_event(&b, &ev, rx_us);
	else
		bad |= buf_appends(&b, "\"server_name\":null,\"server_address\":null,\"status\":\"unknown\",\"latency_ms\":null,\"player_count\":null,"
		    "\"player_count_age_s\":null,\"uptime_seconds\":null,\"last_check\":null,\"age_s\":null");
	answer_json(req, &b, bad | buf_appends(&b, "}"));
}

/* ---- what the database has ---- */

struct asked {
	struct pool *pool;
	struct http_req *req;
	uint64_t query;
	char *line;
	int64_t rx_us;
};

static void
asked_free(struct asked *a)
{
	free(a->line);
	free(a);
}

static void
on_row(void *priv, const struct pg_row *row)
{
	struct asked *a = priv;
	const char *received = pg_text(row, 1, NULL);

	if (a->line == NULL)
		a->line = xstrdup(pg_text(row, 0, NULL));
	(void)clock_parse_iso(received, strlen(received), &a->rx_us);
}

static void
on_done(void *priv)
{
	struct asked *a = priv;

	answer_line(a->req, a->line, a->rx_us);
	asked_free(a);
}

static void
on_error(void *priv, const struct pg_error *e)
{
	(void)e;
	on_done(priv);                   /* nothing is known: that is an answer too */
}

static void
on_gone(void *priv)
{
	struct asked *a = priv;

	pool_cancel(a->pool, a->query);
	asked_free(a);
}

void
health_answer(struct health *h, struct pool *pool, struct http_req *req)
{
	struct asked *a;
	struct pg_calls calls = { .on_row = on_row, .on_done = on_done, .on_error = on_error, .prepare = 1 };

	if (params_known(req, NULL) == -1)
		return;
	if (h->line != NULL || !pool_up(pool)) {
		answer_line(req, h->line, h->rx_us);
		return;
	}
	a = xcalloc(1, sizeof(*a));
	*a = (struct asked){ .pool = pool, .req = req };
	calls.priv = a;
	a->query = pool_query(pool, POOL_QUICK, sql_server_status, 0, NULL, &calls);
	http_defer(req, on_gone, a);
}
