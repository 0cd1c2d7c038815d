/* filters: what browsers subscribe to with a jq program.  For each different one a subscription of the bus, which runs the program in a child process
 * with limits of time and memory, and a ring of what passed, shared by all browsers that asked for the same. */
#ifndef FILTERS_H
#define FILTERS_H
#include <stdint.h>

#include "group.h"
#include "http/http.h"
#include "ring.h"
#include "subscription.h"

#define FILTERS_MAX 16                   /* different ones at a time */

struct filters;
struct filter_feed;
struct filters_config {
	struct http *http;
	struct ring *main;                                       /* its count of long messages is shared */
	void (*on_events)(void *priv, struct group *);   /* there is more in its ring */
	void (*on_evict)(void *priv, struct group *, uint64_t n);
	void (*on_gap)(void *priv, struct group *, uint64_t from, uint64_t to, uint64_t count);
	void (*on_dead)(void *priv, struct group *, const char *reason);   /* no more will come */
	void *priv;
};
struct filters *filters_new(const struct filters_config *);
void filters_free(struct filters **);

/* The feed for this subscription's words, program and `from`; NULL: there are too many different ones.  Give it back with put.  Not from within a callback of a feed. */
struct filter_feed *filters_get(struct filters *, const struct subscription *);
void filters_put(struct filters *, struct filter_feed **);
struct group *filter_feed_group(const struct filter_feed *);      /* who of its browsers stands where is told by it */
void filter_feed_pause(struct filter_feed *, int on);    /* its browsers lag: the bus keeps our place */
void filters_go_on(struct filters *);            /* none is paused */
void filters_turn(struct filters *);             /* outside all callbacks: ends those that nobody wants any more */
void filters_close(struct filters *);            /* the loop is about to end */

#endif
