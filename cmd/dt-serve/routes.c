#include "routes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "clock/clock.h"
#include "mem/mem.h"
#include "params.h"
#include "sql.h"
#include "stat/stat.h"

#define SECOND_US INT64_C(1000000)
#define BODY_MAX (256u << 20)
#define NAME_BYTES_MAX 128

/* ---- live state, from memory ---- */

/* While the journal's last minutes are read, an answer would be wrong rather than late. */
static int
is_warm(const struct routes *r, struct http_req *req)
{
	if (feed_warm(r->feed))
		return 1;
	(*stat_cell(STAT_SERVE_REJECTED, "not_ready"))++;
	http_reply_header(req, "retry-after", "1");
	http_reply_error(req, 503, "not_ready", "the live state is being read from the journal; try again in a moment");
	return 0;
}

static void
reply_json(struct http_req *req, struct buf *b, int bad)
{
	http_reply_header(req, "cache-control", "no-store");
	if (bad)
		http_reply_error(req, 500, "too_large", "the answer is too large");
	else
		http_reply(req, 200, "application/json", buf_data(b), buf_size(b));
	buf_fini(b);
}

static void
on_live(void *priv, struct http_req *req)
{
	static const char *const known[] = { "within", NULL };
	struct routes *r = priv;
	struct buf b = BUF_INIT(BODY_MAX);
	int64_t within_s;
	int bad;

	if (params_known(req, known) == -1 || params_int(req, "within", 1, 3600, 30, &within_s) == -1 || !is_warm(r, req))
		return;
	bad = buf_appends(&b, "{");
	bad |= roster_write_players(r->roster, clock_wall_us(), within_s * SECOND_US, &b);
	reply_json(req, &b, bad | buf_appends(&b, "}"));
}

static void
on_portals(void *priv, struct http_req *req)
{
	struct routes *r = priv;
	struct buf b = BUF_INIT(BODY_MAX);
	int bad;

	if (params_known(req, NULL) == -1 || !is_warm(r, req))
		return;
	bad = buf_appends(&b, "{");
	bad |= roster_write_portals(r->roster, clock_wall_us(), &b);
	reply_json(req, &b, bad | buf_appends(&b, "}"));
}

/* ---- trails: what is held, and before it what the database has ---- */

struct trails {
	const struct routes *r;
	int64_t held_us, now_us;         /* from held_us on it comes from memory */
	char *character;
};

static void
trails_suffix(void *priv, int64_t rows, int64_t sum, int more, struct buf *out)
{
	struct trails *t = priv;
	size_t before = buf_size(out);

	(void)sum;
	(void)more;
	if (rows > 0)
		(void)buf_append(out, ",", 1);
	(void)roster_write_trails(t->r->roster, t->held_us, t->now_us, t->character, out);
	if (rows > 0 && buf_size(out) == before + 1)
		out->len--;              /* nothing came behind the comma */
	(void)buf_appends(out, "]}");
}

static void
trails_done(void *priv)
{
	struct trails *t = priv;

	free(t->character);
	free(t);
}

static void
trails_from_database(const struct routes *r, struct http_req *req, int64_t from_us, int64_t now_us, const char *character)
{
	struct trails *t = xcalloc(1, sizeof(*t));
	struct answer_shape shape = {
		.prefix = "{\"trails\":[", .kinds = "ttnnn", .sum_column = -1, .suffix = trails_suffix, .done = trails_done, .priv = t
	};
	char from[CLOCK_ISO_SIZE], to[CLOCK_ISO_SIZE], apart[32];
	const char *params[] = { from, to, character, apart };

	*t = (struct trails){ .r = r, .held_us = now_us - ROUTES_TRAIL_US, .now_us = now_us + 300 * SECOND_US, .character = character ? xstrdup(character) : NULL };
	clock_format_iso(from_us, from);
	clock_format_iso(t->held_us, to);
	snprintf(apart, sizeof(apart), "%.3f", (double)(t->held_us - from_us) / SECOND_US / (ROUTES_TRAIL_POINTS - 1));
	answer_query(r->pg, req, sql_trails, 4, params, &shape);
}

static void
on_trails(void *priv, struct http_req *req)
{
	static const char *const known[] = { "seconds", "character", NULL };
	struct routes *r = priv;
	struct buf b = BUF_INIT(BODY_MAX);
	const char *character;
	int64_t seconds, now_us = clock_wall_us();
	int bad;

	if (params_known(req, known) == -1 || params_int(req, "seconds", 1, 86400, 600, &seconds) == -1 ||
	    params_text(req, "character", NAME_BYTES_MAX, &character) == -1 || !is_warm(r, req))
		return;
	if (seconds * SECOND_US > ROUTES_TRAIL_US) {
		trails_from_database(r, req, now_us - seconds * SECOND_US, now_us, character);
		return;
	}
	bad = buf_appends(&b, "{\"trails\":[");
	bad |= roster_write_trails(r->roster, now_us - seconds * SECOND_US, now_us + 300 * SECOND_US, character, &b);
	reply_json(req, &b, bad | buf_appends(&b, "]}"));
}

/* ---- history, from the database ---- */

#define HISTORY_KINDS "ttnnnnntnnntttnnnnn"

static void
history_suffix(void *priv, int64_t rows, int64_t sum, int more, struct buf *out)
{
	(void)priv;
	(void)sum;
	(void)buf_printf(out, "],\"count\":%" PRId64 ",\"more\":%s}", rows, more ? "true" : "false");
}

static int
wants_csv(const struct http_req *req)
{
	const char *accept = http_req_header(req, "accept");

	return accept != NULL && strstr(accept, "text/csv") != NULL;
}

static void
on_history(void *priv, struct http_req *req)
{
	static const char *const known[] = { "from", "to", "character", "limit", "bucket", NULL };
	struct routes *r = priv;
	struct answer_shape shape = { .prefix = "{\"data\":[", .kinds = HISTORY_KINDS, .sum_column = -1, .suffix = history_suffix };
	int64_t from_us, to_us, bucket_s, now_us = clock_wall_us();
	char from[CLOCK_ISO_SIZE], to[CLOCK_ISO_SIZE], limit[24], bucket[24];
	const char *character, *params[] = { from, to, NULL, limit, bucket };

	if (params_known(req, known) == -1 || params_time(req, "to", now_us + 300 * SECOND_US, &to_us) == -1 ||
	    params_time(req, "from", (to_us < now_us ? to_us : now_us) - 86400 * SECOND_US, &from_us) == -1 || params_text(req, "character", NAME_BYTES_MAX, &character) == -1 ||
	    params_int(req, "limit", 1, 100000, 10000, &shape.limit) == -1 || params_seconds(req, "bucket", &bucket_s) == -1)
		return;
	if (from_us > to_us) {
		http_reply_error(req, 400, "bad_parameter", "parameter \"from\" must not be after \"to\"");
		return;
	}
	if (wants_csv(req))
		shape.prefix = NULL;
	params[2] = character;
	clock_format_iso(from_us, from);
	clock_format_iso(to_us, to);
	snprintf(limit, sizeof(limit), "%" PRId64, shape.limit + 1);
	snprintf(bucket, sizeof(bucket), "%" PRId64, bucket_s);
	http_reply_header(req, "vary", "accept");
	answer_query(r->pg, req, bucket_s > 0 ? sql_history_buckets : sql_history, bucket_s > 0 ? 5 : 4, params, &shape);
}

/* ---- the heat map ---- */

static void
heatmap_suffix(void *priv, int64_t rows, int64_t sum, int more, struct buf *out)
{
	char now[CLOCK_ISO_SIZE];

	(void)more;
	clock_format_iso(clock_wall_us(), now);
	(void)buf_printf(out, "],\"total_points\":%" PRId64 ",\"total_events\":%" PRId64 ",\"hours_window\":%d,\"timestamp\":\"%s\"}",
	    rows, sum, (int)(intptr_t)priv, now);
}

static void
on_heatmap(void *priv, struct http_req *req)
{
	static const char *const known[] = { "hours", "limit", "mob", NULL };
	struct routes *r = priv;
	struct answer_shape shape = { .prefix = "{\"spawn_points\":[", .kinds = "nnn", .sum_column = 2, .suffix = heatmap_suffix };
	int64_t hours, limit;
	char hours_text[24], limit_text[24];
	const char *mob, *params[] = { hours_text, NULL, limit_text };

	if (params_known(req, known) == -1 || params_int(req, "hours", 1, 168, 24, &hours) == -1 ||
	    params_int(req, "limit", 1, 50000, 50000, &limit) == -1 || params_text(req, "mob", NAME_BYTES_MAX, &mob) == -1)
		return;
	shape.priv = (void *)(intptr_t)hours;
	params[1] = mob;
	snprintf(hours_text, sizeof(hours_text), "%" PRId64, hours);
	snprintf(limit_text, sizeof(limit_text), "%" PRId64, limit);
	answer_query(r->pg, req, sql_spawn_heatmap, 3, params, &shape);
}

/* ---- about ourselves ---- */

static void
on_version(void *priv, struct http_req *req)
{
	struct routes *r = priv;
	struct buf b = BUF_INIT(1024);

	if (params_known(req, NULL) == -1)
		return;
	(void)buf_appends(&b, "{\"version\":");
	(void)buf_append_json(&b, r->version, strlen(r->version));
	reply_json(req, &b, buf_appends(&b, "}"));
}

static void
reply_health(struct http_req *req, int status, const char *text)
{
	http_reply_header(req, "cache-control", "no-store");
	if (status == 503)
		http_reply_header(req, "retry-after", "1");
	http_reply(req, status, "text/plain; charset=utf-8", text, strlen(text));
}

static void
on_healthz(void *priv, struct http_req *req)
{
	(void)priv;
	reply_health(req, 200, "ok\n");
}

static void
on_readyz(void *priv, struct http_req *req)
{
	struct routes *r = priv;

	if (!feed_connected(r->feed))
		reply_health(req, 503, "the bus is away\n");
	else if (!feed_warm(r->feed))
		reply_health(req, 503, "the live state is being read from the journal\n");
	else
		reply_health(req, 200, "ready\n");
}

static void
on_root(void *priv, struct http_req *req)
{
	(void)priv;
	http_reply_header(req, "location", "/classic/");
	http_reply_header(req, "cache-control", "no-cache");
	http_reply(req, 302, "text/plain; charset=utf-8", "/classic/\n", 10);
}

void
routes_add(struct routes *r)
{
	static const struct { const char *path; http_handler_f *f; } table[] = {
		{ "/live", on_live }, { "/trails", on_trails }, { "/portals", on_portals },
		{ "/history", on_history }, { "/spawns/heatmap", on_heatmap },
		{ "/api-version", on_version }, { "/healthz", on_healthz }, { "/readyz", on_readyz },
		{ "/", on_root }, { "/classic", on_root },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		http_route(r->http, "GET", table[i].path, table[i].f, r);
}
