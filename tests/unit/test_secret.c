/* The plugins' secret: header before query, 401 when nothing was given, 403 when it is wrong. */
#include "secret/secret.h"
#include "suite.h"

START_TEST(rule)
{
	static const struct { const char *header, *query; int status; } rows[] = {
		{ NULL, NULL, 401 }, { "", "", 401 }, { "", NULL, 401 },
		{ "hunter2", NULL, 0 }, { NULL, "hunter2", 0 }, { "", "hunter2", 0 },
		{ "hunter2", "wrong", 0 }, { "wrong", "hunter2", 403 },
		{ "hunter", NULL, 403 }, { "hunter22", NULL, 403 }, { "hunter2hunter2", NULL, 403 }, { "HUNTER2", NULL, 403 }, { NULL, "x", 403 },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_int_eq(secret_check("hunter2", rows[i].header, rows[i].query), rows[i].status);
}
END_TEST

int
main(void)
{
	TCase *c = tcase_create("secret");

	tcase_add_test(c, rule);
	return suite_run(c, "secret");
}
