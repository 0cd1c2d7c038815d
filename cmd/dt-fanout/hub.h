/* What the files of dt-fanout share: one journal, publishers that fill it, subscribers that read it. */
#ifndef HUB_H
#define HUB_H
#include <stddef.h>
#include <stdint.h>

#include "buf/buf.h"
#include "journal/journal.h"
#include "loop/loop.h"

#define READ_MAX (256u << 10)            /* bytes taken from or given to one connection in one turn */
#define READ_MIN (32u << 10)
#define TURN_BYTES (1u << 20)            /* shared by all connections of a kind */
#define HALF_LINE_MS 60000               /* an unfinished line may take so long */
#define SUBSCRIBE_WAIT_MS 1000           /* who says nothing for so long gets everything */
#define SUBSCRIBE_LINE_MS 30000          /* an unfinished subscription may take so long */
#define LINGER_MS 30000                  /* how long who was refused, or has got all, may take to read the rest on, and to close */
#define REFUSED_MAX 64                   /* connections over the limit that are told so; more are closed without a word */
#define SUBSCRIBE_MAX (256u << 10)
#define CONTROL_MAX (64u << 10)          /* answers to a publisher that it does not read; then it is read no more */

struct pub;
struct sub;
struct listener;

struct hub {
	struct loop *loop;
	struct journal *journal;
	struct listener *in, *out;
	struct pub **pubs;
	struct sub **subs;
	size_t n_pubs, n_subs, cap_pubs, cap_subs, max_pubs, max_subs;
	char *scratch;                   /* READ_MAX, for reading */
	int64_t now_ms;
	char rx_iso[32];                 /* of this turn's batch; "" before the first line */
	int fresh;                       /* the journal has grown, or there is a reason to look at everybody */
	int draining;
};

/* conn.c: sockets that listen. */
struct listener *listener_open(struct hub *, const char *path, void (*on_accept)(struct hub *, int fd));
void listener_close(struct listener **);         /* removes the socket too */

/* in.c */
void pubs_accept(struct hub *, int fd);
void pubs_step(struct hub *);                    /* after a turn: acknowledge, read again or not, bury the dead */
int pubs_waiting(const struct hub *);            /* is there one whose lines are not yet acknowledged? */
void pubs_close(struct hub *);

/* out.c */
void subs_accept(struct hub *, int fd);
void subs_step(struct hub *);                    /* after a turn: send what is new, bury the dead */
int subs_waiting(const struct hub *);            /* is there one that has not got everything? */
uint64_t subs_slowest(const struct hub *);       /* bytes that the slowest one lies behind */
void subs_close(struct hub *);

/* Bytes out, without ever waiting.  0, -1: the connection is of no use any more. */
int conn_flush(int fd, struct buf *);

#endif
