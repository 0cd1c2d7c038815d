/* heatmap: spawns of the last 168 hours in memory, a copy of spawn_cells_1h.
 *
 * The table decides what is counted and what was there already; the stream says which hours have changed and up to which _seq they are wanted.  An hour is read
 * again until the table has come that far, so nothing is counted twice and nothing is missed, wherever the store stands. */
#ifndef HEATMAP_H
#define HEATMAP_H
#include <stdint.h>

#include "event/event.h"
#include "http/http.h"
#include "pg/pool.h"

struct heatmap;
struct heatmap *heatmap_new(struct pool *);
void heatmap_free(struct heatmap **);
void heatmap_event(struct heatmap *, const struct event *, uint64_t seq, int64_t rx_us);     /* of any type */
void heatmap_all(struct heatmap *, uint64_t seq);            /* events up to seq were missed: everything may have changed */
void heatmap_tick(struct heatmap *, int64_t now_ms, const char *journal);    /* now and then */
void heatmap_answer(struct heatmap *, struct http_req *);    /* GET /spawns/heatmap */

#endif
