/* item: the facts of hand-made items, what bad values cost, and the container rule. */
#include <math.h>

#include "items.h"

/* An item with some IntValues. */
static void
read_ints(const char *ints)
{
	char text[4096];

	snprintf(text, sizeof text, "{\"Id\":-5,\"Name\":\"X\",\"ObjectClass\":1,\"HasIdData\":true,\"IntValues\":{%s}}", ints);
	ck_assert_int_eq(read_text(text), 0);
}

START_TEST(a_helmet)
{
	char text[64];

	ck_assert_int_eq(read_text(HELMET), 0);
	ck_assert_ptr_null(why);
	ck_assert_int_eq(it.id, -1925474135);
	ck_assert(event_value_is(it.name, "Helmet") && event_value_is(it.description, "Helmet of Invulnerability"));
	ck_assert_int_eq(it.object_class, 2);
	ck_assert_int_eq(it.icon, 6120);
	ck_assert_int_eq(it.wcid, 75);
	ck_assert_uint_eq(it.item_type, 2);
	ck_assert_int_eq(it.container_id, 0);    /* it is worn */
	ck_assert_uint_eq(it.equipped_slot, 1);
	ck_assert_uint_eq(it.valid_slots, 1);
	ck_assert_uint_eq(it.coverage, 16384);
	ck_assert_int_eq(it.value, 20315);
	ck_assert_int_eq(it.burden, 379);
	ck_assert_int_eq(it.material_id, 63);
	ck_assert_int_eq(it.set_id, 16);
	ck_assert_int_eq(it.armor_level, 720);
	ck_assert_int_eq(it.base_armor_level, 720 - 9 * 20 - 240);       /* ten tinks of which one is the imbue; Incantation of Impenetrability */
	ck_assert(it.workmanship == 9 && isnan(it.damage_min));
	ck_assert_int_eq(it.tinks, 10);
	ck_assert_uint_eq(it.imbue, 4096);
	ck_assert_int_eq(it.damage_max, ITEM_NONE);
	ck_assert_int_eq(it.wield_level, 180);
	ck_assert_int_eq(it.wield_skill, ITEM_NONE);
	ck_assert_int_eq(it.rating[ITEM_CRIT_DAMAGE], 1);
	ck_assert_int_eq(it.rating[ITEM_DAMAGE], ITEM_NO_RATING);
	ck_assert_int_eq(it.cantrip_level, 8);
	ck_assert(it.bonded == 0 && it.attuned == 0 && it.rare == 0 && it.has_id_data == 1);
	ck_assert_uint_eq(it.n_spells, 4);
	ck_assert_int_eq(it.spells[2], 6079);
	ck_assert_uint_eq(it.n_active_spells, 2);
	ck_assert_int_eq(it.active_spells[1], 4407);
	ck_assert_int_eq(it.stack_count, ITEM_NONE);
	ck_assert_int_eq(event_string(it.name, text, sizeof text), 6);
	finish();
}
END_TEST

START_TEST(a_taper)
{
	ck_assert_int_eq(read_text(TAPER), 0);
	ck_assert_ptr_null(why);
	ck_assert_int_eq(it.stack_count, 894);
	ck_assert_int_eq(it.max_stack, 1000);
	ck_assert_int_eq(it.container_id, -1925375235);
	ck_assert_int_eq(it.position, 0);
	ck_assert(it.bonded == -1 && it.attuned == -1 && it.rare == -1 && it.has_id_data == 0);      /* not appraised: nobody knows */
	ck_assert_int_eq(it.armor_level, ITEM_NONE);
	ck_assert_int_eq(it.base_armor_level, ITEM_NONE);
	ck_assert_uint_eq(it.valid_slots, 0);
	ck_assert_int_eq(it.cantrip_level, 0);
	ck_assert_uint_eq(it.n_spells, 0);
	ck_assert_int_eq(it.description.kind, EVENT_ABSENT);
	finish();
}
END_TEST

/* One fact by its ways of being sent. */
#define FACT(ints, member, want) do { read_ints(ints); ck_assert_msg((int64_t)it.member == (int64_t)(want), "%s: %lld", ints, (long long)it.member); } while (0)

START_TEST(both_spellings)
{
	FACT("\"12\":7", stack_count, 7);
	FACT("\"218103814\":7", stack_count, 7);
	FACT("\"12\":7,\"218103814\":8", stack_count, 8);         /* Decal's counts, wherever it stands */
	FACT("\"218103814\":8,\"12\":7", stack_count, 8);
	FACT("\"12\":7,\"12\":9", stack_count, 7);
	FACT("\"11\":100", max_stack, 100);
	FACT("\"218103815\":100", max_stack, 100);
	FACT("\"1\":256", item_type, 256);
	FACT("\"218103834\":256", item_type, 256);
	FACT("\"4\":1024", coverage, 1024);
	FACT("\"218103821\":1024", coverage, 1024);
	FACT("\"9\":512", valid_slots, 512);
	FACT("\"218103822\":512", valid_slots, 512);
	FACT("\"44\":50", damage_max, 50);
	FACT("\"218103842\":50", damage_max, 50);
	FACT("\"45\":4", damage_type, 4);
	FACT("\"218103841\":4", damage_type, 4);
	FACT("\"\\u0031\\u0032\":7", stack_count, ITEM_NONE);     /* no plugin escapes digits */
	FACT("\"012\":7", stack_count, ITEM_NONE);
	FACT("\"12 \":7", stack_count, ITEM_NONE);
	FACT("\"99999999999\":7", stack_count, ITEM_NONE);
	finish();
}
END_TEST

START_TEST(spelled_oddly)
{
	FACT("\"19\":\"1,234\"", value, 1234);
	FACT("\"19\":\" 12 \"", value, 12);
	FACT("\"19\":\"7.0\"", value, 7);
	FACT("\"19\":1e3", value, 1000);
	FACT("\"19\":null", value, ITEM_NONE);
	FACT("\"19\":\"\"", value, ITEM_NONE);
	FACT("\"19\":\"N/A\"", value, ITEM_NONE);
	FACT("\"19\":-1", value, ITEM_NONE);
	FACT("\"19\":0", value, 0);
	FACT("\"19\":2147483647", value, INT32_MAX);
	ck_assert_ptr_null(why);
	FACT("\"28\":-40", armor_level, -40);
	FACT("\"131\":0", material_id, ITEM_NONE);
	FACT("\"265\":0", set_id, ITEM_NONE);
	FACT("\"179\":-2147483648", imbue, 0x80000000);
	FACT("\"179\":2147483648", imbue, 0x80000000);
	FACT("\"218103810\":2369493161", container_id, -1925474135);
	FACT("\"218103810\":\"-1925474135\"", container_id, -1925474135);
	FACT("\"218103810\":-1", container_id, 0);
	ck_assert_ptr_null(why);
	finish();
}
END_TEST

static const struct { const char *text, *why; } dropped[] = {
	{ "{\"Id\":1,\"IntValues\":{\"19\":2147483648}}", "IntValues 19 (value) is no whole number of 32 bits" },
	{ "{\"Id\":1,\"IntValues\":{\"19\":-2147483649}}", "IntValues 19 (value) is no whole number of 32 bits" },
	{ "{\"Id\":1,\"IntValues\":{\"19\":9223372036854775808}}", "IntValues 19 (value) is no whole number of 32 bits" },
	{ "{\"Id\":1,\"IntValues\":{\"19\":7.5}}", "IntValues 19 (value) is no whole number of 32 bits" },
	{ "{\"Id\":1,\"IntValues\":{\"19\":\"much\"}}", "IntValues 19 (value) is no whole number of 32 bits" },
	{ "{\"Id\":1,\"IntValues\":{\"19\":true}}", "IntValues 19 (value) is no whole number of 32 bits" },
	{ "{\"Id\":1,\"IntValues\":{\"19\":{\"a\":[1]}}}", "IntValues 19 (value) is no whole number of 32 bits" },
	{ "{\"Id\":1,\"IntValues\":{\"218103814\":[]}}", "IntValues 12 (stack count) is no whole number of 32 bits" },
	{ "{\"Id\":1,\"IntValues\":{\"10\":4294967296}}", "IntValues 10 (equipped slot) is no whole number of 32 bits" },
	{ "{\"Id\":1,\"IntValues\":[1,2]}", "IntValues is no map" },
	{ "{\"Id\":1,\"IntValues\":7}", "IntValues is no map" },
	{ "{\"Id\":1,\"DoubleValues\":\"x\"}", "DoubleValues is no map" },
	{ "{\"Id\":1,\"StringValues\":false}", "StringValues is no map" },
	{ "{\"Id\":1,\"DoubleValues\":{\"22\":\"x\"}}", "DoubleValues 22 (damage variance) is no number" },
	{ "{\"Id\":1,\"StringValues\":{\"1\":5}}", "StringValues 1 (name) is no string" },
	{ "{\"Id\":1,\"Name\":5}", "Name is no string" },
	{ "{\"Id\":1,\"ObjectClass\":\"Armor\"}", "ObjectClass is no class number" },
	{ "{\"Id\":1,\"ObjectClass\":-3}", "ObjectClass is no class number" },
	{ "{\"Id\":1,\"HasIdData\":\"maybe\"}", "HasIdData is neither true nor false" },
	{ "{\"Id\":1,\"Spells\":{}}", "Spells or ActiveSpells is no array" },
	{ "{\"Id\":1,\"Spells\":[\"x\"]}", "an element of Spells or ActiveSpells is no spell id" },
	{ "{\"Id\":1,\"ActiveSpells\":[0]}", "an element of Spells or ActiveSpells is no spell id" },
	{ "{\"Id\":1,\"ContainerId\":4294967296}", "ContainerId is no object id" },
	{ "{\"Id\":1,\"Slot\":\"x\"}", "Slot is no whole number of 32 bits" },
	{ "{\"Id\":1,\"IntValues\":{\"370\":32768}}", "a rating is beyond 32767" },
	{ "{\"Id\":1,\"IntValues\":null,\"DoubleValues\":null,\"StringValues\":null,\"Spells\":null,\"Name\":null,\"ObjectClass\":null,\"HasIdData\":null}", NULL },
	{ "{\"Id\":1,\"BoolValues\":5,\"Material\":-1,\"Whatever\":{\"deep\":[[]]}}", NULL },
};

/* A wrong value costs its own fact: the rest of the item is read. */
START_TEST(a_dropped_fact)
{
	char text[1024];
	size_t len = strlen(dropped[_i].text);

	snprintf(text, sizeof text, "%.*s,\"Slot\":3}", (int)len - 1, dropped[_i].text);
	if (strstr(dropped[_i].text, "Slot") == NULL) {
		ck_assert_int_eq(read_text(text), 0);
		ck_assert_int_eq(it.position, 3);
	} else {
		ck_assert_int_eq(read_text(dropped[_i].text), 0);
	}
	ck_assert_int_eq(it.id, 1);
	ck_assert_int_eq(it.value, ITEM_NONE);
	if (dropped[_i].why == NULL)
		ck_assert_ptr_null(why);
	else
		ck_assert_str_eq(why, dropped[_i].why);
	finish();
}
END_TEST

static const char *const unusable[][2] = {
	{ "[]", "it is no object" }, { "5", "it is no object" }, { "null", "it is no object" }, { "{}", "Id is missing" },
	{ "{\"id\":5}", "Id is missing" },
	{ "{\"Id\":null}", "Id is no object id (a whole number of 32 bits, not 0)" }, { "{\"Id\":0}", "Id is no object id (a whole number of 32 bits, not 0)" },
	{ "{\"Id\":4294967296}", "Id is no object id (a whole number of 32 bits, not 0)" }, { "{\"Id\":-2147483649}", "Id is no object id (a whole number of 32 bits, not 0)" },
	{ "{\"Id\":1.5}", "Id is no object id (a whole number of 32 bits, not 0)" }, { "{\"Id\":\"x\"}", "Id is no object id (a whole number of 32 bits, not 0)" },
	{ "{\"Id\":[1]}", "Id is no object id (a whole number of 32 bits, not 0)" },
};

START_TEST(an_unusable_item)
{
	ck_assert_int_eq(read_text(unusable[_i][0]), -1);
	ck_assert_str_eq(why, unusable[_i][1]);
	finish();
}
END_TEST

START_TEST(ids)
{
	static const struct { const char *text; int64_t id; } cases[] = { { "5", 5 }, { "-5", -5 }, { "4294967291", -5 }, { "\"4294967291\"", -5 }, { "2147483647", INT32_MAX },
		{ "2147483648", INT32_MIN }, { "-2147483648", INT32_MIN }, { "4294967295", -1 }, { "5.0", 5 } };
	int32_t id;

	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		ck_assert_int_eq(item_id(json(cases[i].text), &id), 0);
		ck_assert_int_eq(id, cases[i].id);
	}
}
END_TEST

START_TEST(members_win)
{
	ck_assert_int_eq(read_text("{\"Id\":1,\"IntValues\":{\"218103810\":77,\"231735296\":5},\"ContainerId\":88,\"Slot\":6}"), 0);
	ck_assert_int_eq(it.container_id, 88);
	ck_assert_int_eq(it.position, 6);
	ck_assert_int_eq(read_text("{\"Id\":1,\"ContainerId\":-1,\"Slot\":null,\"IntValues\":{\"218103810\":77,\"231735296\":5}}"), 0);
	ck_assert_int_eq(it.container_id, 77);
	ck_assert_int_eq(it.position, 5);
	ck_assert_int_eq(read_text("{\"Id\":1,\"ContainerId\":0,\"IntValues\":{\"218103810\":77}}"), 0);
	ck_assert_int_eq(it.container_id, 0);
	ck_assert_int_eq(read_text("{\"Id\":1,\"Id\":2,\"Name\":\"a\",\"Name\":\"b\"}"), 0);
	ck_assert_int_eq(it.id, 1);
	ck_assert(event_value_is(it.name, "a"));
	ck_assert_int_eq(read_text("{\"Id\":1,\"Name\":\"\",\"StringValues\":{\"1\":\"c\",\"15\":\"short\",\"16\":\"\"}}"), 0);
	ck_assert(event_value_is(it.name, "c") && event_value_is(it.description, "short"));
	finish();
}
END_TEST

START_TEST(weapons)
{
	ck_assert_int_eq(read_text("{\"Id\":1,\"ObjectClass\":1,\"IntValues\":{\"44\":60,\"45\":3,\"158\":2,\"159\":44,\"160\":400},\"DoubleValues\":{\"22\":0.6000000238418579}}"), 0);
	ck_assert_int_eq(it.damage_max, 60);
	ck_assert(fabsf(it.damage_min - 24) < 0.001f);
	ck_assert_uint_eq(it.damage_type, 3);
	ck_assert_int_eq(it.wield_skill, 44);
	ck_assert_int_eq(it.wield_skill_level, 400);
	/* a bow: only its elemental bonus; 0 is its own damage */
	ck_assert_int_eq(read_text("{\"Id\":1,\"ObjectClass\":9,\"IntValues\":{\"218103842\":0,\"204\":22},\"DoubleValues\":{\"167772171\":0}}"), 0);
	ck_assert_int_eq(it.damage_max, 22);
	ck_assert(it.damage_min == 22);
	ck_assert_int_eq(read_text("{\"Id\":1,\"ObjectClass\":9,\"IntValues\":{\"44\":40,\"204\":10},\"DoubleValues\":{\"167772171\":0.5}}"), 0);
	ck_assert_int_eq(it.damage_max, 50);
	ck_assert(it.damage_min == 25);
	/* of anything else the bonus is no damage */
	ck_assert_int_eq(read_text("{\"Id\":1,\"ObjectClass\":31,\"IntValues\":{\"44\":0,\"204\":10}}"), 0);
	ck_assert_int_eq(it.damage_max, ITEM_NONE);
	ck_assert_int_eq(read_text("{\"Id\":1,\"ObjectClass\":9,\"IntValues\":{\"44\":2147483647,\"204\":2147483647}}"), 0);
	ck_assert_int_eq(it.damage_max, ITEM_NONE);
	ck_assert_int_eq(read_text("{\"Id\":1,\"ObjectClass\":1,\"IntValues\":{\"44\":60},\"DoubleValues\":{\"22\":7}}"), 0);
	ck_assert(it.damage_max == 60 && isnan(it.damage_min));
	finish();
}
END_TEST

START_TEST(wield_requirements)
{
	read_ints("\"158\":2,\"159\":34,\"160\":385,\"270\":7,\"271\":1,\"272\":180");
	ck_assert(it.wield_level == 180 && it.wield_skill == 34 && it.wield_skill_level == 385);
	read_ints("\"158\":7,\"159\":1,\"160\":150,\"273\":1,\"274\":6,\"275\":200,\"276\":7,\"277\":1,\"278\":200");
	ck_assert(it.wield_level == 200 && it.wield_skill == 6 && it.wield_skill_level == 200);
	read_ints("\"158\":8,\"159\":16,\"160\":3");              /* trained in Mana Conversion: a skill, no level of it */
	ck_assert(it.wield_level == ITEM_NONE && it.wield_skill == 16 && it.wield_skill_level == ITEM_NONE);
	read_ints("\"158\":8,\"159\":16,\"160\":3,\"270\":2,\"271\":34,\"272\":300");
	ck_assert(it.wield_skill == 34 && it.wield_skill_level == 300);
	read_ints("\"158\":12,\"159\":0,\"160\":3");              /* of a heritage: neither */
	ck_assert(it.wield_level == ITEM_NONE && it.wield_skill == ITEM_NONE);
	read_ints("\"158\":7");
	ck_assert_int_eq(it.wield_level, ITEM_NONE);
	finish();
}
END_TEST

START_TEST(workmanship)
{
	ck_assert_int_eq(read_text("{\"Id\":1,\"ObjectClass\":39,\"IntValues\":{\"105\":70,\"170\":8},\"DoubleValues\":{\"167772169\":8.75}}"), 0);
	ck_assert(it.workmanship == 8.75f);
	ck_assert_int_eq(read_text("{\"Id\":1,\"ObjectClass\":39,\"IntValues\":{\"105\":70,\"170\":8}}"), 0);
	ck_assert(it.workmanship == 8.75f);
	ck_assert_int_eq(read_text("{\"Id\":1,\"ObjectClass\":2,\"IntValues\":{\"105\":7},\"DoubleValues\":{\"167772169\":1}}"), 0);
	ck_assert(it.workmanship == 7);
	ck_assert_int_eq(read_text("{\"Id\":1,\"ObjectClass\":2,\"DoubleValues\":{\"167772169\":1}}"), 0);
	ck_assert(isnan(it.workmanship));
	finish();
}
END_TEST

/* ---- base armor level against a second, plainer reading of the rule ---- */

static int
base_by_hand(int al, int material, int tinks, int imbue, const int *active, int n_active, const int *own, int n_own)
{
	int base = al;

	if (material == 0)
		base -= 200;
	else
		base -= tinks == 0 ? 0 : (imbue ? tinks - 1 : tinks) * 20;
	for (int i = 0; i < n_active; i++)
		switch (active[i]) {
		case 1486: base -= 200; break;
		case 2108: base -= 220; break;
		case 4407: base -= 240; break;
		case 2604: base -= 20; break;
		case 2592: base -= 40; break;
		case 4667: base -= 60; break;
		case 6095: base -= 80; break;
		default: break;
		}
	for (int i = 0; i < n_own; i++)
		base += own[i] == 2604 ? 20 : own[i] == 2592 ? 40 : own[i] == 4667 ? 60 : own[i] == 6095 ? 80 : 0;
	return base;
}

static unsigned
rnd(unsigned n)
{
	static uint64_t seed = 11;

	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)((seed >> 33) % n);
}

static int
some_spells(int v[4], char text[64])
{
	static const int pool[] = { 1486, 2108, 4407, 2604, 2592, 4667, 6095, 4397, 6079 };
	int n = (int)rnd(5);

	text[0] = '\0';
	for (int i = 0; i < n; i++) {
		v[i] = pool[rnd(9)];
		sprintf(text + strlen(text), "%s%d", i ? "," : "", v[i]);
	}
	return n;
}

START_TEST(base_armor)
{
	for (unsigned i = 0; i < 5000; i++) {
		int active[4], own[4], al = 1 + (int)rnd(800), material = rnd(3) ? 60 + (int)rnd(5) : 0, tinks = (int)rnd(11), imbue = rnd(2) ? 1 << rnd(13) : 0;
		char active_text[64], own_text[64], text[512];
		int n_active = some_spells(active, active_text), n_own = some_spells(own, own_text);
		snprintf(text, sizeof text, "{\"Id\":1,\"ObjectClass\":2,\"IntValues\":{\"28\":%d,\"131\":%d,\"171\":%d,\"179\":%d},\"ActiveSpells\":[%s],\"Spells\":[%s]}", al, material,
		    tinks, imbue, active_text, own_text);
		ck_assert_int_eq(read_text(text), 0);
		ck_assert_msg(it.base_armor_level == base_by_hand(al, material, tinks, imbue, active, n_active, own, n_own), "%s: %d", text, it.base_armor_level);
	}
	FACT("\"28\":0", base_armor_level, 0);   /* nothing is taken from what has none */
	FACT("\"28\":100,\"131\":1,\"171\":2147483647", base_armor_level, INT32_MIN + 1);
	finish();
}
END_TEST

START_TEST(many_spells)
{
	struct buf b = BUF_INIT(1 << 16);
	const char *text;

	(void)buf_appends(&b, "{\"Id\":1,\"Spells\":[1");
	for (unsigned i = 1; i < 300; i++)
		(void)buf_printf(&b, ",%u", i + 1);
	(void)buf_append(&b, "]}", 3);
	text = buf_data(&b);
	ck_assert_int_eq(read_text(text), 0);
	ck_assert_str_eq(why, "it has more than 256 spells");
	ck_assert_uint_eq(it.n_spells, ITEM_SPELLS_MAX);
	ck_assert_int_eq(it.spells[255], 256);
	buf_fini(&b);
	finish();
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("item");

	tcase_add_test(t, a_helmet);
	tcase_add_test(t, a_taper);
	tcase_add_test(t, both_spellings);
	tcase_add_test(t, spelled_oddly);
	tcase_add_loop_test(t, a_dropped_fact, 0, sizeof dropped / sizeof *dropped);
	tcase_add_loop_test(t, an_unusable_item, 0, sizeof unusable / sizeof *unusable);
	tcase_add_test(t, ids);
	tcase_add_test(t, members_win);
	tcase_add_test(t, weapons);
	tcase_add_test(t, wield_requirements);
	tcase_add_test(t, workmanship);
	tcase_add_test(t, base_armor);
	tcase_add_test(t, many_spells);
	return suite_run(t, "item");
}
