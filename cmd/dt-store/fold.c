/* What an event says becomes what the stock holds.  Each event is folded whole before the containers of its items and the moves are looked at: a pack may come
 * behind what lies in it. */
#include "inventory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem/mem.h"

#define DRIFT_SILENCE_US 600000000          /* deltas so much older than a snapshot do not claim to tell of now */
#define SKEW_US 300000000
#define CHANGED_EVERY_US 3600000000         /* a change of an item is told at most so often */
#define DEAD_ITEMS_MAX 20                   /* of one event */

enum source { SOURCE_DELTA, SOURCE_SNAPSHOT, SOURCE_DRIFT };
static const char *const source_names[] = { "delta", "snapshot", "drift" };

struct change {                      /* an item of this event that is not as it was */
	struct holding *item;
	struct owner *owner;
	int32_t container, stack;
	uint32_t worn;
};

struct fold {
	struct inventory *inventory;
	struct batch *batch;
	struct goods *goods;
	const struct queued *q;
	struct owner *owner;
	enum source source;
	int first;                   /* the character's first snapshot: nobody knows since when it has all that */
	int dead;
	struct change *changes;
	size_t n_changes, cap_changes;
};

/* ---- what cannot be stored ---- */

static void
put_aside(struct fold *f, enum reason reason, const char *detail, struct event_value what)
{
	if (++f->dead <= DEAD_ITEMS_MAX)
		batch_dead_letter(f->batch, f->q->seq, f->q->when_us, reason, detail, what.p, what.len);
	else
		f->batch->dead[reason]++;
}

static const char *
refused_why(const struct fold *f, int32_t id)
{
	const struct inventory *v = f->inventory;

	for (size_t i = 0; i < v->n_refused; i++)
		if (v->refused[i].id == id && v->refused[i].seq == f->q->seq)
			return v->refused[i].why;
	return NULL;
}

/* ---- moves ---- */

static char *
put_int(char *p, int64_t n, int known)
{
	return p + (known ? sprintf(p, "%lld\t", (long long)n) : sprintf(p, "\\N\t"));
}

struct move {
	const char *kind;
	struct owner *from, *to;
	int32_t from_container, to_container, stack_before, stack_after;
};

static void
tell(struct fold *f, struct holding *h, const struct move *m)
{
	size_t len = h->name ? strlen(h->name) : 0;
	char *p = batch_row(f->batch, PART_MOVES, 2 * len + 256);

	p = put_int(p, ++f->goods->moves, 1);
	p = pg_copy_time(p, f->q->when_us);
	*p++ = '\t';
	p = put_int(p, h->id, 1);
	if (len > 0) {
		p = pg_copy_escape(p, h->name, len);
		*p++ = '\t';
	} else {
		p = put_int(p, 0, 0);
	}
	p += sprintf(p, "%s\t", m->kind);
	p = put_int(p, m->from ? m->from->name.id : 0, m->from != NULL);
	p = put_int(p, m->to ? m->to->name.id : 0, m->to != NULL);
	p = put_int(p, m->from_container, m->from != NULL);
	p = put_int(p, m->to_container, m->to != NULL);
	p = put_int(p, m->stack_before, m->stack_before != ITEM_NONE);
	p = put_int(p, m->stack_after, m->stack_after != ITEM_NONE);
	p += sprintf(p, "%s\n", source_names[f->source]);
	batch_row_end(f->batch, PART_MOVES, p);
	h->noted_us = f->q->when_us;
	h->noted_stack = h->stack;
	h->noted_container = h->container;
}

/* It was nowhere.  Where it was before that, when it was, merge_moves.sql may know. */
static void
tell_new(struct fold *f, const struct change *c)
{
	struct holding *h = c->item;
	struct move m = { "looted", NULL, h->owner, 0, h->container, ITEM_NONE, h->stack };

	if (h->lost_by != NULL) {
		m.kind = h->lost_by != h->owner ? "moved" : "looted";
		m.from = h->lost_by;
		m.from_container = c->container;
		m.stack_before = c->stack;
	} else if (f->first) {
		return;
	}
	tell(f, h, &m);
}

/* Changes within a character: of the stack, or from pack to pack; taking something up and putting it away is none. */
static void
tell_changed(struct fold *f, const struct change *c)
{
	struct holding *h = c->item;
	int known = h->noted_us != STOCK_NEVER;
	int moved = h->container != c->container && h->worn == 0 && c->worn == 0;
	struct move m = { "changed", h->owner, h->owner, c->container, h->container, c->stack, h->stack };

	if (!moved && h->stack == c->stack)
		return;
	if (f->source != SOURCE_DRIFT) {
		if (known && f->q->when_us - h->noted_us < CHANGED_EVERY_US)
			return;
		if (known) {
			m.stack_before = h->noted_stack;
			m.from_container = h->noted_container;
		}
	}
	tell(f, h, &m);
}

static void
tell_change(struct fold *f, const struct change *c)
{
	struct move m = { "moved", c->owner, c->item->owner, c->container, c->item->container, c->stack, c->item->stack };

	if (c->owner == NULL)
		tell_new(f, c);
	else if (c->owner != c->item->owner)
		tell(f, c->item, &m);
	else
		tell_changed(f, c);
}

/* ---- items ---- */

static void
lose(struct fold *f, struct holding *h)
{
	struct move m = { "lost", h->owner, NULL, h->container, 0, h->stack, ITEM_NONE };

	(void)goods_touch(f->goods, h);
	tell(f, h, &m);
	h->lost_by = h->owner;
	h->noted_us = STOCK_NEVER;
	stock_give(h, NULL);
}

/* The item is the owner's now and is as raw says; facts are those of raw. */
static void
place(struct fold *f, struct holding *h, struct event_value raw, uint64_t hash)
{
	struct touch *t = goods_touch(f->goods, h);

	INVENTORY_PUSH(f->changes, f->n_changes, f->cap_changes) = (struct change){ h, h->owner, h->container, h->stack, h->worn };
	t->raw = raw;
	t->seq = f->q->seq;
	h->updated_us = f->q->when_us;
	if (h->owner != f->owner) {
		if (h->owner != NULL)
			goods_dirty(f->goods, h->owner);
		stock_give(h, f->owner);
	}
	stock_set(h, &f->inventory->facts, hash);
}

/* A replay does not take from somebody of whom something newer is known; clocks may differ a little. */
static int
is_kept(const struct fold *f, const struct holding *h)
{
	const struct owner *o = h->owner;

	return f->q->old && o != NULL && o != f->owner && o->own_us != STOCK_NEVER && o->own_us - f->q->own_us > SKEW_US;
}

/* A complete item.  One that is as it was costs no more than its hash. */
static void
take_item(struct fold *f, struct event_value object)
{
	struct holding *h;
	const char *why;
	uint64_t hash;
	int32_t id;

	if (object.kind != EVENT_OBJECT || item_id(event_object_get(object, "Id"), &id) == -1) {
		put_aside(f, REASON_BAD_ITEM, object.kind == EVENT_OBJECT ? "it has no valid Id" : "it is no object", object);
		return;
	}
	hash = item_hash(object);
	h = stock_find(&f->inventory->stock, id);
	if (h != NULL)
		h->seen = f->inventory->stock.snapshots;
	if (h != NULL && h->owner == f->owner && h->hash == hash)
		return;
	if (object.len > INVENTORY_ITEM_BYTES) {
		put_aside(f, REASON_BAD_ITEM, "it is too large", object);
		return;
	}
	if (h != NULL && is_kept(f, h))
		return;
	why = refused_why(f, id);
	if (why != NULL) {
		put_aside(f, REASON_DATABASE, why, object);
		return;
	}
	if (item_read(&f->inventory->facts, object, &why) == -1) {
		put_aside(f, REASON_BAD_ITEM, why, object);
		return;
	}
	f->goods->odd_facts += why != NULL;
	if (h == NULL && f->owner->n_items < INVENTORY_ITEMS_MAX)
		h = stock_add(&f->inventory->stock, id);
	if (h == NULL) {
		put_aside(f, REASON_TOO_MANY_ITEMS, "", object);
		return;
	}
	h->seen = f->inventory->stock.snapshots;
	place(f, h, object, hash);
}

/* The item as it is before this event; EVENT_ABSENT when it is nowhere. */
static struct event_value
raw_of(const struct fold *f, const struct holding *h)
{
	const struct touch *t;

	if (h == NULL || h->owner == NULL)
		return (struct event_value){ 0 };
	t = h->touch != 0 ? &f->goods->touch[h->touch - 1] : NULL;
	if (t != NULL && t->raw.kind != EVENT_ABSENT)
		return t->raw;
	return h->raw != NULL ? (struct event_value){ h->raw, h->raw_len, EVENT_OBJECT, 0 } : (struct event_value){ 0 };
}

/* What is known of it, and over that what the update says. */
static void
merge_item(struct fold *f, struct event_value object)
{
	struct event_value old, merged;
	struct holding *h;
	struct buf b = BUF_INIT(INVENTORY_ITEM_BYTES);
	struct touch *t;
	int32_t id;

	if (object.kind != EVENT_OBJECT || item_id(event_object_get(object, "Id"), &id) == -1) {
		take_item(f, object);        /* says what is wrong with it */
		return;
	}
	h = stock_find(&f->inventory->stock, id);
	old = raw_of(f, h);
	if (old.kind == EVENT_ABSENT) {
		take_item(f, object);
		return;
	}
	if (item_merge(old, object, &b) == -1) {
		buf_fini(&b);
		put_aside(f, REASON_BAD_ITEM, "it is too large", object);
		return;
	}
	merged = (struct event_value){ buf_data(&b), (uint32_t)buf_size(&b), EVENT_OBJECT, 0 };
	take_item(f, merged);
	t = h->touch != 0 ? &f->goods->touch[h->touch - 1] : NULL;
	if (t == NULL || t->raw.p != merged.p) {
		buf_fini(&b);                /* it changed nothing */
		return;
	}
	free(t->merged);
	t->merged = b.p;
}

/* ---- events ---- */

/* A pack that came or went changes where its things are. */
static void
look_again(struct fold *f, struct owner *o)
{
	if (!o->packs_changed)
		return;
	o->packs_changed = 0;
	for (struct holding *h = o->items; h != NULL; h = h->next) {
		int32_t container = stock_container(&f->inventory->stock, h);
		if (container == h->container)
			continue;
		(void)goods_touch(f->goods, h);
		h->container = container;
	}
}

static void
finish(struct fold *f)
{
	for (size_t i = 0; i < f->n_changes; i++) {
		struct change *c = &f->changes[i];
		if (c->item->owner != NULL)
			c->item->container = stock_container(&f->inventory->stock, c->item);
	}
	look_again(f, f->owner);
	for (size_t i = 0; i < f->n_changes; i++) {
		struct change *c = &f->changes[i];
		if (c->item->owner == NULL)
			continue;
		if (c->owner != NULL && c->owner != f->owner)
			look_again(f, c->owner);
		tell_change(f, c);
	}
}

/* In how many items a snapshot tells something else than the deltas did.  What only looks different (mana, an appraisal) is none. */
static int32_t
differences(const struct fold *f)
{
	int32_t n = 0;

	for (size_t i = 0; i < f->n_changes; i++) {
		const struct change *c = &f->changes[i];
		const struct holding *h = c->item;
		n += c->owner != h->owner || c->stack != h->stack || c->worn != h->worn || c->container != h->container;
	}
	return n;
}

static void
fold_snapshot(struct fold *f, struct event_value items)
{
	struct owner *o = f->owner;
	struct stock *s = &f->inventory->stock;
	struct event_value item;
	struct holding *next;
	int32_t lost = 0;
	size_t at = 0;

	f->first = o->snapshot_us == STOCK_NEVER;
	f->source = !f->first && o->deltas > 0 && f->q->when_us - o->updated_us <= DRIFT_SILENCE_US ? SOURCE_DRIFT : SOURCE_SNAPSHOT;
	s->snapshots++;
	for (unsigned n = 0; event_next(items, &at, NULL, &item); n++)
		if (n < INVENTORY_ITEMS_MAX)
			take_item(f, item);
		else
			put_aside(f, REASON_TOO_MANY_ITEMS, "", item);
	for (struct holding *h = o->items; h != NULL; h = next) {
		next = h->next;
		if (h->seen == s->snapshots)
			continue;
		lose(f, h);
		lost++;
	}
	finish(f);
	o->drift = f->source == SOURCE_DRIFT ? lost + differences(f) : 0;
	o->drift_total += o->drift;
	o->deltas = 0;
	o->snapshot_us = f->q->when_us;
}

static enum reason
fold_delta(struct fold *f, const struct event *e)
{
	struct event_value action = event_get(e, "action"), item = event_get(e, "item"), id_value = event_get(e, "item_id");
	struct holding *h;
	int32_t id;

	if (event_value_is(action, "remove")) {
		if (id_value.kind == EVENT_ABSENT && item.kind == EVENT_OBJECT)
			id_value = event_object_get(item, "Id");
		if (item_id(id_value, &id) == -1)
			return REASON_BAD_ITEM;
		h = stock_find(&f->inventory->stock, id);
		if (h != NULL && h->owner == f->owner)
			lose(f, h);
	} else if (event_value_is(action, "add")) {
		take_item(f, item);
	} else if (event_value_is(action, "update")) {
		merge_item(f, item);
	} else {
		return REASON_BAD_ACTION;
	}
	finish(f);
	f->owner->deltas++;
	return REASON_COUNT;
}

static enum reason
fold_any(struct fold *f, const struct event *e)
{
	struct event_value items = event_get(e, "items");

	if (event_value_is(e->type, "inventory_delta"))
		return fold_delta(f, e);
	if (items.kind != EVENT_ARRAY)
		return REASON_NO_ITEMS;
	fold_snapshot(f, items);
	return REASON_COUNT;
}

/* What an event says, without the names that the stream adds. */
static uint64_t
hash_event(const struct event *e)
{
	struct event_value key, value;
	uint64_t h = 0xcbf29ce484222325u;
	size_t at = 0;

	while (event_next(event_body(e), &at, &key, &value)) {
		if (key.len > 0 && key.p[0] == '_')
			continue;
		for (const char *p = key.p; p < value.p + value.len; p++)
			h = (h ^ (unsigned char)*p) * 0x100000001b3u;
	}
	return h;
}

/* Does it say what was before, or again what was then?  Of the events of the newest time those before the start are not known any more: then it does. */
static int
is_older(const struct queued *q, uint64_t hash)
{
	const struct owner *o = q->owner;

	if (!q->old || o->own_us == STOCK_NEVER || (!q->timeless && q->own_us > o->own_us))
		return 0;
	if (q->timeless || q->own_us < o->own_us || o->n_ties == 0)
		return 1;
	for (unsigned i = 0; i < o->n_ties; i++)
		if (o->tie[i] == hash)
			return 1;
	return 0;
}

static void
note_time(const struct queued *q, uint64_t hash)
{
	struct owner *o = q->owner;

	o->updated_us = q->when_us;
	if (q->own_us < o->own_us)
		return;
	if (q->own_us > o->own_us)
		o->n_ties = 0;
	o->own_us = q->own_us;
	if (o->n_ties < STOCK_TIES)
		o->tie[o->n_ties++] = hash;
}

void
fold_event(struct inventory *v, struct batch *b, const struct queued *q)
{
	struct fold f = { .inventory = v, .batch = b, .goods = b->own, .q = q, .owner = q->owner };
	struct event e;
	enum reason why;
	uint64_t hash;

	if (event_scan(q->line, q->len, &e) != EVENT_OK)
		return;                      /* it was scanned when it came */
	hash = hash_event(&e);
	if (is_older(q, hash)) {
		f.goods->older++;
		return;
	}
	why = fold_any(&f, &e);
	free(f.changes);
	if (why != REASON_COUNT) {
		batch_dead_letter(b, q->seq, q->when_us, why, "", q->line, q->len);
		return;
	}
	note_time(q, hash);
	goods_dirty(f.goods, q->owner);
}
