/* The rows: a slot for each item, found by its id, chained by character. */
#include "itemdb/itemdb.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "game/game.h"
#include "itemdb/itemdb_int.h"
#include "mem/mem.h"

struct itemdb *
itemdb_new(void)
{
	struct itemdb *db = xcalloc(1, sizeof(*db));

	db->strings = strings_new();
	db->free_row = ROW_NONE;
	return db;
}

void
itemdb_free(struct itemdb **dbp)
{
	struct itemdb *db = *dbp;

	if (db == NULL)
		return;
	for (uint32_t i = 0; i < db->chunks; i++)
		free(db->chunk[i]);
	for (unsigned i = 0; i < db->n_characters; i++)
		free((char *)(uintptr_t)db->character[i].shown.name);
	free(db->chunk);
	free(db->character);
	free(db->pool.p);
	map_fini(&db->by_id);
	map_fini(&db->character_by_id);
	strings_free(&db->strings);
	free(db);
	*dbp = NULL;
}

size_t
itemdb_items(const struct itemdb *db)
{
	return db->live;
}

/* ---- spell lists ---- */

static uint32_t
pool_take(struct pool *pool, uint32_t n)
{
	uint32_t at = pool->free[n];

	if (n == 0)
		return 0;
	if (at != 0) {
		pool->free[n] = (uint32_t)pool->p[at - 1];
		return at - 1;
	}
	if (pool->n + n > pool->cap) {
		pool->cap = pool->cap + pool->cap / 4 + 4096;
		pool->p = xreallocarray(pool->p, pool->cap, sizeof(*pool->p));
	}
	at = pool->n;
	pool->n += n;
	return at;
}

static void
pool_give(struct pool *pool, uint32_t at, uint32_t n)
{
	if (n == 0)
		return;
	pool->p[at] = (int32_t)pool->free[n];
	pool->free[n] = at + 1;
}

/* ---- rows ---- */

static uint32_t
take_row(struct itemdb *db)
{
	uint32_t i = db->free_row;

	if (i != ROW_NONE) {
		db->free_row = row_at(db, i)->next;
		return i;              /* its character is ROW_NONE */
	}
	if (db->top == db->chunks * CHUNK_ROWS) {
		db->chunk = xreallocarray(db->chunk, db->chunks + 1, sizeof(*db->chunk));
		db->chunk[db->chunks++] = xcalloc(CHUNK_ROWS, sizeof(struct row));
	}
	row_at(db, db->top)->character = ROW_NONE;
	return db->top++;
}

static void
link_row(struct itemdb *db, uint32_t i, unsigned character)
{
	struct row *r = row_at(db, i);
	struct character *c = &db->character[character];

	r->character = character;
	r->prev = ROW_NONE;
	r->next = c->first;
	if (c->first != ROW_NONE)
		row_at(db, c->first)->prev = i;
	c->first = i;
	c->shown.items++;
}

static void
unlink_row(struct itemdb *db, uint32_t i)
{
	struct row *r = row_at(db, i);
	struct character *c = &db->character[r->character];

	if (r->prev != ROW_NONE)
		row_at(db, r->prev)->next = r->next;
	else
		c->first = r->next;
	if (r->next != ROW_NONE)
		row_at(db, r->next)->prev = r->prev;
	c->shown.items--;
	r->character = ROW_NONE;
}

static void
release_text(struct itemdb *db, uint32_t text)
{
	if (text != TEXT_NONE)
		strings_release(db->strings, text);
}

static void
drop_content(struct itemdb *db, struct row *r)
{
	release_text(db, r->name);
	release_text(db, r->description);
	release_text(db, r->display);
	pool_give(&db->pool, r->spells_at, (uint32_t)r->n_spells + r->n_active_spells);
}

static uint32_t
take_text(struct itemdb *db, struct event_value v)
{
	return v.kind == EVENT_STRING ? strings_take(db->strings, v.p, v.len) : TEXT_NONE;
}

/* The material's name before the name, unless the name begins with it. */
static uint32_t
take_display(struct itemdb *db, const struct item *it)
{
	const char *material = it->material_id != ITEM_NONE ? game_material((uint32_t)it->material_id) : NULL;
	size_t n = material != NULL ? strlen(material) : 0;
	uint32_t text;
	char *both;

	if (it->name.kind != EVENT_STRING || n == 0 || (it->name.len >= n && strncasecmp(it->name.p, material, n) == 0))
		return take_text(db, it->name);
	both = xmalloc(n + 1 + it->name.len);
	memcpy(both, material, n);
	both[n] = ' ';
	memcpy(both + n + 1, it->name.p, it->name.len);
	text = strings_take(db->strings, both, n + 1 + it->name.len);
	free(both);
	return text;
}

static uint16_t
few(uint16_t n)
{
	return n < ITEM_SPELLS_MAX ? n : ITEM_SPELLS_MAX;
}

/* Names of the facts that a row and an item have alike. */
#define FACTS(F) \
	F(id) F(object_class) F(icon) F(wcid) F(item_type) F(container_id) F(position) F(equipped_slot) F(valid_slots) F(coverage) F(stack_count) \
	F(max_stack) F(value) F(burden) F(material_id) F(set_id) F(armor_level) F(base_armor_level) F(workmanship) F(tinks) F(imbue) F(damage_min) \
	F(damage_max) F(damage_type) F(wield_level) F(wield_skill) F(wield_skill_level) F(cantrip_level) F(bonded) F(attuned) F(rare) F(has_id_data)

static void
fill_row(struct itemdb *db, struct row *r, const struct item *it, int64_t updated_us)
{
#define F(fact) r->fact = it->fact;
	FACTS(F)
#undef F
	memcpy(r->rating, it->rating, sizeof(r->rating));
	r->updated_us = updated_us;
	r->name = take_text(db, it->name);
	r->description = take_text(db, it->description);
	r->display = take_display(db, it);
	r->n_spells = few(it->n_spells);
	r->n_active_spells = few(it->n_active_spells);
	r->spells_at = pool_take(&db->pool, (uint32_t)r->n_spells + r->n_active_spells);
	if (r->n_spells > 0)
		memcpy(db->pool.p + r->spells_at, it->spells, r->n_spells * sizeof(*it->spells));
	if (r->n_active_spells > 0)
		memcpy(db->pool.p + r->spells_at + r->n_spells, it->active_spells, r->n_active_spells * sizeof(*it->spells));
	r->marked = 0;
}

void
itemdb_put(struct itemdb *db, const struct item *it, unsigned character, int64_t updated_us)
{
	uint32_t *at = map_at(&db->by_id, it->id, ROW_NONE), i = *at;
	struct row old;

	if (i == ROW_NONE) {
		*at = i = take_row(db);
		db->live++;
		fill_row(db, row_at(db, i), it, updated_us);
	} else {
		old = *row_at(db, i);            /* dropped afterwards, so that what stays the same is not freed and made again */
		fill_row(db, row_at(db, i), it, updated_us);
		drop_content(db, &old);
		if (old.character != character)
			unlink_row(db, i);
	}
	if (row_at(db, i)->character == ROW_NONE)
		link_row(db, i, character);
	db->generation++;
}

static void
remove_row(struct itemdb *db, uint32_t i)
{
	struct row *r = row_at(db, i);

	map_remove(&db->by_id, r->id);
	drop_content(db, r);
	unlink_row(db, i);
	r->next = db->free_row;
	db->free_row = i;
	db->live--;
	db->generation++;
}

int
itemdb_remove(struct itemdb *db, int32_t id)
{
	uint32_t i = map_get(&db->by_id, id);

	if (i == MAP_NONE)
		return 0;
	remove_row(db, i);
	return 1;
}

void
itemdb_mark(struct itemdb *db)
{
	for (uint32_t i = 0; i < db->top; i++)
		row_at(db, i)->marked = 1;
}

void
itemdb_sweep(struct itemdb *db)
{
	for (uint32_t i = 0; i < db->top; i++)
		if (row_at(db, i)->character != ROW_NONE && row_at(db, i)->marked)
			remove_row(db, i);
}

static struct event_value
text_fact(const struct itemdb *db, uint32_t text)
{
	size_t len;
	const char *p;

	if (text == TEXT_NONE)
		return (struct event_value){ .kind = EVENT_ABSENT };
	p = strings_text(db->strings, text, &len);
	return (struct event_value){ .p = p, .len = (uint32_t)len, .kind = EVENT_STRING };
}

int
itemdb_get(const struct itemdb *db, int32_t id, struct item *it, unsigned *character, int64_t *updated_us)
{
	uint32_t i = map_get(&db->by_id, id);
	const struct row *r;

	if (i == MAP_NONE)
		return 0;
	r = row_at(db, i);
	*it = (struct item){ 0 };
#define F(fact) it->fact = r->fact;
	FACTS(F)
#undef F
	memcpy(it->rating, r->rating, sizeof(it->rating));
	it->name = text_fact(db, r->name);
	it->description = text_fact(db, r->description);
	it->n_spells = r->n_spells;
	it->n_active_spells = r->n_active_spells;
	it->spells = db->pool.p + r->spells_at;
	it->active_spells = it->spells + r->n_spells;
	*character = r->character;
	*updated_us = r->updated_us;
	return 1;
}
