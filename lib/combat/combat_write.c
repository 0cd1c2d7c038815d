/* A snapshot as the event has it. */
#include <inttypes.h>
#include <string.h>

#include "combat/combat.h"
#include "combat/inner.h"

static int
put_counter(struct buf *b, const char *word, int64_t n, int *some)
{
	if (n == COMBAT_NONE)
		return 0;
	return buf_printf(b, "%s\"%s\":%" PRId64, (*some)++ ? "," : "", word, n);
}

static int
put_cell(struct buf *b, const struct combat_cell *c, int first)
{
	int bad = buf_printf(b, "%s\"%s\":{", first ? "" : ",", combat_element_word(c->cell)), some = 0;

	for (int i = 0; i < COMBAT_COUNTERS; i++)
		bad |= put_counter(b, combat_counter_words[i], c->n[i], &some);
	return bad | buf_appends(b, "}");
}

/* The elements of one direction and attack type; nothing when there are none. */
static int
put_attack(struct buf *b, const struct combat_monster *m, unsigned from, int *some)
{
	int bad = 0, n = 0;

	for (uint32_t i = 0; i < m->n_cells; i++) {
		if (m->cells[i].cell / 16 != from / 16)
			continue;
		if (n == 0)
			bad |= buf_printf(b, "%s\"%s\":{", (*some)++ ? "," : "", combat_attack_word(from));
		bad |= put_cell(b, &m->cells[i], n++ == 0);
	}
	return n > 0 ? bad | buf_appends(b, "}") : bad;
}

static int
put_monster(struct buf *b, const struct combat_monster *m)
{
	int bad = buf_append_json(b, m->name, m->len) | buf_appends(b, ":{"), some = 0;

	for (int i = 0; i < COMBAT_TALLIES; i++)
		bad |= put_counter(b, combat_tally_words[i], m->tally[i], &some);
	for (unsigned d = 0; d < COMBAT_DIRECTIONS; d++) {
		int attacks = 0;
		bad |= buf_printf(b, "%s\"%s\":{", some++ ? "," : "", combat_direction_words[d]);
		for (unsigned a = 0; a < COMBAT_ATTACKTYPES; a++)
			bad |= put_attack(b, m, COMBAT_CELL(d, a, 0), &attacks);
		bad |= buf_appends(b, "}");
	}
	return bad | buf_appends(b, "}");
}

int
combat_write(const struct combat *c, struct buf *b)
{
	int bad = buf_appends(b, "{"), some = 0;

	bad |= put_counter(b, "seq", c->seq, &some);
	bad |= buf_printf(b, "%s\"totals\":{", some ? "," : "");
	some = 0;
	for (int i = 0; i < COMBAT_TOTALS; i++)
		bad |= put_counter(b, combat_total_words[i], c->total[i], &some);
	bad |= buf_appends(b, "},\"monsters\":{");
	for (uint32_t i = 0; i < c->n_monsters; i++) {
		if (i > 0)
			bad |= buf_appends(b, ",");
		bad |= put_monster(b, &c->monsters[i]);
	}
	bad |= buf_appends(b, "}}");
	return bad ? -1 : 0;
}
