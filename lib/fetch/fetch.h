/* fetch: HTTP requests with libcurl's multi interface on our loop; the only user of curl's connections.
 *
 * By way of DT_HTTP_PROXY when that is set, whatever http_proxy and its kind say, but never to loopback; certificates of DT_HTTP_CA, else the system's.
 * Several requests may be under way.  Everything handed in is copied. */
#ifndef FETCH_H
#define FETCH_H
#include <stddef.h>
#include <stdint.h>

#include "loop/loop.h"

struct fetch_config {
	struct loop *loop;
	const char *proxy;               /* scheme://[user:password@]host:port; "" or NULL: none */
	const char *ca_file;             /* PEM; "" or NULL: the system's */
	int64_t connect_ms, total_ms;
	size_t keep_max, read_max;       /* bytes of an answer that are kept, and after which it is cut off */
	int redirects;                   /* followed at most */
};

struct fetch_answer {
	int status;                      /* 0: none came */
	const char *cause;               /* "" when all of it came; else timeout, dns, connect, tls or answer */
	const char *words;               /* the same in curl's words */
	const char *body;                /* what was kept; never NULL */
	size_t len;
};

struct fetch_request {
	const char *url;                 /* http or https */
	const char *agent;               /* User-Agent */
	const char *const *headers;      /* NULL-terminated, or NULL */
	const char *body;                /* NULL: GET, else POST */
	size_t len;
	void (*on_header)(void *priv, const char *line, size_t len);     /* may be NULL; a line as it came, also the status line */
	void (*on_answer)(void *priv, const struct fetch_answer *);      /* once, from the loop, never from within fetch_start */
	void *priv;
};

struct fetch;
struct fetch *fetch_new(const struct fetch_config *);    /* dies with 78 on a proxy or certificates that cannot be used */
void fetch_free(struct fetch **);                        /* no answer will come */
void fetch_start(struct fetch *, const struct fetch_request *);
size_t fetch_count(const struct fetch *);                /* under way */

#endif
