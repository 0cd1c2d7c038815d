/* What a batch did to the stock becomes rows.  A row that changes is deleted and copied again: no statement with fifty columns is planned for it. */
#include "inventory.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem/mem.h"

#define NAME_MAX_BYTES 256
#define DESCRIPTION_MAX_BYTES 4096
#define NUMBERS_MAX 1400             /* all columns but the texts and the spells */

/* ---- lists ---- */

void *
inventory_push(void **list, size_t *n, size_t *cap, size_t size)
{
	if (*n == *cap) {
		*cap = *cap ? 2 * *cap : 64;
		*list = xreallocarray(*list, *cap, size);
	}
	return (char *)*list + (*n)++ * size;
}

struct touch *
goods_touch(struct goods *g, struct holding *h)
{
	if (h->touch == 0) {
		INVENTORY_PUSH(g->touch, g->n_touch, g->cap_touch) =
		    (struct touch){ .item = h, .owner = h->owner, .hash = h->hash, .container = h->container, .noted_us = h->noted_us };
		h->touch = (uint32_t)g->n_touch;
	}
	return &g->touch[h->touch - 1];
}

void
goods_dirty(struct goods *g, struct owner *o)
{
	if (o->name.dirty)
		return;
	o->name.dirty = 1;
	INVENTORY_PUSH(g->dirty, g->n_dirty, g->cap_dirty) = o;
}

/* ---- a row of dt.items ---- */

static char *
put_null(char *p)
{
	memcpy(p, "\\N\t", 3);
	return p + 3;
}

static char *
put_number(char *p, int64_t n)
{
	return p + sprintf(p, "%" PRId64 "\t", n);
}

static char *
put_fact(char *p, int32_t n)
{
	return n == ITEM_NONE ? put_null(p) : put_number(p, n);
}

static char *
put_bits(char *p, uint32_t bits)
{
	return bits == 0 ? put_null(p) : put_number(p, bits);
}

static char *
put_float(char *p, float x)
{
	return isfinite(x) ? p + sprintf(p, "%.9g\t", (double)x) : put_null(p);
}

static char *
put_flag(char *p, int flag)
{
	if (flag < 0)
		return put_null(p);
	*p++ = flag ? 't' : 'f';
	*p++ = '\t';
	return p;
}

static char *
put_text(char *p, struct event_value v, size_t max)
{
	char room[DESCRIPTION_MAX_BYTES * 6 + 1];
	const char *s = v.p;
	size_t len = v.len;
	long n;

	if (v.kind != EVENT_STRING)
		return put_null(p);
	if (v.escaped) {
		n = event_string(v, room, sizeof room);
		if (n < 0)
			return put_null(p);  /* over 24 kB of escapes */
		s = room;
		len = (size_t)n;
	}
	if (len > max)
		for (len = max; len > 0 && ((unsigned char)s[len] & 0xc0) == 0x80; len--)
			;
	p = pg_copy_escape(p, s, len);
	*p++ = '\t';
	return p;
}

static char *
put_spells(char *p, const int32_t *spells, unsigned n)
{
	*p++ = '{';
	for (unsigned i = 0; i < n; i++)
		p += sprintf(p, "%s%" PRId32, i > 0 ? "," : "", spells[i]);
	*p++ = '}';
	*p++ = '\t';
	return p;
}

static char *
put_when(char *p, int64_t us)
{
	if (us == STOCK_NEVER)
		return put_null(p);
	p = pg_copy_time(p, us);
	*p++ = '\t';
	return p;
}

size_t
goods_item_max(const struct item *it)
{
	return NUMBERS_MAX + 2 * (NAME_MAX_BYTES + DESCRIPTION_MAX_BYTES) + 12u * ((unsigned)it->n_spells + it->n_active_spells);
}

static char *
put_about(char *p, const struct holding *h, const struct item *it)
{
	p = put_number(p, h->id);
	p = put_number(p, h->owner->name.id);
	p = put_number(p, (int64_t)h->hash);
	p = put_when(p, h->updated_us);
	p = put_text(p, it->name, NAME_MAX_BYTES);
	p = put_text(p, it->description, DESCRIPTION_MAX_BYTES);
	p = put_fact(p, it->object_class);
	p = put_fact(p, it->icon);
	p = put_fact(p, it->wcid);
	p = put_bits(p, it->item_type);
	p = put_number(p, h->container);
	p = put_number(p, h->container_sent);
	p = put_fact(p, it->position);
	p = put_number(p, it->equipped_slot);
	p = put_bits(p, it->valid_slots);
	p = put_bits(p, it->coverage);
	p = put_fact(p, it->stack_count);
	p = put_fact(p, it->max_stack);
	p = put_fact(p, it->value);
	p = put_fact(p, it->burden);
	p = put_fact(p, it->material_id);
	return put_fact(p, it->set_id);
}

static char *
put_strength(char *p, const struct item *it)
{
	p = put_fact(p, it->armor_level);
	p = put_fact(p, it->base_armor_level);
	p = put_float(p, it->workmanship);
	p = put_fact(p, it->tinks);
	p = put_bits(p, it->imbue);
	p = put_float(p, it->damage_min);
	p = put_fact(p, it->damage_max);
	p = put_bits(p, it->damage_type);
	p = put_fact(p, it->wield_level);
	p = put_fact(p, it->wield_skill);
	p = put_fact(p, it->wield_skill_level);
	p = put_spells(p, it->spells, it->n_spells);
	p = put_spells(p, it->active_spells, it->n_active_spells);
	p = it->cantrip_level > 0 ? put_number(p, it->cantrip_level) : put_null(p);
	for (int i = 0; i < ITEM_RATINGS; i++)
		p = it->rating[i] != ITEM_NO_RATING ? put_number(p, it->rating[i]) : put_null(p);
	p = put_flag(p, it->bonded);
	p = put_flag(p, it->attuned);
	p = put_flag(p, it->rare);
	return put_flag(p, it->has_id_data);
}

char *
goods_put_item(char *p, const struct holding *h, const struct item *it)
{
	int noted = h->noted_us != STOCK_NEVER;

	p = put_strength(put_about(p, h, it), it);
	p = put_when(p, h->noted_us);
	p = noted ? put_fact(p, h->noted_stack) : put_null(p);
	p = noted ? put_number(p, h->noted_container) : put_null(p);
	p[-1] = '\n';
	return p;
}

/* ---- what a batch changed ---- */

enum fate { SAME, NEW, CHANGED, PLACED, GONE };

static enum fate
fate_of(const struct touch *t)
{
	const struct holding *h = t->item;

	if (h->owner == NULL)
		return t->owner != NULL ? GONE : SAME;
	if (t->owner == NULL)
		return NEW;
	if (h->hash != t->hash)
		return CHANGED;
	return h->owner != t->owner || h->container != t->container || h->noted_us != t->noted_us ? PLACED : SAME;
}

/* '{1,2}' of the ids of a fate; 0 when there are none. */
static int
put_ids(struct buf *sql, const struct goods *g, unsigned fates)
{
	size_t start = sql->len;
	int n = 0;

	(void)buf_appends(sql, "'{");
	for (size_t i = 0; i < g->n_touch; i++)
		if (fates & 1u << fate_of(&g->touch[i]))
			(void)buf_printf(sql, "%s%" PRId32, n++ > 0 ? "," : "", g->touch[i].item->id);
	(void)buf_appends(sql, "}'::int[]");
	if (n == 0)
		sql->len = start;
	return n;
}

static void
delete_rows(struct buf *sql, const struct goods *g, const char *table, unsigned fates)
{
	size_t start = sql->len;

	(void)buf_printf(sql, "delete from dt.%s where item_id = any(", table);
	if (put_ids(sql, g, fates) > 0)
		(void)buf_appends(sql, ");");
	else
		sql->len = start;
}

static int
bury(struct buf *sql, const struct goods *g)
{
	size_t start = sql->len;
	int n;

	(void)buf_appends(sql, "insert into dt.gone (item_id) select unnest(");
	n = put_ids(sql, g, 1u << GONE);
	if (n > 0)
		(void)buf_appends(sql, ") on conflict (item_id) do update set version = excluded.version, at = excluded.at;");
	else
		sql->len = start;
	return n;
}

/* The whole row and the item as sent; facts has been read from raw. */
static void
write_item(struct inventory *v, struct batch *b, const struct touch *t)
{
	struct goods *g = b->own;
	struct buf raw = BUF_INIT(32u << 20);
	const struct holding *h = t->item;
	char *p;

	(void)item_merge((struct event_value){ 0 }, t->raw, &raw);
	b->row_seq = t->seq;
	p = batch_row(b, PART_ITEMS, goods_item_max(&v->facts));
	batch_row_end(b, PART_ITEMS, goods_put_item(p, h, &v->facts));
	p = batch_row(b, PART_RAW, 2 * buf_size(&raw) + 32);
	p = put_number(p, h->id);
	p = pg_copy_escape(p, buf_data(&raw), buf_size(&raw));
	*p++ = '\n';
	batch_row_end(b, PART_RAW, p);
	b->row_seq = 0;
	INVENTORY_PUSH(g->row_item, g->n_row_item, g->cap_row_item) = h->id;
	buf_fini(&raw);
}

#define COLUMN(name, format, value) do { \
	const char *comma = ""; \
	(void)buf_appends(sql, "'{"); \
	for (size_t i = 0; i < g->n_touch; i++) { \
		const struct touch *t = &g->touch[i]; \
		const struct holding *h = t->item; \
		if (fate_of(t) != PLACED) \
			continue; \
		(void)buf_printf(sql, "%s" format, comma, value); \
		comma = ","; \
	} \
	(void)buf_appends(sql, "}'" name); \
} while (0)

/* Items that are as they were, but in another place.  Whether one was told of comes with it. */
static void
write_placed(struct buf *sql, const struct goods *g)
{
	(void)buf_appends(sql, "select dt.place_items(");
	COLUMN("::int[], ", "%" PRId32, h->id);
	COLUMN("::int[], ", "%" PRIu32, h->owner->name.id);
	COLUMN("::int[], ", "%" PRId32, h->container);
	COLUMN("::bigint[], ", "%" PRId64, h->updated_us);
	COLUMN("::bigint[], ", "%" PRId64, h->noted_us != STOCK_NEVER ? h->noted_us : 0);
	COLUMN("::int[], ", "%" PRId32, h->noted_us != STOCK_NEVER && h->noted_stack != ITEM_NONE ? h->noted_stack : -1);
	COLUMN("::int[]);", "%" PRId32, h->noted_us != STOCK_NEVER ? h->noted_container : 0);
}

void
goods_write(struct inventory *v, struct batch *b, struct buf *sql)
{
	struct goods *g = b->own;
	const char *why;

	for (size_t i = 0; i < g->n_touch; i++) {
		const struct touch *t = &g->touch[i];
		enum fate fate = fate_of(t);
		g->placed += fate == PLACED;
		if ((fate == NEW || fate == CHANGED) && item_read(&v->facts, t->raw, &why) == 0)
			write_item(v, b, t);
	}
	delete_rows(sql, g, "items", 1u << GONE | 1u << CHANGED);
	delete_rows(sql, g, "item_raw", 1u << GONE | 1u << CHANGED);
	delete_rows(sql, g, "gone", 1u << NEW);
	g->gone = bury(sql, g);
	if (g->placed > 0)
		write_placed(sql, g);
	for (size_t i = 0; i < g->n_asked; i++)
		g->asked[i]->raw = NULL;
	for (size_t i = 0; i < g->n_touch; i++) {
		struct holding *h = g->touch[i].item;
		free(g->touch[i].merged);
		h->touch = 0;
		h->lost_by = NULL;
		if (h->owner == NULL)
			stock_drop(&v->stock, h);
	}
	g->n_touch = 0;
}

/* ---- characters ---- */

static void
put_when_sql(struct buf *sql, int64_t us)
{
	char text[PG_TIME_SIZE];

	if (us == STOCK_NEVER)
		(void)buf_appends(sql, "null");
	else
		(void)buf_printf(sql, "'%.*s'", (int)(pg_copy_time(text, us) - text), text);
}

void
goods_write_rest(struct batch *b, struct buf *sql)
{
	struct goods *g = b->own;

	if (g->n_dirty == 0)
		return;
	(void)buf_appends(sql, "insert into dt.characters as c (id, name, item_count, deltas, drift, drift_total, snapshot_at, updated_at, own_at) values ");
	for (size_t i = 0; i < g->n_dirty; i++) {
		struct owner *o = g->dirty[i];
		(void)buf_printf(sql, "%s(%" PRIu32 ",", i > 0 ? "," : "", o->name.id);
		(void)pg_append_literal(sql, o->name.text, o->name.len);
		(void)buf_printf(sql, ",%" PRId32 ",%" PRId32 ",%" PRId32 ",%" PRId64 ",", o->n_items, o->deltas, o->drift, o->drift_total);
		put_when_sql(sql, o->snapshot_us);
		(void)buf_appends(sql, "::timestamptz,");
		put_when_sql(sql, o->updated_us);
		(void)buf_appends(sql, "::timestamptz,");
		put_when_sql(sql, o->own_us);
		(void)buf_appends(sql, "::timestamptz)");
		o->name.dirty = 0;
	}
	(void)buf_appends(sql, " on conflict (id) do update set item_count = excluded.item_count, deltas = excluded.deltas, drift = excluded.drift,"
	    " drift_total = excluded.drift_total, snapshot_at = excluded.snapshot_at, updated_at = excluded.updated_at, own_at = excluded.own_at,"
	    " version = nextval('dt.version');");
	g->n_dirty = 0;
}
