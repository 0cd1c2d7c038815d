/* Requests: what lws has parsed, handed to the handlers. */
#include "http/http.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "http/http_int.h"
#include "log/log.h"
#include "mem/mem.h"

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

char *
http_token_dup(struct lws *wsi, enum lws_token_indexes token)
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
			return http_token_dup(wsi, (enum lws_token_indexes)i);
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
		if (strcmp(s, "/") == 0) {       /* what lws makes of a "?" or "&" with nothing behind it */
			free(s);
			continue;
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
	r->tail = xstrdup("");
	r->http10 = lws_hdr_copy(c->wsi, version, sizeof(version), WSI_TOKEN_HTTP) <= 0 || strcmp(version, "HTTP/1.1") != 0;
	buf_init(&r->body, c->h->max_body);
	buf_init(&r->extra, HTTP_HEAD_MAX);
	buf_init(&r->out, HTTP_OUT_MAX);
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
	free(r->tail);
	free(r->path);
	http_stream_free_zip(r);
	http_body_drop(&r->shared);
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
	if (r->closed != NULL && (r->state == HTTP_REQ_DEFERRED || r->more != NULL))
		r->closed(r->priv);
	req_free(r);
}

/* An answer that is waited for keeps lws from reading.  When it holds pipelined requests already, it polls for writing all the same, and without rest,
 * but does not call: until it may read again. */
void
http_req_probe(struct http_conn *c, int on)
{
	if (on ? c->req == NULL || c->req->asked || c->req->state < HTTP_REQ_DEFERRED : !c->probed)
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
	if (r->n_kept == HTTP_HEADERS_KEPT)
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

void
http_req_note(struct http_req *r, const void *note, size_t len)
{
	assert(len <= sizeof(r->note));
	memcpy(r->note.bytes, note, len);
	r->noted = 1;
}

const void *
http_req_noted(const struct http_req *r)
{
	return r->noted ? r->note.bytes : NULL;
}

/* ---- taking requests ---- */

static void
refuse_method(struct http_req *r)
{
	struct buf allowed = BUF_INIT(HTTP_HEAD_MAX);

	http_allowed(r->c->h, r->route_path, &allowed);
	http_reply_header(r, "allow", buf_data(&allowed));
	http_reply_error(r, 405, "method_not_allowed", "%s is not possible here, only %s", r->method, buf_data(&allowed));
	buf_fini(&allowed);
}

static void
run_handler(struct http_req *r)
{
	struct http *h = r->c->h;
	const struct http_route *route = http_find_route(h, r->method, r->route_path, 0);

	r->state = HTTP_REQ_HANDLING;
	if (h->guard != NULL && h->guard(h->guard_priv, r, 0) != 0)
		assert(r->state != HTTP_REQ_HANDLING);
	else if (http_check_text(r) != 0)
		;
	else if (route != NULL) {
		free(r->tail);
		r->tail = http_route_tail(route, r->route_path);
		route->f(route->priv, r);
		assert(r->state != HTTP_REQ_HANDLING);    /* each handler answers, streams or defers */
	} else if (http_find_route(h, NULL, r->route_path, 0) != NULL)
		refuse_method(r);
	else if (http_find_route(h, NULL, r->route_path, 1) != NULL) {
		http_reply_header(r, "upgrade", "websocket");
		http_reply_error(r, 426, "upgrade_required", "this path speaks WebSocket only");
	} else if (h->files != NULL)
		http_static_serve(h->files, r);
	else
		http_reply_error(r, 404, "not_found", "there is nothing at %s", r->path);
	if (r->state == HTTP_REQ_ENDING)
		http_req_ask(r);
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
	if (http_check_framing(r, &length) != 0)
		return 0;
	if (length > 0 || (length == 0 && strcmp(r->method, "POST") == 0)) {
		const char *expect = http_req_header(r, "expect");

		r->body_by_ms = c->h->now_ms + 1000 * (HTTP_BODY_S + length / HTTP_CHUNK);
		if (expect != NULL && strcasecmp(expect, "100-continue") == 0 &&
		    lws_write(r->wsi, (unsigned char *)(uintptr_t)go_on, sizeof(go_on) - 1, LWS_WRITE_HTTP) < 0)
			return -1;
		return 0;                /* HTTP_BODY_COMPLETION follows */
	}
	if (length < 0 && wants_body(r->method)) {
		http_refuse(r, 411, "length_required", "send the body with a Content-Length");
		return 0;
	}
	run_handler(r);
	return 0;
}

/* lws waits anew after each byte. */
void
http_req_second(struct http *h)
{
	struct http_conn *c;

	TAILQ_FOREACH(c, &h->conns, link)
		if (c->req != NULL && c->req->state == HTTP_REQ_READING && h->now_ms >= c->req->body_by_ms)
			http_refuse(c->req, 408, "request_timeout", "the body of the request does not come");
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
		if (r == NULL || r->state != HTTP_REQ_READING)
			return 0;        /* refused: the answer goes out, the body does not come in */
		return len > 0 ? buf_append(&r->body, in, len) : 0;
	case LWS_CALLBACK_HTTP_BODY_COMPLETION:
		if (r != NULL && r->state == HTTP_REQ_READING)
			run_handler(r);
		return 0;
	case LWS_CALLBACK_HTTP_WRITEABLE:
		return r != NULL && r->state != HTTP_REQ_READING ? http_req_on_writeable(r) : 0;
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
	if (http_check_upgrade(r, route) == 0) {
		r->close_after = 1;
		r->state = HTTP_REQ_HANDLING;
		status = c->h->guard != NULL ? c->h->guard(c->h->guard_priv, r, 1) : 0;
		if (status == 0 && route->ws->on_upgrade != NULL)
			status = route->ws->on_upgrade(route->priv, r, &conn_priv);
		if (status != 0 && r->state == HTTP_REQ_HANDLING)
			http_reply_error(r, status, status == 401 ? "unauthorized" : status == 403 ? "forbidden" : "refused", "%s", refusal_text(status));
	}
	if (r->state == HTTP_REQ_HANDLING)
		http_ws_accept(c, route->ws, conn_priv);
	else
		(void)lws_write(c->wsi, (unsigned char *)buf_data(&r->out), buf_size(&r->out), LWS_WRITE_HTTP);
	status = r->state == HTTP_REQ_HANDLING ? 0 : -1;
	req_free(r);
	return status;
}
