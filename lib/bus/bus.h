/* bus: the client's side of the stream (dt-bus(7)): publishing to events.in and subscribing to events.out.
 * Both reconnect by themselves with back-off and jitter, log when the bus went away and when it is back, and offer a struct pollable for the
 * program's loop.  Nothing here blocks.  A callback may call anything of its publisher or subscriber but free. */
#ifndef BUS_H
#define BUS_H
#include <stddef.h>
#include <stdint.h>

#include "loop/loop.h"

/* ---- publishing, acknowledged and resumable ---- */

struct bus_pub;
struct bus_pub_config {
	const char *path;        /* of events.in */
	const char *name;        /* who publishes: "dt-ingest" */
	size_t max_bytes;        /* lines that are sent but not acknowledged are kept up to here */
	void (*on_ack)(void *priv, uint64_t n);                               /* all lines up to n are in the journal or refused; may be NULL */
	void (*on_error)(void *priv, uint64_t n, const char *reason);         /* line n was refused, said before its on_ack; NULL: logged */
	void *priv;
};
struct bus_pub *bus_pub_new(const struct bus_pub_config *);       /* copies the config */
void bus_pub_free(struct bus_pub **);
struct pollable *bus_pub_pollable(struct bus_pub *);
/* Copies the line (without newline; one JSON object; line breaks inside become blanks).  Returns its number, from 1, or 0 when the buffer is full: then the caller
 * stops reading what it would publish until bus_pub_room says there is room.  A single line always fits an empty buffer. */
uint64_t bus_pub_send(struct bus_pub *, const char *line, size_t len);
size_t bus_pub_room(const struct bus_pub *);         /* bytes until full */
uint64_t bus_pub_unacked(const struct bus_pub *);    /* lines */
int bus_pub_connected(const struct bus_pub *);

/* ---- subscribing ---- */

struct bus_sub;
struct bus_sub_config {
	const char *path;                /* of events.out */
	const char *name;                /* who subscribes */
	const char *const *types;        /* NULL-terminated; NULL: all.  A trailing '*' is a prefix */
	const char *const *characters;   /* likewise */
	const char *jq;                  /* a condition that the bus evaluates; NULL: none */
	const char *from, *to;           /* "1234", an ISO time, "earliest", or NULL (from now on, without end) */
	int once;                        /* do not reconnect: the end of the stream is the end */
	/* One event line as sent, borrowed, without newline.  seq is its _seq. */
	void (*on_line)(void *priv, uint64_t seq, const char *line, size_t len);
	/* The answer to each subscription: the first seq to come, and the id of the journal (it changes when the journal was made anew). */
	void (*on_subscribed)(void *priv, uint64_t from, const char *journal);   /* may be NULL */
	void (*on_gap)(void *priv, uint64_t from, uint64_t to, uint64_t count);  /* may be NULL: logged */
	void (*on_batch)(void *priv);            /* after the lines of one read: the moment to flush; may be NULL */
	/* No more will come: the end of a once stream or of `to` (error is NULL), or once could not go on, or the bus refused the subscription.
	 * When NULL, a refusal is logged and tried again like a lost bus. */
	void (*on_end)(void *priv, const char *error);
	void *priv;
};
/* After a reconnection it goes on behind the last seq it handed over, so no event is missed or repeated while the journal has it.  When the bus comes
 * back with another journal, that is logged and read from its earliest event: on_subscribed tells. */
struct bus_sub *bus_sub_new(const struct bus_sub_config *);       /* copies the config, strings included */
void bus_sub_free(struct bus_sub **);
struct pollable *bus_sub_pollable(struct bus_sub *);
void bus_sub_pause(struct bus_sub *, int on);        /* back-pressure: stop reading; the bus keeps our place.  May be called in on_line: lines already read still come */
void bus_sub_seek(struct bus_sub *, const char *from);   /* subscribe again from there */
uint64_t bus_sub_seq(const struct bus_sub *);        /* the last seq handed over; 0: none */
int bus_sub_connected(const struct bus_sub *);

/* The default sockets: $DT_RUN/events.in and $DT_RUN/events.out; free them. */
char *bus_in_path(void);
char *bus_out_path(void);

#endif
