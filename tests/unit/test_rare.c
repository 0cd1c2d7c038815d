/* rare: the tier of a name. */
#include <string.h>

#include "game/game.h"
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

/* Tiers 1 to 3 are common, the others great. */
START_TEST(all_of_them)
{
	unsigned common = 0;

	for (unsigned i = 0; i < game_rare_count(); i++) {
		const struct game_rare *r = game_rare_at(i);
		const char *name = game_rare_name(r), *tier = rare_tier(name, strlen(name));
		ck_assert_ptr_eq(game_rare(name, strlen(name)), r);
		ck_assert_str_eq(tier, r->tier <= 3 ? "common" : "great");
		common += *tier == 'c';
	}
	ck_assert_uint_eq(common, 75);
	ck_assert_uint_eq(game_rare_count(), 295);
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
	tcase_add_test(t, all_of_them);
	tcase_add_test(t, length_counts);
	return suite_run(t, "rare");
}
