/* feed: the stream as dt-serve takes it: first what the journal has of late, to fill the roster, then live. */
#ifndef FEED_H
#define FEED_H
#include <stdint.h>

#include "event/event.h"
#include "http/http.h"

struct feed;
struct feed_config {
	struct http *http;
	int64_t trails_us, portals_us, shares_us;        /* how far back telemetry and vitals, portals, dungeons and server_status, share_* are wanted */
	void (*on_old)(void *priv, const struct event *, uint64_t seq);    /* of before; may come between live ones */
	void (*on_event)(void *priv, const struct event *, uint64_t seq);
	void (*on_gap)(void *priv, uint64_t from, uint64_t to, uint64_t count);
	void (*on_batch)(void *priv);
	void (*on_warm)(void *priv);
	void *priv;
};

struct feed *feed_new(const struct feed_config *);
void feed_free(struct feed **);
void feed_tick(struct feed *, int64_t now_ms);   /* outside all callbacks */
void feed_pause(struct feed *, int on);          /* the live stream waits */
int feed_connected(const struct feed *);
int feed_warm(const struct feed *);
const char *feed_journal(const struct feed *);   /* its id; "" before the first answer of the bus */
uint64_t feed_newest_seq(const struct feed *);   /* 0: nothing yet */

#endif
