/* What a snapshot is made of: words, names, and the struct itself. */
#include "combat/combat.h"

#include <stdlib.h>
#include <string.h>

#include "combat/inner.h"
#include "mem/mem.h"

#define SLOTS_MIN 32

const char *const combat_counter_words[COMBAT_COUNTERS] = {
#define COMBAT_COUNTER(id, word, is_max) word,
#include "combat/counters.def"
#undef COMBAT_COUNTER
};
static const int maxima[COMBAT_COUNTERS] = {
#define COMBAT_COUNTER(id, word, is_max) is_max,
#include "combat/counters.def"
#undef COMBAT_COUNTER
};
const char *const combat_total_words[COMBAT_TOTALS] = { "kills", "damage_given", "damage_received" };
const char *const combat_tally_words[COMBAT_TALLIES] = { "kills", "aetheria_surges", "cloak_surges" };
const char *const combat_direction_words[COMBAT_DIRECTIONS] = { "given", "received" };
const char *const combat_attack_words[COMBAT_ATTACKTYPES] = { "melee_missile", "magic", "unknown" };
const char *const combat_element_words[COMBAT_ELEMENTS] = { "Slash", "Pierce", "Bludgeon", "Fire", "Cold", "Acid", "Electric", "Nether", "Typeless", "None", "Unknown" };

const char *
combat_attack_word(unsigned cell)
{
	return combat_attack_words[cell / 16 % 4 % COMBAT_ATTACKTYPES];
}

const char *
combat_element_word(unsigned cell)
{
	return combat_element_words[cell % 16 % COMBAT_ELEMENTS];
}

int
combat_is_max(enum combat_counter counter)
{
	return maxima[counter];
}

/* ---- the struct ---- */

void
combat_init(struct combat *c)
{
	*c = (struct combat){ .at_us = COMBAT_NO_TIME, .seq = COMBAT_NONE, .bytes = sizeof *c };
	for (int i = 0; i < COMBAT_TOTALS; i++)
		c->total[i] = COMBAT_NONE;
}

void
combat_fini(struct combat *c)
{
	for (uint32_t i = 0; i < c->n_monsters; i++) {
		free(c->monsters[i].name);
		free(c->monsters[i].cells);
	}
	free(c->monsters);
	free(c->slots);
	*c = (struct combat){ 0 };
}

void
combat_clear(struct combat *c)
{
	combat_fini(c);
	combat_init(c);
}

static uint64_t
hash_of(const char *s, size_t len)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)s[i]) * 0x100000001b3u;
	return h ^ h >> 29;
}

/* Where the name is or would go: slots hold a monster's number + 1. */
static uint32_t *
slot_of(const struct combat *c, const char *name, size_t len)
{
	uint32_t mask = c->n_slots - 1, i = (uint32_t)hash_of(name, len) & mask;

	for (; c->slots[i] != 0; i = (i + 1) & mask) {
		const struct combat_monster *m = &c->monsters[c->slots[i] - 1];
		if (m->len == len && memcmp(m->name, name, len) == 0)
			break;
	}
	return &c->slots[i];
}

static void
grow_slots(struct combat *c)
{
	c->bytes += (c->n_slots ? c->n_slots : SLOTS_MIN) * sizeof *c->slots;
	c->n_slots = c->n_slots ? 2 * c->n_slots : SLOTS_MIN;
	free(c->slots);
	c->slots = xcalloc(c->n_slots, sizeof *c->slots);
	for (uint32_t i = 0; i < c->n_monsters; i++)
		*slot_of(c, c->monsters[i].name, c->monsters[i].len) = i + 1;
}

/* Monsters come in the same order each time: where to look first is a guess that mostly holds. */
struct combat_monster *
combat_monster_get(const struct combat *c, const char *name, size_t len, uint32_t guess)
{
	const struct combat_monster *m;
	uint32_t i;

	if (guess < c->n_monsters) {
		m = &c->monsters[guess];
		if (m->len == len && memcmp(m->name, name, len) == 0)
			return &c->monsters[guess];
	}
	if (c->n_monsters == 0)
		return NULL;
	i = *slot_of(c, name, len);
	return i != 0 ? &c->monsters[i - 1] : NULL;
}

struct combat_monster *
combat_monster_add(struct combat *c, const char *name, size_t len)
{
	struct combat_monster *m;

	if ((c->n_monsters + 1) * 2 > c->n_slots)
		grow_slots(c);
	if (c->n_monsters == c->cap_monsters) {
		c->cap_monsters = c->cap_monsters ? 2 * c->cap_monsters : 8;
		c->monsters = xreallocarray(c->monsters, c->cap_monsters, sizeof *c->monsters);
	}
	*slot_of(c, name, len) = c->n_monsters + 1;
	m = &c->monsters[c->n_monsters++];
	*m = (struct combat_monster){ .name = xstrndup(name, len), .len = (uint32_t)len };
	for (int i = 0; i < COMBAT_TALLIES; i++)
		m->tally[i] = COMBAT_NONE;
	c->bytes += sizeof *m + len + 1;
	return m;
}

struct combat_cell *
combat_cell_get(const struct combat_monster *m, unsigned cell)
{
	for (uint32_t i = 0; i < m->n_cells; i++)
		if (m->cells[i].cell == cell)
			return &m->cells[i];
	return NULL;
}

struct combat_cell *
combat_cell_add(struct combat *c, struct combat_monster *m, unsigned cell)
{
	struct combat_cell *it;

	if (m->n_cells == m->cap_cells) {
		m->cap_cells = m->cap_cells ? 2 * m->cap_cells : 2;
		m->cells = xreallocarray(m->cells, m->cap_cells, sizeof *m->cells);
	}
	it = &m->cells[m->n_cells++];
	it->cell = (uint8_t)cell;
	for (int i = 0; i < COMBAT_COUNTERS; i++)
		it->n[i] = COMBAT_NONE;
	c->bytes += sizeof *it;
	return it;
}
