/* pool: several connections to one database behind one face.
 *
 * A query goes to an idle connection or waits: in a queue with a maximum, and for max_wait_ms at the most.  Long ones (lists, files, what reads many rows) never take the
 * last connection, so that quick ones do not wait behind them.  Who is refused or waited too long is told sqlstate 53300; when no connection is up
 * pool_query refuses at once and what waits gets on_error with lost set.
 * Callbacks come as those of lib/pg do, never from within pool_query; in a callback everything may be called but pool_free. */
#ifndef POOL_H
#define POOL_H
#include "pg/pg.h"

enum pool_class { POOL_QUICK, POOL_LONG };

struct pool;
struct pool_config {
	struct pg_config pg;         /* of each connection; on_idle is the pool's, only the first is not quiet; on_up: the first is up, on_down: none is up any more */
	int connections;             /* 1 to 16; with one, long and quick ones share it */
	size_t max_waiting;          /* queries; 0: 64 */
	int64_t max_wait_ms;         /* 0: 5 s */
};

struct pool *pool_new(const struct pool_config *);
void pool_free(struct pool **);                      /* no more callbacks */
struct pollable *pool_pollable(struct pool *, int i);        /* i from 0; NULL after the last: add them all to the loop */
int pool_up(const struct pool *);                    /* how many connections take queries */
const char *pool_why(const struct pool *);           /* why none does; "" when one does */
size_t pool_waiting(const struct pool *);

/* As pg_query.  Returns a number for the calls below, 0 when the database is away.  When the queue is full on_error comes (53300), as for what waited too long. */
uint64_t pool_query(struct pool *, enum pool_class, const char *sql, int n_params, const char *const *params, const struct pg_calls *);
void pool_cancel(struct pool *, uint64_t query);     /* no more callbacks for it; the server is told to stop if it already runs */
void pool_pause(struct pool *, uint64_t query, int on);      /* back-pressure for its rows, as pg_pause */

#endif
