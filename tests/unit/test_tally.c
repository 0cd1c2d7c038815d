/* tally: counts by key within a while; keys side by side; what was quiet longest is forgotten; long keys. */
#include <stdio.h>
#include <string.h>

#include "suite.h"
#include "tally/tally.h"

START_TEST(counts)
{
	struct tally *t = tally_new(64, 1000);
	int64_t left;

	ck_assert_uint_eq(tally_add(t, "a", 5000, &left), 1);
	ck_assert_int_eq(left, 1000);
	ck_assert_uint_eq(tally_add(t, "a", 5400, &left), 2);
	ck_assert_int_eq(left, 600);
	ck_assert_uint_eq(tally_add(t, "b", 5400, NULL), 1);
	ck_assert_uint_eq(tally_add(t, "", 5400, NULL), 1);
	ck_assert_uint_eq(tally_add(t, "a", 5999, &left), 3);
	ck_assert_int_eq(left, 1);
	ck_assert_uint_eq(tally_add(t, "a", 6000, &left), 1);
	ck_assert_int_eq(left, 1000);
	ck_assert_uint_eq(tally_add(t, "b", 6399, NULL), 2);
	tally_free(&t);
	ck_assert_ptr_null(t);
}
END_TEST

/* Eight places: the key that goes on counting is never the one to go. */
START_TEST(forgets_the_quiet)
{
	struct tally *t = tally_new(8, 1000000);
	char key[16];
	int i;

	for (i = 0; i < 1000; i++) {
		ck_assert_uint_eq(tally_add(t, "busy", 2 * i, NULL), (unsigned)i + 1);
		snprintf(key, sizeof(key), "k%d", i);
		ck_assert_uint_eq(tally_add(t, key, 2 * i + 1, NULL), 1);
	}
	ck_assert_uint_eq(tally_add(t, "k999", 3000, NULL), 2);
	ck_assert_uint_eq(tally_add(t, "k0", 3000, NULL), 1);
	tally_free(&t);
}
END_TEST

START_TEST(cuts_long_keys)
{
	struct tally *t = tally_new(8, 1000);
	char key[500];

	memset(key, 'x', sizeof(key));
	key[sizeof(key) - 1] = '\0';
	ck_assert_uint_eq(tally_add(t, key, 0, NULL), 1);
	ck_assert_uint_eq(tally_add(t, key, 0, NULL), 2);
	tally_free(&t);
}
END_TEST

int
main(void)
{
	TCase *c = tcase_create("tally");

	tcase_add_test(c, counts);
	tcase_add_test(c, forgets_the_quiet);
	tcase_add_test(c, cuts_long_keys);
	return suite_run(c, "tally");
}
