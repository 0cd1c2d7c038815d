/* portals: those seen of late, one per place (private to lib/roster). */
#ifndef PORTALS_H
#define PORTALS_H
#include <stddef.h>
#include <stdint.h>

#include "buf/buf.h"
#include "event/event.h"

struct portal;
struct portals {
	struct portal *portal;     /* in no order */
	size_t n, cap, max;
};

void portals_feed(struct portals *, const struct event *, const char *character, int64_t us, int64_t rx_us);
void portals_expire(struct portals *, int64_t before_rx_us);
int portals_write(const struct portals *, int64_t since_rx_us, struct buf *out);
void portals_fini(struct portals *);

#endif
