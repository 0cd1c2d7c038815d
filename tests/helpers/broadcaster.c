/* broadcaster: the least that a WebSocket broadcast can cost, to measure others by.  One thread, epoll, a ring of ready frames, for each client a position;
 * what is pending goes in one write of at most 64 KB.  It makes its own frames, as many as the slowest client lets it (or RATE a second).
 *
 *   broadcaster PORT [BYTES [RATE]] */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "log/log.h"
#include "mem/mem.h"

#define SLOTS 8192u
#define CHUNK 65536u
#define SEND_BUFFER (256 << 10)  /* as dt-serve's: larger ones only fill the caches */
#define CLIENTS_MAX 16384

struct client {
	int fd, open, waiting;
	uint64_t at;             /* bytes of the stream that it has had */
};

static struct client clients[CLIENTS_MAX];
static int n_clients;
static char *ring;
static size_t size, frame;       /* of the ring, of one frame */
static uint64_t end;             /* bytes of the stream made */

static void
make_frame(void)
{
	char *p = ring + end % size;
	struct timespec t;
	int n;

	clock_gettime(CLOCK_REALTIME, &t);
	memset(p, 'x', frame);
	p[0] = (char)0x81;
	p[1] = 126;
	p[2] = (char)((frame - 4) >> 8);
	p[3] = (char)(frame - 4);
	n = snprintf(p + 4, frame - 4, "{\"made\":\"^%010ld%06ld\",\"pad\":\"", (long)t.tv_sec, t.tv_nsec / 1000);
	p[4 + n] = 'x';
	end += frame;
}

static void
drop(struct client *c)
{
	close(c->fd);
	c->fd = -1;
	c->open = 0;
}

static void
want(int ep, struct client *c, int writing)
{
	struct epoll_event ev = { .events = EPOLLIN | (writing ? EPOLLOUT : 0), .data.ptr = c };

	if (c->waiting != writing)
		epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &ev);
	c->waiting = writing;
}

static void
give(int ep, struct client *c)
{
	size_t at, n;
	ssize_t sent;

	while (c->open && c->at < end) {
		at = (size_t)(c->at % size);
		n = end - c->at < CHUNK ? (size_t)(end - c->at) : CHUNK;
		if (n > size - at)
			n = size - at;
		sent = send(c->fd, ring + at, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent <= 0) {
			if (errno != EAGAIN)
				drop(c);
			else
				want(ep, c, 1);
			return;
		}
		c->at += (uint64_t)sent;
	}
	if (c->open)
		want(ep, c, 0);
}

static void
hear(struct client *c)
{
	/* The key is the one of RFC 6455's example, so is the answer. */
	static const char yes[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
	char data[4096];
	ssize_t n = recv(c->fd, data, sizeof(data), MSG_DONTWAIT);

	if (n == 0 || (n == -1 && errno != EAGAIN))
		drop(c);
	else if (n > 0 && !c->open && send(c->fd, yes, sizeof(yes) - 1, MSG_NOSIGNAL) > 0) {
		c->open = 1;
		c->at = end;
	}
}

static void
take(int ep, int listener)
{
	struct client *c = &clients[n_clients];
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
	int on = 1, sndbuf = SEND_BUFFER;

	if (n_clients == CLIENTS_MAX || (c->fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) == -1)
		return;
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &sndbuf, sizeof(sndbuf));
	epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev);
	n_clients++;
}

/* As much as the slowest has room for: everybody gets everything. */
static void
make(int ep, double due)
{
	uint64_t low = end;
	int i, open = 0, made;

	for (i = 0; i < n_clients; i++)
		if (clients[i].open) {
			open++;
			if (clients[i].at < low)
				low = clients[i].at;
		}
	for (made = 0; open > 0 && made < 1024 && end - low + frame <= size && (due < 0 || (double)(end / frame) < due); made++)
		make_frame();
	for (i = 0; made > 0 && i < n_clients; i++)
		if (clients[i].open && !clients[i].waiting)
			give(ep, &clients[i]);
}

static double
now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), ep = epoll_create1(EPOLL_CLOEXEC), on = 1, n, i;
	double rate = argc > 3 ? atof(argv[3]) : 0, began = now_s();
	struct epoll_event ev[256] = { { .events = EPOLLIN } };

	log_open("broadcaster");
	in.sin_port = htons((uint16_t)(argc > 1 ? atoi(argv[1]) : 0));
	frame = (argc > 2 ? (size_t)atoi(argv[2]) : 300) + 4;
	size = frame * SLOTS;
	ring = xmalloc(size);
	(void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&in, sizeof(in)) != 0 || listen(listener, 4096) != 0)
		die(69, "port %d: %s", ntohs(in.sin_port), strerror(errno));
	epoll_ctl(ep, EPOLL_CTL_ADD, listener, &ev[0]);
	for (;;) {
		n = epoll_wait(ep, ev, 256, 1);
		for (i = 0; i < n; i++) {
			struct client *c = ev[i].data.ptr;

			if (c == NULL)
				take(ep, listener);
			else if (c->fd != -1 && ev[i].events & EPOLLOUT)
				give(ep, c);
			else if (c->fd != -1)
				hear(c);
		}
		make(ep, rate > 0 ? (now_s() - began) * rate : -1);
	}
}
