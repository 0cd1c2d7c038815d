/* inner: what the files of lib/combat share. */
#ifndef COMBAT_INNER_H
#define COMBAT_INNER_H
#include "combat/combat.h"

#define COMBAT_DIRECTIONS 2
#define COMBAT_ATTACKTYPES 3
#define COMBAT_ELEMENTS 11
#define COMBAT_UNKNOWN_ATTACK 2
#define COMBAT_UNKNOWN_ELEMENT 10

extern const char *const combat_counter_words[COMBAT_COUNTERS];
extern const char *const combat_total_words[COMBAT_TOTALS];
extern const char *const combat_tally_words[COMBAT_TALLIES];
extern const char *const combat_direction_words[COMBAT_DIRECTIONS];
extern const char *const combat_attack_words[COMBAT_ATTACKTYPES];
extern const char *const combat_element_words[COMBAT_ELEMENTS];

/* NULL when it is not there.  add: it must not be there; pointers to others become stale. */
struct combat_monster *combat_monster_get(const struct combat *, const char *name, size_t len, uint32_t guess);
struct combat_monster *combat_monster_add(struct combat *, const char *name, size_t len);
struct combat_cell *combat_cell_get(const struct combat_monster *, unsigned cell);
struct combat_cell *combat_cell_add(struct combat *, struct combat_monster *, unsigned cell);

#endif
