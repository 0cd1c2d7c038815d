/* dt-ingest's rules without sockets: what passes the gate, who owns a name, how a limit fills and empties. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "../../cmd/dt-ingest/gate.c"
#include "../../cmd/dt-ingest/limit.c"
#include "../../cmd/dt-ingest/roll.c"

static const char *
check(const char *text)
{
	static struct gate_refusal r;
	char name[GATE_NAME_SIZE];
	struct event e;

	(void)gate_check(text, strlen(text), 0, &e, name, &r);
	return r.reason != NULL ? r.reason : "";
}

START_TEST(names)
{
	static const struct { const char *name, *reason; } table[] = {
		{ "Larsson", "" }, { "+Admin", "" }, { "O'Brien-Smith", "" }, { "12345678901234567890123456789012", "" },
		{ "\xf0\x9f\x90\x89\xf0\x9f\x90\x89", "" },                                                     /* two dragons */
		{ "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
		  "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", "" },
		{ "\\u0041", "" }, { "A\\\\B", "" },
		{ "", "character_name" }, { "   ", "character_name" }, { "123456789012345678901234567890123", "character_name" },
		{ "A\\tB", "character_name" }, { "A\\nB", "character_name" }, { "A\x7f", "character_name" }, { "A\xc2\x85", "character_name" },
		{ "\xe2\x80\xae" "A", "character_name" }, { "A\xe2\x80\x8b", "character_name" }, { "A\xe2\x81\xa6", "character_name" },
		{ "A\\u2028", "character_name" }, { "\xef\xbb\xbf" "A", "character_name" }, { "\xf3\xa0\x80\x81", "character_name" }, { "\xc2\xa0", "character_name" },
	};
	char text[512];
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		snprintf(text, sizeof(text), "{\"type\":\"chat\",\"character_name\":\"%s\"}", table[i].name);
		ck_assert_msg(strcmp(check(text), table[i].reason) == 0, "%s: '%s', expected '%s'", text, check(text), table[i].reason);
	}
	ck_assert_str_eq(check("{\"type\":\"chat\"}"), "");
	ck_assert_str_eq(check("{\"type\":\"chat\",\"character_name\":null}"), "");
	ck_assert_str_eq(check("{\"type\":\"chat\",\"character_name\":{}}"), "character_name");
}
END_TEST

static enum gate_role
role(const char *type)
{
	char text[256];
	struct event e;

	snprintf(text, sizeof(text), "{\"type\":\"%s\"}", type);
	ck_assert_int_eq(event_scan(text, strlen(text), &e), EVENT_OK);
	return gate_role(e.type);
}

START_TEST(server_types)
{
	static const char *const types[] = { "command", "command_status", "server_status", "player_offline", "alert",
		"subscribe", "subscribed", "request_dungeon_map", "gap", "snapshot", "error", "\\u0063ommand" };
	char text[128];
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		snprintf(text, sizeof(text), "{\"type\":\"%s\",\"character_name\":\"Larsson\"}", types[i]);
		ck_assert_msg(strcmp(check(text), "server_type") == 0, "%s: '%s'", text, check(text));
	}
	ck_assert_str_eq(check("{\"type\":\"commands\"}"), "");
	ck_assert_str_eq(check("{\"type\":\"Command\"}"), "");
}
END_TEST

START_TEST(roles)
{
	ck_assert_int_eq(role("telemetry"), GATE_TELEMETRY);
	ck_assert_int_eq(role("telemetry"), GATE_TELEMETRY);     /* the second time from memory */
	ck_assert_int_eq(role("full_inventory"), GATE_LARGE);
	ck_assert_int_eq(role("dungeon_map"), GATE_LARGE);
	ck_assert_int_eq(role("inventory_delta"), GATE_OTHER);
	ck_assert_int_eq(role("share_vital_update"), GATE_SHARE);
	ck_assert_int_eq(role("share_of_a_kind_that_nobody_knows_and_whose_name_goes_on_for_much_longer_than_names_do"), GATE_SHARE);
	ck_assert_int_eq(role("sharewhat"), GATE_OTHER);
	ck_assert_int_eq(role("sneeze"), GATE_OTHER);
}
END_TEST

static enum gate_time
when(const char *timestamp)
{
	static const int64_t now = INT64_C(1776790991000000);    /* 2026-04-21T17:03:11Z */
	char text[256];
	struct event e;

	snprintf(text, sizeof(text), "{\"type\":\"x\"%s%s}", timestamp[0] ? ",\"timestamp\":" : "", timestamp);
	ck_assert_int_eq(event_scan(text, strlen(text), &e), EVENT_OK);
	return gate_time(&e, now);
}

START_TEST(times)
{
	ck_assert_int_eq(when(""), GATE_TIME_MISSING);
	ck_assert_int_eq(when("\"2026-04-21T17:03:11.1234567Z\""), GATE_TIME_GOOD);
	ck_assert_int_eq(when("\"2026-04-20T17:03:12Z\""), GATE_TIME_GOOD);
	ck_assert_int_eq(when("\"2026-04-20T17:03:10Z\""), GATE_TIME_LATE);
	ck_assert_int_eq(when("\"2026-04-21T17:08:10Z\""), GATE_TIME_GOOD);
	ck_assert_int_eq(when("\"2026-04-21T17:08:12Z\""), GATE_TIME_FUTURE);
	ck_assert_int_eq(when("\"now\""), GATE_TIME_UNREADABLE);
	ck_assert_int_eq(when("1776790991"), GATE_TIME_UNREADABLE);
}
END_TEST

START_TEST(limits)
{
	static const struct limit_rate rate = { .per_s = 100, .burst = 200 }, none = { .per_s = 0 };
	struct limit l;
	int64_t now = 1000;
	int i;

	limit_init(&l, &rate, now);
	for (i = 0; i < 200; i++)
		ck_assert_int_eq(limit_take(&l, &rate, 1, now), 0);
	ck_assert_int_eq(limit_take(&l, &rate, 1, now), 11);
	ck_assert_int_gt(limit_take(&l, &rate, 1000, now), 10000);       /* a big frame goes into debt */
	now += 10020;
	ck_assert_int_eq(limit_take(&l, &rate, 1, now), 0);
	now += 1000000;                                                  /* never more than the burst */
	ck_assert_int_eq(limit_take(&l, &rate, 200, now), 0);
	ck_assert_int_gt(limit_take(&l, &rate, 1, now), 0);
	now -= 5000;                                                     /* a clock that goes back takes nothing away */
	ck_assert_int_eq(limit_take(&l, &rate, 0, now), 11);
	for (i = 0; i < 1000; i++)
		ck_assert_int_eq(limit_take(&l, &none, 1e9, now), 0);
}
END_TEST

START_TEST(owners)
{
	struct roll *r = roll_new();
	struct roll_conn *a = roll_add(r), *b = roll_add(r), *from;
	struct roll_name *n;
	char name[32];
	int i;

	n = roll_bind(r, a, "Larsson", &from);
	ck_assert_ptr_eq(n->owner, a);
	ck_assert_ptr_null(from);
	n->shares = 1;
	ck_assert_ptr_eq(roll_bind(r, a, "Larsson", &from), n);
	ck_assert_ptr_eq(roll_bind(r, b, "Larsson", &from), n);
	ck_assert_ptr_eq(from, a);
	ck_assert_ptr_eq(n->owner, b);
	ck_assert_int_eq(n->shares, 1);                  /* the same character goes on sharing */
	ck_assert_ptr_null(a->last);
	ck_assert_ptr_null(roll_bind(r, a, "Larsson", &from));   /* the older connection does not take it back */
	ck_assert_ptr_null(from);
	ck_assert_ptr_eq(roll_find(r, "Larsson")->owner, b);
	ck_assert_ptr_null(roll_find(r, "larsson"));
	roll_del(r, b);
	ck_assert_ptr_null(roll_find(r, "Larsson"));
	n = roll_bind(r, a, "Larsson", &from);           /* but has it again when the newer one has gone */
	ck_assert_ptr_null(from);
	ck_assert_ptr_eq(n->owner, a);
	roll_del(r, a);
	ck_assert_ptr_null(roll_find(r, "Larsson"));
	ck_assert_uint_eq(roll_count(r), 0);
	a = roll_add(r);
	for (i = 0; i < ROLL_NAMES_MAX; i++) {
		snprintf(name, sizeof(name), "N%d", i);
		ck_assert_ptr_nonnull(roll_bind(r, a, name, &from));
	}
	ck_assert_ptr_null(roll_bind(r, a, "one more", &from));
	ck_assert_ptr_nonnull(roll_bind(r, a, "N0", &from));
	b = roll_add(r);
	ck_assert_ptr_nonnull(roll_bind(r, b, "N1", &from));
	ck_assert_ptr_eq(from, a);
	ck_assert_ptr_nonnull(roll_bind(r, a, "one more", &from));
	roll_free(&r);
	ck_assert_ptr_null(r);
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("ingest");

	tcase_add_test(t, names);
	tcase_add_test(t, server_types);
	tcase_add_test(t, roles);
	tcase_add_test(t, times);
	tcase_add_test(t, limits);
	tcase_add_test(t, owners);
	return suite_run(t, "ingest");
}
