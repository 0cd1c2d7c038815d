/* What dt-store adds to the roll-ups per batch: rows by character and minute, spawns by hour, cell and monster. */
#include "suite.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../../cmd/dt-store/rollup.c"

#define T0 INT64_C(1795352580000000)       /* 2026-11-22 13:03:00 */

static char text[4096];

static const char *
taken(struct buf *b)
{
	snprintf(text, sizeof text, "%.*s", (int)buf_size(b), buf_size(b) > 0 ? buf_data(b) : "");
	buf_fini(b);
	return text;
}

static const char *
cells(const struct rollup *r)
{
	struct buf b = BUF_INIT(sizeof text - 1);

	ck_assert_int_eq(rollup_write_cells(r, &b), 0);
	return taken(&b);
}

static const char *
minutes(const struct rollup *r, const char *rows)
{
	struct buf b = BUF_INIT(sizeof text - 1);

	ck_assert_int_eq(rollup_write_minutes(r, rows, &b), 0);
	return taken(&b);
}

START_TEST(rows)
{
	static const char all[] = "one\ntwo\nthree\nfour\n";
	static const double a[] = { 100, 1, NAN, 7, 30 }, b[] = { 300, 2, NAN, NAN, 40 }, none[] = { NAN, NAN, NAN, NAN, NAN };
	struct rollup r = { 0 };

	rollup_add_row(&r, T0, 1, 5, a, 0, 3);
	rollup_add_row(&r, T0 + 59999999, 1, 3, b, 4, 3);
	rollup_add_row(&r, T0 + 60000000, 1, -1, none, 8, 5);
	rollup_add_row(&r, T0, 2, 0, a, 14, 4);
	ck_assert_str_eq(minutes(&r, all),
	    "two\t2\t5\t2\t400\t2\t3\t0\t0\t1\t7\t2\t70\n"
	    "three\t1\t\\N\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\n"
	    "four\t1\t0\t1\t100\t1\t1\t0\t0\t1\t7\t1\t30\n");
	rollup_clear(&r);
	ck_assert_str_eq(minutes(&r, all), "");
	rollup_add_row(&r, T0, 1, 0, b, 0, 3);
	ck_assert_str_eq(minutes(&r, all), "one\t1\t0\t1\t300\t1\t2\t0\t0\t0\t0\t1\t40\n");
	rollup_fini(&r);
}
END_TEST

/* A sum is of what the columns hold: single precision. */
START_TEST(precision)
{
	static const double a[] = { 0.1, NAN, NAN, NAN, NAN };
	struct rollup r = { 0 };

	rollup_add_row(&r, T0, 1, -1, a, 0, 1);
	ck_assert_str_eq(minutes(&r, "x"), "x\t1\t\\N\t1\t0.10000000149011612\t0\t0\t0\t0\t0\t0\t0\t0\n");
	rollup_fini(&r);
}
END_TEST

START_TEST(spawns)
{
	struct rollup r = { 0 };

	rollup_add_spawn(&r, T0, 9, 10.01, -3.3);
	rollup_add_spawn(&r, T0, 9, 10.04, -3.26);
	rollup_add_spawn(&r, T0, 8, 10.04, -3.3);
	rollup_add_spawn(&r, T0 + HOUR_US, 9, 10, -3.3);
	rollup_add_spawn(&r, T0, 9, 1000, -1000);
	rollup_add_spawn(&r, -1, 9, 0.25, 0.75);
	ck_assert_str_eq(cells(&r),
	    "2026-11-22 13:00:00.000000+00\t100\t-33\t9\t2\n"
	    "2026-11-22 13:00:00.000000+00\t100\t-33\t8\t1\n"
	    "2026-11-22 14:00:00.000000+00\t100\t-33\t9\t1\n"
	    "2026-11-22 13:00:00.000000+00\t10000\t-10000\t9\t1\n"
	    "1969-12-31 23:00:00.000000+00\t2\t8\t9\t1\n");
	rollup_fini(&r);
}
END_TEST

/* Many, several times over: counts by the rule against a plain array. */
START_TEST(many)
{
	static uint32_t want[40][50];
	static const double none[] = { NAN, NAN, NAN, NAN, NAN };
	struct rollup r = { 0 };

	for (int round = 0; round < 3; round++) {
		memset(want, 0, sizeof want);
		for (unsigned i = 0; i < 20000; i++) {
			unsigned c = i * 7919 % 40, m = i * 104729 % 50;
			want[c][m]++;
			rollup_add_row(&r, T0 + m * MINUTE_US, c, i, none, 0, 0);
			rollup_add_spawn(&r, T0 + m * HOUR_US, c, c, -(double)m);
		}
		ck_assert_uint_le(r.n_minutes, 2000);
		ck_assert_uint_eq(r.n_minutes, r.n_cells);
		for (size_t i = 0; i < r.n_minutes; i++) {
			ck_assert_uint_eq(r.minute[i].n, want[r.minute[i].character][r.minute[i].minute - T0 / MINUTE_US]);
			ck_assert_uint_eq(r.cell[i].n, want[r.cell[i].mob][r.cell[i].hour - T0 / HOUR_US]);
		}
		rollup_clear(&r);
	}
	rollup_fini(&r);
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("rollup");

	tcase_add_test(t, rows);
	tcase_add_test(t, precision);
	tcase_add_test(t, spawns);
	tcase_add_test(t, many);
	return suite_run(t, "rollup");
}
