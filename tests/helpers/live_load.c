/* live_load: the load of bench_live.sh and of the tests with many browsers.  An event carries "^" and 16 digits: the microsecond it was made.
 *
 *   live_load recv [-n SOCKETS] [-w WARM_S] [-t SECONDS] [-i] [-k nats] [-d DEAF] [-u STEP] [-m MESSAGE]... [-p PID]... PORT PATH
 *       Opens the WebSockets, has each send one of the messages in turn, and counts the "^" of SECONDS after WARM_S.  The last DEAF sockets are not read.
 *       Prints: deliveries/s, p50 and p99 in ms, seconds of CPU per million deliveries of the PIDs, bytes per socket that the first PID grew by,
 *       sockets that were closed on us, bytes per socket of each kind of message.  With -i it holds the sockets and expects nothing.
 *       With -u STEP it says "each N" whenever every socket that is read has had another STEP events.
 *   live_load send [-r RATE] [-t SECONDS] [-b BYTES] [-c CONNECTIONS] [-H SECRET] -f line|nats|post|ws PORT|SOCKET|- [PATH]
 *       Makes RATE events a second: lines on standard output or to the bus's socket, NATS's PUB, pipelined POSTs, or what that many plugins send. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "log/log.h"
#include "mem/mem.h"

#define MESSAGES_MAX 16
#define PIDS_MAX 8
#define SAMPLES_MAX (1u << 22)

static struct {
	int n, idle, deaf, port, connections;
	double warm_s, seconds, rate;
	size_t bytes;
	const char *kind, *path, *secret, *message[MESSAGES_MAX], *socket;
	int n_messages;
	int pid[PIDS_MAX], n_pids;
	uint32_t *sample;
	size_t n_samples, turn;
	uint64_t step, each, *had;       /* -u: how many every socket has had, how many each has had */
	uint64_t deliveries, kind_bytes[MESSAGES_MAX];
	int closed;
} S = { .n = 60, .warm_s = 1, .seconds = 3, .rate = 1000, .bytes = 260, .connections = 1, .kind = "", .path = "/" };

static double
now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- sockets ---- */

static int
dial(int port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, i;

	for (i = 0; connect(fd, (struct sockaddr *)&in, sizeof(in)) != 0; i++) {
		if (i == 100)
			die(69, "port %d: %s", port, strerror(errno));
		poll(NULL, 0, 20);
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static int
dial_bus(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", S.socket);
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) != 0)
		die(69, "%s: %s", S.socket, strerror(errno));
	return fd;
}

static void
put(int fd, const char *data, size_t len)
{
	ssize_t n;

	for (; len > 0; data += n, len -= (size_t)n)
		if ((n = write(fd, data, len)) <= 0)
			die(74, "write: %s", strerror(errno));
}

/* Masked with zeros, which changes nothing. */
static size_t
put_frame_head(char *to, size_t len)
{
	to[0] = (char)0x81;
	to[1] = (char)(0x80 | (len < 126 ? len : 126));
	to[2] = (char)(len >> 8);
	to[3] = (char)len;
	memset(to + (len < 126 ? 2 : 4), 0, 4);
	return len < 126 ? 6 : 8;
}

static void
say(int fd, const char *text)
{
	char frame[4096 + 8];
	size_t len = strlen(text), n = put_frame_head(frame, len);

	memcpy(frame + n, text, len);
	put(fd, frame, n + len);
}

static int
open_ws(void)
{
	char text[2048];
	size_t n = 0;
	ssize_t got;
	int fd = dial(S.port), len;

	len = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s%s%s\r\n", S.path, S.port, S.secret != NULL ? "X-Plugin-Secret: " : "",
	    S.secret != NULL ? S.secret : "", S.secret != NULL ? "\r\n" : "");
	put(fd, text, (size_t)len);
	for (n = 0; n < 4 || memcmp(text + n - 4, "\r\n\r\n", 4) != 0; n += (size_t)got)          /* what follows is not ours to take */
		if (n == sizeof(text) || (got = read(fd, text + n, 1)) <= 0)
			die(69, "%s: no upgrade: %.40s", S.path, text);
	if (strncmp(text, "HTTP/1.1 101", 12) != 0)
		die(69, "%s: %.40s", S.path, text);
	return fd;
}

/* ---- what a process uses ---- */

static double
cpu_s(int pid)
{
	char path[64], text[1024], *p;
	unsigned long user = 0, sys = 0;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if ((f = fopen(path, "re")) == NULL)
		return 0;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	if ((p = strrchr(text, ')')) != NULL)
		(void)!sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &sys);
	return (double)(user + sys) / (double)sysconf(_SC_CLK_TCK);
}

static double
all_cpu_s(void)
{
	double sum = 0;
	int i;

	for (i = 0; i < S.n_pids; i++)
		sum += cpu_s(S.pid[i]);
	return sum;
}

static long
rss_bytes(int pid)
{
	char path[64];
	long pages = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	if ((f = fopen(path, "re")) == NULL)
		return 0;
	if (fscanf(f, "%*d %ld", &pages) != 1)
		pages = 0;
	fclose(f);
	return pages * sysconf(_SC_PAGESIZE);
}

/* ---- receiving ---- */

/* Beyond what fits it keeps one of so many. */
static void
add_sample(const char *digits, double now)
{
	double made = 0;
	int i;

	for (i = 0; i < 16; i++)
		made = made * 10 + (digits[i] - '0');
	if (S.n_samples < SAMPLES_MAX)
		S.sample[S.n_samples++] = (uint32_t)(now * 1e6 > made ? now * 1e6 - made : 0);
}

static uint64_t
count(const char *p, size_t len, int latency)
{
	const char *end = p + len, *at;
	double now = latency ? now_s() : 0;
	uint64_t n = 0;

	for (; (at = memchr(p, '^', (size_t)(end - p))) != NULL; p = at + 1) {
		n++;
		if (latency && end - at > 16 && at[1] == '1')
			add_sample(at + 1, now);
	}
	S.deliveries += n;
	return n;
}

static void
tell_each(void)
{
	int i;

	for (i = 0; i < S.n - S.deaf; i++)
		if (S.had[i] < S.each + S.step)
			return;
	S.each += S.step;
	fprintf(stderr, "each %ju\n", (uintmax_t)S.each);
}

static void
read_for(int ep, int *fd, double until, int counting, int latency)
{
	static char data[256 << 10];
	struct epoll_event ev[256];
	ssize_t got;
	int n, i;

	while (now_s() < until) {
		n = epoll_wait(ep, ev, 256, 20);
		for (i = 0; i < n; i++) {
			int at = ev[i].data.fd;

			if (fd[at] == -1 || ((got = recv(fd[at], data, sizeof(data), MSG_DONTWAIT)) == -1 && errno == EAGAIN))
				continue;
			if (got <= 0) {
				close(fd[at]);
				fd[at] = -1;
				S.closed++;
			} else if (counting) {
				S.kind_bytes[S.n_messages > 0 ? at % S.n_messages : 0] += (uint64_t)got;
				S.had[at] += count(data, (size_t)got, latency);
			}
		}
		if (S.step > 0 && n > 0)
			tell_each();
	}
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static double
percentile(double p)
{
	return S.n_samples == 0 ? -1 : S.sample[(size_t)((double)(S.n_samples - 1) * p)] / 1000.0;
}

static void
report(double began, double cpu, long grown)
{
	double s = now_s() - began;
	int i;

	qsort(S.sample, S.n_samples, sizeof(*S.sample), compare);
	printf("deliveries_s=%.0f p50_ms=%.2f p99_ms=%.2f cpu_s_per_million=%.3f bytes_per_socket=%ld closed=%d", (double)S.deliveries / s, percentile(0.5),
	    percentile(0.99), S.deliveries > 0 ? cpu * 1e6 / (double)S.deliveries : 0, grown / S.n, S.closed);
	for (i = 0; i < S.n_messages; i++)
		printf(" kind%d_bytes=%.0f", i, (double)S.kind_bytes[i] / S.n * S.n_messages);
	printf("\n");
}

static void
recv_all(void)
{
	int ep = epoll_create1(EPOLL_CLOEXEC), *fd = xcalloc((size_t)S.n, sizeof(*fd)), i;
	long rss = S.n_pids > 0 ? rss_bytes(S.pid[0]) : 0, grown;
	double began, cpu;

	S.sample = xcalloc(SAMPLES_MAX, sizeof(*S.sample));
	S.had = xcalloc((size_t)S.n, sizeof(*S.had));
	for (i = 0; i < S.n; i++) {
		struct epoll_event ev = { .events = EPOLLIN, .data.fd = i };

		fd[i] = open_ws();
		if (strcmp(S.kind, "nats") == 0)
			say(fd[i], "CONNECT {\"verbose\":false}\r\nSUB live 1\r\n");
		if (S.n_messages > 0)
			say(fd[i], S.message[i % S.n_messages]);
		if (i < S.n - S.deaf)
			epoll_ctl(ep, EPOLL_CTL_ADD, fd[i], &ev);
	}
	fprintf(stderr, "open %d\n", S.n);
	read_for(ep, fd, now_s() + S.warm_s, 0, 0);
	grown = S.n_pids > 0 ? rss_bytes(S.pid[0]) - rss : 0;
	began = now_s();
	cpu = all_cpu_s();
	read_for(ep, fd, began + S.seconds, !S.idle, S.rate > 0);
	report(began, all_cpu_s() - cpu, grown);
}

/* ---- sending ---- */

static const char *const types[] = { "chat", "quest", "share_bench", "bench" };

static size_t
make_event(char *to, uint64_t n)
{
	size_t len;

	len = (size_t)sprintf(to, "{\"type\":\"%s\",\"character_name\":\"C%d\",\"timestamp\":\"2026-01-01T00:00:00Z\",\"made\":\"^%016.0f\",\"n\":%ju,\"pad\":\"",
	    types[n % 4], (int)(n / 4 % 60), now_s() * 1e6, (uintmax_t)n);
	while (len + 2 < S.bytes)
		to[len++] = 'x';
	to[len++] = '"';
	to[len++] = '}';
	return len;
}

static size_t
make_message(char *to, uint64_t n)
{
	char event[4096];
	size_t len = make_event(event, n), head = 0;

	if (strcmp(S.kind, "nats") == 0)
		head = (size_t)sprintf(to, "PUB live %zu\r\n", len);
	else if (strcmp(S.kind, "post") == 0)
		head = (size_t)sprintf(to, "POST %s HTTP/1.1\r\nHost: b\r\nContent-Length: %zu\r\n\r\n", S.path, len);
	else if (strcmp(S.kind, "ws") == 0)
		head = put_frame_head(to, len);
	memcpy(to + head, event, len);
	len += head;
	if (strcmp(S.kind, "nats") == 0)
		to[len++] = '\r';
	if (strcmp(S.kind, "nats") == 0 || strcmp(S.kind, "line") == 0)
		to[len++] = '\n';
	return len;
}

/* Answers are read and thrown away, so that nobody waits for us. */
static void
drain(int fd)
{
	static char data[65536];

	while (recv(fd, data, sizeof(data), MSG_DONTWAIT) > 0)
		;
}

static void
send_batch(int *fd, uint64_t first, uint64_t end)
{
	static char out[1 << 20];
	uint64_t n;
	size_t len;
	int i;

	for (i = 0; i < S.connections; i++) {
		for (n = first + (uint64_t)i, len = 0; n < end; n += (uint64_t)S.connections) {
			len += make_message(out + len, n);
			if (len > sizeof(out) - 8192) {
				put(fd[i], out, len);
				len = 0;
			}
		}
		put(fd[i], out, len);
		if (fd[i] != 1)
			drain(fd[i]);
	}
}

static void
send_all(void)
{
	int *fd = xcalloc((size_t)S.connections, sizeof(*fd)), i;
	double began;
	uint64_t sent = 0, due, most = strcmp(S.kind, "post") == 0 ? 50 : 2000;  /* what is posted is answered: not more than the socket holds */

	for (i = 0; i < S.connections; i++)
		fd[i] = S.socket != NULL ? dial_bus() : S.port == 0 ? 1 : strcmp(S.kind, "ws") == 0 ? open_ws() : dial(S.port);
	if (strcmp(S.kind, "nats") == 0)
		put(fd[0], "CONNECT {\"verbose\":false}\r\n", 27);
	began = now_s();
	while (now_s() < began + S.seconds) {
		due = (uint64_t)((now_s() - began) * S.rate);
		if (due > sent + most)
			due = sent + most;
		send_batch(fd, sent, due);
		sent = due;
		if ((double)sent + 1 > (now_s() - began) * S.rate)
			poll(NULL, 0, 1);
	}
	fprintf(stderr, "sent %ju\n", (uintmax_t)sent);
}

int
main(int argc, char **argv)
{
	int o, sending = argc > 1 && strcmp(argv[1], "send") == 0;
	struct rlimit r;

	log_open("live_load");
	signal(SIGPIPE, SIG_DFL);
	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &r);
	}
	for (optind = 2; (o = getopt(argc, argv, "n:w:t:ik:f:d:u:m:p:r:b:c:H:")) != -1;)
		switch (o) {
		case 'n': S.n = atoi(optarg); break;
		case 'w': S.warm_s = atof(optarg); break;
		case 't': S.seconds = atof(optarg); break;
		case 'i': S.idle = 1; break;
		case 'k': case 'f': S.kind = optarg; break;
		case 'd': S.deaf = atoi(optarg); break;
		case 'u': S.step = strtoull(optarg, NULL, 10); break;
		case 'm': if (S.n_messages < MESSAGES_MAX) S.message[S.n_messages++] = optarg; break;
		case 'p': if (S.n_pids < PIDS_MAX) S.pid[S.n_pids++] = atoi(optarg); break;
		case 'r': S.rate = atof(optarg); break;
		case 'b': S.bytes = (size_t)atoi(optarg); break;
		case 'c': S.connections = atoi(optarg); break;
		case 'H': S.secret = optarg; break;
		default: return 64;
		}
	if (optind >= argc || S.n < 1 || S.bytes > 4000)
		return 64;
	S.port = atoi(argv[optind]);
	if (argv[optind][0] == '/')
		S.socket = argv[optind];
	if (optind + 1 < argc)
		S.path = argv[optind + 1];
	if (sending)
		send_all();
	else
		recv_all();
	return 0;
}
