/* wsc: a WebSocket client for tests, on bare sockets, so that it can also do what no client should.
 *
 *   wsc [-H 'Name: value']... -f FILE ADDRESS PATH      ADDRESS: a UNIX socket's path, or a port of 127.0.0.1
 *
 * Follows FILE: each line that is appended is sent as a text message, except
 *   !binary TEXT    !fragments TEXT (a byte each)    !unended N (so many, without an end)    !pad N TYPE (an event of N bytes)    !announce N (a frame's head and a byte)    !hex BYTES (as they are)
 *   !repeat N TEXT (%d is 0...)    !deaf, !listen (stop, go on reading)    !sync (says !synced when all is written)    !close CODE    !abort
 * and prints each message as a line, and "!open", "!refused STATUS BODY", "!closed CODE REASON". */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "buf/buf.h"
#include "ndjson/ndjson.h"

#define MAX (256u << 20)

static struct {
	int fd, file, deaf, open, done, sync;
	struct buf in, out, message;
	struct ndjson *lines;
	char headers[4096];
	const char *path;
} S = { .in = { .max = MAX }, .out = { .max = MAX }, .message = { .max = MAX } };

static void
fail(const char *what)
{
	fprintf(stderr, "wsc: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
put_head(int first, uint64_t len)
{
	unsigned char head[14] = { (unsigned char)first };
	size_t n = len < 126 ? 2 : len < 65536 ? 4 : 10, i;

	head[1] = (unsigned char)(0x80 | (n == 2 ? len : n == 4 ? 126 : 127));
	for (i = 2; i < n; i++)
		head[i] = (unsigned char)(len >> 8 * (n - 1 - i));
	(void)buf_append(&S.out, head, n + 4);   /* masked with zeros */
}

static void
put_frame(int first, const char *data, size_t len)
{
	put_head(first, len);
	if (len > 0)
		(void)buf_append(&S.out, data, len);
}

static void
put_fragments(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		put_frame((i == 0 ? 1 : 0) | (i + 1 == len ? 0x80 : 0), text + i, 1);
}

static void
put_unended(long n)
{
	long i;

	for (i = 0; i < n; i++)
		put_frame(i == 0 ? 1 : 0, "x", 1);
}

static void
put_padded(const char *arg)
{
	char type[64];
	struct buf b = BUF_INIT(MAX);
	size_t n;

	if (sscanf(arg, "%zu %63s", &n, type) != 2)
		exit(64);
	(void)buf_printf(&b, "{\"type\":\"%s\",\"character_name\":\"Pad\",\"pad\":\"", type);
	while (buf_size(&b) + 2 < n)
		(void)buf_append(&b, "x", 1);
	(void)buf_append(&b, "\"}", 2);
	put_frame(0x81, buf_data(&b), buf_size(&b));
	buf_fini(&b);
}

static void
put_repeated(const char *arg)
{
	char *text, line[65536], number[24];
	long n = strtol(arg, &text, 10), i;
	const char *at;

	text += *text == ' ';
	at = strstr(text, "%d");
	for (i = 0; i < n; i++) {
		snprintf(number, sizeof(number), "%ld", i);
		snprintf(line, sizeof(line), "%.*s%s%s", at ? (int)(at - text) : (int)strlen(text), text, at ? number : "", at ? at + 2 : "");
		put_frame(0x81, line, strlen(line));
	}
}

static void
put_hex(const char *hex)
{
	unsigned v;
	unsigned char c;

	for (; sscanf(hex, "%2x", &v) == 1; hex += 2) {
		c = (unsigned char)v;
		(void)buf_append(&S.out, &c, 1);
	}
}

static int
on_line(void *priv, const char *text, size_t len)
{
	char code[2], *line = strndup(text, len), *arg = strchr(line, ' ');
	int c;

	(void)priv;
	arg = arg != NULL ? arg + 1 : line + len;
	if (line[0] != '!')
		put_frame(0x81, line, len);
	else if (strncmp(line, "!binary ", 8) == 0)
		put_frame(0x82, arg, strlen(arg));
	else if (strncmp(line, "!fragments ", 11) == 0)
		put_fragments(arg, strlen(arg));
	else if (strncmp(line, "!unended ", 9) == 0)
		put_unended(atol(arg));
	else if (strncmp(line, "!pad ", 5) == 0)
		put_padded(arg);
	else if (strncmp(line, "!announce ", 10) == 0) {
		put_head(0x81, strtoull(arg, NULL, 10));
		(void)buf_append(&S.out, "{", 1);
	} else if (strncmp(line, "!hex ", 5) == 0)
		put_hex(arg);
	else if (strncmp(line, "!repeat ", 8) == 0)
		put_repeated(arg);
	else if (strcmp(line, "!deaf") == 0 || strcmp(line, "!listen") == 0)
		S.deaf = line[1] == 'd';
	else if (strcmp(line, "!sync") == 0)
		S.sync = 1;
	else if (strncmp(line, "!close", 6) == 0) {
		c = arg[0] != '\0' ? atoi(arg) : 1000;
		code[0] = (char)(c >> 8);
		code[1] = (char)c;
		put_frame(0x88, code, 2);
	} else if (strcmp(line, "!abort") == 0)
		exit(0);
	else {
		fprintf(stderr, "wsc: unknown: %s\n", line);
		exit(64);
	}
	free(line);
	return 0;
}

static void
dial(const char *address)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int tcp = address[0] != '/';

	S.fd = socket(tcp ? AF_INET : AF_UNIX, SOCK_STREAM, 0);
	sin.sin_port = htons((uint16_t)atoi(address));
	if (!tcp)
		snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", address);
	if (connect(S.fd, tcp ? (struct sockaddr *)&sin : (struct sockaddr *)&sun, tcp ? sizeof(sin) : sizeof(sun)) != 0)
		fail(address);
	fcntl(S.fd, F_SETFL, O_NONBLOCK);
	(void)buf_printf(&S.out, "GET %s HTTP/1.1\r\n%sUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n", S.path, strcasestr(S.headers, "host:") ? "" : "Host: test\r\n", S.headers);
}

static void
read_answer(void)
{
	char *end = memmem(buf_data(&S.in), buf_size(&S.in), "\r\n\r\n", 4);
	int status = 0;

	if (end == NULL)
		return;
	sscanf(buf_data(&S.in), "HTTP/1.1 %d", &status);
	if (status == 101) {
		S.open = 1;
		puts("!open");
		buf_consume(&S.in, (size_t)(end + 4 - buf_data(&S.in)));
	} else if (S.done) {
		printf("!refused %d %.*s", status, (int)(buf_data(&S.in) + buf_size(&S.in) - end - 4), end + 4);
		buf_clear(&S.in);
	}
}

static int
take_frame(void)
{
	const unsigned char *p = (const unsigned char *)buf_data(&S.in);
	size_t have = buf_size(&S.in), len, n = 2, i;

	if (have < 2)
		return 0;
	if ((len = p[1] & 0x7f) >= 126) {
		n = len == 126 ? 4 : 10;
		if (have < n)
			return 0;
		for (len = 0, i = 2; i < n; i++)
			len = len << 8 | p[i];
	}
	if (have < n + len)
		return 0;
	switch (p[0] & 15) {
	case 0: case 1: case 2:
		if (len > 0)
			(void)buf_append(&S.message, p + n, len);
		if (p[0] & 0x80) {
			printf("%.*s\n", (int)buf_size(&S.message), buf_size(&S.message) > 0 ? buf_data(&S.message) : "");
			buf_clear(&S.message);
		}
		break;
	case 8:
		printf("!closed %d %.*s\n", len >= 2 ? p[n] << 8 | p[n + 1] : 1005, len > 2 ? (int)len - 2 : 0, (const char *)p + n + 2);
		put_frame(0x88, (const char *)p + n, len >= 2 ? 2 : 0);
		break;
	case 9:
		put_frame(0x8a, (const char *)p + n, len);
		break;
	}
	buf_consume(&S.in, n + len);
	return 1;
}

static void
on_socket(short revents)
{
	ssize_t n;

	if (revents & POLLOUT && buf_size(&S.out) > 0) {
		n = send(S.fd, buf_data(&S.out), buf_size(&S.out), MSG_NOSIGNAL);
		if (n > 0)
			buf_consume(&S.out, (size_t)n);
		else if (errno != EAGAIN)
			buf_clear(&S.out);
	}
	if (!(revents & (POLLIN | POLLHUP)) || S.deaf)
		return;
	n = recv(S.fd, buf_reserve(&S.in, 65536), 65536, 0);
	if (n > 0)
		buf_added(&S.in, (size_t)n);
	else if (n == 0 || errno != EAGAIN)
		S.done = 1;
	if (!S.open)
		read_answer();
	while (S.open && take_frame())
		;
}

static void
follow(void)
{
	char data[65536];
	ssize_t n;

	while (S.open && (n = read(S.file, data, sizeof(data))) > 0)
		(void)ndjson_feed(S.lines, data, (size_t)n, on_line, NULL);
	if (S.sync && buf_size(&S.out) == 0) {
		S.sync = 0;
		puts("!synced");
	}
}

int
main(int argc, char **argv)
{
	static char whole_lines[1 << 20];
	struct pollfd p;
	int c;

	setvbuf(stdout, whole_lines, _IOLBF, sizeof(whole_lines));
	while ((c = getopt(argc, argv, "H:f:")) != -1)
		switch (c) {
		case 'H': strcat(strcat(S.headers, optarg), "\r\n"); break;
		case 'f': S.file = open(optarg, O_RDONLY | O_CREAT, 0600); break;
		default: return 64;
		}
	if (argc - optind != 2 || S.file < 0)
		return 64;
	S.path = argv[optind + 1];
	S.lines = ndjson_new(1u << 20);
	dial(argv[optind]);
	while (!S.done) {
		follow();
		p = (struct pollfd){ .fd = S.fd, .events = (short)((S.deaf ? 0 : POLLIN) | (buf_size(&S.out) > 0 ? POLLOUT : 0)) };
		if (poll(&p, S.deaf && p.events == 0 ? 0 : 1, 10) > 0)
			on_socket(p.revents);
		else if (S.deaf && p.events == 0)
			usleep(10000);
	}
	printf("!end\n");
	return 0;
}
