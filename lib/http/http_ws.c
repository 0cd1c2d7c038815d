/* WebSockets, accepted and made.
 *
 * Outgoing messages are framed into one queue and written raw, many at a time: 50 to 100 times as many a second as one lws_write each.
 * lws buffers what the kernel does not take and sends its own pongs and closes behind it, so each write must be of whole frames. */
#include "http/http.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/http_int.h"
#include "log/log.h"
#include "mem/mem.h"

#define QUEUE_MAX (1u << 20)
#define KEEP_RX (16u << 10)              /* a buffer over this is given back when it is empty: sixty inventories at login would stay */
#define FRAGMENTS_MAX 65536              /* of one message */
#define CLOSE_S 5                        /* how long a close may take to get out */
#define CLIENT_CLOSE_S 60                /* a client waits: its server may have much left to read before it */
#define HEADER_MAX 14                    /* of a frame, with its mask */

struct http_ws {
	struct http *h;
	struct http_conn *c;
	const struct http_ws_handler *handler;
	void *priv;
	struct buf in, out;
	int client, open, gone, asked, want, writing, paused;
	int binary;
	unsigned fragments;              /* of this message, so far */
	int skipping;                    /* the rest of a message that was too long */
	int closing, peer_code;          /* codes, 0: not */
	char reason[124];
	char *const *headers;            /* of a client, until they are sent */
	uint32_t pinged, ponged;         /* our pings are numbered: lws sends some of its own */
	int64_t valid_ms;
	TAILQ_ENTRY(http_ws) link;
};

static struct http_ws *
ws_new(struct http_conn *c, const struct http_ws_handler *handler, void *priv, int client)
{
	struct http_ws *ws = xcalloc(1, sizeof(*ws));

	*ws = (struct http_ws){ .h = c->h, .c = c, .handler = handler, .priv = priv, .client = client };
	buf_init(&ws->in, handler->max_message);
	buf_init(&ws->out, QUEUE_MAX);
	c->ws = ws;
	return ws;
}

static void
free_headers(struct http_ws *ws)
{
	char *const *p;

	for (p = ws->headers; p != NULL && *p != NULL; p++)
		free(*p);
	free((void *)(uintptr_t)ws->headers);
	ws->headers = NULL;
}

static void
ws_free(struct http_ws *ws)
{
	buf_fini(&ws->in);
	buf_fini(&ws->out);
	free_headers(ws);
	free(ws);
}

struct http_ws *
http_ws_accept(struct http_conn *c, const struct http_ws_handler *handler, void *priv)
{
	return ws_new(c, handler, priv, 0);
}

/* ---- the end ---- */

void
http_ws_gone(struct http_conn *c)
{
	struct http_ws *ws = c->ws;

	if (ws == NULL)
		return;
	c->ws = NULL;
	ws->c = NULL;
	if (ws->client && !ws->open) {           /* we may be inside http_ws_connect: tell it at the next turn */
		TAILQ_INSERT_TAIL(&ws->h->failed, ws, link);
		lws_cancel_service(ws->h->cx);
		return;
	}
	if (ws->handler->on_close != NULL)
		ws->handler->on_close(ws->priv, ws->open ? ws : NULL, ws->closing ? ws->closing : ws->peer_code ? ws->peer_code : 1006);
	ws_free(ws);
	lws_cancel_service(c->h->cx);            /* timeouts strike inside a wait: what the handler began should not wait too */
}

void
http_ws_tell_failed(struct http *h)
{
	struct http_ws *ws;

	while ((ws = TAILQ_FIRST(&h->failed)) != NULL) {
		TAILQ_REMOVE(&h->failed, ws, link);
		if (ws->handler->on_close != NULL)
			ws->handler->on_close(ws->priv, NULL, 0);
		ws_free(ws);
	}
}

static void
ask(struct http_ws *ws)
{
	if (ws->asked || !ws->open || ws->c == NULL)
		return;
	ws->asked = 1;
	lws_callback_on_writable(ws->c->wsi);
}

void
http_ws_close(struct http_ws *ws, int code, const char *reason)
{
	if (ws->closing || ws->c == NULL)
		return;
	ws->closing = code;
	snprintf(ws->reason, sizeof(ws->reason), "%s", reason != NULL ? reason : "");
	http_ws_pause(ws, 0);
	if (ws->open)
		lws_set_timeout(ws->c->wsi, PENDING_TIMEOUT_USER_REASON_BASE, ws->client ? CLIENT_CLOSE_S : CLOSE_S);
	ask(ws);
}

void
http_ws_kill(struct http_ws *ws)
{
	if (ws->c != NULL)
		http_kill(ws->c);
}

static int
close_now(struct http_ws *ws)
{
	lws_close_reason(ws->c->wsi, (enum lws_close_status)ws->closing, (unsigned char *)ws->reason, strlen(ws->reason));
	return -1;
}

void
http_ws_shutdown(struct http *h)
{
	struct http_conn *c;

	TAILQ_FOREACH(c, &h->conns, link)
		if (c->ws != NULL)
			http_ws_close(c->ws, 1001, "the server is stopping");
}

/* ---- receiving ---- */

/* The close goes out by on_writeable: to leave from within reading costs it when more is there to be read, which has then to be skipped. */
static int
too_long(struct http_ws *ws)
{
	buf_fini(&ws->in);
	ws->skipping = 1;
	http_ws_close(ws, 1009, "message too long");
	return 0;
}

/* Any traffic shows that the peer lives; lws itself believes pongs only.  Not for each message: it sorts a timer into a list. */
static void
confirm(struct http_ws *ws)
{
	if (ws->h->now_ms - ws->valid_ms < 1000)
		return;
	ws->valid_ms = ws->h->now_ms;
	lws_validity_confirmed(ws->c->wsi);
}

static int
deliver(struct http_ws *ws, const char *data, size_t len)
{
	ws->handler->on_message(ws->priv, ws, len > 0 ? data : "", len, ws->binary);
	return 0;
}

static int
on_receive(struct http_ws *ws, const char *data, size_t len)
{
	struct lws *wsi = ws->c->wsi;
	size_t rest = lws_remaining_packet_payload(wsi);
	int last = lws_is_final_fragment(wsi) && rest == 0;

	confirm(ws);
	if (ws->closing || ws->skipping)
		return 0;
	if (lws_is_first_fragment(wsi)) {
		ws->binary = lws_frame_is_binary(wsi);
		ws->fragments = 0;
		buf_clear(&ws->in);
	}
	if (rest > ws->in.max || len > ws->in.max - rest || buf_size(&ws->in) > ws->in.max - rest - len)
		return too_long(ws);
	ws->fragments += rest == 0;
	if (ws->fragments > FRAGMENTS_MAX)
		return too_long(ws);
	if (last && buf_size(&ws->in) == 0)
		return deliver(ws, data, len);
	if (len > 0 && buf_append(&ws->in, data, len) != 0)
		return too_long(ws);
	if (!last)
		return 0;
	deliver(ws, buf_size(&ws->in) > 0 ? buf_data(&ws->in) : "", buf_size(&ws->in));
	if (ws->in.cap > KEEP_RX)
		buf_fini(&ws->in);
	else
		buf_clear(&ws->in);
	return 0;
}

/* ---- sending ---- */

int
http_ws_send(struct http_ws *ws, const char *data, size_t len)
{
	char *to;
	size_t n;

	if (ws->closing || ws->c == NULL || !ws->open)
		return -1;
	/* A message larger than the queue's maximum may still go when nothing waits. */
	if (buf_size(&ws->out) > 0 && (len > ws->out.max || buf_size(&ws->out) > ws->out.max - len))
		return -1;
	if (buf_size(&ws->out) + len + HEADER_MAX > ws->out.max) {
		size_t max = ws->out.max;

		ws->out.max = buf_size(&ws->out) + len + HEADER_MAX;
		to = buf_reserve(&ws->out, len + HEADER_MAX);
		ws->out.max = max;
	} else
		to = buf_reserve(&ws->out, len + HEADER_MAX);
	n = http_frame_put(to, data, len, ws->client);
	buf_added(&ws->out, n);
	ask(ws);
	return 0;
}

void
http_ws_queue_max(struct http_ws *ws, size_t max_queued)
{
	ws->out.max = max_queued;
}

size_t
http_ws_queued(const struct http_ws *ws)
{
	return buf_size(&ws->out);
}

void
http_ws_ping(struct http_ws *ws)
{
	assert(ws->client);
	if (ws->closing || ws->c == NULL || !ws->open)
		return;
	ws->pinged++;
	ws->out.max += HEADER_MAX;       /* it goes behind a full queue too */
	buf_added(&ws->out, http_frame_ping(buf_reserve(&ws->out, HEADER_MAX), &ws->pinged, sizeof(ws->pinged)));
	ws->out.max -= HEADER_MAX;
	ask(ws);
}

unsigned
http_ws_pings(const struct http_ws *ws)
{
	return ws->pinged - ws->ponged;
}

void
http_ws_want_write(struct http_ws *ws)
{
	ws->want = 1;
	ask(ws);
}

static int
write_raw(struct http_ws *ws, const char *frames, size_t len)
{
	/* LWS_WRITE_HTTP on a WebSocket goes straight to the socket; the bytes are not changed. */
	return lws_write(ws->c->wsi, (unsigned char *)(uintptr_t)frames, len, LWS_WRITE_HTTP) < (int)len ? -1 : 0;
}

int
http_ws_write_raw(struct http_ws *ws, const char *frames, size_t len)
{
	assert(ws->writing && !ws->gone && !ws->client);
	if (len == 0)
		return 1;
	if (write_raw(ws, frames, len) == 0)
		return !lws_partial_buffered(ws->c->wsi);
	ws->gone = 1;
	return -1;
}

static int
write_queue(struct http_ws *ws)
{
	const char *p = buf_data(&ws->out);
	size_t size = buf_size(&ws->out), n = http_ws_frame_len(p), next;

	while (n < size && (next = n + http_ws_frame_len(p + n)) <= HTTP_TX)
		n = next;
	if (write_raw(ws, p, n) != 0)
		return -1;
	buf_consume(&ws->out, n);
	if (buf_size(&ws->out) == 0 && ws->out.cap > KEEP_RX)
		buf_fini(&ws->out);
	if (buf_size(&ws->out) > 0 || ws->want || ws->closing)
		ask(ws);
	return 0;
}

static int
on_writeable(struct http_ws *ws)
{
	ws->asked = 0;
	if (buf_size(&ws->out) > 0)
		return write_queue(ws);
	if (ws->closing)
		return close_now(ws);
	if (!ws->want || ws->handler->on_writable == NULL)
		return 0;
	ws->want = 0;
	ws->writing = 1;
	ws->handler->on_writable(ws->priv, ws);
	ws->writing = 0;
	return ws->gone ? -1 : 0;
}

void
http_ws_pause(struct http_ws *ws, int on)
{
	if (ws->paused == on || ws->c == NULL || (on && ws->closing))
		return;
	ws->paused = on;
	lws_rx_flow_control(ws->c->wsi, !on);
}

/* While we do not read we see no pong: the connection is valid until we read again (TCP_USER_TIMEOUT still finds dead hosts). */
void
http_ws_second(struct http *h)
{
	struct http_conn *c;

	TAILQ_FOREACH(c, &h->conns, link)
		if (c->ws != NULL && c->ws->paused && c->ws->open)
			lws_validity_confirmed(c->wsi);
}

const char *
http_ws_peer(const struct http_ws *ws)
{
	return ws->c != NULL ? ws->c->peer : "";
}

/* ---- events ---- */

static int
on_open(struct http_ws *ws)
{
	ws->open = 1;
	ws->valid_ms = ws->h->now_ms;
	free_headers(ws);
	if (ws->handler->on_open != NULL)
		ws->handler->on_open(ws->priv, ws);
	if (ws->closing || ws->want)
		ask(ws);
	return 0;
}

static int
append_headers(struct http_ws *ws, unsigned char **p, size_t room)
{
	unsigned char *end = *p + room;
	char *const *h;
	char name[128];

	for (h = ws->headers; h != NULL && h[0] != NULL && h[1] != NULL; h += 2) {
		snprintf(name, sizeof(name), "%s:", h[0]);
		if (lws_add_http_header_by_name(ws->c->wsi, (unsigned char *)name, (unsigned char *)h[1], (int)strlen(h[1]), p, end) != 0)
			return -1;
	}
	return 0;
}

int
http_ws_callback(struct http_conn *c, enum lws_callback_reasons reason, void *in, size_t len)
{
	struct http_ws *ws = c->ws;
	const unsigned char *code = in;

	if (ws == NULL)
		return -1;
	switch (reason) {
	case LWS_CALLBACK_RECEIVE:
	case LWS_CALLBACK_CLIENT_RECEIVE:
		return on_receive(ws, in, len);
	case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
		if (len == sizeof(ws->ponged))
			memcpy(&ws->ponged, in, len);
		return 0;
	case LWS_CALLBACK_SERVER_WRITEABLE:
	case LWS_CALLBACK_CLIENT_WRITEABLE:
		return on_writeable(ws);
	case LWS_CALLBACK_ESTABLISHED:
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
		return on_open(ws);
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		ws->peer_code = len >= 2 ? code[0] << 8 | code[1] : 1005;
		return 0;
	case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
		return append_headers(ws, in, len);
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
		log_debug("unable to connect: %.*s", in != NULL ? (int)len : 0, in != NULL ? (const char *)in : "");
		http_ws_gone(c);
		return 0;
	default:
		return 0;
	}
}

/* ---- connecting ---- */

static char *const *
dup_headers(const char *const *headers)
{
	size_t n = 0, i;
	char **copy;

	while (headers != NULL && headers[n] != NULL)
		n++;
	copy = xcalloc(n + 1, sizeof(*copy));
	for (i = 0; i < n; i++)
		copy[i] = xstrdup(headers[i]);
	return copy;
}

void
http_ws_connect(struct http *h, const char *url, const char *const *headers, const struct http_ws_handler *handler, void *conn_priv)
{
	struct http_conn *c = http_conn_new(h, -1);
	struct lws_client_connect_info info = { .context = h->cx, .vhost = h->vh, .local_protocol_name = "http",
	    .ietf_version_or_minus_one = -1, .opaque_user_data = c, .pwsi = &c->wsi };
	struct http_url u;

	ws_new(c, handler, conn_priv, 1)->headers = dup_headers(headers);
	if (http_url_parse(url, &u) != 0) {
		log_warn("%s is no ws:// or ws+unix:// address", url);
		http_ws_gone(c);
		http_conn_free(c);
	} else {
		info.address = u.address;
		info.port = u.port;
		info.path = u.path;
		info.host = u.host;
		h->adopting = c;
		if (lws_client_connect_via_info(&info) == NULL && h->adopting != NULL) {
			http_ws_gone(c);
			http_conn_free(c);
		}
		h->adopting = NULL;
	}
	free(u.address);
	free(u.path);
}
