/* itemrow: an item as sql/queries/items_all.sql and items_changed.sql give it. */
#ifndef ITEMROW_H
#define ITEMROW_H
#include "item/item.h"
#include "pg/pg.h"

struct itemrow {
	int64_t version, updated_us;
	int gone;                        /* only the id counts */
	int32_t character_id;
	const char *character_name;
	struct item item;                /* its texts and spells are borrowed: until the next row */
};

/* 0, or -1 when this is no such row.  Integers beyond what the fact can hold are absent. */
int itemrow_read(const struct pg_row *, struct itemrow *);

#endif
