/* stock: what the inventory sink remembers between events: the characters, every item they have, and as much of each item as shows whether it has changed.
 * The items as sent are in the database only.  It runs ahead of the database by the batch in hand. */
#ifndef STOCK_H
#define STOCK_H
#include <stddef.h>
#include <stdint.h>

#include "item/item.h"
#include "names.h"

#define STOCK_NEVER INT64_MIN
#define STOCK_TIES 16

struct owner {
	struct name name;            /* first: names.h */
	struct holding *items;
	int32_t n_items;
	int32_t deltas;              /* since the snapshot */
	int32_t drift;               /* see dt.characters */
	int64_t drift_total;
	int64_t snapshot_us, updated_us, own_us;     /* STOCK_NEVER */
	int packs_changed;           /* containers want another look */
	uint64_t tie[STOCK_TIES];    /* the events of the time own_us, as far as they came since the start */
	unsigned n_ties;
};

struct holding {
	struct holding *chain;       /* of the map */
	struct holding *prev, *next; /* of its owner */
	struct owner *owner, *lost_by;       /* owner NULL: nowhere, until the batch is made */
	char *name;                  /* NULL: none */
	uint64_t hash;
	int64_t updated_us, noted_us;
	int32_t id;
	int32_t container_sent, container;
	int32_t stack;               /* ITEM_NONE */
	int32_t noted_stack, noted_container;
	uint32_t worn;
	uint32_t seen;               /* number of the snapshot that had it last */
	uint32_t touch;              /* its place in the batch's list, from 1; 0: the batch leaves it as it is */
	uint8_t pack;
	const char *raw;             /* as the database has it: only while a batch is made that asked for it */
	uint32_t raw_len;
};

struct stock {
	struct names owners;
	struct owner **by_id;        /* only while loading */
	uint32_t n_by_id;
	struct holding **slot;
	size_t n, mask;
	uint32_t snapshots;          /* counts them, for seen */
};

void stock_init(struct stock *);
void stock_fini(struct stock *);

struct owner *stock_owner(struct stock *, const char *name, size_t len);     /* made when it is new; NULL when there are too many */
struct holding *stock_find(const struct stock *, int32_t id);
struct holding *stock_add(struct stock *, int32_t id);                       /* belongs to nobody yet; NULL when there are too many */
void stock_drop(struct stock *, struct holding *);                           /* frees one that belongs to nobody */
void stock_give(struct holding *, struct owner *);                           /* NULL: nobody */
/* Takes over what is remembered of an item's facts. */
void stock_set(struct holding *, const struct item *, uint64_t hash);
void stock_set_name(struct holding *, const char *, size_t len);
/* The container rule, by what the stock knows now. */
int32_t stock_container(const struct stock *, const struct holding *);

/* For loading. */
struct owner *stock_load_owner(struct stock *, uint32_t id, const char *name, size_t len);

#endif
