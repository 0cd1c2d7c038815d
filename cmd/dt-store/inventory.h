/* inventory: the sink of inventory, full_inventory and inventory_delta.
 *
 * An event is only copied when it comes.  When its batch is made, the items as the database has them are asked for where partial updates want them (inventory.c);
 * then the events are folded into the stock one after the other (fold.c); what is different from before the batch afterwards is written, each item once
 * (goods.c).  start.c is what happens before the first event. */
#ifndef INVENTORY_H
#define INVENTORY_H
#include "batch.h"
#include "item/item.h"
#include "sink.h"
#include "stock.h"

#define INVENTORY_ITEMS_MAX 20000    /* of a character, and of one event */
#define INVENTORY_ITEM_BYTES 16384   /* of an item as sent; real ones have up to 3000 */

#define INVENTORY_COLUMNS \
	"item_id, character_id, hash, updated_at, name, description, object_class, icon, wcid, item_type, container_id, container_sent, position, " \
	"equipped_slot, valid_slots, coverage, stack_count, max_stack, value, burden, material_id, set_id, armor_level, base_armor_level, workmanship, " \
	"tinks, imbue, damage_min, damage_max, damage_type, wield_level, wield_skill, wield_skill_level, spells, active_spells, cantrip_level, " \
	"r_damage, r_damage_resist, r_crit, r_crit_resist, r_crit_damage, r_crit_damage_resist, r_heal_boost, r_vitality, " \
	"bonded, attuned, rare, has_id_data, noted_at, noted_stack, noted_container"

enum inventory_part {
#define PART(id, ...) PART_##id,
#include "inventory_parts.def"
#undef PART
	PART_COUNT
};

struct refused { uint64_t seq; int32_t id; char *why; };     /* an item that only the database refuses, as that event has it */

struct inventory {
	struct stock stock;
	struct item facts;           /* used for one item after the other */
	struct refused *refused;     /* also kept when all else is forgotten */
	size_t n_refused;
	int surprises;               /* times in a row that the database had an item of which the stock knows nothing */
	char facts_version[24], facts_through[24], names_version[24];        /* dt.meta */
	const struct sink_db *db;    /* of the question or preparation that runs */
	struct batch *asking;
	struct renewal *renewal;
};

struct queued {                      /* an event that waits for its batch to be made */
	char *line;
	size_t len;
	uint64_t seq;
	int64_t when_us;             /* the receive time; of a replay or a bare capture its own */
	int64_t own_us;
	struct owner *owner;
	int old;                     /* of a replay or a bare capture: may be older than what is there */
	int timeless;                /* ... and it does not say */
};

struct touch {                       /* an item that a batch touches, and what it was before */
	struct holding *item;
	struct owner *owner;         /* NULL: the database does not have it */
	uint64_t hash;
	int32_t container;
	int64_t noted_us;
	struct event_value raw;      /* EVENT_ABSENT: as the database has it */
	char *merged;                /* memory that raw may lie in */
	uint64_t seq;
};

struct goods {                       /* batch->own */
	struct queued *queue;
	size_t n_queue, cap_queue;
	struct touch *touch;
	size_t n_touch, cap_touch;
	char **text;                 /* what the database answered, until the batch is done */
	size_t n_text, cap_text;
	struct owner **dirty;
	size_t n_dirty, cap_dirty;
	struct holding **asked;      /* whose raw is known while the batch is made */
	size_t n_asked, cap_asked;
	int32_t *row_item;           /* of PART_ITEMS and PART_RAW alike */
	size_t n_row_item, cap_row_item;
	int64_t gone, placed, older, odd_facts, moves;
};

/* A place in a list that grows. */
#define INVENTORY_PUSH(list, n, cap) (*(typeof(list))inventory_push((void **)&(list), &(n), &(cap), sizeof *(list)))
void *inventory_push(void **list, size_t *n, size_t *cap, size_t size);

/* fold.c: a queued event changes the stock, and tells of moves. */
void fold_event(struct inventory *, struct batch *, const struct queued *);

/* goods.c */
struct touch *goods_touch(struct goods *, struct holding *);
void goods_dirty(struct goods *, struct owner *);
char *goods_put_item(char *p, const struct holding *, const struct item *);  /* a row of dt.items; room for goods_item_max */
size_t goods_item_max(const struct item *);
void goods_write(struct inventory *, struct batch *, struct buf *sql);       /* what the batch changed: the rows, and SQL that makes room for them */
void goods_write_rest(struct batch *, struct buf *sql);                      /* what stands behind the rows */

/* start.c: names and, where lib/item has changed, facts of all items. */
void start_prepare(void *state, const struct sink_db *);
void start_forget(struct inventory *);

#endif
