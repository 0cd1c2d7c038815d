/* combat: snapshots read, folded in and out of order, twice, with resets, and written again. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "combat/combat.h"
#include "suite.h"

#define NONE COMBAT_NO_TIME
#define KEYS 64

/* ---- a lifetime as the database would keep it ---- */

struct life {
	struct { char name[64]; unsigned cell; int64_t n[COMBAT_COUNTERS]; } cell[KEYS];
	int n_cells;
	int64_t tally[COMBAT_TALLIES], total[COMBAT_TOTALS];
};

static void
on_cell(void *priv, const struct combat_monster *m, unsigned cell, const int64_t n[COMBAT_COUNTERS])
{
	struct life *l = priv;
	int i;

	for (i = 0; i < l->n_cells; i++)
		if (l->cell[i].cell == cell && strcmp(l->cell[i].name, m->name) == 0)
			break;
	if (i == l->n_cells) {
		ck_assert_int_lt(l->n_cells++, KEYS);
		memset(&l->cell[i], 0, sizeof l->cell[i]);
		snprintf(l->cell[i].name, sizeof l->cell[i].name, "%s", m->name);
		l->cell[i].cell = cell;
	}
	for (int k = 0; k < COMBAT_COUNTERS; k++) {
		ck_assert_int_ge(n[k], 0);
		if (!combat_is_max((enum combat_counter)k))
			l->cell[i].n[k] += n[k];
		else if (n[k] > l->cell[i].n[k])
			l->cell[i].n[k] = n[k];
	}
}

static void
on_monster(void *priv, const struct combat_monster *m, const int64_t n[COMBAT_TALLIES])
{
	struct life *l = priv;

	(void)m;
	for (int i = 0; i < COMBAT_TALLIES; i++)
		l->tally[i] += n[i];
}

static void
on_totals(void *priv, const int64_t n[COMBAT_TOTALS])
{
	struct life *l = priv;

	for (int i = 0; i < COMBAT_TOTALS; i++)
		l->total[i] += n[i];
}

static struct combat_sink
sink_of(struct life *l)
{
	return (struct combat_sink){ .cell = on_cell, .monster = on_monster, .totals = on_totals, .priv = l };
}

/* ---- events ---- */

static struct event_value
body_of(const char *json, struct event *e)
{
	char *line;

	ck_assert(asprintf(&line, "{\"type\":\"combat_stats\",%s", json + 1) > 0);
	ck_assert_msg(event_scan(line, strlen(line), e) == EVENT_OK, "%s", json);
	return event_body(e);
}

static void
read_ok(struct combat *c, const char *json)
{
	const char *why = "";
	struct event e;

	combat_init(c);
	ck_assert_msg(combat_read(c, body_of(json, &e), &why) == 0, "%s: %s", json, why);
	free((void *)(uintptr_t)e.line);
}

/* S(seq, kills, attacks, max): a snapshot with one monster. */
#define S(seq, kills, attacks, max) "{\"seq\":" #seq ",\"totals\":{\"kills\":" #kills "},\"monsters\":{\"Rat\":{\"kills\":" #kills \
	",\"given\":{\"magic\":{\"Fire\":{\"attacks\":" #attacks ",\"max_normal\":" #max "}}}}}}"

static const struct {
	const char *what;
	struct { int64_t at; const char *json; enum combat_fold how; } step[5];
	int64_t kills, attacks, max, total;
} cases[] = {
	{ "grows", { { 1, S(1, 2, 9, 50), COMBAT_SAME }, { 2, S(2, 5, 20, 60), COMBAT_NEWER } }, 5, 20, 60, 5 },
	{ "the same again", { { 1, S(1, 2, 9, 50), COMBAT_SAME }, { 1, S(1, 2, 9, 50), COMBAT_SAME } }, 2, 9, 50, 2 },
	{ "an older one", { { 5, S(5, 7, 9, 50), COMBAT_SAME }, { 2, S(2, 3, 99, 99), COMBAT_OLDER } }, 7, 9, 50, 7 },
	{ "a counter falls: reset", { { 1, S(1, 10, 30, 70), COMBAT_SAME }, { 2, S(2, 10, 4, 80), COMBAT_RESET } }, 20, 34, 80, 20 },
	{ "kills fall: reset", { { 1, S(1, 10, 30, 70), COMBAT_SAME }, { 2, S(2, 1, 40, 70), COMBAT_RESET } }, 11, 70, 70, 11 },
	{ "max falls: reset", { { 1, S(1, 1, 30, 70), COMBAT_SAME }, { 2, S(2, 2, 40, 20), COMBAT_RESET } }, 3, 70, 70, 3 },
	{ "seq falls: reset", { { 1, S(9, 1, 30, 70), COMBAT_SAME }, { 2, S(1, 1, 30, 70), COMBAT_RESET } }, 2, 60, 70, 2 },
	{ "total falls: reset", { { 1, S(1, 5, 1, 1), COMBAT_SAME }, { 2, "{\"seq\":2,\"totals\":{\"kills\":1},\"monsters\":{}}", COMBAT_RESET },
		{ 3, S(3, 5, 1, 1), COMBAT_NEWER } }, 10, 2, 1, 10 },
	{ "equal times go by seq", { { 1, S(2, 5, 20, 60), COMBAT_SAME }, { 1, S(1, 2, 9, 50), COMBAT_OLDER }, { 1, S(3, 6, 21, 60), COMBAT_NEWER } }, 6, 21, 60, 6 },
	{ "equal times and seq never reset", { { 1, S(2, 5, 20, 60), COMBAT_SAME }, { 1, S(2, 4, 25, 10), COMBAT_SAME } }, 5, 25, 60, 5 },
	{ "no times go by seq", { { NONE, S(2, 5, 20, 60), COMBAT_SAME }, { NONE, S(1, 2, 9, 50), COMBAT_OLDER }, { NONE, S(3, 6, 22, 60), COMBAT_NEWER } }, 6, 22, 60, 6 },
	{ "no times: a counter falls", { { NONE, S(2, 5, 20, 60), COMBAT_SAME }, { NONE, S(3, 1, 2, 3), COMBAT_RESET } }, 6, 22, 60, 6 },
	{ "a time where there was none", { { NONE, S(2, 5, 20, 60), COMBAT_SAME }, { 7, S(3, 6, 22, 60), COMBAT_NEWER }, { 6, S(4, 9, 99, 60), COMBAT_OLDER } }, 6, 22, 60, 6 },
	{ "no seq", { { 1, "{\"monsters\":{\"Rat\":{\"kills\":1}}}", COMBAT_SAME }, { 2, "{\"monsters\":{\"Rat\":{\"kills\":4}}}", COMBAT_NEWER } }, 4, 0, 0, 4 },
	{ "no seq, the same time", { { 1, "{\"monsters\":{\"Rat\":{\"kills\":4}}}", COMBAT_SAME }, { 1, "{\"monsters\":{\"Rat\":{\"kills\":1}}}", COMBAT_SAME } }, 4, 0, 0, 4 },
	{ "a monster that is missing is as it was", { { 1, S(1, 5, 20, 60), COMBAT_SAME },
		{ 2, "{\"seq\":2,\"monsters\":{\"Cow\":{\"kills\":1}}}", COMBAT_NEWER }, { 3, "{\"seq\":3,\"monsters\":{\"Rat\":{\"kills\":6}}}", COMBAT_NEWER } }, 7, 20, 60, 7 },
	{ "after a reset it is not", { { 1, S(1, 5, 20, 60), COMBAT_SAME }, { 2, "{\"seq\":0,\"monsters\":{\"Cow\":{\"kills\":1}}}", COMBAT_RESET },
		{ 3, "{\"seq\":1,\"monsters\":{\"Rat\":{\"kills\":5}}}", COMBAT_NEWER } }, 11, 20, 60, 11 },
	{ "totals that are stated count as stated", { { 1, "{\"totals\":{\"kills\":\"1,482\"},\"monsters\":{\"Rat\":{\"kills\":12}}}", COMBAT_SAME } }, 12, 0, 0, 1482 },
	{ "numbers as strings", { { 1, "{\"seq\":\"3\",\"monsters\":{\"Rat\":{\"kills\":\" 12 \",\"given\":{\"magic\":{\"Fire\":{\"attacks\":\"7.0\",\"max_normal\":\"N/A\"}}}}}}", COMBAT_SAME } }, 12, 7, 0, 12 },
	{ "Bludge is Bludgeon", { { 1, "{\"monsters\":{\"Rat\":{\"given\":{\"magic\":{\"Bludge\":{\"attacks\":3}}}}}}", COMBAT_SAME },
		{ 2, "{\"monsters\":{\"Rat\":{\"given\":{\"magic\":{\"Bludgeon\":{\"attacks\":5}}}}}}", COMBAT_NEWER } }, 0, 5, 0, 0 },
	{ "nothing at all", { { 1, "{\"x\":1}", COMBAT_SAME }, { 2, "{\"monsters\":null,\"totals\":null,\"seq\":null}", COMBAT_NEWER } }, 0, 0, 0, 0 },
};

static int64_t
sum(const struct life *l, enum combat_counter counter)
{
	int64_t n = 0;

	for (int i = 0; i < l->n_cells; i++)
		n = combat_is_max(counter) ? (l->cell[i].n[counter] > n ? l->cell[i].n[counter] : n) : n + l->cell[i].n[counter];
	return n;
}

static void
fold_all(int i, struct combat *known, struct life *l, int check)
{
	struct combat_sink sink = sink_of(l);

	for (int k = 0; k < 5 && cases[i].step[k].json != NULL; k++) {
		struct combat c;
		enum combat_fold how;
		read_ok(&c, cases[i].step[k].json);
		c.at_us = cases[i].step[k].at;
		how = combat_fold(known, &c, &sink);
		if (check)
			ck_assert_msg(how == cases[i].step[k].how, "%s: step %d is %d", cases[i].what, k, (int)how);
		combat_fini(&c);
	}
}

START_TEST(folds)
{
	struct combat known;
	struct life l = { 0 };

	combat_init(&known);
	fold_all(_i, &known, &l, 1);
	ck_assert_msg(l.tally[COMBAT_MONSTER_KILLS] == cases[_i].kills, "%s: %" PRId64 " kills", cases[_i].what, l.tally[COMBAT_MONSTER_KILLS]);
	ck_assert_msg(sum(&l, COMBAT_ATTACKS) == cases[_i].attacks, "%s: attacks", cases[_i].what);
	ck_assert_msg(sum(&l, COMBAT_MAX_NORMAL) == cases[_i].max, "%s: max", cases[_i].what);
	ck_assert_msg(l.total[COMBAT_KILLS] == cases[_i].total, "%s: %" PRId64 " in all", cases[_i].what, l.total[COMBAT_KILLS]);
	combat_fini(&known);
}
END_TEST

/* All of it again, after it was written down and read back: nothing is added. */
START_TEST(twice_is_once)
{
	struct combat known, again;
	struct life l = { 0 }, none = { 0 };
	struct buf b = BUF_INIT(1 << 20);

	combat_init(&known);
	fold_all(_i, &known, &l, 0);
	if (cases[_i].step[0].at != NONE) {                      /* without times a reset cannot be told from what is old */
		(void)combat_write(&known, &b);
		(void)buf_append(&b, "", 1);
		read_ok(&again, buf_data(&b));
		again.at_us = known.at_us;
		fold_all(_i, &again, &none, 0);
		ck_assert_msg(none.n_cells == 0 && none.tally[0] == 0 && none.total[0] == 0, "%s", cases[_i].what);
		combat_fini(&again);
	}
	combat_fini(&known);
	buf_fini(&b);
}
END_TEST

static const struct { const char *json, *why; } bad[] = {
	{ "{\"monsters\":[]}", "monsters is not an object" },
	{ "{\"totals\":7}", "totals is not an object" },
	{ "{\"seq\":-1}", "a counter is negative" },
	{ "{\"seq\":1.5}", "a counter is not a whole number, or too large" },
	{ "{\"seq\":1e300}", "a counter is not a whole number, or too large" },
	{ "{\"totals\":{\"kills\":9007199254740992}}", "a counter is too large" },
	{ "{\"totals\":{\"kills\":{}}}", "a counter is not a number" },
	{ "{\"monsters\":{\"Rat\":[]}}", "a monster is not an object" },
	{ "{\"monsters\":{\"Rat\":{\"kills\":true}}}", "a counter is not a number" },
	{ "{\"monsters\":{\"Rat\":{\"given\":1}}}", "a direction is not an object" },
	{ "{\"monsters\":{\"Rat\":{\"given\":{\"magic\":1}}}}", "an attack type is not an object" },
	{ "{\"monsters\":{\"Rat\":{\"given\":{\"magic\":{\"Fire\":1}}}}}", "an element's counters are not an object" },
	{ "{\"monsters\":{\"Rat\":{\"given\":{\"magic\":{\"Fire\":{\"attacks\":99999999999999999999}}}}}}", "a counter is not a whole number, or too large" },
	{ "{\"monsters\":{\"a\\nb\":{}}}", "a monster's name has control characters" },
	{ "{\"monsters\":{\"Rat\":{\"given\":{\"magic\":{\"Bludge\":{\"attacks\":9007199254740991},\"Bludgeon\":{\"attacks\":1}}}}}}", "a counter is too large" },
};

START_TEST(refuses)
{
	const char *why = "";
	struct combat c;
	struct event e;

	combat_init(&c);
	ck_assert_msg(combat_read(&c, body_of(bad[_i].json, &e), &why) == -1, "%s", bad[_i].json);
	ck_assert_str_eq(why, bad[_i].why);
	combat_fini(&c);
	free((void *)(uintptr_t)e.line);
}
END_TEST

/* A snapshot of the most monsters is read and folded in no time; one more is refused, as is a session that grows past that. */
START_TEST(many)
{
	struct combat c, known, more;
	struct life l = { 0 };
	struct combat_sink sink = sink_of(&l);
	struct buf b = BUF_INIT(1 << 20);
	const char *why = "";
	struct event e;

	(void)buf_appends(&b, "{\"monsters\":{");
	for (int i = 0; i < COMBAT_MONSTERS_MAX; i++)
		(void)buf_printf(&b, "%s\"m%d\":{\"kills\":1}", i ? "," : "", i);
	(void)buf_append(&b, "}}", 3);
	read_ok(&c, buf_data(&b));
	combat_init(&known);
	ck_assert_int_eq(combat_fold(&known, &c, &sink), COMBAT_SAME);
	ck_assert_int_eq(l.tally[0], COMBAT_MONSTERS_MAX);
	read_ok(&more, "{\"monsters\":{\"one more\":{\"kills\":1}}}");
	ck_assert_int_eq(combat_fold(&known, &more, &sink), COMBAT_FULL);
	ck_assert_int_eq(l.tally[0], COMBAT_MONSTERS_MAX);
	b.len -= 3;
	(void)buf_append(&b, ",\"n\":{}}}", 10);
	combat_clear(&more);
	ck_assert_int_eq(combat_read(&more, body_of(buf_data(&b), &e), &why), -1);
	ck_assert_str_eq(why, "too many monsters");
	free((void *)(uintptr_t)e.line);
	combat_fini(&more);
	combat_fini(&c);
	combat_fini(&known);
	buf_fini(&b);
}
END_TEST

/* Written and read again it is the same, whatever the names. */
START_TEST(writes)
{
	static const char want[] = "{\"seq\":7,\"totals\":{\"kills\":3},\"monsters\":{\"O'Neil \\\"<b>\\\\é\":{\"kills\":3,\"aetheria_surges\":2,\"given\":{\"melee_missile\":"
		"{\"Bludgeon\":{\"attacks\":40,\"failed\":0}},\"unknown\":{\"Unknown\":{\"crits\":1}}},\"received\":{}}}}";
	struct buf b = BUF_INIT(1 << 20);
	struct combat c;

	read_ok(&c, "{\"monsters\":{\"O'Neil \\u0022<b>\\\\\\u00e9\":{\"aetheria_surges\":\"2\",\"given\":{\"melee_missile\":{\"Bludge\":{\"failed\":0,\"attacks\":40}},"
		"\"shouting\":{\"Noise\":{\"crits\":1}}},\"kills\":3,\"cloak_surges\":null,\"other\":[1]}},\"seq\":7,\"totals\":{\"kills\":3}}");
	ck_assert_int_eq(combat_write(&c, &b), 0);
	(void)buf_append(&b, "", 1);
	ck_assert_str_eq(buf_data(&b), want);
	combat_fini(&c);
	read_ok(&c, want);
	buf_clear(&b);
	ck_assert_int_eq(combat_write(&c, &b), 0);
	ck_assert(memcmp(buf_data(&b), want, sizeof want - 1) == 0);
	combat_fini(&c);
	buf_fini(&b);
}
END_TEST

START_TEST(covers)
{
	struct combat known, next;
	struct life l = { 0 };
	struct combat_sink sink = sink_of(&l);

	combat_init(&known);
	read_ok(&next, S(1, 2, 3, 4));
	ck_assert_int_eq(combat_fold(&known, &next, &sink), COMBAT_SAME);
	ck_assert(combat_covers(&next, &known));
	combat_fini(&next);
	read_ok(&next, "{\"seq\":2,\"totals\":{\"kills\":3},\"monsters\":{\"Cow\":{\"kills\":1}}}");
	next.at_us = 5;
	ck_assert_int_eq(combat_fold(&known, &next, &sink), COMBAT_NEWER);
	ck_assert(!combat_covers(&next, &known));
	combat_fini(&next);
	combat_fini(&known);
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("combat");

	tcase_add_loop_test(t, folds, 0, sizeof cases / sizeof *cases);
	tcase_add_loop_test(t, twice_is_once, 0, sizeof cases / sizeof *cases);
	tcase_add_loop_test(t, refuses, 0, sizeof bad / sizeof *bad);
	tcase_add_test(t, many);
	tcase_add_test(t, writes);
	tcase_add_test(t, covers);
	return suite_run(t, "combat");
}
