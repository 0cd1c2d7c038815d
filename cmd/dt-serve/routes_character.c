/* What is known of characters, from the database. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "clock/clock.h"
#include "mem/mem.h"
#include "params.h"
#include "routes.h"
#include "sql.h"

#define ROWS_DEFAULT 1000
#define ROWS_MAX 10000
#define PAGE_MAX 100000

/* ---- pages by number ---- */

struct page { int64_t limit, page; };

static void
page_suffix(void *priv, const struct answer_end *end, struct buf *out)
{
	const struct page *p = priv;

	(void)buf_printf(out, "],\"count\":%" PRId64 ",\"page\":%" PRId64 ",\"limit\":%" PRId64 ",\"more\":%s}", end->rows, p->page, p->limit, end->more ? "true" : "false");
}

/* 0, or -1 when it is answered.  limit_text: one more than is wanted. */
static int
read_page(struct http_req *req, struct page *p, char limit_text[24], char offset_text[24])
{
	if (params_int(req, "limit", 1, ROWS_MAX, ROWS_DEFAULT, &p->limit) == -1 || params_int(req, "page", 1, PAGE_MAX, 1, &p->page) == -1)
		return -1;
	snprintf(limit_text, 24, "%" PRId64, p->limit + 1);
	snprintf(offset_text, 24, "%" PRId64, (p->page - 1) * p->limit);
	return 0;
}

static void
answer_page(const struct routes *r, struct http_req *req, const char *sql, int n, const char *const *params, const char *prefix, const char *kinds, const struct page *page)
{
	struct page *copy = xmalloc(sizeof(*copy));
	struct answer_shape shape = {
		.prefix = answer_wants_csv(req) ? NULL : prefix, .kinds = kinds, .limit = page->limit, .sum_column = -1, .suffix = page_suffix, .done = free, .priv = copy
	};

	*copy = *page;
	answer_query(r->pool, req, sql, n, params, &shape);
}

/* ---- the newest of each kind ---- */

static void
answer_document(const struct routes *r, struct http_req *req, const char *sql, const char *missing)
{
	struct answer_shape shape = { .is_document = 1, .sum_column = -1, .missing = missing };
	const char *name;

	if (params_known(req, NULL) == -1 || routes_name(req, &name) == -1)
		return;
	answer_query(r->pool, req, sql, 1, &name, &shape);
}

static void
on_character_stats(void *priv, struct http_req *req)
{
	answer_document(priv, req, sql_character_stats, "no character_stats of that character have been seen");
}

static void
on_equipment_cantrips(void *priv, struct http_req *req)
{
	answer_document(priv, req, sql_serve_equipment_cantrips, "no equipment cantrips of that character have been seen");
}

static void
answer_quests(const struct routes *r, struct http_req *req, const char *name)
{
	static const char *const known[] = { "limit", "page", NULL };
	char limit[24], offset[24];
	const char *params[] = { name, limit, offset };
	struct page page;

	if (params_known(req, known) == -1 || read_page(req, &page, limit, offset) == -1)
		return;
	answer_page(r, req, sql_serve_quests, 3, params, "{\"quests\":[", "tttnzztnnnn", &page);
}

static void
on_quests(void *priv, struct http_req *req)
{
	answer_quests(priv, req, NULL);
}

static void
on_character_quests(void *priv, struct http_req *req)
{
	const char *name;

	if (routes_name(req, &name) == 0)
		answer_quests(priv, req, name);
}

/* ---- combat ---- */

static void
on_character_combat(void *priv, struct http_req *req)
{
	struct routes *r = priv;
	struct answer_shape shape = { .is_object = 1, .kinds = "tjtj", .sum_column = -1, .missing = "that character is not known" };
	const char *name;

	if (params_known(req, NULL) == -1 || routes_name(req, &name) == -1)
		return;
	answer_query(r->pool, req, sql_combat, 1, &name, &shape);
}

static void
on_combat(void *priv, struct http_req *req)
{
	static const char *const known[] = { "limit", "cursor", NULL };
	struct routes *r = priv;
	struct answer_shape shape = { .prefix = "{\"characters\":[", .kinds = "tnnnzc", .sum_column = -1 };
	char limit[24];
	const char *params[] = { NULL, limit };

	if (params_known(req, known) == -1 || params_int(req, "limit", 1, ROWS_MAX, ROWS_DEFAULT, &shape.limit) == -1 ||
	    params_text(req, "cursor", ROUTES_NAME_BYTES, &params[0]) == -1)
		return;
	if (answer_wants_csv(req))
		shape.prefix = NULL;
	snprintf(limit, sizeof(limit), "%" PRId64, shape.limit + 1);
	answer_query(r->pool, req, sql_serve_combat_characters, 2, params, &shape);
}

/* ---- totals ---- */

#define STATS_KINDS "tnnnnntzj"

static void
on_character_totals(void *priv, struct http_req *req)
{
	struct routes *r = priv;
	struct answer_shape shape = { .is_object = 1, .kinds = STATS_KINDS, .sum_column = -1, .missing = "that character is not known" };
	const char *params[] = { NULL, "character_name", "1", "1", "0" };

	if (params_known(req, NULL) == -1 || routes_name(req, &params[0]) == -1)
		return;
	answer_query(r->pool, req, sql_serve_stats, 5, params, &shape);
}

static void
on_stats(void *priv, struct http_req *req)
{
	static const char *const known[] = { "sort", "limit", "page", NULL };
	static const char *const columns[] = {
		"-total_kills", "total_kills", "-total_deaths", "total_deaths", "-total_rares", "total_rares", "-session_rares", "session_rares",
		"-prismatic_taper_count", "prismatic_taper_count", "-character_name", "character_name", "-session_start", "session_start", NULL
	};
	char limit[24], offset[24];
	const char *params[] = { NULL, NULL, NULL, limit, offset };
	struct page page;
	int sort;

	if (params_known(req, known) == -1 || params_word(req, "sort", columns, 0, &sort) == -1 || read_page(req, &page, limit, offset) == -1)
		return;
	params[1] = columns[sort] + (sort % 2 == 0);
	params[2] = sort % 2 == 0 ? "-1" : "1";
	answer_page(priv, req, sql_serve_stats, 5, params, "{\"stats\":[", STATS_KINDS, &page);
}

/* ---- rares ---- */

struct rares { char cursor[48]; };       /* of the last row: its time and number */

static void
rares_row(void *priv, const struct pg_row *row)
{
	struct rares *rs = priv;
	size_t len;
	const char *at = pg_text(row, 0, &len);
	int64_t us = 0;

	(void)clock_parse_iso(at, len, &us);
	snprintf(rs->cursor, sizeof(rs->cursor), "%" PRId64 "-%" PRId64, us, pg_int(row, 7, 0));
}

static void
rares_suffix(void *priv, const struct answer_end *end, struct buf *out)
{
	const struct rares *rs = priv;

	(void)buf_printf(out, "],\"count\":%" PRId64 ",\"more\":%s,\"cursor\":", end->rows, end->more ? "true" : "false");
	(void)(end->more ? buf_printf(out, "\"%s\"}", rs->cursor) : buf_appends(out, "null}"));
}

static int
read_rares(struct http_req *req, const char *params[7], char text[4][CLOCK_ISO_SIZE], int64_t *limit)
{
	static const char *const known[] = { "character", "tier", "from", "to", "limit", "cursor", NULL };
	static const char *const tiers[] = { "common", "great", NULL };
	int64_t from_us, to_us, us, id;
	int tier;

	if (params_known(req, known) == -1 || params_text(req, "character", ROUTES_NAME_BYTES, &params[0]) == -1 || params_word(req, "tier", tiers, -1, &tier) == -1 ||
	    params_range(req, 0, clock_wall_us(), &from_us, &to_us) == -1 || params_int(req, "limit", 1, ROWS_MAX, ROWS_DEFAULT, limit) == -1 ||
	    params_cursor(req, "cursor", &us, &id) == -1)
		return -1;
	params[1] = tier >= 0 ? tiers[tier] : NULL;
	params[2] = http_req_query(req, "from") != NULL ? params_time_text(from_us, text[0]) : NULL;
	params[3] = http_req_query(req, "to") != NULL ? params_time_text(to_us, text[1]) : NULL;
	if (id >= 0) {
		params[4] = params_time_text(us, text[2]);
		snprintf(text[3], CLOCK_ISO_SIZE, "%" PRId64, id);
		params[5] = text[3];
	}
	return 0;
}

static void
on_rares(void *priv, struct http_req *req)
{
	struct routes *r = priv;
	struct answer_shape shape = { .prefix = "{\"rares\":[", .kinds = "ztttnnnn", .sum_column = -1, .suffix = rares_suffix, .on_row = rares_row, .done = free };
	char text[4][CLOCK_ISO_SIZE], limit[24];
	const char *params[7] = { NULL };

	if (read_rares(req, params, text, &shape.limit) == -1)
		return;
	shape.priv = xcalloc(1, sizeof(struct rares));
	if (answer_wants_csv(req))
		shape.prefix = NULL;
	snprintf(limit, sizeof(limit), "%" PRId64, shape.limit + 1);
	params[6] = limit;
	answer_query(r->pool, req, sql_serve_rares, 7, params, &shape);
}

const struct route routes_character[] = {
	{ "GET", "/character-stats/{character}", on_character_stats },
	{ "GET", "/combat-stats", on_combat },
	{ "GET", "/combat-stats/{character}", on_character_combat },
	{ "GET", "/stats", on_stats },
	{ "GET", "/stats/{character}", on_character_totals },
	{ "GET", "/rares", on_rares },
	{ "GET", "/quests", on_quests },
	{ "GET", "/quests/{character}", on_character_quests },
	{ "GET", "/equipment-cantrips/{character}", on_equipment_cantrips },
	ROUTE_END
};
