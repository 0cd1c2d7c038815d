/* maps: browsers that ask for a dungeon's map.  It comes from memory, else from the database, else from a plugin that was last seen there,
 * which is waited for a moment; else there is none.  Those who ask for the same share one search. */
#ifndef MAPS_H
#define MAPS_H
#include <stddef.h>
#include <stdint.h>

#include "bus/bus.h"
#include "client.h"
#include "dungeons.h"
#include "event/event.h"
#include "pg/pool.h"

struct maps;
struct maps *maps_new(struct dungeons *, struct bus_pub *, int64_t wait_ms);     /* both borrowed; for a plugin's answer */
void maps_free(struct maps **);
void maps_stop(struct maps *);                                   /* before the database's connections end */
void maps_database(struct maps *, struct pool *);                /* borrowed; before that there is none */
void maps_event(struct maps *, const struct event *);            /* after dungeons_feed: learns where characters are, answers who waits */
void maps_ask(struct maps *, struct client *, const char *landblock, int64_t now_ms);    /* landblock: four capital hex digits */
void maps_expire(struct maps *, int64_t now_ms);
void maps_forget(struct maps *, const struct client *);          /* it has gone */

#endif
