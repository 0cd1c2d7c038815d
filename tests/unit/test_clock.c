/* clock: ISO 8601 as events bring it, formatting, and what a person types. */
#include <stdlib.h>
#include <string.h>

#include "clock/clock.h"
#include "suite.h"

static const struct { const char *text; int64_t us; } good[] = {
	{ "1970-01-01T00:00:00Z", 0 },
	{ "2026-04-21T17:03:11.1234567Z", 1776790991123456 },
	{ "2026-04-21T17:03:11Z", 1776790991000000 },
	{ "2026-04-21T17:03:11", 1776790991000000 },
	{ "2026-04-21 17:03:11.5", 1776790991500000 },
	{ " 2026-04-21T17:03:11Z ", 1776790991000000 },
	{ "2026-04-21T19:03:11+02:00", 1776790991000000 },
	{ "2026-04-21T12:03:11-0500", 1776790991000000 },
	{ "2026-04-21T17:03Z", 1776790980000000 },
	{ "2026-04-21T17:03:11.123456789Z", 1776790991123456 },
	{ "1969-12-31T23:59:59.5Z", -500000 },
	{ "2000-02-29T00:00:00Z", 951782400000000 },
	{ "0000-01-01T00:00:00Z", -62167219200000000 },
	{ "9999-12-31T23:59:59.999Z", 253402300799999000 },
};

static const char *const bad[] = { "", "2026", "2026-04-21", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
	"2026-04-21T24:00:00Z", "2026-04-21T17:60:00Z", "2026-04-21T17:03:61Z", "2026-04-21T17:03:11.Z", "2026-04-21T17:03:11.1234567890Z",
	"2026-04-21T17:03:11+2", "2026-04-21T17:03:11+25:00", "2026-04-21T17:03:11Zx", "2026-4-21T17:03:11Z", "x026-04-21T17:03:11Z", "2026-04-21T17:03:11 Z x" };

START_TEST(parses)
{
	int64_t us = 1;

	ck_assert_int_eq(clock_parse_iso(good[_i].text, strlen(good[_i].text), &us), 0);
	ck_assert_int_eq(us, good[_i].us);
}
END_TEST

START_TEST(refuses)
{
	int64_t us;

	ck_assert_int_eq(clock_parse_iso(bad[_i], strlen(bad[_i]), &us), -1);
}
END_TEST

START_TEST(formats_what_it_parses)
{
	char text[CLOCK_ISO_SIZE];
	int64_t us, step = 86400LL * 1000000 * 37 + 12345000;

	for (int64_t t = -62167219200000000; t < 253402300799999000 - step; t += step * 997) {
		ck_assert_uint_eq(clock_format_iso(t, text), 24);
		ck_assert_int_eq(clock_parse_iso(text, 24, &us), 0);
		ck_assert_int_eq(us, t >= 0 ? t - t % 1000 : t - (t % 1000 + 1000) % 1000);
	}
	clock_format_iso(INT64_MAX, text);
	ck_assert_str_eq(text, "9999-12-31T23:59:59.999Z");
	clock_format_iso(INT64_MIN + 1, text);
	ck_assert_str_eq(text, "0000-01-01T00:00:00.000Z");
}
END_TEST

START_TEST(reads_what_a_person_types)
{
	static const struct { const char *text; int64_t us; } t[] = { { "now", 5000000 }, { "-2s", 3000000 }, { "-1m", -55000000 }, { "100", 100000000 },
		{ "1.5", 1500000 }, { "1970-01-02", 86400000000 }, { "1970-01-01T00:00:01Z", 1000000 }, { "-1d", 5000000 - 86400000000 } };
	static const char *const wrong[] = { "", "-5", "5m", "yesterday", "-1w", "1e99", "-m", "--1m", "nan", "inf", "0x10z" };
	int64_t us;

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		ck_assert_msg(clock_parse_human(t[i].text, 5000000, &us) == 0, "%s", t[i].text);
		ck_assert_int_eq(us, t[i].us);
	}
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		ck_assert_msg(clock_parse_human(wrong[i], 5000000, &us) == -1, "%s", wrong[i]);
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("clock");

	tcase_add_loop_test(t, parses, 0, sizeof good / sizeof *good);
	tcase_add_loop_test(t, refuses, 0, sizeof bad / sizeof *bad);
	tcase_add_test(t, formats_what_it_parses);
	tcase_add_test(t, reads_what_a_person_types);
	return suite_run(t, "clock");
}
