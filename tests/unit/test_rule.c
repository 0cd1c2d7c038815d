/* rule: tables of events and the messages that they make, every other one with restarts in between; and what is said of wrong texts. */
#include "rule/rule.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock/clock.h"
#include "mem/mem.h"
#include "suite.h"

#define START INT64_C(1795352520000000)      /* 2026-11-22T13:02:00Z */

static struct buf said = BUF_INIT(1u << 20), wrong = BUF_INIT(1u << 16);
static size_t raised, suppressed, told;

static const char *
setting(void *priv, const char *name)
{
	(void)priv;
	return strcmp(name, "IDLE") == 0 ? "idle, Nothing " : strcmp(name, "EMPTY") == 0 ? "" : NULL;
}

static void
on_error(void *priv, const char *path, unsigned line, unsigned column, const char *text)
{
	(void)priv;
	(void)buf_printf(&wrong, "%s:%u:%u: %s\n", path, line, column, text);
}

static const struct rule_env env = { setting, on_error, NULL };

static void
on_message(void *priv, const struct rule_message *m)
{
	(void)priv;
	(void)buf_printf(&said, "%g %s%s%s\n", (double)(m->at_us - START) / 1e6, m->cleared ? "over: " : "", m->title, m->text);
	told += m->n;
}

static void
on_raised(void *priv, const struct rule *r, size_t n)
{
	(void)priv;
	(void)r;
	raised += n;
}

static void
on_suppressed(void *priv, const struct rule *r, size_t n, const char *why)
{
	(void)priv;
	(void)r;
	(void)why;
	suppressed += n;
}

static const struct rules_config config = { .on_message = on_message, .on_raised = on_raised, .on_suppressed = on_suppressed };

static const char *
text_of(struct buf *b)
{
	(void)buf_append(b, "", 1);
	b->len--;
	return buf_data(b);
}

static struct rules *
make(const char *text)
{
	struct rules *rs = rules_new(&config);
	struct rule *r = rule_new(&env, "test", "test.rule", text, strlen(text), 0);

	ck_assert_msg(r != NULL, "%s", text_of(&wrong));
	rules_add(rs, r);
	return rs;
}

/* Through its saved text into a new one. */
static struct rules *
restart(struct rules *rs, const char *rule)
{
	struct buf b = BUF_INIT(1u << 22), again = BUF_INIT(1u << 22);
	struct rules *new = make(rule);

	rules_save(rs, &b);
	ck_assert_int_eq(rules_load(new, buf_data(&b), buf_size(&b)), 0);
	rules_free(&rs);
	rules_save(new, &again);
	ck_assert_uint_eq(buf_size(&b), buf_size(&again));
	buf_fini(&b);
	buf_fini(&again);
	return new;
}

/* "seconds {event}" a line; a line without an event lets time pass. */
static void
play(struct rules **rs, const char *rule, const char *events, int restarts)
{
	static struct event ev;
	const char *p = events, *nl;
	char *json;
	double at;
	int n = 0;

	for (; *p != '\0'; p = nl + 1) {
		nl = strchr(p, '\n');
		ck_assert_ptr_nonnull(nl);
		at = strtod(p, &json);
		json += strspn(json, " ");
		if (*json == '\n') {
			rules_advance(*rs, START + (int64_t)(at * 1e6));
		} else {
			ck_assert_msg(event_scan(json, (size_t)(nl - json), &ev) == EVENT_OK, "%.*s", (int)(nl - p), p);
			rules_event(*rs, &ev, START + (int64_t)(at * 1e6));
		}
		if (restarts && n++ % 2 == 0)
			*rs = restart(*rs, rule);
	}
}

static void
check(const char *rule, const char *events, const char *expected)
{
	struct rules *rs = make(rule);
	static int restarts;

	raised = suppressed = told = 0;
	buf_clear(&said);
	play(&rs, rule, events, restarts++ % 2 == 0);
	ck_assert_str_eq(text_of(&said), expected);
	ck_assert_uint_eq(raised, told + suppressed + rules_pending(rs));
	rules_free(&rs);
}

#define V(who, vitae) "{\"type\":\"vitals\",\"character_name\":\"" who "\",\"vitae\":" vitae "}\n"
#define T(who, state) "{\"type\":\"telemetry\",\"character_name\":\"" who "\",\"vt_state\":\"" state "\"}\n"
#define DEATH "types: vitals\nwhen: .vitae | num | . > 0\non: change\nmessage: {{ .character_name }} {{ .vitae }}\ntarget: stream\n"
#define IDLE "types: telemetry\nwhen: (.vt_state | ascii_downcase) as $s | any(setting(\"IDLE\") | words[]; ascii_downcase == $s)\n" \
	"for: 10s\nsilence: 5s\nmessage: {{ .character_name }} {{ ._for }}\ntarget: stream\n"

START_TEST(death)
{
	check(DEATH, "0 " V("A", "0") "1 " V("A", "5"), "1 A 5\n");
	check(DEATH, "0 " V("A", "5") "1 " V("A", "10"), "");                            /* the first is where it begins */
	check(DEATH, "0 " V("A", "5") "1 " V("A", "0") "2 " V("A", "5"), "2 A 5\n");
	check(DEATH, "0 " V("A", "\"0\"") "1 " V("A", "\" 5 \""), "1 A  5 \n");          /* numbers as strings */
	check(DEATH, "0 " V("A", "0") "1 " V("A", "null") "2 " V("A", "\"N/A\"") "3 " V("A", "5"), "3 A 5\n");
	check(DEATH, "0 " V("A", "0") "1 " V("B", "5") "2 " V("B", "0") "3 " V("A", "0"), "");
	check(DEATH, "0 " V("A", "0") "1 " V("A", "5") "2 " V("A", "4") "3 " V("A", "10"), "1 A 5\n");
	/* a connection: register, or silence of the character; not of the whole stream */
	check(DEATH, "0 " V("A", "0") "1 {\"type\":\"register\",\"character_name\":\"A\"}\n2 " V("A", "5"), "");
	check(DEATH, "0 " V("A", "0") "20 " V("B", "0") "40 " V("A", "5"), "");
	check(DEATH, "0 " V("A", "0") "20 " T("A", "x") "40 " V("A", "5"), "40 A 5\n");
	check(DEATH, "0 " V("A", "0") "400 " V("A", "5"), "400 A 5\n");
	check(DEATH, "0 " V("A", "0") "1 {\"type\":\"vitals\",\"_replay\":true,\"character_name\":\"A\",\"vitae\":5}\n", "");
	check(DEATH "replay: yes\n", "0 " V("A", "0") "1 {\"type\":\"vitals\",\"_replay\":true,\"character_name\":\"A\",\"vitae\":5}\n", "1 A 5\n");
}
END_TEST

START_TEST(cooldown)
{
	check(DEATH "cooldown: 5m\n", "0 " V("A", "0") "1 " V("A", "5") "2 " V("A", "0") "20 " T("A", "x") "21 " V("A", "5") "22 " V("B", "0") "23 " V("B", "5"),
	    "1 A 5\n23 B 5\n");
	check(DEATH "cooldown: 5s\n", "0 " V("A", "0") "1 " V("A", "5") "2 " V("A", "0") "5.9 " V("A", "5") "5.95 " V("A", "0") "6 " V("A", "5"), "1 A 5\n6 A 5\n");
}
END_TEST

START_TEST(server_down)
{
	static const char down[] = "{\"type\":\"server_status\",\"online\":false}\n", up[] = "{\"type\":\"server_status\",\"online\":true}\n";
	char *events = xasprintf("0 %s1 %s2 %s3 %s4 %s5 %s6 %s", V("A", "0"), down, V("A", "5"), up, V("A", "5"), V("A", "0"), V("A", "5"));

	check(DEATH "wait: server\n", events, "6 A 5\n");
	free(events);
	events = xasprintf("0 %s4 %s8 %s9 %s12 %s16 %s20 %s22 %s", T("A", "idle"), T("A", "idle"), down, T("A", "idle"), up, T("A", "idle"), T("A", "idle"), T("A", "idle"));
	check(IDLE "wait: server\n", events, "");
	free(events);
}
END_TEST

START_TEST(idle)
{
	check(IDLE, "0 " T("A", "Idle") "4 " T("A", "idle") "8 " T("A", "idle") "10 " T("A", "NOTHING") "12 " T("A", "idle"), "10 A 10s\n");
	check(IDLE, "0 " T("A", "idle") "4 " T("A", "idle") "9.9 " T("A", "idle"), "");
	check(IDLE, "0 " T("A", "idle") "4 " T("A", "hunt") "8 " T("A", "idle") "12 " T("A", "idle") "16 " T("A", "idle"), "");
	check(IDLE, "0 " T("A", "idle") "5.1 " T("A", "idle") "10 " T("A", "idle") "15 " T("A", "idle") "15.2 " T("A", "idle"), "15.2 A 10s\n");
	/* one in an episode, and the next episode */
	check(IDLE, "0 " T("A", "idle") "5 " T("A", "idle") "10 " T("A", "idle") "15 " T("A", "idle") "16 " T("A", "x") "17 " T("A", "idle") "22 " T("A", "idle")
	    "27 " T("A", "idle"), "10 A 10s\n27 A 10s\n");
}
END_TEST

START_TEST(stuck)
{
#define P(ns, kills) "{\"type\":\"telemetry\",\"character_name\":\"A\",\"ns\":" ns ",\"kills\":\"" kills "\"}\n"
	static const char rule[] = "types: telemetry\nwhen: ._first == null or ((.ns - ._first[0] | fabs) <= 0.05 and (.kills | num) == ._first[1])\n"
	    "keep: [.ns, (.kills | num)]\nfor: 10s\nmessage: {{ ._for }} at {{ .ns }}\ntarget: stream\n";

	check(rule, "0 " P("1.0", "7") "5 " P("1.04", "7") "10 " P("1.03", "7") "15 " P("1", "7"), "10 10s at 1.03\n");
	check(rule, "0 " P("1.0", "7") "4 " P("1.04", "7") "8 " P("1.08", "7") "12 " P("1.12", "7") "16 " P("1.16", "7"), "");
	check(rule, "0 " P("1.0", "7") "5 " P("1.0", "8") "10 " P("1.0", "8") "15 " P("1.0", "8"), "15 10s at 1\n");
}
END_TEST

START_TEST(gathered)
{
	check(DEATH "gather: 2s\n", "0 " V("A", "0") "0 " V("B", "0") "1 " V("B", "5") "2 " V("A", "5") "2.9\n3\n", "3 B 5\nA 5\n");
	check(DEATH "gather: 2s\n", "0 " V("A", "0") "0 " V("B", "0") "1 " V("B", "5") "3 " V("A", "5") "9 " V("A", "5"), "3 B 5\n5 A 5\n");
	check(DEATH "gather: 2s\nmin: 2\n", "0 " V("A", "0") "1 " V("A", "5") "9 " V("A", "5"), "");
	check(DEATH "gather: 2s\nmany: {{ .n }}: {{ .names | join(\"+\") }}\n", "0 " V("A", "0") "0 " V("B", "0") "1 " V("B", "5") "1 " V("A", "5") "9 " V("A", "5"),
	    "3 2: A+B\n");
}
END_TEST

START_TEST(disconnected)
{
	static const char rule[] = "types: telemetry\non: silence\nfor: 10s\ngather: 5s\nmin: 2\nback: 20s\nmessage: {{ .character_name }}\n"
	    "many: lost {{ .names | join(\",\") }}\ncleared: back {{ .names | join(\",\") }}, not {{ .missing | join(\",\") }}\ntarget: stream\n";

	check(rule, "0 " T("A", "") "1 " T("B", "") "1 " T("C", "") "9 " T("C", "") "14 " T("C", "") "20 " T("C", "") "21 " T("A", "") "22 " T("B", ""),
	    "15 lost A,B\n22 over: back A,B, not \n");
	check(rule, "0 " T("A", "") "1 " T("B", "") "9 " T("C", "") "17 " T("C", "") "21 " T("A", "") "29 " T("C", "") "38 " T("C", "") "45 " T("C", ""),
	    "15 lost A,B\n41 over: back A, not B\n");
	check(rule, "0 " T("A", "") "1 " T("B", "") "9 " T("C", "") "13 " T("A", "") "19 " T("C", ""), "");      /* back before it is told: too few */
	check(rule, "0 " T("A", "") "9 " T("C", "") "18 " T("C", "") "20 " T("A", ""), "");
	/* a stream that was away says nothing of anybody */
	check(rule, "0 " T("A", "") "0 " T("B", "") "0 " T("C", "") "9\n14\n500\n600 " T("A", "") "600 " T("B", "") "600 " T("C", ""), "15 lost A,B,C\n600 over: back A,B,C, not \n");
	check("types: telemetry\non: silence\nfor: 30s\nmessage: {{ .character_name }}\ntarget: stream\n", "0 " T("A", "") "9\n500\n600 " T("B", "") "604 " T("A", "") "610 " T("B", ""), "");
}
END_TEST

START_TEST(cleared_hold)
{
	static const char rule[] = "types: server_status\nper: .server\nwhen: if .online == null then null else .online == false end\nfor: 10s\nsilence: 5m\n"
	    "message: {{ .server }} is down\ncleared: up after {{ ._for }}\ntarget: stream\n";
#define S(x) "{\"type\":\"server_status\",\"server\":\"C\",\"online\":" x "}\n"

	check(rule, "0 " S("false") "5 " S("null") "10 " S("false") "20 " S("false") "30 " S("true") "31 " S("true"), "10 C is down\n30 over: up after 0m 20s\n");
	check(rule, "0 " S("false") "5 " S("true") "10 " S("false") "15 " S("true"), "");
}
END_TEST

/* F19: the clock that stamps the events jumps; what is raised is what would have been. */
START_TEST(f19_clock_jumps)
{
	static const char down[] = "types: server_status\nper: .server\nwhen: .online == false\nfor: 10s\nsilence: 60s\nmessage: down\ncleared: up after {{ ._for }}\ntarget: stream\n";

	/* an hour back: what is gathered is told in time, five minutes stay five minutes, times are those that clocks show */
	check(DEATH "gather: 2s\ncooldown: 5m\n", "3600 " V("A", "0") "3601 " V("A", "5") "2 " T("B", "") "3 " T("B", "") "4 " T("B", ""), "4 A 5\n");
	check(DEATH "cooldown: 5m\n", "3600 " V("A", "0") "3601 " V("A", "5") "2 " V("A", "0") "20 " V("A", "0") "40 " V("A", "0") "250 " V("B", "0") "251 " V("A", "0")
	    "252 " V("A", "1") "290 " V("A", "0") "303 " V("A", "1"), "3601 A 5\n303 A 1\n");
	check(IDLE, "3600 " T("A", "idle") "3604 " T("A", "idle") "8 " T("A", "idle") "12 " T("A", "idle") "16 " T("A", "idle"), "16 A 12s\n");
	/* and an hour forward again: as if nothing had been */
	check(IDLE, "3600 " T("A", "idle") "3604 " T("A", "idle") "8 " T("A", "idle") "12 " T("A", "idle") "3616 " T("A", "idle"), "");
	check(DEATH "cooldown: 5m\n", "3600 " V("A", "0") "3601 " V("A", "5") "2 " V("A", "0") "3603 " V("A", "5") "3604 " V("A", "0") "3605 " V("A", "1"), "3601 A 5\n");
	/* an hour forward is no idleness, no silence, and says nothing of a server that is down */
	check(IDLE, "0 " T("A", "idle") "4 " T("A", "idle") "3604 " T("A", "idle") "3608 " T("A", "idle") "3614 " T("A", "x"), "");
	check("types: telemetry\non: silence\nfor: 30s\nmessage: {{ .character_name }}\ntarget: stream\n", "0 " T("A", "") "2 " T("B", "") "3602 " T("B", "") "3603 " T("A", ""), "");
	check(down, "0 " S("false") "10 " S("false") "3610 " S("false") "3611 " S("false") "3622 " S("false") "3630 " S("true"), "10 down\n3630 over: up after 60m 20s\n");
	/* small steps are how clocks are corrected */
	check(IDLE, "10 " T("A", "idle") "14 " T("A", "idle") "13 " T("A", "idle") "17 " T("A", "idle") "20 " T("A", "idle"), "20 A 10s\n");
}
END_TEST

/* F19, F57: 60 characters that are idle, and the clock goes to and fro: no storm. */
START_TEST(f19_no_storm)
{
	static const int seconds[] = { 0, 4, 3604, 3608, 8, 12, 7212, 7216, 16 };
	struct rules *rs = make(IDLE);
	static struct event ev;
	char line[200];

	raised = 0;
	for (size_t k = 0; k < sizeof(seconds) / sizeof(*seconds); k++)
		for (int i = 0; i < 60; i++) {
			int n = snprintf(line, sizeof(line), "{\"type\":\"telemetry\",\"character_name\":\"C%d\",\"vt_state\":\"idle\"}", i);
			ck_assert_int_eq(event_scan(line, (size_t)n, &ev), EVENT_OK);
			rules_event(rs, &ev, START + seconds[k] * INT64_C(1000000) + i);
			if (i == 30)
				rs = restart(rs, IDLE);
		}
	ck_assert_uint_le(raised, 60);
	rules_free(&rs);
}
END_TEST

/* What has an end is told as over when an event says so, not when nothing is known. */
START_TEST(ends_by_events)
{
	static const char rule[] = "types: chat\nwhen: .bad\nfor: 4s\nsilence: 10s\nwait: server\nmessage: bad\ncleared: good\ntarget: stream\n";
#define B(x) "{\"type\":\"chat\",\"character_name\":\"A\",\"bad\":" x "}\n"
#define O(x) "{\"type\":\"server_status\",\"online\":" x "}\n"

	check(rule, "0 " B("true") "5 " B("true") "30 " B("true") "36 " B("true") "40 " B("false"), "5 bad\n40 over: good\n");
	check(rule, "0 " B("true") "5 " B("true") "6 " O("false") "7 " B("false") "8 " O("true") "9 " B("true") "10 " B("false"), "5 bad\n10 over: good\n");
	check(rule, "0 " B("true") "2 " O("false") "3 " B("true") "4 " O("true") "5 " B("true") "8 " B("true") "9 " B("true"), "9 bad\n");
}
END_TEST

/* 60 at once: few messages, nobody left out. */
START_TEST(storm)
{
	struct rules *rs = make(DEATH "gather: 2s\ncooldown: 5m\n");
	static struct event ev;
	char line[200], name[40];

	raised = suppressed = told = 0;
	buf_clear(&said);
	for (int v = 0; v <= 5; v += 5)
		for (int i = 0; i < 60; i++) {
			int n = snprintf(line, sizeof(line), "{\"type\":\"vitals\",\"character_name\":\"Somebody With A Long Name %02d\",\"vitae\":%d}", i, v);
			ck_assert_int_eq(event_scan(line, (size_t)n, &ev), EVENT_OK);
			rules_event(rs, &ev, START + v * 1000000 + i);
			if (i % 20 == 0)
				rs = restart(rs, DEATH "gather: 2s\ncooldown: 5m\n");
		}
	rules_advance(rs, START + 20000000);
	ck_assert_uint_eq(raised, 60);
	ck_assert_uint_eq(told, 60);
	for (int i = 0; i < 60; i++) {
		(void)snprintf(name, sizeof(name), "Name %02d", i);
		ck_assert_ptr_nonnull(strstr(text_of(&said), name));
	}
	ck_assert_uint_lt(buf_size(&said), 60 * 35);
	rules_free(&rs);
}
END_TEST

START_TEST(rares)
{
#define R(who, name, at) "{\"type\":\"rare\",\"character_name\":\"" who "\",\"name\":\"" name "\",\"timestamp\":\"2026-11-22T13:02:0" at "Z\"}\n"
	static const char rule[] = "types: rare\nwhen: rare_tier == \"common\"\nper: [.character_name, (.name | trim), .timestamp[:19]]\ncooldown: 1h\n"
	    "title: Common\nmessage: \n  {{ .name | trim }}\ntarget: stream\n";

	check(rule, "0 " R("A", "Warrior's Jewel", "1.1") "0.1 " R("A", " Warrior's Jewel ", "1.9") "2 " R("A", "Warrior's Jewel", "2.0") "2 " R("B", "Warrior's Jewel", "2.0")
	    "3 " R("B", "Adept's Fervor", "2.0"), "0 CommonWarrior's Jewel\n2 CommonWarrior's Jewel\n2 CommonWarrior's Jewel\n");
}
END_TEST

/* Text with anything in it comes out as it is. */
START_TEST(texts)
{
	static const char head[] = "types: chat\nmessage: ";
	char *rule = xasprintf("%s%s", head, "a \"q\" \\(1) {{ {a: {b: \"}}\"}} | .a.b }}é{{ .missing }}{{ 1, 2 }}\n   more\ntarget: stream\n");

	check(rule, "0 {\"type\":\"chat\",\"character_name\":\"A\"}\n", "0 a \"q\" \\(1) }}é1, 2\nmore\n");
	free(rule);
}
END_TEST

static const struct { const char *text, *error; } bad[] = {
	{ "", "t.rule:1:1: the key types is missing" },
	{ "types: vitals\nwhat: x\n", "t.rule:2:1: 'what' is no key" },
	{ "types: vitals\n  when: x\nmessage: x\ntarget: stream\nfor: 5\nwhen: true", "t.rule:2:7: not a type" },
	{ "types: vitals\nwhen .x\n", "t.rule:2:5: here a key and a colon" },
	{ " types: vitals\n", "t.rule:1:1: an indented line" },
	{ "types: vitals\ntypes: chat\n", "t.rule:2:1: types stands here a second time" },
	{ "types: vitals\nfor: 5 minutes\n", "t.rule:2:6: not a length of time" },
	{ "types: vitals\ncooldown:\n", "t.rule:2:10: the value is missing" },
	{ "types: vitals\ncooldown: 5m\n  5m\n", "t.rule:3:1: cooldown has one line" },
	{ "types: alert\n", "t.rule:1:8: a rule about alerts would answer itself" },
	{ "types: vitals, ga*\n", "t.rule:1:16: is or takes in a type that is never" },
	{ "types: vitals\ntarget: discord\n", "t.rule:2:9: write channel:" },
	{ "types: vitals\ncolor: red\n", "t.rule:2:8: write a colour" },
	{ "types: vitals\nmessage: x\ntarget: stream\non: silence\n", "t.rule:1:1: `on: silence` needs `for:`" },
	{ "types: vitals\nmessage: x\ntarget: stream\nwhen: .vitae >\n", "t.rule:4:15: the jq expression ends too early" },
	{ "types: vitals\nmessage: x\ntarget: stream\nwhen: .vitae == 1 and\n  (.x }} | 3\n", "t.rule:5:7: jq does not expect '}' here" },
	{ "types: vitals\nmessage: x\ntarget: stream\nwhen: .vitae\n  | foo(1)\n", "t.rule:5:5: foo/1 is not defined" },
	{ "types: vitals\nmessage: x\ntarget: stream\nwhen: .é == $é or $x\n", "t.rule:4:8: jq does not expect" },
	{ "types: vitals\nmessage: x\ntarget: stream\nwhen: . == $x\n", "t.rule:4:12: $x is not defined" },
	{ "types: vitals\nmessage: x {{ .a | }} y\ntarget: stream\nwhen: true\n", "t.rule:2:19: the jq expression ends too early" },
	{ "types: vitals\nmessage: x\n  é {{ bar }} y\ntarget: stream\nwhen: true\n", "t.rule:3:8: bar/0 is not defined" },
	{ "types: vitals\nmessage: x {{ .a\ntarget: stream\nwhen: true\n", "t.rule:2:12: this {{ has no }}" },
	{ "types: vitals\nmessage: x\ntarget: stream\nwhen: setting(\"NOPE\") == 1\n", "t.rule:4:16: no such setting" },
	{ "types: vitals\nmessage: \xff\ntarget: stream\n", "t.rule:1:1: not UTF-8" },
};

START_TEST(errors)
{
	struct rule *r;

	for (int thorough = 0; thorough < 2; thorough++) {
		buf_clear(&wrong);
		r = rule_new(&env, "t", "t.rule", bad[_i].text, strlen(bad[_i].text), thorough);
		ck_assert_ptr_null(r);
		ck_assert_msg(strncmp(text_of(&wrong), bad[_i].error, strlen(bad[_i].error)) == 0, "%s\nis not\n%s", text_of(&wrong), bad[_i].error);
	}
}
END_TEST

START_TEST(why)
{
	struct rules *rs = make(IDLE);
	struct buf b = BUF_INIT(1u << 16);

	play(&rs, IDLE, "0 " T("A", "hunt") "2 " T("A", "idle") "4 " T("A", "idle"), 0);
	rules_why(rs, "A", &b);
	ck_assert_ptr_nonnull(strstr(text_of(&b), "true    since 2026-11-22T13:02:02.000Z  (.vt_state"));
	ck_assert_ptr_nonnull(strstr(text_of(&b), "would be raised at 2026-11-22T13:02:12.000Z"));
	ck_assert_ptr_nonnull(strstr(text_of(&b), "cleared by an event for which it is false, or by 5 s without one"));
	buf_clear(&b);
	rules_why(rs, "B", &b);
	ck_assert_ptr_nonnull(strstr(text_of(&b), "no event yet"));
	buf_fini(&b);
	rules_free(&rs);
}
END_TEST

/* A rule written anew begins anew, but does not tell the same again. */
START_TEST(changed_rule)
{
	struct rules *rs = make(DEATH "cooldown: 5m\n"), *new = make(DEATH "cooldown: 5m\nwhen: true\n");
	struct buf b = BUF_INIT(1u << 16);

	buf_clear(&said);
	play(&rs, NULL, "0 " V("A", "0") "1 " V("A", "5"), 0);
	rules_save(rs, &b);
	ck_assert_int_eq(rules_load(new, buf_data(&b), buf_size(&b) - 1), -1);
	ck_assert_int_eq(rules_load(new, buf_data(&b), buf_size(&b)), 0);
	play(&new, NULL, "2 " V("A", "0") "3 " V("A", "5") "25 " T("A", "") "50 " T("A", "") "300 " V("A", "0") "302 " V("A", "5"), 0);
	ck_assert_str_eq(text_of(&said), "1 A 5\n302 A 5\n");
	buf_fini(&b);
	rules_free(&rs);
	rules_free(&new);
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("rule");

	tcase_set_timeout(t, 240);
	tcase_add_test(t, death);
	tcase_add_test(t, cooldown);
	tcase_add_test(t, server_down);
	tcase_add_test(t, idle);
	tcase_add_test(t, stuck);
	tcase_add_test(t, gathered);
	tcase_add_test(t, disconnected);
	tcase_add_test(t, cleared_hold);
	tcase_add_test(t, f19_clock_jumps);
	tcase_add_test(t, f19_no_storm);
	tcase_add_test(t, ends_by_events);
	tcase_add_test(t, storm);
	tcase_add_test(t, rares);
	tcase_add_test(t, texts);
	tcase_add_loop_test(t, errors, 0, sizeof(bad) / sizeof(*bad));
	tcase_add_test(t, why);
	tcase_add_test(t, changed_rule);
	return suite_run(t, "rule");
}
