/* Live state, from memory. */
#include <stdio.h>
#include <stdlib.h>

#include "answer.h"
#include "clock/clock.h"
#include "dungeons.h"
#include "mem/mem.h"
#include "params.h"
#include "routes.h"
#include "sql.h"

#define SECOND_US INT64_C(1000000)
#define BODY_MAX (256u << 20)
#define RAW_US (5400 * SECOND_US)        /* what /trails reads of every row of one character; over it, and of all, of the minutes */
#define TRAIL_POINTS_ALL 480             /* a character, when hours of all are asked for */
#define LIVE_WITHIN_S 30
#define LIVE_CHANGED_MS 20
#define LIVE_AGE_MS 100

static int
write_live(const struct routes *r, int64_t within_s, struct buf *b)
{
	int bad = buf_appends(b, "{");

	bad |= roster_write_players(r->roster, clock_wall_us(), within_s * SECOND_US, b);
	return bad | buf_appends(b, "}");
}

/* Everybody asks for the same: it is made anew when something has changed, and often enough that the ages are right, but not for each who asks. */
static struct http_body *
live_body(struct routes *r)
{
	static struct http_body *body;
	static int64_t made_ms;
	static uint64_t made_seq;
	int64_t now_ms = clock_mono_ms();
	uint64_t seq = feed_newest_seq(r->feed);
	struct buf b = BUF_INIT(BODY_MAX);

	if (body != NULL && now_ms - made_ms < (seq != made_seq ? LIVE_CHANGED_MS : LIVE_AGE_MS))
		return body;
	http_body_drop(&body);
	if (write_live(r, LIVE_WITHIN_S, &b) == 0) {
		body = http_body_new("application/json", &b);
		made_ms = now_ms;
		made_seq = seq;
	}
	buf_fini(&b);
	return body;
}

static void
on_live(void *priv, struct http_req *req)
{
	static const char *const known[] = { "within", NULL };
	struct routes *r = priv;
	struct buf b = BUF_INIT(BODY_MAX);
	struct http_body *body;
	int64_t within_s;

	if (params_known(req, known) == -1 || params_int(req, "within", 1, 3600, LIVE_WITHIN_S, &within_s) == -1 || routes_warm(r, req) == -1)
		return;
	if (within_s == LIVE_WITHIN_S && (body = live_body(r)) != NULL) {
		http_reply_header(req, "cache-control", "no-cache");
		http_reply_body(req, body);
	} else
		answer_json(req, &b, write_live(r, within_s, &b));
}

/* An object of one member that write makes. */
static void
answer_member(struct routes *r, struct http_req *req, int (*write)(struct routes *, struct buf *))
{
	struct buf b = BUF_INIT(BODY_MAX);
	int bad;

	if (params_known(req, NULL) == -1 || routes_warm(r, req) == -1)
		return;
	bad = buf_appends(&b, "{");
	bad |= write(r, &b);
	answer_json(req, &b, bad | buf_appends(&b, "}"));
}

static int
write_portals(struct routes *r, struct buf *b)
{
	return roster_write_portals(r->roster, clock_wall_us(), b);
}

static void
on_portals(void *priv, struct http_req *req)
{
	answer_member(priv, req, write_portals);
}

/* ---- trails: what is held, and before it what the database has ---- */

struct trails {
	const struct routes *r;
	int64_t held_us, now_us;         /* from held_us on it comes from memory */
	char *character;
};

static void
trails_suffix(void *priv, const struct answer_end *end, struct buf *out)
{
	struct trails *t = priv;
	size_t before = buf_size(out);

	if (end->rows > 0)
		(void)buf_append(out, ",", 1);
	(void)roster_write_trails(t->r->roster, t->held_us, t->now_us, t->character, out);
	if (end->rows > 0 && buf_size(out) == before + 1)
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
		.prefix = "{\"trails\":[", .kinds = "tznnn", .sum_column = -1, .is_long = 1, .suffix = trails_suffix, .done = trails_done, .priv = t
	};
	char from[CLOCK_ISO_SIZE], to[CLOCK_ISO_SIZE], apart[32];
	const char *params[] = { from, to, character, apart };
	int is_raw = character != NULL && now_us - ROUTES_TRAIL_US - from_us <= RAW_US;

	*t = (struct trails){ .r = r, .held_us = now_us - ROUTES_TRAIL_US, .now_us = now_us + 300 * SECOND_US, .character = character ? xstrdup(character) : NULL };
	clock_format_iso(from_us, from);
	clock_format_iso(t->held_us, to);
	if (is_raw)
		snprintf(apart, sizeof(apart), "%.3f", (double)(t->held_us - from_us) / SECOND_US / (ROUTES_TRAIL_POINTS - 1));
	else
		snprintf(apart, sizeof(apart), "%d", (int)((t->held_us - from_us) / (60 * SECOND_US) / (character != NULL ? ROUTES_TRAIL_POINTS - 1 : TRAIL_POINTS_ALL)) + 1);
	answer_query(r->pool, req, is_raw ? sql_trails : sql_trails_minutes, 4, params, &shape);
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
	    params_text(req, "character", ROUTES_NAME_BYTES, &character) == -1 || routes_warm(r, req) == -1)
		return;
	if (seconds * SECOND_US > ROUTES_TRAIL_US) {
		trails_from_database(r, req, now_us - seconds * SECOND_US, now_us, character);
		return;
	}
	bad = buf_appends(&b, "{\"trails\":[");
	bad |= roster_write_trails(r->roster, now_us - seconds * SECOND_US, now_us + 300 * SECOND_US, character, &b);
	answer_json(req, &b, bad | buf_appends(&b, "]}"));
}

static void
on_heatmap(void *priv, struct http_req *req)
{
	struct routes *r = priv;

	heatmap_answer(r->heatmap, req);
}

/* ---- others that are kept in memory ---- */

static int
write_peers(struct routes *r, struct buf *b)
{
	return peers_write(r->peers, clock_wall_us(), b);
}

static void
on_peers(void *priv, struct http_req *req)
{
	answer_member(priv, req, write_peers);
}

static void
on_server_health(void *priv, struct http_req *req)
{
	struct routes *r = priv;

	health_answer(r->health, r->pool, req);
}

/* As it was sent, without what the stream has stamped on it; 0, or -1. */
static int
write_unstamped(const char *line, size_t len, struct buf *b)
{
	struct event ev;
	char *to;

	if (event_scan(line, len, &ev) != EVENT_OK || (to = buf_reserve(b, len + 1)) == NULL)
		return -1;
	buf_added(b, event_write(&ev, EVENT_STRIP_RESERVED, to));
	return 0;
}

static void
on_dungeon_map(void *priv, struct http_req *req)
{
	struct routes *r = priv;
	struct answer_shape shape = { .is_document = 1, .sum_column = -1, .missing = "no map of that dungeon has been seen" };
	struct buf b = BUF_INIT(BODY_MAX);
	char landblock[5];
	const char *line, *param = landblock;
	size_t len;

	if (params_known(req, NULL) == -1)
		return;
	if (dungeons_landblock(http_req_tail(req), landblock) == -1) {
		(void)params_refuse(req, "landblock", "up to 8 hexadecimal digits");
		return;
	}
	if ((line = live_dungeon(r->live, landblock, &len)) != NULL)
		answer_json(req, &b, write_unstamped(line, len, &b));
	else
		answer_query(r->pool, req, sql_dungeon_map, 1, &param, &shape);
}

const struct route routes_live[] = {
	{ "GET", "/live", on_live },
	{ "GET", "/trails", on_trails },
	{ "GET", "/portals", on_portals },
	{ "GET", "/spawns/heatmap", on_heatmap },
	{ "GET", "/server-health", on_server_health },
	{ "GET", "/vital-sharing/peers", on_peers },
	{ "GET", "/dungeon-map/{landblock}", on_dungeon_map },
	ROUTE_END
};
