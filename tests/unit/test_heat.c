/* heat: counting, summing over hours, order, limits, and the same against a plain sum. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heat/heat.h"
#include "mem/mem.h"
#include "suite.h"

#define HOUR 400000

static struct heat *heat;
static struct buf out = BUF_INIT(1 << 24);

static void
setup(void)
{
	heat = heat_new();
}

static void
teardown(void)
{
	heat_free(&heat);
	buf_fini(&out);
	out.max = 1 << 24;
}

static void
put(int64_t hour, int ew10, int ns10, int64_t mob, int64_t n)
{
	struct heat_hour h = { .hour = hour };

	heat_hour_add(&h, ew10, ns10, mob, n);
	heat_put(heat, &h);
}

static const char *
text(int64_t from, int64_t to, int64_t mob, size_t limit)
{
	uint64_t events;
	size_t points;

	buf_clear(&out);
	ck_assert_int_eq(heat_write(heat, from, to, mob, limit, &out, &points, &events), 0);
	(void)buf_printf(&out, " %zu %ju", points, (uintmax_t)events);
	(void)buf_append(&out, "", 1);
	return buf_data(&out);
}

START_TEST(numbers)
{
	put(HOUR, -33, 105, 1, 7);
	ck_assert_str_eq(text(HOUR, HOUR, HEAT_ALL_MOBS, 10), "{\"ew\":-3.3,\"ns\":10.5,\"intensity\":7} 1 7");
	put(HOUR, 0, -1, 1, 1);
	ck_assert_str_eq(text(HOUR, HOUR, HEAT_ALL_MOBS, 10), "{\"ew\":0,\"ns\":-0.1,\"intensity\":1} 1 1");
	put(HOUR, 1020, -1020, 1, 3000000);
	ck_assert_str_eq(text(HOUR, HOUR, HEAT_ALL_MOBS, 10), "{\"ew\":102,\"ns\":-102,\"intensity\":3000000} 1 3000000");
	put(HOUR, 5000, 1, 1, 1);
	ck_assert_str_eq(text(HOUR, HOUR, HEAT_ALL_MOBS, 10), " 0 0");
	ck_assert_str_eq(text(HOUR, HOUR, HEAT_ALL_MOBS, 0), " 0 0");
}
END_TEST

START_TEST(hours_and_mobs)
{
	put(HOUR, 1, 1, 5, 2);
	put(HOUR + 1, 1, 1, 6, 3);
	put(HOUR + 2, 2, 1, 5, 4);
	ck_assert_int_eq(heat_has(heat, HOUR + 1), 1);
	ck_assert_int_eq(heat_has(heat, HOUR + 3), 0);
	ck_assert_int_eq(heat_has(heat, HOUR + HEAT_HOURS), 0);
	ck_assert_str_eq(text(HOUR, HOUR + 1, HEAT_ALL_MOBS, 10), "{\"ew\":0.1,\"ns\":0.1,\"intensity\":5} 1 5");
	ck_assert_str_eq(text(HOUR, HOUR + 2, 5, 10), "{\"ew\":0.2,\"ns\":0.1,\"intensity\":4},{\"ew\":0.1,\"ns\":0.1,\"intensity\":2} 2 6");
	ck_assert_str_eq(text(HOUR, HOUR + 2, 5, 1), "{\"ew\":0.2,\"ns\":0.1,\"intensity\":4} 1 4");
	ck_assert_str_eq(text(HOUR, HOUR + 2, 7, 10), " 0 0");
	put(HOUR + 1, 9, 9, 1, 1);       /* in its place, not on top */
	ck_assert_str_eq(text(HOUR + 1, HOUR + 1, HEAT_ALL_MOBS, 10), "{\"ew\":0.9,\"ns\":0.9,\"intensity\":1} 1 1");
	heat_forget(heat, HOUR + 2);
	ck_assert_str_eq(text(HOUR, HOUR + 1, HEAT_ALL_MOBS, 10), " 0 0");
	ck_assert_int_eq(heat_has(heat, HOUR + 2), 1);
}
END_TEST

START_TEST(ties_go_by_place)
{
	struct heat_hour h = { .hour = HOUR };

	heat_hour_add(&h, 2, -5, 1, 1);
	heat_hour_add(&h, -2, 5, 1, 1);
	heat_hour_add(&h, -2, -5, 1, 1);
	heat_put(heat, &h);
	ck_assert_str_eq(text(HOUR, HOUR, HEAT_ALL_MOBS, 10),
	    "{\"ew\":-0.2,\"ns\":-0.5,\"intensity\":1},{\"ew\":-0.2,\"ns\":0.5,\"intensity\":1},{\"ew\":0.2,\"ns\":-0.5,\"intensity\":1} 3 3");
}
END_TEST

/* 100,000 entries in 60 hours against a plain array. */
START_TEST(as_a_plain_sum)
{
	static unsigned plain[200][200];
	unsigned long total = 0;
	uint64_t events, rnd = 1;
	size_t cells = 0, points;

	for (int hour = 0; hour < 60; hour++) {
		struct heat_hour h = { .hour = HOUR + hour };

		for (int i = 0; i < 1700; i++) {
			rnd = rnd * UINT64_C(6364136223846793005) + 1442695040888963407u;
			unsigned x = (unsigned)(rnd >> 33) % 200, y = (unsigned)(rnd >> 45) % 200, n = (unsigned)(rnd >> 20) % 9 + 1;
			heat_hour_add(&h, (int)x - 100, (int)y - 100, i % 7, n);
			if (hour >= 10 && hour <= 50) {
				plain[x][y] += n;
				total += n;
			}
		}
		heat_put(heat, &h);
	}
	for (int i = 0; i < 200 * 200; i++)
		cells += plain[i / 200][i % 200] > 0;
	ck_assert_int_eq(heat_write(heat, HOUR + 10, HOUR + 50, HEAT_ALL_MOBS, 1000000, &out, &points, &events), 0);
	(void)buf_append(&out, "", 1);
	ck_assert_uint_eq(points, cells);
	ck_assert_uint_eq(events, total);
	const char *p = buf_data(&out);
	unsigned before = UINT32_MAX;
	double ew, ns;
	unsigned n;
	for (size_t i = 0; i < points; i++) {
		ck_assert_int_eq(sscanf(p, "{\"ew\":%lf,\"ns\":%lf,\"intensity\":%u}", &ew, &ns, &n), 3);
		ck_assert_uint_le(n, before);
		ck_assert_uint_eq(plain[(int)(ew * 10 + 1000.5) - 900][(int)(ns * 10 + 1000.5) - 900], n);
		before = n;
		p = strchr(p, '}') + 2;
	}
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("heat");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, numbers);
	tcase_add_test(t, hours_and_mobs);
	tcase_add_test(t, ties_go_by_place);
	tcase_add_test(t, as_a_plain_sum);
	return suite_run(t, "heat");
}
