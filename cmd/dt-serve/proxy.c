#include "proxy.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "env/env.h"
#include "event/event.h"
#include "mem/mem.h"
#include "secret/secret.h"
#include "stat/stat.h"

#define QUEUE_HIGH (128u << 10)              /* waiting on one side: the other is not read from */
#define QUEUE_MAX (EVENT_MAX + (1u << 20))   /* what may still come after that: the message that is being read */

struct proxy {
	struct http *http;
	const struct nets *proxies;
	struct secret *admission;
	char *secret, *path, *url;
	int64_t n;
};

struct relay {
	struct proxy *proxy;
	struct http_ws *plugin, *door;   /* NULL: not open yet, or gone */
	int plugin_over, door_over;      /* its last callback has been */
	int code;                        /* how the plugin closed */
	char address[NET_ADDRESS_SIZE];  /* the plugin's, for dt-ingest's log */
};

static void
release(struct relay *r)
{
	if (!r->plugin_over || !r->door_over)
		return;
	stat_set(STAT_SERVE_PLUGINS, --r->proxy->n);
	free(r);
}

/* One side's message to the other.  It waits there; while much does, this side is not read from. */
static void
pass(struct http_ws *from, struct http_ws *to, const char *data, size_t len, const char *direction)
{
	if (to == NULL)
		return;
	(*stat_cell(STAT_SERVE_PROXIED, direction))++;
	if (http_ws_send(to, data, len) == -1) {
		http_ws_close(from, 1013, "the other side is too slow");
		return;
	}
	if (http_ws_queued(to) > QUEUE_HIGH) {
		http_ws_pause(from, 1);
		http_ws_want_write(to);
	}
}

/* 1005 and 1006 say that there was no code; they must not be sent. */
static int
code_to_send(int code, int otherwise)
{
	return code >= 1000 && code < 5000 && code != 1004 && code != 1005 && code != 1006 && code != 1015 ? code : otherwise;
}

/* ---- the side of dt-ingest ---- */

static void
on_door_open(void *priv, struct http_ws *ws)
{
	struct relay *r = priv;

	r->door = ws;
	http_ws_queue_max(ws, QUEUE_MAX);
	if (r->plugin != NULL)
		http_ws_pause(r->plugin, 0);
	else
		http_ws_close(ws, code_to_send(r->code, 1001), "");
}

static void
on_door_message(void *priv, struct http_ws *ws, const char *data, size_t len, int binary)
{
	struct relay *r = priv;

	(void)binary;
	pass(ws, r->plugin, data, len, "to_plugin");
}

static void
on_door_writable(void *priv, struct http_ws *ws)
{
	struct relay *r = priv;

	(void)ws;
	if (r->plugin != NULL)
		http_ws_pause(r->plugin, 0);
}

static void
on_door_close(void *priv, struct http_ws *ws, int code)
{
	struct relay *r = priv;

	r->door = NULL;
	r->door_over = 1;
	if (r->plugin != NULL)
		http_ws_close(r->plugin, code_to_send(code, ws == NULL ? 1013 : 1012), ws == NULL ? "dt-ingest is away" : "");
	release(r);
}

static const struct http_ws_handler door_handler = {
	.max_message = EVENT_MAX, .on_open = on_door_open, .on_message = on_door_message, .on_writable = on_door_writable, .on_close = on_door_close
};

/* ---- the side of the plugin ---- */

/* Only a refusal before the upgrade reaches the plugin as an HTTP status, so it is asked here whether anybody is at home. */
static int
is_away(const struct proxy *p)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), rc;

	if (fd == -1)
		return 1;
	strncpy(sa.sun_path, p->path, sizeof(sa.sun_path) - 1);
	rc = connect(fd, (struct sockaddr *)&sa, sizeof(sa));
	close(fd);
	return rc == -1;
}

static int
refuse(int status, const char *reason)
{
	(*stat_cell(STAT_SERVE_REJECTED, reason))++;
	return status;
}

static int
on_upgrade(void *priv, struct http_req *req, void **conn_priv)
{
	char address[NET_ADDRESS_SIZE];
	struct proxy *p = priv;
	struct relay *r;
	int status;

	if (p->admission == NULL)
		return refuse(503, "no_secret");
	net_client(p->proxies, http_req_peer(req), http_req_header(req, "x-forwarded-for"), address);
	status = secret_admit(p->admission, req, address);
	if (status != 0)
		return refuse(status, status == 401 ? "secret_missing" : status == 403 ? "secret_wrong" : "secret_throttled");
	if (is_away(p))
		return refuse(503, "ingest_away");
	r = xcalloc(1, sizeof(*r));
	r->proxy = p;
	r->door_over = 1;
	memcpy(r->address, address, sizeof(address));
	stat_set(STAT_SERVE_PLUGINS, ++p->n);
	*conn_priv = r;
	return 0;
}

static void
on_open(void *conn_priv, struct http_ws *ws)
{
	struct relay *r = conn_priv;
	const char *headers[] = { "X-Plugin-Secret", r->proxy->secret, "X-Forwarded-For", r->address, NULL };

	r->plugin = ws;
	r->door_over = 0;
	http_ws_queue_max(ws, QUEUE_MAX);
	http_ws_pause(ws, 1);
	http_ws_connect(r->proxy->http, r->proxy->url, headers, &door_handler, r);
}

static void
on_message(void *conn_priv, struct http_ws *ws, const char *data, size_t len, int binary)
{
	static const char no_text[] = "{\"type\":\"error\",\"error\":\"frames must be text\"}";
	struct relay *r = conn_priv;

	if (binary) {
		(void)refuse(0, "binary");
		(void)http_ws_send(ws, no_text, sizeof(no_text) - 1);
		return;
	}
	pass(ws, r->door, data, len, "to_ingest");
}

static void
on_writable(void *conn_priv, struct http_ws *ws)
{
	struct relay *r = conn_priv;

	(void)ws;
	if (r->door != NULL)
		http_ws_pause(r->door, 0);
}

static void
on_close(void *conn_priv, struct http_ws *ws, int code)
{
	struct relay *r = conn_priv;

	(void)ws;
	r->plugin = NULL;
	r->plugin_over = 1;
	r->code = code;
	if (r->door != NULL)
		http_ws_close(r->door, code_to_send(code, 1001), "");
	release(r);
}

static const struct http_ws_handler plugin_handler = {
	.max_message = EVENT_MAX, .on_upgrade = on_upgrade, .on_open = on_open, .on_message = on_message, .on_writable = on_writable, .on_close = on_close
};

struct proxy *
proxy_new(struct http *http, const struct nets *proxies, const char *secret, const char *socket_path)
{
	struct proxy *p = xcalloc(1, sizeof(*p));

	p->http = http;
	p->proxies = proxies;
	p->admission = env_is_placeholder(secret) ? NULL : secret_new(secret);
	p->secret = xstrdup(secret);
	p->path = xstrdup(socket_path);
	p->url = xasprintf("ws+unix://%s:/ws/position", socket_path);
	http_route_ws(http, "/ws/position", &plugin_handler, p);
	return p;
}

void
proxy_free(struct proxy **pp)
{
	struct proxy *p = *pp;

	if (p == NULL)
		return;
	secret_free(&p->admission);
	free(p->secret);
	free(p->path);
	free(p->url);
	free(p);
	*pp = NULL;
}
