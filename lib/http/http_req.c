/* Requests and replies.
 *
 * Answers are composed here byte for byte and written raw: the connection is always HTTP/1 (alpn), and lws's own helpers answer 1.0 and know no chunks. */
#include "http/http.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "http/http_int.h"
#include "log/log.h"
#include "mem/mem.h"

#define HEAD_MAX 8192
#define OUT_MAX (512u << 20)             /* an answer, or what a stream has waiting */
#define GZIP_MIN 860                     /* below, the packet is not smaller */
#define GZIP_LEVEL 5
#define HEADERS_KEPT 16

enum state { READING, HANDLING, DEFERRED, STREAMING, ENDING };

struct http_req {
	struct http_conn *c;
	struct lws *wsi;                 /* the connection's, also while the upgrade is decided */
	enum state state;
	const char *method;
	int is_head, http10, close_after;
	char *path, *route_path;         /* route_path: within path, without /api */
	const char *tail;
	char **args;                     /* "name\0value" */
	unsigned n_args;
	struct { char *name, *value; } kept[HEADERS_KEPT];
	unsigned n_kept;
	struct buf body, extra, out;
	int file;                        /* what is still to be sent of a file; -1: none */
	size_t file_left;
	int chunked, ended, asked, in_more;
	void (*more)(void *, struct http_req *);
	void (*closed)(void *);
	void *priv;
};

/* ---- reading what lws parsed ---- */

static const char *
method_name(int m)
{
	switch (m) {
	case LWSHUMETH_GET: return "GET";
	case LWSHUMETH_HEAD: return "HEAD";
	case LWSHUMETH_POST: return "POST";
	case LWSHUMETH_PUT: return "PUT";
	case LWSHUMETH_PATCH: return "PATCH";
	case LWSHUMETH_DELETE: return "DELETE";
	case LWSHUMETH_OPTIONS: return "OPTIONS";
	default: return "";
	}
}

static char *
token_dup(struct lws *wsi, enum lws_token_indexes token)
{
	int n = lws_hdr_total_length(wsi, token);
	char *s;

	if (n <= 0)
		return NULL;
	s = xmalloc((size_t)n + 2);
	if (lws_hdr_copy(wsi, s, n + 2, token) < 0) {
		free(s);
		return NULL;
	}
	return s;
}

static char *
custom_dup(struct lws *wsi, const char *name)
{
	char key[80], *s;
	int n, k = snprintf(key, sizeof(key), "%s:", name);

	if (k >= (int)sizeof(key) || (n = lws_hdr_custom_length(wsi, key, k)) < 0)
		return NULL;
	s = xcalloc(1, (size_t)n + 2);
	if (n > 0 && lws_hdr_custom_copy(wsi, s, n + 1, key, k) < 0) {
		free(s);
		return NULL;
	}
	return s;
}

/* lws keeps the headers it knows by number and the others by name. */
static char *
header_dup(struct lws *wsi, const char *name)
{
	size_t n = strlen(name);
	const unsigned char *t;
	int i;

	for (i = 0; i < WSI_TOKEN_COUNT; i++) {
		t = lws_token_to_string((enum lws_token_indexes)i);
		if (t != NULL && strncmp((const char *)t, name, n) == 0 && t[n] == ':' && t[n + 1] == '\0')
			return token_dup(wsi, (enum lws_token_indexes)i);
	}
	return custom_dup(wsi, name);
}

static void
read_args(struct http_req *r)
{
	int i, n;
	char *s, *eq;

	for (i = 0; (n = lws_hdr_fragment_length(r->wsi, WSI_TOKEN_HTTP_URI_ARGS, i)) > 0; i++) {
		s = xcalloc(1, (size_t)n + 2);
		if (lws_hdr_copy_fragment(r->wsi, s, n + 1, WSI_TOKEN_HTTP_URI_ARGS, i) < 0) {
			free(s);
			break;
		}
		if ((eq = strchr(s, '=')) != NULL)
			*eq = '\0';
		r->args = xreallocarray(r->args, r->n_args + 1, sizeof(*r->args));
		r->args[r->n_args++] = s;
	}
}

static struct http_req *
req_new(struct http_conn *c)
{
	struct http_req *r = xcalloc(1, sizeof(*r));
	char *uri = NULL, version[16];
	int len = 0, m = lws_http_get_uri_and_method(c->wsi, &uri, &len);

	r->c = c;
	r->wsi = c->wsi;
	r->file = -1;
	r->method = method_name(m);
	r->is_head = m == LWSHUMETH_HEAD;
	r->path = m >= 0 && uri != NULL ? xstrndup(uri, (size_t)len) : xstrdup("/");
	r->route_path = strncmp(r->path, "/api/", 5) == 0 ? r->path + 4 : r->path;
	r->tail = "";
	r->http10 = lws_hdr_copy(c->wsi, version, sizeof(version), WSI_TOKEN_HTTP) <= 0 || strcmp(version, "HTTP/1.1") != 0;
	buf_init(&r->body, c->h->max_body);
	buf_init(&r->extra, HEAD_MAX);
	buf_init(&r->out, OUT_MAX);
	read_args(r);
	return r;
}

static void
req_free(struct http_req *r)
{
	unsigned i;

	for (i = 0; i < r->n_args; i++)
		free(r->args[i]);
	for (i = 0; i < r->n_kept; i++) {
		free(r->kept[i].name);
		free(r->kept[i].value);
	}
	free(r->args);
	free(r->path);
	buf_fini(&r->body);
	buf_fini(&r->extra);
	buf_fini(&r->out);
	if (r->file >= 0)
		close(r->file);
	free(r);
}

/* The request is over for whatever reason. */
void
http_req_gone(struct http_conn *c)
{
	struct http_req *r = c->req;

	if (r == NULL)
		return;
	c->req = NULL;
	if (r->closed != NULL && (r->state == DEFERRED || r->more != NULL))
		r->closed(r->priv);
	req_free(r);
}

/* An answer that is waited for keeps lws from reading.  When it holds pipelined requests already, it polls for writing all the same, and without rest,
 * but does not call: until it may read again. */
void
http_req_probe(struct http_conn *c, int on)
{
	if (on ? c->req == NULL || c->req->asked || c->req->state < DEFERRED : !c->probed)
		return;
	c->probed = on;
	if (on || (c->req != NULL && !c->req->asked))
		lws_rx_flow_control(c->wsi, on);
}

const char *
http_req_method(const struct http_req *r)
{
	return r->method;
}

const char *
http_req_path(const struct http_req *r)
{
	return r->route_path;
}

const char *
http_req_tail(const struct http_req *r)
{
	return r->tail;
}

const char *
http_req_query(const struct http_req *r, const char *name)
{
	unsigned i;

	for (i = 0; i < r->n_args; i++)
		if (strcmp(r->args[i], name) == 0)
			return r->args[i] + strlen(r->args[i]) + 1;
	return NULL;
}

const char *
http_req_query_name(const struct http_req *r, unsigned i)
{
	return i < r->n_args ? r->args[i] : NULL;
}

const char *
http_req_query_value(const struct http_req *r, unsigned i)
{
	return i < r->n_args ? r->args[i] + strlen(r->args[i]) + 1 : NULL;
}

const char *
http_req_header(const struct http_req *cr, const char *name)
{
	struct http_req *r = (struct http_req *)cr;      /* only the cache of headers changes */
	unsigned i;

	for (i = 0; i < r->n_kept; i++)
		if (strcmp(r->kept[i].name, name) == 0)
			return r->kept[i].value;
	if (r->n_kept == HEADERS_KEPT)
		return NULL;
	r->kept[r->n_kept].name = xstrdup(name);
	r->kept[r->n_kept].value = header_dup(r->wsi, name);
	return r->kept[r->n_kept++].value;
}

const char *
http_req_peer(const struct http_req *r)
{
	return r->c->peer;
}

const char *
http_req_body(const struct http_req *r, size_t *len)
{
	*len = buf_size(&r->body);
	return *len > 0 ? r->body.p + r->body.off : "";
}

int
http_req_accepts_gzip(const struct http_req *r)
{
	const char *v = http_req_header(r, "accept-encoding"), *p = v;

	while (p != NULL && (p = strstr(p, "gzip")) != NULL) {
		p += 4;
		p += strspn(p, " ");
		if (*p != ';')
			return 1;
		p = strstr(p, "q=");
		return p != NULL && strtod(p + 2, NULL) > 0;
	}
	return 0;
}

/* ---- answering ---- */

static const char *
reason_phrase(int status)
{
	switch (status) {
	case 101: return "Switching Protocols";
	case 200: return "OK";
	case 201: return "Created";
	case 202: return "Accepted";
	case 204: return "No Content";
	case 303: return "See Other";
	case 304: return "Not Modified";
	case 307: return "Temporary Redirect";
	case 400: return "Bad Request";
	case 401: return "Unauthorized";
	case 403: return "Forbidden";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 409: return "Conflict";
	case 411: return "Length Required";
	case 413: return "Content Too Large";
	case 415: return "Unsupported Media Type";
	case 426: return "Upgrade Required";
	case 429: return "Too Many Requests";
	case 431: return "Request Header Fields Too Large";
	case 500: return "Internal Server Error";
	case 501: return "Not Implemented";
	case 503: return "Service Unavailable";
	default: return "Status";
	}
}

static void
put_date(struct buf *b)
{
	static char text[64];
	static time_t of;
	time_t now = time(NULL);
	struct tm tm;

	if (now != of) {
		gmtime_r(&now, &tm);
		strftime(text, sizeof(text), "date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
		of = now;
	}
	(void)buf_appends(b, text);
}

/* Bytes that would end a header line are left out. */
static void
put_header(struct buf *b, const char *name, const char *value)
{
	(void)buf_appends(b, name);
	(void)buf_appends(b, ": ");
	for (; *value != '\0'; value++)
		if ((unsigned char)*value >= ' ' && *value != 0x7f)
			(void)buf_append(b, value, 1);
	(void)buf_appends(b, "\r\n");
}

void
http_reply_header(struct http_req *r, const char *name, const char *value)
{
	put_header(&r->extra, name, value);
}

static void
put_head(struct http_req *r, int status, const char *type, long long length, const char *encoding)
{
	const char *const *p;

	(void)buf_printf(&r->out, "HTTP/1.1 %d %s\r\n", status, reason_phrase(status));
	put_date(&r->out);
	if (type != NULL)
		put_header(&r->out, "content-type", type);
	if (encoding != NULL)
		put_header(&r->out, "content-encoding", encoding);
	if (length >= 0 && status != 204 && status != 304)
		(void)buf_printf(&r->out, "content-length: %lld\r\n", length);
	if (r->chunked)
		(void)buf_appends(&r->out, "transfer-encoding: chunked\r\n");
	if (r->close_after)
		(void)buf_appends(&r->out, "connection: close\r\n");
	for (p = r->c->h->headers; p != NULL && p[0] != NULL && p[1] != NULL; p += 2)
		put_header(&r->out, p[0], p[1]);
	if (buf_size(&r->extra) > 0)
		(void)buf_append(&r->out, buf_data(&r->extra), buf_size(&r->extra));
	(void)buf_appends(&r->out, "\r\n");
}

/* There is something to write.  Reading stays off while we answer: what is pipelined behind waits in the socket. */
static void
ask(struct http_req *r)
{
	if (r->state == READING || r->asked || r->c->req != r)
		return;          /* run_handler asks once the handler is done; an upgrade's refusal is written at once */
	r->asked = 1;
	if (!r->c->killed)
		lws_set_timeout(r->wsi, PENDING_TIMEOUT_USER_REASON_BASE, HTTP_STALL_S);
	lws_rx_flow_control(r->wsi, 1);
	lws_callback_on_writable(r->wsi);
}

static void
answered(struct http_req *r)
{
	enum state was = r->state;

	assert(was != STREAMING && was != ENDING);
	r->ended = 1;
	r->state = ENDING;
	if (was == DEFERRED) {
		r->closed = NULL;
		http_watch(r->c, 0);
		ask(r);
	}
}

int
http_gzip(const char *data, size_t len, struct buf *out)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)len };
	size_t bound;
	char *to;
	int rc;

	if (len > 1u << 30 || deflateInit2(&z, GZIP_LEVEL, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return -1;
	bound = deflateBound(&z, (uLong)len);
	if ((to = buf_reserve(out, bound)) == NULL) {
		deflateEnd(&z);
		return -1;
	}
	z.next_out = (Bytef *)to;
	z.avail_out = (uInt)bound;
	rc = deflate(&z, Z_FINISH);
	buf_added(out, rc == Z_STREAM_END ? z.total_out : 0);
	deflateEnd(&z);
	return rc == Z_STREAM_END ? 0 : -1;
}

static int
compressible(const char *type)
{
	return type != NULL && (strncmp(type, "text/", 5) == 0 || strstr(type, "json") != NULL || strstr(type, "javascript") != NULL ||
	    strstr(type, "xml") != NULL);
}

void
http_req_serve_bytes(struct http_req *r, int status, const char *type, const char *encoding, const char *data, size_t len)
{
	assert(len <= OUT_MAX / 2);
	put_head(r, status, type, (long long)len, encoding);
	if (!r->is_head && status != 204 && status != 304 && len > 0)
		(void)buf_append(&r->out, data, len);
	answered(r);
}

void
http_reply(struct http_req *r, int status, const char *type, const char *body, size_t len)
{
	struct buf zipped = BUF_INIT(len);
	const char *encoding = NULL;

	if (compressible(type) && len >= GZIP_MIN) {
		http_reply_header(r, "vary", "accept-encoding");
		/* zlib needs room for its worst case, so a little over len is tried and kept only when smaller */
		zipped.max = len + 1024 + len / 100;
		if (http_req_accepts_gzip(r) && http_gzip(body, len, &zipped) == 0 && buf_size(&zipped) < len) {
			encoding = "gzip";
			body = buf_data(&zipped);
			len = buf_size(&zipped);
		}
	}
	http_req_serve_bytes(r, status, type, encoding, body, len);
	buf_fini(&zipped);
}

void
http_reply_error(struct http_req *r, int status, const char *code, const char *fmt, ...)
{
	struct buf b = BUF_INIT(HEAD_MAX);
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)buf_appends(&b, "{\"error\":");
	(void)buf_append_json(&b, text, strlen(text));
	(void)buf_appends(&b, ",\"code\":");
	(void)buf_append_json(&b, code, strlen(code));
	(void)buf_appends(&b, "}\n");
	http_reply(r, status, "application/json", buf_size(&b) > 0 ? buf_data(&b) : "", buf_size(&b));
	buf_fini(&b);
}

void
http_req_serve_file(struct http_req *r, int status, const char *type, const char *encoding, int fd, size_t size)
{
	put_head(r, status, type, (long long)size, encoding);
	if (r->is_head)
		close(fd);
	else {
		r->file = fd;
		r->file_left = size;
	}
	answered(r);
}

void
http_defer(struct http_req *r, void (*gone)(void *priv), void *priv)
{
	assert(r->state == HANDLING);
	r->state = DEFERRED;
	r->closed = gone;
	r->priv = priv;
	lws_set_timeout(r->wsi, NO_PENDING_TIMEOUT, 0);
	lws_rx_flow_control(r->wsi, 0);
	http_watch(r->c, 1);
}

void
http_stream(struct http_req *r, int status, const char *type, void (*more)(void *priv, struct http_req *), void (*closed)(void *priv), void *priv)
{
	assert(r->state == HANDLING || r->state == DEFERRED);
	if (r->http10)
		r->close_after = 1;
	else
		r->chunked = !r->is_head;
	put_head(r, status, type, -1, NULL);
	r->more = more;
	r->closed = closed;
	r->priv = priv;
	r->ended = r->is_head;
	r->state = r->is_head ? ENDING : STREAMING;
	http_watch(r->c, 1);
	ask(r);
}

void
http_stream_write(struct http_req *r, const char *data, size_t len)
{
	if (len == 0 || r->ended || r->state != STREAMING)
		return;
	if (r->chunked)
		(void)buf_printf(&r->out, "%zx\r\n", len);
	(void)buf_append(&r->out, data, len);
	if (r->chunked)
		(void)buf_append(&r->out, "\r\n", 2);
	if (!r->in_more)
		ask(r);
}

void
http_stream_wake(struct http_req *r)
{
	if (r->state == STREAMING && !r->in_more)
		ask(r);
}

void
http_stream_end(struct http_req *r)
{
	if (r->ended || r->state != STREAMING)
		return;
	r->ended = 1;
	if (r->chunked)
		(void)buf_appends(&r->out, "0\r\n\r\n");
	if (!r->in_more)
		ask(r);
}

static void
fill_from_file(struct http_req *r)
{
	size_t want = r->file_left < HTTP_CHUNK ? r->file_left : HTTP_CHUNK;
	ssize_t n;

	if (r->file < 0 || buf_size(&r->out) >= HTTP_CHUNK)
		return;
	n = read(r->file, buf_reserve(&r->out, want), want);
	if (n <= 0) {            /* the file has shrunk: cut the connection rather than send something else */
		r->close_after = 1;
		r->file_left = 0;
	} else {
		buf_added(&r->out, (size_t)n);
		r->file_left -= (size_t)n;
	}
	if (r->file_left == 0) {
		close(r->file);
		r->file = -1;
	}
}

/* The answer is written: on to the next request, or close. */
static int
complete(struct http_req *r)
{
	struct http_conn *c = r->c;
	int close_after = r->close_after || c->h->draining;

	http_watch(c, 0);
	http_req_gone(c);
	return close_after || lws_http_transaction_completed(c->wsi) ? -1 : 0;
}

static int
on_writeable(struct http_req *r)
{
	size_t n;

	r->asked = 0;
	fill_from_file(r);
	if (r->state == STREAMING && !r->ended && buf_size(&r->out) < HTTP_CHUNK) {
		r->in_more = 1;
		r->more(r->priv, r);
		r->in_more = 0;
	}
	n = buf_size(&r->out);
	if (n > 0) {
		n = n > HTTP_CHUNK ? HTTP_CHUNK : n;
		if (lws_write(r->wsi, (unsigned char *)buf_data(&r->out), n, LWS_WRITE_HTTP) < (int)n)
			return -1;
		buf_consume(&r->out, n);
		if (buf_size(&r->out) == 0 && r->file < 0 && r->ended)
			return complete(r);
		ask(r);
		return 0;
	}
	if (r->ended && r->file < 0)
		return complete(r);
	lws_set_timeout(r->wsi, NO_PENDING_TIMEOUT, 0);  /* a stream with nothing to say */
	lws_rx_flow_control(r->wsi, 0);
	return 0;
}

/* ---- taking requests ---- */

static void
run_handler(struct http_req *r)
{
	struct http *h = r->c->h;
	const struct http_route *route = http_find_route(h, r->method, r->route_path, 0);

	r->state = HANDLING;
	if (route != NULL) {
		r->tail = r->route_path + route->len;
		route->f(route->priv, r);
		assert(r->state != HANDLING);    /* each handler answers, streams or defers */
	} else if ((route = http_find_route(h, NULL, r->route_path, 0)) != NULL) {
		http_reply_header(r, "allow", route->methods);
		http_reply_error(r, 405, "method_not_allowed", "%s is not possible here, only %s", r->method, route->methods);
	} else if (http_find_route(h, NULL, r->route_path, 1) != NULL) {
		http_reply_header(r, "upgrade", "websocket");
		http_reply_error(r, 426, "upgrade_required", "this path speaks WebSocket only");
	} else if (h->files != NULL)
		http_static_serve(h->files, r);
	else
		http_reply_error(r, 404, "not_found", "there is nothing at %s", r->path);
	if (r->state == ENDING)
		ask(r);
}

/* A refusal before the body was read: what follows on the connection cannot be trusted to be a request. */
static void __attribute__((format(printf, 4, 5)))
refuse(struct http_req *r, int status, const char *code, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->close_after = 1;
	r->state = HANDLING;
	http_reply_error(r, status, code, "%s", text);
	ask(r);
}

static int
repeated(struct http_req *r, enum lws_token_indexes token)
{
	return lws_hdr_fragment_length(r->wsi, token, 0) > 0 && lws_hdr_fragment_length(r->wsi, token, 1) > 0;
}

/* What lws lets pass although RFC 9112 forbids it, as far as it can still be seen here.  Returns 0 and *length (-1: none), or answers. */
static int
check_framing(struct http_req *r, long long *length)
{
	char version[16];
	char *cl = token_dup(r->wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH), *te = token_dup(r->wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING), *end = NULL;
	int bad = 0;

	*length = -1;
	if (cl != NULL) {
		*length = strtoll(cl, &end, 10);
		bad = cl[strspn(cl, "0123456789")] != '\0' || strlen(cl) > 15 || repeated(r, WSI_TOKEN_HTTP_CONTENT_LENGTH);
	}
	if (lws_hdr_copy(r->wsi, version, sizeof(version), WSI_TOKEN_HTTP) <= 0 ||
	    (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0))
		refuse(r, 400, "bad_request", "the HTTP version is neither 1.1 nor 1.0");
	else if (r->method[0] == '\0')
		refuse(r, 501, "bad_method", "that method is not known here");
	else if (bad || (cl != NULL && te != NULL))
		refuse(r, 400, "bad_request", "the length of the body is not clear");
	else if (te != NULL)
		refuse(r, 411, "length_required", "send the body with a Content-Length");
	else if (repeated(r, WSI_TOKEN_HOST) || (!r->http10 && lws_hdr_total_length(r->wsi, WSI_TOKEN_HOST) <= 0))
		refuse(r, 400, "bad_request", "exactly one Host header is needed");
	else if (lws_hdr_custom_length(r->wsi, "host :", 6) >= 0 || lws_hdr_custom_length(r->wsi, "content-length :", 16) >= 0 ||
	    lws_hdr_custom_length(r->wsi, "transfer-encoding :", 19) >= 0)
		refuse(r, 400, "bad_request", "a header's name ends in a blank");
	else if (*length > (long long)r->c->h->max_body)
		refuse(r, 413, "too_large", "the body may have %zu bytes at the most", r->c->h->max_body);
	free(cl);
	free(te);
	return r->state == READING ? 0 : -1;
}

static int
wants_body(const char *method)
{
	return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0;
}

static int
on_request(struct http_conn *c)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct http_req *r;
	long long length;

	if (c->req != NULL)
		return -1;
	r = c->req = req_new(c);
	if (check_framing(r, &length) != 0)
		return 0;
	if (length > 0 || (length == 0 && strcmp(r->method, "POST") == 0)) {
		const char *expect = http_req_header(r, "expect");

		if (expect != NULL && strcasecmp(expect, "100-continue") == 0 &&
		    lws_write(r->wsi, (unsigned char *)(uintptr_t)go_on, sizeof(go_on) - 1, LWS_WRITE_HTTP) < 0)
			return -1;
		return 0;                /* HTTP_BODY_COMPLETION follows */
	}
	if (length < 0 && wants_body(r->method)) {
		refuse(r, 411, "length_required", "send the body with a Content-Length");
		return 0;
	}
	run_handler(r);
	return 0;
}

int
http_req_callback(struct http_conn *c, enum lws_callback_reasons reason, void *in, size_t len)
{
	struct http_req *r = c->req;

	if (c->probed && reason == LWS_CALLBACK_HTTP_WRITEABLE && r != NULL && !r->asked) {
		log_debug("cutting off %s, which sends requests behind a waiting one", c->peer);
		return -1;
	}
	if (c->killed)           /* answering would put off the timeout that ends it */
		return -1;
	switch (reason) {
	case LWS_CALLBACK_HTTP:
		return on_request(c);
	case LWS_CALLBACK_HTTP_BODY:
		if (r == NULL || r->state != READING)
			return 0;        /* refused: the answer goes out, the body does not come in */
		return len > 0 ? buf_append(&r->body, in, len) : 0;
	case LWS_CALLBACK_HTTP_BODY_COMPLETION:
		if (r != NULL && r->state == READING)
			run_handler(r);
		return 0;
	case LWS_CALLBACK_HTTP_WRITEABLE:
		return r != NULL && r->state != READING ? on_writeable(r) : 0;
	default:
		return 0;
	}
}

/* ---- WebSocket upgrades ---- */

static const char *
refusal_text(int status)
{
	switch (status) {
	case 401: return "authentication is needed";
	case 403: return "access refused";
	case 503: return "not ready, try again later";
	default: return "the connection is refused";
	}
}

static int
check_upgrade(struct http_req *r, const struct http_route *route)
{
	const char *upgrade = http_req_header(r, "upgrade"), *version = http_req_header(r, "sec-websocket-version");
	const char *key = http_req_header(r, "sec-websocket-key");
	long long length;

	if (check_framing(r, &length) != 0)
		return -1;
	if (upgrade == NULL || strcasecmp(upgrade, "websocket") != 0 || strcmp(r->method, "GET") != 0 || length > 0)
		refuse(r, 400, "bad_upgrade", "only a GET may be upgraded, and only to websocket; ask again without Upgrade");
	else if (route == NULL)
		refuse(r, 404, "not_found", "there is no WebSocket at %s", r->path);
	else if (version == NULL || strcmp(version, "13") != 0) {
		http_reply_header(r, "sec-websocket-version", "13");
		refuse(r, 426, "bad_upgrade", "only version 13 of WebSocket is spoken here");
	} else if (key == NULL || strlen(key) != 24)
		refuse(r, 400, "bad_upgrade", "Sec-WebSocket-Key is not 16 bytes of base64");
	else if (http_req_header(r, "sec-websocket-protocol") != NULL)
		refuse(r, 400, "bad_upgrade", "no WebSocket subprotocols are spoken here");
	else if (r->c->h->draining)
		refuse(r, 503, "stopping", "the server is stopping");
	return r->state == READING ? 0 : -1;
}

int
http_req_upgrade(struct http_conn *c)
{
	const struct http_route *route;
	struct http_req *r;
	void *conn_priv = NULL;
	int status = 0;

	/* After answering 403 to an unknown Upgrade lws calls with the headers gone. */
	if (lws_hdr_total_length(c->wsi, WSI_TOKEN_UPGRADE) <= 0 || c->req != NULL || c->ws != NULL)
		return -1;
	r = req_new(c);
	route = http_find_route(c->h, NULL, r->route_path, 1);
	if (check_upgrade(r, route) == 0) {
		r->close_after = 1;
		r->state = HANDLING;
		status = route->ws->on_upgrade != NULL ? route->ws->on_upgrade(route->priv, r, &conn_priv) : 0;
		if (status != 0 && r->state == HANDLING)
			http_reply_error(r, status, status == 401 ? "unauthorized" : status == 403 ? "forbidden" : "refused", "%s", refusal_text(status));
	}
	if (r->state == HANDLING)
		http_ws_accept(c, route->ws, conn_priv);
	else
		(void)lws_write(c->wsi, (unsigned char *)buf_data(&r->out), buf_size(&r->out), LWS_WRITE_HTTP);
	status = r->state == HANDLING ? 0 : -1;
	req_free(r);
	return status;
}
