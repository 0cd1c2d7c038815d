/* Documents come through the gate or not at all, and getters give the fallback for what is missing or of another kind. */
#include <string.h>

#include "json/json.h"
#include "suite.h"

static struct json *doc;

static void
parse(const char *text)
{
	const char *error = "unset";

	json_free(&doc);
	doc = json_parse(text, strlen(text), &error);
	ck_assert_msg(doc != NULL, "%s: %s", text, error);
}

static void
cleanup(void)
{
	json_free(&doc);
	ck_assert_ptr_null(doc);
	json_free(&doc);
}

START_TEST(refused)
{
	static const struct { const char *text; size_t len; const char *word; } t[] = {
		{ "", 0, "nothing" }, { "{\"a\":NaN}", 9, "NaN" }, { "{\"a\":\"\\u0000\"}", 14, "NUL" }, { "{\"a\":1} {}", 10, "follows" }, { "{\"a\":01}", 8, "number" },
		{ "\xef\xbb\xbf{}", 5, "byte order" }, { "\"\xff\"", 3, "UTF-8" }, { "{\"a\"", 4, "middle" }, { "nul", 3, "middle" }, { "'a'", 3, "RFC 8259" }, { "{}\0", 3, "NUL" },
	};
	const char *error;
	size_t i;

	for (i = 0; i < sizeof t / sizeof t[0]; i++) {
		error = NULL;
		ck_assert_ptr_null(json_parse(t[i].text, t[i].len, &error));
		ck_assert_msg(error != NULL && strstr(error, t[i].word) != NULL, "%s: %s", t[i].text, error);
	}
}
END_TEST

START_TEST(deep)
{
	char text[131];
	const char *error;

	memset(text, '[', 64);
	memset(text + 64, ']', 64);
	doc = json_parse(text, 128, &error);
	ck_assert_ptr_nonnull(doc);
	memset(text, '[', 65);
	memset(text + 65, ']', 65);
	ck_assert_ptr_null(json_parse(text, 130, &error));
}
END_TEST

START_TEST(getters)
{
	parse("{\"subscribe\":{\"types\":[\"rare\",\"ch\\u00e4t\"],\"from\":1234,\"ok\":true,\"no\":false,\"none\":null,\"half\":0.5,\"name\":\"x\",\"o\":{\"a\":{\"b\":[[7]]}}},\"a\":1,\"a\":2}");
	ck_assert_str_eq(json_str(doc, "subscribe.types.0", "?"), "rare");
	ck_assert_str_eq(json_str(doc, "subscribe.types.1", "?"), "ch\xc3\xa4t");
	ck_assert_str_eq(json_str(doc, "subscribe.types.2", "?"), "?");
	ck_assert_str_eq(json_str(doc, "subscribe.types.-1", "?"), "?");
	ck_assert_str_eq(json_str(doc, "subscribe.types.x", "?"), "?");
	ck_assert_str_eq(json_str(doc, "subscribe.types.0x", "?"), "?");
	ck_assert_str_eq(json_str(doc, "subscribe.types.99999999999999999999", "?"), "?");
	ck_assert_str_eq(json_str(doc, "subscribe.from", "?"), "?");
	ck_assert_str_eq(json_str(doc, "subscribe.name.deeper", "?"), "?");
	ck_assert_ptr_null(json_str(doc, "missing", NULL));
	ck_assert_int_eq(json_int(doc, "subscribe.from", -1), 1234);
	ck_assert_int_eq(json_int(doc, "subscribe.half", -1), -1);
	ck_assert_int_eq(json_int(doc, "subscribe.name", -1), -1);
	ck_assert_int_eq(json_int(doc, "subscribe.o.a.b.0.0", -1), 7);
	ck_assert_int_eq(json_int(doc, "a", -1), 2);
	ck_assert_double_eq(json_num(doc, "subscribe.half", 9), 0.5);
	ck_assert_double_eq(json_num(doc, "subscribe.none", 9), 9);
	ck_assert_int_eq(json_bool(doc, "subscribe.ok", 0), 1);
	ck_assert_int_eq(json_bool(doc, "subscribe.no", 1), 0);
	ck_assert_int_eq(json_bool(doc, "subscribe.none", 7), 7);
	ck_assert_int_eq(json_bool(doc, "subscribe.from", 7), 7);
	ck_assert(json_has(doc, "subscribe.none"));
	ck_assert(!json_has(doc, "subscribe.nothing"));
}
END_TEST

START_TEST(kinds)
{
	parse("{\"o\":{\"x\":1},\"a\":[1,2,3],\"s\":\"\",\"n\":-1e3,\"t\":true,\"f\":false,\"z\":null}");
	ck_assert_int_eq(json_kind(doc, ""), 'o');
	ck_assert_int_eq(json_kind(doc, "o"), 'o');
	ck_assert_int_eq(json_kind(doc, "a"), 'a');
	ck_assert_int_eq(json_kind(doc, "s"), 's');
	ck_assert_int_eq(json_kind(doc, "n"), 'n');
	ck_assert_int_eq(json_kind(doc, "t"), 'b');
	ck_assert_int_eq(json_kind(doc, "f"), 'b');
	ck_assert_int_eq(json_kind(doc, "z"), '0');
	ck_assert_int_eq(json_kind(doc, "x"), 0);
	ck_assert_uint_eq(json_len(doc, ""), 7);
	ck_assert_uint_eq(json_len(doc, "o"), 1);
	ck_assert_uint_eq(json_len(doc, "a"), 3);
	ck_assert_uint_eq(json_len(doc, "s"), 0);
	ck_assert_uint_eq(json_len(doc, "x"), 0);
	parse(" 5 ");
	ck_assert_int_eq(json_kind(doc, ""), 'n');
	ck_assert_int_eq(json_int(doc, "", 0), 5);
}
END_TEST

START_TEST(big_numbers)
{
	parse("{\"a\":9007199254740992,\"b\":9007199254740994,\"c\":-9007199254740992,\"d\":1e300,\"e\":1e999,\"f\":-0}");
	ck_assert_int_eq(json_int(doc, "a", 1), 9007199254740992);
	ck_assert_int_eq(json_int(doc, "b", 1), 1);
	ck_assert_int_eq(json_int(doc, "c", 1), -9007199254740992);
	ck_assert_int_eq(json_int(doc, "d", 1), 1);
	ck_assert_int_eq(json_int(doc, "e", 1), 1);
	ck_assert_int_eq(json_int(doc, "f", 1), 0);
}
END_TEST

START_TEST(lists)
{
	const char *const *l;
	int i, seen = 0;

	parse("{\"types\":[\"rare\",\"chat\"],\"none\":[],\"mixed\":[\"a\",1],\"o\":{\"x\":1,\"y\":2,\"z\":[]}}");
	l = json_strings(doc, "types");
	ck_assert_str_eq(l[0], "rare");
	ck_assert_str_eq(l[1], "chat");
	ck_assert_ptr_null(l[2]);
	ck_assert_ptr_null(json_strings(doc, "none")[0]);
	ck_assert_ptr_null(json_strings(doc, "mixed"));
	ck_assert_ptr_null(json_strings(doc, "o"));
	ck_assert_ptr_null(json_strings(doc, "missing"));
	l = json_keys(doc, "o");
	for (i = 0; l[i] != NULL; i++)
		seen |= 1 << (*l[i] - 'x');
	ck_assert_int_eq(i, 3);
	ck_assert_int_eq(seen, 7);
	ck_assert_ptr_null(json_keys(doc, "types"));
	ck_assert_ptr_null(json_keys(doc, "missing"));
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("json");

	tcase_add_checked_fixture(t, NULL, cleanup);
	tcase_add_test(t, refused);
	tcase_add_test(t, deep);
	tcase_add_test(t, getters);
	tcase_add_test(t, kinds);
	tcase_add_test(t, big_numbers);
	tcase_add_test(t, lists);
	return suite_run(t, "json");
}
