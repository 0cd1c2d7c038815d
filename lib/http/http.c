/* The context, the loop, listening sockets and pollables.
 *
 * lws offers no foreign poll loop, and it would take one adopted descriptor (a dup, kept in step) for each thing that we wait for.  So everything
 * that is not an lws connection stands in one epoll set of ours, and only that set's descriptor is adopted: pollables, signals, deadlines
 * (a timerfd, since lws runs its own timers inside a wait without ending it), and our listening sockets.  We accept ourselves, because
 * lws 4.1.6 binds a numeric IPv4 address as "*" and gives the sockets it makes no mode. */
#include "http/http.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock/clock.h"
#include "http/http_int.h"
#include "log/log.h"
#include "mem/mem.h"

#define MAX_FILES 16384
#define SEND_BUFFER (256 * 1024)
#define ACCEPTS_A_TURN 64
#define EVENTS_A_TURN 256
#define IDLE_TURNS_MAX 5000
#define USER_TIMEOUT_MS 60000

/* ---- the epoll set ---- */

static void
epoll_set(struct http *h, int fd, unsigned events, struct http_source *s)
{
	struct epoll_event ev = { .events = events, .data.ptr = s };

	/* A descriptor may have been closed and opened again under the same number: then the set has forgotten it. */
	if (epoll_ctl(h->epfd, EPOLL_CTL_MOD, fd, &ev) == 0)
		return;
	if (errno != ENOENT || epoll_ctl(h->epfd, EPOLL_CTL_ADD, fd, &ev) != 0)
		die(EX_OSERR, "unable to wait for descriptor %d: %s", fd, strerror(errno));
}

static void
epoll_unset(struct http *h, int fd)
{
	if (epoll_ctl(h->epfd, EPOLL_CTL_DEL, fd, NULL) != 0)
		assert(errno == ENOENT || errno == EBADF || errno == EPERM);
}

static void
take_events(struct http *h)
{
	struct epoll_event ev;
	struct http_source *s;
	int i;

	/* One at a time: what a handler closes or frees can then not stand behind it in the same batch.  The set gives them in turn: one that comes
	 * again, because it is still told to wait for what it has had, ends the round. */
	for (i = 0; i < EVENTS_A_TURN && epoll_wait(h->epfd, &ev, 1, 0) == 1; i++) {
		s = ev.data.ptr;
		if (s->turn == h->turn)
			return;
		s->turn = h->turn;
		s->ready(h, s, ev.events);
	}
}

void
http_watch(struct http_conn *c, int on)
{
	if (c->watched == on || c->fd < 0)
		return;
	if (on)
		epoll_set(c->h, c->fd, EPOLLRDHUP, &c->source);
	else
		epoll_unset(c->h, c->fd);
	c->watched = on;
}

void
http_kill(struct http_conn *c)
{
	c->killed = 1;
	if (c->wsi != NULL)
		lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
}

/* ---- pollables ---- */

static void
poll_ready(struct http *h, struct http_source *s, unsigned events)
{
	struct http_poll *hp = (struct http_poll *)s;

	hp->stale = 1;           /* handle may free it */
	hp->p->handle(hp->p, (short)events, h->now_ms);
}

void
http_add(struct http *h, struct pollable *p)
{
	struct http_poll *hp = xcalloc(1, sizeof(*hp));

	*hp = (struct http_poll){ .source.ready = poll_ready, .p = p, .fd = -1 };
	TAILQ_INSERT_TAIL(&h->polls, hp, link);
}

void
http_del(struct http *h, struct pollable *p)
{
	struct http_poll *hp;

	TAILQ_FOREACH(hp, &h->polls, link)
		if (hp->p == p)
			break;
	if (hp == NULL)
		return;
	if (hp->fd >= 0)
		epoll_unset(h, hp->fd);
	TAILQ_REMOVE(&h->polls, hp, link);
	free(hp);
}

static void
set_timer(struct http *h, int64_t at_ms)
{
	struct itimerspec t = { .it_value = { at_ms / 1000, at_ms % 1000 * 1000000 } };

	if (at_ms == h->timer_ms)
		return;
	if (at_ms <= 0)
		t.it_value.tv_nsec = 1;
	if (timerfd_settime(h->timerfd, TFD_TIMER_ABSTIME, &t, NULL) != 0)
		die(EX_OSERR, "timerfd_settime: %s", strerror(errno));
	h->timer_ms = at_ms;
}

/* Tell epoll what the pollables want now: first what they no longer want, since a descriptor's number may have gone from one to another. */
static void
sync_polls(struct http *h)
{
	int64_t next = h->second_ms;
	struct http_poll *hp;
	int fd;

	TAILQ_FOREACH(hp, &h->polls, link) {
		fd = hp->p->events != 0 ? hp->p->fd : -1;
		if (hp->fd >= 0 && fd != hp->fd) {
			epoll_unset(h, hp->fd);
			hp->fd = -1;
		}
		if (hp->p->deadline_ms < next)
			next = hp->p->deadline_ms;
	}
	TAILQ_FOREACH(hp, &h->polls, link) {
		fd = hp->p->events != 0 ? hp->p->fd : -1;
		if (fd >= 0 && (fd != hp->fd || hp->p->events != hp->events || hp->stale))
			epoll_set(h, fd, (unsigned)hp->p->events, &hp->source);
		hp->fd = fd;
		hp->events = hp->p->events;
		hp->stale = 0;
	}
	set_timer(h, next);
}

static void
run_deadlines(struct http *h)
{
	struct http_poll *hp;
	int round;

	/* A handler may add and remove pollables: begin again after each.  One that does not move its deadline cannot hold us. */
	for (round = 0; round < EVENTS_A_TURN; round++) {
		TAILQ_FOREACH(hp, &h->polls, link)
			if (hp->p->deadline_ms <= h->now_ms)
				break;
		if (hp == NULL)
			return;
		hp->stale = 1;
		hp->p->handle(hp->p, 0, h->now_ms);
	}
}

static void
timer_ready(struct http *h, struct http_source *s, unsigned events)
{
	uint64_t n;

	(void)s, (void)events;
	(void)!read(h->timerfd, &n, sizeof(n));
	h->timer_ms = -1;
}

static void
signal_ready(struct http *h, struct http_source *s, unsigned events)
{
	struct signalfd_siginfo si;

	(void)s, (void)events;
	if (read(h->sigfd, &si, sizeof(si)) == sizeof(si))
		h->signal = (int)si.ssi_signo;
}

/* ---- listening ---- */

static void
peer_left(struct http *h, struct http_source *s, unsigned events)
{
	struct http_conn *c = (struct http_conn *)s;

	(void)h, (void)events;
	http_watch(c, 0);
	http_kill(c);
}

static void
set_peer(struct http_conn *c, const struct sockaddr_storage *sa)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;

	if (sa->ss_family == AF_INET)
		inet_ntop(AF_INET, &in->sin_addr, c->peer, sizeof(c->peer));
	else if (sa->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		inet_ntop(AF_INET, &in6->sin6_addr.s6_addr[12], c->peer, sizeof(c->peer));
	else if (sa->ss_family == AF_INET6)
		inet_ntop(AF_INET6, &in6->sin6_addr, c->peer, sizeof(c->peer));
}

static void
set_socket(int fd, int family)
{
	int on = 1, sndbuf = SEND_BUFFER, ms = USER_TIMEOUT_MS;

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &sndbuf, sizeof(sndbuf));
	if (family == AF_UNIX)
		return;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
}

struct http_conn *
http_conn_new(struct http *h, int fd)
{
	struct http_conn *c = xcalloc(1, sizeof(*c));

	c->source.ready = peer_left;
	c->h = h;
	c->fd = fd;
	TAILQ_INSERT_TAIL(&h->conns, c, link);
	return c;
}

void
http_conn_free(struct http_conn *c)
{
	TAILQ_REMOVE(&c->h->conns, c, link);
	free(c);
}

static void
listener_watch(struct http *h, struct http_listener *l, int on)
{
	if (on && !l->watched)
		epoll_set(h, l->fd, EPOLLIN, &l->source);
	else if (!on && l->watched)
		epoll_unset(h, l->fd);
	l->watched = on;
}

static void
adopt(struct http *h, int fd, const struct sockaddr_storage *sa)
{
	struct http_conn *c = http_conn_new(h, fd);
	lws_adopt_desc_t info = { .vh = h->vh, .type = LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP, .fd.sockfd = fd, .opaque = c };
	struct lws *wsi;

	set_peer(c, sa);
	set_socket(fd, sa->ss_family);
	h->adopting = c;
	wsi = lws_adopt_descriptor_vhost_via_info(&info);
	if (wsi != NULL)
		c->wsi = wsi;
	else {
		log_warn("unable to take a connection: out of descriptors or memory");
		if (h->adopting != NULL)         /* lws has closed the descriptor, but not told us (WSI_DESTROY) */
			http_conn_free(c);
	}
	h->adopting = NULL;
}

static void
listener_ready(struct http *h, struct http_source *s, unsigned events)
{
	struct http_listener *l = (struct http_listener *)s;
	struct sockaddr_storage sa;
	socklen_t len;
	int i, fd;

	(void)events;
	for (i = 0; i < ACCEPTS_A_TURN; i++) {
		memset(&sa, 0, sizeof(sa));
		len = sizeof(sa);
		fd = accept4(l->fd, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			adopt(h, fd, &sa);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			log_warn("unable to accept: %s; trying again in a second", strerror(errno));
			listener_watch(h, l, 0);
		}
		return;
	}
}

static void
listener_new(struct http *h, int fd, const char *path)
{
	struct http_listener *l = xcalloc(1, sizeof(*l));

	*l = (struct http_listener){ .source.ready = listener_ready, .fd = fd, .path = path != NULL ? xstrdup(path) : NULL };
	TAILQ_INSERT_TAIL(&h->listeners, l, link);
	listener_watch(h, l, 1);
}

static void
stop_listening(struct http *h)
{
	struct http_listener *l;

	while ((l = TAILQ_FIRST(&h->listeners)) != NULL) {
		TAILQ_REMOVE(&h->listeners, l, link);
		listener_watch(h, l, 0);
		close(l->fd);
		if (l->path != NULL)
			(void)unlink(l->path);
		free(l->path);
		free(l);
	}
}

static int
close_errno(int fd)
{
	int e = errno;

	close(fd);
	errno = e;
	return -1;
}

int
http_listen_tcp(struct http *h, const char *address, int *port)
{
	struct sockaddr_storage sa = { 0 };
	struct sockaddr_in *in = (struct sockaddr_in *)&sa;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&sa;
	socklen_t len = sizeof(*in);
	int fd, on = 1;

	if (*port < 0 || *port > 65535)
		return errno = EINVAL, -1;
	if (inet_pton(AF_INET, address, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)*port);
	} else if (inet_pton(AF_INET6, address, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)*port);
		len = sizeof(*in6);
	} else
		return errno = EINVAL, -1;
	fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&sa, len) != 0 || listen(fd, SOMAXCONN) != 0 || getsockname(fd, (struct sockaddr *)&sa, &len) != 0)
		return close_errno(fd);
	*port = ntohs(sa.ss_family == AF_INET ? in->sin_port : in6->sin6_port);
	listener_new(h, fd, NULL);
	return 0;
}

/* A socket file that nobody answers on is left over from a process that was killed. */
static int
remove_stale(const struct sockaddr_un *sun)
{
	struct stat st;
	int fd, rc;

	if (lstat(sun->sun_path, &st) != 0)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISSOCK(st.st_mode))
		return errno = EEXIST, -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	rc = connect(fd, (const struct sockaddr *)sun, sizeof(*sun));
	if (rc == 0 || errno != ECONNREFUSED) {
		errno = rc == 0 || errno == EAGAIN ? EADDRINUSE : errno;
		return close_errno(fd);
	}
	close(fd);
	return unlink(sun->sun_path);
}

int
http_listen_unix(struct http *h, const char *path, unsigned mode)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	mode_t old;
	int fd, rc;

	if (strlen(path) >= sizeof(sun.sun_path))
		return errno = ENAMETOOLONG, -1;
	memcpy(sun.sun_path, path, strlen(path) + 1);
	if (remove_stale(&sun) != 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	old = umask(0777 & ~mode);
	rc = bind(fd, (struct sockaddr *)&sun, sizeof(sun));
	umask(old);
	if (rc != 0 || chmod(path, mode) != 0 || listen(fd, SOMAXCONN) != 0)
		return close_errno(fd);
	listener_new(h, fd, path);
	return 0;
}

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
		take_events(h);
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

	/* lws allocates 16 bytes for each descriptor that could be: containers allow a thousand million. */
	if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur > MAX_FILES) {
		r.rlim_cur = MAX_FILES;
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
	h->signals.ready = signal_ready;
	h->timer.ready = timer_ready;
	epoll_set(h, h->sigfd, EPOLLIN, &h->signals);
	epoll_set(h, h->timerfd, EPOLLIN, &h->timer);
}

static void
open_lws(struct http *h)
{
	static const struct lws_protocols protocols[] = {
		{ "http", on_lws, 0, HTTP_CHUNK, 0, NULL, HTTP_TX },
		{ "epoll", on_epoll, 0, 0, 0, NULL, 0 },
		{ NULL, NULL, 0, 0, 0, NULL, 0 },
	};
	static const lws_retry_bo_t validity = { .secs_since_valid_ping = 20, .secs_since_valid_hangup = 60 };
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN, .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
		.gid = (gid_t)-1, .uid = (uid_t)-1, .user = h,
		.pt_serv_buf_size = HTTP_CHUNK, .max_http_header_data = 8192,
	};
	lws_adopt_desc_t epoll_info = { .type = LWS_ADOPT_RAW_FILE_DESC, .vh_prot_name = "epoll", .fd.filefd = h->epfd };

	lws_set_log_level(LLL_ERR | LLL_WARN, on_lws_log);
	h->cx = lws_create_context(&info);
	info.vhost_name = "http";
	info.protocols = protocols;
	info.retry_and_idle_policy = &validity;
	info.alpn = "http/1.1";
	info.keepalive_timeout = 60;
	h->vh = h->cx != NULL ? lws_create_vhost(h->cx, &info) : NULL;
	epoll_info.vh = h->vh;
	if (h->vh == NULL || lws_adopt_descriptor_vhost_via_info(&epoll_info) == NULL)
		die(EX_SOFTWARE, "unable to start libwebsockets");
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
	stop_listening(h);
	lws_context_destroy(h->cx);      /* closes the epoll set, and tells us of each connection's end */
	while ((p = TAILQ_FIRST(&h->polls)) != NULL) {
		TAILQ_REMOVE(&h->polls, p, link);
		free(p);
	}
	http_ws_tell_failed(h);
	for (i = 0; i < h->n_routes; i++) {
		free(h->routes[i].methods);
		free(h->routes[i].path);
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
	http_ws_second(h);
	TAILQ_FOREACH(l, &h->listeners, link)
		listener_watch(h, l, 1);
}

static void
turn(struct http *h)
{
	sync_polls(h);
	h->callbacks = 0;
	h->turn++;
	if (lws_service(h->cx, 0) < 0)
		die(EX_SOFTWARE, "libwebsockets gave up");
	h->now_ms = clock_mono_ms();
	run_deadlines(h);
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

	stop_listening(h);
	h->draining = 1;
	h->signal = 0;
	http_ws_shutdown(h);
	while (close_idle(h) > 0 && h->signal == 0 && h->now_ms < end) {
		if (h->second_ms > h->now_ms + 50)
			h->second_ms = h->now_ms + 50;
		turn(h);
	}
}

/* ---- routes ---- */

static void
route_add(struct http *h, const char *methods, const char *path, http_handler_f *f, const struct http_ws_handler *ws, void *priv)
{
	size_t len = strlen(path);
	int prefix = len > 0 && path[len - 1] == '*';

	h->routes = xreallocarray(h->routes, h->n_routes + 1, sizeof(*h->routes));
	h->routes[h->n_routes++] = (struct http_route){ .methods = xstrdup(methods), .path = xstrdup(path),
	    .len = len - (size_t)prefix, .prefix = prefix, .f = f, .ws = ws, .priv = priv };
}

void
http_route(struct http *h, const char *methods, const char *path, http_handler_f *f, void *priv)
{
	route_add(h, methods, path, f, NULL, priv);
}

void
http_route_ws(struct http *h, const char *path, const struct http_ws_handler *handler, void *priv)
{
	route_add(h, "GET", path, NULL, handler, priv);
}

static int
path_matches(const struct http_route *r, const char *path, size_t len)
{
	return r->prefix ? strncmp(path, r->path, r->len) == 0 : len == r->len && memcmp(path, r->path, len) == 0;
}

static int
method_matches(const struct http_route *r, const char *method)
{
	size_t n = strlen(method);
	const char *p = r->methods;

	if (strcmp(method, "HEAD") == 0)
		return method_matches(r, "GET");
	while ((p = strstr(p, method)) != NULL) {
		if ((p == r->methods || p[-1] == ',') && (p[n] == ',' || p[n] == '\0'))
			return 1;
		p += n;
	}
	return 0;
}

const struct http_route *
http_find_route(struct http *h, const char *method, const char *path, int ws)
{
	const struct http_route *best = NULL, *r;
	size_t i, len = strlen(path);

	for (i = 0; i < h->n_routes; i++) {
		r = &h->routes[i];
		if ((r->ws != NULL) != ws || !path_matches(r, path, len) || (method != NULL && !method_matches(r, method)))
			continue;
		if (best == NULL || r->len > best->len || (r->len == best->len && !r->prefix))
			best = r;
	}
	return best;
}

void
http_headers(struct http *h, const char *const *pairs)
{
	h->headers = pairs;
}
