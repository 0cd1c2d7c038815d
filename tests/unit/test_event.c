/* The gate says yes to what RFC 8259 and the wire contract allow, and names what is wrong with the rest; fields, numbers and times come out as sent. */
#include <check.h>
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event/event.h"
#include "mem/mem.h"
#include "suite.h"

#define LEN(x) (sizeof (x) / sizeof (x)[0])
#define T(s) s, sizeof s - 1

/* In memory of exactly that size, so that a sanitizer sees every byte read beyond it. */
static char *
exact(const char *text, size_t len)
{
	char *p = xmalloc(len);

	memcpy(p, text, len);
	return p;
}

static const struct { const char *text; size_t len; } valid[] = {
	{ T("{\"type\":\"a\"}") },
	{ T("  {\"type\":\"a\"}\t\r\n ") },
	{ T("{ \"type\" : \"a\" , \"b\" : [ 1 , 2 ] , \"c\" : { } , \"d\" : [ ] }") },
	{ T("{\"type\":\"a\",\"n\":[0,-0,1,-1,10,0.5,-0.5,1e5,1E+5,1e-5,0e0,12345678901234567890123456789012345678901234567890]}") },
	{ T("{\"type\":\"a\",\"n\":0.12345678901234567890123456789}") },
	{ T("{\"type\":\"a\",\"big\":1e999}") },
	{ T("{\"type\":\"a\",\"l\":[true,false,null]}") },
	{ T("{\"type\":\"a\",\"s\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\\u00e9\\uffff\\ud83d\\ude00\"}") },
	{ T("{\"type\":\"a\",\"s\":\"\x7f\"}") },
	{ T("{\"type\":\"a\",\"s\":\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"}") },
	{ T("{\"type\":\"a\",\"s\":\"0123456789abcdef0123456789abcdef0123456789abcde\xc3\xa9\xc3\xa9 and on it goes for a while\"}") },
	{ T("{\"type\":\"a\",\"\":1,\"\":2,\"b\":1,\"b\":2}") },
	{ T("{\"type\":\"a\",\"b\":{\"type\":\"x\",\"type\":\"y\",\"timestamp\":1,\"timestamp\":2}}") },
	{ T("{\"typ\\u0065\":\"a\"}") },
	{ T("{\"type\":\"a\",\"character_name\":null,\"timestamp\":5}") },
	{ T("{\"type\":\"\\u0020\"}") },
};

static const struct { const char *text; size_t len; enum event_error error; size_t at; } invalid[] = {
	{ T(""), EVENT_EMPTY, 0 },
	{ T(" \t\r\n"), EVENT_EMPTY, 0 },
	{ T("\xef\xbb\xbf{\"type\":\"a\"}"), EVENT_BOM, 0 },
	{ T("hello"), EVENT_NOT_JSON, 0 },
	{ T("{type:\"a\"}"), EVENT_NOT_JSON, 1 },
	{ T("{'type':'a'}"), EVENT_NOT_JSON, 1 },
	{ T("{\"type\":\"a\",}"), EVENT_NOT_JSON, 12 },
	{ T("{,\"type\":\"a\"}"), EVENT_NOT_JSON, 1 },
	{ T("{\"type\":\"a\",,\"b\":1}"), EVENT_NOT_JSON, 12 },
	{ T("{\"type\" \"a\"}"), EVENT_NOT_JSON, 8 },
	{ T("{\"type\"::\"a\"}"), EVENT_NOT_JSON, 8 },
	{ T("{\"type\":\"a\" \"b\":1}"), EVENT_NOT_JSON, 12 },
	{ T("{\"type\":\"a\",1:2}"), EVENT_NOT_JSON, 12 },
	{ T("{\"type\":\"a\"]"), EVENT_NOT_JSON, 11 },
	{ T("{\"type\":\"a\",\"b\":[1}"), EVENT_NOT_JSON, 18 },
	{ T("{\"type\":\"a\",\"b\":[1,]}"), EVENT_NOT_JSON, 19 },
	{ T("{\"type\":\"a\",\"b\":[,1]}"), EVENT_NOT_JSON, 17 },
	{ T("{\"type\":\"a\",\"b\":[1 2]}"), EVENT_NOT_JSON, 19 },
	{ T("{\"type\":\"a\",\"b\":{\"c\"}}"), EVENT_NOT_JSON, 20 },
	{ T("{\"type\":\"a\",\"b\":{\"c\":}}"), EVENT_NOT_JSON, 21 },
	{ T("{\"type\":\"a\",\"b\":{\"c\":1,}}"), EVENT_NOT_JSON, 23 },
	{ T("{\"type\":\"a\",\"b\":}"), EVENT_NOT_JSON, 16 },
	{ T("{\"type\":\"a\",\"b\":tru}"), EVENT_NOT_JSON, 16 },
	{ T("{\"type\":\"a\",\"b\":True}"), EVENT_NOT_JSON, 16 },
	{ T("{\"type\":\"a\",\"b\":nul}"), EVENT_NOT_JSON, 16 },
	{ T("{\"type\":\"a\",\"b\":nothing}"), EVENT_NOT_JSON, 16 },
	{ T("{\"type\":\"a\",\"b\":falsy}"), EVENT_NOT_JSON, 16 },
	{ T("{\"type\":\"a\",\"b\":truex}"), EVENT_NOT_JSON, 20 },
	{ T("{\"type\":\"a\"/**/}"), EVENT_NOT_JSON, 11 },
	{ T("{\"type\":\"a\",\"b\":\"\\x41\"}"), EVENT_NOT_JSON, 17 },
	{ T("{\"type\":\"a\",\"b\":\"\\u12g4\"}"), EVENT_NOT_JSON, 17 },
	{ T("{\"type\":\"a\",\"b\":\"\\u123\"}"), EVENT_NOT_JSON, 17 },
	{ T("{\"type\":\"a\",\"b\":\"\\ud83d\\u12\"}     "), EVENT_NOT_JSON, 23 },
	{ T("{\"type\":\"a\",\"b\":1.5.5}"), EVENT_NOT_JSON, 19 },
	{ T("{\"type\":\"a\",\"b\":1 \f}"), EVENT_NOT_JSON, 18 },
	{ T("\v{\"type\":\"a\"}"), EVENT_NOT_JSON, 0 },
	{ T("\x1f"), EVENT_NOT_JSON, 0 },
	{ T("\xff"), EVENT_NOT_JSON, 0 },
	{ T("\xef\xbb"), EVENT_NOT_JSON, 0 },
	{ T("{"), EVENT_TRUNCATED, 1 },
	{ T("{\"ty"), EVENT_TRUNCATED, 4 },
	{ T("{\"type\""), EVENT_TRUNCATED, 7 },
	{ T("{\"type\":"), EVENT_TRUNCATED, 8 },
	{ T("{\"type\":\"a"), EVENT_TRUNCATED, 10 },
	{ T("{\"type\":\"a\""), EVENT_TRUNCATED, 11 },
	{ T("{\"type\":\"a\","), EVENT_TRUNCATED, 12 },
	{ T("{\"type\":\"a\",\"b\":-"), EVENT_TRUNCATED, 17 },
	{ T("{\"type\":\"a\",\"b\":1."), EVENT_TRUNCATED, 18 },
	{ T("{\"type\":\"a\",\"b\":1e"), EVENT_TRUNCATED, 18 },
	{ T("{\"type\":\"a\",\"b\":12"), EVENT_TRUNCATED, 18 },
	{ T("{\"type\":\"a\",\"b\":tr"), EVENT_TRUNCATED, 18 },
	{ T("{\"type\":\"a\",\"b\":\"\\"), EVENT_TRUNCATED, 17 },
	{ T("{\"type\":\"a\",\"b\":\"\\u12"), EVENT_TRUNCATED, 17 },
	{ T("{\"type\":\"a\",\"b\":\"\\ud83d\\u"), EVENT_TRUNCATED, 17 },
	{ T("{\"type\":\"a\",\"b\":[1,{\"c\":["), EVENT_TRUNCATED, 25 },
	{ T("["), EVENT_TRUNCATED, 1 },
	{ T("{\"type\":\"a\"}{\"type\":\"b\"}"), EVENT_TRAILING, 12 },
	{ T("{\"type\":\"a\"}\n{\"type\":\"b\"}"), EVENT_TRAILING, 13 },
	{ T("{\"type\":\"a\"},"), EVENT_TRAILING, 12 },
	{ T("{\"type\":\"a\"}}"), EVENT_TRAILING, 12 },
	{ T("1 2"), EVENT_TRAILING, 2 },
	{ T("[{\"type\":\"a\"}]"), EVENT_NOT_OBJECT, 0 },
	{ T(" \"type\""), EVENT_NOT_OBJECT, 1 },
	{ T("12"), EVENT_NOT_OBJECT, 0 },
	{ T("null"), EVENT_NOT_OBJECT, 0 },
	{ T("NaN"), EVENT_BAD_NUMBER, 0 },
	{ T("{\"type\":\"a\",\"b\":NaN}"), EVENT_BAD_NUMBER, 16 },
	{ T("{\"type\":\"a\",\"b\":nan}"), EVENT_BAD_NUMBER, 16 },
	{ T("{\"type\":\"a\",\"b\":[Infinity]}"), EVENT_BAD_NUMBER, 17 },
	{ T("{\"type\":\"a\",\"b\":-Infinity}"), EVENT_BAD_NUMBER, 17 },
	{ T("{\"type\":\"a\",\"b\":01}"), EVENT_BAD_NUMBER, 16 },
	{ T("{\"type\":\"a\",\"b\":-01}"), EVENT_BAD_NUMBER, 17 },
	{ T("{\"type\":\"a\",\"b\":000000000000000000}"), EVENT_BAD_NUMBER, 16 },
	{ T("{\"type\":\"a\",\"b\":+1}"), EVENT_BAD_NUMBER, 16 },
	{ T("{\"type\":\"a\",\"b\":.5}"), EVENT_BAD_NUMBER, 16 },
	{ T("{\"type\":\"a\",\"b\":1.}"), EVENT_BAD_NUMBER, 18 },
	{ T("{\"type\":\"a\",\"b\":1.e5}"), EVENT_BAD_NUMBER, 18 },
	{ T("{\"type\":\"a\",\"b\":1e}"), EVENT_BAD_NUMBER, 18 },
	{ T("{\"type\":\"a\",\"b\":1e+}"), EVENT_BAD_NUMBER, 19 },
	{ T("{\"type\":\"a\",\"b\":--1}"), EVENT_BAD_NUMBER, 17 },
	{ T("{\"type\":\"a\",\"b\":0x10}"), EVENT_NOT_JSON, 17 },
	{ T("{\"type\":\"a\",\"b\":1e5.5}"), EVENT_NOT_JSON, 19 },
	{ T("{\"type\":\"a\",\"b\":\"\x80\"}"), EVENT_BAD_UTF8, 17 },
	{ T("{\"type\":\"a\",\"b\":\"\xbf\"}"), EVENT_BAD_UTF8, 17 },
	{ T("{\"type\":\"a\",\"b\":\"\xc0\xaf\"}"), EVENT_BAD_UTF8, 17 },
	{ T("{\"type\":\"a\",\"b\":\"\xc1\xbf\"}"), EVENT_BAD_UTF8, 17 },
	{ T("{\"type\":\"a\",\"b\":\"\xc3\"}"), EVENT_BAD_UTF8, 17 },
	{ T("{\"type\":\"a\",\"b\":\"\xc3\xc3\"}"), EVENT_BAD_UTF8, 17 },
	{ T("{\"type\":\"a\",\"b\":\"\xe0\x9f\xbf\"}"), EVENT_BAD_UTF8, 17 },
	{ T("{\"type\":\"a\",\"b\":\"\xe1\x80\"}"), EVENT_BAD_UTF8, 17 },
	{ T("{\"type\":\"a\",\"b\":\"\xed\xa0\x80\"}"), EVENT_BAD_UTF8, 17 },
	{ T("{\"type\":\"a\",\"b\":\"\xed\xbf\xbf\"}"), EVENT_BAD_UTF8, 17 },
	{ T("{\"type\":\"a\",\"b\":\"\xf0\x8f\xbf\xbf\"}"), EVENT_BAD_UTF8, 17 },
	{ T("{\"type\":\"a\",\"b\":\"\xf1\x80\x80\"}"), EVENT_BAD_UTF8, 17 },
	{ T("{\"type\":\"a\",\"b\":\"\xf4\x90\x80\x80\"}"), EVENT_BAD_UTF8, 17 },
	{ T("{\"type\":\"a\",\"b\":\"\xf5\x80\x80\x80\"}"), EVENT_BAD_UTF8, 17 },
	{ T("{\"type\":\"a\",\"b\":\"\xff\"}"), EVENT_BAD_UTF8, 17 },
	{ T("{\"type\":\"a\",\"b\":\"\xc3"), EVENT_BAD_UTF8, 17 },
	{ T("{\"type\":\"a\",\"b\xff\":1}"), EVENT_BAD_UTF8, 14 },
	{ T("{\"type\":\"a\",\"b\":\"0123456789abcdef0123456789abcde\xe2\x82\"}"), EVENT_BAD_UTF8, 48 },
	{ T("{\"type\":\"a\",\"b\":\"\\u0000\"}"), EVENT_NUL, 17 },
	{ T("{\"type\":\"a\",\"b\\u0000\":1}"), EVENT_NUL, 14 },
	{ T("{\"type\":\"a\",\"b\":\"\0\"}"), EVENT_NUL, 17 },
	{ T("{\"type\":\"a\"}\0"), EVENT_NUL, 12 },
	{ T("\0"), EVENT_NUL, 0 },
	{ T("{\"type\":\"a\",\0"), EVENT_NUL, 12 },
	{ T("{\"type\"\0"), EVENT_NUL, 7 },
	{ T("{\"type\":\"a\",\"b\":[1\0]}"), EVENT_NUL, 18 },
	{ T("{\"type\":\"a\",\"b\":\"\n\"}"), EVENT_CONTROL, 17 },
	{ T("{\"type\":\"a\",\"b\":\"\t\"}"), EVENT_CONTROL, 17 },
	{ T("{\"type\":\"a\",\"b\":\"\x1f\"}"), EVENT_CONTROL, 17 },
	{ T("{\"type\":\"a\",\"b\":\"0123456789abcdef0123456789\x01\"}"), EVENT_CONTROL, 43 },
	{ T("{\"type\":\"a\",\"b\":\"\\ud800\"}"), EVENT_SURROGATE, 17 },
	{ T("{\"type\":\"a\",\"b\":\"\\ud800 and more text\"}"), EVENT_SURROGATE, 17 },
	{ T("{\"type\":\"a\",\"b\":\"\\udc00\"}"), EVENT_SURROGATE, 17 },
	{ T("{\"type\":\"a\",\"b\":\"\\uDFFF\\uD800\"}"), EVENT_SURROGATE, 17 },
	{ T("{\"type\":\"a\",\"b\":\"\\ud800\\ud800\"}"), EVENT_SURROGATE, 17 },
	{ T("{\"type\":\"a\",\"b\":\"\\ud800\\u0041\"}"), EVENT_SURROGATE, 17 },
	{ T("{\"type\":\"a\",\"b\":\"\\ud800\\n12345\"}"), EVENT_SURROGATE, 17 },
	{ T("{\"type\":\"a\",\"type\":\"a\"}"), EVENT_DUPLICATE, 12 },
	{ T("{\"type\":\"a\",\"ty\\u0070e\":\"b\"}"), EVENT_DUPLICATE, 12 },
	{ T("{\"ty\\u0070e\":\"a\",\"\\u0074ype\":\"b\"}"), EVENT_DUPLICATE, 17 },
	{ T("{\"type\":\"a\",\"character_name\":\"x\",\"character_name\":\"y\"}"), EVENT_DUPLICATE, 33 },
	{ T("{\"type\":\"a\",\"character\\u005fname\":null,\"character_name\":\"y\"}"), EVENT_DUPLICATE, 39 },
	{ T("{\"type\":\"a\",\"timestamp\":1,\"timest\\u0061mp\":1}"), EVENT_DUPLICATE, 26 },
	{ T("{}"), EVENT_NO_TYPE, 0 },
	{ T("  { }"), EVENT_NO_TYPE, 2 },
	{ T("{\"character_name\":\"x\"}"), EVENT_NO_TYPE, 0 },
	{ T("{\"Type\":\"x\"}"), EVENT_NO_TYPE, 0 },
	{ T("{\"type\":\"\"}"), EVENT_NO_TYPE, 9 },
	{ T("{\"type\":7}"), EVENT_NO_TYPE, 8 },
	{ T("{\"type\":null}"), EVENT_NO_TYPE, 8 },
	{ T("{\"b\":{\"type\":\"x\"}}"), EVENT_NO_TYPE, 0 },
};

START_TEST(valid_events)
{
	struct event e;
	char *p = exact(valid[_i].text, valid[_i].len);
	size_t at;

	ck_assert_msg(event_scan(p, valid[_i].len, &e) == EVENT_OK, "%s at %zu", p, e.error_at);
	ck_assert_int_eq(event_check_json(p, valid[_i].len, &at), EVENT_OK);
	free(p);
}
END_TEST

/* Each also behind blanks, so that every token meets every position within a block of bytes, and the end of the memory. */
START_TEST(invalid_events)
{
	size_t pad, len;
	struct event e;
	char *p;

	for (pad = 0; pad < 33; pad++) {
		len = invalid[_i].len + pad;
		p = xmalloc(len);
		memset(p, ' ', pad);
		memcpy(p + pad, invalid[_i].text, invalid[_i].len);
		ck_assert_str_eq(event_error_word(event_scan(p, len, &e)), event_error_word(invalid[_i].error));
		if (invalid[_i].error != EVENT_EMPTY && invalid[_i].error != EVENT_BOM)
			ck_assert_uint_eq(e.error_at, invalid[_i].at + pad);
		free(p);
	}
}
END_TEST

/* A string body with one odd byte at each of its positions, at each length. */
START_TEST(odd_byte_everywhere)
{
	static const struct { char c; enum event_error error; } odd[] = {
		{ '\n', EVENT_CONTROL }, { '\0', EVENT_NUL }, { '\x80', EVENT_BAD_UTF8 }, { '\x7f', EVENT_OK }, { '!', EVENT_OK },
	};
	size_t len, at, k;
	struct event e;
	char *p;

	for (len = 1; len < 50; len++)
		for (at = 0; at < len; at++)
			for (k = 0; k < LEN(odd); k++) {
				p = xmalloc(len + 11);
				memcpy(p, "{\"type\":\"", 9);
				memset(p + 9, 'x', len);
				memcpy(p + 9 + len, "\"}", 2);
				p[9 + at] = odd[k].c;
				ck_assert_int_eq(event_scan(p, len + 11, &e), odd[k].error);
				if (odd[k].error == EVENT_OK)
					ck_assert_uint_eq(e.type.len, len);
				else
					ck_assert_uint_eq(e.error_at, 9 + at);
				free(p);
			}
}
END_TEST

/* A valid event cut anywhere is refused, and never for want of memory behind it. */
START_TEST(cut_everywhere)
{
	size_t n, len = valid[_i].len;
	struct event e;
	char *p;

	while (strchr(" \t\r\n", valid[_i].text[len - 1]) != NULL)
		len--;
	for (n = 0; n < len; n++) {
		p = exact(valid[_i].text, n);
		ck_assert_int_ne(event_scan(p, n, &e), EVENT_OK);
		free(p);
	}
}
END_TEST

START_TEST(depth)
{
	char text[512];
	struct event e;
	size_t n, i, at;
	int open;

	for (open = 60; open < 70; open++) {
		n = (size_t)sprintf(text, "{\"type\":\"a\",\"x\":");
		for (i = 1; i < (size_t)open; i++)
			n += (size_t)sprintf(text + n, i % 2 ? "[" : "{\"k\":");
		n += (size_t)sprintf(text + n, "1");
		for (i = (size_t)open - 1; i > 0; i--)
			text[n++] = i % 2 ? ']' : '}';
		text[n++] = '}';
		ck_assert_int_eq(event_scan(text, n, &e), open <= EVENT_DEPTH_MAX ? EVENT_OK : EVENT_DEPTH);
		ck_assert_int_eq(event_check_json(text, n, &at), open <= EVENT_DEPTH_MAX ? EVENT_OK : EVENT_DEPTH);
	}
}
END_TEST

START_TEST(deep_flood)
{
	static char text[1000000];
	struct event e;

	memset(text, '[', sizeof text);
	memcpy(text, "{\"type\":", 8);
	ck_assert_int_eq(event_scan(text, sizeof text, &e), EVENT_DEPTH);
}
END_TEST

START_TEST(oversize)
{
	size_t len = EVENT_LINE_MAX + 1;
	char *p = xmalloc(len);
	struct event e;

	memset(p, ' ', len);
	memcpy(p, "{\"type\":\"a\"}", 12);
	ck_assert_int_eq(event_scan(p, EVENT_MAX, &e), EVENT_OK);
	ck_assert_int_eq(event_scan(p, EVENT_MAX + 1, &e), EVENT_OVERSIZE);
	memset(p, ' ', 13);
	memcpy(p, "{\"_seq\":1,\"_rx\":\"\",\"type\":\"a\"}", 30);
	ck_assert_int_eq(event_scan(p, EVENT_LINE_MAX, &e), EVENT_OK);
	ck_assert_int_eq(event_scan(p, EVENT_LINE_MAX + 1, &e), EVENT_OVERSIZE);
	free(p);
}
END_TEST

/* Every word is given by some case above, but for what is too large for a table and what only the bus gives. */
START_TEST(every_word)
{
	unsigned e;
	size_t i;

	ck_assert_str_eq(event_error_word(EVENT_OK), "ok");
	for (e = EVENT_OK + 1; e < EVENT_ERROR_COUNT; e++) {
		ck_assert_uint_gt(strlen(event_error_text(e)), 5);
		for (i = 0; i < strlen(event_error_word(e)); i++)
			ck_assert(strchr("abcdefghijklmnopqrstuvwxyz_8", event_error_word(e)[i]) != NULL);
		for (i = 0; i < LEN(invalid) && invalid[i].error != e; i++)
			;
		ck_assert_msg(i < LEN(invalid) || e == EVENT_OVERSIZE || e == EVENT_DEPTH || e == EVENT_RESERVED, "%s", event_error_word(e));
	}
}
END_TEST

static struct event scanned;

static const struct event *
scan(const char *text)
{
	ck_assert_msg(event_scan(text, strlen(text), &scanned) == EVENT_OK, "%s", text);
	return &scanned;
}

static void
is_text(struct event_value v, const char *text)
{
	ck_assert_msg(v.len == strlen(text) && memcmp(v.p, text, v.len) == 0, "%.*s is not %s", (int)v.len, v.p, text);
}

START_TEST(envelope)
{
	const struct event *e = scan("{\"timestamp\":\"2026-04-21T17:03:11.1234567Z\",\"\\u0074ype\":\"tele\\u006detry\",\"character_name\":\"La\\\"rs\",\"type2\":1}");

	ck_assert_uint_eq(e->n_fields, 4);
	ck_assert_uint_eq(e->reserved, 0);
	ck_assert_int_eq(e->type.kind, EVENT_STRING);
	ck_assert(e->type.escaped);
	ck_assert(event_value_is(e->type, "telemetry"));
	ck_assert(!event_value_is(e->type, "telemetr"));
	ck_assert(!event_value_is(e->type, "telemetryx"));
	is_text(e->character_name, "La\\\"rs");
	ck_assert(event_value_is(e->character_name, "La\"rs"));
	is_text(e->timestamp, "2026-04-21T17:03:11.1234567Z");
	e = scan("{\"type\":\"a\"}");
	ck_assert_int_eq(e->character_name.kind, EVENT_ABSENT);
	ck_assert_int_eq(e->timestamp.kind, EVENT_ABSENT);
}
END_TEST

START_TEST(reserved_names)
{
	ck_assert_uint_eq(scan("{\"type\":\"a\",\"_x\":1,\"\\u005fseq\":2,\"\\u005Frx\":2,\"_\":0,\"\":0,\"a_\":0,\"\\u0041_\":0,\"n\":{\"_in\":1}}")->reserved, 4);
}
END_TEST

START_TEST(fields)
{
	const struct event *e = scan("{\"type\":\"a\",\"s\":\"x\\ny\",\"n\":-1.5e3 ,\"o\":{\"k\":[1]},\"a\":[ ],\"t\":true,\"f\":false,\"z\":null,\"caf\\u00e9\":1,\"\xf0\x9f\x98\x80\":2}");

	is_text(event_get(e, "s"), "x\\ny");
	ck_assert_int_eq(event_get(e, "n").kind, EVENT_NUMBER);
	is_text(event_get(e, "n"), "-1.5e3");
	ck_assert_int_eq(event_get(e, "o").kind, EVENT_OBJECT);
	is_text(event_get(e, "o"), "{\"k\":[1]}");
	ck_assert_int_eq(event_get(e, "a").kind, EVENT_ARRAY);
	is_text(event_get(e, "a"), "[ ]");
	ck_assert_int_eq(event_get(e, "t").kind, EVENT_TRUE);
	ck_assert_int_eq(event_get(e, "f").kind, EVENT_FALSE);
	ck_assert_int_eq(event_get(e, "z").kind, EVENT_NULL);
	is_text(event_get(e, "caf\xc3\xa9"), "1");
	is_text(event_get(e, "\xf0\x9f\x98\x80"), "2");
	ck_assert_int_eq(event_get(e, "k").kind, EVENT_ABSENT);
	ck_assert_int_eq(event_get(e, "").kind, EVENT_ABSENT);
	is_text(event_object_get(event_get(e, "o"), "k"), "[1]");
	ck_assert_int_eq(event_object_get(event_get(e, "o"), "x").kind, EVENT_ABSENT);
	ck_assert_int_eq(event_object_get(event_get(e, "a"), "k").kind, EVENT_ABSENT);
	ck_assert_int_eq(event_object_get(event_get(e, "missing"), "k").kind, EVENT_ABSENT);
}
END_TEST

/* Fields beyond the table are found in the text. */
START_TEST(many_fields)
{
	static char text[20000];
	char name[16];
	const struct event *e;
	size_t n = (size_t)sprintf(text, " {\"type\":\"a\"");
	int i;

	for (i = 0; i < 1000; i++)
		n += (size_t)sprintf(text + n, i % 2 ? ",\"k%d\":%d" : " , \"k%d\" : \"%d\"", i, i);
	sprintf(text + n, ",\"_last\":0}");
	e = scan(text);
	ck_assert_uint_eq(e->n_fields, 1002);
	ck_assert_uint_eq(e->reserved, 1);
	for (i = 0; i < 1000; i++) {
		sprintf(name, "k%d", i);
		ck_assert_int_eq(event_get(e, name).kind, i % 2 ? EVENT_NUMBER : EVENT_STRING);
		is_text(event_get(e, name), name + 1);
	}
	ck_assert_int_eq(event_get(e, "k1000").kind, EVENT_ABSENT);
	ck_assert_int_eq(event_get(e, "_last").kind, EVENT_NUMBER);
}
END_TEST

START_TEST(walking)
{
	const struct event *e = scan("{\"type\":\"a\",\"o\":{ \"a\" : 1 ,\"b\":\"x\",\"c\":{\"d\":[]} },\"l\":[ 1 , \"two\",[3],{} ],\"e\":{ }}");
	struct event_value k, v, o = event_get(e, "o"), l = event_get(e, "l");
	size_t at = 0;

	ck_assert(event_next(o, &at, &k, &v));
	is_text(k, "a");
	is_text(v, "1");
	ck_assert(event_next(o, &at, &k, &v));
	is_text(k, "b");
	is_text(v, "x");
	ck_assert(event_next(o, &at, NULL, &v));
	is_text(v, "{\"d\":[]}");
	ck_assert(!event_next(o, &at, &k, &v));
	ck_assert(!event_next(o, &at, &k, &v));
	at = 0;
	ck_assert(event_next(l, &at, &k, &v));
	ck_assert_int_eq(k.kind, EVENT_ABSENT);
	is_text(v, "1");
	ck_assert(event_next(l, &at, NULL, &v));
	is_text(v, "two");
	ck_assert(event_next(l, &at, NULL, &v));
	is_text(v, "[3]");
	ck_assert(event_next(l, &at, NULL, &v));
	is_text(v, "{}");
	ck_assert(!event_next(l, &at, NULL, &v));
	at = 0;
	ck_assert(!event_next(event_get(e, "e"), &at, &k, &v));
	ck_assert(!event_next(e->type, &at, &k, &v));
	ck_assert(!event_next(event_get(e, "nothing"), &at, &k, &v));
}
END_TEST

START_TEST(strings)
{
	const struct event *e = scan("{\"type\":\"a\",\"s\":\"a\\u00e9\\ud83d\\ude00\\\"\\\\\\/\\b\\f\\n\\r\\t\\u20ac\",\"p\":\"plain\",\"e\":\"\",\"n\":5}");
	static const char want[] = "a\xc3\xa9\xf0\x9f\x98\x80\"\\/\b\f\n\r\t\xe2\x82\xac";
	char out[64];

	ck_assert_int_eq(event_string(event_get(e, "s"), out, sizeof out), sizeof want - 1);
	ck_assert_str_eq(out, want);
	ck_assert(event_value_is(event_get(e, "s"), want));
	ck_assert_int_eq(event_string(event_get(e, "s"), out, sizeof want), sizeof want - 1);
	ck_assert_int_eq(event_string(event_get(e, "s"), out, sizeof want - 1), -1);
	ck_assert_int_eq(event_string(event_get(e, "p"), out, 6), 5);
	ck_assert_str_eq(out, "plain");
	ck_assert_int_eq(event_string(event_get(e, "p"), out, 5), -1);
	ck_assert_int_eq(event_string(event_get(e, "p"), out, 0), -1);
	ck_assert_int_eq(event_string(event_get(e, "e"), out, 1), 0);
	ck_assert_int_eq(event_string(event_get(e, "n"), out, sizeof out), -1);
	ck_assert_int_eq(event_string(event_get(e, "missing"), out, sizeof out), -1);
}
END_TEST

static struct event_value
value(const char *json)
{
	static char text[1024];

	snprintf(text, sizeof text, "{\"type\":\"a\",\"v\":%s}", json);
	return event_get(scan(text), "v");
}

static const struct { const char *json; double want; } doubles[] = {
	{ "0", 0 }, { "-0", 0 }, { "1", 1 }, { "-17.25", -17.25 }, { "0.1", 0.1 }, { "33.58", 33.58 }, { "1e3", 1000 }, { "1E-3", 0.001 },
	{ "9007199254740993", 9007199254740992.0 }, { "1.7976931348623157e308", 1.7976931348623157e308 }, { "5e-324", 5e-324 },
	{ "2.2250738585072014e-308", 2.2250738585072014e-308 }, { "123456789012345678901234567890", 123456789012345678901234567890.0 },
	{ "0.000000000000000000000000000000001", 1e-33 }, { "1e-999", 0 }, { "0e999", 0 }, { "-0.06666667014360428", -0.06666667014360428 },
	{ "\"7.0\"", 7 }, { "\" 12 \"", 12 }, { "\"-3\"", -3 }, { "\"+3\"", 3 }, { "\"1,234\"", 1234 }, { "\"12,345,678.5\"", 12345678.5 }, { "\"-1,234\"", -1234 },
	{ "\"\\u0037.5\"", 7.5 }, { "\"1E+15\"", 1e15 }, { "\".5\"", 0.5 }, { "\"5.\"", 5 }, { "\"007\"", 7 },
};

static const char *const no_numbers[] = {
	"null", "true", "false", "[1]", "{}", "1e999", "-1e999", "\"\"", "\" \"", "\"N/A\"", "\"NaN\"", "\"nan\"", "\"∞\"", "\"-∞\"", "\"Infinity\"", "\"-inf\"",
	"\"0x10\"", "\"1,23\"", "\"1234,567\"", "\",123\"", "\"1,\"", "\"1,2345\"", "\"1,234,56\"", "\"12 34\"", "\"1.2.3\"", "\"1e\"", "\"e5\"", "\"1e+\"", "\"--1\"", "\"-\"",
	"\".\"", "\"5 kills\"", "\"1.234,5\"", "\"1e999\"", "\"1\\u0001\"",
};

static const struct { const char *json; int ok; int64_t want; } ints[] = {
	{ "0", 1, 0 }, { "-0", 1, 0 }, { "0.0", 1, 0 }, { "0e500", 1, 0 }, { "1482", 1, 1482 }, { "-1925474135", 1, -1925474135 }, { "191226310247", 1, 191226310247 },
	{ "9007199254740993", 1, 9007199254740993 }, { "9223372036854775807", 1, INT64_MAX }, { "-9223372036854775808", 1, INT64_MIN },
	{ "9223372036854775808", 0, 0 }, { "-9223372036854775809", 0, 0 }, { "99999999999999999999", 0, 0 }, { "1e18", 1, 1000000000000000000 }, { "1e19", 0, 0 },
	{ "10e18", 0, 0 }, { "1.5", 0, 0 }, { "1.50e1", 1, 15 }, { "1500e-2", 1, 15 }, { "1e-1", 0, 0 }, { "0.1", 0, 0 }, { "7.000000000000000000000000", 1, 7 },
	{ "\"7.0\"", 1, 7 }, { "\" 12 \"", 1, 12 }, { "\"-3\"", 1, -3 }, { "\"1,234\"", 1, 1234 }, { "\"9007199254740993\"", 1, 9007199254740993 },
	{ "\"743.5\"", 0, 0 }, { "\"\"", 0, 0 }, { "\"N/A\"", 0, 0 }, { "null", 0, 0 }, { "true", 0, 0 }, { "1e999", 0, 0 }, { "1e99999999999999999999", 0, 0 },
};

START_TEST(numbers)
{
	double d;
	int64_t n;
	size_t i;

	for (i = 0; i < LEN(doubles); i++) {
		ck_assert_msg(event_double(value(doubles[i].json), &d) == 0, "%s", doubles[i].json);
		ck_assert_msg(d == doubles[i].want, "%s: %.17g", doubles[i].json, d);
	}
	for (i = 0; i < LEN(no_numbers); i++) {
		ck_assert_msg(event_double(value(no_numbers[i]), &d) == -1, "%s: %.17g", no_numbers[i], d);
		ck_assert_msg(event_int(value(no_numbers[i]), &n) == -1, "%s: %" PRId64, no_numbers[i], n);
	}
	for (i = 0; i < LEN(ints); i++) {
		ck_assert_msg(event_int(value(ints[i].json), &n) == (ints[i].ok ? 0 : -1), "%s", ints[i].json);
		if (ints[i].ok)
			ck_assert_msg(n == ints[i].want, "%s: %" PRId64, ints[i].json, n);
	}
}
END_TEST

START_TEST(long_numbers)
{
	char json[512];
	double d;

	memset(json, '1', 255);
	json[255] = '\0';
	ck_assert_int_eq(event_double(value(json), &d), 0);
	ck_assert(d > 1e254 && d < 1.2e254);
	memset(json, '1', 300);
	json[300] = '\0';
	ck_assert_int_eq(event_double(value(json), &d), -1);
}
END_TEST

START_TEST(bools)
{
	static const struct { const char *json; int want; } t[] = {
		{ "true", 1 }, { "false", 0 }, { "\"True\"", 1 }, { "\"false\"", 0 }, { "1", 1 }, { "0", 0 }, { "\"1\"", 1 },
		{ "2", -1 }, { "null", -1 }, { "\"yes\"", -1 }, { "\"\"", -1 }, { "[]", -1 },
	};
	size_t i;
	int b;

	for (i = 0; i < LEN(t); i++) {
		b = -1;
		ck_assert_int_eq(event_bool(value(t[i].json), &b), t[i].want < 0 ? -1 : 0);
		ck_assert_msg(b == t[i].want, "%s", t[i].json);
	}
}
END_TEST

START_TEST(times)
{
	int64_t us;

	ck_assert_int_eq(event_time(scan("{\"type\":\"a\",\"timestamp\":\"2026-04-21T17:03:11.1234567Z\"}"), &us), 0);
	ck_assert_int_eq(us, 1776790991123456);
	ck_assert_int_eq(event_time(scan("{\"type\":\"a\",\"timestamp\":\"2026-04-21T17:03:11\\u002b02:00\"}"), &us), 0);
	ck_assert_int_eq(us, 1776783791000000);
	ck_assert_int_eq(event_time(scan("{\"type\":\"a\",\"timestamp\":\"yesterday\"}"), &us), -1);
	ck_assert_int_eq(event_time(scan("{\"type\":\"a\",\"timestamp\":1776790991}"), &us), -1);
	ck_assert_int_eq(event_time(scan("{\"type\":\"a\"}"), &us), -1);
	ck_assert_int_eq(event_time(scan("{\"type\":\"a\",\"timestamp\":\"2026-04-21T17:03:11.123456789012345678901234567890123456789012345678901234567890\"}"), &us), -1);
}
END_TEST

START_TEST(types)
{
	int i;

	ck_assert_int_gt(event_type_count(), 30);
	for (i = 0; i < event_type_count(); i++)
		ck_assert_int_eq(event_type_id((struct event_value){ event_type_name(i), (uint32_t)strlen(event_type_name(i)), EVENT_STRING, 0 }), i);
	ck_assert_int_eq(event_type_id(scan("{\"type\":\"brand_new\"}")->type), -1);
	ck_assert_str_eq(event_type_name(event_type_id(scan("{\"type\":\"r\\u0061re\"}")->type)), "rare");
	ck_assert_str_eq(event_type_name(-1), "other");
	ck_assert_str_eq(event_type_name(event_type_count()), "other");
	ck_assert(event_type_match("rare", T("rare")));
	ck_assert(!event_type_match("rare", T("rares")));
	ck_assert(!event_type_match("rares", T("rare")));
	ck_assert(event_type_match("share_*", T("share_goodbye")));
	ck_assert(event_type_match("share_*", T("share_")));
	ck_assert(!event_type_match("share_*", T("share")));
	ck_assert(event_type_match("*", T("x")));
	ck_assert(!event_type_match("", T("x")));
}
END_TEST

static const struct { const char *in, *plain, *strip; } writes[] = {
	{ "{\"type\":\"a\"}", "{\"type\":\"a\"}", NULL },
	{ " \r\n{\"type\":\"a\"}\t ", "{\"type\":\"a\"}", NULL },
	{ "{\n\t\"type\" :\r\n\"a\\n\",\"b\":[1,\n2]\n}", "{ \t\"type\" :  \"a\\n\",\"b\":[1, 2] }", NULL },
	{ "{\"_a\":1,\"type\":\"a\"}", "{\"_a\":1,\"type\":\"a\"}", "{\"type\":\"a\"}" },
	{ "{\"type\":\"a\",\"_a\":{\"x\":[1,2]}}", "{\"type\":\"a\",\"_a\":{\"x\":[1,2]}}", "{\"type\":\"a\"}" },
	{ "{\"_a\":\"}\",\"_b\":2,\"type\":\"a\",\"_c\":3,\"x\":1.50,\"_d\":4}", "{\"_a\":\"}\",\"_b\":2,\"type\":\"a\",\"_c\":3,\"x\":1.50,\"_d\":4}", "{\"type\":\"a\",\"x\":1.50}" },
	{ "{ \"type\" : \"a\" , \"\\u005Fx\" : 1 , \"n\" : { \"_in\" : 1 } }", "{ \"type\" : \"a\" , \"\\u005Fx\" : 1 , \"n\" : { \"_in\" : 1 } }", "{ \"type\" : \"a\" , \"n\" : { \"_in\" : 1 } }" },
	{ "{ \"_x\" :\n1\n,\n\"type\"\n:\n\"a\" , \"_y\" : 0 }", "{ \"_x\" : 1 , \"type\" : \"a\" , \"_y\" : 0 }", "{ \"type\" : \"a\" }" },
	{ "{\"type\":\"a\",\"\":1,\"a_\":2,\"\\u0041\":3}", "{\"type\":\"a\",\"\":1,\"a_\":2,\"\\u0041\":3}", NULL },
};

START_TEST(write_events)
{
	const char *in = writes[_i].in, *plain = writes[_i].plain, *strip = writes[_i].strip ? writes[_i].strip : plain;
	char *out = xmalloc(strlen(in) + 1), *stamped = xmalloc(strlen(in) + EVENT_STAMP_MAX), want[512];
	const struct event *e = scan(in);
	struct event again;
	int64_t us;
	uint64_t seq;
	size_t len;

	len = event_write(e, 0, out);
	ck_assert_msg(len == strlen(plain) && memcmp(out, plain, len) == 0, "%.*s", (int)len, out);
	len = event_write(e, 1, out);
	ck_assert_msg(len == strlen(strip) && memcmp(out, strip, len) == 0, "%.*s", (int)len, out);
	len = event_write(e, EVENT_STRIP_STAMP, out);
	ck_assert_uint_eq(event_scan(out, len, &again), EVENT_OK);
	ck_assert_int_eq(event_get(&again, "_seq").kind, EVENT_ABSENT);
	ck_assert_int_eq(event_get(&again, "_rx").kind, EVENT_ABSENT);
	ck_assert_uint_eq(again.n_fields, e->n_fields - (event_get(e, "_seq").kind != EVENT_ABSENT) - (event_get(e, "_rx").kind != EVENT_ABSENT));
	len = event_write_stamped(e, UINT64_C(9223372036854775807), "2026-11-22T13:02:03.123Z", stamped);
	snprintf(want, sizeof want, "{\"_seq\":9223372036854775807,\"_rx\":\"2026-11-22T13:02:03.123Z\",%s", plain + 1);
	ck_assert_msg(len == strlen(want) && memcmp(stamped, want, len) == 0, "%.*s", (int)len, stamped);
	ck_assert_int_eq(event_scan(stamped, len, &again), EVENT_OK);
	ck_assert_int_eq(event_seq(&again, &seq), 0);
	ck_assert_uint_eq(seq, UINT64_C(9223372036854775807));
	ck_assert_int_eq(event_rx(&again, &us), 0);
	ck_assert_int_eq(us, 1795352523123000);
	free(out);
	free(stamped);
}
END_TEST

START_TEST(no_stamp)
{
	uint64_t seq;
	int64_t us;

	ck_assert_int_eq(event_seq(scan("{\"type\":\"a\"}"), &seq), -1);
	ck_assert_int_eq(event_seq(scan("{\"_seq\":\"5\",\"type\":\"a\"}"), &seq), -1);
	ck_assert_int_eq(event_seq(scan("{\"_seq\":-5,\"type\":\"a\"}"), &seq), -1);
	ck_assert_int_eq(event_seq(scan("{\"_seq\":1.5,\"type\":\"a\"}"), &seq), -1);
	ck_assert_int_eq(event_rx(scan("{\"_seq\":1,\"type\":\"a\"}"), &us), -1);
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("event");

	tcase_set_timeout(t, 240);
	tcase_add_loop_test(t, valid_events, 0, LEN(valid));
	tcase_add_loop_test(t, cut_everywhere, 0, LEN(valid));
	tcase_add_loop_test(t, invalid_events, 0, LEN(invalid));
	tcase_add_test(t, odd_byte_everywhere);
	tcase_add_test(t, depth);
	tcase_add_test(t, deep_flood);
	tcase_add_test(t, oversize);
	tcase_add_test(t, every_word);
	tcase_add_test(t, envelope);
	tcase_add_test(t, reserved_names);
	tcase_add_test(t, fields);
	tcase_add_test(t, many_fields);
	tcase_add_test(t, walking);
	tcase_add_test(t, strings);
	tcase_add_test(t, numbers);
	tcase_add_test(t, long_numbers);
	tcase_add_test(t, bools);
	tcase_add_test(t, times);
	tcase_add_test(t, types);
	tcase_add_loop_test(t, write_events, 0, LEN(writes));
	tcase_add_test(t, no_stamp);
	return suite_run(t, "event");
}
