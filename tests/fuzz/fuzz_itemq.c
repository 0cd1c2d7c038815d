/* A query, also as the value of every parameter: it is taken or refused with a place inside it, and what is taken finds the same twice. */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "itemq/itemq.h"

static const int32_t spells[] = { 2108, 6079 };

static void
make_items(struct item it[2])
{
	for (int i = 0; i < 2; i++) {
		it[i].own = NULL;
		item_clear(&it[i]);
		it[i].id = i + 1;
	}
	it[0].name = item_text("Helmet", 6);
	it[0].description = (struct event_value){ .p = "\\u00c9p\\u00e9e", .len = 14, .kind = EVENT_STRING, .escaped = 1 };
	it[0].object_class = 2;
	it[0].valid_slots = it[0].equipped_slot = 1;
	it[0].set_id = 16;
	it[0].material_id = 63;
	it[0].armor_level = 500;
	it[0].spells = spells;
	it[0].n_spells = 2;
	it[0].cantrip_level = 8;
}

static unsigned
found(const struct itemq *list, const struct item it[2])
{
	return (unsigned)itemq_match(list, &it[0], "Larsson", 7) | (unsigned)itemq_match(list, &it[1], "Zoli", 4) << 1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *q = (const char *)data;
	struct itemq *list = itemq_new();
	struct itemq_error e = { 0, "" };
	struct item it[2];
	char name[64];

	make_items(it);
	if (itemq_parse(list, q, size, &e) == 0) {
		assert(itemq_count(list) <= ITEMQ_CONDITIONS_MAX && e.text[0] == '\0');
		assert(found(list, it) == found(list, it) && found(list, it) < 4);
	} else {
		assert(e.at <= size && e.text[0] != '\0' && strlen(e.text) < sizeof e.text);
	}
	itemq_free(&list);
	for (unsigned i = 0; itemq_param(i, name) != NULL && size < 16; i++) {
		list = itemq_new();
		e.text[0] = '\0';
		if (itemq_add_param(list, name, q, size, &e) == 0)
			assert(found(list, it) < 4);
		else
			assert(e.at <= size && e.text[0] != '\0');
		itemq_free(&list);
	}
	return 0;
}
