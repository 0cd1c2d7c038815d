/* Reading: the members of a plugin's item into raw facts (struct raw), and those into the facts of struct item. */
#include "item/item.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "game/game.h"
#include "mem/mem.h"

enum property {
#define PROPERTY(id, key, check, name) P_##id,
#include "item/properties.def"
#undef PROPERTY
	PROPERTIES
};
enum check { CHECK_NUMBER, CHECK_BITS, CHECK_OBJECT };

#define NONE INT64_MIN

struct raw {
	int64_t v[PROPERTIES];                   /* NONE: absent */
	uint8_t rank[PROPERTIES];                /* 0 not seen, 1 under the game's key, 2 under Decal's, 3 as a member of the item itself */
	double variance, salvage;                /* NAN: absent */
	uint8_t variance_rank;
	struct event_value strings_name, long_text, short_text;
	const char *why;
};

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

static void
complain(struct raw *r, const char *why)
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
		complain(r, why);
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
		complain(r, why);
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
		complain(r, why);
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
		complain(r, "Spells or ActiveSpells is no array");
	while (event_next(list, &at, NULL, &v)) {
		if (n == ITEM_SPELLS_MAX) {
			complain(r, "it has more than 256 spells");
			break;
		}
		if (event_int(v, &id) != 0 || id < 1 || id > INT32_MAX)
			complain(r, "an element of Spells or ActiveSpells is no spell id");
		else
			to[n++] = (int32_t)id;
	}
	return n;
}

/* ---- what follows ---- */

static int32_t
number(const struct raw *r, enum property p)
{
	return r->v[p] == NONE ? ITEM_NONE : (int32_t)r->v[p];
}

static uint32_t
bits(const struct raw *r, enum property p)
{
	return r->v[p] == NONE ? 0 : (uint32_t)r->v[p];
}

/* Known only of what was appraised. */
static int8_t
flag(const struct raw *r, enum property p, int appraised)
{
	return r->v[p] != NONE ? r->v[p] > 0 : appraised ? 0 : -1;
}

static void
set_wield(struct item *it, const struct raw *r)
{
	static const uint8_t kinds[] = { P_WIELD_KIND, P_WIELD_KIND2, P_WIELD_KIND3, P_WIELD_KIND4 };
	int trained = 0;                         /* wield_skill only wants training: a skill level outdoes it */

	for (unsigned i = 0; i < sizeof kinds; i++) {
		int64_t kind = r->v[kinds[i]], what = r->v[kinds[i] + 1], level = r->v[kinds[i] + 2];
		if (kind == 7 && level != NONE && level > it->wield_level)
			it->wield_level = (int32_t)level;
		if ((kind == 1 || kind == 2) && what > 0 && (it->wield_skill == ITEM_NONE || trained)) {
			it->wield_skill = (int32_t)what;
			it->wield_skill_level = level == NONE ? ITEM_NONE : (int32_t)level;
			trained = 0;
		}
		if (kind == 8 && what > 0 && it->wield_skill == ITEM_NONE) {
			it->wield_skill = (int32_t)what;
			trained = 1;
		}
	}
}

static void
set_damage(struct item *it, const struct raw *r)
{
	int64_t max = r->v[P_DAMAGE] == NONE ? 0 : r->v[P_DAMAGE];

	if (it->object_class == 9 && r->v[P_ELEMENTAL] > 0)
		max += r->v[P_ELEMENTAL];
	if (max <= 0 || max > INT32_MAX)
		return;
	it->damage_max = (int32_t)max;
	if (r->variance >= 0 && r->variance <= 1)
		it->damage_min = (float)(round((double)max * (1 - r->variance) * 100) / 100);
}

static void
set_workmanship(struct item *it, const struct raw *r)
{
	int64_t whole = r->v[P_WORKMANSHIP], items = r->v[P_SALVAGED];

	if (it->object_class == 39 && r->salvage > 0)
		it->workmanship = (float)r->salvage;
	else if (it->object_class == 39 && whole != NONE && items > 0)
		it->workmanship = (float)((double)whole / (double)items);
	else if (whole != NONE)
		it->workmanship = (float)whole;
}

/* What a spell adds to the armor level: as a buff on the item, and as the item's own cantrip, which belongs to the piece. */
static const struct { int32_t spell, buff, own; } impen[] = {
	{ 1486, 200, 0 }, { 2108, 220, 0 }, { 4407, 240, 0 }, { 2604, 20, 20 }, { 2592, 40, 40 }, { 4667, 60, 60 }, { 6095, 80, 80 },
};
#define N_IMPEN (sizeof impen / sizeof impen[0])

static int
buffs_part(const struct item *it)
{
	int sum = 0;

	for (unsigned k = 0; k < N_IMPEN; k++) {
		for (unsigned i = 0; i < it->n_active_spells; i++)
			sum += it->active_spells[i] == impen[k].spell ? impen[k].buff : 0;
		for (unsigned i = 0; i < it->n_spells; i++)
			sum -= it->spells[i] == impen[k].spell ? impen[k].own : 0;
	}
	return sum;
}

/* Without tinks and buffs, by the rule of Mag-Tools: every tink counts as steel, and armor without a material as buffed by 200. */
static void
set_base_armor(struct item *it)
{
	int64_t base = it->armor_level;

	if (it->armor_level == ITEM_NONE)
		return;
	if (it->armor_level > 0 && it->material_id == ITEM_NONE)
		base -= 200;
	else if (it->armor_level > 0 && it->tinks > 0)
		base -= 20 * ((int64_t)it->tinks - (it->imbue != 0));
	base -= buffs_part(it);
	it->base_armor_level = base < INT32_MIN + 1 ? INT32_MIN + 1 : base > INT32_MAX ? INT32_MAX : (int32_t)base;
}

static void
set_cantrip(struct item *it)
{
	for (unsigned i = 0; i < it->n_spells; i++) {
		const struct game_spell *sp = game_spell((uint32_t)it->spells[i]);
		if (sp != NULL && sp->cantrip > it->cantrip_level)
			it->cantrip_level = (int8_t)sp->cantrip;
	}
}

static void
set_facts(struct item *it, const struct raw *r)
{
	it->icon = number(r, P_ICON);
	it->wcid = number(r, P_WCID);
	it->item_type = bits(r, P_ITEM_TYPE);
	it->equipped_slot = bits(r, P_EQUIPPED_SLOT);
	it->container_id = it->equipped_slot != 0 ? 0 : (int32_t)bits(r, P_CONTAINER);
	it->position = number(r, P_POSITION);
	it->valid_slots = bits(r, P_VALID_SLOTS);
	it->coverage = bits(r, P_COVERAGE);
	it->stack_count = number(r, P_STACK_COUNT);
	it->max_stack = number(r, P_MAX_STACK);
	it->value = number(r, P_VALUE);
	it->burden = number(r, P_BURDEN);
	it->material_id = r->v[P_MATERIAL] > 0 ? number(r, P_MATERIAL) : ITEM_NONE;
	it->set_id = r->v[P_SET] > 0 ? number(r, P_SET) : ITEM_NONE;
	it->armor_level = number(r, P_ARMOR_LEVEL);
	it->tinks = number(r, P_TINKS);
	it->imbue = bits(r, P_IMBUE);
	it->damage_type = bits(r, P_DAMAGE_TYPE);
	it->bonded = flag(r, P_BONDED, it->has_id_data > 0);
	it->attuned = flag(r, P_ATTUNED, it->has_id_data > 0);
	it->rare = flag(r, P_RARE, it->has_id_data > 0);
}

static void
set_ratings(struct item *it, struct raw *r)
{
	static const uint8_t from[ITEM_RATINGS] = { P_DAMAGE_RATING, P_DAMAGE_RESIST_RATING, P_CRIT_RATING, P_CRIT_RESIST_RATING, P_CRIT_DAMAGE_RATING,
		P_CRIT_DAMAGE_RESIST_RATING, P_HEAL_BOOST_RATING, P_VITALITY_RATING };

	for (unsigned i = 0; i < ITEM_RATINGS; i++) {
		int64_t v = r->v[from[i]];
		if (v == NONE)
			continue;
		if (v > INT16_MAX || v <= INT16_MIN)
			complain(r, "a rating is beyond 32767");
		else
			it->rating[i] = (int16_t)v;
	}
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
		complain(r, why);
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
			complain(r, "ObjectClass is no class number");
	}
	if (!is_none(m[M_APPRAISED])) {
		if (event_bool(m[M_APPRAISED], &yes) == 0)
			it->has_id_data = (int8_t)yes;
		else
			complain(r, "HasIdData is neither true nor false");
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
	set_facts(it, &r);
	set_ratings(it, &r);
	set_wield(it, &r);
	set_damage(it, &r);
	set_workmanship(it, &r);
	set_base_armor(it);
	set_cantrip(it);
	*why = r.why;
	return 0;
}
