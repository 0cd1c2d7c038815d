/* item: merging, the hash, and the item as the API shows it. */
#include <jansson.h>
#include <stdlib.h>

#include "items.h"
#include "mem/mem.h"

static const struct { const char *old, *update, *want; } merges[] = {
	{ NULL, "{\"b\":1,\"a\":{\"y\":2,\"x\":[3,{\"q\":1,\"p\":2}]}}", "{\"a\":{\"x\":[3,{\"p\":2,\"q\":1}],\"y\":2},\"b\":1}" },
	{ "{}", "{}", "{}" },
	{ "{\"Id\":1,\"Name\":\"a\"}", "{\"Name\":\"b\"}", "{\"Id\":1,\"Name\":\"b\"}" },
	{ "{\"IntValues\":{\"5\":1,\"19\":2}}", "{\"IntValues\":{\"5\":7,\"28\":3}}", "{\"IntValues\":{\"5\":7,\"19\":2,\"28\":3}}" },
	{ "{\"Spells\":[1,2]}", "{\"Spells\":[3]}", "{\"Spells\":[3]}" },
	{ "{\"a\":{\"b\":{\"c\":1,\"d\":2}}}", "{\"a\":{\"b\":{\"c\":9}}}", "{\"a\":{\"b\":{\"c\":9,\"d\":2}}}" },
	{ "{\"a\":{\"b\":1}}", "{\"a\":5}", "{\"a\":5}" },
	{ "{\"a\":5}", "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1}}" },
	{ "{\"IntValues\":{\"5\":1}}", "{\"IntValues\":null}", "{\"IntValues\":{\"5\":1}}" },
	{ "{\"IntValues\":{\"5\":1}}", "{\"IntValues\":[]}", "{\"IntValues\":{\"5\":1}}" },
	{ "{\"IntValues\":{\"5\":1}}", "{\"IntValues\":{\"5\":null}}", "{\"IntValues\":{\"5\":null}}" },
	{ "{\"IntValues\":{\"12\":1}}", "{\"IntValues\":{\"218103814\":2}}", "{\"IntValues\":{\"218103814\":2}}" },
	{ "{\"IntValues\":{\"218103814\":1}}", "{\"IntValues\":{\"12\":2}}", "{\"IntValues\":{\"12\":2}}" },
	{ NULL, "{\"IntValues\":{\"12\":1,\"218103814\":2}}", "{\"IntValues\":{\"218103814\":2}}" },
	{ "{\"DoubleValues\":{\"22\":1,\"62\":1}}", "{\"DoubleValues\":{\"167772171\":2}}", "{\"DoubleValues\":{\"167772171\":2,\"62\":1}}" },
	{ "{\"StringValues\":{\"12\":\"a\",\"218103814\":\"b\"}}", "{}", "{\"StringValues\":{\"12\":\"a\",\"218103814\":\"b\"}}" },
	{ NULL, "{\"a\":1,\"a\":2}", "{\"a\":1}" },
	{ "{\"a\":3}", "{\"\\u0061\":1}", "{\"\\u0061\":1}" },
	{ NULL, "{\"n\":1e999,\"m\":1e-999,\"x\":-0.06666667014360428,\"i\":12345678901234567890}", "{\"i\":12345678901234567890,\"m\":0,\"n\":null,\"x\":-0.06666667014360428}" },
	{ NULL, "{\"x\":0.1000000000000000000000000000000000000000000000000000000001}", "{\"x\":0.10000000000000001}" },
	{ NULL, "{\"s\":\"a\\\"b\\u00e9\",\"t\":true,\"f\":false,\"z\":null,\"e\":[ ],\"o\":{ }}", "{\"e\":[],\"f\":false,\"o\":{},\"s\":\"a\\\"b\\u00e9\",\"t\":true,\"z\":null}" },
};

START_TEST(a_merge)
{
	const struct event_value none = { .p = "" };
	struct buf b = BUF_INIT(4096), again = BUF_INIT(4096);
	char *old = merges[_i].old != NULL ? xstrdup(merges[_i].old) : NULL;
	struct event_value v = none;

	if (old != NULL)
		v = (struct event_value){ .p = old, .len = (uint32_t)strlen(old), .kind = EVENT_OBJECT };
	ck_assert_int_eq(item_merge(v, json(merges[_i].update), &b), 0);
	(void)buf_append(&b, "", 1);
	ck_assert_str_eq(buf_data(&b), merges[_i].want);
	ck_assert_int_eq(item_merge(none, json(buf_data(&b)), &again), 0);       /* the canonical form is its own */
	(void)buf_append(&again, "", 1);
	ck_assert_str_eq(buf_data(&again), merges[_i].want);
	buf_fini(&b);
	buf_fini(&again);
	free(old);
}
END_TEST

START_TEST(merge_refuses)
{
	const struct event_value none = { .p = "" };
	struct buf b = BUF_INIT(20);

	ck_assert_int_eq(item_merge(none, json("[]"), &b), -1);
	ck_assert_int_eq(item_merge(json("5"), json("{}"), &b), -1);
	ck_assert_int_eq(buf_append(&b, "x", 1), 0);
	ck_assert_int_eq(item_merge(none, json("{\"name\":\"much too long for it\"}"), &b), -1);
	ck_assert_uint_eq(buf_size(&b), 1);
	ck_assert_int_eq(*buf_data(&b), 'x');
	buf_fini(&b);
}
END_TEST

/* The delta of the manual's example: the stack shrinks, all else stays. */
START_TEST(a_delta)
{
	char *old = xstrdup(TAPER);
	struct event_value v = { .p = old, .len = (uint32_t)strlen(old), .kind = EVENT_OBJECT };
	struct buf b = BUF_INIT(1 << 16);

	ck_assert_int_eq(item_merge(v, json("{\"Id\":-1849254352,\"Name\":\"Prismatic Taper\",\"ObjectClass\":12,\"IntValues\":{\"5\":5994,\"218103814\":893,\"218103810\":-1925375235}}"), &b), 0);
	(void)buf_append(&b, "", 1);
	ck_assert_int_eq(read_text(buf_data(&b)), 0);
	ck_assert_int_eq(it.stack_count, 893);
	ck_assert_int_eq(it.burden, 5994);
	ck_assert_int_eq(it.max_stack, 1000);
	ck_assert_int_eq(it.value, 22000);
	ck_assert_int_eq(it.wcid, 20631);
	buf_fini(&b);
	free(old);
	finish();
}
END_TEST

/* ---- random objects, merged by a second reading of the rule over jansson's trees ---- */

static unsigned
rnd(unsigned n)
{
	static uint64_t seed = 5;

	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

static json_t *
random_value(unsigned depth)
{
	static const char *const keys[] = { "a", "b", "5", "10", "19", "IntValues", "StringValues", "é", "x\"y" };
	unsigned n = rnd(5), kind = rnd(depth < 3 ? 8 : 5);
	json_t *v;

	switch (depth == 0 ? 7 : kind) {
	case 0: return json_integer((json_int_t)rnd(100) - 50);
	case 1: return json_real(rnd(1000) / 8.0);
	case 2: return json_string(rnd(2) ? "" : "tä\"x\n");
	case 3: return json_boolean(rnd(2));
	case 4: return json_null();
	case 5:
		for (v = json_array(); n > 0; n--)
			json_array_append_new(v, random_value(depth + 1));
		return v;
	default:
		for (v = json_object(); n > 0; n--)
			json_object_set_new(v, keys[rnd(9)], random_value(depth + 1));
		return v;
	}
}

static json_t *
merged_by_hand(const json_t *old, json_t *update, int top)
{
	json_t *v = json_deep_copy(old), *value;
	const char *key;

	json_object_foreach(update, key, value) {
		json_t *have = json_object_get(v, key);
		int map = top && (strcmp(key, "IntValues") == 0 || strcmp(key, "StringValues") == 0);
		if (json_is_object(have) && json_is_object(value))
			json_object_set_new(v, key, merged_by_hand(have, value, 0));
		else if (have == NULL || !map || json_is_object(value))
			json_object_set(v, key, value);
	}
	return v;
}

START_TEST(merges_at_random)
{
	struct buf b = BUF_INIT(1 << 16);

	for (unsigned i = 0; i < 3000; i++) {
		json_t *old = random_value(0), *update = random_value(0), *want = merged_by_hand(old, update, 1), *have;
		char *old_text = json_dumps(old, JSON_COMPACT), *update_text = json_dumps(update, rnd(2) ? JSON_INDENT(1) : JSON_ENSURE_ASCII);
		struct event_value v = { .p = old_text, .len = (uint32_t)strlen(old_text), .kind = EVENT_OBJECT };
		buf_clear(&b);
		for (char *p = update_text; *p != '\0'; p++)
			*p = *p == '\n' ? ' ' : *p;
		ck_assert_int_eq(item_merge(v, json(update_text), &b), 0);
		have = json_loadb(buf_data(&b), buf_size(&b), JSON_REJECT_DUPLICATES, NULL);
		ck_assert_msg(have != NULL && json_equal(have, want), "%s\n%s\n%.*s", old_text, update_text, (int)buf_size(&b), buf_data(&b));
		json_decref(have);
		json_decref(want);
		json_decref(old);
		json_decref(update);
		free(old_text);
		free(update_text);
	}
	buf_fini(&b);
}
END_TEST

/* ---- the hash ---- */

static const struct { const char *a, *b; int same; } hashes[] = {
	{ "{\"a\":1,\"b\":{\"c\":2,\"d\":3}}", "{ \"b\" : {\"d\":3,\"c\":2}, \"a\": 1.0 }", 1 },
	{ "{\"Id\":1,\"LastIdTime\":5}", "{\"Id\":1,\"LastIdTime\":6}", 1 }, { "{\"Id\":1,\"LastIdTime\":5}", "{\"Id\":1}", 1 },
	{ "{\"x\":{\"LastIdTime\":5}}", "{\"x\":{\"LastIdTime\":6}}", 0 },
	{ "{\"a\":\"\\u00e9\\/\"}", "{\"a\":\"é/\"}", 1 }, { "{\"\\u0061\":1}", "{\"a\":1}", 1 }, { "{\"a\":1.5}", "{\"a\":15e-1}", 1 },
	{ "{\"a\":1,\"b\":null}", "{\"a\":1}", 1 }, { "{\"a\":100}", "{\"a\":1e2}", 1 },
	{ "{\"a\":1}", "{\"a\":2}", 0 }, { "{\"a\":1}", "{\"b\":1}", 0 }, { "{\"a\":1}", "{\"a\":\"1\"}", 0 }, { "{\"a\":[1,2]}", "{\"a\":[2,1]}", 0 },
	{ "{\"a\":true}", "{\"a\":false}", 0 }, { "{\"a\":[]}", "{\"a\":{}}", 0 }, { "{\"a\":1,\"b\":2}", "{\"a\":2,\"b\":1}", 0 }, { "{\"a\":{\"b\":1}}", "{\"b\":{\"a\":1}}", 0 },
	{ "{\"a\":\"\"}", "{\"a\":\"x\"}", 0 }, { "{\"a\":\"12345678\"}", "{\"a\":\"1234567812345678\"}", 0 }, { "{\"a\":[[],[1]]}", "{\"a\":[[1],[]]}", 0 },
	{ "{\"a\":9223372036854775807}", "{\"a\":-9223372036854775808}", 0 }, { "{}", "{\"a\":1}", 0 },
};

START_TEST(a_hash)
{
	uint64_t a = item_hash(json(hashes[_i].a)), b = item_hash(json(hashes[_i].b));

	ck_assert_msg((a == b) == hashes[_i].same, "%s %s", hashes[_i].a, hashes[_i].b);
}
END_TEST

START_TEST(hash_of_canonical)
{
	const struct event_value none = { .p = "" };
	struct buf b = BUF_INIT(1 << 16);
	uint64_t h = item_hash(json(HELMET));

	ck_assert_int_eq(item_merge(none, json(HELMET), &b), 0);
	(void)buf_append(&b, "", 1);
	ck_assert(item_hash(json(buf_data(&b))) == h);
	buf_fini(&b);
}
END_TEST

/* ---- as the API shows it ---- */

static const char helmet_json[] = "{\"item_id\":-1925474135,\"item_id_hex\":\"8D3B98A9\",\"name\":\"Helmet\",\"display_name\":\"Silver Helmet\",\"description\":\"Helmet of Invulnerability\","
	"\"character_name\":\"L\\\"arsson\",\"object_class\":\"Armor\",\"object_class_id\":2,\"icon\":6120,\"wcid\":75,\"container_id\":0,\"position\":null,\"equipped\":true,\"equipped_slot\":1,"
	"\"slots\":[\"Head\"],\"valid_slots\":1,\"coverage\":16384,\"stack_count\":null,\"max_stack\":null,\"value\":20315,\"burden\":379,\"material\":\"Silver\",\"material_id\":63,"
	"\"set\":\"Defender's Set\",\"set_id\":16,\"armor_level\":720,\"base_armor_level\":300,\"workmanship\":9,\"tinks\":10,\"imbue\":\"Magic Defense\",\"imbue_id\":4096,"
	"\"damage_min\":null,\"damage_max\":null,\"damage_type\":null,\"damage_type_id\":null,\"wield_level\":180,\"wield_skill\":null,\"wield_skill_id\":null,\"wield_skill_level\":null,"
	"\"cantrip_level\":\"Legendary\",\"ratings\":{\"damage\":null,\"damage_resist\":null,\"crit\":null,\"crit_resist\":null,\"crit_damage\":1,\"crit_damage_resist\":null,\"heal_boost\":null,"
	"\"vitality\":null},\"bonded\":false,\"attuned\":false,\"rare\":false,\"has_id_data\":true,\"spells\":[{\"id\":2108,\"name\":\"Brogard's Defiance\",\"cantrip_level\":null},"
	"{\"id\":4560,\"name\":\"Incantation of Invulnerability Self\",\"cantrip_level\":null},{\"id\":6079,\"name\":\"Legendary Storm Ward\",\"cantrip_level\":\"Legendary\"},"
	"{\"id\":6082,\"name\":\"Legendary Flame Ward\",\"cantrip_level\":\"Legendary\"}],\"active_spells\":[{\"id\":4397,\"name\":\"Incantation of Bludgeon Bane\",\"cantrip_level\":null},"
	"{\"id\":4407,\"name\":\"Incantation of Impenetrability\",\"cantrip_level\":null}],\"updated_at\":\"2026-04-21T16:58:40.000Z\"}";

START_TEST(as_json)
{
	struct buf b = BUF_INIT(1 << 16);

	ck_assert_int_eq(read_text(HELMET), 0);
	ck_assert_int_eq(item_write_json(&it, "L\"arsson", 8, INT64_C(1776790720000000), &b), 0);
	(void)buf_append(&b, "", 1);
	ck_assert_str_eq(buf_data(&b), helmet_json);
	buf_fini(&b);
	finish();
}
END_TEST

static const struct { const char *item, *path, *want; } shown[] = {
	{ "{\"Id\":1,\"Name\":\"Silver Ring\",\"IntValues\":{\"131\":63}}", "display_name", "Silver Ring" },
	{ "{\"Id\":1,\"Name\":\"Ring\",\"IntValues\":{\"131\":63}}", "display_name", "Silver Ring" },
	{ "{\"Id\":1,\"Name\":\"Ring\",\"IntValues\":{\"131\":250}}", "display_name", "Ring" },
	{ "{\"Id\":1,\"Name\":\"Ring\",\"IntValues\":{\"131\":250}}", "material", "#250" },
	{ "{\"Id\":1,\"Name\":\"Ring\",\"IntValues\":{\"265\":999}}", "set", "#999" },
	{ "{\"Id\":1,\"Name\":\"<b>\\\"\\u00e9\\\"\",\"IntValues\":{\"131\":63}}", "display_name", "Silver <b>\\\"\\u00e9\\\"" },
	{ "{\"Id\":1,\"ObjectClass\":77}", "object_class", "#77" },
	{ "{\"Id\":1,\"IntValues\":{\"179\":24}}", "imbue", "Slash Rending, Pierce Rending" },
	{ "{\"Id\":1,\"IntValues\":{\"45\":3}}", "damage_type", "Slash, Pierce" },
	{ "{\"Id\":1,\"IntValues\":{\"158\":2,\"159\":34,\"160\":385}}", "wield_skill", "War Magic" },
};

START_TEST(as_json_of)
{
	struct buf b = BUF_INIT(1 << 16);
	struct event_value v;

	ck_assert_int_eq(read_text(shown[_i].item), 0);
	ck_assert_int_eq(item_write_json(&it, "", 0, 0, &b), 0);
	(void)buf_append(&b, "", 1);
	v = event_object_get(json(buf_data(&b)), shown[_i].path);
	ck_assert_msg(v.kind == EVENT_STRING && v.len == strlen(shown[_i].want) && memcmp(v.p, shown[_i].want, v.len) == 0, "%s: %.*s", shown[_i].path, (int)v.len, v.p);
	buf_fini(&b);
	finish();
}
END_TEST

/* Every bit of every mask and the longest numbers fit what write.c reserves; too little room leaves the buffer as it was. */
START_TEST(as_json_at_its_longest)
{
	struct buf b = BUF_INIT(1 << 16), small = BUF_INIT(6000);
	size_t full;

	ck_assert_int_eq(read_text("{\"Id\":1}"), 0);
	memset(&it.equipped_slot, 0xFF, sizeof it.equipped_slot);
	it.valid_slots = it.coverage = it.imbue = it.damage_type = it.item_type = UINT32_MAX;
	it.object_class = it.icon = it.wcid = it.position = it.stack_count = it.max_stack = it.value = it.burden = it.material_id = it.set_id = it.armor_level = INT32_MIN + 1;
	it.base_armor_level = it.tinks = it.damage_max = it.wield_level = it.wield_skill = it.wield_skill_level = it.container_id = it.id = INT32_MIN + 1;
	it.workmanship = it.damage_min = -1.17549e-38f;
	for (unsigned i = 0; i < ITEM_RATINGS; i++)
		it.rating[i] = INT16_MIN + 1;
	ck_assert_int_eq(item_write_json(&it, "x", 1, 0, &b), 0);
	full = buf_size(&b);
	(void)buf_append(&b, "", 1);
	(void)json(buf_data(&b));
	ck_assert_uint_lt(full, 4000);
	ck_assert_int_eq(item_write_json(&it, "x", 1, 0, &small), 0);
	ck_assert_int_eq(item_write_json(&it, "x", 1, 0, &small), -1);
	ck_assert_uint_eq(buf_size(&small), full);
	buf_fini(&b);
	buf_fini(&small);
	finish();
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("item_write");

	tcase_add_loop_test(t, a_merge, 0, sizeof merges / sizeof *merges);
	tcase_add_test(t, merge_refuses);
	tcase_add_test(t, merges_at_random);
	tcase_add_test(t, a_delta);
	tcase_add_loop_test(t, a_hash, 0, sizeof hashes / sizeof *hashes);
	tcase_add_test(t, hash_of_canonical);
	tcase_add_test(t, as_json);
	tcase_add_loop_test(t, as_json_of, 0, sizeof shown / sizeof *shown);
	tcase_add_test(t, as_json_at_its_longest);
	return suite_run(t, "item_write");
}
