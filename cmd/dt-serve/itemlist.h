/* itemlist: items as the body of an answer. */
#ifndef ITEMLIST_H
#define ITEMLIST_H
#include "buf/buf.h"
#include "http/http.h"
#include "itemdb/itemdb.h"

enum itemlist_form { ITEMLIST_JSON, ITEMLIST_NDJSON, ITEMLIST_CSV };

/* The items of these ids (taken: free'd in the end), between prefix and suffix in JSON (taken too; NULL in the other forms).
 * A few go out whole, with an ETag; many are streamed, each as it is at that moment, and one that has gone meanwhile is left out. */
void itemlist_send(struct http_req *, const struct itemdb *, int32_t *ids, size_t n, enum itemlist_form, struct buf *prefix, struct buf *suffix);

#endif
