/* The context and the loop.
 *
 * lws offers no foreign poll loop, and it would take one adopted descriptor (a dup, kept in step) for each thing that we wait for.  So everything
 * that is not an lws connection stands in one epoll set of ours, and only that set's descriptor is adopted: pollables, signals, deadlines
 * (a timerfd, since lws runs its own timers inside a wait without ending it), and our listening sockets.  We accept ourselves, because
 * lws 4.1.6 binds a numeric IPv4 address as "*" and gives the sockets it makes no mode. */
#include "http/http.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock/clock.h"
#include "http/http_int.h"
#include "log/log.h"
#include "mem/mem.h"

#define MAX_FILES 16384
#define IDLE_TURNS_MAX 5000

/* ---- what lws tells us ---- */

static void
conn_gone(struct http_conn *c)
{
	c->watched = 0;          /* closing its last descriptor has taken it out of the epoll set */
	c->fd = -1;
	http_req_gone(c);
	http_ws_gone(c);
}

static int
on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct http *h = lws_context_user(lws_get_context(wsi));
	struct http_conn *c;

	(void)user;
	if (h != NULL)
		h->callbacks++;
	switch (reason) {
	case LWS_CALLBACK_HTTP:
	case LWS_CALLBACK_HTTP_BODY:
	case LWS_CALLBACK_HTTP_BODY_COMPLETION:
	case LWS_CALLBACK_HTTP_WRITEABLE:
		c = lws_get_opaque_user_data(wsi);
		return c != NULL ? http_req_callback(c, reason, in, len) : -1;
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		c = lws_get_opaque_user_data(wsi);
		return c != NULL ? http_req_upgrade(c) : -1;
	case LWS_CALLBACK_ESTABLISHED:
	case LWS_CALLBACK_RECEIVE:
	case LWS_CALLBACK_SERVER_WRITEABLE:
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
	case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
	case LWS_CALLBACK_CLIENT_RECEIVE:
	case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
	case LWS_CALLBACK_CLIENT_WRITEABLE:
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
		c = lws_get_opaque_user_data(wsi);
		if (c != NULL && c->wsi == NULL)
			c->wsi = wsi;        /* a UNIX socket connects before lws_client_connect_via_info returns it */
		return c != NULL ? http_ws_callback(c, reason, in, len) : -1;
	case LWS_CALLBACK_CLOSED_HTTP:
	case LWS_CALLBACK_CLOSED:            /* also for upgrades that were never established */
	case LWS_CALLBACK_CLIENT_CLOSED:
		c = lws_get_opaque_user_data(wsi);
		if (c != NULL)
			conn_gone(c);
		return 0;
	case LWS_CALLBACK_WSI_DESTROY:
		c = lws_get_opaque_user_data(wsi);
		if (c != NULL) {
			conn_gone(c);
			if (c->h->adopting == c)
				c->h->adopting = NULL;
			http_conn_free(c);
			lws_set_opaque_user_data(wsi, NULL);
		}
		return 0;
	default:
		return 0;
	}
}

static int
on_epoll(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	(void)user, (void)in, (void)len;
	if (reason == LWS_CALLBACK_RAW_RX_FILE) {
		struct http *h = lws_context_user(lws_get_context(wsi));

		h->callbacks++;
		h->now_ms = clock_mono_ms();
		http_take_events(h);
	}
	return 0;
}

static void
on_lws_log(int level, const char *line)
{
	(void)level;
	log_debug("lws: %.*s", (int)strcspn(line, "\n"), line);
}

/* ---- the loop ---- */

static void
limit_files(void)
{
	struct rlimit r;

	/* lws allocates 16 bytes for each descriptor that could be: containers allow a thousand million.  Shells allow 1,024, fewer than there are browsers. */
	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max < MAX_FILES ? r.rlim_max : MAX_FILES;
		(void)setrlimit(RLIMIT_NOFILE, &r);
	}
}

static void
open_sources(struct http *h)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	h->epfd = epoll_create1(EPOLL_CLOEXEC);
	h->sigfd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	h->timerfd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (h->epfd < 0 || h->sigfd < 0 || h->timerfd < 0)
		die(EX_OSERR, "unable to open descriptors for the loop: %s", strerror(errno));
	h->signals.ready = http_signal_ready;
	h->timer.ready = http_timer_ready;
	http_epoll_set(h, h->sigfd, EPOLLIN, &h->signals);
	http_epoll_set(h, h->timerfd, EPOLLIN, &h->timer);
}

static const struct lws_protocols protocols[] = {
	{ "http", on_lws, 0, HTTP_WS_RX, 0, NULL, HTTP_TX },
	{ "epoll", on_epoll, 0, 0, 0, NULL, 0 },
	{ NULL, NULL, 0, 0, 0, NULL, 0 },
};
static const lws_retry_bo_t validity = { .secs_since_valid_ping = 20, .secs_since_valid_hangup = 60 };

static struct lws_context_creation_info
base_info(struct http *h)
{
	return (struct lws_context_creation_info){
		.port = CONTEXT_PORT_NO_LISTEN, .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
		.gid = (gid_t)-1, .uid = (uid_t)-1, .user = h,
		.pt_serv_buf_size = HTTP_CHUNK, .max_http_header_data = 8192,
	};
}

static struct lws_vhost *
new_vhost(struct http *h, const char *name, struct lws_context_creation_info *info)
{
	info->vhost_name = name;
	info->protocols = protocols;
	info->retry_and_idle_policy = &validity;
	info->alpn = "http/1.1";
	info->keepalive_timeout = 60;
	return lws_create_vhost(h->cx, info);
}

static void
open_lws(struct http *h)
{
	struct lws_context_creation_info info = base_info(h);
	lws_adopt_desc_t epoll_info = { .type = LWS_ADOPT_RAW_FILE_DESC, .vh_prot_name = "epoll", .fd.filefd = h->epfd };

	lws_set_log_level(LLL_ERR | LLL_WARN, on_lws_log);
	info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;    /* for http_tls, which may follow */
	h->cx = lws_create_context(&info);
	info.options &= ~(uint64_t)LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
	h->vh = h->cx != NULL ? new_vhost(h, "http", &info) : NULL;
	epoll_info.vh = h->vh;
	if (h->vh == NULL || lws_adopt_descriptor_vhost_via_info(&epoll_info) == NULL)
		die(EX_SOFTWARE, "unable to start libwebsockets");
}

void
http_tls(struct http *h, const char *cert, const char *key)
{
	struct lws_context_creation_info info = base_info(h);

	if (access(cert, R_OK) != 0)
		die(EX_CONFIG, "unable to read the certificate %s: %s", cert, strerror(errno));
	if (access(key, R_OK) != 0)
		die(EX_CONFIG, "unable to read the certificate's key %s: %s", key, strerror(errno));
	info.port = CONTEXT_PORT_NO_LISTEN_SERVER;               /* with _NO_LISTEN it would be no server, and speak plainly */
	info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
	info.ssl_cert_filepath = cert;
	info.ssl_private_key_filepath = key;
	info.ssl_options_set = SSL_OP_NO_SSLv3 | SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1;
	if ((h->vh_tls = new_vhost(h, "https", &info)) == NULL)
		die(EX_CONFIG, "%s and %s are no certificate and its key in PEM", cert, key);
}

struct http *
http_new(size_t max_body)
{
	struct http *h = xcalloc(1, sizeof(*h));

	limit_files();
	TAILQ_INIT(&h->conns);
	TAILQ_INIT(&h->polls);
	TAILQ_INIT(&h->listeners);
	TAILQ_INIT(&h->failed);
	h->max_body = max_body;
	h->now_ms = clock_mono_ms();
	h->second_ms = h->now_ms + 1000;
	open_sources(h);
	open_lws(h);
	return h;
}

void
http_free(struct http **hp)
{
	struct http *h = *hp;
	struct http_poll *p;
	size_t i;

	if (h == NULL)
		return;
	http_stop_listening(h);
	lws_context_destroy(h->cx);      /* closes the epoll set, and tells us of each connection's end */
	while ((p = TAILQ_FIRST(&h->polls)) != NULL) {
		TAILQ_REMOVE(&h->polls, p, link);
		free(p);
	}
	http_ws_tell_failed(h);
	for (i = 0; i < h->n_routes; i++) {
		free(h->routes[i].methods);
		free(h->routes[i].path);
		free(h->routes[i].suffix);
	}
	free(h->routes);
	http_static_free(&h->files);
	close(h->sigfd);
	close(h->timerfd);
	free(h);
	*hp = NULL;
}

void
http_on_turn(struct http *h, void (*f)(void *priv, int64_t now_ms), void *priv)
{
	h->on_turn = f;
	h->turn_priv = priv;
}

static void
probe(struct http *h, int on)
{
	struct http_conn *c;

	TAILQ_FOREACH(c, &h->conns, link)
		http_req_probe(c, on);
	h->probing = on;
	h->idle_turns = 0;
}

static void
each_second(struct http *h)
{
	struct http_listener *l;
	struct http_poll *hp;

	TAILQ_FOREACH(hp, &h->polls, link)
		hp->stale = 1;
	h->idle_turns = 0;
	h->second_ms = h->now_ms + 1000;
	http_req_second(h);
	http_ws_second(h);
	TAILQ_FOREACH(l, &h->listeners, link)
		http_listener_watch(h, l, 1);
}

static void
turn(struct http *h)
{
	http_sync_polls(h);
	h->callbacks = 0;
	h->turn++;
	if (lws_service(h->cx, 0) < 0)
		die(EX_SOFTWARE, "libwebsockets gave up");
	h->now_ms = clock_mono_ms();
	http_run_deadlines(h);
	http_ws_tell_failed(h);
	if (h->probing)
		probe(h, 0);
	else if (h->callbacks == 0 && ++h->idle_turns > IDLE_TURNS_MAX)
		probe(h, 1);
	if (h->now_ms >= h->second_ms)
		each_second(h);
	if (h->on_turn != NULL)
		h->on_turn(h->turn_priv, h->now_ms);
}

int
http_run(struct http *h)
{
	h->stop = 0;
	h->signal = 0;
	while (!h->stop && h->signal == 0)
		turn(h);
	return h->signal;
}

void
http_stop(struct http *h)
{
	h->stop = 1;
	lws_cancel_service(h->cx);
}

int64_t
http_now(const struct http *h)
{
	return h->now_ms;
}

/* Requests that are being answered may finish; the rest goes. */
static int
close_idle(struct http *h)
{
	struct http_conn *c;
	int left = 0;

	TAILQ_FOREACH(c, &h->conns, link) {
		left++;
		if (c->ws == NULL && c->req == NULL)
			http_kill(c);
	}
	return left;
}

void
http_drain(struct http *h, int64_t max_ms)
{
	int64_t end = clock_mono_ms() + max_ms;

	http_stop_listening(h);
	h->draining = 1;
	h->signal = 0;
	http_ws_shutdown(h);
	while (close_idle(h) > 0 && h->signal == 0 && h->now_ms < end) {
		if (h->second_ms > h->now_ms + 50)
			h->second_ms = h->now_ms + 50;
		turn(h);
	}
}
