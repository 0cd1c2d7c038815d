/* http: an HTTP and WebSocket server and a WebSocket client on one thread; the only user of libwebsockets.h.
 * Pollables (lib/loop) run in the same loop.  All callbacks come from http_run. */
#ifndef HTTP_H
#define HTTP_H
#include <stddef.h>
#include <stdint.h>

#include "buf/buf.h"
#include "loop/loop.h"

struct http;                 /* the server: one per process */
struct http_req;             /* a request; valid until answered and, when streaming, until its end */
struct http_ws;              /* a WebSocket connection, accepted or made */

struct http *http_new(size_t max_body);      /* raises nothing, lowers RLIMIT_NOFILE to 16384: lws sizes its tables by it */
void http_free(struct http **);

/* 0, or -1 with errno (EADDRINUSE …).  bind is a numeric address; a port of 0 picks a free one, which is returned through *port. */
int http_listen_tcp(struct http *, const char *bind, int *port);
int http_listen_unix(struct http *, const char *path, unsigned mode);
/* TCP listeners made after this speak TLS 1.2 or later with this certificate (chain) and key, files in PEM.  Dies with 78 when they cannot be used. */
void http_tls(struct http *, const char *cert, const char *key);

void http_add(struct http *, struct pollable *);
void http_del(struct http *, struct pollable *);
void http_on_turn(struct http *, void (*f)(void *priv, int64_t now_ms), void *priv);   /* after each turn of the loop: flush, stat_write */
/* Runs until http_stop or SIGTERM/SIGINT; returns the signal or 0.  http_drain then closes: no new connections, close 1001 to WebSockets,
 * until all are gone or the deadline; a second signal ends at once. */
int http_run(struct http *);
void http_drain(struct http *, int64_t max_ms);
void http_stop(struct http *);
int64_t http_now(const struct http *);

/* ---- requests ---- */

typedef void http_handler_f(void *priv, struct http_req *);
/* Path and parameters are UTF-8 when a handler sees them; else they are answered 400.
 * path is matched exactly, or as a prefix when it ends in '*', or has one {name} that stands for anything that is not empty, slashes included: lws decodes
 * %2F before we can see it.  The longest literal match wins; "/api" before a path is dropped first.
 * methods: "GET", "GET,POST"; HEAD comes with GET.  Others are answered 405. */
void http_route(struct http *, const char *methods, const char *path, http_handler_f *, void *priv);
/* Asked about every request and upgrade before its route, its 404 or its file.  0: it may pass.  A request it refuses it answers itself and returns -1; of an
 * upgrade (is_ws) it returns the HTTP status that refuses.  One per server. */
typedef int http_guard_f(void *priv, struct http_req *, int is_ws);
void http_guard(struct http *, http_guard_f *, void *priv);
/* Files below dir for what no route takes; index.html for "/"; ETag, 304, Cache-Control, .gz beside a file or gzip on the fly for text;
 * nothing outside dir, no dot files, no symlink that leads out. */
void http_static(struct http *, const char *dir);
/* Headers on every answer, as {"X-Content-Type-Options", "nosniff", NULL}. */
void http_headers(struct http *, const char *const *pairs);

const char *http_req_method(const struct http_req *);
const char *http_req_path(const struct http_req *);                   /* decoded, without /api */
const char *http_req_tail(const struct http_req *);                   /* what the '*' or the {name} of the route matched */
const char *http_req_query(const struct http_req *, const char *name);/* decoded first value, or NULL */
const char *http_req_query_name(const struct http_req *, unsigned i); /* i-th parameter's name, or NULL: to refuse unknown ones */
const char *http_req_query_value(const struct http_req *, unsigned i);/* and its value: for parameters that may be repeated */
const char *http_req_header(const struct http_req *, const char *lower_case_name);   /* or NULL */
const char *http_req_peer(const struct http_req *);                   /* address text; "" on a UNIX socket */
const char *http_req_body(const struct http_req *, size_t *len);
/* Up to HTTP_NOTE_MAX bytes that the guard notes on the request for its handler: who asks.  NULL: nothing was noted. */
#define HTTP_NOTE_MAX 128
void http_req_note(struct http_req *, const void *note, size_t len);
const void *http_req_noted(const struct http_req *);

/* One whole answer; the body is copied.  gzip is used where the client accepts it and it pays. */
void http_reply(struct http_req *, int status, const char *content_type, const char *body, size_t len);
void http_reply_header(struct http_req *, const char *name, const char *value);   /* before the reply */
void http_reply_error(struct http_req *, int status, const char *code, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The same for a 200 that may be kept and asked for again: with an ETag made of the body, answered 304 when the client still has it. */
void http_reply_cached(struct http_req *, const char *content_type, const char *body, size_t len);
/* A body that several answers share: nothing is copied, compressed at most once, with an ETag and 304 as above.  Who made it drops it when a newer one takes
 * its place; answers that still send it hold it. */
struct http_body;
struct http_body *http_body_new(const char *content_type, struct buf *);     /* takes the buffer's bytes */
void http_body_drop(struct http_body **);
void http_reply_body(struct http_req *, struct http_body *);
/* A long answer in pieces: begin, then write as asked.  more is called whenever there is room; it calls http_stream_write and, at last, http_stream_end.
 * closed is called when the request is over for whatever reason.  Text is compressed on its way where the client accepts it (but for text/event-stream). */
void http_stream(struct http_req *, int status, const char *content_type, void (*more)(void *priv, struct http_req *), void (*closed)(void *priv), void *priv);
void http_stream_write(struct http_req *, const char *data, size_t len);   /* copied; at most 64 KiB a call of more is a good measure */
void http_stream_wake(struct http_req *);    /* there is something to write again */
void http_stream_end(struct http_req *);
void http_stream_abort(struct http_req *);   /* something went wrong: the connection is cut, so that nobody takes half for the whole */
/* An answer that will come later (after a database's reply): the request is kept; gone is called if the client leaves first. */
void http_defer(struct http_req *, void (*gone)(void *priv), void *priv);

/* ---- WebSockets ---- */

struct http_ws_handler {
	size_t max_message;      /* a longer one closes with 1009, as does one of more than 65,536 fragments */
	/* Before the upgrade: 0 accepts, else an HTTP status that refuses (401, 403, 503).  *conn_priv becomes the connection's. */
	int (*on_upgrade)(void *priv, struct http_req *, void **conn_priv);
	void (*on_open)(void *conn_priv, struct http_ws *);
	void (*on_message)(void *conn_priv, struct http_ws *, const char *data, size_t len, int binary);   /* whole message, borrowed */
	void (*on_writable)(void *conn_priv, struct http_ws *);   /* asked for with http_ws_want_write; may be NULL */
	void (*on_close)(void *conn_priv, struct http_ws *, int code);   /* once for each on_upgrade that accepted; ws is NULL if it never opened */
};
void http_route_ws(struct http *, const char *path, const struct http_ws_handler *, void *priv);   /* handler is borrowed */

/* Queue a text message; -1 when more than max_queued bytes wait already (nothing is queued). */
int http_ws_send(struct http_ws *, const char *data, size_t len);
void http_ws_queue_max(struct http_ws *, size_t max_queued);     /* default 1 MiB */
size_t http_ws_queued(const struct http_ws *);
/* A client asks whether the server has read what was sent before, by a ping behind it; how many pings were not answered yet. */
void http_ws_ping(struct http_ws *);
unsigned http_ws_pings(const struct http_ws *);
/* Ready-made frames (http_ws_frame), written as they are: bytes shared by all connections are framed once. */
void http_ws_want_write(struct http_ws *);
/* In on_writable, whole frames, at most 64 KiB.  1: the socket may take more at once; 0: it is full, what is over was copied, ask again; -1: it is gone. */
int http_ws_write_raw(struct http_ws *, const char *frames, size_t len);
size_t http_ws_frame(char *out, size_t payload_len);             /* header of an unmasked text frame into out[10]; its length */
size_t http_ws_frame_len(const char *frame);                     /* of one that is whole, with its header */
void http_ws_pause(struct http_ws *, int on);                    /* stop reading: back-pressure to the peer */
void http_ws_close(struct http_ws *, int code, const char *reason);
void http_ws_kill(struct http_ws *);             /* at once, for a peer that would not take a close either; on_close comes later */
const char *http_ws_peer(const struct http_ws *);

/* A client connection, ws:// or ws+unix:// (a path after "ws+unix://", then ":" and the request path); headers as name, value pairs, NULL-terminated.
 * on_upgrade is not used; conn_priv is given.  A failure to connect comes as on_close with code 0 and ws NULL. */
void http_ws_connect(struct http *, const char *url, const char *const *headers, const struct http_ws_handler *, void *conn_priv);

#endif
