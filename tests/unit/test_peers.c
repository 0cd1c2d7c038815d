/* peers: percentages, places, tags, order; who leaves, who falls silent, what comes late. */
#include <stdlib.h>
#include <string.h>

#include "roster/peers.h"
#include "suite.h"

#define S INT64_C(1000000)
#define T0 (INT64_C(1790000000) * S)

static struct peers *ps;
static struct buf out = BUF_INIT(1 << 20);

static void setup(void) { ps = peers_new(3); }
static void teardown(void) { peers_free(&ps); buf_fini(&out); out.max = 1 << 20; }

static void
feed(const char *line, int64_t rx_us)
{
	struct event ev;

	ck_assert_int_eq(event_scan(line, strlen(line), &ev), EVENT_OK);
	peers_feed(ps, &ev, rx_us);
}

static const char *
text(int64_t now_us)
{
	buf_clear(&out);
	ck_assert_int_eq(peers_write(ps, now_us, &out), 0);
	(void)buf_append(&out, "", 1);
	return buf_data(&out);
}

START_TEST(parts_come_together)
{
	feed("{\"type\":\"share_vital_update\",\"character_name\":\"B\",\"tags\":[\"mage\",\"east\"],\"health_current\":296,\"health_max\":341,"
	    "\"stamina_current\":\"388\",\"stamina_max\":\"416\",\"mana_current\":0,\"mana_max\":0}", T0);
	feed("{\"type\":\"share_position_update\",\"character_name\":\"B\",\"ew\":33.58,\"ns\":\"-42.11\",\"z\":94}", T0 + S);
	feed("{\"type\":\"telemetry\",\"character_name\":\"C\",\"ew\":1,\"ns\":2}", T0);
	ck_assert_str_eq(text(T0 + 3 * S), "\"peers\":[{\"character_name\":\"B\",\"health_percentage\":86.8,\"stamina_percentage\":93.27,\"mana_percentage\":null,"
	    "\"ns\":-42.11,\"ew\":33.58,\"z\":94,\"last_update\":\"2026-09-21T14:13:21.000Z\",\"age_s\":2.0,\"tags\":[\"mage\",\"east\"]}],\"peer_count\":1");
}
END_TEST

START_TEST(who_leaves)
{
	feed("{\"type\":\"share_cast_attempt\",\"character_name\":\"B\",\"spell_id\":1}", T0);
	feed("{\"type\":\"share_anything\",\"character_name\":\"A \\\"x\\\"\"}", T0);
	ck_assert_ptr_nonnull(strstr(text(T0), "[{\"character_name\":\"A \\\"x\\\"\","));
	ck_assert_ptr_nonnull(strstr(text(T0), "\"peer_count\":2"));
	feed("{\"type\":\"share_goodbye\",\"character_name\":\"B\"}", T0 + S);
	feed("{\"type\":\"share_cast_attempt\",\"character_name\":\"B\"}", T0 + S / 2);       /* late */
	ck_assert_ptr_nonnull(strstr(text(T0 + S), "\"peer_count\":1"));
	feed("{\"type\":\"share_cast_attempt\",\"character_name\":\"B\"}", T0 + 2 * S);       /* and back */
	ck_assert_ptr_nonnull(strstr(text(T0 + 2 * S), "\"peer_count\":2"));
	ck_assert_ptr_nonnull(strstr(text(T0 + 15 * S - 1), "\"peer_count\":2"));
	ck_assert_ptr_nonnull(strstr(text(T0 + 15 * S), "\"peer_count\":1"));
	ck_assert_str_eq(text(T0 + 17 * S), "\"peers\":[],\"peer_count\":0");
}
END_TEST

START_TEST(the_most_silent_makes_room)
{
	feed("{\"type\":\"share_x\",\"character_name\":\"1\"}", T0 + 1);
	feed("{\"type\":\"share_x\",\"character_name\":\"2\"}", T0);
	feed("{\"type\":\"share_x\",\"character_name\":\"3\"}", T0 + 2);
	feed("{\"type\":\"share_x\",\"character_name\":\"4\"}", T0 + 3);
	ck_assert_ptr_null(strstr(text(T0 + 3), "\"2\""));
	ck_assert_ptr_nonnull(strstr(text(T0 + 3), "\"peer_count\":3"));
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("peers");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, parts_come_together);
	tcase_add_test(t, who_leaves);
	tcase_add_test(t, the_most_silent_makes_room);
	return suite_run(t, "peers");
}
