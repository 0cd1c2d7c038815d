#include "out/out.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock/clock.h"
#include "log/log.h"
#include "loop/loop.h"

#define OUT_SIZE (256u << 10)

static struct {
	char data[OUT_SIZE];
	size_t len;
} S;

static void
on_signal(int signo)
{
	(void)signo;
	_exit(EX_OK);
}

static void
fail(void)
{
	if (errno == EPIPE) {
		(void)signal(SIGPIPE, SIG_DFL);
		(void)raise(SIGPIPE);
	}
	die(EX_IOERR, "unable to write to standard output: %s", strerror(errno));
}

static void
write_all(const char *data, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(STDOUT_FILENO, data, len);
		if (n == -1 && errno == EAGAIN) {
			struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };
			(void)poll(&p, 1, -1);
		} else if (n == -1 && errno != EINTR)
			fail();
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
}

/* The loop blocks the terminating signals and reads them between its turns; a write to a stopped reader would keep them waiting for ever. */
static void
write_out(const char *data, size_t len)
{
	struct sigaction act = { .sa_handler = on_signal }, was_term, was_int;
	sigset_t set, was;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaction(SIGTERM, &act, &was_term);
	(void)sigaction(SIGINT, &act, &was_int);
	(void)sigprocmask(SIG_UNBLOCK, &set, &was);
	write_all(data, len);
	(void)sigprocmask(SIG_SETMASK, &was, NULL);
	(void)sigaction(SIGTERM, &was_term, NULL);
	(void)sigaction(SIGINT, &was_int, NULL);
}

void
out_flush(void)
{
	if (S.len > 0)
		write_out(S.data, S.len);
	S.len = 0;
}

static void
put(const char *data, size_t len)
{
	if (len > OUT_SIZE - S.len)
		out_flush();
	if (len > OUT_SIZE) {
		write_out(data, len);
		return;
	}
	memcpy(S.data + S.len, data, len);
	S.len += len;
}

void
out_line(const char *line, size_t len)
{
	put(line, len);
	put("\n", 1);
}

void
out_close(void)
{
	out_flush();
	if (close(STDOUT_FILENO) == -1)
		fail();
}

void
out_stopped(void)
{
	struct sigaction act = { .sa_handler = on_signal };

	(void)sigaction(SIGALRM, &act, NULL);
	(void)alarm(1);
}

static void
handle(struct pollable *p, short revents, int64_t now_ms)
{
	(void)now_ms;
	if (revents & (POLLERR | POLLNVAL)) {
		errno = EPIPE;
		fail();
	}
	p->events = 0;                           /* a hang-up of something that is no pipe: writing will tell */
}

struct pollable *
out_pollable(void)
{
	/* POLLPRI never comes on a pipe; errors come unasked. */
	static struct pollable p = { .fd = STDOUT_FILENO, .events = POLLPRI, .deadline_ms = CLOCK_NEVER, .handle = handle };

	return &p;
}
