/* group: the browsers that want the same of a ring.  Whether they want a message is found out once, when it comes, and the frames to send are put
 * side by side once for all who stand at the same place. */
#ifndef GROUP_H
#define GROUP_H
#include <stdint.h>
#include <sys/queue.h>

#include "ring.h"
#include "subscription.h"

struct seat;
struct group;
struct groups;                           /* those of the ring of all events */
LIST_HEAD(group_seats, seat);            /* who is in it: kept by the owner */

struct groups *groups_new(struct ring *);
void groups_free(struct groups **);
/* The one for these types and characters.  Give it back with put. */
struct group *groups_get(struct groups *, const struct subscription *);
void groups_put(struct group **);
void groups_each(struct groups *, void (*)(void *priv, struct group *), void *priv);

void groups_added(struct groups *, uint64_t n);          /* message n has come into the ring */
/* Calls for each group that there is something new for: who has had all before `from` needs nothing before `to`. */
void groups_news(struct groups *, void (*)(void *priv, struct group *, uint64_t from, uint64_t to), void *priv);

/* One of its own, that wants all there is in a ring. */
struct group *group_new(struct ring *);
void group_free(struct group **);

struct ring *group_ring(const struct group *);
struct group_seats *group_seats(struct group *);
int group_wants(const struct group *, uint64_t n);
uint64_t group_end(const struct group *);                /* behind the newest message that it wants */
/* What it wants from message n on, as frames of at most `max` bytes, the same for each call; borrowed until the next. */
struct ring_run group_run(struct group *, uint64_t n, size_t max);

#endif
