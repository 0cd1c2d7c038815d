/* poison: events that only the database refuses, and the search for them.
 * Mostly the database says which row it was.  Where it does not, batches are halved until the refused one is a single event; once that is put aside they
 * grow again. */
#ifndef POISON_H
#define POISON_H
#include "batch.h"

struct poison {
	struct poisoned { uint64_t seq; char *why; } *list;  /* found, and not yet put aside */
	size_t n;
	size_t limit;                /* events in a batch while looking; 0: not looking */
	uint64_t until;              /* the end of the batch in which to look */
	int found;
};

void poison_fini(struct poison *);
/* Why the database refuses this event; NULL: it does not, as far as is known. */
const char *poison_why(const struct poison *, uint64_t seq);
/* This batch was refused.  0: make it again, smaller or without the culprit; -1: not even its dead letter can be stored. */
int poison_refused(struct poison *, const struct batch *, const struct pg_error *);
/* All up to this seq is stored or put aside. */
void poison_stored(struct poison *, uint64_t seq);

#endif
