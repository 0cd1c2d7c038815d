#include <stddef.h>

#include "filter/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "event/event.h"
#include "filter/filter.h"

#define SOCKET 3                 /* the only descriptor besides 0, 1, 2 */
#define READ_BYTES 65536
#define ANSWER_MS 20             /* verdicts wait no longer than this while there are more lines to judge */

/* Nothing here may return to the caller's code or run its exit handlers: this process is a copy of it. */

static struct {
	struct filter *filter;
	char *in;
	size_t off, len, cap;
	char out[FILTER_CHILD_LINES];
	size_t n_out;
	int64_t answered_ms;
} C;

static int64_t
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
send_all(const char *p, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(SOCKET, p, len);
		if (n == -1 && errno != EINTR)
			_exit(EX_OK);                   /* the parent has gone, or does not want us any more */
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
}

static void
answer(void)
{
	send_all(C.out, C.n_out);
	C.n_out = 0;
	C.answered_ms = now_ms();
}

static __attribute__((noreturn)) void
give_up(const char *reason)
{
	answer();
	send_all("E", 1);
	send_all(reason, strlen(reason));
	_exit(EX_SOFTWARE);
}

static __attribute__((noreturn)) void
no_memory(void)
{
	give_up("it needs too much memory");
}

/* Numbers 0, 1, 2 become the null device, the socket becomes SOCKET, all others are closed. */
static void
keep_only(int fd)
{
	int null, i;

	if (fd != SOCKET && (dup2(fd, SOCKET) == -1))
		_exit(EX_OSERR);
	if (close_range(SOCKET + 1, ~0u, 0) == -1)
		_exit(EX_OSERR);
	null = open("/dev/null", O_RDWR);
	if (null == -1)
		_exit(EX_OSERR);
	for (i = 0; i < SOCKET; i++)
		if (null != i && dup2(null, i) == -1)
			_exit(EX_OSERR);
	if (null > SOCKET)
		(void)close(null);
}

static void
set_limit(int which, size_t value)
{
	struct rlimit r = { value, value };

	if (setrlimit((__rlimit_resource_t)which, &r) == -1)
		_exit(EX_OSERR);
}

/* clearenv would leave environ NULL, which jq's env does not survive. */
static void
drop_environment(void)
{
	static char *none[] = { NULL };

	environ = none;
}

static void
default_signals(void)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t none;
	int i;

	for (i = 1; i < NSIG; i++)
		(void)sigaction(i, &sa, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void
confine(int fd, size_t memory)
{
	(void)prctl(PR_SET_NAME, "dt-filter");
	default_signals();
	drop_environment();
	keep_only(fd);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	set_limit(RLIMIT_CORE, 0);
	set_limit(RLIMIT_FSIZE, 0);
	set_limit(RLIMIT_NOFILE, SOCKET + 1);           /* nothing can be opened */
	if (memory > 0)
		set_limit(RLIMIT_AS, memory);
	(void)setpriority(PRIO_PROCESS, 0, 5);
}

/* The next n bytes in C.in at C.off; ends the process when the parent has closed. */
static void
need(size_t n)
{
	ssize_t got;
	char *p;

	if (C.len - C.off >= n)
		return;
	answer();
	if (C.off > 0) {
		memmove(C.in, C.in + C.off, C.len - C.off);
		C.len -= C.off;
		C.off = 0;
	}
	if (C.cap < n + READ_BYTES) {
		p = realloc(C.in, n + READ_BYTES);
		if (p == NULL)
			no_memory();
		C.in = p;
		C.cap = n + READ_BYTES;
	}
	while (C.len < n) {
		got = read(SOCKET, C.in + C.len, C.cap - C.len);
		if (got == 0 || (got == -1 && errno != EINTR))
			_exit(EX_OK);
		if (got > 0)
			C.len += (size_t)got;
	}
}

static const char *
next_frame(uint32_t *len)
{
	const char *p;

	need(sizeof *len);
	memcpy(len, C.in + C.off, sizeof *len);
	need(sizeof *len + *len);
	p = C.in + C.off + sizeof *len;
	C.off += sizeof *len + *len;
	return p;
}

static void
compile(void)
{
	uint32_t len;
	const char *p = next_frame(&len);
	char *program = strndup(p, len), *error;

	if (program == NULL)
		no_memory();
	C.filter = filter_new(program, &error);
	if (C.filter == NULL)
		give_up(error);
	send_all("C", 1);
	C.answered_ms = now_ms();
}

void
filter_child_main(int fd, size_t memory)
{
	const char *line;
	uint32_t len;

	confine(fd, memory);
	compile();
	for (;;) {
		line = next_frame(&len);
		C.out[C.n_out++] = filter_match(C.filter, line, len) > 0 ? '1' : '0';
		if (C.n_out == sizeof C.out || now_ms() - C.answered_ms >= ANSWER_MS)
			answer();
	}
}
