/* Bytes out of a connection's buffer, and sockets that listen. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock/clock.h"
#include "hub.h"
#include "log/log.h"
#include "mem/mem.h"

#define ACCEPTS_A_TURN 16
#define ACCEPT_PAUSE_MS 100              /* after the descriptors have run out */

int
conn_flush(int fd, struct buf *b)
{
	while (buf_size(b) > 0) {
		ssize_t n = send(fd, buf_data(b), buf_size(b), MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return errno == EAGAIN ? 0 : -1;
		buf_consume(b, (size_t)n);
	}
	return 0;
}

struct listener {
	struct pollable pollable;        /* first: handle() casts */
	struct hub *hub;
	char *path;
	void (*on_accept)(struct hub *, int fd);
};

static void
handle(struct pollable *p, short revents, int64_t now_ms)
{
	struct listener *l = (struct listener *)p;

	(void)revents;
	l->hub->now_ms = now_ms;
	l->pollable.events = POLLIN;
	l->pollable.deadline_ms = CLOCK_NEVER;
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		int fd = accept4(l->pollable.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd == -1 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd == -1 && errno != EAGAIN) {
			log_warn("unable to accept on %s: %s", l->path, strerror(errno));
			l->pollable.events = 0;
			l->pollable.deadline_ms = now_ms + ACCEPT_PAUSE_MS;
		}
		if (fd == -1)
			return;
		l->on_accept(l->hub, fd);
	}
}

/* A socket that nobody listens on is left over from a killed process. */
static void
clear_path(const char *path, const struct sockaddr_un *sun)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;

	if (lstat(path, &st) == -1) {
		(void)close(fd);
		return;
	}
	if (!S_ISSOCK(st.st_mode))
		die(EX_CONFIG, "%s is there and is no socket", path);
	if (connect(fd, (const struct sockaddr *)sun, sizeof *sun) == 0 || errno == EAGAIN)
		die(EX_TEMPFAIL, "another process listens on %s", path);
	(void)close(fd);
	(void)unlink(path);
}

struct listener *
listener_open(struct hub *hub, const char *path, void (*on_accept)(struct hub *, int fd))
{
	struct listener *l = xcalloc(1, sizeof *l);
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof sun.sun_path)
		die(EX_CONFIG, "socket path too long: %s", path);
	(void)strcpy(sun.sun_path, path);
	clear_path(path, &sun);
	if (fd == -1 || bind(fd, (struct sockaddr *)&sun, sizeof sun) == -1 || listen(fd, SOMAXCONN) == -1)
		die(EX_CANTCREAT, "unable to listen on %s: %s", path, strerror(errno));
	l->hub = hub;
	l->path = xstrdup(path);
	l->on_accept = on_accept;
	l->pollable = (struct pollable){ .fd = fd, .events = POLLIN, .deadline_ms = CLOCK_NEVER, .handle = handle };
	loop_add(hub->loop, &l->pollable);
	return l;
}

void
listener_close(struct listener **lp)
{
	struct listener *l = *lp;

	if (l == NULL)
		return;
	*lp = NULL;
	loop_del(l->hub->loop, &l->pollable);
	(void)unlink(l->path);
	(void)close(l->pollable.fd);
	free(l->path);
	free(l);
}
