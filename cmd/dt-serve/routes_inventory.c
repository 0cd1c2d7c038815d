/* What characters carry, where items are, and where they went. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "clock/clock.h"
#include "itemdb/map.h"
#include "itemlist.h"
#include "items.h"
#include "mem/mem.h"
#include "params.h"
#include "routes.h"
#include "search.h"
#include "sql.h"
#include "stat/stat.h"

#define OUT_MAX (64u << 20)
#define TEXT_BYTES 256

/* ---- one character's ---- */

/* Its place, or -1 when it is answered. */
static int
character_of_path(const struct routes *r, struct http_req *req)
{
	const struct itemdb_character *c;
	const char *name;
	int place;

	if (routes_name(req, &name) == -1 || items_ready(r->items, req) == -1)
		return -1;
	place = itemdb_character_find(items_db(r->items), name);
	c = place >= 0 ? itemdb_character_at(items_db(r->items), (unsigned)place) : NULL;
	if (c != NULL && (c->listed || c->items > 0))
		return place;
	http_reply_error(req, 404, "not_found", "no inventory of \"%s\" is stored", name);
	return -1;
}

static void
put_time(struct buf *out, int64_t us)
{
	char text[CLOCK_ISO_SIZE];

	if (us == 0)
		(void)buf_appends(out, "null");
	else {
		clock_format_iso(us, text);
		(void)buf_printf(out, "\"%s\"", text);
	}
}

/* How many items each of the packs has; packs that are empty too. */
static void
put_containers(struct buf *out, const struct itemdb *db, const int32_t *ids, size_t n)
{
	struct map inside = { 0 };
	struct item it;
	unsigned place;
	int64_t at;
	int first = 1;

	for (size_t i = 0; i < n; i++)
		if (itemdb_get(db, ids[i], &it, &place, &at))
			++*map_at(&inside, it.container_id, 0);
	for (size_t i = 0; i < n; i++) {
		if (!itemdb_get(db, ids[i], &it, &place, &at) || !item_is_pack(&it))
			continue;
		(void)buf_printf(out, "%s{\"container_id\":%" PRId32 ",\"name\":", first ? "" : ",", it.id);
		if (it.name.kind == EVENT_STRING)
			(void)buf_append_json(out, it.name.p, it.name.len);
		else
			(void)buf_appends(out, "null");
		(void)buf_printf(out, ",\"item_count\":%" PRIu32 "}", *map_at(&inside, it.id, 0));
		first = 0;
	}
	map_fini(&inside);
}

static void
on_inventory(void *priv, struct http_req *req)
{
	struct routes *r = priv;
	struct buf prefix = BUF_INIT(OUT_MAX), suffix = BUF_INIT(OUT_MAX);
	const struct itemdb *db = items_db(r->items);
	const struct itemdb_character *c;
	int32_t *ids;
	size_t n;
	int place;

	if (params_known(req, NULL) == -1 || (place = character_of_path(r, req)) == -1)
		return;
	c = itemdb_character_at(db, (unsigned)place);
	ids = itemdb_character_items(db, (unsigned)place, &n);
	(void)buf_appends(&prefix, "{\"character_name\":");
	(void)buf_append_json(&prefix, c->name, strlen(c->name));
	(void)buf_printf(&prefix, ",\"item_count\":%zu,\"items\":[", n);
	(void)buf_appends(&suffix, "],\"containers\":[");
	put_containers(&suffix, db, ids, n);
	(void)buf_appends(&suffix, "],\"snapshot_at\":");
	put_time(&suffix, c->snapshot_us);
	(void)buf_appends(&suffix, ",\"updated_at\":");
	put_time(&suffix, c->updated_us);
	(void)buf_printf(&suffix, ",\"drift\":%" PRId64 "}", c->drift);
	itemlist_send(req, db, ids, n, ITEMLIST_JSON, &prefix, &suffix);
}

/* What may stand in a file's name on any system; the rest becomes '_'. */
static void
file_header(struct http_req *req, const char *character, const char *ending)
{
	char value[ROUTES_NAME_BYTES + 64];
	int n = snprintf(value, sizeof(value), "attachment; filename=\"%s-inventory.%s\"", character, ending);

	for (int i = 22; i < n - 1 && value[i] != '\0'; i++)
		if (strchr("-. '+", value[i]) == NULL && !(value[i] >= '0' && value[i] <= '9') && !((value[i] | 32) >= 'a' && (value[i] | 32) <= 'z'))
			value[i] = '_';
	http_reply_header(req, "content-disposition", value);
}

static void
on_export(void *priv, struct http_req *req)
{
	static const char *const known[] = { "format", NULL };
	struct routes *r = priv;
	const char *format = http_req_query(req, "format");
	const struct itemdb *db = items_db(r->items);
	int32_t *ids;
	size_t n;
	int place, csv;

	if (params_known(req, known) == -1)
		return;
	csv = format == NULL || strcmp(format, "csv") == 0;
	if (!csv && strcmp(format, "ndjson") != 0) {
		(*stat_cell(STAT_SERVE_REJECTED, "bad_parameter"))++;
		http_reply_error(req, 400, "bad_parameter", "parameter \"format\" must be csv or ndjson");
		return;
	}
	if ((place = character_of_path(r, req)) == -1)
		return;
	ids = itemdb_character_items(db, (unsigned)place, &n);
	file_header(req, itemdb_character_at(db, (unsigned)place)->name, csv ? "csv" : "ndjson");
	itemlist_send(req, db, ids, n, csv ? ITEMLIST_CSV : ITEMLIST_NDJSON, NULL, NULL);
}

/* ---- all characters ---- */

static int
by_name(const void *a, const void *b)
{
	return strcmp((*(const struct itemdb_character *const *)a)->name, (*(const struct itemdb_character *const *)b)->name);
}

static void
on_characters(void *priv, struct http_req *req)
{
	struct routes *r = priv;
	struct buf b = BUF_INIT(OUT_MAX);
	const struct itemdb_character **list = NULL, *c;
	size_t n = 0;

	if (params_known(req, NULL) == -1 || items_ready(r->items, req) == -1)
		return;
	for (unsigned place = 0; (c = itemdb_character_at(items_db(r->items), place)) != NULL; place++) {
		list = xreallocarray(list, place + 1, sizeof(struct itemdb_character *));
		if (c->listed || c->items > 0)
			list[n++] = c;
	}
	if (n > 0)
		qsort(list, n, sizeof(*list), by_name);
	(void)buf_appends(&b, "{\"characters\":[");
	for (size_t i = 0; i < n; i++) {
		(void)buf_appends(&b, i > 0 ? ",{\"character_name\":" : "{\"character_name\":");
		(void)buf_append_json(&b, list[i]->name, strlen(list[i]->name));
		(void)buf_printf(&b, ",\"item_count\":%" PRIu32 ",\"last_updated\":", list[i]->items);
		put_time(&b, list[i]->updated_us);
		(void)buf_appends(&b, ",\"snapshot_at\":");
		put_time(&b, list[i]->snapshot_us);
		(void)buf_printf(&b, ",\"drift\":%" PRId64 "}", list[i]->drift);
	}
	(void)buf_appends(&b, "]}");
	answer_json(req, &b, 0);
	free(list);
}

/* ---- search ---- */

static void
on_search(void *priv, struct http_req *req)
{
	search_items(((struct routes *)priv)->searches, req);
}

static void
on_sets(void *priv, struct http_req *req)
{
	search_values(((struct routes *)priv)->searches, req, ITEMDB_F_SET);
}

static void
on_materials(void *priv, struct http_req *req)
{
	search_values(((struct routes *)priv)->searches, req, ITEMDB_F_MATERIAL);
}

static void
on_spells(void *priv, struct http_req *req)
{
	search_values(((struct routes *)priv)->searches, req, ITEMDB_F_SPELL);
}

static void
on_slots(void *priv, struct http_req *req)
{
	search_values(((struct routes *)priv)->searches, req, ITEMDB_F_SLOT);
}

/* ---- who took it ---- */

static int
refuse(struct http_req *req, const char *text)
{
	(*stat_cell(STAT_SERVE_REJECTED, "bad_parameter"))++;
	http_reply_error(req, 400, "bad_parameter", "%s", text);
	return -1;
}

/* An object id, signed or not, as the game's signed number in text. */
static int
read_id(struct http_req *req, const char **id, char out[16])
{
	char *end;
	long long n;

	if ((*id = http_req_query(req, "item_id")) == NULL)
		return 0;
	n = strtoll(*id, &end, 10);
	if (((**id < '0' || **id > '9') && **id != '-') || *end != '\0' || n < INT32_MIN || n > (long long)UINT32_MAX)
		return refuse(req, "parameter \"item_id\" must be an object id: a whole number from -2147483648 to 4294967295");
	snprintf(out, 16, "%" PRId32, (int32_t)(uint32_t)n);
	*id = out;
	return 0;
}

static int
read_kind(struct http_req *req, const char **kind)
{
	static const char *const kinds[] = { "looted", "moved", "changed", "lost" };

	if ((*kind = http_req_query(req, "kind")) == NULL)
		return 0;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i], *kind) == 0)
			return 0;
	return refuse(req, "parameter \"kind\" must be looted, moved, changed or lost");
}

static int
read_times(struct http_req *req, const char **from, const char **to, char out[2][CLOCK_ISO_SIZE])
{
	int64_t from_us, to_us;

	if (params_time(req, "from", INT64_MIN, &from_us) == -1 || params_time(req, "to", INT64_MAX, &to_us) == -1)
		return -1;
	if (from_us > to_us)
		return refuse(req, "parameter \"from\" must not be after \"to\"");
	*from = *to = NULL;
	if (from_us != INT64_MIN) {
		clock_format_iso(from_us, out[0]);
		*from = out[0];
	}
	if (to_us != INT64_MAX) {
		clock_format_iso(to_us, out[1]);
		*to = out[1];
	}
	return 0;
}

static void
moves(const struct routes *r, struct http_req *req, const char *character)
{
	struct answer_shape shape = { .prefix = "{\"moves\":[", .kinds = "ztntttt" "nnnn" "tc", .sum_column = -1 };
	char id[16], times[2][CLOCK_ISO_SIZE], before[24], limit[24];
	const char *params[8] = { NULL, NULL, character, NULL, NULL, NULL, NULL, limit };
	int64_t cursor;

	if (read_id(req, &params[0], id) == -1 || params_text(req, "name", TEXT_BYTES, &params[1]) == -1 || read_kind(req, &params[3]) == -1 ||
	    read_times(req, &params[4], &params[5], times) == -1 || params_int(req, "cursor", 1, INT64_MAX, 0, &cursor) == -1 ||
	    params_int(req, "limit", 1, 1000, 100, &shape.limit) == -1)
		return;
	snprintf(before, sizeof(before), "%" PRId64, cursor);
	params[6] = cursor > 0 ? before : NULL;
	snprintf(limit, sizeof(limit), "%" PRId64, shape.limit + 1);
	answer_query(items_pool(r->items), req, sql_item_moves, 8, params, &shape);
}

static void
on_character_moves(void *priv, struct http_req *req)
{
	static const char *const known[] = { "item_id", "name", "kind", "from", "to", "cursor", "limit", NULL };
	const char *name;

	if (params_known(req, known) == 0 && routes_name(req, &name) == 0)
		moves(priv, req, name);
}

static void
on_moves(void *priv, struct http_req *req)
{
	static const char *const known[] = { "item_id", "name", "character", "kind", "from", "to", "cursor", "limit", NULL };
	const char *character;

	if (params_known(req, known) == 0 && params_text(req, "character", ROUTES_NAME_BYTES, &character) == 0)
		moves(priv, req, character);
}

const struct route routes_inventory[] = {
	{ "GET", "/inventory/{character}", on_inventory },
	{ "GET", "/inventory/{character}/export", on_export },
	{ "GET", "/inventory/{character}/moves", on_character_moves },
	{ "GET", "/inventory-characters", on_characters },
	{ "GET", "/item-moves", on_moves },
	{ "GET", "/search/items", on_search },
	{ "GET", "/search/sets", on_sets },
	{ "GET", "/search/materials", on_materials },
	{ "GET", "/search/spells", on_spells },
	{ "GET", "/search/slots", on_slots },
	ROUTE_END
};
