/* roll: which connection speaks for which character, and what is known of each connection.
 * Of several open connections that use a name the newest has it. */
#ifndef ROLL_H
#define ROLL_H
#include <stdint.h>
#include <sys/queue.h>

#include "gate.h"
#include "limit.h"

struct http_ws;

#define ROLL_NAMES_MAX 256               /* of one connection */
#define ROLL_WORD_SIZE 129               /* of a tag or a server's name, with its NUL; longer ones are not believed */

struct roll_name {
	char text[GATE_NAME_SIZE];
	struct roll_conn *owner;
	char tag[ROLL_WORD_SIZE];        /* char_tag of its last telemetry */
	int shares;                      /* has shared since it came, and not said goodbye; a newer connection goes on with it */
	char server[ROLL_WORD_SIZE], player_id[24];      /* of its shares, as they stood there */
	int64_t shares_sent, shares_heard;       /* published here, and come back by the bus: more came back when it shares by another door too */
	struct limit commands;
	SLIST_ENTRY(roll_name) by_hash;
	LIST_ENTRY(roll_name) by_owner;
};

struct roll_conn {
	struct http_ws *ws;              /* NULL until it is open */
	char peer[64];
	uint64_t n;                      /* newer connections have higher ones */
	unsigned paused;                 /* why it is not read: bits of the user */
	int64_t resume_ms;
	struct limit messages, bytes;
	struct roll_name *last;          /* of the last frame: mostly the same again */
	char server[ROLL_WORD_SIZE];
	int landblock;                   /* -1: unknown */
	unsigned n_names;
	LIST_HEAD(, roll_name) names;
	LIST_ENTRY(roll_conn) link;
};

struct roll;

struct roll *roll_new(void);
void roll_free(struct roll **);
struct roll_conn *roll_add(struct roll *);
void roll_del(struct roll *, struct roll_conn *);                /* its names are then nobody's, and forgotten */
struct roll_conn *roll_first(struct roll *);                     /* then LIST_NEXT(c, link) */
unsigned roll_count(const struct roll *);

/* The name belongs to this connection now.  *from is the older connection that it is taken from, or NULL.
 * NULL: a newer connection has it, or this one has too many. */
struct roll_name *roll_bind(struct roll *, struct roll_conn *, const char *name, struct roll_conn **from);
struct roll_name *roll_find(struct roll *, const char *name);    /* NULL: nobody has it */

#endif
