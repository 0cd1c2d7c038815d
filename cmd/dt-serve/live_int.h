/* What the parts of live share; nobody else includes this. */
#ifndef LIVE_INT_H
#define LIVE_INT_H
#include <sys/queue.h>

#include "client.h"
#include "commands.h"
#include "dungeons.h"
#include "filters.h"
#include "group.h"
#include "live.h"
#include "maps.h"

struct seat {                            /* one connection */
	LIST_ENTRY(seat) link;
	LIST_ENTRY(seat) in_group;
	struct live *live;
	struct client *client;
	struct group *group;
	struct filter_feed *feed;        /* whose group it is; NULL: no jq */
	struct http_ws *ws;              /* NULL: not open yet */
};

struct live {
	struct live_config config;
	struct client_env env;
	struct ring *ring;
	uint64_t low;                    /* nobody on the ring stands before this message */
	struct groups *groups;
	struct filters *filters;
	int held;                        /* a filter is paused */
	int lags;                        /* somebody did when the last news were told */
	struct commands *commands;
	struct dungeons *dungeons;
	struct maps *maps;
	struct pollable timer;
	LIST_HEAD(, seat) seats;
	size_t n;
	struct door *door;
	uint64_t door_version;
	int64_t used_ms;
};

/* live.c: who wants what it wants, from now on; the old group is left.  0, or -1: there are too many different jq programs. */
int live_join(struct seat *, const struct subscription *);

/* live_requests.c */
void live_request(struct seat *, const char *data, size_t len);              /* a message that a browser has sent */

#endif
