/* What the parts of lib/http share; nobody else includes this. */
#ifndef HTTP_INT_H
#define HTTP_INT_H
#include <libwebsockets.h>
#include <sys/queue.h>

#include "buf/buf.h"
#include "http/http.h"

#define HTTP_CHUNK 65536u                /* of an answer's bytes, and what lws reads at once */
#define HTTP_WS_RX 16384u               /* of each WebSocket, for what it gets: a plugin is two of them, so this counts */
#define HTTP_TX (4 * HTTP_CHUNK)         /* most bytes given to one lws_write, unless a single frame is longer: it copies what is over */
#define HTTP_HEAD_MAX 8192
#define HTTP_OUT_MAX (512u << 20)        /* an answer, or what a stream has waiting */
#define HTTP_HEADERS_KEPT 16
#define HTTP_BODY_S 10                   /* a request's body has to be there by then, and a second later for each HTTP_CHUNK of it */
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

/* ENDING: the answer is known and only has to be written. */
enum http_req_state { HTTP_REQ_READING, HTTP_REQ_HANDLING, HTTP_REQ_DEFERRED, HTTP_REQ_STREAMING, HTTP_REQ_ENDING };

struct http_body {                       /* shared by answers */
	const char *type;
	unsigned refs;
	int tried;                       /* to compress it */
	char etag[32];
	struct buf plain, zipped;
};

struct http_req {
	struct http_conn *c;
	struct lws *wsi;                 /* the connection's, also while the upgrade is decided */
	enum http_req_state state;
	int64_t body_by_ms;
	const char *method;
	int is_head, http10, close_after;
	char *path, *route_path;         /* route_path: within path, without /api */
	char *tail;
	char **args;                     /* "name\0value" */
	unsigned n_args;
	struct { char *name, *value; } kept[HTTP_HEADERS_KEPT];
	unsigned n_kept;
	struct buf body, extra, out;
	struct http_body *shared;        /* sent after out */
	const char *shared_at;
	size_t shared_left;
	int noted;
	union { char bytes[HTTP_NOTE_MAX]; int64_t aligned; } note;
	int file;                        /* what is still to be sent of a file; -1: none */
	size_t file_left;
	int chunked, ended, asked, in_more;
	struct z_stream_s *zip;          /* of a stream that is compressed */
	uint64_t written;                /* bytes of a stream, before that */
	void (*more)(void *, struct http_req *);
	void (*closed)(void *);
	void *priv;
};

struct http_route {
	char *methods, *path, *suffix;   /* suffix: behind the '}' */
	size_t len;                      /* of path before its '*' or '{' */
	int prefix, param;
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
	int tls, watched;
	TAILQ_ENTRY(http_listener) link;
};

struct http {
	struct lws_context *cx;
	struct lws_vhost *vh, *vh_tls;   /* vh_tls: NULL without TLS */
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
	http_guard_f *guard;
	void *guard_priv;
	const char *const *headers;
	struct http_static *files;
};

/* http_poll.c: the epoll set */
void http_epoll_set(struct http *, int fd, unsigned events, struct http_source *);
void http_epoll_unset(struct http *, int fd);
void http_take_events(struct http *);
void http_sync_polls(struct http *);                 /* before each wait */
void http_run_deadlines(struct http *);
void http_timer_ready(struct http *, struct http_source *, unsigned events);
void http_signal_ready(struct http *, struct http_source *, unsigned events);
void http_watch(struct http_conn *, int on);         /* for the peer's leaving */
void http_kill(struct http_conn *);                  /* close at the next turn, without a word */

/* http_listen.c */
struct http_conn *http_conn_new(struct http *, int fd);
void http_conn_free(struct http_conn *);
void http_listener_watch(struct http *, struct http_listener *, int on);
void http_stop_listening(struct http *);

/* http_route.c */
const struct http_route *http_find_route(struct http *, const char *method, const char *path, int ws);   /* any method when NULL */
char *http_route_tail(const struct http_route *, const char *path);          /* to be freed */
void http_allowed(struct http *, const char *path, struct buf *out);         /* "GET, HEAD", with its NUL */

/* http_req.c */
int http_req_callback(struct http_conn *, enum lws_callback_reasons, void *in, size_t len);
int http_req_upgrade(struct http_conn *);            /* LWS_CALLBACK_HTTP_CONFIRM_UPGRADE */
void http_req_gone(struct http_conn *);
void http_req_second(struct http *);                 /* once a second: bodies that do not come */
void http_req_probe(struct http_conn *, int on);     /* is it this one's pipelined requests that keep lws awake? */
int http_req_accepts_gzip(const struct http_req *);
char *http_token_dup(struct lws *, enum lws_token_indexes);      /* a header of lws's own list, NULL: not there; to be freed */

/* http_check.c: each 0, or -1 when it is answered */
/* What lws lets pass although RFC 9112 forbids it, as far as it can still be seen here.  *length of the body, -1: none. */
int http_check_framing(struct http_req *, long long *length);
int http_check_upgrade(struct http_req *, const struct http_route *);        /* NULL: there is no such route */
int http_check_text(struct http_req *);              /* handlers get text, never any bytes */
/* A refusal before the body was read: what follows on the connection cannot be trusted to be a request. */
void http_refuse(struct http_req *, int status, const char *code, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* http_reply.c */
void http_req_ask(struct http_req *);                 /* there is something to write */
int http_req_on_writeable(struct http_req *);
void http_req_serve_file(struct http_req *, int status, const char *type, const char *encoding, int fd, size_t size);
void http_req_serve_bytes(struct http_req *, int status, const char *type, const char *encoding, const char *data, size_t len);
void http_req_serve_body(struct http_req *, struct http_body *, int zip);
int http_gzip(const char *data, size_t len, struct buf *out);       /* -1: does not fit out's maximum */

int http_compressible(const char *type);
void http_put_head(struct http_req *, int status, const char *type, long long length, const char *encoding);     /* length -1: not known */

/* http_stream.c */
int http_stream_fill(struct http_req *);
void http_stream_free_zip(struct http_req *);

/* http_etag.c */
int http_has_etag(const char *list, const char *etag);               /* If-None-Match, by weak comparison */

/* http_static.c */
void http_static_serve(struct http_static *, struct http_req *);
void http_static_free(struct http_static **);

/* http_frame.c */
size_t http_frame_put(char *to, const char *data, size_t len, int masked);   /* a text frame with its header of at most 14 bytes; its length */
size_t http_frame_ping(char *to, const void *data, size_t len);              /* masked, len at most 125; its length */

/* http_url.c */
struct http_url {                        /* to be freed: address, path, also when it is none */
	char *address, *path;
	char host[512];
	int port;
};
int http_url_parse(const char *, struct http_url *); /* ws://host[:port][/path], ws+unix:///path/of/socket[:/path]; 0 or -1 */

/* http_ws.c */
int http_ws_callback(struct http_conn *, enum lws_callback_reasons, void *in, size_t len);
struct http_ws *http_ws_accept(struct http_conn *, const struct http_ws_handler *, void *conn_priv);
void http_ws_gone(struct http_conn *);
void http_ws_second(struct http *);                  /* once a second: paused connections stay valid */
void http_ws_tell_failed(struct http *);
void http_ws_shutdown(struct http *);                /* close 1001 to all */

#endif
