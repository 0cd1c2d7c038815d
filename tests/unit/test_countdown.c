/* countdown: the forms in which quest timers come, and what is none. */
#include <string.h>

#include "countdown/countdown.h"
#include "suite.h"

static const struct { const char *text; int64_t want; } cases[] = {
	{ "ready", 0 }, { "READY", 0 }, { " Ready ", 0 }, { "6d 4h 12m", 533520 }, { "5m 3s", 303 }, { "12s", 12 }, { "2d", 172800 }, { "1d4h", 100800 },
	{ "6 d 4 h", 532800 }, { "6D 4H", 532800 }, { "01:30:05", 5405 }, { "99:00:00", 356400 }, { "3:07", 187 }, { "2.03:00:00", 183600 }, { "90", 90 }, { "0", 0 },
	{ " 90 ", 90 }, { "", -1 }, { "soon", -1 }, { "-5", -1 }, { "4h 6d", -1 }, { "4h 4h", -1 }, { "1:60", -1 }, { "1:2:3:4", -1 }, { "1:", -1 }, { "5x", -1 },
	{ "5m 3", -1 }, { "2.5", -1 }, { "99999999999999999999", -1 }, { "99999999999d", -1 }, { "3155760000d", -1 }, { "ready now", -1 },
};

START_TEST(reads)
{
	ck_assert_msg(countdown_seconds(cases[_i].text, strlen(cases[_i].text)) == cases[_i].want, "\"%s\"", cases[_i].text);
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("countdown");

	tcase_add_loop_test(t, reads, 0, sizeof cases / sizeof *cases);
	return suite_run(t, "countdown");
}
