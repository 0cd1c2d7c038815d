/* What the parts of a client share; nobody else includes this. */
#ifndef CLIENT_INT_H
#define CLIENT_INT_H
#include "client.h"

#define CLIENT_CHUNK 65536u              /* most that is given to the socket at once */
#define CLIENT_OUT_HIGH (256u << 10)     /* over this it is not read from, and the journal waits */
#define CLIENT_OUT_MAX (32u << 20)       /* a snapshot, or one event of the greatest size */

enum catch_up { LIVE, AHEAD, WAITING, READING, READ };

struct client {
	struct client_env *env;
	struct account_who who;
	struct group *group;             /* who wants the same; it knows the ring */
	struct http_ws *ws;              /* NULL: not open yet */
	struct subscription *sub;
	struct rates *rates;             /* NULL: no limits */
	uint64_t pos;                    /* number of the next message of the ring */
	struct buf out;                  /* frames for it alone; they go before those of the ring */
	int held;                        /* we do not read from it */
	int full;                        /* the socket took the last write, but would take no more */
	struct ring_big *big;            /* a long message that is on its way in fragments */
	size_t big_at;                   /* of its text with brackets */
	int big_batch;
	uint64_t gap_from, gap_to, gap_count;
	int64_t due_ms;                  /* when the next batch may go */
	int64_t asked_ms;                /* since when the socket could take something but does not; 0: it does */
	enum catch_up catch_up;
	struct bus_sub *journal;
	uint64_t from, to;               /* of the journal, inclusive */
	int64_t until_ms;                /* how long it waits for us to come to `from` */
	struct buf batch;
	double tokens;
	int64_t tokens_ms;
};

/* client_write.c */
void client_put_event(struct client *, const char *payload, size_t len);     /* one that it is owed, beside the ring */
void client_put_gap(struct client *);
const struct ring_msg *client_next(struct client *, int64_t now_ms);         /* goes to the next message that it wants; NULL: none */
int client_waits(const struct client *);                                     /* does something in the ring wait for it? */

/* client_journal.c */
void client_end_reading(struct client *);
void client_go_on_after(struct client *, uint64_t seq);                      /* from the ring, else from the journal */
void client_look_again(struct client *, int64_t now_ms);                     /* while it is AHEAD */

#endif
