/* item: one item of a plugin's inventory and the facts the tracker knows of it.
 *
 * A plugin sends property maps (events: inventory, full_inventory, inventory_delta); item_read makes the facts of them, in both spellings of the properties that
 * Decal renames.  All functions work on values of a scanned event (lib/event) and build no tree.  No clock, no SQL.
 *
 * Absent facts: numbers are ITEM_NONE, reals are NAN, masks (unsigned) are 0, flags are -1, texts have kind EVENT_ABSENT, spell lists have length 0. */
#ifndef ITEM_H
#define ITEM_H
#include <stddef.h>
#include <stdint.h>

#include "buf/buf.h"
#include "event/event.h"

#define ITEM_NONE INT32_MIN
#define ITEM_SPELLS_MAX 256                  /* of each list; what is beyond is left out with a reason */
/* Grows when item_read makes other facts, or item_hash another hash, of the same item: then stored items are read again. */
#define ITEM_FACTS_VERSION 1

enum item_rating {
	ITEM_DAMAGE, ITEM_DAMAGE_RESIST, ITEM_CRIT, ITEM_CRIT_RESIST, ITEM_CRIT_DAMAGE, ITEM_CRIT_DAMAGE_RESIST, ITEM_HEAL_BOOST, ITEM_VITALITY,
	ITEM_RATINGS
};
extern const char *const item_rating_names[ITEM_RATINGS];  /* "damage", "damage_resist", … as in the API */

struct item {
	int32_t id;                              /* the game's object id, signed */
	int32_t object_class, icon, wcid;
	uint32_t item_type;
	int32_t container_id;                    /* as sent: 0 for what is worn, the character or a pack for the rest */
	int32_t position;
	uint32_t equipped_slot;                  /* slot bits, 0: not worn */
	uint32_t valid_slots, coverage;
	int32_t stack_count, max_stack, value, burden;
	int32_t material_id, set_id;             /* never 0 */
	int32_t armor_level, base_armor_level;   /* base: without tinks and buffs; it may be negative */
	float workmanship;                       /* of salvage: the average */
	int32_t tinks;
	uint32_t imbue;
	float damage_min;
	int32_t damage_max;                      /* of missile weapons with the elemental bonus */
	uint32_t damage_type;
	int32_t wield_level, wield_skill, wield_skill_level;
	int16_t rating[ITEM_RATINGS];            /* ITEM_NO_RATING: absent */
	int8_t cantrip_level;                    /* best rank among spells (GAME_CANTRIP_LEVEL), 0: none */
	int8_t bonded, attuned, rare, has_id_data;
	uint16_t n_spells, n_active_spells;
	const int32_t *spells, *active_spells;   /* as sent, in order */
	struct event_value name, description;    /* borrowed.  Text that did not come from JSON: kind EVENT_STRING, escaped 0, any bytes (item_text) */

	int32_t *own;                            /* item_read's memory for the spells; leave it 0 in items that are filled by hand */
};
#define ITEM_NO_RATING INT16_MIN

/* All facts absent; memory of item_read is kept.  A struct must be zeroed before its first use. */
void item_clear(struct item *);
void item_fini(struct item *);                             /* frees what item_read allocated */
struct event_value item_text(const char *s, size_t len);   /* plain UTF-8 as a text fact; len 0: absent */

/* Facts of one element of `items` or of `item`.  The struct may be used again for the next item; its texts point into object's bytes.
 * Returns 0 (then *why, unless NULL, names the first fact that was left out because it was of a wrong kind or out of range), or -1: unusable (no object, no valid Id),
 * *why says why.  why is static text or NULL. */
int item_read(struct item *, struct event_value object, const char **why);
/* Only the id: of an item's Id, an inventory_delta's item_id, or any other number that is an object id.  Signed and unsigned are one; 0 is none.  0 or -1. */
int item_id(struct event_value, int32_t *id);

/* Is it one that holds others (ObjectClass 10 and 38)? */
int item_is_pack(const struct item *);

/* A hash of what an item is as it was sent, without LastIdTime; independent of the order of keys and of how numbers and strings are spelled. */
uint64_t item_hash(struct event_value object);

/* old with a partial update: maps merge key by key, arrays and scalars replace; a property map never becomes something else.  Keys are written sorted, each once (of equal names the
 * first counts), numbers that no double can hold as null.  old may be EVENT_ABSENT: then this only makes the canonical form.  Appends to out; 0, or -1 when it would exceed out's
 * maximum (then out is as before) or when one of them is no object. */
int item_merge(struct event_value old, struct event_value update, struct buf *out);

/* The normalised item of the HTTP API as one JSON object.  updated_us: wall time in microseconds, 0 null.  0, or -1 over out's maximum. */
int item_write_json(const struct item *, const char *character, size_t character_len, int64_t updated_us, struct buf *out);

#endif
