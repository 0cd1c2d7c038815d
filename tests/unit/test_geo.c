/* Places: landcells to map degrees and back, as text, and the names of landblocks. */
#include <stdlib.h>
#include <string.h>

#include "geo/geo.h"
#include "suite.h"

START_TEST(holtburg_life_stone)
{
	struct geo_place p;
	char text[GEO_TEXT_SIZE];
	int32_t ew = geo_udeg(0xA9, 84000), ns = geo_udeg(0xB4, 7100);

	ck_assert_int_eq(ew, 33600000);
	ck_assert_int_eq(ns, 42079583);
	geo_format((double)ns / GEO_UDEG, (double)ew / GEO_UDEG, text);
	ck_assert_str_eq(text, "42.1N, 33.6E");
	ck_assert_int_eq(geo_place_udeg(ns, ew, &p), 0);
	ck_assert_uint_eq(p.landcell, 0xA9B40019);
	ck_assert_int_eq(p.x_mm, 84000);
	ck_assert_int_eq(p.y_mm, 7100);
}
END_TEST

START_TEST(edges_of_the_map)
{
	struct geo_place p;

	ck_assert_int_eq(geo_place_udeg(GEO_MIN_UDEG, GEO_MIN_UDEG, &p), 0);
	ck_assert_uint_eq(p.landcell, 0x00000001);
	ck_assert_int_eq(p.x_mm, 0);
	ck_assert_int_eq(geo_place_udeg(GEO_MAX_UDEG - 1, GEO_MAX_UDEG - 1, &p), 0);
	ck_assert_uint_eq(p.landcell, 0xFEFE0040);
	ck_assert_int_eq(geo_place_udeg(GEO_MIN_UDEG - 1, 0, &p), -1);
	ck_assert_int_eq(geo_place_udeg(0, GEO_MAX_UDEG, &p), -1);
}
END_TEST

/* Back and forth is the same place to a few millionths of a degree, and cells keep their 24 m squares. */
START_TEST(round_trip)
{
	for (int32_t ns = GEO_MIN_UDEG + 12345; ns < GEO_MAX_UDEG; ns += 1700000)
		for (int32_t ew = GEO_MIN_UDEG + 777; ew < GEO_MAX_UDEG; ew += 100000) {
			struct geo_place p;
			int32_t ns2, ew2;

			ck_assert_int_eq(geo_place_udeg(ns, ew, &p), 0);
			ew2 = geo_udeg(p.landcell >> 24, p.x_mm);
			ns2 = geo_udeg(p.landcell >> 16 & 0xff, p.y_mm);
			ck_assert_int_le(abs(ew2 - ew), 5);
			ck_assert_int_le(abs(ns2 - ns), 5);
			ck_assert_int_eq((int)(p.landcell & 0xffff), p.x_mm / 24000 * 8 + p.y_mm / 24000 + 1);
		}
}
END_TEST

START_TEST(text_out)
{
	static const struct { double ns, ew; const char *text; } cases[] = {
		{ 42.1, 33.6, "42.1N, 33.6E" }, { -0.04, -0.04, "0.0N, 0.0E" }, { -0.06, 0.06, "0.1S, 0.1E" },
		{ -101.95, 101.96, "102.0S, 102.0E" }, { 7.25, -3.5, "7.3N, 3.5W" }, { 1e9, 1e9, "0.0N, 0.0E" },
	};
	char text[GEO_TEXT_SIZE];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ck_assert_uint_eq(geo_format(cases[i].ns, cases[i].ew, text), strlen(cases[i].text));
		ck_assert_str_eq(text, cases[i].text);
	}
}
END_TEST

START_TEST(landblocks)
{
	static const char *const seven[] = { "7", "07", "0007", "0x0007", "0X7", "00070000", "0007FFFF", "0x0007ffff" };
	static const char *const bad[] = { "", "0x", "g", "00007", "000700001", "-7", "7 " };
	uint16_t b;

	for (size_t i = 0; i < sizeof seven / sizeof *seven; i++) {
		b = 0;
		ck_assert_msg(geo_parse_landblock(seven[i], strlen(seven[i]), &b) == 0 && b == 7, "%s", seven[i]);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(geo_parse_landblock(bad[i], strlen(bad[i]), &b) == -1, "%s", bad[i]);
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("geo");

	tcase_add_test(t, holtburg_life_stone);
	tcase_add_test(t, edges_of_the_map);
	tcase_add_test(t, round_trip);
	tcase_add_test(t, text_out);
	tcase_add_test(t, landblocks);
	return suite_run(t, "geo");
}
