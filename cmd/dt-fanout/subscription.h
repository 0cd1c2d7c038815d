/* The first line of a subscriber. */
#ifndef SUBSCRIPTION_H
#define SUBSCRIPTION_H
#include <stddef.h>
#include <stdint.h>

#include "bus/bus_match.h"
#include "journal/journal.h"

#define NO_TO_US INT64_MAX

struct subscription {
	char name[65];
	struct bus_match *match;                 /* NULL: everything */
	char *jq;                                /* NULL: none */
	struct journal_from from;                /* JOURNAL_FROM_END: from now on */
	uint64_t to_seq;                         /* UINT64_MAX: none */
	int64_t to_us;                           /* NO_TO_US: none */
};

void subscription_init(struct subscription *);   /* everything from now on */
void subscription_fini(struct subscription *);
/* NULL, or a sentence that says what is wrong with it. */
const char *subscription_parse(struct subscription *, const char *line, size_t len);

#endif
