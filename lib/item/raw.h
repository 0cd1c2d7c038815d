/* raw: an item's properties as they were sent, between reading them and making facts of them. */
#ifndef ITEM_RAW_H
#define ITEM_RAW_H
#include "item/item.h"

enum property {
#define PROPERTY(id, key, check, name) P_##id,
#include "item/properties.def"
#undef PROPERTY
	PROPERTIES
};
enum check { CHECK_NUMBER, CHECK_BITS, CHECK_OBJECT };

#define NONE INT64_MIN

struct raw {
	int64_t v[PROPERTIES];                   /* NONE: absent */
	uint8_t rank[PROPERTIES];                /* 0 not seen, 1 under the game's key, 2 under Decal's, 3 as a member of the item itself */
	double variance, salvage;                /* NAN: absent */
	uint8_t variance_rank;
	struct event_value strings_name, long_text, short_text;
	const char *why;
};

/* The first reason is the one that is told. */
void item_complain(struct raw *, const char *why);
/* All facts that follow from properties; class, texts and spells are in the item already. */
void item_set_facts(struct item *, struct raw *);

#endif
