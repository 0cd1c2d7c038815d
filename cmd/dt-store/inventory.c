#include "inventory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "column.h"
#include "log/log.h"
#include "mem/mem.h"
#include "sql.h"
#include "stat/stat.h"
#include "store.h"
#include "totals/totals.h"

#define TIDY_MS 120000

/* ---- events come ---- */

static enum reason
inventory_add(void *state, struct batch *b, const struct incoming *in)
{
	struct inventory *v = state;
	struct goods *g = b->own;
	const struct event *e = in->event;
	struct text name;
	struct owner *o;
	enum reason why;
	char *line;

	if (e->character_name.kind == EVENT_ABSENT)
		return REASON_NO_CHARACTER;
	if (!text_get_name(e->character_name, &name, CHARACTER_MAX_BYTES, &why))
		return why == REASON_NO_NAME ? REASON_NO_CHARACTER : why;
	o = stock_owner(&v->stock, name.p, name.len);
	if (o == NULL)
		return REASON_TOO_MANY_NAMES;
	line = xmalloc(e->len);
	memcpy(line, e->line, e->len);
	INVENTORY_PUSH(g->queue, g->n_queue, g->cap_queue) = (struct queued){
		.line = line, .len = e->len, .seq = in->seq, .owner = o, .own_us = in->at_us,
		.old = in->replay || !in->stamped, .timeless = in->own_us == TOTALS_NO_TIME,
		.when_us = in->replay || !in->stamped ? in->at_us : in->rx_us,
	};
	b->rows++;
	b->bytes += e->len;
	return REASON_COUNT;
}

/* ---- before they are folded: the items that partial updates want ---- */

/* The item that a delta updates, when the database has it. */
static struct holding *
updated(struct inventory *v, const struct queued *q)
{
	struct holding *h;
	struct event e;
	int32_t id;

	if (event_scan(q->line, q->len, &e) != EVENT_OK || !event_value_is(e.type, "inventory_delta") || !event_value_is(event_get(&e, "action"), "update"))
		return NULL;
	if (item_id(event_object_get(event_get(&e, "item"), "Id"), &id) == -1)
		return NULL;
	h = stock_find(&v->stock, id);
	return h != NULL && h->owner != NULL ? h : NULL;
}

static void
on_raw(void *priv, const struct pg_row *row)
{
	struct inventory *v = priv;
	struct goods *g = v->asking->own;
	struct holding *h = stock_find(&v->stock, (int32_t)pg_int(row, 0, 0));
	const char *text;
	size_t len;
	char *copy;

	text = pg_text(row, 1, &len);
	if (h == NULL || len == 0)
		return;
	copy = xmalloc(len);
	memcpy(copy, text, len);
	INVENTORY_PUSH(g->text, g->n_text, g->cap_text) = copy;
	INVENTORY_PUSH(g->asked, g->n_asked, g->cap_asked) = h;
	h->raw = copy;
	h->raw_len = (uint32_t)len;
}

static void
on_raw_done(void *priv)
{
	struct inventory *v = priv;

	v->db->done(v->db->priv);
}

static void
on_raw_error(void *priv, const struct pg_error *e)
{
	struct inventory *v = priv;

	v->db->failed(v->db->priv, e);
}

static int
inventory_ask(void *state, struct batch *b, const struct sink_db *db)
{
	struct inventory *v = state;
	struct pg_calls calls = { .on_row = on_raw, .on_done = on_raw_done, .on_error = on_raw_error, .priv = v, .prepare = 1 };
	struct goods *g = b->own;
	struct buf ids = BUF_INIT(1u << 20);
	const struct holding *h;
	const char *param, *comma = "{";
	uint64_t query;

	for (size_t i = 0; i < g->n_queue; i++) {
		h = g->queue[i].len < 1u << 20 ? updated(v, &g->queue[i]) : NULL;
		if (h == NULL)
			continue;
		(void)buf_printf(&ids, "%s%" PRId32, comma, h->id);
		comma = ",";
	}
	if (*comma == '{')
		return 0;
	(void)buf_append(&ids, "}", 2);
	param = buf_data(&ids);
	v->db = db;
	v->asking = b;
	query = pg_query(db->pg, sql_stock_raw, 1, &param, &calls);
	buf_fini(&ids);
	return query != 0;
}

/* ---- steps ---- */

static void
inventory_fold(void *state, struct batch *b, struct buf *sql)
{
	struct inventory *v = state;
	struct goods *g = b->own;

	for (size_t i = 0; i < g->n_queue; i++) {
		b->row_seq = g->queue[i].seq;
		fold_event(v, b, &g->queue[i]);
	}
	b->row_seq = 0;
	goods_write(v, b, sql);
}

static void
inventory_save_rest(void *state, struct batch *b, struct buf *sql)
{
	(void)state;
	goods_write_rest(b, sql);
}

/* ---- refusals and counters ---- */

/* A row that only the database refuses costs its item, not the event: the next time that item is put aside. */
static int
inventory_culprit(void *state, const struct batch *b, int part, size_t row, const struct pg_error *e)
{
	struct inventory *v = state;
	const struct goods *g = b->own;
	uint64_t seq = b->set[part].seq[row];
	int32_t id;

	if ((part != PART_ITEMS && part != PART_RAW) || row >= g->n_row_item)
		return 0;
	if (strcmp(e->sqlstate, "23505") == 0 && v->surprises++ == 0)
		return 1;                    /* somebody else wrote there: all is read again */
	id = g->row_item[row];
	for (size_t i = 0; i < v->n_refused; i++)
		if (v->refused[i].seq == seq && v->refused[i].id == id)
			return 0;
	log_warn("item %08" PRIX32 " of event %" PRIu64 " is put aside: the database refuses it: %s", (uint32_t)id, seq, e->message);
	v->refused = xreallocarray(v->refused, v->n_refused + 1, sizeof *v->refused);
	v->refused[v->n_refused++] = (struct refused){ seq, id, xstrdup(e->message) };
	return 1;
}

static void
inventory_stored(void *state, const struct batch *b)
{
	struct inventory *v = state;
	const struct goods *g = b->own;
	size_t kept = 0;

	*stat_cell(STAT_STORE_ROWS, "items_placed") += g->placed;
	*stat_cell(STAT_STORE_ROWS, "items_gone") += g->gone;
	stat_add(STAT_STORE_OLDER, g->older);
	stat_add(STAT_STORE_ODD_FACTS, g->odd_facts);
	for (size_t i = 0; i < v->n_refused; i++) {
		if (v->refused[i].seq > b->to)
			v->refused[kept++] = v->refused[i];
		else
			free(v->refused[i].why);
	}
	v->n_refused = kept;
	v->surprises = 0;
}

/* ---- loading ---- */

static void
on_owner(void *state, const struct pg_row *row)
{
	struct inventory *v = state;
	const char *name;
	struct owner *o;
	size_t len;

	name = pg_text(row, 1, &len);
	o = stock_load_owner(&v->stock, (uint32_t)pg_int(row, 0, 0), name, len);
	o->deltas = (int32_t)pg_int(row, 2, 0);
	o->drift = (int32_t)pg_int(row, 3, 0);
	o->drift_total = pg_int(row, 4, 0);
	o->snapshot_us = pg_int(row, 5, STOCK_NEVER);
	o->updated_us = pg_int(row, 6, STOCK_NEVER);
	o->own_us = pg_int(row, 7, STOCK_NEVER);
}

static void
on_holding(void *state, const struct pg_row *row)
{
	struct inventory *v = state;
	uint32_t owner = (uint32_t)pg_int(row, 1, 0);
	struct holding *h;
	const char *name;
	size_t len;

	if (owner >= v->stock.n_by_id || v->stock.by_id[owner] == NULL)
		return;
	h = stock_add(&v->stock, (int32_t)pg_int(row, 0, 0));
	if (h == NULL)
		return;
	h->hash = (uint64_t)pg_int(row, 2, 0);
	h->container_sent = (int32_t)pg_int(row, 3, 0);
	h->container = (int32_t)pg_int(row, 4, 0);
	h->stack = (int32_t)pg_int(row, 5, ITEM_NONE);
	h->worn = (uint32_t)pg_int(row, 6, 0);
	h->pack = (uint8_t)pg_bool(row, 7);
	h->updated_us = pg_int(row, 8, STOCK_NEVER);
	h->noted_us = pg_int(row, 9, STOCK_NEVER);
	h->noted_stack = (int32_t)pg_int(row, 10, ITEM_NONE);
	h->noted_container = (int32_t)pg_int(row, 11, 0);
	name = pg_text(row, 12, &len);
	stock_set_name(h, name, len);
	stock_give(h, v->stock.by_id[owner]);
}

static void
on_meta(void *state, const struct pg_row *row)
{
	struct inventory *v = state;
	const struct { const char *key; char *value; } known[] = {
		{ "facts", v->facts_version }, { "facts_through", v->facts_through }, { "names", v->names_version },
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(pg_text(row, 0, NULL), known[i].key) == 0)
			(void)snprintf(known[i].value, sizeof v->facts_version, "%s", pg_text(row, 1, NULL));
}

static void
inventory_loaded(void *state)
{
	struct inventory *v = state;
	struct name **slot = v->stock.owners.slot;

	for (size_t i = 0; i <= v->stock.owners.mask; i++)
		if (slot[i] != NULL)
			((struct owner *)slot[i])->packs_changed = 0;        /* the database has them as they should be */
}

/* ---- the state and a batch's own ---- */

static void *
inventory_open(const struct store_config *config)
{
	struct inventory *v = xcalloc(1, sizeof *v);

	(void)config;
	stock_init(&v->stock);
	return v;
}

static void
inventory_forget(void *state)
{
	struct inventory *v = state;

	stock_fini(&v->stock);
	stock_init(&v->stock);
	start_forget(v);
	v->facts_version[0] = v->facts_through[0] = v->names_version[0] = '\0';
}

static void
inventory_close(void *state)
{
	struct inventory *v = state;

	start_forget(v);
	stock_fini(&v->stock);
	item_fini(&v->facts);
	for (size_t i = 0; i < v->n_refused; i++)
		free(v->refused[i].why);
	free(v->refused);
	free(v);
}

static void *
own_new(void)
{
	return xcalloc(1, sizeof(struct goods));
}

/* The stock may be another one by now: nothing is followed. */
static void
own_clear(void *own)
{
	struct goods *g = own;

	for (size_t i = 0; i < g->n_queue; i++)
		free(g->queue[i].line);
	for (size_t i = 0; i < g->n_touch; i++)
		free(g->touch[i].merged);
	for (size_t i = 0; i < g->n_text; i++)
		free(g->text[i]);
	g->n_queue = g->n_touch = g->n_text = g->n_dirty = g->n_asked = g->n_row_item = 0;
	g->gone = g->placed = g->older = g->odd_facts = g->moves = 0;
}

static void
own_free(void *own)
{
	struct goods *g = own;

	own_clear(g);
	free(g->queue);
	free(g->touch);
	free(g->text);
	free(g->dirty);
	free(g->asked);
	free(g->row_item);
	free(g);
}

/* ---- the tables ---- */

static const struct part parts[] = {
#define PART(id, ...) { __VA_ARGS__ },
#include "inventory_parts.def"
#undef PART
};

static const struct kind kinds[] = {
	{ "full_inventory", inventory_add },
	{ "inventory", inventory_add },
	{ "inventory_delta", inventory_add },
	{ NULL, NULL }
};

static const struct load loads[] = {
	{ sql_stock_meta, on_meta },
	{ sql_stock_characters, on_owner },
	{ sql_stock_items, on_holding },
	{ NULL, NULL }
};

static const struct chore chores[] = {
	{ sql_forget_gone, TIDY_MS, NULL },
	{ sql_forget_dead_letters, TIDY_MS, NULL },
	{ NULL, 0, NULL }
};

const struct sink sink_inventory = {
	.name = "inventory", .program = "dt-store-inventory", .lock = "2", .migrations = "inventory", .url = pg_inventory_url, .password = "INVENTORY_DB_PASSWORD",
	.parts = parts, .n_parts = PART_COUNT, .kinds = kinds, .loads = loads, .chores = chores,
	.open = inventory_open, .close = inventory_close, .forget = inventory_forget, .loaded = inventory_loaded, .prepare = start_prepare,
	.own_new = own_new, .own_clear = own_clear, .own_free = own_free,
	.ask = inventory_ask, .culprit = inventory_culprit, .stored = inventory_stored,
};
