/* A subscriber: out.c has its connection, stream.c what it is sent. */
#ifndef SUB_H
#define SUB_H
#include <stddef.h>
#include <stdint.h>

#include "buf/buf.h"
#include "hub.h"
#include "journal/journal.h"
#include "loop/loop.h"
#include "subscription.h"

#define RANGES 512                       /* lines of which a jq program has not spoken its verdict, or that are not yet sent */
#define OUT_LOW (64u << 10)              /* a line goes into out while it holds less */

/* CLOSING: what is in out goes, then our side is shut.  LINGERING: until the peer has closed as well, since what it has not
 * read yet may be lost to it when we close first. */
enum state { ASKING, STREAMING, CLOSING, LINGERING };

/* A line given to the jq program. */
struct range { struct journal_pos pos; size_t len; int decided, pass; };

struct sub {
	struct pollable pollable;        /* first: handle() casts */
	struct hub *hub;
	enum state state;
	int dead, ended;                 /* ended: `to` is reached, only what is under way is still sent */
	int full;                        /* the socket took no more */
	int again;                       /* it had its share of the turn, and there is more */
	int half_closed;                 /* it will not say anything any more */
	uint64_t connected_seq;          /* the next event when it connected */
	int64_t until_ms;                /* of ASKING: then it gets everything; of CLOSING and LINGERING: then it is closed anyway */
	struct subscription want;
	struct buf in;                   /* the first line */
	struct buf out;                  /* answers, and lines that a jq program let through; goes before anything else */
	struct journal_pos pos;
	int mid_line;                    /* unfiltered: pos is inside a line */
	size_t skip;                     /* filtered: so much of the line at pos was sent */
	struct filter_child *child;
	struct range *ranges;            /* a ring */
	size_t first, n_ranges, n_decided;
};

/* out.c */
void sub_kill(struct sub *);                     /* closes; freed after the turn */
void sub_refuse(struct sub *, const char *sentence);
void sub_begin_closing(struct sub *);

/* stream.c */
int sub_flush(struct sub *);                     /* sends out: 0, -1 when something is left or the connection is gone */
void sub_pump(struct sub *);                     /* its share of a turn */
int sub_start_child(struct sub *);               /* the jq program's; 0, -1 */
void sub_drop_child(struct sub *);

#endif
