/* Listening sockets, and what becomes of a connection's first and last moment. */
#include "http/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "http/http_int.h"
#include "log/log.h"
#include "mem/mem.h"

#define SEND_BUFFER (256 * 1024)
#define ACCEPTS_A_TURN 64
#define USER_TIMEOUT_MS 60000

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

void
http_listener_watch(struct http *h, struct http_listener *l, int on)
{
	if (on && !l->watched)
		http_epoll_set(h, l->fd, EPOLLIN, &l->source);
	else if (!on && l->watched)
		http_epoll_unset(h, l->fd);
	l->watched = on;
}

static void
adopt(struct http *h, int fd, const struct sockaddr_storage *sa, int tls)
{
	struct http_conn *c = http_conn_new(h, fd);
	lws_adopt_desc_t info = { .vh = tls ? h->vh_tls : h->vh, .type = LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP | (tls ? LWS_ADOPT_ALLOW_SSL : 0), .fd.sockfd = fd, .opaque = c };
	struct lws *wsi;

	set_peer(c, sa);
	set_socket(fd, sa->ss_family);
	h->adopting = c;
	wsi = lws_adopt_descriptor_vhost_via_info(&info);
	if (wsi != NULL)
		c->wsi = wsi;
	else {
		log_warn("unable to take a connection: out of descriptors or memory%s", tls ? ", or it speaks no TLS" : "");
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
			adopt(h, fd, &sa, l->tls);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			log_warn("unable to accept: %s; trying again in a second", strerror(errno));
			http_listener_watch(h, l, 0);
		}
		return;
	}
}

static void
listener_new(struct http *h, int fd, const char *path, int tls)
{
	struct http_listener *l = xcalloc(1, sizeof(*l));

	*l = (struct http_listener){ .source.ready = listener_ready, .fd = fd, .path = path != NULL ? xstrdup(path) : NULL, .tls = tls };
	TAILQ_INSERT_TAIL(&h->listeners, l, link);
	http_listener_watch(h, l, 1);
}

void
http_stop_listening(struct http *h)
{
	struct http_listener *l;

	while ((l = TAILQ_FIRST(&h->listeners)) != NULL) {
		TAILQ_REMOVE(&h->listeners, l, link);
		http_listener_watch(h, l, 0);
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
	listener_new(h, fd, NULL, h->vh_tls != NULL);
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
	listener_new(h, fd, path, 0);
	return 0;
}
