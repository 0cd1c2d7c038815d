/* itemq: conditions of queries and parameters against hand-made items, and every error with its place. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "itemq/itemq.h"
#include "suite.h"

static const int32_t helmet_spells[] = { 2108, 4560, 6079, 6082 }, helmet_active[] = { 4397, 4407 };

/* A silver helmet of the Defender's Set with Legendary Storm Ward and Legendary Flame Ward, worn by Larsson. */
static struct item
helmet(void)
{
	struct item it = { 0 };

	item_clear(&it);
	it.id = -1925474135;
	it.name = item_text("Helmet", 6);
	it.description = item_text("Helmet of \"Größe\"", strlen("Helmet of \"Größe\""));
	it.object_class = 2;
	it.equipped_slot = it.valid_slots = 1;
	it.material_id = 63;
	it.set_id = 16;
	it.armor_level = 720;
	it.base_armor_level = 300;
	it.workmanship = 9.5f;
	it.tinks = 10;
	it.imbue = 4096;
	it.value = 20315;
	it.wield_level = 180;
	it.rating[ITEM_CRIT_DAMAGE] = 1;
	it.cantrip_level = 8;
	it.attuned = 0;
	it.bonded = 1;
	it.spells = helmet_spells;
	it.n_spells = 4;
	it.active_spells = helmet_active;
	it.n_active_spells = 2;
	return it;
}

/* Nothing is known of it but its name. */
static struct item
taper(void)
{
	struct item it = { 0 };

	item_clear(&it);
	it.id = -1849254352;
	it.name = item_text("Prismatic Taper", 15);
	it.object_class = 12;
	return it;
}

/* Which of the two: 1 the helmet, 2 the taper, 3 both; -1 an error. */
static int
ask(const char *q)
{
	struct item a = helmet(), b = taper();
	struct itemq *list = itemq_new();
	struct itemq_error e;
	int found = -1;

	if (itemq_parse(list, q, strlen(q), &e) == 0)
		found = itemq_match(list, &a, "Larsson", 7) | itemq_match(list, &b, "Zoli", 4) << 1;
	itemq_free(&list);
	return found;
}

static const struct { const char *q; int found; } queries[] = {
	{ "", 3 }, { "  \t ", 3 },
	{ "helmet", 1 }, { "HELM", 1 }, { "taper prism", 2 }, { "helmet taper", 0 }, { "-helmet", 2 }, { "\"matic tap\"", 2 }, { "\"taper prism\"", 0 },
	{ "größe", 1 }, { "GRÖSSE", 0 }, { "GRÖßE", 1 }, { "text:größe", 1 }, { "text:\"\\\"GRÖ\"", 1 }, { "name:größe", 0 }, { "name=helmet", 1 }, { "name=helm", 0 },
	{ "desc:of", 1 }, { "-desc:of", 2 },
	{ "al>=720", 1 }, { "al>720", 0 }, { "al<=720", 1 }, { "al<720", 0 }, { "al:720", 1 }, { "al=720", 1 }, { "armor >= 400", 1 }, { "armor_level =720", 1 }, { "-al<9999", 2 },
	{ "AL>=400 Base_Armor:300", 1 }, { "work>=9.5", 1 }, { "workmanship:9.5", 1 }, { "work>9.5", 0 }, { "value>-1", 1 }, { "tinks:10", 1 }, { "level>=180", 1 },
	{ "cd:1", 1 }, { "crit_damage_rating>1", 0 }, { "d>=0", 0 }, { "-d>=0", 3 },
	{ "set:defender", 1 }, { "set:16", 1 }, { "set:\"Defender's Set\"", 1 }, { "set:adept", 0 }, { "-set:adept", 3 }, { "set:any", 1 }, { "set:none", 2 }, { "set:300", 0 },
	{ "material:silver", 1 }, { "material=metal", 1 }, { "mat:63", 1 }, { "material:steel", 0 }, { "-material:none", 1 },
	{ "class:armor", 1 }, { "object_class:SpellComponent", 2 }, { "object_class:\"spell component\"", 2 }, { "object_class:spell_component", 2 },
	{ "slot:head", 1 }, { "slot:HeadWear", 1 }, { "slot:1", 1 }, { "slot:0x1", 1 }, { "slot:feet", 0 }, { "slot:none", 2 }, { "equipped_slot:head", 1 },
	{ "imbue:\"magic defense\"", 1 }, { "imbue:MagicImbue", 1 }, { "imbue:any", 1 }, { "imbue:cs", 0 },
	{ "spell:\"legendary storm\"", 1 }, { "spell:6079", 1 }, { "spell:6080", 0 }, { "spell=\"Legendary Storm Ward\"", 1 }, { "spell=\"Legendary Storm\"", 0 },
	{ "spell:ward spell:\"flame ward\"", 1 }, { "spell:ward spell:\"blade\"", 0 }, { "spell:nosuchspellname", 0 }, { "active_spell:4407", 1 }, { "spell:4407", 0 },
	{ "cantrip:epic", 1 }, { "cantrip_level:legendary", 1 }, { "cantrip=epic", 0 }, { "cantrip=legendary", 1 }, { "cantrip<legendary", 0 }, { "cantrip:none", 2 },
	{ "equipped", 1 }, { "-equipped", 2 }, { "equipped:false", 2 }, { "equipped:YES", 1 }, { "\"equipped\"", 0 }, { "bonded", 1 }, { "-attuned", 3 }, { "rare:no", 3 },
	{ "id:-1925474135", 1 }, { "id:2369493161", 1 }, { "id:8D3B98A9", 1 }, { "id:0x8d3b98a9", 1 }, { "pack:0", 3 },
	{ "character:larsson", 1 }, { "character:larsson character:Zoli", 3 }, { "-character:Zoli", 1 }, { "character:lars", 0 }, { "owner:Nobody", 0 },
	{ "set:defender al>=400 spell:\"legendary storm ward\" -equipped", 0 }, { "set:defender al>=400 spell:\"legendary storm ward\" equipped", 1 },
	{ "Helm-et", 0 }, { "5\"", 0 }, { "al> =5", -1 },
};

START_TEST(a_query)
{
	ck_assert_msg(ask(queries[_i].q) == queries[_i].found, "%s: %d", queries[_i].q, ask(queries[_i].q));
}
END_TEST

static const struct { const char *q; size_t at; const char *text; } errors[] = {
	{ "foo:bar", 0, "there is no field \"foo\"; quote the whole word to look for it as text" },
	{ "helmet armr>=400", 7, "there is no field \"armr\"; did you mean \"armor\"?" },
	{ "-al>=400 -ste:1", 10, "there is no field \"ste\"; did you mean \"set\"?" },
	{ "set:", 4, "set: a value is missing" },
	{ "set: heroic", 4, "set: a value is missing" },
	{ "al >=  ", 7, "armor: a value is missing" },
	{ "set:\"\"", 4, "set: a value is missing" },
	{ "spell:\"legendary armor", 6, "the quotation mark is not closed" },
	{ "\"", 0, "the quotation mark is not closed" },
	{ "\"a\\\"", 0, "the quotation mark is not closed" },
	{ "\"a\"b", 3, "a blank is missing behind the closing quotation mark" },
	{ "al>=4oo", 4, "armor wants a number, not \"4oo\"" },
	{ "al:1e5", 3, "armor wants a number, not \"1e5\"" },
	{ "al:-", 3, "armor wants a number, not \"-\"" },
	{ "al:1.2.3", 3, "armor wants a number, not \"1.2.3\"" },
	{ "set:heroc", 4, "there is no set \"heroc\"; did you mean \"Heroic Protector Set\"?" },
	{ "equipped material:stel", 18, "there is no material \"stel\"; did you mean \"Steel\"?" },
	{ "material:qqqqqqqq", 9, "there is no material \"qqqqqqqq\"" },
	{ "material:99999999999", 9, "there is no material \"99999999999\"" },
	{ "cantrip:legendry", 8, "there is no cantrip_level \"legendry\"; did you mean \"Legendary\"?" },
	{ "cantrip:99", 8, "there is no cantrip_level \"99\"" },
	{ "set>=5", 5, "set has no order: use \":\" or \"=\"" },
	{ "helmet>5", 0, "there is no field \"helmet\"; quote the whole word to look for it as text" },
	{ "text>5", 5, "text has no order: use \":\" or \"=\"" },
	{ "rare:maybe", 5, "rare is true or false, not \"maybe\"" },
	{ "id:xyz", 3, "item_id wants an object id, not \"xyz\"" },
	{ "id:4294967296", 3, "item_id wants an object id, not \"4294967296\"" },
	{ "a -", 2, "\"-\" stands before nothing" },
	{ ">=5", 0, "an operator without a field before it" },
	{ "al>>5", 3, "two operators in a row: quote a value that begins with one" },
	{ "helm\xff", 4, "the query is not UTF-8" },
	{ "helm\xc3", 4, "the query is not UTF-8" },
};

START_TEST(an_error)
{
	struct itemq *list = itemq_new();
	struct itemq_error e = { 99, "" };

	ck_assert_msg(itemq_parse(list, errors[_i].q, strlen(errors[_i].q), &e) == -1, "%s", errors[_i].q);
	ck_assert_str_eq(e.text, errors[_i].text);
	ck_assert_msg(e.at == errors[_i].at, "%s: at %zu", errors[_i].q, e.at);
	itemq_free(&list);
}
END_TEST

/* A long or dirty value is shown cut between characters. */
START_TEST(excerpts)
{
	struct itemq *list = itemq_new();
	struct itemq_error e;
	const char *q = "al:ööööööööööööööööööööööööö\x01";

	ck_assert_int_eq(itemq_parse(list, q, strlen(q), &e), -1);
	ck_assert_str_eq(e.text, "armor wants a number, not \"öööööööööööööööööööö...\"");
	itemq_free(&list);
}
END_TEST

START_TEST(too_much)
{
	struct itemq *list = itemq_new();
	struct itemq_error e;
	static char q[ITEMQ_TEXT_MAX + 2];

	for (size_t i = 0; i < 2 * ITEMQ_CONDITIONS_MAX; i++)
		q[i] = i % 2 ? ' ' : 'a';
	ck_assert_int_eq(itemq_parse(list, q, strlen(q), &e), 0);
	ck_assert_uint_eq(itemq_count(list), ITEMQ_CONDITIONS_MAX);
	ck_assert_int_eq(itemq_parse(list, "x", 1, &e), -1);
	ck_assert_str_eq(e.text, "more than 64 conditions: ask for less at once");
	itemq_free(&list);
	list = itemq_new();
	memset(q, 'a', ITEMQ_TEXT_MAX + 1);
	ck_assert_int_eq(itemq_parse(list, q, ITEMQ_TEXT_MAX + 1, &e), -1);
	ck_assert_int_eq(itemq_add_param(list, "text", q, ITEMQ_TEXT_MAX + 1, &e), -1);
	ck_assert_int_eq(itemq_parse(list, q, ITEMQ_TEXT_MAX, &e), 0);
	itemq_free(&list);
	ck_assert_ptr_null(list);
	itemq_free(&list);
}
END_TEST

static const struct { const char *name, *value; int found; } params[] = {
	{ "min_armor", "720", 1 }, { "min_armor", "721", 0 }, { "max_armor", "720", 1 }, { "max_armor", "719", 0 }, { "min_workmanship", "9.5", 1 },
	{ "min_crit_damage_rating", "1", 1 }, { "min_damage_rating", "0", 0 }, { "max_value", "20315", 1 }, { "min_level", "181", 0 }, { "min_tinks", "10", 1 },
	{ "set", "Defender's Set", 1 }, { "set", "16", 1 }, { "material", "SILVER", 1 }, { "slot", "head", 1 }, { "object_class", "12", 2 }, { "imbue", "magic defense", 1 },
	{ "spell", "storm ward", 1 }, { "spell", "6079", 1 }, { "cantrip_level", "major", 1 }, { "cantrip_level", "legendary", 1 }, { "equipped", "true", 1 },
	{ "equipped", "false", 2 }, { "bonded", "true", 1 }, { "rare", "false", 3 }, { "text", "of \"grö", 1 }, { "text", "-taper", 0 }, { "character", "Zoli", 2 },
	{ "min_burden", "0", 0 }, { "damage_type", "fire", 0 }, { "wield_skill", "war magic", 0 },
	{ "text", "'; drop table items; --", 0 }, { "material", "'; drop table items; --", -1 }, { "min_armor", "x", -1 }, { "set", "", -1 }, { "equipped", "2", -1 }, { "text", "\xff", -1 },
	{ "armor", "720", -2 }, { "min_set", "1", -2 }, { "nosuch", "1", -2 }, { "q", "helmet", -2 }, { "sort", "name", -2 }, { "al", "1", -2 }, { "min_al", "1", -2 }, { "", "", -2 },
};

START_TEST(a_param)
{
	struct item a = helmet(), b = taper();
	struct itemq *list = itemq_new();
	struct itemq_error e;
	int rc = itemq_add_param(list, params[_i].name, params[_i].value, strlen(params[_i].value), &e), found = rc < 0 ? -1 : rc > 0 ? -2 : 0;

	if (rc == 0)
		found = itemq_match(list, &a, "Larsson", 7) | itemq_match(list, &b, "Zoli", 4) << 1;
	ck_assert_msg(found == params[_i].found, "%s=%s: %d", params[_i].name, params[_i].value, found);
	itemq_free(&list);
}
END_TEST

/* Every parameter that is listed is one, and once. */
START_TEST(all_params)
{
	char name[64], other[64];
	struct itemq_error e;
	unsigned n = 0, k;

	for (; itemq_param(n, name) != NULL; n++) {
		struct itemq *list = itemq_new();
		ck_assert_msg(itemq_add_param(list, name, "1", 1, &e) == 0, "%s: %s", name, e.text);
		ck_assert_uint_eq(itemq_count(list), 1);
		for (k = 0; k < n; k++)
			ck_assert_str_ne(itemq_param(k, other), name);
		itemq_free(&list);
	}
	ck_assert_uint_gt(n, 40);
}
END_TEST

/* Text as it stands in JSON, with escapes, is looked at as what it means. */
START_TEST(escaped_text)
{
	struct item it = helmet();
	struct itemq *list = itemq_new();
	struct itemq_error e;

	it.name = (struct event_value){ .p = "\\u00c9p\\u00e9e \\\"x\\\"", .len = 20, .kind = EVENT_STRING, .escaped = 1 };
	ck_assert_int_eq(itemq_parse(list, "name=\"ÉPÉE \\\"X\\\"\"", strlen("name=\"ÉPÉE \\\"X\\\"\""), &e), 0);
	ck_assert_int_eq(itemq_match(list, &it, "", 0), 1);
	it.name.len -= 2;
	ck_assert_int_eq(itemq_match(list, &it, "", 0), 0);
	itemq_free(&list);
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("itemq");

	tcase_add_loop_test(t, a_query, 0, sizeof queries / sizeof *queries);
	tcase_add_loop_test(t, an_error, 0, sizeof errors / sizeof *errors);
	tcase_add_loop_test(t, a_param, 0, sizeof params / sizeof *params);
	tcase_add_test(t, excerpts);
	tcase_add_test(t, too_much);
	tcase_add_test(t, all_params);
	tcase_add_test(t, escaped_text);
	return suite_run(t, "itemq");
}
