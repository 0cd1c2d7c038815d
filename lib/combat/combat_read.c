/* A snapshot out of an event. */
#include <string.h>
#include <strings.h>

#include "combat/combat.h"
#include "combat/inner.h"

struct reader { struct combat *c; const char *why; };

static int
fail(struct reader *r, const char *why)
{
	r->why = why;
	return -1;
}

/* A counter: COMBAT_NONE where nothing was sent. */
static int
read_counter(struct reader *r, struct event_value v, int64_t *out)
{
	double x;

	*out = COMBAT_NONE;
	if (v.kind == EVENT_ABSENT || v.kind == EVENT_NULL)
		return 0;
	if (v.kind != EVENT_NUMBER && v.kind != EVENT_STRING)
		return fail(r, "a counter is not a number");
	if (event_int(v, out) == 0) {
		if (*out >= 0 && *out <= COMBAT_MAX)
			return 0;
		return fail(r, *out < 0 ? "a counter is negative" : "a counter is too large");
	}
	*out = COMBAT_NONE;
	return v.kind == EVENT_NUMBER || event_double(v, &x) == 0 ? fail(r, "a counter is not a whole number, or too large") : 0;
}

/* Two spellings of one element in one snapshot are two counts of it. */
static int
take(struct reader *r, int64_t *n, int64_t value, int is_max)
{
	if (value == COMBAT_NONE)
		return 0;
	if (*n == COMBAT_NONE) {
		*n = value;
		r->c->n_values++;
		return 0;
	}
	*n = !is_max ? *n + value : value > *n ? value : *n;
	return *n <= COMBAT_MAX ? 0 : fail(r, "a counter is too large");
}

static int
word_of(struct event_value key, const char *const *words, int n)
{
	char text[16];
	long len = event_string(key, text, sizeof text);

	for (int i = 0; len > 0 && i < n; i++)
		if (strcasecmp(text, words[i]) == 0)
			return i;
	return -1;
}

static unsigned
element_of(struct event_value key)
{
	int i = word_of(key, combat_element_words, COMBAT_ELEMENTS);
	char text[8];

	if (i == -1 && event_string(key, text, sizeof text) > 0 && strcasecmp(text, "Bludge") == 0)
		return 2;
	return i == -1 ? COMBAT_UNKNOWN_ELEMENT : (unsigned)i;
}

static int
read_cell(struct reader *r, struct combat_monster *m, unsigned where, struct event_value counters)
{
	struct combat_cell *cell = combat_cell_get(m, where);
	struct event_value key, value;
	int64_t n[COMBAT_COUNTERS], one;
	size_t at = 0;
	int i;

	if (counters.kind == EVENT_NULL)
		return 0;
	if (counters.kind != EVENT_OBJECT)
		return fail(r, "an element's counters are not an object");
	for (i = 0; i < COMBAT_COUNTERS; i++)
		n[i] = COMBAT_NONE;
	while (event_next(counters, &at, &key, &value)) {
		i = word_of(key, combat_counter_words, COMBAT_COUNTERS);
		if (i == -1)
			continue;
		if (read_counter(r, value, &one) == -1)
			return -1;
		if (n[i] == COMBAT_NONE)             /* a key twice: the first counts */
			n[i] = one;
	}
	if (cell == NULL)
		cell = combat_cell_add(r->c, m, where);
	for (i = 0; i < COMBAT_COUNTERS; i++)
		if (take(r, &cell->n[i], n[i], combat_is_max((enum combat_counter)i)) == -1)
			return -1;
	return 0;
}

static int
read_direction(struct reader *r, struct combat_monster *m, unsigned direction, struct event_value attacks)
{
	struct event_value key, elements, element, counters;
	size_t at = 0, at2;
	unsigned where;
	int attack;

	if (attacks.kind == EVENT_ABSENT || attacks.kind == EVENT_NULL)
		return 0;
	if (attacks.kind != EVENT_OBJECT)
		return fail(r, "a direction is not an object");
	while (event_next(attacks, &at, &key, &elements)) {
		if (elements.kind == EVENT_NULL)
			continue;
		if (elements.kind != EVENT_OBJECT)
			return fail(r, "an attack type is not an object");
		attack = word_of(key, combat_attack_words, COMBAT_ATTACKTYPES);
		at2 = 0;
		while (event_next(elements, &at2, &element, &counters)) {
			where = COMBAT_CELL(direction, attack == -1 ? COMBAT_UNKNOWN_ATTACK : (unsigned)attack, element_of(element));
			if (read_cell(r, m, where, counters) == -1)
				return -1;
		}
	}
	return 0;
}

static int
read_monster(struct reader *r, struct event_value key, struct event_value monster)
{
	char name[COMBAT_NAME_MAX + 1];
	long len = event_string(key, name, sizeof name);
	struct combat_monster *m;
	int64_t n;

	if (len == -1)
		return fail(r, "a monster's name is too long");
	for (long i = 0; i < len; i++)
		if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
			return fail(r, "a monster's name has control characters");
	if (monster.kind == EVENT_NULL || combat_monster_get(r->c, name, (size_t)len, UINT32_MAX) != NULL)
		return 0;                            /* a name twice: the first counts */
	if (monster.kind != EVENT_OBJECT)
		return fail(r, "a monster is not an object");
	if (r->c->n_monsters == COMBAT_MONSTERS_MAX)
		return fail(r, "too many monsters");
	m = combat_monster_add(r->c, name, (size_t)len);
	for (int i = 0; i < COMBAT_TALLIES; i++)
		if (read_counter(r, event_object_get(monster, combat_tally_words[i]), &n) == -1 || take(r, &m->tally[i], n, 0) == -1)
			return -1;
	for (unsigned d = 0; d < COMBAT_DIRECTIONS; d++)
		if (read_direction(r, m, d, event_object_get(monster, combat_direction_words[d])) == -1)
			return -1;
	return 0;
}

static int
read_totals(struct reader *r, struct event_value totals)
{
	if (totals.kind == EVENT_ABSENT || totals.kind == EVENT_NULL)
		return 0;
	if (totals.kind != EVENT_OBJECT)
		return fail(r, "totals is not an object");
	for (int i = 0; i < COMBAT_TOTALS; i++)
		if (read_counter(r, event_object_get(totals, combat_total_words[i]), &r->c->total[i]) == -1)
			return -1;
	return 0;
}

static int
read_monsters(struct reader *r, struct event_value monsters)
{
	struct event_value key, value;
	size_t at = 0;

	if (monsters.kind == EVENT_ABSENT || monsters.kind == EVENT_NULL)
		return 0;
	if (monsters.kind != EVENT_OBJECT)
		return fail(r, "monsters is not an object");
	while (event_next(monsters, &at, &key, &value))
		if (read_monster(r, key, value) == -1)
			return -1;
	return 0;
}

int
combat_read(struct combat *c, struct event_value body, const char **why)
{
	struct reader r = { c, "not an object" };

	*why = r.why;
	if (body.kind != EVENT_OBJECT)
		return -1;
	if (read_counter(&r, event_object_get(body, "seq"), &c->seq) == 0 && read_totals(&r, event_object_get(body, "totals")) == 0 &&
	    read_monsters(&r, event_object_get(body, "monsters")) == 0)
		return 0;
	*why = r.why;
	return -1;
}
