/* The facts that follow from an item's properties. */
#include <math.h>

#include "game/game.h"
#include "item/raw.h"

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
set_plain(struct item *it, const struct raw *r)
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
			item_complain(r, "a rating is beyond 32767");
		else
			it->rating[i] = (int16_t)v;
	}
}

void
item_set_facts(struct item *it, struct raw *r)
{
	set_plain(it, r);
	set_ratings(it, r);
	set_wield(it, r);
	set_damage(it, r);
	set_workmanship(it, r);
	set_base_armor(it);
	set_cantrip(it);
}
