/* What the parts of lib/http share; nobody else includes this. */
#ifndef HTTP_INT_H
#define HTTP_INT_H
#include <libwebsockets.h>
#include <sys/queue.h>

#include "buf/buf.h"
#include "http/http.h"

#define HTTP_CHUNK 65536u                /* of an answer's bytes, and what lws reads at once */
#define HTTP_TX (4 * HTTP_CHUNK)         /* most bytes given to one lws_write, unless a single frame is longer: it copies what is over */
#define HTTP_STALL_S 30                  /* an answer that makes no progress for so long is cut off */

/* Everything that waits in our epoll set begins with this. */
struct http_source {
	void (*ready)(struct http *, struct http_source *, unsigned events);
	unsigned turn;                   /* in which it was ready last */
};

/* One per lws connection (its opaque user data): a browser's or plugin's, or one that we made. */
struct http_conn {
	struct http_source source;       /* watches for the peer's leaving while an answer is pending */
	struct http *h;
	struct lws *wsi;
	struct http_req *req;            /* the request that is being read or answered */
	struct http_ws *ws;
	int fd;
	int watched, killed, probed;
	char peer[INET6_ADDRSTRLEN];
	TAILQ_ENTRY(http_conn) link;
};

struct http_route {
	char *methods, *path;
	size_t len;                      /* of path without its '*' */
	int prefix;
	http_handler_f *f;
	const struct http_ws_handler *ws;        /* NULL for requests */
	void *priv;
};

struct http_poll {                       /* a pollable as it stands in the epoll set */
	struct http_source source;
	struct pollable *p;
	int fd;                          /* as last told to epoll; -1: not in it */
	short events;
	int stale;                       /* the descriptor may have been closed and opened again under its number */
	TAILQ_ENTRY(http_poll) link;
};

struct http_listener {
	struct http_source source;
	int fd;
	char *path;                      /* of a UNIX socket, unlinked at the end */
	int watched;
	TAILQ_ENTRY(http_listener) link;
};

struct http {
	struct lws_context *cx;
	struct lws_vhost *vh;
	struct http_source signals, timer;
	int epfd, sigfd, timerfd;
	int signal, stop, draining;
	unsigned callbacks, idle_turns;  /* of lws in this turn; turns of this second in which it had nothing to say */
	int probing;
	unsigned turn;
	int64_t now_ms, timer_ms, second_ms;
	size_t max_body;
	struct http_conn *adopting;
	TAILQ_HEAD(, http_conn) conns;
	TAILQ_HEAD(, http_poll) polls;
	TAILQ_HEAD(, http_listener) listeners;
	TAILQ_HEAD(, http_ws) failed;    /* client connections whose failure is still to be told */
	struct http_route *routes;
	size_t n_routes;
	void (*on_turn)(void *priv, int64_t now_ms);
	void *turn_priv;
	const char *const *headers;
	struct http_static *files;
};

/* http.c */
void http_watch(struct http_conn *, int on);
void http_kill(struct http_conn *);                  /* close at the next turn, without a word */
const struct http_route *http_find_route(struct http *, const char *method, const char *path, int ws);   /* any method when NULL */
struct http_conn *http_conn_new(struct http *, int fd);
void http_conn_free(struct http_conn *);

/* http_req.c */
int http_req_callback(struct http_conn *, enum lws_callback_reasons, void *in, size_t len);
int http_req_upgrade(struct http_conn *);            /* LWS_CALLBACK_HTTP_CONFIRM_UPGRADE */
void http_req_gone(struct http_conn *);
void http_req_probe(struct http_conn *, int on);     /* is it this one's pipelined requests that keep lws awake? */
void http_req_serve_file(struct http_req *, int status, const char *type, const char *encoding, int fd, size_t size);
void http_req_serve_bytes(struct http_req *, int status, const char *type, const char *encoding, const char *data, size_t len);
int http_req_accepts_gzip(const struct http_req *);
int http_gzip(const char *data, size_t len, struct buf *out);       /* -1: does not fit out's maximum */

/* http_static.c */
void http_static_serve(struct http_static *, struct http_req *);
void http_static_free(struct http_static **);

/* http_ws.c */
int http_ws_callback(struct http_conn *, enum lws_callback_reasons, void *in, size_t len);
struct http_ws *http_ws_accept(struct http_conn *, const struct http_ws_handler *, void *conn_priv);
void http_ws_gone(struct http_conn *);
void http_ws_second(struct http *);                  /* once a second: paused connections stay valid */
void http_ws_tell_failed(struct http *);
void http_ws_shutdown(struct http *);                /* close 1001 to all */

#endif
