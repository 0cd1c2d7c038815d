/* peers: who shares vitals with whom just now, from share_* events.  Pure, like the roster: times are receive times in microseconds.
 * Who says goodbye is gone at once, who is silent for PEERS_STALE_US is no longer told of. */
#ifndef PEERS_H
#define PEERS_H
#include <stddef.h>
#include <stdint.h>

#include "buf/buf.h"
#include "event/event.h"

#define PEERS_STALE_US (INT64_C(15) * 1000000)

struct peers;
struct peers *peers_new(size_t max);     /* who was silent longest makes room */
void peers_free(struct peers **);
void peers_feed(struct peers *, const struct event *, int64_t rx_us);        /* types other than share_* change nothing */
/* Appends `"peers":[…],"peer_count":N`, by name; 0, or -1 when out is full. */
int peers_write(const struct peers *, int64_t now_us, struct buf *out);

#endif
