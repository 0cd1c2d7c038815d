/* itemq: what is asked of items: a list of conditions, all of which must hold (AND), made of search parameters and of the query language `q`; and their evaluation.
 * The fields are in itemq/fields.def.
 *
 *     q          = { [ "-" ] ( condition | flag | text ) }          all must hold; "-" turns one around
 *     condition  = field ( ":" | "=" | ">=" | "<=" | ">" | "<" ) value       blanks may stand around all operators but ":"
 *     value,text = word | '"' anything, \" and \\ '"'
 *     flag       = equipped | bonded | attuned | rare                the bare word is the condition; quote it to look for the text
 *
 * Texts (bare words: in name or description) are substrings, with "=" the whole text; case-blind also beyond ASCII.  Named values (set, material, …) are ids or names or the
 * beginning of a word of names (game_match), `none` for items without one, `any` for those with one.  Spells are ids or substrings of names; cantrip_level:epic is epic or better,
 * cantrip_level=epic no other.  Absent facts satisfy no condition, so "-" lets them through; flags that are not known count as not set.
 * Several character conditions (not turned around): any of them. */
#ifndef ITEMQ_H
#define ITEMQ_H
#include <stddef.h>

#include "item/item.h"

#define ITEMQ_CONDITIONS_MAX 64
#define ITEMQ_TEXT_MAX 4096                  /* bytes of a query or of a parameter's value */

struct itemq;

struct itemq_error {
	size_t at;                               /* byte offset from 0 in the text that was given: where the word begins that is wrong */
	char text[256];                          /* a plain sentence */
};

struct itemq *itemq_new(void);
void itemq_free(struct itemq **);

/* Adds the conditions of a query.  0, or -1 with the error; then the list is not to be used. */
int itemq_parse(struct itemq *, const char *q, size_t len, struct itemq_error *);
/* Adds what one search parameter asks (`set`=…, `min_armor`=…, `equipped`=true, …; not q).  0; 1: no parameter of this name is a filter; -1 with the error. */
int itemq_add_param(struct itemq *, const char *name, const char *value, size_t len, struct itemq_error *);

unsigned itemq_count(const struct itemq *);                /* conditions */
/* Do all hold?  character: who has the item. */
int itemq_match(const struct itemq *, const struct item *, const char *character, size_t character_len);

/* All parameter names in order of fields.def, index from 0; NULL at the end.  out: 64 bytes. */
const char *itemq_param(unsigned index, char out[64]);

#endif
