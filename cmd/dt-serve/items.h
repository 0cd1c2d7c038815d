/* items: dt-serve's copy of the inventory database's items in memory, which follows what dt-store writes there.
 *
 * Read whole when the connection is made, in place: what is no longer there goes at the end.  Then twice a second what has a higher version is read.  Version numbers
 * that went back, another table, tombstones that are gone already, a connection that was lost: all is read again.
 * While it is being read, and while the database is away, nothing is answered from it: an old inventory that looks like a new one helps nobody. */
#ifndef ITEMS_H
#define ITEMS_H
#include "http/http.h"
#include "itemdb/itemdb.h"
#include "pg/pool.h"

struct items;

struct items *items_new(struct http *);          /* connects to INVENTORY_DATABASE_URL */
void items_stop(struct items *);                 /* out of the loop; before http_free */
void items_free(struct items **);
struct itemdb *items_db(struct items *);
struct pool *items_pool(struct items *);         /* other questions to the same database, read only */
int items_ready(struct items *, struct http_req *);      /* 0, or -1 when it is answered 503 */

#endif
