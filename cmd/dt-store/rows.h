/* rows: an event becomes a row of its table, with the numbers of its names, the time it goes by and its share of the totals; or a dead letter. */
#ifndef ROWS_H
#define ROWS_H
#include "batch.h"
#include "state.h"

#define DAY_US 86400000000
#define LATE_US DAY_US               /* a time so far before the receive time is not believed … */
#define FUTURE_US 300000000          /* … nor one so far behind it */

struct rows {
	struct state *state;
	int count_replays;           /* events of a replay count in the totals */
};

/* The types that become rows; NULL-terminated, for the subscription. */
extern const char *const rows_types[];

/* poisoned: NULL, or why the database refuses just this event: then it becomes a dead letter. */
void rows_add(const struct rows *, struct batch *, uint64_t seq, const char *line, size_t len, const char *poisoned);

#endif
