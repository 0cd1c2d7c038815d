/* item: what follows from an item's template and seed, and how it is printed. */
#ifndef SIM_ITEM_H
#define SIM_ITEM_H
#include "sim.h"

#define PACK_SLOTS 24

/* Templates by group, 'A' first. */
struct item_group { uint16_t *v; unsigned n; };
extern struct item_group item_groups[26];
void item_tables(void);              /* makes them, once */

const struct d_template *item_template(const struct item *);
/* The whole item, as in full_inventory and the delta of an addition. */
void item_put(const struct sim *, struct buf *, const struct chr *, const struct item *, unsigned slot);
/* One integer property, with the comma before it unless it is the first. */
void item_prop(struct buf *, const char *key, int64_t v);

#endif
