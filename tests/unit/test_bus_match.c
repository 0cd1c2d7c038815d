/* bus_match: the quick look at a line's head finds what the whole scan finds; words and prefixes. */
#include <stdio.h>
#include <string.h>

#include "bus/bus_match.h"
#include "event/event.h"
#include "suite.h"

static const char *const lines[] = {
	"{\"type\":\"a\"}",
	"{\"_seq\":1,\"_rx\":\"2026-11-22T13:02:03.123Z\",\"type\":\"rare\",\"character_name\":\"Larsson\"}",
	"{ \"x\" : [1,{\"type\":\"no\",\"y\":[\"]\",\"}\",\"\\\"\"]}] , \"character_name\" : \"A\\u0042\" , \"type\" : \"b\\\\\" , \"z\":{} }",
	"{\"character_name\":null,\"type\":\"c\"}",
	"{\"character_name\":5,\"a\":{\"type\":\"x\"},\"b\":\"\\\\\",\"c\":\"\\\\\\\"\",\"type\":\"d\"}",
	"{\"t\\u0079pe\":\"escaped key\",\"character_name\":\"E\"}",
	"{\"a\\\"b\":1,\"type\":\"quote in a key\",\"character\\u005fname\":\"F\"}",
	"{\"a\":-1.5e9,\"b\":true,\"c\":false,\"d\":null,\"e\":\"\",\"f\":[],\"g\":{},\"type\":\"g\",\"character_name\":\"\"}",
	"{\"types\":\"no\",\"typ\":\"no\",\"Type\":\"no\",\"type\":\"h\",\"character_names\":\"no\"}",
	"{\"deep\":[[[[[{\"a\":[[\"[\"]]}]]]]],\"type\":\"i\",\"character_name\":\"\xc3\xa9\xe2\x82\xac\"}",
};

static int
same(struct event_value a, struct event_value b)
{
	if (a.kind != EVENT_STRING || b.kind != EVENT_STRING)
		return (a.kind == EVENT_STRING) == (b.kind == EVENT_STRING);
	return a.p == b.p && a.len == b.len && a.escaped == b.escaped;
}

START_TEST(finds_what_the_scan_finds)
{
	const char *line = lines[_i];
	struct event_value type, name;
	struct event e;

	ck_assert_int_eq(event_scan(line, strlen(line), &e), EVENT_OK);
	bus_match_head(line, strlen(line), &type, &name);
	ck_assert(same(type, e.type));
	ck_assert(same(name, e.character_name));
	bus_match_head(line, strlen(line), &type, NULL);
	ck_assert(same(type, e.type));
}
END_TEST

/* Our journal holds gated lines, but a damaged one must not lead out of bounds (the sanitizers look). */
START_TEST(stays_within_any_prefix)
{
	const char *line = lines[_i];
	struct event_value type, name;

	for (size_t n = 0; n < strlen(line); n++) {
		char *copy = strndup(line, n);
		char *exact = malloc(n ? n : 1);
		memcpy(exact, copy, n);
		bus_match_head(exact, n, &type, &name);
		free(copy);
		free(exact);
	}
}
END_TEST

static int
matches(const char *const *types, const char *const *characters, const char *line)
{
	struct bus_match *m = bus_match_new(types, characters);
	int r = bus_match_line(m, line, strlen(line));

	bus_match_free(&m);
	return r;
}

#define WORDS(...) (const char *const []){ __VA_ARGS__, NULL }

START_TEST(wants_types_and_characters)
{
	const char *rare = lines[1], *escaped = lines[2], *nobody = lines[0];
	const char *const none[] = { NULL };

	ck_assert_ptr_null(bus_match_new(NULL, NULL));
	ck_assert_int_eq(bus_match_line(NULL, rare, strlen(rare)), 1);
	ck_assert_int_eq(matches(WORDS("rare"), NULL, rare), 1);
	ck_assert_int_eq(matches(WORDS("chat", "rare"), NULL, rare), 1);
	ck_assert_int_eq(matches(WORDS("rar"), NULL, rare), 0);
	ck_assert_int_eq(matches(WORDS("rares"), NULL, rare), 0);
	ck_assert_int_eq(matches(WORDS("rar*"), NULL, rare), 1);
	ck_assert_int_eq(matches(WORDS("rare*"), NULL, rare), 1);
	ck_assert_int_eq(matches(WORDS("*"), NULL, rare), 1);
	ck_assert_int_eq(matches(none, NULL, rare), 0);
	ck_assert_int_eq(matches(NULL, WORDS("Larsson"), rare), 1);
	ck_assert_int_eq(matches(NULL, WORDS("larsson"), rare), 0);
	ck_assert_int_eq(matches(WORDS("rare"), WORDS("Other"), rare), 0);
	ck_assert_int_eq(matches(NULL, WORDS("AB"), escaped), 1);
	ck_assert_int_eq(matches(WORDS("b\\"), WORDS("A*"), escaped), 1);
	ck_assert_int_eq(matches(WORDS("no"), NULL, escaped), 0);
	ck_assert_int_eq(matches(NULL, WORDS("*"), nobody), 0);
	ck_assert_int_eq(matches(WORDS("a"), NULL, nobody), 1);
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("bus_match");

	tcase_add_loop_test(t, finds_what_the_scan_finds, 0, sizeof lines / sizeof *lines);
	tcase_add_loop_test(t, stays_within_any_prefix, 0, sizeof lines / sizeof *lines);
	tcase_add_test(t, wants_types_and_characters);
	return suite_run(t, "bus_match");
}
