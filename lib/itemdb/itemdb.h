/* itemdb: all items of all characters in memory, and searches over them in one scan.
 *
 * A row takes about 200 bytes; texts are held once each, spell lists in one array.  Items come and go by their id; one id is in one place.
 * No clock, no SQL, no descriptor: somebody feeds it, and asks for a step of a search as long as there is time. */
#ifndef ITEMDB_H
#define ITEMDB_H
#include <stddef.h>
#include <stdint.h>

#include "buf/buf.h"
#include "item/item.h"

struct itemdb;
struct itemdb *itemdb_new(void);
void itemdb_free(struct itemdb **);
size_t itemdb_items(const struct itemdb *);

/* ---- characters: by the database's id, and by their place in a list that only grows ---- */

struct itemdb_character {
	int32_t id;
	const char *name;                        /* borrowed; case counts */
	uint32_t items;                          /* how many are held */
	int64_t snapshot_us, updated_us;         /* 0: never */
	int64_t drift;
	int listed;                              /* 0: the database no longer has it, or only items have named it so far */
};
/* Its place; makes it when there is none of this id. */
unsigned itemdb_character(struct itemdb *, int32_t id, const char *name);
void itemdb_character_set(struct itemdb *, unsigned place, int64_t snapshot_us, int64_t updated_us, int64_t drift);      /* lists it */
void itemdb_unlist(struct itemdb *);                       /* all of them, before they are listed anew */
const struct itemdb_character *itemdb_character_at(const struct itemdb *, unsigned place);   /* NULL behind the last */
int itemdb_character_find(const struct itemdb *, const char *name);                          /* its place, or -1 */
/* Ids of the items of a character in order of container, position and id; malloc'ed, free it. */
int32_t *itemdb_character_items(const struct itemdb *, unsigned place, size_t *n);

/* ---- items ---- */

/* Adds the item or replaces the one of the same id, wherever it was.  Copies all; text facts must not be escaped (item_text). */
void itemdb_put(struct itemdb *, const struct item *, unsigned character, int64_t updated_us);
int itemdb_remove(struct itemdb *, int32_t id);            /* 1 when it was there */
/* The item as it stands; its texts and spells are borrowed until the next change.  0 when there is none. */
int itemdb_get(const struct itemdb *, int32_t id, struct item *, unsigned *character, int64_t *updated_us);
/* A reload in place: mark, put all, and remove what was not put again since. */
void itemdb_mark(struct itemdb *);
void itemdb_sweep(struct itemdb *);

/* ---- columns: what can be ordered by, and most of it tested ---- */

enum itemdb_column {
#define COLUMN(id, name, number) ITEMDB_##id,
#define TEXT_COLUMN(id, name, text) ITEMDB_##id,
#define NAMED_COLUMN(id, name, kind, number) ITEMDB_##id,
#include "itemdb/columns.def"
#undef COLUMN
#undef TEXT_COLUMN
#undef NAMED_COLUMN
	ITEMDB_COLUMNS
};
int itemdb_column(const char *name);                       /* -1: there is none */
const char *itemdb_column_name(enum itemdb_column);
int itemdb_column_is_text(enum itemdb_column);             /* ordered as text; texts and names */

/* ---- tests: a tree of conditions; and, or, not own their parts ---- */

struct itemdb_test;
#define ITEMDB_IN_NAME 1
#define ITEMDB_IN_DESCRIPTION 2
#define ITEMDB_IN_DISPLAY_NAME 4
#define ITEMDB_IN_CHARACTER 8
struct itemdb_test *itemdb_always(int truth);
struct itemdb_test *itemdb_and(struct itemdb_test *, struct itemdb_test *);      /* NULL: the other alone */
struct itemdb_test *itemdb_or(struct itemdb_test *, struct itemdb_test *);
struct itemdb_test *itemdb_not(struct itemdb_test *);
struct itemdb_test *itemdb_between(enum itemdb_column, double from, double to);  /* both inclusive; an absent fact never is.  Numbers only */
struct itemdb_test *itemdb_present(enum itemdb_column);                          /* numbers only */
struct itemdb_test *itemdb_one_of(enum itemdb_column, const uint32_t *ids, size_t n);        /* the number as 32 bits, signed or not */
struct itemdb_test *itemdb_any_bit(enum itemdb_column, uint32_t mask);           /* mask 0: no bit is set */
struct itemdb_test *itemdb_contains(int where, const char *text, size_t len);    /* case-blind, no wildcards; "" is in every text */
struct itemdb_test *itemdb_equals(int where, const char *text, size_t len);      /* the same for the whole text */
struct itemdb_test *itemdb_casts(const uint32_t *spells, size_t n, int active);  /* one of these spells is among its (active) spells */
void itemdb_test_free(struct itemdb_test **);
struct itemq;
struct itemdb_test *itemdb_query(const struct itemq *);    /* all of its conditions; NULL when it has none */

/* ---- search ---- */

/* Order: by the column, absent facts last, then by item_id.  Texts are compared case-blind by their first ITEMDB_KEY_MAX bytes. */
#define ITEMDB_KEY_MAX 96
struct itemdb_key {
	uint64_t number;
	int32_t item_id;
	uint8_t absent;
	uint8_t text_len;                        /* of text columns */
	char text[ITEMDB_KEY_MAX];
};
struct itemdb_order {
	enum itemdb_column column;
	int descending;
};
/* A key as opaque text for a URL, and back: -1 when it is none of this order. */
void itemdb_key_write(const struct itemdb_key *, const struct itemdb_order *, struct buf *);
int itemdb_key_read(const char *text, const struct itemdb_order *, struct itemdb_key *);

struct itemdb_ask {
	struct itemdb_test *test;                /* owned by the search from now on; NULL: all items */
	struct itemdb_order order;
	size_t offset, limit;
	int has_after;                           /* only what comes behind this key, offset counts from there */
	struct itemdb_key after;
};

enum itemdb_facet { ITEMDB_F_SET, ITEMDB_F_MATERIAL, ITEMDB_F_SLOT, ITEMDB_F_OBJECT_CLASS, ITEMDB_F_CHARACTER, ITEMDB_F_SPELL, ITEMDB_FACETS };
struct itemdb_count {
	int32_t id;                              /* slots: the bit; characters: their place */
	uint32_t count;
};

struct itemdb_search;
/* facets: a bit for each wanted, 1 << ITEMDB_F_SET …. */
struct itemdb_search *itemdb_search_new(struct itemdb *, const struct itemdb_ask *, unsigned facets);
/* Goes on for about this many rows; 1 when it is done.  When the items have changed between two steps it begins anew, at the fourth time it does not stop before it is done. */
int itemdb_search_step(struct itemdb_search *, size_t rows);
size_t itemdb_search_total(const struct itemdb_search *);                        /* matching items, wherever the page lies */
size_t itemdb_search_page(const struct itemdb_search *, const int32_t **ids);
int itemdb_search_more(const struct itemdb_search *, struct itemdb_key *last);   /* 1 and the last key of the page when others follow */
size_t itemdb_search_facet(struct itemdb_search *, enum itemdb_facet, const struct itemdb_count **);  /* most frequent first, then by id */
void itemdb_search_free(struct itemdb_search **);

#endif
