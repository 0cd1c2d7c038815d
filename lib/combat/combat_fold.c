/* What the next snapshot of a session adds to the lifetime. */
#include <string.h>

#include "combat/combat.h"
#include "combat/inner.h"

struct folding {
	struct combat *known;
	const struct combat_sink *sink;
	int64_t grew[COMBAT_TOTALS];         /* by the monsters */
};

/* ---- which of two ---- */

static enum combat_fold
order(const struct combat *known, const struct combat *next)
{
	if (known->at_us != COMBAT_NO_TIME && next->at_us != COMBAT_NO_TIME && known->at_us != next->at_us)
		return next->at_us > known->at_us ? COMBAT_NEWER : COMBAT_OLDER;
	if (known->seq == COMBAT_NONE || next->seq == COMBAT_NONE || known->seq == next->seq)
		return COMBAT_SAME;
	return next->seq > known->seq ? COMBAT_NEWER : COMBAT_OLDER;
}

static int
is_lower(const int64_t *next, const int64_t *known, int n)
{
	for (int i = 0; i < n; i++)
		if (next[i] != COMBAT_NONE && known[i] != COMBAT_NONE && next[i] < known[i])
			return 1;
	return 0;
}

static int
monster_is_lower(const struct combat_monster *next, const struct combat_monster *known)
{
	if (is_lower(next->tally, known->tally, COMBAT_TALLIES))
		return 1;
	for (uint32_t i = 0; i < next->n_cells; i++) {
		const struct combat_cell *was = combat_cell_get(known, next->cells[i].cell);
		if (was != NULL && is_lower(next->cells[i].n, was->n, COMBAT_COUNTERS))
			return 1;
	}
	return 0;
}

static int
any_is_lower(const struct combat *next, const struct combat *known)
{
	if (is_lower(&next->seq, &known->seq, 1) || is_lower(next->total, known->total, COMBAT_TOTALS))
		return 1;
	for (uint32_t i = 0; i < next->n_monsters; i++) {
		const struct combat_monster *m = &next->monsters[i], *was = combat_monster_get(known, m->name, m->len, i);
		if (was != NULL && monster_is_lower(m, was))
			return 1;
	}
	return 0;
}

/* ---- taking it ---- */

/* A value that is not lower by now, into what is known; how much it grew. */
static int64_t
grow(struct folding *f, int64_t *known, int64_t next)
{
	int64_t was = *known == COMBAT_NONE ? 0 : *known;

	if (next == COMBAT_NONE)
		return 0;
	if (*known == COMBAT_NONE)
		f->known->n_values++;
	else if (next <= was)
		return 0;
	*known = next;
	return next - was;
}

/* Both are at most COMBAT_MAX, and so is the sum. */
static int64_t
add(int64_t a, int64_t b)
{
	return a + b < COMBAT_MAX ? a + b : COMBAT_MAX;
}

static void
fold_cell(struct folding *f, struct combat_monster *known, const struct combat_cell *next)
{
	struct combat_cell *cell = combat_cell_get(known, next->cell);
	int64_t n[COMBAT_COUNTERS], *damage = &f->grew[next->cell < COMBAT_CELL(1, 0, 0) ? COMBAT_DAMAGE_GIVEN : COMBAT_DAMAGE_RECEIVED];
	int some = 0;

	if (cell == NULL)
		cell = combat_cell_add(f->known, known, next->cell);
	for (int i = 0; i < COMBAT_COUNTERS; i++) {
		n[i] = grow(f, &cell->n[i], next->n[i]);
		some |= n[i] > 0;
		if (n[i] > 0 && combat_is_max((enum combat_counter)i))
			n[i] = next->n[i];
	}
	*damage = add(*damage, add(n[COMBAT_NORMAL_DAMAGE], n[COMBAT_CRIT_DAMAGE]));
	if (some)
		f->sink->cell(f->sink->priv, known, next->cell, n);
}

static void
fold_monster(struct folding *f, const struct combat_monster *next, uint32_t guess)
{
	struct combat_monster *known = combat_monster_get(f->known, next->name, next->len, guess);
	int64_t n[COMBAT_TALLIES];
	int some = 0;

	if (known == NULL)
		known = combat_monster_add(f->known, next->name, next->len);
	for (int i = 0; i < COMBAT_TALLIES; i++) {
		n[i] = grow(f, &known->tally[i], next->tally[i]);
		some |= n[i] > 0;
	}
	f->grew[COMBAT_KILLS] = add(f->grew[COMBAT_KILLS], n[COMBAT_MONSTER_KILLS]);
	if (some)
		f->sink->monster(f->sink->priv, known, n);
	for (uint32_t i = 0; i < next->n_cells; i++)
		fold_cell(f, known, &next->cells[i]);
}

/* Where no total is stated, what the monsters grew by is the growth, and the statement that comes later is measured from there. */
static void
fold_totals(struct folding *f, const struct combat *next)
{
	int64_t n[COMBAT_TOTALS];
	int some = 0;

	for (int i = 0; i < COMBAT_TOTALS; i++) {
		int64_t *known = &f->known->total[i], was = *known == COMBAT_NONE ? 0 : *known;
		int64_t now = next->total[i] == COMBAT_NONE ? add(was, f->grew[i]) : next->total[i] > was ? next->total[i] : was;
		n[i] = now - was;
		some |= n[i] > 0;
		if (*known != COMBAT_NONE || next->total[i] != COMBAT_NONE || n[i] > 0)
			*known = now;
	}
	if (some)
		f->sink->totals(f->sink->priv, n);
}

/* How many monsters next would add. */
static uint32_t
n_new(const struct combat *known, const struct combat *next)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < next->n_monsters; i++)
		n += combat_monster_get(known, next->monsters[i].name, next->monsters[i].len, i) == NULL;
	return n;
}

enum combat_fold
combat_fold(struct combat *known, const struct combat *next, const struct combat_sink *sink)
{
	struct folding f = { .known = known, .sink = sink };
	enum combat_fold how = order(known, next);

	if (how == COMBAT_OLDER)
		return how;
	if (how == COMBAT_NEWER && any_is_lower(next, known)) {
		int64_t at_us = known->at_us;
		how = COMBAT_RESET;
		combat_clear(known);
		known->at_us = at_us;
	} else if (known->n_monsters + n_new(known, next) > COMBAT_MONSTERS_MAX) {
		return COMBAT_FULL;
	}
	for (uint32_t i = 0; i < next->n_monsters; i++)
		fold_monster(&f, &next->monsters[i], i);
	fold_totals(&f, next);
	if (next->at_us != COMBAT_NO_TIME)
		known->at_us = next->at_us;
	if (next->seq != COMBAT_NONE && (how != COMBAT_SAME || known->seq == COMBAT_NONE))
		known->seq = next->seq;
	return how;
}

int
combat_covers(const struct combat *next, const struct combat *known)
{
	if (next->n_values != known->n_values || next->seq != known->seq || any_is_lower(next, known))
		return 0;
	return memcmp(next->total, known->total, sizeof next->total) == 0;
}
