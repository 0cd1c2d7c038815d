/* client: one browser on /ws/live.  A position in the ring, a subscription, and what is queued for it alone (answers, what it missed).
 * Memory is bounded: one that does not read loses events and is told so by a `gap`; one that has much queued is not read from. */
#ifndef CLIENT_H
#define CLIENT_H
#include <stddef.h>
#include <stdint.h>

#include "account/account.h"
#include "bus/bus.h"
#include "group.h"
#include "http/http.h"
#include "rates.h"
#include "ring.h"
#include "subscription.h"

struct client;
struct client_env {                      /* the same for all of them */
	struct http *http;
	struct ring *ring;
	uint64_t (*newest_seq)(void *priv);
	void *priv;
	unsigned catching_up;            /* how many read from the journal now */
	int turn;                        /* somebody wants a client_turn */
};

struct client *client_new(struct client_env *, const struct account_who *, struct group *);       /* copies who it is; the group is borrowed */
void client_free(struct client **);
void client_open(struct client *, struct http_ws *);     /* from now on, everything */
uint64_t client_pos(const struct client *);               /* of its ring: what comes next */
struct account_who *client_who(struct client *);         /* whose it is; the role may change */

/* Queues what its subscription still owes it, so that the answer to the next one stands between the two. */
void client_settle(struct client *, int64_t now_ms);
/* Takes the subscription, borrows the group.  What it missed since `from` comes first, from the ring or the journal. */
void client_subscribe(struct client *, struct subscription *, struct group *);

/* Queue a message for this one alone. */
void client_put(struct client *, const char *payload, size_t len);
void client_error(struct client *, const char *code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* A message of the ring is about to go: who still needs it goes on with the newest. */
void client_evict(struct client *, uint64_t n);
void client_skip(struct client *, uint64_t from, uint64_t to);   /* its group wants nothing from one to before the other */
void client_gap(struct client *, uint64_t from, uint64_t to, uint64_t count);

/* Ask to write when something is due; both return when it should be asked again at the latest. */
int64_t client_poke(struct client *, int64_t now_ms);
int64_t client_write(struct client *, int64_t now_ms);   /* the socket can take something */
void client_turn(struct client *);                       /* outside all callbacks: begin or end reading from the journal */

int client_lags(const struct client *, int64_t now_ms);  /* reads well, but there is much that it has not got yet */
int client_stuck(const struct client *, int64_t now_ms); /* has not taken anything for too long */
int client_holds_big(const struct client *);             /* is it in the middle of a long message? */
void client_close(struct client *);                      /* the loop is about to end */

int client_allow(struct client *, int64_t now_ms);       /* may it send one more message now? */

#endif
