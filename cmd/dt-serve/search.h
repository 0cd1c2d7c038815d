/* search: GET /search/items and what its pickers offer.  A scan that takes longer than a few milliseconds goes on in the next turn of the loop. */
#ifndef SEARCH_H
#define SEARCH_H
#include "http/http.h"
#include "items.h"

struct searches;

struct searches *searches_new(struct http *, struct items *);        /* both borrowed */
void searches_stop(struct searches *);                               /* out of the loop; before http_free, free after it */
void searches_free(struct searches **);

void search_items(struct searches *, struct http_req *);
void search_values(struct searches *, struct http_req *, enum itemdb_facet);

#endif
