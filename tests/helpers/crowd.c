/* crowd: many connections at once that are slow, or just many.
 *
 *   crowd [-a] [-d MS] [-q] [-s SECONDS] COUNT ADDRESS FILE      ADDRESS: a UNIX socket's path, or a port of 127.0.0.1
 *
 * Each of COUNT connections sends FILE at once, and (-d) an "a" every MS milliseconds behind it.
 * Reads what comes, or not (-q).  Ends when all are closed, or (-a) answered, or after SECONDS (30).  Prints one line of JSON: how many were connected, answered (by status)
 * and closed by the other side, and how long after the beginning the last of these was. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock/clock.h"
#include "mem/mem.h"

#define COUNT_MAX 10000
#define TICK_MS 20

struct conn {
	int fd;                          /* -1: closed */
	size_t sent;
	int status;
	int64_t at_ms;                   /* of its last byte */
};

static struct {
	struct conn conn[COUNT_MAX];
	struct pollfd poll[COUNT_MAX];
	size_t n, connected, closed;
	char text[65536];
	size_t len;
	int drip_ms, deaf, until_answered;
	size_t answered;
	int64_t begin_ms, answered_ms, closed_ms;
	unsigned statuses[600];
} S;

static int
dial(const char *address)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)atoi(address)) };
	int tcp = address[0] != '/', small = 2048;
	int fd = socket(tcp ? AF_INET : AF_UNIX, SOCK_STREAM, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", address);
	if (S.deaf)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (fd == -1 || connect(fd, tcp ? (struct sockaddr *)&sin : (struct sockaddr *)&sun, tcp ? sizeof(sin) : sizeof(sun)) != 0) {
		fprintf(stderr, "crowd: %s: %s\n", address, strerror(errno));
		exit(1);
	}
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void
gone(struct conn *c, int64_t now_ms)
{
	close(c->fd);
	c->fd = -1;
	S.closed++;
	S.closed_ms = now_ms - S.begin_ms;
}

static void
speak(struct conn *c, int64_t now_ms)
{
	ssize_t n;

	if (c->sent < S.len) {
		n = send(c->fd, S.text + c->sent, S.len - c->sent, MSG_NOSIGNAL);
		c->sent += n > 0 ? (size_t)n : 0;
	} else if (S.drip_ms > 0 && now_ms - c->at_ms >= S.drip_ms)
		(void)send(c->fd, "a", 1, MSG_NOSIGNAL);
	else
		return;
	c->at_ms = now_ms;
}

static void
listen_to(struct conn *c, int64_t now_ms)
{
	char data[65536];
	ssize_t n = recv(c->fd, data, sizeof(data) - 1, S.deaf ? MSG_PEEK : 0);

	if (n > 0 && c->status == 0) {
		data[n] = '\0';
		if (sscanf(data, "HTTP/1.%*d %d", &c->status) != 1 || c->status < 0 || c->status >= 600)
			c->status = 1;
		S.statuses[c->status]++;
		S.answered++;
		S.answered_ms = now_ms - S.begin_ms;
	}
	if (n == 0 || (n == -1 && errno != EAGAIN))
		gone(c, now_ms);
}

static void
turn(int64_t now_ms)
{
	size_t i;

	for (i = 0; i < S.n; i++)
		if (S.conn[i].fd != -1)
			speak(&S.conn[i], now_ms);
	for (i = 0; i < S.n; i++)
		S.poll[i] = (struct pollfd){ .fd = S.conn[i].fd, .events = S.deaf ? 0 : POLLIN };
	if (poll(S.poll, S.n, TICK_MS) <= 0)
		return;
	now_ms = clock_mono_ms();
	for (i = 0; i < S.n; i++)
		if (S.poll[i].revents != 0 && S.deaf)
			gone(&S.conn[i], now_ms);
		else if (S.poll[i].revents != 0)
			listen_to(&S.conn[i], now_ms);
}

static void
report(void)
{
	const char *comma = "";
	size_t i;

	printf("{\"connected\":%zu,\"answers\":{", S.connected);
	for (i = 0; i < 600; i++)
		if (S.statuses[i] > 0) {
			printf("%s\"%zu\":%u", comma, i, S.statuses[i]);
			comma = ",";
		}
	printf("},\"answered_ms\":%jd,\"closed\":%zu,\"closed_ms\":%jd}\n", (intmax_t)S.answered_ms, S.closed, (intmax_t)S.closed_ms);
}

int
main(int argc, char **argv)
{
	struct rlimit files = { COUNT_MAX + 100, COUNT_MAX + 100 };
	int64_t seconds = 30, now_ms;
	FILE *f;
	int c;

	while ((c = getopt(argc, argv, "ad:qs:")) != -1)
		switch (c) {
		case 'a': S.until_answered = 1; break;
		case 'd': S.drip_ms = atoi(optarg); break;
		case 'q': S.deaf = 1; break;
		case 's': seconds = atoi(optarg); break;
		default: return 64;
		}
	if (argc - optind != 3 || (S.n = (size_t)atoi(argv[optind])) < 1 || S.n > COUNT_MAX || (f = fopen(argv[optind + 2], "r")) == NULL)
		return 64;
	S.len = fread(S.text, 1, sizeof(S.text), f);
	fclose(f);
	(void)setrlimit(RLIMIT_NOFILE, &files);
	S.begin_ms = now_ms = clock_mono_ms();
	for (; S.connected < S.n; S.connected++)
		S.conn[S.connected] = (struct conn){ .fd = dial(argv[optind + 1]), .at_ms = now_ms };
	while (S.closed < S.n && !(S.until_answered && S.answered == S.n) && (now_ms = clock_mono_ms()) - S.begin_ms < seconds * 1000)
		turn(now_ms);
	report();
	return 0;
}
