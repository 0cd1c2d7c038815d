#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "account/account.h"
#include "account/hash.h"
#include "loop/loop.h"
#include "suite.h"

#define MINUTE INT64_C(60000000)
#define HOUR (60 * MINUTE)
#define NOW INT64_C(1800000000000000)

static char dir[64], path[96];
static struct accounts *a;

static struct accounts *
open_again(void)
{
	struct accounts_config config = { .path = path, .idle_us = 30 * MINUTE, .max_us = 12 * HOUR };

	return accounts_open(&config);
}

static void
setup(void)
{
	strcpy(dir, "/tmp/test_account.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/accounts.db", dir);
	a = open_again();
}

static void
teardown(void)
{
	static const char *const suffix[] = { "", "-wal", "-shm" };
	char name[128];

	accounts_free(&a);
	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof name, "%s%s", path, suffix[i]);
		(void)unlink(name);
	}
	(void)rmdir(dir);
}

START_TEST(the_file_is_private)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
}
END_TEST

START_TEST(users_and_what_is_refused)
{
	struct account one;

	ck_assert(!accounts_any(a));
	ck_assert_int_eq(accounts_add(a, "larsson", "h", ACCOUNT_ADMIN, NOW), ACCOUNT_OK);
	ck_assert(accounts_any(a));
	ck_assert_int_eq(accounts_add(a, "larsson", "h", ACCOUNT_VIEWER, NOW), ACCOUNT_EXISTS);
	ck_assert_int_eq(accounts_add(a, "two words", "h", ACCOUNT_VIEWER, NOW), ACCOUNT_BAD_NAME);
	ck_assert_int_eq(accounts_add(a, "", "h", ACCOUNT_VIEWER, NOW), ACCOUNT_BAD_NAME);
	ck_assert_int_eq(accounts_add(a, "x'; drop table users; --", "h", ACCOUNT_VIEWER, NOW), ACCOUNT_BAD_NAME);
	ck_assert_int_eq(accounts_get(a, "Larsson", &one), ACCOUNT_UNKNOWN);
	ck_assert_int_eq(accounts_get(a, "larsson", &one), ACCOUNT_OK);
	ck_assert_int_eq(one.role, ACCOUNT_ADMIN);
	ck_assert_int_eq(one.created_us, NOW);
	ck_assert_int_eq(one.login_us, 0);
}
END_TEST

START_TEST(the_last_admin_stays)
{
	ck_assert_int_eq(accounts_add(a, "one", "h", ACCOUNT_ADMIN, NOW), ACCOUNT_OK);
	ck_assert_int_eq(accounts_set_role(a, "one", ACCOUNT_VIEWER), ACCOUNT_LAST_ADMIN);
	ck_assert_int_eq(accounts_delete(a, "one"), ACCOUNT_LAST_ADMIN);
	ck_assert_int_eq(accounts_add(a, "two", "h", ACCOUNT_ADMIN, NOW), ACCOUNT_OK);
	ck_assert_int_eq(accounts_delete(a, "one"), ACCOUNT_OK);
	ck_assert_int_eq(accounts_delete(a, "one"), ACCOUNT_UNKNOWN);
	ck_assert_int_eq(accounts_set_role(a, "nobody", ACCOUNT_VIEWER), ACCOUNT_UNKNOWN);
}
END_TEST

START_TEST(F42_a_session_ends_when_idle_and_at_the_latest)
{
	char key[ACCOUNT_KEY_SIZE], other[ACCOUNT_KEY_SIZE];
	struct account_who who;
	int64_t t;

	ck_assert_int_eq(accounts_login(a, "one", NOW, key, &who), ACCOUNT_UNKNOWN);
	ck_assert_int_eq(accounts_add(a, "one", "h", ACCOUNT_OPERATOR, NOW), ACCOUNT_OK);
	ck_assert_int_eq(accounts_login(a, "one", NOW, key, &who), ACCOUNT_OK);
	ck_assert_int_eq(accounts_login(a, "one", NOW, other, &who), ACCOUNT_OK);
	ck_assert_str_ne(key, other);
	ck_assert_int_eq(who.role, ACCOUNT_OPERATOR);
	ck_assert_int_eq(who.expires_us, NOW + 30 * MINUTE);
	for (t = NOW; t < NOW + 12 * HOUR; t += 29 * MINUTE)
		ck_assert_int_eq(accounts_session(a, key, t, &who), 0);
	ck_assert_int_eq(who.expires_us, NOW + 12 * HOUR);
	ck_assert_int_eq(accounts_session(a, key, NOW + 12 * HOUR + 1, &who), -1);
	ck_assert_int_eq(accounts_session(a, other, NOW + 31 * MINUTE, &who), -1);
	ck_assert_int_eq(accounts_session(a, "", NOW, &who), -1);
	ck_assert_int_eq(accounts_session(a, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", NOW, &who), -1);
}
END_TEST

START_TEST(a_connection_that_looks_does_not_keep_its_session)
{
	char key[ACCOUNT_KEY_SIZE];
	struct account_who who;

	ck_assert_int_eq(accounts_add(a, "one", "h", ACCOUNT_VIEWER, NOW), ACCOUNT_OK);
	ck_assert_int_eq(accounts_login(a, "one", NOW, key, &who), ACCOUNT_OK);
	ck_assert_int_eq(accounts_still(a, &who, 0, NOW + 29 * MINUTE), 0);
	ck_assert_int_eq(accounts_still(a, &who, 0, NOW + 31 * MINUTE), -1);
	ck_assert_int_eq(accounts_still(a, &who, 1, NOW + 29 * MINUTE), 0);
	ck_assert_int_eq(accounts_still(a, &who, 0, NOW + 31 * MINUTE), 0);
}
END_TEST

START_TEST(F42_what_ends_a_session)
{
	char key[4][ACCOUNT_KEY_SIZE];
	struct account_who who;

	ck_assert_int_eq(accounts_add(a, "one", "h", ACCOUNT_VIEWER, NOW), ACCOUNT_OK);
	ck_assert_int_eq(accounts_add(a, "two", "h", ACCOUNT_VIEWER, NOW), ACCOUNT_OK);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(accounts_login(a, i < 3 ? "one" : "two", NOW, key[i], &who), ACCOUNT_OK);
	accounts_logout(a, key[0]);
	ck_assert_int_eq(accounts_session(a, key[0], NOW, &who), -1);
	ck_assert_int_eq(accounts_session(a, key[1], NOW, &who), 0);
	ck_assert_int_eq(accounts_set_hash(a, "one", "other"), ACCOUNT_OK);
	ck_assert_int_eq(accounts_session(a, key[1], NOW, &who), -1);
	ck_assert_int_eq(accounts_still(a, &(struct account_who){ .session = 2 }, 0, NOW), -1);
	ck_assert_int_eq(accounts_session(a, key[3], NOW, &who), 0);
	ck_assert_int_eq(accounts_delete(a, "two"), ACCOUNT_OK);
	ck_assert_int_eq(accounts_session(a, key[3], NOW, &who), -1);
}
END_TEST

START_TEST(another_process_is_seen_at_once)
{
	struct accounts *b = open_again();
	char key[ACCOUNT_KEY_SIZE];
	struct account_who who;
	uint64_t before = accounts_version(a);

	ck_assert_int_eq(accounts_add(b, "one", "h", ACCOUNT_VIEWER, NOW), ACCOUNT_OK);
	ck_assert_uint_ne(accounts_version(a), before);
	before = accounts_version(a);
	ck_assert_uint_eq(accounts_version(a), before);
	ck_assert_int_eq(accounts_login(a, "one", NOW, key, &who), ACCOUNT_OK);
	ck_assert_int_eq(accounts_set_role(b, "one", ACCOUNT_ADMIN), ACCOUNT_OK);
	ck_assert_int_eq(accounts_session(a, key, NOW, &who), 0);
	ck_assert_int_eq(who.role, ACCOUNT_ADMIN);
	accounts_free(&b);
	b = open_again();            /* sessions outlive the process */
	ck_assert_int_eq(accounts_session(b, key, NOW, &who), 0);
	accounts_free(&b);
}
END_TEST

static void
count_token(void *priv, const struct account_token *t)
{
	ck_assert_str_eq(t->name, "grafana");
	++*(int *)priv;
}

START_TEST(tokens)
{
	char key[ACCOUNT_KEY_SIZE];
	struct account_who who, still;
	int64_t id;
	int n = 0;

	ck_assert_int_eq(accounts_token_add(a, "two words", ACCOUNT_VIEWER, NOW, key, &id), ACCOUNT_BAD_NAME);
	ck_assert_int_eq(accounts_token_add(a, "grafana", ACCOUNT_VIEWER, NOW, key, &id), ACCOUNT_OK);
	ck_assert_int_eq(accounts_token(a, key, NOW, &who), 0);
	ck_assert_int_eq(who.role, ACCOUNT_VIEWER);
	ck_assert_int_eq(who.session, 0);
	ck_assert_int_eq(who.token, id);
	still = who;
	ck_assert_int_eq(accounts_still(a, &still, 1, NOW), 0);
	ck_assert_str_eq(still.name, "grafana");
	ck_assert_int_eq(accounts_session(a, key, NOW, &who), -1);
	key[10] ^= 1;
	ck_assert_int_eq(accounts_token(a, key, NOW, &who), -1);
	key[10] ^= 1;
	accounts_token_each(a, count_token, &n);
	ck_assert_int_eq(n, 1);
	ck_assert_int_eq(accounts_token_delete(a, id), ACCOUNT_OK);
	ck_assert_int_eq(accounts_token_delete(a, id), ACCOUNT_UNKNOWN);
	ck_assert_int_eq(accounts_still(a, &still, 1, NOW), -1);
	ck_assert_int_eq(accounts_token(a, key, NOW, &who), -1);
}
END_TEST

START_TEST(the_link_works_once_and_for_a_day)
{
	char one[ACCOUNT_KEY_SIZE], two[ACCOUNT_KEY_SIZE];

	accounts_link_new(a, NOW, one);
	ck_assert_int_eq(accounts_link_good(a, one, NOW + 23 * HOUR), 0);
	ck_assert_int_eq(accounts_link_good(a, one, NOW + 25 * HOUR), -1);
	accounts_link_new(a, NOW, two);
	ck_assert_int_eq(accounts_link_good(a, one, NOW), -1);
	ck_assert_int_eq(accounts_link_good(a, two, NOW), 0);
	accounts_link_used(a);
	ck_assert_int_eq(accounts_link_good(a, two, NOW), -1);
}
END_TEST

/* ---- hashing ---- */

static struct { char hash[ACCOUNT_HASH_SIZE]; int checked[3], n; struct loop *loop; } H;

static void
on_made(void *priv, const char *hash)
{
	(void)priv;
	ck_assert_ptr_nonnull(hash);
	strcpy(H.hash, hash);
	loop_stop(H.loop);
}

static void
on_checked(void *priv, int right)
{
	H.checked[(intptr_t)priv] = right ? 1 : 2;
	if (++H.n == 3)
		loop_stop(H.loop);
}

static void
ignore(void *priv, int right)
{
	(void)priv;
	(void)right;
}

START_TEST(F40_F41_passwords_are_checked_off_the_loop)
{
	struct hasher *h = hasher_new();
	int i;

	H.loop = loop_new();
	loop_add(H.loop, hasher_pollable(h));
	ck_assert_int_eq(hasher_make(h, "correct horse", 13, on_made, NULL), 0);
	(void)loop_run(H.loop);
	ck_assert_ptr_nonnull(strstr(H.hash, "$argon2id$"));
	ck_assert_int_eq(hasher_check(h, H.hash, "correct horse", 13, on_checked, (void *)0), 0);
	ck_assert_int_eq(hasher_check(h, H.hash, "correct horsf", 13, on_checked, (void *)1), 0);
	ck_assert_int_eq(hasher_check(h, NULL, "correct horse", 13, on_checked, (void *)2), 0);
	(void)loop_run(H.loop);
	ck_assert_int_eq(H.checked[0], 1);
	ck_assert_int_eq(H.checked[1], 2);
	ck_assert_int_eq(H.checked[2], 2);
	ck_assert_uint_eq(hasher_done(h), 4);        /* a name that nobody has costs a hash as well */
	ck_assert_uint_eq(hasher_busy(h), 0);
	for (i = 0; i < HASH_THREADS + HASH_QUEUE; i++)
		ck_assert_int_eq(hasher_check(h, NULL, "x", 1, ignore, NULL), 0);
	ck_assert_int_eq(hasher_check(h, NULL, "x", 1, ignore, NULL), -1);
	loop_del(H.loop, hasher_pollable(h));
	hasher_free(&h);
	loop_free(&H.loop);
}
END_TEST

START_TEST(words)
{
	ck_assert_int_eq(account_role_parse("operator"), ACCOUNT_OPERATOR);
	ck_assert_int_eq(account_role_parse("nobody"), ACCOUNT_NOBODY);
	ck_assert_int_eq(account_role_parse("Admin"), ACCOUNT_NOBODY);
	ck_assert_ptr_null(account_bad_password("12345678", 8));
	ck_assert_ptr_nonnull(account_bad_password("1234567", 7));
	ck_assert_ptr_nonnull(account_bad_password("1234567\0abc", 11));
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("account");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_file_is_private);
	tcase_add_test(tc, users_and_what_is_refused);
	tcase_add_test(tc, the_last_admin_stays);
	tcase_add_test(tc, F42_a_session_ends_when_idle_and_at_the_latest);
	tcase_add_test(tc, a_connection_that_looks_does_not_keep_its_session);
	tcase_add_test(tc, F42_what_ends_a_session);
	tcase_add_test(tc, another_process_is_seen_at_once);
	tcase_add_test(tc, tokens);
	tcase_add_test(tc, the_link_works_once_and_for_a_day);
	tcase_add_test(tc, F40_F41_passwords_are_checked_off_the_loop);
	tcase_add_test(tc, words);
	return suite_run(tc, "account");
}
