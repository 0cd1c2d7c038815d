/* totals: what a counter that a client reports adds to a lifetime total.
 *
 * A session's counter starts at 0 and only grows, but its reports may come twice, in another order, or again from a replay; a counter that falls without a
 * new session was reset by the player.  Reports are ordered by their own time:
 *   newer than the last    adds what it grew by; when it fell, it was reset and adds its whole value
 *   of the same time       adds what it grew by, never counts as a reset
 *   older                  adds nothing
 *   without a usable time  adds what it grew by over the last value, never counts as a reset
 * So any sequence of reports that has been seen adds nothing when it is seen again. */
#ifndef TOTALS_H
#define TOTALS_H
#include <stdint.h>

#define TOTALS_NO_TIME INT64_MIN

struct totals_counter {              /* zeroed is a session that has just begun */
	int64_t value;               /* as last reported */
	int64_t at_us;               /* when; 0: never */
};

/* The new report's share of the total: 0 or more.  value is not negative. */
int64_t totals_step(struct totals_counter *, int64_t value, int64_t at_us);

/* Like it for a total that some reports state outright (deaths ever): the newest statement stands. */
struct totals_stated {
	int64_t total;
	int64_t at_us;               /* of the newest statement; 0: none yet */
};
void totals_state(struct totals_stated *, int64_t total, int64_t at_us);

#endif
