/* game: names by id, ids by name, the tables' order and what printing counts on. */
#include <string.h>

#include "game/game.h"
#include "suite.h"

static const struct { enum game_kind kind; uint32_t id; const char *name, *word; } names[] = {
	{ GAME_MATERIAL, 63, "Silver", "metal" }, { GAME_MATERIAL, 1, "Ceramic", "ceramic" }, { GAME_MATERIAL, 3, "Cloth", "" }, { GAME_SET, 13, "Soldier's Set", "armor-loot" },
	{ GAME_SET, 23, "Hardened Set", "armor-loot" }, { GAME_SET, 40, "Heroic Protector Set", "rare" }, { GAME_OBJECT_CLASS, 9, "Missile Weapon", "MissileWeapon" },
	{ GAME_OBJECT_CLASS, 38, "Foci", "" }, { GAME_SKILL, 34, "War Magic", "" }, { GAME_SKILL, 54, "Summoning", "" }, { GAME_SLOT, 1, "Head", "HeadWear" },
	{ GAME_SLOT, 1u << 30, "Red Aetheria", "SigilThree" }, { GAME_COVERAGE, 0x20000, "Cloak", "" }, { GAME_IMBUE, 4096, "Magic Defense", "MagicImbue" },
	{ GAME_IMBUE, 1u << 31, "Ignore All Armor", "IgnoreArmor" }, { GAME_DAMAGE_TYPE, 1024, "Nether", "nether" }, { GAME_DAMAGE_TYPE, 0, "Undef", "undefined" },
	{ GAME_ITEM_TYPE, 1u << 31, "Gameboard", "" }, { GAME_RATING, 374, "Critical Damage Rating", "CD" }, { GAME_RATING, 307, "Damage Rating", "D" },
	{ GAME_WIELD, 7, "Level", "" }, { GAME_CREATURE, 1, "Olthoi", "" }, { GAME_CANTRIP_LEVEL, 8, "Legendary", "" }, { GAME_CANTRIP_LEVEL, 1, "Feeble", "" },
};

START_TEST(a_name)
{
	ck_assert_str_eq(game_name(names[_i].kind, names[_i].id), names[_i].name);
	ck_assert_str_eq(game_word(names[_i].kind, names[_i].id), names[_i].word);
}
END_TEST

static const struct { enum game_kind kind; uint32_t id; } unknown[] = {
	{ GAME_MATERIAL, 78 }, { GAME_MATERIAL, UINT32_MAX }, { GAME_SLOT, 0 }, { GAME_SLOT, 3 }, { GAME_SLOT, 1u << 31 }, { GAME_COVERAGE, 128 }, { GAME_CANTRIP_LEVEL, 0 },
	{ GAME_CANTRIP_LEVEL, 9 }, { GAME_RATING, 0 }, { GAME_RATING, 380 }, { GAME_SET, 1000 },
};

START_TEST(an_unknown_id)
{
	ck_assert_ptr_null(game_name(unknown[_i].kind, unknown[_i].id));
	ck_assert_ptr_null(game_word(unknown[_i].kind, unknown[_i].id));
}
END_TEST

static const struct { enum game_kind kind; const char *text; unsigned n; uint32_t first, last; } matches[] = {
	{ GAME_SET, "13", 1, 13, 13 }, { GAME_SET, "999", 1, 999, 999 }, { GAME_SET, "Soldier's Set", 1, 13, 13 }, { GAME_SET, "SOLDIER'S SET", 1, 13, 13 },
	{ GAME_SET, "test", 2, 1, 2 }, { GAME_SET, "heroic", 2, 40, 41 }, { GAME_SET, "armor-loot", 17, 13, 29 }, { GAME_SET, "oldier", 0, 0, 0 }, { GAME_SET, "", 0, 0, 0 },
	{ GAME_MATERIAL, "steel", 1, 64, 64 }, { GAME_MATERIAL, "garnet", 4, 15, 48 }, { GAME_MATERIAL, "metal", 9, 56, 64 }, { GAME_MATERIAL, "leather", 1, 52, 52 }, { GAME_MATERIAL, "Ceramic", 1, 1, 1 },
	 { GAME_MATERIAL, "0x40", 1, 64, 64 },
	{ GAME_MATERIAL, "4294967295", 1, UINT32_MAX, UINT32_MAX }, { GAME_MATERIAL, "4294967296", 0, 0, 0 }, { GAME_MATERIAL, "-1", 0, 0, 0 }, { GAME_MATERIAL, "0x", 0, 0, 0 },
	{ GAME_SLOT, "head", 1, 1, 1 }, { GAME_SLOT, "upper_arms", 1, 2048, 2048 }, { GAME_SLOT, "upper arms", 1, 2048, 2048 }, { GAME_SLOT, "ring", 2, 262144, 524288 },
	{ GAME_SLOT, "shirt", 1, 2, 2 }, { GAME_SLOT, "FingerWearLeft", 1, 262144, 262144 }, { GAME_OBJECT_CLASS, "meleeweapon", 1, 1, 1 }, { GAME_OBJECT_CLASS, "melee weapon", 1, 1, 1 },
	{ GAME_IMBUE, "cs", 1, 1, 1 }, { GAME_DAMAGE_TYPE, "slashing", 1, 1, 1 }, { GAME_SKILL, "war magic", 1, 34, 34 }, { GAME_CANTRIP_LEVEL, "legendary", 1, 8, 8 },
};

START_TEST(a_match)
{
	uint32_t ids[32] = { 0 };
	unsigned n = game_match(matches[_i].kind, matches[_i].text, strlen(matches[_i].text), ids, 32);

	ck_assert_msg(n == matches[_i].n, "%s: %u", matches[_i].text, n);
	if (n > 0) {
		ck_assert_uint_eq(ids[0], matches[_i].first);
		ck_assert_uint_eq(ids[n - 1], matches[_i].last);
	}
	ids[0] = ids[1] = 77;
	ck_assert_uint_eq(game_match(matches[_i].kind, matches[_i].text, strlen(matches[_i].text), ids, 1), n);
	ck_assert_uint_eq(ids[1], 77);
}
END_TEST

START_TEST(nearest)
{
	ck_assert_str_eq(game_nearest(GAME_MATERIAL, "Stel", 4), "Steel");
	ck_assert_str_eq(game_nearest(GAME_SET, "heroc", 5), "Heroic Protector Set");
	ck_assert_ptr_null(game_nearest(GAME_SET, "xxxxxxxxxxxx", 12));
	ck_assert_uint_eq(game_distance("kitten", 6, "sitting"), 3);
	ck_assert_uint_eq(game_distance("", 0, "ab"), 2);
	ck_assert_uint_eq(game_distance("a", 1, "abcdefghijklmnop"), 99);
}
END_TEST

/* Ids rise (the binary search counts on it), names are there, and nothing in them has to be escaped in JSON. */
START_TEST(tables)
{
	for (int kind = 0; kind < GAME_KINDS; kind++) {
		uint32_t id, last = 0, back[64];
		const char *name;
		for (unsigned i = 0; (name = game_at((enum game_kind)kind, i, &id)) != NULL; i++) {
			unsigned n = game_match((enum game_kind)kind, name, strlen(name), back, 64), found = 0;
			ck_assert(i == 0 || id > last);
			ck_assert(*name != '\0' && strpbrk(name, "\"\\") == NULL);
			ck_assert_str_eq(game_name((enum game_kind)kind, id), name);
			for (unsigned k = 0; k < n; k++)
				found += back[k] == id;
			ck_assert_msg(found == 1, "%s", name);
			if (game_is_bits((enum game_kind)kind))
				ck_assert_uint_eq(id & (id - 1), 0);
			last = id;
		}
		ck_assert_msg(last > 0, "kind %d", kind);
	}
}
END_TEST

static const struct { uint32_t id; const char *name, *effect; unsigned category, cantrip, buff; } spells[] = {
	{ 1, "Strength Other I", "Strength Other I", 1, 0, 1 }, { 6340, "Gauntlet Vitality III", "Gauntlet Vitality III", 731, 0, 3 }, { 6079, "Legendary Storm Ward", "Storm Ward", 291, 8, 0 },
	{ 2604, "Minor Impenetrability", "Impenetrability", 391, 2, 0 }, { 2438, "Lesser Rockslide", "Rockslide", 389, 3, 0 }, { 2108, "Brogard's Defiance", "Brogard's Defiance", 160, 0, 7 },
};

START_TEST(a_spell)
{
	const struct game_spell *sp = game_spell(spells[_i].id);

	ck_assert_ptr_nonnull(sp);
	ck_assert_str_eq(game_spell_name(sp), spells[_i].name);
	ck_assert_str_eq(game_spell_effect(sp), spells[_i].effect);
	ck_assert_uint_eq(sp->category, spells[_i].category);
	ck_assert_uint_eq(sp->cantrip, spells[_i].cantrip);
	ck_assert_uint_eq(sp->buff, spells[_i].buff);
}
END_TEST

START_TEST(all_spells)
{
	unsigned cantrips = 0;
	int n = 0;

	ck_assert_uint_eq(game_spell_count(), 6266);
	for (unsigned i = 0; i < game_spell_count(); i++) {
		const struct game_spell *sp = game_spell_at(i);
		ck_assert_ptr_eq(game_spell(sp->id), sp);
		ck_assert(i == 0 || sp->id > game_spell_at(i - 1)->id);
		ck_assert(strpbrk(game_spell_name(sp), "\"\\") == NULL && *game_spell_name(sp) != '\0');
		cantrips += sp->cantrip != 0;
		ck_assert(sp->cantrip == 0 || game_spell_effect(sp) != game_spell_name(sp));
	}
	ck_assert_uint_eq(cantrips, 379);
	ck_assert_ptr_null(game_spell(0));
	ck_assert_ptr_null(game_spell(10));
	ck_assert_ptr_null(game_spell(UINT32_MAX));
	for (int i = 0; (i = game_spell_find("LEGENDARY storm ward", 20, (unsigned)i)) >= 0; i++)
		n++;
	ck_assert_int_eq(n, 1);
	ck_assert_int_eq(game_spell_find("nosuchspell", 11, 0), -1);
	ck_assert_int_eq(game_spell_find("I\0Strength", 10, 0), -1);        /* across two names of the pool */
}
END_TEST

START_TEST(renamed_properties)
{
	ck_assert_uint_eq(game_property_int(218103842), 44);
	ck_assert_uint_eq(game_property_int(218103814), 12);
	ck_assert_uint_eq(game_property_int(44), 44);
	ck_assert_uint_eq(game_property_int(218103808), 218103808);      /* Decal's alone */
	ck_assert_uint_eq(game_property_float(167772171), 22);
	ck_assert_uint_eq(game_property_float(167772169), 167772169);
	ck_assert_uint_eq(game_property_int(167772171), 167772171);      /* of the other map */
}
END_TEST

START_TEST(bits)
{
	char out[64], small[8];

	ck_assert_uint_eq(game_bits_text(GAME_SLOT, 0x600, ", ", out, sizeof out), 14);
	ck_assert_str_eq(out, "Chest, Abdomen");
	game_bits_text(GAME_SLOT, 0x80000001, "/", out, sizeof out);
	ck_assert_str_eq(out, "Head/0x80000000");
	ck_assert_uint_eq(game_bits_text(GAME_SLOT, 0, "/", out, sizeof out), 0);
	ck_assert_str_eq(out, "");
	ck_assert_uint_eq(game_bits_text(GAME_SLOT, 0x600, ", ", small, sizeof small), 7);
	ck_assert_str_eq(small, "Chest, ");
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("game");

	tcase_add_loop_test(t, a_name, 0, sizeof names / sizeof *names);
	tcase_add_loop_test(t, an_unknown_id, 0, sizeof unknown / sizeof *unknown);
	tcase_add_loop_test(t, a_match, 0, sizeof matches / sizeof *matches);
	tcase_add_loop_test(t, a_spell, 0, sizeof spells / sizeof *spells);
	tcase_add_test(t, nearest);
	tcase_add_test(t, tables);
	tcase_add_test(t, all_spells);
	tcase_add_test(t, renamed_properties);
	tcase_add_test(t, bits);
	return suite_run(t, "game");
}
