/* itemq's conditions as a test of rows: the same answer as itemq_match, from what is prepared once for a scan. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "itemdb/itemdb_int.h"
#include "itemq/inner.h"
#include "mem/mem.h"

/* Columns of the fields that are numbers or ids. */
static const enum itemdb_column column_of[FIELDS] = {
	[F_MATERIAL] = ITEMDB_MATERIAL_ID, [F_SET] = ITEMDB_SET_ID, [F_OBJECT_CLASS] = ITEMDB_OBJECT_CLASS_ID, [F_WIELD_SKILL] = ITEMDB_WIELD_SKILL_ID,
	[F_SLOT] = ITEMDB_VALID_SLOTS, [F_EQUIPPED_SLOT] = ITEMDB_EQUIPPED_SLOT, [F_IMBUE] = ITEMDB_IMBUE_ID, [F_DAMAGE_TYPE] = ITEMDB_DAMAGE_TYPE_ID,
	[F_CANTRIP_LEVEL] = ITEMDB_CANTRIP_LEVEL, [F_ARMOR] = ITEMDB_ARMOR_LEVEL, [F_BASE_ARMOR] = ITEMDB_BASE_ARMOR_LEVEL, [F_DAMAGE] = ITEMDB_DAMAGE_MAX,
	[F_DAMAGE_MIN] = ITEMDB_DAMAGE_MIN, [F_WORKMANSHIP] = ITEMDB_WORKMANSHIP, [F_TINKS] = ITEMDB_TINKS, [F_VALUE] = ITEMDB_VALUE, [F_BURDEN] = ITEMDB_BURDEN,
	[F_LEVEL] = ITEMDB_WIELD_LEVEL, [F_WIELD_SKILL_LEVEL] = ITEMDB_WIELD_SKILL_LEVEL, [F_STACK] = ITEMDB_STACK_COUNT, [F_POSITION] = ITEMDB_POSITION,
	[F_WCID] = ITEMDB_WCID, [F_ICON] = ITEMDB_ICON, [F_DAMAGE_RATING] = ITEMDB_DAMAGE_RATING, [F_DAMAGE_RESIST_RATING] = ITEMDB_DAMAGE_RESIST_RATING,
	[F_CRIT_RATING] = ITEMDB_CRIT_RATING, [F_CRIT_RESIST_RATING] = ITEMDB_CRIT_RESIST_RATING, [F_CRIT_DAMAGE_RATING] = ITEMDB_CRIT_DAMAGE_RATING,
	[F_CRIT_DAMAGE_RESIST_RATING] = ITEMDB_CRIT_DAMAGE_RESIST_RATING, [F_HEAL_BOOST_RATING] = ITEMDB_HEAL_BOOST_RATING,
	[F_VITALITY_RATING] = ITEMDB_VITALITY_RATING, [F_ITEM_ID] = ITEMDB_ITEM_ID, [F_CONTAINER] = ITEMDB_CONTAINER_ID, [F_EQUIPPED] = ITEMDB_EQUIPPED,
	[F_BONDED] = ITEMDB_BONDED, [F_ATTUNED] = ITEMDB_ATTUNED, [F_RARE] = ITEMDB_RARE,
};

static struct itemdb_test *
ordered(enum itemdb_column column, uint8_t op, double n)
{
	switch ((enum op)op) {
	case OP_GE: return itemdb_between(column, n, INFINITY);
	case OP_LE: return itemdb_between(column, -INFINITY, n);
	case OP_GT: return itemdb_between(column, nextafter(n, INFINITY), INFINITY);
	case OP_LT: return itemdb_between(column, -INFINITY, nextafter(n, -INFINITY));
	case OP_HAS: case OP_EQ: break;
	}
	return itemdb_between(column, n, n);
}

static struct itemdb_test *
text(const struct cond *c, int where)
{
	return c->op == OP_EQ ? itemdb_equals(where, c->text, c->len) : itemdb_contains(where, c->text, c->len);
}

static struct itemdb_test *
present(enum itemdb_column column, uint8_t want)
{
	return want == WANT_ANY ? itemdb_present(column) : itemdb_not(itemdb_present(column));
}

/* The bits of a set of ids, and one beyond them. */
static size_t
list_ids(const uint64_t *bits, unsigned n_bits, uint32_t beyond, uint32_t *ids)
{
	size_t n = 0;

	for (unsigned i = 0; i < n_bits; i++)
		if (bits[i / 64] >> i % 64 & 1)
			ids[n++] = i;
	if (beyond != 0)
		ids[n++] = beyond;
	return n;
}

static struct itemdb_test *
named(const struct cond *c, enum itemdb_column column)
{
	uint32_t ids[SMALL_IDS + 1];

	if (c->want != WANT_VALUE)
		return present(column, c->want);
	return itemdb_one_of(column, ids, list_ids(c->small, SMALL_IDS, c->id, ids));
}

static struct itemdb_test *
bits(const struct cond *c, enum itemdb_column column)
{
	struct itemdb_test *none;

	if (c->want == WANT_VALUE)
		return itemdb_any_bit(column, c->id);
	none = itemdb_any_bit(column, 0);
	return c->want == WANT_NONE ? none : itemdb_not(none);
}

static struct itemdb_test *
spells(const struct cond *c)
{
	uint32_t *ids = xreallocarray(NULL, SPELL_IDS + 1, sizeof(*ids));
	struct itemdb_test *t = itemdb_casts(ids, list_ids(c->spells, SPELL_IDS, c->id, ids), c->field == F_ACTIVE_SPELL);

	free(ids);
	return t;
}

static struct itemdb_test *
test_of(const struct cond *c)
{
	enum itemdb_column column = column_of[c->field];
	struct itemdb_test *t;

	switch ((enum kind)fields[c->field].kind) {
	case KIND_TEXT: return text(c, ITEMDB_IN_NAME | ITEMDB_IN_DESCRIPTION);
	case KIND_NAME: return text(c, c->field == F_NAME ? ITEMDB_IN_NAME : ITEMDB_IN_DESCRIPTION);
	case KIND_CHARACTER: return itemdb_equals(ITEMDB_IN_CHARACTER, c->text, c->len);
	case KIND_NAMED: return named(c, column);
	case KIND_BITS: return bits(c, column);
	case KIND_LEVEL: return c->want != WANT_VALUE ? present(column, c->want) : ordered(column, c->op, c->number);
	case KIND_SPELL: return spells(c);
	case KIND_NUMBER: case KIND_RATING: return ordered(column, c->op, c->number);
	case KIND_REAL: return ordered(column, c->op, (double)(float)c->number);
	case KIND_OBJECT: return itemdb_one_of(column, &c->id, 1);
	case KIND_FLAG:
		t = itemdb_between(column, 1, 1);
		return c->number != 0 ? t : itemdb_not(t);
	}
	return itemdb_always(0);
}

/* What is quick is asked first. */
static int
is_dear(const struct cond *c)
{
	return fields[c->field].kind == KIND_TEXT || fields[c->field].kind == KIND_NAME || fields[c->field].kind == KIND_SPELL;
}

struct itemdb_test *
itemdb_query(const struct itemq *q)
{
	struct itemdb_test *all = NULL, *characters = NULL, *t;

	for (int dear = 0; dear < 2; dear++)
		for (unsigned i = 0; i < q->n; i++) {
			const struct cond *c = &q->cond[i];

			if (is_dear(c) != dear)
				continue;
			t = test_of(c);
			if (fields[c->field].kind == KIND_CHARACTER && !c->negated)
				characters = itemdb_or(characters, t);
			else
				all = itemdb_and(all, c->negated ? itemdb_not(t) : t);
		}
	return itemdb_and(characters, all);
}
