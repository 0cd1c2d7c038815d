/* Reading the members of a plugin's item; facts.c makes of them what follows. */
#include "item/item.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "game/game.h"
#include "item/raw.h"
#include "mem/mem.h"

static const uint8_t checks[PROPERTIES] = {
#define PROPERTY(id, key, check, name) CHECK_##check,
#include "item/properties.def"
#undef PROPERTY
};

static const char *const wrong[PROPERTIES] = {
#define PROPERTY(id, key, check, name) "IntValues " #key " (" name ") is no whole number of 32 bits",
#include "item/properties.def"
#undef PROPERTY
};

const char *const item_rating_names[ITEM_RATINGS] = {
	"damage", "damage_resist", "crit", "crit_resist", "crit_damage", "crit_damage_resist", "heal_boost", "vitality"
};

/* ---- values ---- */

void
item_complain(struct raw *r, const char *why)
{
	if (r->why == NULL)
		r->why = why;
}

/* Texts that plugins send for "none". */
static int
is_none(struct event_value v)
{
	return v.kind == EVENT_NULL || v.kind == EVENT_ABSENT || event_value_is(v, "") || event_value_is(v, "N/A") || event_value_is(v, "NaN") || event_value_is(v, "∞");
}

static void
take(struct raw *r, enum property p, unsigned rank, struct event_value v, const char *why)
{
	int64_t n;

	if (r->rank[p] >= rank || is_none(v))
		return;
	if (event_int(v, &n) != 0 || n < INT32_MIN || n > (checks[p] == CHECK_NUMBER ? INT32_MAX : (int64_t)UINT32_MAX)) {
		item_complain(r, why);
		return;
	}
	if (n == -1 && rank == 3)                /* a convenience of the plugin: none */
		return;
	r->rank[p] = (uint8_t)rank;
	r->v[p] = n == -1 ? NONE : n;
}

static void
take_real(struct raw *r, double *to, struct event_value v, const char *why)
{
	if (!is_none(v) && event_double(v, to) != 0)
		item_complain(r, why);
}

/* A map's key as a number; 0 when it is none. */
static uint32_t
key_number(struct event_value key)
{
	uint64_t n = 0;

	if (key.len == 0 || key.len > 10 || *key.p == '0')
		return 0;
	for (uint32_t i = 0; i < key.len; i++) {
		unsigned digit = (unsigned char)key.p[i] - '0';
		if (digit > 9)
			return 0;
		n = n * 10 + digit;
	}
	return n <= UINT32_MAX ? (uint32_t)n : 0;
}

static int
property_of(uint32_t key)
{
	switch (key) {
#define PROPERTY(id, number, check, name) case number: return P_##id;
#include "item/properties.def"
#undef PROPERTY
	default: return -1;
	}
}

/* ---- the maps ---- */

static void
read_ints(struct raw *r, struct event_value map)
{
	struct event_value key, v;
	size_t at = 0;

	while (event_next(map, &at, &key, &v)) {
		uint32_t sent = key_number(key), id = game_property_int(sent);
		int p = property_of(id);
		if (p >= 0)
			take(r, (enum property)p, sent == id ? 1 : 2, v, wrong[p]);
	}
}

static void
read_doubles(struct raw *r, struct event_value map)
{
	struct event_value key, v;
	size_t at = 0;

	while (event_next(map, &at, &key, &v)) {
		uint32_t sent = key_number(key);
		if (game_property_float(sent) == 22 && r->variance_rank < (sent == 22 ? 1 : 2)) {
			r->variance_rank = sent == 22 ? 1 : 2;
			take_real(r, &r->variance, v, "DoubleValues 22 (damage variance) is no number");
		} else if (sent == 167772169 && isnan(r->salvage)) {
			take_real(r, &r->salvage, v, "DoubleValues 167772169 (salvage workmanship) is no number");
		}
	}
}

static void
take_text(struct raw *r, struct event_value *to, struct event_value v, const char *why)
{
	if (to->kind != EVENT_ABSENT || v.kind == EVENT_NULL || v.kind == EVENT_ABSENT)
		return;
	if (v.kind != EVENT_STRING)
		item_complain(r, why);
	else if (v.len > 0)
		*to = v;
}

static void
read_strings(struct raw *r, struct event_value map)
{
	struct event_value key, v;
	size_t at = 0;

	while (event_next(map, &at, &key, &v))
		switch (key_number(key)) {
		case 1: take_text(r, &r->strings_name, v, "StringValues 1 (name) is no string"); break;
		case 15: take_text(r, &r->short_text, v, "StringValues 15 (short description) is no string"); break;
		case 16: take_text(r, &r->long_text, v, "StringValues 16 (description) is no string"); break;
		default: break;
		}
}

static unsigned
read_spells(struct raw *r, struct event_value list, int32_t *to)
{
	struct event_value v;
	unsigned n = 0;
	size_t at = 0;
	int64_t id;

	if (list.kind != EVENT_ARRAY && list.kind != EVENT_NULL)
		item_complain(r, "Spells or ActiveSpells is no array");
	while (event_next(list, &at, NULL, &v)) {
		if (n == ITEM_SPELLS_MAX) {
			item_complain(r, "it has more than 256 spells");
			break;
		}
		if (event_int(v, &id) != 0 || id < 1 || id > INT32_MAX)
			item_complain(r, "an element of Spells or ActiveSpells is no spell id");
		else
			to[n++] = (int32_t)id;
	}
	return n;
}

/* ---- the item ---- */

void
item_clear(struct item *it)
{
	int32_t *own = it->own;

	*it = (struct item){ .object_class = ITEM_NONE, .icon = ITEM_NONE, .wcid = ITEM_NONE, .position = ITEM_NONE, .stack_count = ITEM_NONE, .max_stack = ITEM_NONE,
		.value = ITEM_NONE, .burden = ITEM_NONE, .material_id = ITEM_NONE, .set_id = ITEM_NONE, .armor_level = ITEM_NONE, .base_armor_level = ITEM_NONE,
		.workmanship = NAN, .tinks = ITEM_NONE, .damage_min = NAN, .damage_max = ITEM_NONE, .wield_level = ITEM_NONE, .wield_skill = ITEM_NONE,
		.wield_skill_level = ITEM_NONE, .bonded = -1, .attuned = -1, .rare = -1, .has_id_data = -1, .name.p = "", .description.p = "", .own = own };
	for (unsigned i = 0; i < ITEM_RATINGS; i++)
		it->rating[i] = ITEM_NO_RATING;
}

void
item_fini(struct item *it)
{
	free(it->own);
	it->own = NULL;
}

struct event_value
item_text(const char *s, size_t len)
{
	return (struct event_value){ .p = s, .len = (uint32_t)len, .kind = len > 0 ? EVENT_STRING : EVENT_ABSENT };
}

int
item_id(struct event_value v, int32_t *id)
{
	int64_t n;

	if (event_int(v, &n) != 0 || n < INT32_MIN || n > (int64_t)UINT32_MAX || n == 0)
		return -1;
	*id = (int32_t)(uint32_t)n;
	return 0;
}

enum member { M_ID, M_NAME, M_CLASS, M_APPRAISED, M_INTS, M_DOUBLES, M_STRINGS, M_SPELLS, M_ACTIVE, M_CONTAINER, M_SLOT, MEMBERS };

static int
member_of(struct event_value key)
{
	static const char *const names[MEMBERS] = { "Id", "Name", "ObjectClass", "HasIdData", "IntValues", "DoubleValues", "StringValues", "Spells", "ActiveSpells",
		"ContainerId", "Slot" };

	for (int i = 0; i < MEMBERS; i++)
		if (event_value_is(key, names[i]))
			return i;
	return -1;
}

/* All members in one pass; of equal names the first counts. */
static void
members(struct event_value object, struct event_value m[MEMBERS])
{
	struct event_value key, v;
	size_t at = 0;

	for (int i = 0; i < MEMBERS; i++)
		m[i] = (struct event_value){ .p = "" };
	while (event_next(object, &at, &key, &v)) {
		int i = member_of(key);
		if (i >= 0 && m[i].kind == EVENT_ABSENT)
			m[i] = v;
	}
}

static void
check_map(struct raw *r, struct event_value v, const char *why)
{
	if (v.kind != EVENT_OBJECT && v.kind != EVENT_ABSENT && v.kind != EVENT_NULL)
		item_complain(r, why);
}

static void
read_heads(struct item *it, struct raw *r, const struct event_value m[MEMBERS])
{
	int64_t n;
	int yes;

	take_text(r, &it->name, m[M_NAME], "Name is no string");
	if (!is_none(m[M_CLASS])) {
		if (event_int(m[M_CLASS], &n) == 0 && n >= 0 && n <= INT32_MAX)
			it->object_class = (int32_t)n;
		else
			item_complain(r, "ObjectClass is no class number");
	}
	if (!is_none(m[M_APPRAISED])) {
		if (event_bool(m[M_APPRAISED], &yes) == 0)
			it->has_id_data = (int8_t)yes;
		else
			item_complain(r, "HasIdData is neither true nor false");
	}
	take(r, P_CONTAINER, 3, m[M_CONTAINER], "ContainerId is no object id");
	take(r, P_POSITION, 3, m[M_SLOT], "Slot is no whole number of 32 bits");
}

static void
read_maps(struct raw *r, const struct event_value m[MEMBERS])
{
	check_map(r, m[M_INTS], "IntValues is no map");
	check_map(r, m[M_DOUBLES], "DoubleValues is no map");
	check_map(r, m[M_STRINGS], "StringValues is no map");
	if (m[M_INTS].kind == EVENT_OBJECT)
		read_ints(r, m[M_INTS]);
	if (m[M_DOUBLES].kind == EVENT_OBJECT)
		read_doubles(r, m[M_DOUBLES]);
	if (m[M_STRINGS].kind == EVENT_OBJECT)
		read_strings(r, m[M_STRINGS]);
}

static void
read_spell_lists(struct item *it, struct raw *r, const struct event_value m[MEMBERS])
{
	if (it->own == NULL)
		it->own = xreallocarray(NULL, 2 * ITEM_SPELLS_MAX, sizeof *it->own);
	if (m[M_SPELLS].kind != EVENT_ABSENT)
		it->n_spells = (uint16_t)read_spells(r, m[M_SPELLS], it->own);
	if (m[M_ACTIVE].kind != EVENT_ABSENT)
		it->n_active_spells = (uint16_t)read_spells(r, m[M_ACTIVE], it->own + ITEM_SPELLS_MAX);
	it->spells = it->own;
	it->active_spells = it->own + ITEM_SPELLS_MAX;
}

int
item_read(struct item *it, struct event_value object, const char **why)
{
	struct raw r = { .variance = NAN, .salvage = NAN };
	struct event_value m[MEMBERS];

	item_clear(it);
	*why = "it is no object";
	if (object.kind != EVENT_OBJECT)
		return -1;
	members(object, m);
	*why = m[M_ID].kind == EVENT_ABSENT ? "Id is missing" : "Id is no object id (a whole number of 32 bits, not 0)";
	if (item_id(m[M_ID], &it->id) != 0)
		return -1;
	for (unsigned i = 0; i < PROPERTIES; i++)
		r.v[i] = NONE;
	read_heads(it, &r, m);
	read_maps(&r, m);
	read_spell_lists(it, &r, m);
	if (it->name.kind == EVENT_ABSENT)
		it->name = r.strings_name;
	it->description = r.long_text.kind != EVENT_ABSENT ? r.long_text : r.short_text;
	item_set_facts(it, &r);
	*why = r.why;
	return 0;
}

int
item_is_pack(const struct item *it)
{
	return it->object_class == 10 || it->object_class == 38;
}
