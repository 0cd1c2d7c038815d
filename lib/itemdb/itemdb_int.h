/* itemdb_int: what the files of itemdb share. */
#ifndef ITEMDB_INT_H
#define ITEMDB_INT_H
#include "itemdb/itemdb.h"
#include "itemdb/map.h"
#include "itemdb/strings.h"

#define ROW_NONE UINT32_MAX
#define TEXT_NONE UINT32_MAX
#define CHUNK_ROWS 4096u

/* Absent facts as in struct item.  What scans look at most stands in front. */
struct row {
	uint32_t character;                      /* place; ROW_NONE: a free row */
	int32_t id;
	uint32_t name, description, display;     /* strings; description may be TEXT_NONE */
	int32_t object_class, material_id, set_id;
	uint32_t valid_slots, equipped_slot;
	int32_t armor_level, value;
	uint32_t spells_at;                      /* own, then active ones */
	uint16_t n_spells, n_active_spells;
	int8_t cantrip_level, bonded, attuned, rare, has_id_data;
	uint8_t marked;
	int16_t rating[ITEM_RATINGS];
	int64_t updated_us;
	float workmanship, damage_min;
	int32_t burden, tinks, damage_max, base_armor_level, wield_level, wield_skill, wield_skill_level;
	uint32_t damage_type, imbue, item_type, coverage;
	int32_t container_id, position, icon, wcid, stack_count, max_stack;
	uint32_t next, prev;                     /* of the same character; next of a free row is the next free one */
};

struct character {
	struct itemdb_character shown;
	uint32_t text;                           /* its name as a string */
	uint32_t first;                          /* row */
};

/* Lists of numbers in one array; freed ones are used again for lists of the same length. */
#define POOL_LENGTHS (2 * ITEM_SPELLS_MAX + 1)
struct pool {
	int32_t *p;
	uint32_t n, cap;
	uint32_t free[POOL_LENGTHS];             /* offset + 1 of the first free list of that length */
};

struct itemdb {
	struct strings *strings;
	struct row **chunk;
	uint32_t chunks, top, free_row, live;
	struct map by_id, character_by_id;
	struct character *character;
	unsigned n_characters, cap_characters;
	struct pool pool;
	uint64_t generation;
};

static inline struct row *
row_at(const struct itemdb *db, uint32_t i)
{
	return &db->chunk[i / CHUNK_ROWS][i % CHUNK_ROWS];
}

double itemdb_number(const struct row *, enum itemdb_column);                    /* NAN: absent, or a text */
uint32_t itemdb_text(const struct itemdb *, const struct row *, enum itemdb_column);         /* TEXT_NONE: absent, or no text */
int itemdb_column_kind(enum itemdb_column);                                      /* of a column of names its enum game_kind, else -1 */

void itemdb_test_begin(struct itemdb_test *, const struct itemdb *);             /* before a scan; again after every change of db */
int itemdb_test_row(const struct itemdb_test *, const struct itemdb *, const struct row *);

#endif
