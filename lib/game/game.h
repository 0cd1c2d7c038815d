/* game: the facts of the game, made of the files in lib/game/data: names of ids and bits, all spells and rares.
 * Everything is constant and static; nothing is allocated.  Strings are ASCII and NUL-terminated. */
#ifndef GAME_H
#define GAME_H
#include <stddef.h>
#include <stdint.h>

/* Kinds of named values.  Ids of kinds marked "bits" are single bits of a mask. */
enum game_kind {
	GAME_MATERIAL,
	GAME_SET,                                /* equipment sets; names repeat, the id is the identity */
	GAME_OBJECT_CLASS,
	GAME_SKILL,
	GAME_SLOT,                               /* bits: where an item is worn, by label */
	GAME_COVERAGE,                           /* bits: what an item covers */
	GAME_IMBUE,                              /* bits */
	GAME_DAMAGE_TYPE,                        /* bits; 0 is "Undef" */
	GAME_ITEM_TYPE,                          /* bits */
	GAME_RATING,                             /* id is the property */
	GAME_WIELD,                              /* kinds of wield requirement */
	GAME_CREATURE,
	GAME_CANTRIP_LEVEL,                      /* id is the rank: 1 Feeble, 2 Minor, … 6 Major, 7 Epic, 8 Legendary */
	GAME_KINDS
};

/* The name of an id, NULL when it is unknown. */
const char *game_name(enum game_kind, uint32_t id);
/* A second word for it: a material's group ("metal"), a set's kind ("armor-loot"), a damage type's adjective, the short form of imbues and ratings, the game's or Decal's own
 * spelling of slots and classes.  "" when there is none, NULL when the id is unknown. */
const char *game_word(enum game_kind, uint32_t id);
/* All values of a kind in order of their ids: index from 0, NULL at the end. */
const char *game_at(enum game_kind, unsigned index, uint32_t *id);
int game_is_bits(enum game_kind);

/* The ids that a text means, case-blind: a number (decimal or 0x…) means itself, known or not; a name means every id that carries it (names repeat); a second word likewise;
 * what is neither means every id with a name in which it begins a word ("heroic", "garnet", "ring").  '_' stands for a blank.
 * Returns how many, the first max of them in ids; 0: nothing. */
unsigned game_match(enum game_kind, const char *text, size_t len, uint32_t *ids, unsigned max);
/* The name that is nearest to a text that matched nothing, NULL when none is near. */
const char *game_nearest(enum game_kind, const char *text, size_t len);
/* How many single edits lie between text and name, case-blind; 99 when they are far apart or over 63 characters. */
unsigned game_distance(const char *text, size_t len, const char *name);

/* Names of all bits of a mask, with separator, into out (always NUL-terminated, cut at size); unknown bits as hexadecimal.  Returns the length. */
size_t game_bits_text(enum game_kind, uint32_t mask, const char *separator, char *out, size_t size);

static inline const char *game_material(uint32_t id) { return game_name(GAME_MATERIAL, id); }
static inline const char *game_set(uint32_t id) { return game_name(GAME_SET, id); }
static inline const char *game_object_class(uint32_t id) { return game_name(GAME_OBJECT_CLASS, id); }
static inline const char *game_skill(uint32_t id) { return game_name(GAME_SKILL, id); }
static inline const char *game_slot(uint32_t bit) { return game_name(GAME_SLOT, bit); }
static inline const char *game_imbue(uint32_t bit) { return game_name(GAME_IMBUE, bit); }
static inline const char *game_damage_type(uint32_t bit) { return game_name(GAME_DAMAGE_TYPE, bit); }

/* Spells, sorted by id. */
struct game_spell {
	uint16_t id;
	uint16_t category;                       /* spells of one category do not add up: the best counts; 0 none */
	uint8_t cantrip;                         /* rank of a cantrip's level (GAME_CANTRIP_LEVEL), 0: no cantrip */
	uint8_t buff;                            /* level of an ordinary spell, 1 to 8; 0 none */
	uint32_t name;                           /* read it with game_spell_name */
};

unsigned game_spell_count(void);
const struct game_spell *game_spell_at(unsigned index);
const struct game_spell *game_spell(uint32_t id);          /* NULL: unknown */
const char *game_spell_name(const struct game_spell *);
/* A cantrip's name without its level ("Storm Ward"); any other spell's own name. */
const char *game_spell_effect(const struct game_spell *);
/* The first index >= from whose spell's name contains text (case-blind), or -1. */
int game_spell_find(const char *text, size_t len, unsigned from);

/* Rares, in no order that means something. */
struct game_rare {
	uint32_t name;                           /* read it with game_rare_name */
	uint32_t wcid;                           /* the item's template */
	uint8_t tier;                            /* 1 to 3 common, 4 to 6 great */
};

unsigned game_rare_count(void);
const struct game_rare *game_rare_at(unsigned index);
const struct game_rare *game_rare(const char *name, size_t len);   /* by its exact name; NULL: unknown */
const char *game_rare_name(const struct game_rare *);

/* A property id as the game has it, from Decal's spelling of it; other ids are returned as they are. */
uint32_t game_property_int(uint32_t key);
uint32_t game_property_float(uint32_t key);

#endif
