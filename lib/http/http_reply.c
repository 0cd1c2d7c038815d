/* Replies.
 *
 * They are composed here byte for byte and written raw: the connection is always HTTP/1 (alpn), and lws's own helpers answer 1.0 and know no chunks. */
#include "http/http.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "http/http_int.h"

#define GZIP_MIN 860                     /* below, the packet is not smaller */
#define GZIP_LEVEL 5

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
	size_t n;

	(void)buf_appends(b, name);
	(void)buf_appends(b, ": ");
	while (*value != '\0') {
		for (n = 0; (unsigned char)value[n] >= ' ' && value[n] != 0x7f; n++)
			;
		(void)buf_append(b, value, n);
		value += n + (value[n] != '\0');
	}
	(void)buf_append(b, "\r\n", 2);
}

void
http_reply_header(struct http_req *r, const char *name, const char *value)
{
	put_header(&r->extra, name, value);
}

void
http_put_head(struct http_req *r, int status, const char *type, long long length, const char *encoding)
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
void
http_req_ask(struct http_req *r)
{
	if (r->state == HTTP_REQ_READING || r->asked || r->c->req != r)
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
	enum http_req_state was = r->state;

	assert(was != HTTP_REQ_STREAMING && was != HTTP_REQ_ENDING);
	r->ended = 1;
	r->state = HTTP_REQ_ENDING;
	if (was == HTTP_REQ_DEFERRED) {
		r->closed = NULL;
		http_watch(r->c, 0);
		http_req_ask(r);
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

int
http_compressible(const char *type)
{
	return type != NULL && (strncmp(type, "text/", 5) == 0 || strstr(type, "json") != NULL || strstr(type, "javascript") != NULL ||
	    strstr(type, "xml") != NULL);
}

void
http_req_serve_bytes(struct http_req *r, int status, const char *type, const char *encoding, const char *data, size_t len)
{
	assert(len <= HTTP_OUT_MAX / 2);
	http_put_head(r, status, type, (long long)len, encoding);
	if (!r->is_head && status != 204 && status != 304 && len > 0)
		(void)buf_append(&r->out, data, len);
	answered(r);
}

void
http_req_serve_body(struct http_req *r, struct http_body *body, int zip)
{
	struct buf *b = zip ? &body->zipped : &body->plain;

	http_put_head(r, 200, body->type, (long long)buf_size(b), zip ? "gzip" : NULL);
	if (!r->is_head && buf_size(b) > 0) {
		body->refs++;
		r->shared = body;
		r->shared_at = buf_data(b);
		r->shared_left = buf_size(b);
	}
	answered(r);
}

void
http_reply(struct http_req *r, int status, const char *type, const char *body, size_t len)
{
	struct buf zipped = BUF_INIT(len);
	const char *encoding = NULL;

	if (http_compressible(type) && len >= GZIP_MIN) {
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
	struct buf b = BUF_INIT(HTTP_HEAD_MAX);
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
	http_put_head(r, status, type, (long long)size, encoding);
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
	assert(r->state == HTTP_REQ_HANDLING);
	r->state = HTTP_REQ_DEFERRED;
	r->closed = gone;
	r->priv = priv;
	lws_set_timeout(r->wsi, NO_PENDING_TIMEOUT, 0);
	lws_rx_flow_control(r->wsi, 0);
	http_watch(r->c, 1);
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
send_shared(struct http_req *r)
{
	size_t n = r->shared_left > HTTP_CHUNK ? HTTP_CHUNK : r->shared_left;

	if (lws_write(r->wsi, (unsigned char *)(uintptr_t)r->shared_at, n, LWS_WRITE_HTTP) < (int)n)
		return -1;
	r->shared_at += n;
	r->shared_left -= n;
	return 0;
}

int
http_req_on_writeable(struct http_req *r)
{
	int progress;
	size_t n;

	r->asked = 0;
	fill_from_file(r);
	progress = http_stream_fill(r);
	if (r->c->killed)
		return -1;
	n = buf_size(&r->out);
	if (n > 0) {
		n = n > HTTP_CHUNK ? HTTP_CHUNK : n;
		if (lws_write(r->wsi, (unsigned char *)buf_data(&r->out), n, LWS_WRITE_HTTP) < (int)n)
			return -1;
		buf_consume(&r->out, n);
	}
	if (buf_size(&r->out) == 0 && r->shared_left > 0 && !lws_partial_buffered(r->wsi)) {
		if (send_shared(r) == -1)
			return -1;
		n = 1;
	}
	if (n > 0) {
		if (buf_size(&r->out) == 0 && r->file < 0 && r->shared_left == 0 && r->ended)
			return complete(r);
		http_req_ask(r);
		return 0;
	}
	if (r->ended && r->file < 0)
		return complete(r);
	if (progress) {          /* swallowed by the compression */
		http_req_ask(r);
		return 0;
	}
	lws_set_timeout(r->wsi, NO_PENDING_TIMEOUT, 0);  /* a stream with nothing to say */
	lws_rx_flow_control(r->wsi, 0);
	return 0;
}
