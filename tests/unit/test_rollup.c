/* What dt-store adds to the roll-ups per batch: rows by character and minute, spawns by hour, cell and monster. */
#include "suite.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../../cmd/dt-store/binary.c"
#include "../../cmd/dt-store/column.c"
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

/* Rows of a column that counts them, all of one length. */
#define ROW_BYTES 10
static const char *
numbered(unsigned n)
{
	static char bytes[ROW_BYTES * 8];
	char *p = bytes;

	for (unsigned i = 0; i < n; i++)
		p = bin_int(bin_row(p, 1), i);
	ck_assert_uint_eq((size_t)(p - bytes), ROW_BYTES * n);
	return bytes;
}

static size_t
take_column(const char **p, uint64_t *n)
{
	uint32_t len;

	memcpy(&len, *p, sizeof len);
	len = be32toh(len);
	*p += sizeof len;
	*n = 0;
	if (len == UINT32_MAX)
		return 0;
	for (uint32_t i = 0; i < len; i++)
		*n = *n << 8 | (unsigned char)*(*p)++;
	return len;
}

/* What COPY would read: a line a row. */
static const char *
as_text(struct buf *b)
{
	const char *p = buf_data(b), *end = p + buf_size(b);
	int at = 0;

	text[0] = '\0';
	while (p < end) {
		int columns = bin_columns(p);
		p += BINARY_ROW_BYTES;
		for (int i = 0; i < columns; i++) {
			uint64_t n;
			size_t len = take_column(&p, &n);
			double x;
			memcpy(&x, &n, sizeof x);
			at += snprintf(text + at, sizeof text - (size_t)at, len == 0 ? "\\N" : len == 8 ? "%.17g" : "%.0f", len == 8 ? x : (double)n);
			at += snprintf(text + at, sizeof text - (size_t)at, i + 1 < columns ? "\t" : "\n");
		}
	}
	buf_fini(b);
	return text;
}

static const char *
minutes(const struct rollup *r, const char *rows)
{
	struct buf b = BUF_INIT(sizeof text - 1);

	ck_assert_int_eq(rollup_write_minutes(r, rows, &b), 0);
	return as_text(&b);
}

START_TEST(rows)
{
	const char *all = numbered(4);
	static const double a[] = { 100, 1, NAN, 7, 30 }, b[] = { 300, 2, NAN, NAN, 40 }, none[] = { NAN, NAN, NAN, NAN, NAN };
	struct rollup r = { 0 };

	rollup_add_row(&r, T0, 1, 5, a, 0, ROW_BYTES);
	rollup_add_row(&r, T0 + 59999999, 1, 3, b, ROW_BYTES, ROW_BYTES);
	rollup_add_row(&r, T0 + 60000000, 1, -1, none, 2 * ROW_BYTES, ROW_BYTES);
	rollup_add_row(&r, T0, 2, 0, a, 3 * ROW_BYTES, ROW_BYTES);
	ck_assert_str_eq(minutes(&r, all),
	    "1\t2\t5\t2\t400\t2\t3\t0\t0\t1\t7\t2\t70\n"
	    "2\t1\t\\N\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\n"
	    "3\t1\t0\t1\t100\t1\t1\t0\t0\t1\t7\t1\t30\n");
	rollup_clear(&r);
	ck_assert_str_eq(minutes(&r, all), "");
	rollup_add_row(&r, T0, 1, 0, b, 0, ROW_BYTES);
	ck_assert_str_eq(minutes(&r, all), "0\t1\t0\t1\t300\t1\t2\t0\t0\t0\t0\t1\t40\n");
	rollup_fini(&r);
}
END_TEST

/* A sum is of what the columns hold: single precision. */
START_TEST(precision)
{
	static const double a[] = { 0.1, NAN, NAN, NAN, NAN };
	struct rollup r = { 0 };

	rollup_add_row(&r, T0, 1, -1, a, 0, ROW_BYTES);
	ck_assert_str_eq(minutes(&r, numbered(1)), "0\t1\t\\N\t1\t0.10000000149011612\t0\t0\t0\t0\t0\t0\t0\t0\n");
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
