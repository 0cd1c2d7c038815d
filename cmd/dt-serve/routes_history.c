/* What is stored: history and the heat map. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "clock/clock.h"
#include "params.h"
#include "routes.h"
#include "sql.h"

#define SECOND_US INT64_C(1000000)

/* ---- history, from the database ---- */

#define HISTORY_KINDS "ttnnnnntnnntttnnnnn"

static void
on_history(void *priv, struct http_req *req)
{
	static const char *const known[] = { "from", "to", "character", "limit", "bucket", NULL };
	struct routes *r = priv;
	struct answer_shape shape = { .prefix = "{\"data\":[", .kinds = HISTORY_KINDS, .sum_column = -1, .is_long = 1 };
	int64_t from_us, to_us, bucket_s, now_us = clock_wall_us();
	char from[CLOCK_ISO_SIZE], to[CLOCK_ISO_SIZE], limit[24], bucket[24];
	const char *character, *params[] = { from, to, NULL, limit, bucket };

	if (params_known(req, known) == -1 || params_time(req, "to", now_us + 300 * SECOND_US, &to_us) == -1 ||
	    params_time(req, "from", (to_us < now_us ? to_us : now_us) - 86400 * SECOND_US, &from_us) == -1 || params_text(req, "character", ROUTES_NAME_BYTES, &character) == -1 ||
	    params_int(req, "limit", 1, 100000, 10000, &shape.limit) == -1 || params_seconds(req, "bucket", &bucket_s) == -1)
		return;
	if (from_us > to_us) {
		http_reply_error(req, 400, "bad_parameter", "parameter \"from\" must not be after \"to\"");
		return;
	}
	if (answer_wants_csv(req))
		shape.prefix = NULL;
	params[2] = character;
	clock_format_iso(from_us, from);
	clock_format_iso(to_us, to);
	snprintf(limit, sizeof(limit), "%" PRId64, shape.limit + 1);
	snprintf(bucket, sizeof(bucket), "%" PRId64, bucket_s);
	answer_query(r->pool, req, bucket_s > 0 ? sql_history_buckets : sql_history, bucket_s > 0 ? 5 : 4, params, &shape);
}

/* ---- the heat map ---- */

static void
heatmap_suffix(void *priv, const struct answer_end *end, struct buf *out)
{
	char now[CLOCK_ISO_SIZE];

	clock_format_iso(clock_wall_us(), now);
	(void)buf_printf(out, "],\"total_points\":%" PRId64 ",\"total_events\":%" PRId64 ",\"hours_window\":%d,\"timestamp\":\"%s\"}",
	    end->rows, end->sum, (int)(intptr_t)priv, now);
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
	    params_int(req, "limit", 1, 50000, 50000, &limit) == -1 || params_text(req, "mob", ROUTES_NAME_BYTES, &mob) == -1)
		return;
	shape.priv = (void *)(intptr_t)hours;
	params[1] = mob;
	snprintf(hours_text, sizeof(hours_text), "%" PRId64, hours);
	snprintf(limit_text, sizeof(limit_text), "%" PRId64, limit);
	answer_query(r->pool, req, sql_spawn_heatmap, 3, params, &shape);
}

const struct route routes_history[] = {
	{ "GET", "/history", on_history },
	{ "GET", "/spawns/heatmap", on_heatmap },
	ROUTE_END
};
