/* facets: how many items there are of each value, as JSON. */
#ifndef FACETS_H
#define FACETS_H
#include "buf/buf.h"
#include "itemdb/itemdb.h"

/* `{"set":[{"id","name","count"}…],"material":…,"slot":…,"object_class":…,"character":…}`, most frequent first. */
void facets_write(struct itemdb_search *, const struct itemdb *, struct buf *out);
#define FACETS_OF_ITEMS (1u << ITEMDB_F_SET | 1u << ITEMDB_F_MATERIAL | 1u << ITEMDB_F_SLOT | 1u << ITEMDB_F_OBJECT_CLASS | 1u << ITEMDB_F_CHARACTER)
/* `{"values":[{"id","name","count"}…]}` of one facet, slots by bit, others by name. */
void facets_write_values(struct itemdb_search *, const struct itemdb *, enum itemdb_facet, struct buf *out);

#endif
