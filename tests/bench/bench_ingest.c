/* bench_ingest: how many frames dt-ingest takes from 60 plugins in a second of its own CPU time, beside a server of the same glue that does nothing
 * with them.  The bus is a stand-in that acknowledges whatever it reads; dt-ingest's limits are off. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "buf/buf.h"
#include "http/http.h"
#include "log/log.h"
#include "mem/mem.h"

#define CONNECTIONS 60
#define BATCH 100                        /* frames that a connection's buffer holds */
#define BATCHES 400                      /* times each buffer is sent: 2.4 million frames */

static char dir[] = "/tmp/bench_ingest.XXXXXX";

static double
seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double
wall(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static pid_t
spawn(void)
{
	pid_t pid;

	fflush(NULL);
	if ((pid = fork()) == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

static int
unix_socket(const char *name, int listening)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), i;

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/%s", dir, name);
	if (listening) {
		if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) != 0 || listen(fd, 5) != 0)
			die(71, "%s: %s", sun.sun_path, strerror(errno));
		return fd;
	}
	for (i = 0; i < 500; i++) {
		if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
			return fd;
		poll(NULL, 0, 10);
	}
	die(69, "%s: %s", sun.sun_path, strerror(errno));
}

/* events.in: welcomes, and acknowledges every line. */
static void
bus(int listener)
{
	static char data[1 << 20];
	char answer[128], session[64] = "";
	unsigned long lines = 0;
	int fd = accept(listener, NULL, NULL), n;
	ssize_t got;

	while ((got = read(fd, data, sizeof(data) - 1)) > 0) {
		const char *p = data, *end = data + got;

		data[got] = '\0';
		if (session[0] == '\0') {
			const char *s = strstr(data, "\"session\":\"");

			if (s == NULL || sscanf(s + 11, "%63[^\"]", session) != 1)
				_exit(1);
			n = snprintf(answer, sizeof(answer), "{\"welcome\":{\"session\":\"%s\",\"next\":1}}\n", session);
		} else {
			while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
				lines++;
				p++;
			}
			n = snprintf(answer, sizeof(answer), "{\"ack\":%lu}\n", lines);
		}
		if (write(fd, answer, (size_t)n) != n)
			break;
	}
	_exit(0);
}

static int
accept_all(void *priv, struct http_req *r, void **conn_priv)
{
	(void)priv, (void)r;
	*conn_priv = NULL;
	return 0;
}

static void
do_nothing(void *priv, struct http_ws *ws, const char *data, size_t len, int binary)
{
	(void)priv, (void)ws, (void)data, (void)len, (void)binary;
}

static void
idle_server(void)
{
	static const struct http_ws_handler handler = { .max_message = 1 << 24, .on_upgrade = accept_all, .on_message = do_nothing };
	struct http *h = http_new(0);
	char path[128];

	snprintf(path, sizeof(path), "%s/ingest.sock", dir);
	http_route_ws(h, "/ws/position", &handler, NULL);
	if (http_listen_unix(h, path, 0600) != 0)
		die(71, "%s: %s", path, strerror(errno));
	(void)http_run(h);
	http_drain(h, 1000);
	http_free(&h);
	exit(0);
}

static void
put_frame(struct buf *b, const char *text, size_t len)
{
	unsigned char head[8] = { 0x81, (unsigned char)(0x80 | 126), (unsigned char)(len >> 8), (unsigned char)len, 1, 2, 3, 4 };
	size_t i;
	char c;

	(void)buf_append(b, head, 8);
	for (i = 0; i < len; i++) {
		c = (char)(text[i] ^ head[4 + i % 4]);
		(void)buf_append(b, &c, 1);
	}
}

static void
make_batch(struct buf *b, int character)
{
	char text[1024];
	int i, n;

	buf_init(b, 1 << 20);
	for (i = 0; i < BATCH; i++) {
		n = snprintf(text, sizeof(text), "{\"type\":\"telemetry\",\"character_name\":\"Bencher %d\",\"char_tag\":\"mage%d\","
		    "\"session_id\":\"7f0f5d0e-5a1c-4d0b-9d8f-0f2c6b1f2a77\",\"timestamp\":\"2026-04-21T17:03:%02d.1234567Z\",\"ew\":33.58,\"ns\":42.%02d,"
		    "\"z\":0.39,\"kills\":%d,\"kills_per_hour\":\"743\",\"onlinetime\":\"00.01:59:41\",\"deaths\":\"0\",\"total_deaths\":\"17\","
		    "\"rares_found\":\"1\",\"prismatic_taper_count\":\"8712\",\"vt_state\":\"Hunt\",\"mem_mb\":412.7,\"cpu_pct\":6.31,"
		    "\"mem_handles\":1184,\"latency_ms\":38}", character, character, i % 60, i, 1000 + i);
		put_frame(b, text, (size_t)n);
	}
}

static void
upgrade(int fd)
{
	static const char request[] = "GET /ws/position?secret=bench-secret-1234 HTTP/1.1\r\nHost: b\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
	char answer[2048];

	if (write(fd, request, sizeof(request) - 1) != sizeof(request) - 1 || read(fd, answer, sizeof(answer)) <= 0 ||
	    strncmp(answer, "HTTP/1.1 101", 12) != 0)
		die(69, "no upgrade");
}

struct plugin {
	int fd, batches;
	struct buf b;
	size_t at;
};

/* Writes what the socket takes; 1 when all is written.  A ping stands at the end: its pong says that all before it was taken. */
static int
write_some(struct plugin *c)
{
	static const char ping[] = { (char)0x89, (char)0x80, 0, 0, 0, 0 };
	ssize_t n = write(c->fd, buf_data(&c->b) + c->at, buf_size(&c->b) - c->at);

	if (n <= 0)
		die(74, "write: %s", strerror(errno));
	c->at += (size_t)n;
	if (c->at < buf_size(&c->b))
		return 0;
	c->at = 0;
	if (++c->batches < BATCHES)
		return 0;
	if (write(c->fd, ping, sizeof(ping)) != sizeof(ping))
		die(74, "write: %s", strerror(errno));
	return 1;
}

static void
load(void)
{
	static struct plugin c[CONNECTIONS];
	struct pollfd p[CONNECTIONS];
	char answer[4096];
	int i, open = CONNECTIONS;

	for (i = 0; i < CONNECTIONS; i++) {
		c[i].fd = unix_socket("ingest.sock", 0);
		upgrade(c[i].fd);
		make_batch(&c[i].b, i);
		fcntl(c[i].fd, F_SETFL, O_NONBLOCK);
		p[i] = (struct pollfd){ .fd = c[i].fd, .events = POLLOUT };
	}
	while (open > 0 && poll(p, CONNECTIONS, 20000) > 0)
		for (i = 0; i < CONNECTIONS; i++) {
			if (p[i].revents & POLLIN) {
				if (read(c[i].fd, answer, sizeof(answer)) <= 0 || (unsigned char)answer[0] != 0x8a)
					die(65, "refused: %.200s", answer);
				p[i].fd = -1;
				open--;
			} else if (p[i].revents & POLLOUT && write_some(&c[i]))
				p[i].events = POLLIN;
			else if (p[i].revents & (POLLERR | POLLHUP))
				die(74, "the server has closed");
		}
	if (open > 0)
		die(69, "%d connections were not read to their end", open);
	exit(0);
}

/* Frames per CPU second of the server that is process pid. */
static double
measure(const char *name, pid_t pid)
{
	struct rusage use;
	double begin = wall(), took, frames = (double)CONNECTIONS * BATCH * BATCHES, rate;
	int status;
	pid_t loader = spawn();

	if (loader == 0)
		load();
	if (waitpid(loader, &status, 0) != loader || status != 0)
		die(1, "the load failed");
	took = wall() - begin;
	kill(pid, SIGTERM);
	if (wait4(pid, &status, 0, &use) != pid || status != 0)
		die(1, "%s did not end well: %d", name, status);
	rate = frames / (seconds(use.ru_utime) + seconds(use.ru_stime));
	printf("%-28s %10.0f frames per CPU second  (%.0f a second, user %.2f s, system %.2f s, %ld MB)\n", name, rate, frames / took,
	    seconds(use.ru_utime), seconds(use.ru_stime), use.ru_maxrss / 1024);
	return rate;
}

static pid_t
start_ingest(const char *program)
{
	pid_t pid = spawn();

	if (pid == 0) {
		execl(program, "dt-ingest", "--max-messages", "0", "--max-bytes", "0", (char *)NULL);
		die(71, "%s: %s", program, strerror(errno));
	}
	return pid;
}

int
main(void)
{
	char ingest[512], command[128];
	double rate, idle;
	int listener;
	pid_t pid, sink;

	log_open("bench_ingest");
	if (mkdtemp(dir) == NULL)
		die(73, "%s: %s", dir, strerror(errno));
	snprintf(ingest, sizeof(ingest), "%s/bin/dt-ingest", getenv("B") != NULL ? getenv("B") : "build");
	setenv("DT_RUN", dir, 1);
	setenv("DT_DATA", dir, 1);
	setenv("DT_ENV_FILE", "/dev/null", 1);
	setenv("SHARED_SECRET", "bench-secret-1234", 1);
	setenv("LOG_LEVEL", "error", 1);
	log_level_set(LOG_LEVEL_ERROR);
	if ((pid = spawn()) == 0)
		idle_server();
	idle = measure("the same glue, doing nothing", pid);
	listener = unix_socket("events.in", 1);
	if ((sink = spawn()) == 0)
		bus(listener);
	rate = measure("dt-ingest", start_ingest(ingest));
	printf("ratio %.2f of the idle glue; aim 150000: %s\n", rate / idle, rate >= 150000 ? "met" : "missed");
	kill(sink, SIGTERM);
	waitpid(sink, NULL, 0);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) != 0 || rate < 150000;
}
