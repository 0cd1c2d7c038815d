#include <stdio.h>

#include "account/throttle.h"
#include "suite.h"

#define SECOND 1000
#define MINUTE (60 * SECOND)

static struct throttle *t;

static void
setup(void)
{
	t = throttle_new();
}

static void
teardown(void)
{
	throttle_free(&t);
}

START_TEST(F40_an_account_waits_after_five_failures_and_twice_as_long_after_each_more)
{
	int64_t now = 1, wait = 1 * SECOND;
	char address[32];
	int n;

	for (n = 0; n < 30; n++) {
		snprintf(address, sizeof address, "9.0.0.%d", n);
		ck_assert_int_eq(throttle_wait(t, "anna", address, now), 0);
		throttle_failed(t, "anna", now);
		if (n < 4)
			continue;
		ck_assert_int_eq(throttle_wait(t, "anna", "9.0.1.1", now), wait);
		ck_assert_int_eq(throttle_wait(t, "anna", "9.0.1.1", now + wait - 1), 1);
		now += wait;
		wait = wait * 2 < 5 * MINUTE ? wait * 2 : 5 * MINUTE;
	}
	ck_assert_int_eq(wait, 5 * MINUTE);
	ck_assert_int_eq(throttle_wait(t, "otto", "9.0.1.2", now), 0);
}
END_TEST

START_TEST(F40_who_gets_it_right_and_who_stays_away_begins_anew)
{
	int n;

	for (n = 0; n < 8; n++)
		throttle_failed(t, "anna", 1);
	ck_assert_int_gt(throttle_wait(t, "anna", "9.0.0.1", 1), 0);
	throttle_succeeded(t, "anna");
	ck_assert_int_eq(throttle_wait(t, "anna", "9.0.0.1", 1), 0);
	for (n = 0; n < 8; n++)
		throttle_failed(t, "anna", 1);
	for (n = 0; n < 4; n++)
		throttle_failed(t, "anna", 2 * 60 * MINUTE);
	ck_assert_int_eq(throttle_wait(t, "anna", "9.0.0.1", 2 * 60 * MINUTE), 0);
}
END_TEST

static void
twenty(const char *address, int vary)
{
	char account[16], each[64];
	int n;

	for (n = 0; n < 25; n++) {
		snprintf(account, sizeof account, "u%d", n);
		snprintf(each, sizeof each, "%s%.0x", address, vary * n);
		ck_assert_int_eq(throttle_wait(t, account, each, 1 + n), n < 20 ? 0 : MINUTE - n);
	}
	ck_assert_int_eq(throttle_wait(t, "u", each, 1 + MINUTE), 0);
}

START_TEST(F40_an_address_has_twenty_tries_a_minute)
{
	twenty("9.0.0.1", 0);
	twenty("::ffff:9.0.0.2", 0);
	twenty("", 0);
	ck_assert_int_eq(throttle_wait(t, "u", "9.0.0.3", 1), 0);
	ck_assert_int_eq(throttle_wait(t, "u", "::ffff:9.0.0.4", 1), 0);
}
END_TEST

START_TEST(F40_so_has_the_network_of_an_IPv6_address)
{
	twenty("2001:db8:1:2::", 1);
	ck_assert_int_eq(throttle_wait(t, "u", "2001:db8:1:3::1", 1), 0);
}
END_TEST

START_TEST(many_names_and_addresses_take_no_more_memory)
{
	char account[64], address[32];
	int n;

	for (n = 0; n < 100000; n++) {
		snprintf(account, sizeof account, "a name that is longer than others and ends in %d", n);
		snprintf(address, sizeof address, "9.%d.%d.%d", n >> 16, n >> 8 & 255, n & 255);
		ck_assert_int_eq(throttle_wait(t, account, address, n), 0);
		throttle_failed(t, account, n);
	}
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("throttle");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, F40_an_account_waits_after_five_failures_and_twice_as_long_after_each_more);
	tcase_add_test(tc, F40_who_gets_it_right_and_who_stays_away_begins_anew);
	tcase_add_test(tc, F40_an_address_has_twenty_tries_a_minute);
	tcase_add_test(tc, F40_so_has_the_network_of_an_IPv6_address);
	tcase_add_test(tc, many_names_and_addresses_take_no_more_memory);
	return suite_run(tc, "throttle");
}
