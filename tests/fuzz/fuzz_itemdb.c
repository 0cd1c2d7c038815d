/* A place in an order that is read comes out as it went in and is a place to search from; what a query finds in the scan is what itemq finds item by item. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "itemdb/itemdb.h"
#include "itemq/itemq.h"

#define ITEMS 60

static struct item items[ITEMS];
static int32_t spells[ITEMS + 2];
static const char *const names[] = { "Helm", "helm of \xc3\x89", "Gold Ring", "", "100%", "\"x\" \\" };
static const char *const owners[] = { "Zoli", "O'Neil", "zoli" };

static const char *
owner_of(int i)
{
	return owners[i % 3];
}

static struct itemdb *
fill(void)
{
	struct itemdb *db = itemdb_new();

	for (int i = 0; i < ITEMS; i++) {
		struct item *it = &items[i];

		item_clear(it);
		spells[i] = 1 + i * 100;
		it->id = i % 2 ? i : INT32_MIN + i;
		it->name = item_text(names[i % 6], strlen(names[i % 6]));
		it->description = i % 4 ? item_text("worn of old", 11) : (struct event_value){ .kind = EVENT_ABSENT };
		it->object_class = i % 40;
		it->armor_level = i % 3 ? i * 10 : ITEM_NONE;
		it->value = i * i;
		it->material_id = i % 5 ? i : ITEM_NONE;
		it->set_id = i % 2 ? 13 + i % 10 : ITEM_NONE;
		it->valid_slots = UINT32_C(1) << i % 32;
		it->equipped_slot = i % 7 ? 0 : 1;
		it->damage_type = (uint32_t)i % 8;
		it->workmanship = i % 2 ? (float)i / 4 : NAN;
		it->rating[i % ITEM_RATINGS] = (int16_t)i;
		it->cantrip_level = (int8_t)(i % 9);
		it->bonded = (int8_t)(i % 3 - 1);
		it->spells = spells;
		it->n_spells = (uint16_t)i;
		it->active_spells = spells + 1;
		it->n_active_spells = (uint16_t)(i / 2);
		itemdb_put(db, it, itemdb_character(db, i % 3, owner_of(i)), i);
	}
	return db;
}

static void
try_key(struct itemdb *db, const char *text, struct itemdb_order order)
{
	struct itemdb_ask ask = { .order = order, .limit = ITEMS, .has_after = 1 };
	struct itemdb_search *s;
	struct itemdb_key again;
	struct buf b = BUF_INIT(4096);

	if (itemdb_key_read(text, &order, &ask.after) == -1)
		return;
	itemdb_key_write(&ask.after, &order, &b);
	(void)buf_append(&b, "", 1);
	assert(itemdb_key_read(buf_data(&b), &order, &again) == 0);
	assert(again.number == ask.after.number && again.item_id == ask.after.item_id && again.absent == ask.after.absent);
	assert(again.text_len == ask.after.text_len && memcmp(again.text, ask.after.text, again.text_len) == 0);
	s = itemdb_search_new(db, &ask, 0);
	while (!itemdb_search_step(s, 7))
		;
	assert(itemdb_search_total(s) == ITEMS);
	itemdb_search_free(&s);
	buf_fini(&b);
}

static void
try_query(struct itemdb *db, const char *text, size_t len)
{
	struct itemdb_ask ask = { .order = { ITEMDB_ITEM_ID, 0 } };
	struct itemdb_search *s;
	struct itemq *q = itemq_new();
	struct itemq_error e;
	size_t n = 0;

	if (itemq_parse(q, text, len, &e) == 0) {
		for (int i = 0; i < ITEMS; i++)
			n += (size_t)itemq_match(q, &items[i], owner_of(i), strlen(owner_of(i)));
		ask.test = itemdb_query(q);
		s = itemdb_search_new(db, &ask, (1u << ITEMDB_FACETS) - 1);
		assert(itemdb_search_step(s, SIZE_MAX) == 1);
		assert(itemdb_search_total(s) == n);
		itemdb_search_free(&s);
	}
	itemq_free(&q);
}

/* The first line is a key, the rest a query. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct itemdb *db;
	const char *line_end = size > 0 ? memchr(data, '\n', size < 400 ? size : 400) : NULL;
	char key[401];
	size_t n = line_end != NULL ? (size_t)(line_end - (const char *)data) : 0;

	if (db == NULL)
		db = fill();
	memcpy(key, data, n);
	key[n] = '\0';
	for (int column = 0; column < ITEMDB_COLUMNS; column++)
		for (int down = 0; down < 2; down++)
			try_key(db, key, (struct itemdb_order){ (enum itemdb_column)column, down });
	if (line_end != NULL)
		n++;
	try_query(db, (const char *)data + n, size - n);
	return 0;
}
