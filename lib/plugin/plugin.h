/* plugin: connections to /ws/position as game clients make them, one for each character, for replays and simulations.
 * A connection that is lost or refused is made again with back-off. */
#ifndef PLUGIN_H
#define PLUGIN_H
#include <stddef.h>
#include <stdint.h>

struct http;
struct plugins;
struct plugins_config {
	struct http *http;
	const char *url;                     /* ws:// or ws+unix://; without a path /ws/position is meant */
	const char *secret;
	void (*on_room)(void *priv);         /* after a plugins_send that failed: try again; may be NULL */
	void (*on_message)(void *priv, const char *character, const char *data, size_t len);   /* from the server; NULL: errors are logged */
	void (*on_open)(void *priv, const char *character);          /* its connection is up; may be NULL */
	void (*on_close)(void *priv, const char *character);         /* … was up and is no more; may be NULL */
	void *priv;
};
struct plugins *plugins_new(const struct plugins_config *);          /* copies it */
void plugins_free(struct plugins **);                                /* the connections end with the http loop */

/* Sends a frame as that character, whose connection is made when there is none.  0, or -1: not now, nothing was sent. */
int plugins_send(struct plugins *, const char *character, size_t character_len, const char *frame, size_t len);
/* A connection of that character is kept up without anything to send; or closed in an orderly way behind what is queued, and not made again. */
void plugins_want(struct plugins *, const char *character, int on);
size_t plugins_queued_of(struct plugins *, const char *character);   /* bytes of its not yet handed to the kernel */
size_t plugins_open(const struct plugins *);                         /* connections that are up */
size_t plugins_queued(const struct plugins *);                       /* bytes not yet handed to the kernel */
/* Asks whether the server has read all that was sent until now, on each connection; how many have not said so, those that went since included. */
void plugins_ask(struct plugins *);
size_t plugins_unread(const struct plugins *);
uint64_t plugins_errors(const struct plugins *);                     /* frames that the server refused with an error message */
int64_t plugins_down_since(const struct plugins *);                  /* monotonic ms since when frames wait and none is up; else 0 */
void plugins_close(struct plugins *);                                /* close them all in an orderly way, make none any more */

/* 0: the server is this machine; 1: another; -1: no address for plugins. */
int plugins_is_remote(const char *url);

#endif
