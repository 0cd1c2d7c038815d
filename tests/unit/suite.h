/* suite: runs a test case of libcheck as TAP on standard output; the exit status says whether all passed. */
#ifndef SUITE_H
#define SUITE_H
#include <check.h>
#include <stdlib.h>

static inline int
suite_run_all(Suite *s)
{
	SRunner *r = srunner_create(s);
	int failed;

	srunner_set_tap(r, "-");
	srunner_run_all(r, CK_SILENT);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static inline int
suite_run(TCase *cases, const char *name)
{
	Suite *s = suite_create(name);

	suite_add_tcase(s, cases);
	return suite_run_all(s);
}

#endif
