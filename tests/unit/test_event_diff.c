/* The gate, jansson and simdjson say the same of the same bytes: documents made at random, and mutations of them.  Where we differ on purpose the
 * rule stands here: \u0000 (refused by us), nesting over 64, and numbers that the others cannot hold. */
#include <check.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event/event.h"
#include "mem/mem.h"
#include "simdjson_wrap.h"
#include "suite.h"

#ifdef __SANITIZE_ADDRESS__
#define ROUNDS 60000
#else
#define ROUNDS 300000
#endif
#define TEXT_MAX 4096
#define LEN(x) (sizeof (x) / sizeof (x)[0])

static uint64_t seed;

static unsigned
rnd(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 33) % n;
}

/* ---- texts ---- */

struct text {
	char p[TEXT_MAX];
	size_t len;
};

static void
add(struct text *t, const char *s)
{
	size_t n = strlen(s);

	if (t->len + n > TEXT_MAX)
		return;
	memcpy(t->p + t->len, s, n);
	t->len += n;
}

#define PICK(list) (list)[rnd(LEN(list))]

static const char *const blanks[] = { "", "", "", "", "", "", " ", "\t", "\n", "\r\n", "   " };
static const char *const scalars[] = {
	"0", "-0", "1", "-1925474135", "33.58", "0.1", "1e5", "1E-7", "-1.5e+3", "191226310247", "9007199254740993", "9223372036854775807", "18446744073709551615",
	"true", "false", "null", "\"743\"", "\"\"", "\"Larsson\"", "\"2026-04-21T17:03:11.1234567Z\"", "\"7f0f5d0e-5a1c-4d0b-9d8f-0f2c6b1f2a77\"", "123456789.123456789",
	"2.2250738585072014e-308", "0.30000000000000004", "1e-400", "-0.0",
};
static const char *const pieces[] = {
	"a", "Zoli says, ", "plain words and no end of them ", "\\\"", "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t", "\\u0041", "\\u00e9", "\\uffff", "\\ud83d\\ude00", "\\uDBFF\\uDFFF",
	"\xc3\xa9", "\xe2\x82\xac", "\xed\x9f\xbf", "\xef\xbf\xbd", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf", "\x7f", "{[,:]}", "_",
};
static const char *const keys[] = {
	"\"type\"", "\"character_name\"", "\"timestamp\"", "\"ty\\u0070e\"", "\"_seq\"", "\"\\u005frx\"", "\"ew\"", "\"kills\"", "\"items\"", "\"\"", "\"caf\xc3\xa9\"",
};
/* What mutations put in: the odd things of every grammar rule. */
static const char *const odds[] = {
	"{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\u0000", "\\ud800", "\\udc00", "\\ud83d\\ude00", "\\u00", "\\x41", "NaN", "Infinity", "-", "+", ".", "e", "E", "1e999", "01", "00", "-0",
	"123456789012345678901234567890", "18446744073709551616", "-9223372036854775809", "\xef\xbb\xbf", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff", "\x80", "\xc3", "\xe2\x82", "\x01",
	"\x1f", "\n", "\r", "\t", " ", "\f", "\v", "true", "null", "nul", "//", "/*", "'", "\"type\":\"a\",", "\"type\":", "[[[[[[[[[[[[[[[[[[[[", "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":",
	"]]]]]]]]]]]]]]]]]]]]", "}}}}}",
};

static void
add_string(struct text *t)
{
	unsigned n = rnd(6);

	add(t, "\"");
	while (n-- > 0)
		add(t, PICK(pieces));
	add(t, "\"");
}

static void
add_value(struct text *t, unsigned depth)
{
	unsigned kind = rnd(10), n, i;

	if (kind < 5 || depth > 5) {
		add(t, PICK(scalars));
		return;
	}
	if (kind < 8) {
		add_string(t);
		return;
	}
	add(t, kind == 8 ? "{" : "[");
	n = rnd(5);
	for (i = 0; i < n; i++) {
		add(t, i ? "," : PICK(blanks));
		if (kind == 8) {
			add_string(t);
			add(t, PICK(blanks));
			add(t, ":");
		}
		add(t, PICK(blanks));
		add_value(t, depth + 1);
		add(t, PICK(blanks));
	}
	add(t, kind == 8 ? "}" : "]");
}

static void
make_event(struct text *t)
{
	unsigned n = rnd(12), i, at = rnd(4);

	t->len = 0;
	add(t, PICK(blanks));
	add(t, "{");
	for (i = 0; i <= n; i++) {
		add(t, i ? "," : "");
		add(t, PICK(blanks));
		add(t, i == at ? "\"type\"" : PICK(keys));
		add(t, PICK(blanks));
		add(t, ":");
		add(t, PICK(blanks));
		add_value(t, 0);
		add(t, PICK(blanks));
	}
	add(t, "}");
	add(t, PICK(blanks));
}

static void
splice(struct text *t, size_t at, size_t drop, const char *s, size_t n)
{
	if (at + drop > t->len)
		drop = t->len - at;
	if (t->len - drop + n > TEXT_MAX)
		return;
	memmove(t->p + at + n, t->p + at + drop, t->len - at - drop);
	memcpy(t->p + at, s, n);
	t->len += n - drop;
}

static void
mutate(struct text *t)
{
	size_t at = rnd((unsigned)t->len + 1), from;
	const char *odd;
	char piece[64], c;

	switch (rnd(7)) {
	case 0:
		if (at < t->len)
			t->p[at] = (char)(t->p[at] ^ 1 << rnd(8));
		break;
	case 1:
		c = (char)rnd(256);
		splice(t, at, rnd(2), &c, 1);
		break;
	case 2:
		splice(t, at, 1 + rnd(8), "", 0);
		break;
	case 3:
	case 4:
		odd = PICK(odds);
		splice(t, at, rnd(2) ? 0 : strlen(odd), odd, strlen(odd));
		break;
	case 5:
		from = rnd((unsigned)t->len + 1);
		memcpy(piece, t->p + from, t->len - from < sizeof piece ? t->len - from : sizeof piece);
		splice(t, at, 0, piece, rnd((unsigned)(t->len - from < sizeof piece ? t->len - from : sizeof piece) + 1));
		break;
	default:
		if (rnd(4) == 0)
			t->len = at;
	}
}

/* ---- the rules ---- */

/* \u0000 becomes \u0001, which changes nothing but what we refuse on purpose.  Returns how many there were. */
static int
without_nul_escapes(struct text *t)
{
	size_t i;
	int n = 0;

	for (i = 0; i + 6 <= t->len; i++) {
		if (t->p[i] != '\\')
			continue;
		if (memcmp(t->p + i, "\\u0000", 6) == 0) {
			t->p[i + 5] = '1';
			n++;
		}
		i++;
	}
	return n;
}

/* Numbers that jansson or simdjson cannot hold become 0.  The text has passed our gate, so that a number is what stands outside of strings and looks like one. */
static void
without_huge_numbers(struct text *t)
{
	size_t i, n;
	char number[TEXT_MAX + 1];
	int huge;

	for (i = 0; i < t->len; i++) {
		if (t->p[i] == '"') {
			for (i++; t->p[i] != '"'; i++)
				i += t->p[i] == '\\';
			continue;
		}
		n = 0;
		while (i + n < t->len && strchr("+-.0123456789eE", t->p[i + n]) != NULL && !(n == 0 && (t->p[i] | 32) == 'e') && t->p[i + n] != '\0')
			n++;
		if (n == 0)
			continue;
		memcpy(number, t->p + i, n);
		number[n] = '\0';
		if (strpbrk(number, ".eE") != NULL)
			huge = !isfinite(strtod(number, NULL));
		else
			huge = n > 20 || strtod(number, NULL) >= 18446744073709551616.0 || strtod(number, NULL) < -9223372036854775808.0 || strcmp(number, "-9223372036854775809") == 0;
		if (huge) {
			splice(t, i, n, "0", 1);
			n = 1;
		}
		i += n - 1;
	}
}

/* How deep the brackets before at are open. */
static unsigned
depth_at(const struct text *t, size_t at)
{
	unsigned depth = 0;
	size_t i;

	for (i = 0; i <= at; i++) {
		if (t->p[i] == '"')
			for (i++; i < at && t->p[i] != '"'; i++)
				i += t->p[i] == '\\';
		else if (t->p[i] == '{' || t->p[i] == '[')
			depth++;
		else if (t->p[i] == '}' || t->p[i] == ']')
			depth--;
	}
	return depth;
}

static void same_value(struct event_value v, const json_t *j);

static int
comes_again(struct event_value object, size_t at, const char *name)
{
	struct event_value key, value;

	while (event_next(object, &at, &key, &value))
		if (event_value_is(key, name))
			return 1;
	return 0;
}

static void
same_members(struct event_value v, const json_t *j)
{
	struct event_value key, value;
	static char name[TEXT_MAX + 1];
	size_t at = 0, n = 0;
	long len;

	while (event_next(v, &at, &key, &value)) {
		n++;
		if (json_is_array(j)) {
			same_value(value, json_array_get(j, n - 1));
			continue;
		}
		len = event_string(key, name, sizeof name);
		ck_assert_int_ge(len, 0);
		ck_assert_ptr_nonnull(json_object_get(j, name));
		if (!comes_again(v, at, name))                  /* of equal names the last counts in jansson */
			same_value(value, json_object_get(j, name));
	}
	if (json_is_array(j))
		ck_assert_uint_eq(n, json_array_size(j));
	else
		ck_assert_uint_ge(n, json_object_size(j));
}

static void
same_value(struct event_value v, const json_t *j)
{
	static char text[TEXT_MAX + 1];
	double d;
	long len;

	switch (json_typeof(j)) {
	case JSON_STRING:
		len = event_string(v, text, sizeof text);
		ck_assert_int_eq(len, (long)json_string_length(j));
		ck_assert(memcmp(text, json_string_value(j), (size_t)len) == 0);
		break;
	case JSON_INTEGER:
	case JSON_REAL:
		ck_assert_int_eq(v.kind, EVENT_NUMBER);
		if (v.len <= 255) {
			ck_assert_int_eq(event_double(v, &d), 0);
			ck_assert(d == json_number_value(j));
		}
		break;
	case JSON_TRUE:
		ck_assert_int_eq(v.kind, EVENT_TRUE);
		break;
	case JSON_FALSE:
		ck_assert_int_eq(v.kind, EVENT_FALSE);
		break;
	case JSON_NULL:
		ck_assert_int_eq(v.kind, EVENT_NULL);
		break;
	default:
		ck_assert_int_eq(v.kind, json_is_object(j) ? EVENT_OBJECT : EVENT_ARRAY);
		same_members(v, j);
	}
}

static long accepted, refused;

static void
judge(const struct text *in)
{
	struct text t = *in;
	struct simdjson_verdict sj;
	enum event_error json, ours;
	struct event e;
	json_error_t je;
	json_t *j;
	size_t at;
	char *p = xmalloc(t.len);

	memcpy(p, t.p, t.len);
	json = event_check_json(p, t.len, &at);
	ours = event_scan(p, t.len, &e);
	if (json == EVENT_DEPTH || ours == EVENT_DEPTH) {
		ck_assert_int_eq(json, ours);
		ck_assert_uint_eq(depth_at(&t, at), EVENT_DEPTH_MAX + 1);
		free(p);
		return;
	}
	if (without_nul_escapes(&t) > 0) {
		ck_assert_msg(json != EVENT_OK, "\\u0000 passed: %.*s", (int)in->len, in->p);
		memcpy(p, t.p, t.len);
		json = event_check_json(p, t.len, &at);
		ours = event_scan(p, t.len, &e);
		if (json == EVENT_DEPTH || ours == EVENT_DEPTH) {
			free(p);
			return;
		}
	}
	if (json == EVENT_OK)
		without_huge_numbers(&t);
	j = json_loadb(t.p, t.len, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, &je);
	simdjson_judge(t.p, t.len, &sj);
	/* jansson 2.14 skips a raw NUL behind a number. */
	if (memchr(t.p, '\0', t.len) != NULL)
		ck_assert_msg(json != EVENT_OK, "raw NUL passed: %.*s", (int)in->len, in->p);
	else
		ck_assert_msg((json == EVENT_OK) == (j != NULL), "we: %s, jansson: %s: %.*s", event_error_word(json), j ? "ok" : je.text, (int)in->len, in->p);
	ck_assert_msg((json == EVENT_OK) == sj.valid, "we: %s, simdjson: %d: %.*s", event_error_word(json), sj.valid, (int)in->len, in->p);
	if (json == EVENT_OK) {
		accepted++;
		if (!sj.object)
			ck_assert_int_eq(ours, EVENT_NOT_OBJECT);
		else if (sj.types > 1 || sj.names > 1 || sj.times > 1)
			ck_assert_int_eq(ours, EVENT_DUPLICATE);
		else if (!sj.has_type)
			ck_assert_int_eq(ours, EVENT_NO_TYPE);
		else
			ck_assert_int_eq(ours, EVENT_OK);
		if (ours == EVENT_OK) {
			ck_assert_uint_eq(e.n_fields, (unsigned)sj.fields);
			ck_assert_uint_eq(e.reserved, (unsigned)sj.reserved);
			if (event_scan(t.p, t.len, &e) == EVENT_OK)
				same_members(event_body(&e), j);
		}
	} else {
		refused++;
		ck_assert_int_ne(ours, EVENT_OK);
	}
	json_decref(j);
	free(p);
}

static void
begin(uint64_t salt)
{
	const char *s = getenv("TEST_SEED");

	seed = (s ? strtoull(s, NULL, 10) : 1) * UINT64_C(0x9e3779b97f4a7c15) + salt;
}

START_TEST(made_at_random)
{
	struct text t;
	int i;

	begin(1);
	for (i = 0; i < ROUNDS / 10; i++) {
		make_event(&t);
		judge(&t);
	}
	ck_assert_int_gt(accepted, ROUNDS / 20);
}
END_TEST

START_TEST(mutations)
{
	struct text base, t;
	unsigned n;
	int i;

	begin(2);
	for (i = 0; i < ROUNDS; i++) {
		if (i % 20 == 0)
			make_event(&base);
		t = base;
		for (n = 1 + rnd(3); n > 0; n--)
			mutate(&t);
		judge(&t);
	}
	ck_assert_int_gt(accepted, ROUNDS / 20);
	ck_assert_int_gt(refused, ROUNDS / 4);
}
END_TEST

/* All texts of up to four tokens. */
START_TEST(all_short)
{
	static const char *const tokens[] = { "{", "}", "[", "]", ",", ":", "\"\"", "\"a\"", "1", "-", "0", ".", "e", "true", "\\", "\"", " ", "\xc3" };
	size_t n = LEN(tokens), i;
	struct text t;

	for (i = 0; i < n * n * n * n; i++) {
		t.len = 0;
		add(&t, tokens[i % n]);
		add(&t, tokens[i / n % n]);
		add(&t, tokens[i / n / n % n]);
		add(&t, tokens[i / n / n / n]);
		judge(&t);
	}
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("event_diff");

	tcase_set_timeout(t, 240);
	tcase_add_test(t, made_at_random);
	tcase_add_test(t, mutations);
	tcase_add_test(t, all_short);
	return suite_run(t, "event_diff");
}
