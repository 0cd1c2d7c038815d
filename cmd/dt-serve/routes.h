/* routes: the HTTP API.  A route is a row of one of the tables below; each table lives in the file that answers it. */
#ifndef ROUTES_H
#define ROUTES_H
#include "door.h"
#include "feed.h"
#include "health.h"
#include "heatmap.h"
#include "http/http.h"
#include "items.h"
#include "live.h"
#include "pg/pool.h"
#include "roster/peers.h"
#include "roster/roster.h"
#include "search.h"

#define ROUTES_TRAIL_US (INT64_C(1800) * 1000000)    /* trails of so long come from memory, beyond it from the database */
#define ROUTES_TRAIL_POINTS 1000                     /* a character, from each of the two */
#define ROUTES_NAME_BYTES 128                        /* of a character's name in a path or a parameter */

struct routes {                          /* what handlers need, all borrowed: their priv is this struct */
	size_t characters;               /* seen in the last 30 days, now and then counted by history_tick */
	int64_t census_ms;
	struct http *http;
	struct feed *feed;
	struct roster *roster;
	struct pool *pool;               /* the telemetry database, read only */
	struct pool *board;              /* the same for writing: the issues */
	int any_host;                    /* a reverse proxy is known: hosts may have any name */
	struct items *items;             /* what the inventory database has */
	struct searches *searches;
	struct heatmap *heatmap;
	struct peers *peers;
	struct health *health;
	struct live *live;
	struct door *door;
	const char *version;
};

struct route {
	const char *method;              /* "GET" (HEAD comes with it), "POST" … */
	const char *path;                /* "/combat-stats/{character}": http_req_tail is what stands for {character} */
	http_handler_f *f;
};
#define ROUTE_END { 0, 0, 0 }
extern const struct route routes_live[], routes_history[], routes_about[], routes_character[], routes_issues[], routes_inventory[], routes_login[], routes_admin[];

void routes_add(struct routes *);
void history_tick(struct routes *, int64_t now_ms);      /* now and then */
void routes_print(void);                 /* each as "METHOD /path" on a line of stdout */

/* 0, or -1 when it is answered 503: while the journal's last minutes are read, an answer would be wrong rather than late. */
int routes_warm(const struct routes *, struct http_req *);
/* The {…} of the path, 1 to ROUTES_NAME_BYTES bytes; 0, or -1 when it is answered. */
int routes_name(struct http_req *, const char **name);

#endif
