/* totals: counters that grow, are reset, come twice, late, in another order, or without a time. */
#include <stdlib.h>

#include "suite.h"
#include "totals/totals.h"

#define NONE TOTALS_NO_TIME
#define REPORTS 8

static const struct {
	const char *what;
	int64_t want;
	struct { int64_t at, value; } report[REPORTS];
} cases[] = {
	{ "grows", 100, { { 1, 5 }, { 2, 20 }, { 3, 100 } } },
	{ "stays", 5, { { 1, 5 }, { 2, 5 }, { 3, 5 } } },
	{ "begins in the middle", 1482, { { 1, 1482 } } },
	{ "reset", 103, { { 1, 100 }, { 2, 0 }, { 3, 3 } } },
	{ "reset to a value", 110, { { 1, 100 }, { 2, 10 } } },
	{ "two resets", 12, { { 1, 5 }, { 2, 3 }, { 3, 4 }, { 4, 3 } } },
	{ "late report", 100, { { 1, 5 }, { 3, 100 }, { 2, 50 } } },
	{ "the same time grows", 7, { { 1, 5 }, { 1, 7 } } },
	{ "the same time never resets", 7, { { 1, 7 }, { 1, 5 }, { 1, 7 } } },
	{ "no time grows", 9, { { NONE, 5 }, { NONE, 9 } } },
	{ "no time never resets", 9, { { NONE, 9 }, { NONE, 3 }, { NONE, 9 } } },
	{ "no time between", 20, { { 1, 10 }, { NONE, 12 }, { 2, 20 } } },
	{ "time before 1970 is old", 5, { { 1, 5 }, { -1, 50 } } },
};

static int64_t
feed(struct totals_counter *c, int i)
{
	int64_t sum = 0;

	for (int k = 0; k < REPORTS && cases[i].report[k].at != 0; k++)
		sum += totals_step(c, cases[i].report[k].value, cases[i].report[k].at);
	return sum;
}

START_TEST(sums)
{
	struct totals_counter c = { 0 };

	ck_assert_msg(feed(&c, _i) == cases[_i].want, "%s", cases[_i].what);
}
END_TEST

START_TEST(twice_is_once)
{
	struct totals_counter c = { 0 };

	(void)feed(&c, _i);
	ck_assert_msg(feed(&c, _i) == 0, "%s", cases[_i].what);
	ck_assert_msg(feed(&c, _i) == 0, "%s", cases[_i].what);
}
END_TEST

/* A random walk with resets: its total is what the steps say, its replay nothing, and so is the replay of any part of it. */
START_TEST(walks)
{
	enum { N = 2000 };
	static int64_t at[N], value[N];
	struct totals_counter c = { 0 };
	int64_t now = 1, v = 0, sum = 0, want = 0;

	srand((unsigned)_i);
	for (int i = 0; i < N; i++) {
		int64_t was = v;
		now += rand() % 3;               /* some at the same time, then without reset */
		if (rand() % 50 == 0 && (i == 0 || now > at[i - 1]))
			v = rand() % 3;
		else
			v += rand() % 10;
		want += v >= was ? v - was : v;
		at[i] = now;
		value[i] = v;
		sum += totals_step(&c, v, now);
	}
	ck_assert_int_eq(sum, want);
	for (int i = 0; i < N; i++)
		ck_assert_int_eq(totals_step(&c, value[i], at[i]), 0);
	for (int i = N / 3; i < N / 2; i++)
		ck_assert_int_eq(totals_step(&c, value[i], at[i]), 0);
}
END_TEST

START_TEST(stated)
{
	struct totals_stated s = { 0 };

	totals_state(&s, 17, 10);
	totals_state(&s, 16, 5);
	ck_assert_int_eq(s.total, 17);
	totals_state(&s, 3, 20);                 /* a new character of the old name */
	ck_assert_int_eq(s.total, 3);
	totals_state(&s, 2, NONE);
	ck_assert_int_eq(s.total, 3);
	totals_state(&s, 4, NONE);
	ck_assert_int_eq(s.total, 4);
	ck_assert_int_eq(s.at_us, 20);
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("totals");

	tcase_add_loop_test(t, sums, 0, sizeof cases / sizeof *cases);
	tcase_add_loop_test(t, twice_is_once, 0, sizeof cases / sizeof *cases);
	tcase_add_loop_test(t, walks, 0, 20);
	tcase_add_test(t, stated);
	return suite_run(t, "accumulate");
}
