/* live: the browsers on /ws/live, and what is sent to them. */
#ifndef LIVE_H
#define LIVE_H
#include <stddef.h>
#include <stdint.h>

#include "bus/bus.h"
#include "door.h"
#include "event/event.h"
#include "http/http.h"
#include "pg/pool.h"
#include "roster/roster.h"

struct live;
struct live_config {
	struct http *http;
	struct roster *roster;
	struct bus_pub *pub;
	uint64_t (*newest_seq)(void *priv);
	void *priv;
	int64_t map_wait_ms;             /* for the map of a plugin that is asked for it */
	int any_host;                    /* a reverse proxy is known: hosts may have any name */
};

struct live *live_new(const struct live_config *);       /* adds its route; copies the config */
void live_free(struct live **);
void live_database(struct live *, struct pool *);        /* for maps that are not in memory; borrowed */
void live_event(struct live *, const struct event *, uint64_t seq);      /* to all who want it */
void live_remember(struct live *, const struct event *);                 /* of before: kept to answer by, sent to nobody */
int live_flush(struct live *);                           /* after a batch of events; 1: somebody lags, as below */
void live_gap(struct live *, uint64_t from, uint64_t to, uint64_t count);   /* what we ourselves missed */
int live_lags(const struct live *, int64_t now_ms);      /* some browser would keep up if the stream waited a moment */
void live_tick(struct live *, int64_t now_ms);           /* now and then: also closes sockets whose session is over */
void live_door(struct live *, struct door *);            /* who may send commands, and how long sockets may stay; before the loop runs */
void live_turn(struct live *);                           /* after each turn of the loop, outside all callbacks */
void live_close(struct live *);                          /* before http_free: let go of the loop */
/* The newest dungeon_map of a landblock (four capital hex digits) as it came, borrowed; NULL: not in memory. */
const char *live_dungeon(const struct live *, const char *landblock, size_t *len);
size_t live_clients(const struct live *);

#endif
