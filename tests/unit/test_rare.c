/* rare: the tier of a name. */
#include <string.h>

#include "rare/rare.h"
#include "suite.h"

static const struct { const char *name, *tier; } cases[] = {
	{ "Adherent's Crystal", "common" }, { "Warrior's Jewel", "common" }, { "Shimmering Skeleton Key", "common" },
	{ "Adept's Fervor", "great" }, { "Nobody's Own", "great" }, { "", "great" }, { "Warrior's", "great" }, { "Warrior's Jewels", "great" },
	{ "warrior's jewel", "great" }, { "A", "great" }, { "zzz", "great" },
};

START_TEST(tiers)
{
	ck_assert_str_eq(rare_tier(cases[_i].name, strlen(cases[_i].name)), cases[_i].tier);
}
END_TEST

/* Each of the list is found, so the list is sorted. */
START_TEST(all_are_found)
{
	static const char *const names[] = {
#define RARE_COMMON(name) name,
#include "rare/rares.def"
#undef RARE_COMMON
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		ck_assert_str_eq(rare_tier(names[i], strlen(names[i])), "common");
	ck_assert_uint_eq(sizeof names / sizeof *names, 75);
}
END_TEST

START_TEST(length_counts)
{
	ck_assert_str_eq(rare_tier("Warrior's Jewel of the other", strlen("Warrior's Jewel")), "common");
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("rare");

	tcase_add_loop_test(t, tiers, 0, sizeof cases / sizeof *cases);
	tcase_add_test(t, all_are_found);
	tcase_add_test(t, length_counts);
	return suite_run(t, "rare");
}
