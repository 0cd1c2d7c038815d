/* Places: landcells to map degrees and back, distances, and both text forms. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "geo/geo.h"
#include "suite.h"

START_TEST(holtburg_life_stone)
{
	double ns, ew, x, y;
	uint32_t cell;
	char text[GEO_TEXT_SIZE];

	geo_to_map(0xA9B40019, 84, 7.1, &ns, &ew);
	ck_assert_double_eq_tol(ew, 33.60, 1e-9);
	ck_assert_double_eq_tol(ns, 42.079583, 1e-9);
	geo_format(ns, ew, text);
	ck_assert_str_eq(text, "42.1N, 33.6E");
	ck_assert_int_eq(geo_to_landcell(ns, ew, &cell, &x, &y), 0);
	ck_assert_uint_eq(cell, 0xA9B40019);
	ck_assert_double_eq_tol(x, 84, 0.001);
	ck_assert_double_eq_tol(y, 7.1, 0.001);
}
END_TEST

START_TEST(edges_of_the_map)
{
	double x, y;
	uint32_t cell;

	ck_assert_int_eq(geo_to_landcell(-101.95, -101.95, &cell, &x, &y), 0);
	ck_assert_uint_eq(cell, 0x00000001);
	ck_assert_double_eq(x, 0);
	ck_assert_int_eq(geo_to_landcell(102.049, 102.049, &cell, &x, &y), 0);
	ck_assert_uint_eq(cell, 0xFEFE0040);
	ck_assert_int_eq(geo_to_landcell(-101.951, 0, &cell, &x, &y), -1);
	ck_assert_int_eq(geo_to_landcell(0, 102.05, &cell, &x, &y), -1);
	ck_assert_int_eq(geo_to_landcell((double)NAN, 0, &cell, &x, &y), -1);
	ck_assert_int_eq(geo_to_landcell(0, (double)INFINITY, &cell, &x, &y), -1);
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
			ck_assert(!geo_is_indoors(p.landcell));
		}
}
END_TEST

START_TEST(dungeons_lie_off_the_map)
{
	double ns, ew;

	geo_to_map(0x00070145, 50, -60, &ns, &ew);    /* Town Network */
	ck_assert(ew < GEO_OFF_MAP_EW);
	ck_assert(geo_is_indoors(0x00070145));
	geo_to_map(0x01E30100, 1e12, (double)NAN, &ns, &ew);    /* nonsense stays finite */
	ck_assert(isfinite(ns) && isfinite(ew));
}
END_TEST

START_TEST(distances)
{
	ck_assert_double_eq_tol(geo_distance_m(0, 0, 0, 1), 240, 1e-9);
	ck_assert_double_eq_tol(geo_distance_m(1, 1, 4, 5), 1200, 1e-9);
	ck_assert_double_eq(geo_distance_m(42.1, 33.6, 42.1, 33.6), 0);
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

START_TEST(text_in)
{
	static const struct { const char *text; double ns, ew, z; } good[] = {
		{ "42.1N, 33.6E", 42.1, 33.6, 0 }, { "42.1N 33.6E", 42.1, 33.6, 0 }, { "42.1n,33.6e", 42.1, 33.6, 0 },
		{ " 42.1S , 33.6W, 0.39Z ", -42.1, -33.6, 0.39 }, { "0.0n0.0e", 0, 0, 0 }, { "7N 3W -1.5z", 7, -3, -1.5 },
	};
	static const char *const bad[] = {
		"", "42.1N", "42.1, 33.6", "33.6E, 42.1N", "-42.1N, 33.6E", "42.1N, 33.6E, x", "102.1N, 0E", "N, E", "1e3N, 2E",
		"42.1N, 33.6E, 0.39", "99999999999999999999N, 1E",
	};
	double ns, ew, z;

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		ck_assert_msg(geo_parse(good[i].text, strlen(good[i].text), &ns, &ew, &z) == 0, "%s", good[i].text);
		ck_assert_double_eq_tol(ns, good[i].ns, 1e-9);
		ck_assert_double_eq_tol(ew, good[i].ew, 1e-9);
		ck_assert_double_eq_tol(z, good[i].z, 1e-9);
	}
	ns = 5;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(geo_parse(bad[i], strlen(bad[i]), &ns, &ew, NULL) == -1, "%s", bad[i]);
	ck_assert_double_eq(ns, 5);
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
	tcase_add_test(t, dungeons_lie_off_the_map);
	tcase_add_test(t, distances);
	tcase_add_test(t, text_out);
	tcase_add_test(t, text_in);
	tcase_add_test(t, landblocks);
	return suite_run(t, "geo");
}
