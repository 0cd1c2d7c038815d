/* combat: snapshots of combat_stats, and what each of them adds to a lifetime.
 *
 * A snapshot holds, per monster name, direction, attack type and element, seven counters that run from the session's start.  What a snapshot does not
 * mention (a monster, an element, a counter) is as it was.  combat_fold takes the next snapshot of a session into what is known of it and says what it adds:
 *   newer than the last    what each counter grew by; when one is lower, or the sequence number is, the client was reset and all of it counts anew
 *   neither newer nor older (the same time, the same or no sequence number)   what each counter grew by, never a reset
 *   older                  nothing
 * Newer and older go by time, by sequence number where the times are equal or missing.  So any sequence of snapshots that was folded in order adds nothing
 * when it is folded again.  Of the max_* counters the lifetime keeps the largest; they do not add up.
 *
 * Pure: no clock, no database.  Memory is the structs' own, released by combat_fini; names are copied. */
#ifndef COMBAT_H
#define COMBAT_H
#include <stddef.h>
#include <stdint.h>

#include "buf/buf.h"
#include "event/event.h"

#define COMBAT_NO_TIME INT64_MIN
#define COMBAT_NONE (-1)                     /* a counter or sequence number that was not sent */
#define COMBAT_MAX 9007199254740991          /* the largest value of a counter that is believed, 2^53 - 1: every reader of JSON can hold it */
#define COMBAT_MONSTERS_MAX 4000             /* of a snapshot, and of a session */
#define COMBAT_NAME_MAX 256                  /* bytes of a monster's name */

enum combat_counter {
#define COMBAT_COUNTER(id, word, is_max) COMBAT_##id,
#include "combat/counters.def"
#undef COMBAT_COUNTER
	COMBAT_COUNTERS
};
enum combat_total { COMBAT_KILLS, COMBAT_DAMAGE_GIVEN, COMBAT_DAMAGE_RECEIVED, COMBAT_TOTALS };
enum combat_tally { COMBAT_MONSTER_KILLS, COMBAT_AETHERIA_SURGES, COMBAT_CLOAK_SURGES, COMBAT_TALLIES };     /* per monster */

/* Where the counters of a monster are: direction, attack type and element in one number, direction * 64 + attack * 16 + element. */
#define COMBAT_CELL(direction, attack, element) ((direction) * 64 + (attack) * 16 + (element))
const char *combat_attack_word(unsigned cell);       /* "melee_missile", "magic", "unknown" */
const char *combat_element_word(unsigned cell);      /* "Slash" … "Unknown" */
int combat_is_max(enum combat_counter);

struct combat_cell {
	uint8_t cell;
	int64_t n[COMBAT_COUNTERS];
};
struct combat_monster {
	char *name;                          /* NUL behind it for convenience; may be empty */
	uint32_t len, n_cells, cap_cells;
	int64_t tally[COMBAT_TALLIES];
	struct combat_cell *cells;
};
struct combat {                              /* zeroed by combat_init */
	int64_t at_us, seq;                  /* COMBAT_NO_TIME, COMBAT_NONE */
	int64_t total[COMBAT_TOTALS];
	struct combat_monster *monsters;
	uint32_t n_monsters, cap_monsters, n_values;     /* n_values: counters that are not COMBAT_NONE, totals apart */
	uint32_t *slots, n_slots;            /* monsters by name */
	size_t bytes;                        /* about what it takes */
};

void combat_init(struct combat *);
void combat_fini(struct combat *);
void combat_clear(struct combat *);

/* Reads totals, monsters and seq of an event (or of what combat_write made) into an empty struct; at_us is the caller's to set.
 * Numbers may be strings; what is no number at all counts as not sent; "Bludge" is Bludgeon, an unknown element Unknown, an unknown attack type unknown.
 * 0, or -1 and why: a word of what is wrong ("a counter is negative"); then the struct is good for combat_fini only. */
int combat_read(struct combat *, struct event_value body, const char **why);

/* What a snapshot adds.  n[] holds how much each counter grew; for max_* the new value, 0 when it is no news. */
struct combat_sink {
	void (*cell)(void *priv, const struct combat_monster *, unsigned cell, const int64_t n[COMBAT_COUNTERS]);
	void (*monster)(void *priv, const struct combat_monster *, const int64_t n[COMBAT_TALLIES]);
	void (*totals)(void *priv, const int64_t n[COMBAT_TOTALS]);   /* where a snapshot does not state one: the sum over what its monsters grew by */
	void *priv;
};
enum combat_fold { COMBAT_OLDER, COMBAT_SAME, COMBAT_NEWER, COMBAT_RESET, COMBAT_FULL };     /* FULL: too many monsters in one session; nothing is changed */

/* known: all that is known of the session, combat_init for a new one; takes next into itself. */
enum combat_fold combat_fold(struct combat *known, const struct combat *next, const struct combat_sink *);
/* After COMBAT_SAME, NEWER or RESET: does next alone say all that is known? */
int combat_covers(const struct combat *next, const struct combat *known);

/* {"seq":…,"totals":{…},"monsters":{…}} as the event has it, without counters that were not sent.  0, or -1 over the buffer's maximum. */
int combat_write(const struct combat *, struct buf *);

#endif
