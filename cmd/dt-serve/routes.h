/* routes: the HTTP API. */
#ifndef ROUTES_H
#define ROUTES_H
#include "feed.h"
#include "http/http.h"
#include "pg/pg.h"
#include "roster/roster.h"

#define ROUTES_TRAIL_US (INT64_C(1800) * 1000000)    /* trails of so long come from memory, beyond it from the database */
#define ROUTES_TRAIL_POINTS 1000                     /* a character, from each of the two */

struct routes {                          /* all borrowed */
	struct http *http;
	struct feed *feed;
	struct roster *roster;
	struct pg *pg;
	const char *version;
};
void routes_add(struct routes *);
void metrics_add(struct http *);         /* /metrics */

#endif
