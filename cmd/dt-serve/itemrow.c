#include "itemrow.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION, GONE, ITEM_ID, CHARACTER_ID, CHARACTER_NAME, UPDATED, NAME, DESCRIPTION, SPELLS, ACTIVE_SPELLS, FACTS };

enum kind { INT, BITS, REAL, RATING, LEVEL, FLAG };

/* In the order of the columns behind ACTIVE_SPELLS. */
static const struct { enum kind kind; size_t at; } facts[] = {
#define FACT(kind, member) { kind, offsetof(struct item, member) }
	FACT(INT, object_class), FACT(INT, icon), FACT(INT, wcid), FACT(BITS, item_type), FACT(INT, container_id), FACT(INT, position),
	FACT(BITS, equipped_slot), FACT(BITS, valid_slots), FACT(BITS, coverage), FACT(INT, stack_count), FACT(INT, max_stack), FACT(INT, value),
	FACT(INT, burden), FACT(INT, material_id), FACT(INT, set_id), FACT(INT, armor_level), FACT(INT, base_armor_level), FACT(REAL, workmanship),
	FACT(INT, tinks), FACT(BITS, imbue), FACT(REAL, damage_min), FACT(INT, damage_max), FACT(BITS, damage_type), FACT(INT, wield_level),
	FACT(INT, wield_skill), FACT(INT, wield_skill_level), FACT(LEVEL, cantrip_level), FACT(RATING, rating[ITEM_DAMAGE]),
	FACT(RATING, rating[ITEM_DAMAGE_RESIST]), FACT(RATING, rating[ITEM_CRIT]), FACT(RATING, rating[ITEM_CRIT_RESIST]),
	FACT(RATING, rating[ITEM_CRIT_DAMAGE]), FACT(RATING, rating[ITEM_CRIT_DAMAGE_RESIST]), FACT(RATING, rating[ITEM_HEAL_BOOST]),
	FACT(RATING, rating[ITEM_VITALITY]), FACT(FLAG, bonded), FACT(FLAG, attuned), FACT(FLAG, rare), FACT(FLAG, has_id_data),
#undef FACT
};
#define N_FACTS (sizeof(facts) / sizeof(facts[0]))

static int64_t
within(int64_t n, int64_t min, int64_t max, int64_t absent)
{
	return n < min || n > max ? absent : n;
}

static void
read_fact(const struct pg_row *row, int column, enum kind kind, char *member)
{
	switch (kind) {
	case INT: *(int32_t *)(void *)member = (int32_t)within(pg_int(row, column, ITEM_NONE), ITEM_NONE, INT32_MAX, ITEM_NONE); break;
	case BITS: *(uint32_t *)(void *)member = (uint32_t)within(pg_int(row, column, 0), 0, UINT32_MAX, 0); break;
	case REAL: *(float *)(void *)member = (float)pg_double(row, column, (double)NAN); break;
	case RATING: *(int16_t *)(void *)member = (int16_t)within(pg_int(row, column, ITEM_NO_RATING), INT16_MIN, INT16_MAX, ITEM_NO_RATING); break;
	case LEVEL: *(int8_t *)member = (int8_t)within(pg_int(row, column, 0), 0, INT8_MAX, 0); break;
	case FLAG: *(int8_t *)member = pg_null(row, column) ? -1 : (int8_t)pg_bool(row, column); break;
	}
}

static struct event_value
read_text(const struct pg_row *row, int column)
{
	size_t len;
	const char *text = pg_text(row, column, &len);

	return pg_null(row, column) ? (struct event_value){ .kind = EVENT_ABSENT } : (struct event_value){ .p = text, .len = (uint32_t)len, .kind = EVENT_STRING };
}

/* {1,2,3} */
static uint16_t
read_ids(const char *text, int32_t ids[ITEM_SPELLS_MAX])
{
	uint16_t n = 0;
	char *end;

	for (; n < ITEM_SPELLS_MAX && (*text == '{' || *text == ','); text = end) {
		ids[n] = (int32_t)strtol(text + 1, &end, 10);
		if (end == text + 1)
			break;
		n++;
	}
	return n;
}

int
itemrow_read(const struct pg_row *row, struct itemrow *r)
{
	static int32_t spells[2][ITEM_SPELLS_MAX];

	if (pg_columns(row) != (int)(FACTS + N_FACTS) || pg_null(row, ITEM_ID))
		return -1;
	memset(r, 0, sizeof(*r));
	r->version = pg_int(row, VERSION, 0);
	r->gone = pg_bool(row, GONE);
	r->item.id = (int32_t)pg_int(row, ITEM_ID, 0);
	if (r->gone)
		return 0;
	r->character_id = (int32_t)pg_int(row, CHARACTER_ID, 0);
	r->character_name = pg_text(row, CHARACTER_NAME, NULL);
	r->updated_us = pg_int(row, UPDATED, 0);
	r->item.name = read_text(row, NAME);
	r->item.description = read_text(row, DESCRIPTION);
	r->item.n_spells = read_ids(pg_text(row, SPELLS, NULL), spells[0]);
	r->item.n_active_spells = read_ids(pg_text(row, ACTIVE_SPELLS, NULL), spells[1]);
	r->item.spells = spells[0];
	r->item.active_spells = spells[1];
	for (size_t i = 0; i < N_FACTS; i++)
		read_fact(row, (int)(FACTS + i), facts[i].kind, (char *)&r->item + facts[i].at);
	return 0;
}
