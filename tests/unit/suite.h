/* suite: runs a test case of libcheck as TAP on standard output; the exit status says whether all passed. */
#ifndef SUITE_H
#define SUITE_H
#include <check.h>
#include <stdlib.h>

static inline int
suite_run(TCase *cases, const char *name)
{
	Suite *s = suite_create(name);
	SRunner *r;
	int failed;

	suite_add_tcase(s, cases);
	r = srunner_create(s);
	srunner_set_tap(r, "-");
	srunner_run_all(r, CK_SILENT);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
