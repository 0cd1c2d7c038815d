/* Events per second through dt-fanout, acknowledged and journaled, to 1 and to 20 subscribers, beside a plain copier that does the same to the same
 * bytes: read from a socket, append to a file, write to each subscriber's socket.  And the time from publisher to subscriber, alone and
 * while others read gigabytes of old events. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "buf/buf.h"
#include "log/log.h"
#include "mem/mem.h"

#define SILENT_US 1200000               /* the bus waits a second for a subscription */
#define CHUNK (256u << 10)
#define SUBS_MAX 20
#define STAMP "{\"_seq\":1234567,\"_rx\":\"2026-11-22T13:02:03.123Z\","

static char dir[64];

static double
now_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static const char *
at(const char *name)
{
	static char out[4][160];
	static int i;

	i = (i + 1) % 4;
	(void)snprintf(out[i], sizeof out[i], "%s/%s", dir, name);
	return out[i];
}

/* ---- lines ---- */

static void
telemetry(struct buf *b, unsigned i)
{
	(void)buf_printf(b, "{\"type\":\"telemetry\",\"character_name\":\"Character %u\",\"char_tag\":\"mage%u\",\"session_id\":\"7f0f5d0e-5a1c-4d0b-9d8f-0f2c6b1f2a77\","
	    "\"timestamp\":\"2026-04-21T17:03:11.1234567Z\",\"ew\":33.%02u,\"ns\":42.%02u,\"z\":0.39,\"kills\":%u,\"kills_per_hour\":\"743\","
	    "\"onlinetime\":\"00.01:59:41\",\"deaths\":\"0\",\"total_deaths\":\"17\",\"rares_found\":\"1\",\"prismatic_taper_count\":\"8712\","
	    "\"vt_state\":\"Hunt\",\"mem_mb\":412.7,\"cpu_pct\":6.31,\"mem_handles\":1184,\"latency_ms\":38}\n", i % 60, i % 12, i % 100, i * 7 % 100, i);
}

static void
spawn(struct buf *b, unsigned i)
{
	(void)buf_printf(b, "{\"type\":\"spawn\",\"character_name\":\"Character %u\",\"timestamp\":\"2026-04-21T17:03:11.1234567Z\",\"mob\":\"Drudge %u\","
	    "\"ns\":\"42.%02u\",\"ew\":\"33.1\",\"z\":\"0.1\"}\n", i % 60, i % 500, i % 100);
}

/* ---- sockets ---- */

static int
connect_to(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
	for (int i = 0; i < 200; i++) {
		if (connect(fd, (struct sockaddr *)&sun, sizeof sun) == 0)
			return fd;
		(void)usleep(10000);
	}
	die(69, "unable to connect to %s: %s", path, strerror(errno));
}

static void
send_all(int fd, const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, p, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			die(74, "write: %s", strerror(errno));
		p += n;
		len -= (size_t)n;
	}
}

/* ---- the two ends ---- */

/* Reads from all subscribers' sockets until each has had that many lines. */
static void
read_lines(int *fds, int n, size_t lines)
{
	char *data = xmalloc(CHUNK);
	struct pollfd p[SUBS_MAX];
	size_t got[SUBS_MAX] = { 0 };
	int left = n;

	for (int i = 0; i < n; i++)
		p[i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
	while (left > 0) {
		if (poll(p, (nfds_t)n, 30000) <= 0)
			die(74, "no more lines come: %zu of %zu", got[0], lines);
		for (int i = 0; i < n; i++) {
			ssize_t r = p[i].revents ? read(fds[i], data, CHUNK) : 0;
			for (char *q = data; r > 0 && (q = memchr(q, '\n', (size_t)(data + r - q))) != NULL; q++)
				got[i]++;
			if (p[i].revents && r <= 0)
				die(74, "the stream ended after %zu of %zu lines", got[i], lines);
			if (got[i] >= lines && p[i].fd != -1) {
				p[i].fd = -1;
				left--;
			}
		}
	}
	free(data);
}

static void
publish(int fd, const struct buf *text, size_t rounds, int greet, size_t lines)
{
	static const char hello[] = "{\"hello\":{\"name\":\"bench\",\"session\":\"bench\"}}\n";
	char answers[65536], want[64];
	size_t have = 0;
	ssize_t n;

	if (greet)
		send_all(fd, hello, strlen(hello));
	for (size_t i = 0; i < rounds; i++)
		for (size_t o = 0; o < text->len; o += CHUNK) {
			send_all(fd, text->p + o, text->len - o < CHUNK ? text->len - o : CHUNK);
			while (greet && (n = recv(fd, answers, sizeof answers, MSG_DONTWAIT)) > 0)
				have = (size_t)n;
		}
	(void)snprintf(want, sizeof want, "{\"ack\":%zu}\n", lines);
	while (greet && (have < strlen(want) || memcmp(answers + have - strlen(want), want, strlen(want)) != 0)) {
		n = recv(fd, answers, sizeof answers, 0);
		if (n <= 0)
			die(74, "the last line is not acknowledged");
		have = (size_t)n;
	}
}

/* ---- what is measured ---- */

static pid_t
start_fanout(void)
{
	const char *build = getenv("B");
	char bin[4096];
	pid_t pid;

	(void)snprintf(bin, sizeof bin, "%s/bin/dt-fanout", build != NULL ? build : "build");
	if ((pid = fork()) != 0)
		return pid;
	(void)setenv("DT_DATA", at("data"), 1);
	(void)setenv("DT_RUN", dir, 1);
	(void)setenv("LOG_LEVEL", "error", 1);
	(void)execl(bin, bin, "--keep-bytes", "2G", NULL);
	_exit(127);
}

static void
copier(int in, int *out, int n)
{
	int file = open(at("copy"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	char *data = xmalloc(CHUNK);
	ssize_t r;

	while ((r = read(in, data, CHUNK)) > 0) {
		send_all(file, data, (size_t)r);
		for (int i = 0; i < n; i++)
			send_all(out[i], data, (size_t)r);
	}
	_exit(0);
}

/* The time from the first byte in to the last line out at every subscriber. */
static double
run(int in, int *subs, int n, const struct buf *text, size_t rounds, size_t lines, int greet)
{
	double begin = now_s(), took;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		publish(in, text, rounds, greet, lines);
		_exit(0);
	}
	(void)close(in);
	read_lines(subs, n, lines);
	took = now_s() - begin;
	if (waitpid(pid, &status, 0) != pid || status != 0)
		die(74, "the publisher failed");
	for (int i = 0; i < n; i++)
		(void)close(subs[i]);
	return took;
}

static double
through_copier(const struct buf *text, size_t rounds, size_t lines, int n)
{
	int in[2], pair[2], out[SUBS_MAX], subs[SUBS_MAX];
	double took;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, in) == -1)
		die(71, "socketpair: %s", strerror(errno));
	for (int i = 0; i < n; i++) {
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
			die(71, "socketpair: %s", strerror(errno));
		out[i] = pair[0];
		subs[i] = pair[1];
	}
	if ((pid = fork()) == 0) {
		(void)close(in[0]);
		copier(in[1], out, n);
	}
	(void)close(in[1]);
	for (int i = 0; i < n; i++)
		(void)close(out[i]);
	took = run(in[0], subs, n, text, rounds, lines, 0);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	(void)unlink(at("copy"));
	return took;
}

static double
through_fanout(const struct buf *text, size_t rounds, size_t lines, int n, double *cpu_s)
{
	pid_t pid = start_fanout();
	int in = connect_to(at("events.in")), subs[SUBS_MAX];
	struct rusage u;
	double took;
	char cmd[200];

	for (int i = 0; i < n; i++)
		subs[i] = connect_to(at("events.out"));
	(void)usleep(SILENT_US);         /* they say nothing and so get everything */
	took = run(in, subs, n, text, rounds, lines, 1);
	(void)kill(pid, SIGTERM);
	(void)wait4(pid, NULL, 0, &u);
	*cpu_s = (double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
	(void)snprintf(cmd, sizeof cmd, "rm -rf '%s'/*", dir);
	(void)!system(cmd);
	return took;
}

static void
measure(const char *what, void (*make)(struct buf *, unsigned), int n_subs, size_t lines)
{
	struct buf text = BUF_INIT(64u << 20), stamped = BUF_INIT(64u << 20);
	size_t per_round = 20000, rounds = lines / per_round;
	double copy_s, bus_s, cpu_s;

	lines = rounds * per_round;
	for (unsigned i = 0; i < per_round; i++) {
		make(&text, i);
		(void)buf_appends(&stamped, STAMP);
		make(&stamped, i);
	}
	copy_s = through_copier(&stamped, rounds, lines, n_subs);
	bus_s = through_fanout(&text, rounds, lines, n_subs, &cpu_s);
	printf("%-9s %3zu bytes, %2d subscriber%s: %8.0f events/s, %6.0f MB/s out; copier %8.0f events/s; ratio %.2f; %.2f us of cpu an event\n", what,
	    text.len / per_round, n_subs, n_subs == 1 ? " " : "s", (double)lines / bus_s,
	    (double)(stamped.len * rounds) * n_subs / bus_s / 1e6, (double)lines / copy_s, copy_s / bus_s, cpu_s * 1e6 / (double)lines);
	(void)fflush(stdout);
	buf_fini(&text);
	buf_fini(&stamped);
}

/* ---- latency ---- */

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Reads the whole journal over and over. */
static pid_t
start_reader(void)
{
	static const char ask[] = "{\"subscribe\":{\"from\":\"earliest\"}}\n";
	size_t left = 400u << 20;
	pid_t pid = fork();
	ssize_t n;
	char *data;
	int fd;

	if (pid != 0)
		return pid;
	data = xmalloc(CHUNK);
	for (;;) {
		fd = connect_to(at("events.out"));
		send_all(fd, ask, strlen(ask));
		for (left = 400u << 20; left > 0 && (n = read(fd, data, CHUNK)) > 0; left -= (size_t)n < left ? (size_t)n : left)
			;
		(void)close(fd);
	}
}

static void
fill_journal(size_t lines)
{
	struct buf text = BUF_INIT(64u << 20);

	for (unsigned i = 0; i < 20000; i++)
		telemetry(&text, i);
	publish(connect_to(at("events.in")), &text, lines / 20000, 1, lines);
	buf_fini(&text);
}

static void
latency(int n_readers)
{
	enum { N = 2000 };
	static double us[N];
	pid_t pid = start_fanout();
	struct buf line = BUF_INIT(4096);
	char data[65536], cmd[200];
	pid_t readers[SUBS_MAX];
	int in, out;

	if (n_readers > 0)
		fill_journal(1000000);
	in = connect_to(at("events.in"));
	out = connect_to(at("events.out"));
	telemetry(&line, 1);
	(void)usleep(SILENT_US);
	for (int i = 0; i < n_readers; i++)
		readers[i] = start_reader();
	for (int i = 0; i < N; i++) {
		double begin = now_s();
		send_all(in, line.p, line.len);
		if (read(out, data, sizeof data) <= 0)
			die(74, "the stream ended");
		us[i] = (now_s() - begin) * 1e6;
		(void)usleep(500);
	}
	qsort(us, N, sizeof *us, by_value);
	printf("latency while %d read old events, publisher to subscriber: median %.0f us, 99%% %.0f us, longest %.0f us\n", n_readers, us[N / 2],
	    us[N * 99 / 100], us[N - 1]);
	for (int i = 0; i < n_readers; i++) {
		(void)kill(readers[i], SIGKILL);
		(void)waitpid(readers[i], NULL, 0);
	}
	(void)kill(pid, SIGTERM);
	(void)waitpid(pid, NULL, 0);
	(void)snprintf(cmd, sizeof cmd, "rm -rf '%s'/*", dir);
	(void)!system(cmd);
	buf_fini(&line);
}

int
main(void)
{
	log_open("bench_bus");
	(void)signal(SIGPIPE, SIG_IGN);
	(void)snprintf(dir, sizeof dir, "/tmp/dt-bench.XXXXXX");
	if (mkdtemp(dir) == NULL)
		die(73, "mkdtemp: %s", strerror(errno));
	measure("telemetry", telemetry, 1, 1000000);
	measure("spawn", spawn, 1, 2000000);
	measure("telemetry", telemetry, 20, 200000);
	measure("spawn", spawn, 20, 400000);
	latency(0);
	latency(5);
	(void)rmdir(dir);
	return 0;
}
