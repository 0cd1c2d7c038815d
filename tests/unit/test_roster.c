/* The roster: who is where, since when; trails that stay bounded, portals one per place, and the JSON of all that. */
#include <stdarg.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock/clock.h"
#include "json/json.h"
#include "roster/roster.h"
#include "suite.h"

#define S INT64_C(1000000)
#define T0 (INT64_C(1790000000) * S)

static const struct roster_config small = {
	.max_characters = 4, .max_portals = 3, .trail_points = 10, .trail_us = 600 * S, .portal_us = 3600 * S, .offline_us = 30 * S
};

static void
feed(struct roster *r, int64_t rx_us, const char *line)
{
	struct event ev;

	ck_assert_int_eq(event_scan(line, strlen(line), &ev), EVENT_OK);
	roster_feed(r, &ev, rx_us);
}

static void __attribute__((format(printf, 5, 6)))
walk(struct roster *r, int64_t rx_us, const char *name, double ew, const char *fmt, ...)
{
	char line[1024], more[512], iso[CLOCK_ISO_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(more, sizeof(more), fmt, ap);
	va_end(ap);
	clock_format_iso(rx_us, iso);
	snprintf(line, sizeof(line), "{\"_seq\":1,\"_rx\":\"%s\",\"type\":\"telemetry\",\"character_name\":\"%s\",\"timestamp\":\"%s\",\"ew\":%g,\"ns\":\"1.5\"%s}",
	    iso, name, iso, ew, more);
	feed(r, rx_us, line);
}

static struct json *
object(int (*write)(const struct roster *, int64_t, struct buf *), const struct roster *r, int64_t now_us)
{
	struct buf b = BUF_INIT(1 << 20);
	const char *error = "";
	struct json *j;

	buf_appends(&b, "{");
	ck_assert_int_eq(write(r, now_us, &b), 0);
	buf_appends(&b, "}");
	j = json_parse(buf_data(&b), buf_size(&b), &error);
	ck_assert_msg(j != NULL, "%s: %.*s", error, (int)buf_size(&b), buf_data(&b));
	buf_fini(&b);
	return j;
}

static int
write_live(const struct roster *r, int64_t now_us, struct buf *b)
{
	return roster_write_players(r, now_us, 30 * S, b);
}

static int
write_trails(const struct roster *r, int64_t now_us, struct buf *b)
{
	(void)buf_appends(b, "\"trails\":[");
	return roster_write_trails(r, now_us - 600 * S, now_us + S, NULL, b) | buf_appends(b, "]");
}

static int
write_trail_of_b(const struct roster *r, int64_t now_us, struct buf *b)
{
	(void)buf_appends(b, "\"trails\":[");
	return roster_write_trails(r, now_us - 600 * S, now_us, "b", b) | buf_appends(b, "]");
}

static char *
text(const struct roster *r, int64_t now_us)
{
	struct buf b = BUF_INIT(1 << 20);

	ck_assert_int_eq(write_live(r, now_us, &b), 0);
	buf_append(&b, "", 1);
	return b.p;
}

START_TEST(last_telemetry_is_shown_as_sent)
{
	struct roster *r = roster_new(&small);
	char *t;

	walk(r, T0, "Larsson", 33.5, ",\"kills_per_hour\":\"7.0\",\"big\":12345678901234567890,\"deep\":{\"_x\":[1, 2]}");
	t = text(r, T0 + S);
	ck_assert_ptr_nonnull(strstr(t, "\"ns\":\"1.5\",\"kills_per_hour\":\"7.0\",\"big\":12345678901234567890,\"deep\":{\"_x\":[1, 2]},\"last_seen\":\"2026-09-21T14:13:20.000Z\",\"age_s\":1.0,\"online\":true}"));
	ck_assert_ptr_null(strstr(t, "_seq"));
	ck_assert_ptr_null(strstr(t, "_rx"));
	free(t);
	roster_free(&r);
}
END_TEST

START_TEST(members_of_ours_come_once)
{
	struct roster *r = roster_new(&small);
	char *t;

	walk(r, T0, "a", 1, ",\"online\":\"maybe\",\"age_s\":99,\"last_seen\":null,\"vitals\":7");
	t = text(r, T0);
	ck_assert_ptr_null(strstr(t, "maybe"));
	ck_assert_ptr_null(strstr(t, "99"));
	ck_assert_ptr_null(strstr(t, "null"));
	ck_assert_ptr_null(strstr(t, "vitals"));
	free(t);
	roster_free(&r);
}
END_TEST

START_TEST(vitals_stand_with_their_character_only)
{
	struct roster *r = roster_new(&small);
	struct json *j;

	feed(r, T0, "{\"type\":\"vitals\",\"character_name\":\"ghost\",\"health_current\":1}");
	walk(r, T0, "a", 1, "%s", "");
	feed(r, T0 + S, "{\"type\":\"vitals\",\"character_name\":\"a\",\"health_current\":42}");
	j = object(write_live, r, T0 + S);
	ck_assert_int_eq(json_int(j, "count", -1), 1);
	ck_assert_str_eq(json_str(j, "players.0.character_name", ""), "a");
	ck_assert_int_eq(json_int(j, "players.0.vitals.health_current", 0), 42);
	json_free(&j);
	roster_free(&r);
}
END_TEST

START_TEST(names_are_compared_unescaped_and_sorted)
{
	struct roster *r = roster_new(&small);
	struct json *j;

	walk(r, T0, "b", 1, "%s", "");
	walk(r, T0, "a\\u0020c", 1, "%s", "");
	walk(r, T0 + S, "a c", 2, "%s", "");
	j = object(write_live, r, T0 + S);
	ck_assert_int_eq(json_int(j, "count", -1), 2);
	ck_assert_str_eq(json_str(j, "players.0.character_name", ""), "a c");
	ck_assert_double_eq(json_num(j, "players.0.ew", 0), 2);
	json_free(&j);
	roster_free(&r);
}
END_TEST

static void
note_offline(void *priv, const char *name, int64_t seen_us)
{
	char *out = priv;

	sprintf(out + strlen(out), "%s@%d ", name, (int)((seen_us - T0) / S));
}

START_TEST(silence_is_told_once_and_again_after_a_return)
{
	struct roster *r = roster_new(&small);
	char told[100] = "";

	walk(r, T0, "a", 1, "%s", "");
	walk(r, T0 + 5 * S, "b", 1, "%s", "");
	roster_expire(r, T0 + 29 * S, note_offline, told);
	ck_assert_str_eq(told, "");
	ck_assert_uint_eq(roster_online(r, T0 + 29 * S), 2);
	roster_expire(r, T0 + 30 * S, note_offline, told);
	roster_expire(r, T0 + 31 * S, note_offline, told);
	ck_assert_str_eq(told, "a@0 ");
	ck_assert_uint_eq(roster_online(r, T0 + 31 * S), 1);
	walk(r, T0 + 40 * S, "a", 1, "%s", "");
	roster_expire(r, T0 + 80 * S, note_offline, told);
	ck_assert_ptr_nonnull(strstr(told, "a@40 "));
	ck_assert_ptr_nonnull(strstr(told, "b@5 "));
	roster_free(&r);
}
END_TEST

START_TEST(silence_that_was_told_is_not_told_again)
{
	struct roster *r = roster_new(&small);
	char told[100] = "";

	walk(r, T0, "a", 1, "%s", "");                   /* T0 is 14:13:20 */
	walk(r, T0 + 100 * S, "b", 1, "%s", "");
	feed(r, T0 + 30 * S, "{\"type\":\"player_offline\",\"character_name\":\"a\",\"last_seen\":\"2026-09-21T14:13:20Z\"}");
	feed(r, T0 + 101 * S, "{\"type\":\"player_offline\",\"character_name\":\"b\",\"last_seen\":\"2026-09-21T14:13:21Z\"}");     /* an earlier one */
	feed(r, T0 + 101 * S, "{\"type\":\"player_offline\",\"character_name\":\"nobody\",\"last_seen\":\"2026-09-21T14:13:21Z\"}");
	walk(r, T0 + 100 * S, "c", 1, "%s", ",\"_replay\":true");
	roster_expire(r, T0 + 140 * S, note_offline, told);
	ck_assert_str_eq(told, "b@100 ");
	ck_assert_uint_eq(roster_characters(r), 3);
	roster_free(&r);
}
END_TEST

START_TEST(seen_goes_by_receive_time)
{
	struct roster *r = roster_new(&small);
	struct json *j;

	/* a clock that is a year wrong, then no clock at all */
	feed(r, T0, "{\"type\":\"telemetry\",\"character_name\":\"a\",\"timestamp\":\"2020-01-01T00:00:00Z\",\"ew\":1,\"ns\":2}");
	feed(r, T0 + S, "{\"type\":\"telemetry\",\"character_name\":\"a\",\"ew\":2,\"ns\":2}");
	j = object(write_live, r, T0 + 3 * S);
	ck_assert_int_eq(json_int(j, "count", -1), 1);
	ck_assert_double_eq(json_num(j, "players.0.age_s", 0), 2.0);
	json_free(&j);
	j = object(write_trails, r, T0 + 3 * S);
	ck_assert_uint_eq(json_len(j, "trails"), 2);
	ck_assert_str_eq(json_str(j, "trails.1.timestamp", ""), "2026-09-21T14:13:21.000Z");
	json_free(&j);
	roster_free(&r);
}
END_TEST

START_TEST(trails_are_merged_oldest_first)
{
	struct roster *r = roster_new(&small);
	struct json *j;
	int i;

	for (i = 0; i < 4; i++) {
		walk(r, T0 + i * 2 * S, "a", i, ",\"z\":0.25");
		walk(r, T0 + (i * 2 + 1) * S, "b", 10 + i, "%s", "");
	}
	feed(r, T0 + 7 * S, "{\"type\":\"telemetry\",\"character_name\":\"a\",\"ew\":\"N/A\",\"ns\":2}");     /* nowhere: no point */
	j = object(write_trails, r, T0 + 8 * S);
	ck_assert_uint_eq(json_len(j, "trails"), 8);
	ck_assert_double_eq(json_num(j, "trails.2.ew", 0), 1);
	ck_assert_double_eq(json_num(j, "trails.2.z", 0), 0.25);
	ck_assert_double_eq(json_num(j, "trails.3.ew", 0), 11);
	ck_assert_double_eq(json_num(j, "trails.3.ns", 0), 1.5);
	ck_assert_int_eq(json_kind(j, "trails.3.z"), '0');
	json_free(&j);
	j = object(write_trail_of_b, r, T0 + 7 * S);
	ck_assert_uint_eq(json_len(j, "trails"), 3);            /* to is exclusive */
	ck_assert_str_eq(json_str(j, "trails.0.character_name", ""), "b");
	json_free(&j);
	roster_free(&r);
}
END_TEST

START_TEST(a_long_trail_loses_detail_not_length)
{
	struct roster *r = roster_new(&small);
	struct json *j;
	size_t n;
	int i;

	for (i = 0; i <= 300; i++)
		walk(r, T0 + i * 2 * S, "a", i, "%s", "");
	j = object(write_trails, r, T0 + 600 * S);
	n = json_len(j, "trails");
	ck_assert_uint_le(n, 10);
	ck_assert_uint_ge(n, 5);
	ck_assert_double_eq(json_num(j, "trails.0.ew", 999), 0);
	for (i = 1; i < (int)n - 2; i++) {
		char now[40], before[40];

		snprintf(now, sizeof(now), "trails.%d.ew", i);
		snprintf(before, sizeof(before), "trails.%d.ew", i - 1);
		ck_assert_double_le(json_num(j, now, 999) - json_num(j, before, 0), 61);     /* evenly: 120 s at 2 s a step */
	}
	json_free(&j);
	roster_free(&r);
}
END_TEST

START_TEST(a_late_point_takes_its_place)
{
	struct roster *r = roster_new(&small);
	struct json *j;

	walk(r, T0, "a", 1, "%s", "");
	walk(r, T0 + 4 * S, "a", 3, "%s", "");
	feed(r, T0 + 5 * S, "{\"type\":\"telemetry\",\"character_name\":\"a\",\"timestamp\":\"2026-09-21T14:13:22Z\",\"ew\":2,\"ns\":0}");
	j = object(write_trails, r, T0 + 5 * S);
	ck_assert_double_eq(json_num(j, "trails.1.ew", 0), 2);
	json_free(&j);
	roster_free(&r);
}
END_TEST

START_TEST(old_points_of_a_replay_stay_out_of_trails)
{
	struct roster *r = roster_new(&small);
	struct json *j;

	feed(r, T0, "{\"_replay\":true,\"type\":\"telemetry\",\"character_name\":\"a\",\"timestamp\":\"2026-09-01T00:00:00Z\",\"ew\":2,\"ns\":0}");
	j = object(write_trails, r, T0);
	ck_assert_uint_eq(json_len(j, "trails"), 0);
	json_free(&j);
	j = object(write_live, r, T0);
	ck_assert_int_eq(json_int(j, "count", -1), 1);
	json_free(&j);
	roster_free(&r);
}
END_TEST

START_TEST(portals_one_per_place_newest_sighting)
{
	struct roster *r = roster_new(&small);
	struct json *j;

	feed(r, T0, "{\"type\":\"portal\",\"character_name\":\"a\",\"portal_name\":\"Old\",\"ns\":\"42.31\",\"ew\":\"33.1\",\"z\":\"0.4\"}");
	feed(r, T0 + S, "{\"type\":\"portal\",\"character_name\":\"b\",\"portal_name\":\"New \\\"x\\\"\",\"ns\":42.29,\"ew\":33.12}");
	feed(r, T0 + 2 * S, "{\"type\":\"portal\",\"character_name\":\"b\",\"portal_name\":\"Other\",\"ns\":42.4,\"ew\":33.1}");
	feed(r, T0 + 2 * S, "{\"type\":\"portal\",\"character_name\":\"b\",\"portal_name\":\"Nowhere\",\"ns\":\"\",\"ew\":33.1}");
	feed(r, T0 + 2 * S, "{\"type\":\"portal\",\"character_name\":\"b\",\"ns\":1,\"ew\":33.1}");
	j = object(roster_write_portals, r, T0 + 3 * S);
	ck_assert_int_eq(json_int(j, "portal_count", -1), 2);
	ck_assert_str_eq(json_str(j, "portals.0.portal_name", ""), "Other");
	ck_assert_str_eq(json_str(j, "portals.1.portal_name", ""), "New \"x\"");
	ck_assert_double_eq(json_num(j, "portals.1.ns", 0), 42.29);
	ck_assert_str_eq(json_str(j, "portals.1.discovered_by", ""), "b");
	ck_assert_int_eq(json_kind(j, "portals.1.z"), '0');
	json_free(&j);
	roster_expire(r, T0 + 3602 * S - 1, NULL, NULL);
	j = object(roster_write_portals, r, T0 + 3602 * S - 1);
	ck_assert_int_eq(json_int(j, "portal_count", -1), 1);
	json_free(&j);
	roster_free(&r);
}
END_TEST

START_TEST(full_tables_forget_the_oldest)
{
	struct roster *r = roster_new(&small);
	struct json *j;
	char line[200];
	int i;

	for (i = 0; i < 6; i++) {
		char name[2] = { (char)('a' + i), '\0' };

		walk(r, T0 + i * S, name, i, "%s", "");
		snprintf(line, sizeof(line), "{\"type\":\"portal\",\"character_name\":\"x\",\"portal_name\":\"p%d\",\"ns\":%d,\"ew\":0}", i, i);
		feed(r, T0 + i * S, line);
	}
	ck_assert_uint_eq(roster_characters(r), 4);
	j = object(write_live, r, T0 + 6 * S);
	ck_assert_int_eq(json_int(j, "count", -1), 4);
	ck_assert_str_eq(json_str(j, "players.0.character_name", ""), "c");
	json_free(&j);
	j = object(roster_write_portals, r, T0 + 6 * S);
	ck_assert_int_eq(json_int(j, "portal_count", -1), 3);
	ck_assert_str_eq(json_str(j, "portals.2.portal_name", ""), "p3");
	json_free(&j);
	roster_free(&r);
}
END_TEST

START_TEST(others_change_nothing)
{
	struct roster *r = roster_new(&small);

	feed(r, T0, "{\"type\":\"chat\",\"character_name\":\"a\",\"text\":\"hi\"}");
	feed(r, T0, "{\"type\":\"telemetry\",\"ew\":1,\"ns\":1}");
	feed(r, T0, "{\"type\":\"telemetry\",\"character_name\":7,\"ew\":1,\"ns\":1}");
	feed(r, T0, "{\"type\":\"telemetry\",\"character_name\":\"\",\"ew\":1,\"ns\":1}");
	ck_assert_uint_eq(roster_characters(r), 0);
	roster_free(&r);
}
END_TEST

START_TEST(a_full_buffer_is_said)
{
	struct roster *r = roster_new(&small);
	struct buf b = BUF_INIT(40);

	walk(r, T0, "a", 1, "%s", "");
	ck_assert_int_eq(roster_write_players(r, T0, 30 * S, &b), -1);
	buf_fini(&b);
	roster_free(&r);
}
END_TEST

int
main(void)
{
	TCase *c = tcase_create("roster");

	tcase_add_test(c, last_telemetry_is_shown_as_sent);
	tcase_add_test(c, members_of_ours_come_once);
	tcase_add_test(c, vitals_stand_with_their_character_only);
	tcase_add_test(c, names_are_compared_unescaped_and_sorted);
	tcase_add_test(c, silence_is_told_once_and_again_after_a_return);
	tcase_add_test(c, silence_that_was_told_is_not_told_again);
	tcase_add_test(c, seen_goes_by_receive_time);
	tcase_add_test(c, trails_are_merged_oldest_first);
	tcase_add_test(c, a_long_trail_loses_detail_not_length);
	tcase_add_test(c, a_late_point_takes_its_place);
	tcase_add_test(c, old_points_of_a_replay_stay_out_of_trails);
	tcase_add_test(c, portals_one_per_place_newest_sighting);
	tcase_add_test(c, full_tables_forget_the_oldest);
	tcase_add_test(c, others_change_nothing);
	tcase_add_test(c, a_full_buffer_is_said);
	return suite_run(c, "roster");
}
