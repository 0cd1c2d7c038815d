/* lib/http over real sockets: a server in a child process, raw bytes and lib/http's own client against it. */
#include "http/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock/clock.h"
#include "log/log.h"
#include "mem/mem.h"
#include "suite.h"

#define WAIT_MS 60000

static int port;
static char dir[64];             /* of files to be served; "": none */
static pid_t child;
static char sock_path[64];

/* ---- the server under test ---- */

static struct {
	struct http *h;
	struct http_req *deferred;
	struct pollable answer;
	int gone, closed, streamed, broken_upgrades, upgrades, last_code;
} S;

static void
on_hello(void *priv, struct http_req *r)
{
	char text[512];
	size_t len;
	const char *body = http_req_body(r, &len), *q = http_req_query(r, "q"), *x = http_req_header(r, "x-thing");

	(void)priv;
	snprintf(text, sizeof(text), "%s %s tail=%s q=%s x=%s peer=%s body=%.*s", http_req_method(r), http_req_path(r), http_req_tail(r),
	    q ? q : "-", x ? x : "-", http_req_peer(r), (int)len, body);
	http_reply_header(r, "x-inject", "a\r\nb: c");
	http_reply(r, 200, "text/plain", text, strlen(text));
}

static void
on_big(void *priv, struct http_req *r)
{
	size_t len = 3u << 20;
	char *text = xmalloc(len);

	(void)priv;
	memset(text, 'x', len);
	http_reply(r, 200, http_req_query(r, "bin") ? "application/octet-stream" : "application/json", text, len);
	free(text);
}

static void
answer_later(struct pollable *p, short revents, int64_t now_ms)
{
	(void)revents, (void)now_ms;
	p->deadline_ms = CLOCK_NEVER;
	if (S.deferred != NULL)
		http_reply(S.deferred, 200, "text/plain", "late", 4);
	S.deferred = NULL;
}

static void
on_gone(void *priv)
{
	(void)priv;
	S.deferred = NULL;
	S.answer.deadline_ms = CLOCK_NEVER;
	S.gone++;
}

static void
on_defer(void *priv, struct http_req *r)
{
	(void)priv;
	S.deferred = r;
	S.answer.deadline_ms = http_now(S.h) + (http_req_query(r, "never") ? 1000000 : 50);
	http_defer(r, on_gone, NULL);
}

static void
more(void *priv, struct http_req *r)
{
	char text[1000];

	(void)priv;
	memset(text, 'y', sizeof(text));
	http_stream_write(r, text, sizeof(text));
	if (++S.streamed == 1000)
		http_stream_end(r);
}

static void
more_endless(void *priv, struct http_req *r)
{
	(void)priv;
	if (S.streamed++ == 0)
		http_stream_write(r, ":\n\n", 3);
}

static void
on_closed(void *priv)
{
	(void)priv;
	S.closed++;
}

static void
on_stream(void *priv, struct http_req *r)
{
	(void)priv;
	S.streamed = 0;
	http_stream(r, 200, "text/event-stream", http_req_query(r, "endless") ? more_endless : more, on_closed, NULL);
}

static void
on_counts(void *priv, struct http_req *r)
{
	char text[256];

	(void)priv;
	snprintf(text, sizeof(text), "gone=%d closed=%d upgrades=%d broken=%d code=%d", S.gone, S.closed, S.upgrades, S.broken_upgrades, S.last_code);
	http_reply(r, 200, "text/plain", text, strlen(text));
}

static int
ws_upgrade(void *priv, struct http_req *r, void **conn_priv)
{
	const char *secret = http_req_query(r, "secret");

	(void)priv;
	*conn_priv = NULL;
	if (secret == NULL)
		return 401;
	if (strcmp(secret, "s") != 0)
		return 403;
	S.upgrades++;
	return 0;
}

static void
ws_message(void *priv, struct http_ws *ws, const char *data, size_t len, int binary)
{
	char text[64];

	(void)priv;
	if (len == 5 && memcmp(data, "close", 5) == 0)
		http_ws_close(ws, 4000, "as you wish");
	else if (len > 1000 || binary) {
		snprintf(text, sizeof(text), "%s %zu", binary ? "binary" : "long", len);
		http_ws_send(ws, text, strlen(text));
	} else
		http_ws_send(ws, data, len);
}

static void
ws_close(void *priv, struct http_ws *ws, int code)
{
	(void)priv;
	S.last_code = code;
	S.broken_upgrades += ws == NULL;
	S.upgrades--;
}

static const struct http_ws_handler echo = { .max_message = 1u << 20, .on_upgrade = ws_upgrade, .on_message = ws_message, .on_close = ws_close };

static void
routes(struct http *h)
{
	static const char *const headers[] = { "X-Content-Type-Options", "nosniff", NULL };

	http_headers(h, headers);
	http_route(h, "GET,POST", "/hello", on_hello, NULL);
	http_route(h, "DELETE", "/hello", on_hello, NULL);
	http_route(h, "GET", "/hello/*", on_hello, NULL);
	http_route(h, "GET", "/of/{name}", on_hello, NULL);
	http_route(h, "PATCH", "/of/{name}", on_hello, NULL);
	http_route(h, "POST", "/of/{name}/more", on_hello, NULL);
	http_route(h, "GET", "/of/all", on_hello, NULL);
	http_route(h, "GET", "/big", on_big, NULL);
	http_route(h, "GET", "/defer", on_defer, NULL);
	http_route(h, "GET", "/stream", on_stream, NULL);
	http_route(h, "GET", "/counts", on_counts, NULL);
	http_route_ws(h, "/ws/echo", &echo, NULL);
	if (dir[0] != '\0') {
		char www[128];

		snprintf(www, sizeof(www), "%s/www", dir);
		http_static(h, www);
	}
}

static void
serve(int ready)
{
	struct http *h;
	int p = 0;

	log_open("test_http");
	h = S.h = http_new(100000);
	S.answer = (struct pollable){ .fd = -1, .deadline_ms = CLOCK_NEVER, .handle = answer_later };
	http_add(h, &S.answer);
	routes(h);
	if (http_listen_tcp(h, "127.0.0.1", &p) != 0 || http_listen_unix(h, sock_path, 0660) != 0)
		_exit(2);
	if (write(ready, &p, sizeof(p)) != sizeof(p))
		_exit(3);
	if (http_run(h) != SIGTERM)
		_exit(4);
	http_drain(h, 2000);
	http_del(h, &S.answer);
	http_free(&h);
	exit(0);                 /* with exit handlers: the sanitizers look for leaks there */
}

static void
start(void)
{
	int fd[2];

	snprintf(sock_path, sizeof(sock_path), "/tmp/test_http.%d", (int)getpid());
	ck_assert_int_eq(pipe(fd), 0);
	fflush(NULL);
	if ((child = fork()) == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(fd[0]);
		serve(fd[1]);
	}
	close(fd[1]);
	ck_assert_int_eq(read(fd[0], &port, sizeof(port)), sizeof(port));
	close(fd[0]);
}

static void
stop(void)
{
	int status;

	kill(child, SIGTERM);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert_int_ne(access(sock_path, F_OK), 0);
}

/* ---- raw clients ---- */

static int
dial(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval tv = { WAIT_MS / 1000, 0 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	return fd;
}

static void
say(int fd, const void *data, size_t len)
{
	ck_assert_int_eq(send(fd, data, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void
says(int fd, const char *text)
{
	say(fd, text, strlen(text));
}

/* What comes, until the text appears (0) or the peer closes (1). */
static char reply[8 << 20];
static size_t reply_len;

static int
hear(int fd, const char *until)
{
	ssize_t n;

	reply_len = 0;
	reply[0] = '\0';
	for (;;) {
		if (until != NULL && reply_len > 0 && memmem(reply, reply_len, until, strlen(until)) != NULL)
			return 0;
		n = recv(fd, reply + reply_len, sizeof(reply) - 1 - reply_len, 0);
		if (n < 0 && errno == ECONNRESET)
			return 1;
		ck_assert_msg(n >= 0, "nothing came for %d ms, after: %.200s", WAIT_MS, reply);
		if (n == 0)
			return 1;
		reply_len += (size_t)n;
		reply[reply_len] = '\0';
	}
}

static void
has(const char *text)
{
	ck_assert_msg(strstr(reply, text) != NULL, "no \"%s\" in: %.600s", text, reply);
}

static void
hasnt(const char *text)
{
	ck_assert_msg(strstr(reply, text) == NULL, "\"%s\" in: %.600s", text, reply);
}

/* One request on a connection of its own, answered and closed. */
static void
ask(const char *request)
{
	int fd = dial();

	says(fd, request);
	hear(fd, NULL);
	close(fd);
}

#define END "Host: a\r\nConnection: close\r\n\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" END

static void
status(const char *request, const char *expect)
{
	char line[64];

	ask(request);
	snprintf(line, sizeof(line), "HTTP/1.1 %s ", expect);
	ck_assert_msg(strncmp(reply, line, strlen(line)) == 0, "expected %s for %.60s, got: %.300s", expect, request, reply);
}

static void
wait_counts(const char *text)
{
	int i;

	for (i = 0; i < 6000; i++) {
		ask(GET("/counts"));
		if (strstr(reply, text) != NULL)
			return;
		poll(NULL, 0, 10);
	}
	ck_abort_msg("never \"%s\": %s", text, reply);
}

/* ---- requests ---- */

START_TEST(answers)
{
	status(GET("/hello?q=a%20b&q=c"), "200");
	has("GET /hello tail= q=a b x=- peer=127.0.0.1 body=");
	has("x-inject: ab: c\r\n");
	has("X-Content-Type-Options: nosniff\r\n");
	status("GET /api/hello/a%2Fb%20c HTTP/1.1\r\nX-Thing: y\r\n" END, "200");
	has("GET /hello/a/b c tail=a/b c q=- x=y");
	status("POST /hello HTTP/1.1\r\nContent-Length: 3\r\n" END "abc", "200");
	has("body=abc");
	status("POST /hello HTTP/1.1\r\nContent-Length: 0\r\n" END, "200");
	status("POST /hello HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n" END "abc", "100");
	has("\r\n\r\nHTTP/1.1 200 ");
	status("DELETE /hello HTTP/1.1\r\n" END, "200");
	status("GET /hello HTTP/1.0\r\n\r\n", "200");
	status("HEAD /hello HTTP/1.1\r\n" END, "200");
	hasnt("peer=");
	status(GET("/nothing"), "404");
	has("{\"error\":\"there is nothing at /nothing\",\"code\":\"not_found\"}");
	status("PUT /hello HTTP/1.1\r\nContent-Length: 1\r\n" END "x", "405");
	has("allow: GET, HEAD, POST, DELETE\r\n");
	status("OPTIONS /big HTTP/1.1\r\n" END, "405");
	status(GET("/ws/echo"), "426");
}
END_TEST

/* A {name} in a path is anything that is not empty; what is more literal wins. */
START_TEST(names_in_paths)
{
	status(GET("/of/D%27Arc%20%22x%22%2Fy%3Cb%3E"), "200");
	has("tail=D'Arc \"x\"/y<b> q=");
	status(GET("/api/of/%2Ba%25b?q=1"), "200");
	has("tail=+a%b q=1");
	status(GET("/of/all"), "200");
	has("GET /of/all tail= q=");
	status(GET("/of/"), "404");
	status(GET("/of"), "404");
	status("POST /of/a/more HTTP/1.1\r\nContent-Length: 0\r\n" END, "200");
	has("POST /of/a/more tail=a q=");
	status("POST /of/a HTTP/1.1\r\nContent-Length: 0\r\n" END, "405");
	has("allow: GET, HEAD, PATCH\r\n");
	status("PATCH /of/a/more HTTP/1.1\r\nContent-Length: 0\r\n" END, "200");
	has("PATCH /of/a/more tail=a/more q=");
}
END_TEST

START_TEST(keeps_alive)
{
	static const char two[] = "GET /hello?q=1 HTTP/1.1\r\nHost: a\r\n\r\nGET /hello?q=2 HTTP/1.1\r\nHost: a\r\n\r\n";
	int fd = dial();

	says(fd, two);
	hear(fd, "q=2");
	has("q=1");
	says(fd, two);
	hear(fd, "q=2");
	says(fd, "GET /defer HTTP/1.1\r\nHost: a\r\n\r\nGET /hello?q=9 HTTP/1.1\r\nHost: a\r\n\r\n");
	hear(fd, "q=9");
	has("late");
	ck_assert(strstr(reply, "late") < strstr(reply, "q=9"));
	close(fd);
}
END_TEST

/* CPU time of the server in clock ticks. */
static long
ticks(void)
{
	char path[64], line[1024];
	long user, system;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)child);
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), f));
	fclose(f);
	ck_assert_int_eq(sscanf(strrchr(line, ')'), ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld", &user, &system), 2);
	return user + system;
}

/* While an answer is being waited for, what else the client has sent must not keep the loop awake. */
START_TEST(waiting_is_quiet)
{
	static const char *const requests[] = {
		"GET /defer?never=1 HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /defer?never=1 HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /stream?endless=1 HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /stream?endless=1 HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n",
	};
	long before;
	size_t i;
	int fd;

	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		fd = dial();
		says(fd, requests[i]);
		poll(NULL, 0, 100);
		says(fd, "and more");
		before = ticks();
		poll(NULL, 0, 500);
		ck_assert_msg(ticks() - before < 10, "%zu: %ld ticks in half a second", i, ticks() - before);
		close(fd);
	}
}
END_TEST

/* One answer, with this status, and the end. */
static void
only(const char *request, const char *expect)
{
	char *first;

	status(request, expect);
	first = strstr(reply, "HTTP/1.1 ");
	ck_assert_msg(strstr(first + 1, "HTTP/1.1 ") == NULL, "a second answer to %.80s: %.600s", request, reply);
	hasnt("smuggled");
}

#define SMUGGLED "GET /hello?q=smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

/* What somebody before us might have understood otherwise: a refusal, and nothing behind it is read. */
START_TEST(F49_smuggling)
{
	only("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 60\r\n\r\nabcde" SMUGGLED, "400");
	only("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\ncontent-length: 5\r\n\r\nabcde" SMUGGLED, "400");
	only("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nabcde" SMUGGLED, "400");
	only("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SMUGGLED, "400");
	only("POST /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" SMUGGLED, "411");
	only("GET /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SMUGGLED, "411");
	only("GET /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" SMUGGLED, "411");
	only("GET /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" SMUGGLED, "411");
	only("POST /hello HTTP/1.1\r\nHost: a\r\n\r\n" SMUGGLED, "411");
	only("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n" SMUGGLED, "400");
	only("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nabcde" SMUGGLED, "400");
	only("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nabcde" SMUGGLED, "400");
	only("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 1x\r\n\r\n" SMUGGLED, "400");
	only("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\n\r\n" SMUGGLED, "413");
	only("GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\nabcde" SMUGGLED, "400");
	only("GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length\t: 5\r\n\r\nabcde" SMUGGLED, "400");
	only("GET /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n" SMUGGLED, "400");
	only("GET /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n" SMUGGLED, "400");
	only("GET /hello HTTP/1.1\r\n\r\n" SMUGGLED, "400");
	only("GET /hello HTTP/1.1\r\n Host: a\r\n\r\n" SMUGGLED, "400");
	only("GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" SMUGGLED, "400");
	only("GET /hello HTTP/1.1\r\nHost: a\r\nHost : b\r\n\r\n" SMUGGLED, "400");
	only("GET /hello HTTP/1.1\r\nHost: a\r\nHost\t: b\r\n\r\n" SMUGGLED, "400");
	only("GET /hello HTTP/9.9\r\nHost: a\r\n\r\n" SMUGGLED, "400");
	only("GET /hello\r\nHost: a\r\n\r\n" SMUGGLED, "400");
	only("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" SMUGGLED, "200");
	only("GET /hello HTTP/1.1\nHost: a\nConnection: close\n\n" SMUGGLED, "200");      /* RFC 9112, 2.2 allows it */
}
END_TEST

START_TEST(big_and_gzip)
{
	status(GET("/big"), "200");
	ck_assert_uint_gt(reply_len, 3u << 20);
	status("GET /big HTTP/1.1\r\nAccept-Encoding: br, gzip\r\n" END, "200");
	has("content-encoding: gzip\r\n");
	ck_assert_uint_lt(reply_len, 100000);
	status("GET /big HTTP/1.1\r\nAccept-Encoding: gzip;q=0\r\n" END, "200");
	hasnt("content-encoding");
	status("GET /big?bin=1 HTTP/1.1\r\nAccept-Encoding: gzip\r\n" END, "200");
	hasnt("content-encoding");
}
END_TEST

START_TEST(streams)
{
	int fd;

	status(GET("/stream"), "200");
	has("transfer-encoding: chunked\r\n");
	has("\r\n0\r\n\r\n");
	ck_assert_uint_gt(reply_len, 1000000);
	wait_counts("closed=1");
	status("GET /stream HTTP/1.0\r\n\r\n", "200");
	hasnt("chunked");
	wait_counts("closed=2");
	fd = dial();
	says(fd, "GET /stream?endless=1 HTTP/1.1\r\nHost: a\r\n\r\n");
	hear(fd, ":\n\n");
	close(fd);
	wait_counts("closed=3");
	status(GET("/defer"), "200");
	has("late");
	fd = dial();
	says(fd, "GET /defer?never=1 HTTP/1.1\r\nHost: a\r\n\r\n");
	wait_counts("gone=0");
	close(fd);
	wait_counts("gone=1");
}
END_TEST

START_TEST(listens_on_loopback_only)
{
	char command[128], line[256];
	struct stat st;
	FILE *f;
	int n = 0;

	/* state 0A is LISTEN: the kernel's own table, in which a wildcard socket would show */
	snprintf(command, sizeof(command), "cat /proc/net/tcp /proc/net/tcp6 | grep ':%04X [0-9A-F]*:0000 0A'", (unsigned)port);
	f = popen(command, "r");
	while (fgets(line, sizeof(line), f) != NULL) {
		n++;
		ck_assert_msg(strstr(line, " 0100007F:") != NULL, "%s", line);
	}
	pclose(f);
	ck_assert_int_eq(n, 1);
	ck_assert_int_eq(stat(sock_path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0660);
}
END_TEST

START_TEST(listen_errors)
{
	struct http *h = http_new(100);
	char path[200];
	int p = port, q = 0;

	ck_assert_int_eq(http_listen_tcp(h, "127.0.0.1", &p), -1);
	ck_assert_int_eq(errno, EADDRINUSE);
	ck_assert_int_eq(http_listen_tcp(h, "localhost", &q), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(http_listen_unix(h, sock_path, 0600), -1);
	ck_assert_int_eq(errno, EADDRINUSE);
	memset(path, 'a', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	ck_assert_int_eq(http_listen_unix(h, path, 0600), -1);
	ck_assert_int_eq(errno, ENAMETOOLONG);
	ck_assert_int_eq(http_listen_unix(h, "/tmp", 0600), -1);
	ck_assert_int_eq(errno, EEXIST);
	http_free(&h);
	ck_assert_ptr_null(h);
}
END_TEST

/* ---- files ---- */

static void
put_file(const char *name, const char *text, size_t times)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	while (times-- > 0)
		fputs(text, f);
	fclose(f);
}

static void
make_dir(void)
{
	char path[768];

	snprintf(dir, sizeof(dir), "/tmp/test_http_dir.%d", (int)getpid());
	snprintf(path, sizeof(path), "mkdir -p %s/www/assets %s/www/.git && ln -s ../secret.txt %s/www/out.txt && ln -s index.html %s/www/in.html && mkfifo %s/www/fifo",
	    dir, dir, dir, dir, dir);
	ck_assert_int_eq(system(path), 0);
	put_file("secret.txt", "SECRET", 1);
	put_file("www/.git/config", "SECRET", 1);
	put_file("www/.env", "SECRET", 1);
	put_file("www/index.html", "<p>hello</p>\n", 100);
	put_file("www/assets/a-1234.js", "let a = 1;\n", 1000);
	put_file("www/b.css", "plain", 1000);
	put_file("www/b.css.gz", "ZIPPED", 1);
	put_file("www/p.png", "PNG", 400000);
	start();
}

static void
remove_dir(void)
{
	char command[128];

	stop();
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0);
}

START_TEST(files)
{
	char etag[128], request[512];

	status(GET("/"), "200");
	has("content-type: text/html; charset=utf-8\r\n");
	has("cache-control: no-cache\r\n");
	has("content-length: 1300\r\n");
	has("\r\n\r\n<p>hello</p>\n");
	ck_assert_int_eq(sscanf(strstr(reply, "etag: "), "etag: %100s", etag), 1);
	snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nIf-None-Match: W/\"x\", %s\r\n" END, etag);
	status(request, "304");
	hasnt("hello");
	status("GET / HTTP/1.1\r\nIf-None-Match: \"x\"\r\n" END, "200");
	status(GET("/in.html"), "200");
	status("HEAD /index.html HTTP/1.1\r\n" END, "200");
	hasnt("hello");
	status("GET /assets/a-1234.js HTTP/1.1\r\nAccept-Encoding: gzip\r\n" END, "200");
	has("immutable");
	has("content-encoding: gzip\r\n");
	ck_assert_uint_lt(reply_len, 1000);
	status("GET /b.css HTTP/1.1\r\nAccept-Encoding: gzip\r\n" END, "200");
	has("\r\n\r\nZIPPED");
	status(GET("/b.css"), "200");
	has("content-length: 5000\r\n");
	status(GET("/p.png"), "200");
	ck_assert_uint_gt(reply_len, 1200000);
	put_file("www/assets/a-1234.js", "let b = 2;\n", 1000);
	status("GET /assets/a-1234.js HTTP/1.1\r\nAccept-Encoding: gzip\r\n" END, "200");
	status("POST / HTTP/1.1\r\nContent-Length: 1\r\n" END "x", "405");
	snprintf(request, sizeof(request), "cd %s && mv www old && mkdir new && ln -s new www && echo NEXT > new/index.html", dir);
	ck_assert_int_eq(system(request), 0);
	status(GET("/"), "200");                         /* a link that leads elsewhere now */
	has("NEXT");
}
END_TEST

START_TEST(no_way_out)
{
	static const char *const paths[] = { "/out.txt", "/.env", "/.git/config", "/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/%2e%2e%2fsecret.txt",
	    "/assets/../../secret.txt", "/assets/..%2f..%2fsecret.txt", "/..%5csecret.txt", "/..\\secret.txt", "/%252e%252e/secret.txt", "/..%c0%afsecret.txt",
	    "/....//secret.txt", "//../secret.txt", "/./../secret.txt", "/assets/%2e%2e/%2e%2e/secret.txt", "/..;/secret.txt", "/%2e%2e;/secret.txt",
	    "/..%00/secret.txt", "/secret.txt%00.html", "/index.html%00", "/index.html/", "/assets", "/fifo", "/%", "/%zz", "/..", "/.", "/.%2e/secret.txt",
	    "http://a/../secret.txt", "/../../../../../../../../etc/passwd", "/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd" };
	char request[512];
	size_t i;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n" END, paths[i]);
		ask(request);
		hasnt("SECRET");
		hasnt("root:");
		ck_assert_msg(strstr(paths[i], "secret") == NULL || strncmp(reply, "HTTP/1.1 200", 12) != 0, "%s: %.300s", paths[i], reply);
	}
	status(GET("/"), "200");
}
END_TEST

/* ---- WebSockets, raw ---- */

static int
upgrade(const char *path, const char *headers)
{
	char request[1024];
	int fd = dial();

	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n", path, headers);
	says(fd, request);
	hear(fd, "\r\n\r\n");
	return fd;
}

static void
refused(const char *path, const char *headers, const char *expect)
{
	close(upgrade(path, headers));
	ck_assert_msg(strncmp(reply, expect, strlen(expect)) == 0, "%s: %.300s", path, reply);
}

static void
say_frame(int fd, int first, uint64_t announce, const void *data, size_t len)
{
	unsigned char *to = xcalloc(1, len + 16);
	size_t n = 2, i;

	to[0] = (unsigned char)first;
	if (announce < 126)
		to[1] = (unsigned char)announce;
	else if (announce < 65536) {
		to[1] = 126;
		n = 4;
	} else {
		to[1] = 127;
		n = 10;
	}
	for (i = 2; i < n; i++)
		to[i] = (unsigned char)(announce >> 8 * (n - 1 - i));
	to[1] |= 0x80;           /* masked with zeros */
	n += 4;
	memcpy(to + n, data, len);
	say(fd, to, n + len);
	free(to);
}

static void
closes_with(int fd, int code)
{
	const char want[2] = { (char)(code >> 8), (char)code };

	hear(fd, NULL);
	ck_assert_uint_ge(reply_len, 4);
	ck_assert_int_eq((unsigned char)reply[0], 0x88);
	ck_assert_int_eq(memcmp(reply + 2, want, 2), 0);
	close(fd);
}

START_TEST(ws_refusals)
{
	refused("/ws/echo", "", "HTTP/1.1 401 ");
	has("\"code\":\"unauthorized\"");
	refused("/ws/echo?secret=x", "", "HTTP/1.1 403 ");
	refused("/ws/none?secret=s", "", "HTTP/1.1 404 ");
	refused("/ws/echo?secret=s", "Sec-WebSocket-Protocol: x\r\n", "HTTP/1.1 400 ");
	refused("/ws/echo?secret=s", "Content-Length: 5\r\n", "HTTP/1.1 400 ");
	ask("GET /hello HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n\r\n");
	hasnt("101 Switching");
	ask("GET /ws/echo?secret=s HTTP/1.1\r\nHost: a\r\nUpgrade: foo\r\nConnection: Upgrade\r\n\r\n");
	hasnt("101 Switching");
	ask("GET /ws/echo?secret=s HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
	has("HTTP/1.1 426 ");
	wait_counts("upgrades=0 broken=0");
	refused("/ws/echo?secret=s", "Connection: keep-alive\r\n", "");
	refused("/api/ws/echo?secret=s", "", "HTTP/1.1 101 ");
	wait_counts("upgrades=0");
}
END_TEST

START_TEST(ws_messages)
{
	int fd = upgrade("/ws/echo?secret=s", "");
	char *big = xcalloc(1, 1u << 20);

	say_frame(fd, 0x81, 5, "hello", 5);
	hear(fd, "hello");
	ck_assert_int_eq(memcmp(reply, "\x81\x05hello", 7), 0);
	say_frame(fd, 0x81, 0, "", 0);           /* the empty message */
	say_frame(fd, 0x01, 2, "ab", 2);
	say_frame(fd, 0x89, 1, "p", 1);          /* a ping inside of a fragmented message */
	say_frame(fd, 0x00, 0, "", 0);
	say_frame(fd, 0x80, 2, "cd", 2);
	hear(fd, "abcd");
	ck_assert_ptr_nonnull(memmem(reply, reply_len, "\x81\x00", 2));
	ck_assert_ptr_nonnull(memmem(reply, reply_len, "\x8a\x01p", 3));
	say_frame(fd, 0x82, 3, "xyz", 3);
	hear(fd, "binary 3");
	memset(big, 'b', 1u << 20);
	say_frame(fd, 0x81, 1u << 20, big, 1u << 20);
	hear(fd, "long 1048576");
	say_frame(fd, 0x81, 5, "close", 5);
	closes_with(fd, 4000);
	wait_counts("upgrades=0 broken=0 code=4000");
	free(big);
}
END_TEST

START_TEST(F29_too_long)
{
	int fd = upgrade("/ws/echo?secret=s", "");
	char *big = xcalloc(1, 600000);

	say_frame(fd, 0x81, 1ull << 40, "x", 1);         /* announced only: refused at once */
	closes_with(fd, 1009);
	fd = upgrade("/ws/echo?secret=s", "");
	say_frame(fd, 0x01, 600000, big, 600000);
	say_frame(fd, 0x80, 600000, big, 600000);
	closes_with(fd, 1009);
	fd = upgrade("/ws/echo?secret=s", "");
	say_frame(fd, 0x81, 1ull << 63, "x", 1);         /* no length at all: dropped */
	ck_assert_int_eq(hear(fd, NULL), 1);
	close(fd);
	fd = upgrade("/ws/echo?secret=s", "");
	say_frame(fd, 0xc1, 1, "x", 1);                  /* a reserved bit */
	closes_with(fd, 1002);
	wait_counts("upgrades=0");
	free(big);
}
END_TEST

/* Fragments of so many bytes, without an end. */
static void
say_fragments(int fd, size_t n, size_t len)
{
	char *all = xcalloc(n, 6 + len);
	size_t i;

	for (i = 0; i < n; i++) {
		all[i * (6 + len)] = i == 0;
		all[i * (6 + len) + 1] = (char)(0x80 | len);
	}
	(void)!send(fd, all, n * (6 + len), MSG_NOSIGNAL);
	free(all);
}

START_TEST(F30_endless_fragments)
{
	int fd = upgrade("/ws/echo?secret=s", "");

	say_fragments(fd, 65535, 1);
	say_frame(fd, 0x80, 1, "x", 1);
	hear(fd, "long 65536");
	close(fd);
	fd = upgrade("/ws/echo?secret=s", "");
	say_fragments(fd, 65537, 1);
	closes_with(fd, 1009);
	fd = upgrade("/ws/echo?secret=s", "");
	say_fragments(fd, 70000, 0);
	closes_with(fd, 1009);
	wait_counts("upgrades=0");
}
END_TEST

START_TEST(drains)
{
	int fd = upgrade("/ws/echo?secret=s", ""), idle = dial();

	say_frame(fd, 0x81, 2, "hi", 2);
	hear(fd, "hi");
	kill(child, SIGTERM);
	hear(fd, "\x03\xe9");                            /* 1001 */
	ck_assert_int_eq((unsigned char)reply[0], 0x88);
	say_frame(fd, 0x88, 2, "\x03\xe9", 2);
	ck_assert_int_eq(hear(fd, NULL), 1);
	ck_assert_int_eq(hear(idle, NULL), 1);
	close(fd);
	close(idle);
}
END_TEST

/* ---- lib/http's client ---- */

static struct {
	struct http *h;
	int opened, closed, code, got, null_ws;
	struct pollable limit;
} C;

static void
client_open(void *priv, struct http_ws *ws)
{
	static char text[900];
	int i;

	(void)priv;
	C.opened++;
	memset(text, 'c', sizeof(text));
	for (i = 0; i < 1000; i++)
		ck_assert_int_eq(http_ws_send(ws, text, (size_t)(i % 900)), 0);
}

static void
client_message(void *priv, struct http_ws *ws, const char *data, size_t len, int binary)
{
	size_t i;

	(void)priv, (void)binary;
	ck_assert_uint_eq(len, (size_t)(C.got % 900));
	for (i = 0; i < len; i++)
		ck_assert_int_eq(data[i], 'c');
	if (++C.got == 1000)
		ck_assert_int_eq(http_ws_send(ws, "close", 5), 0);
}

static void
client_close(void *priv, struct http_ws *ws, int code)
{
	(void)priv;
	C.closed++;
	C.code = code;
	C.null_ws = ws == NULL;
	http_stop(C.h);
}

static void
too_late(struct pollable *p, short revents, int64_t now_ms)
{
	(void)p, (void)revents, (void)now_ms;
	ck_abort_msg("nothing happened in time: opened %d closed %d got %d", C.opened, C.closed, C.got);
}

static const struct http_ws_handler client = { .max_message = 1u << 20, .on_open = client_open, .on_message = client_message, .on_close = client_close };

static void
connect_to(const char *url)
{
	C.closed = 0;
	C.h = http_new(0);
	C.limit = (struct pollable){ .fd = -1, .deadline_ms = clock_mono_ms() + WAIT_MS, .handle = too_late };
	http_add(C.h, &C.limit);
	http_ws_connect(C.h, url, NULL, &client, NULL);
	ck_assert_int_eq(C.closed, 0);           /* all callbacks come from http_run */
	http_run(C.h);
	http_del(C.h, &C.limit);
	http_free(&C.h);
	ck_assert_int_eq(C.closed, 1);
}

START_TEST(client_tcp)
{
	char url[128];

	snprintf(url, sizeof(url), "ws://127.0.0.1:%d/ws/echo?secret=s", port);
	connect_to(url);
	ck_assert_int_eq(C.opened, 1);
	ck_assert_int_eq(C.got, 1000);
	ck_assert_int_eq(C.code, 4000);
	ck_assert_int_eq(C.null_ws, 0);
}
END_TEST

START_TEST(client_unix)
{
	char url[128];

	snprintf(url, sizeof(url), "ws+unix://%s:/ws/echo?secret=s", sock_path);
	connect_to(url);
	ck_assert_int_eq(C.got, 1000);
	ck_assert_int_eq(C.code, 4000);
}
END_TEST

START_TEST(client_refused)
{
	char url[128];

	snprintf(url, sizeof(url), "ws://127.0.0.1:%d/ws/echo?secret=no", port);
	connect_to(url);
	ck_assert_int_eq(C.opened, 0);
	ck_assert_int_eq(C.code, 0);
	ck_assert_int_eq(C.null_ws, 1);
}
END_TEST

START_TEST(client_nobody)
{
	connect_to("ws+unix:///nonexistent/socket:/ws/echo");
	ck_assert_int_eq(C.code, 0);
	connect_to("ws://127.0.0.1:1/ws/echo");
	ck_assert_int_eq(C.code, 0);
	connect_to("http://127.0.0.1/");
	ck_assert_int_eq(C.null_ws, 1);
}
END_TEST

START_TEST(frames)
{
	char out[10];

	ck_assert_uint_eq(http_ws_frame(out, 125), 2);
	ck_assert_int_eq(memcmp(out, "\x81\x7d", 2), 0);
	ck_assert_uint_eq(http_ws_frame(out, 126), 4);
	ck_assert_int_eq(memcmp(out, "\x81\x7e\x00\x7e", 4), 0);
	ck_assert_uint_eq(http_ws_frame(out, 65536), 10);
	ck_assert_int_eq(memcmp(out, "\x81\x7f\0\0\0\0\0\1\0\0", 10), 0);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { answers, names_in_paths, keeps_alive, waiting_is_quiet, F49_smuggling, big_and_gzip, streams, listens_on_loopback_only, listen_errors,
	    ws_refusals, ws_messages, F29_too_long, F30_endless_fragments, drains, client_tcp, client_unix, client_refused, client_nobody };
	Suite *s = suite_create("http");
	TCase *t = tcase_create("server"), *www = tcase_create("files"), *pure = tcase_create("pure");
	size_t i;

	log_open("test_http");
	tcase_set_timeout(t, 240);
	tcase_add_checked_fixture(t, start, stop);
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(t, tests[i]);
	suite_add_tcase(s, t);
	tcase_set_timeout(www, 240);
	tcase_add_checked_fixture(www, make_dir, remove_dir);
	tcase_add_test(www, files);
	tcase_add_test(www, no_way_out);
	suite_add_tcase(s, www);
	tcase_add_test(pure, frames);
	suite_add_tcase(s, pure);
	return suite_run_all(s);
}
