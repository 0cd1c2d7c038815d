#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "buf/buf.h"
#include "clock/clock.h"
#include "event/event.h"
#include "filter/child.h"
#include "filter/filter.h"
#include "mem/mem.h"

#define FEED_BYTES (1u << 20)            /* lines that wait to be written; one line may be longer */
#define WALL_MS (10 * FILTER_CHILD_MS)

enum state { STARTING, RUNNING, FAILING, DEAD };         /* FAILING: the reason is being read */

struct filter_child {
	struct pollable pollable;
	struct filter_child_config config;
	enum state state;
	pid_t pid;
	struct buf out;
	size_t pending;
	int64_t since_ms, since_cpu_ms;  /* of the child's last answer, or of the first line after one that left nothing to do */
	char reason[1200];
	size_t reason_len;
	int busy, freed;                 /* a callback is running; it called filter_child_free */
};

/* ---- the process ---- */

static int64_t
cpu_ms(const struct filter_child *c)
{
	struct timespec t;
	clockid_t clock;

	if (clock_getcpuclockid(c->pid, &clock) != 0 || clock_gettime(clock, &t) == -1)
		return 0;
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The limit is on the address space, and the child begins with a copy of ours.  0: no limit, under the address sanitizer, which needs all of it. */
static size_t
memory_limit(void)
{
#ifdef __SANITIZE_ADDRESS__
	return 0;
#else
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f != NULL) {
		if (fscanf(f, "%lu", &pages) != 1)
			pages = 0;
		(void)fclose(f);
	}
	return FILTER_CHILD_BYTES + pages * (size_t)sysconf(_SC_PAGESIZE);
#endif
}

static int
start(struct filter_child *c)
{
	size_t memory = memory_limit();
	pid_t parent = getpid();
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == -1)
		return -1;
	c->pid = fork();
	if (c->pid == -1) {
		(void)close(fd[0]);
		(void)close(fd[1]);
		return -1;
	}
	if (c->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(0);
		filter_child_main(fd[1], memory);
	}
	(void)close(fd[1]);
	c->pollable.fd = fd[0];
	return 0;
}

static void
push_frame(struct filter_child *c, const char *p, size_t len)
{
	uint32_t n = (uint32_t)len;

	if (buf_append(&c->out, &n, sizeof n) != 0 || buf_append(&c->out, p, len) != 0)
		assert(!"a frame that was let in fits");
	c->pollable.events |= POLLOUT;
}

static void
restart_watch(struct filter_child *c)
{
	c->since_ms = clock_mono_ms();
	c->since_cpu_ms = cpu_ms(c);
	c->pollable.deadline_ms = c->pending > 0 || c->state == STARTING ? c->since_ms + FILTER_CHILD_MS : CLOCK_NEVER;
}

/* ---- its end ---- */

static void
reap(struct filter_child *c, int *status)
{
	while (waitpid(c->pid, status, 0) == -1 && errno == EINTR)
		;
	c->pid = 0;
}

static void
stop(struct filter_child *c, int kill_it, int *status)
{
	if (c->pid > 0) {
		if (kill_it)
			(void)kill(c->pid, SIGKILL);
		reap(c, status);
	}
	if (c->pollable.fd != -1)
		(void)close(c->pollable.fd);
	c->pollable.fd = -1;
	c->pollable.events = 0;
	c->pollable.deadline_ms = CLOCK_NEVER;
	c->state = DEAD;
	c->pending = 0;
	buf_fini(&c->out);
}

static void
died(struct filter_child *c, const char *reason)
{
	if (c->config.on_dead != NULL)
		c->config.on_dead(c->config.priv, reason);
}

/* It has closed its end: what it wrote before says why, else how it ended. */
static void
ended(struct filter_child *c)
{
	int failing = c->state == FAILING, status = 0;
	char text[80];

	stop(c, 0, &status);
	if (failing && c->reason_len > 0) {
		c->reason[c->reason_len] = '\0';
		died(c, c->reason);
		return;
	}
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT)
		snprintf(text, sizeof text, "it needs too much memory, or stops jq otherwise");     /* jq 1.6 aborts for both */
	else if (WIFSIGNALED(status))
		snprintf(text, sizeof text, "it crashed jq (signal %d)", WTERMSIG(status));
	else
		snprintf(text, sizeof text, "its process ended (status %d)", WEXITSTATUS(status));
	died(c, text);
}

static void
too_slow(struct filter_child *c)
{
	int status;

	stop(c, 1, &status);
	died(c, "it takes too long for one event");
}

/* ---- traffic ---- */

static void
flush(struct filter_child *c)
{
	ssize_t n;

	while (buf_size(&c->out) > 0) {
		n = send(c->pollable.fd, buf_data(&c->out), buf_size(&c->out), MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			break;                  /* EAGAIN; or it has ended, which reading will tell */
		buf_consume(&c->out, (size_t)n);
	}
	if (buf_size(&c->out) == 0 || errno != EAGAIN)
		c->pollable.events &= ~POLLOUT;
}

static void
on_byte(struct filter_child *c, char b)
{
	if (c->state == FAILING) {
		if (c->reason_len < sizeof c->reason - 1)
			c->reason[c->reason_len++] = b;
	} else if (b == 'E') {
		c->state = FAILING;
	} else if (b == 'C') {
		c->state = RUNNING;
	} else if (c->pending > 0) {
		c->pending--;
		c->config.on_verdict(c->config.priv, b == '1');
	}
}

static void
receive(struct filter_child *c)
{
	char answers[FILTER_CHILD_LINES];
	ssize_t n = recv(c->pollable.fd, answers, sizeof answers, MSG_DONTWAIT), i;

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		ended(c);
		return;
	}
	for (i = 0; i < n && !c->freed; i++)
		on_byte(c, answers[i]);
	if (!c->freed)
		restart_watch(c);
}

/* A child that the machine gave no time to is not slow; it gets the rest of its share, within reason. */
static void
check_watch(struct filter_child *c)
{
	int64_t now = clock_mono_ms(), used;

	if (now < c->pollable.deadline_ms)
		return;
	used = cpu_ms(c) - c->since_cpu_ms;
	if (used >= FILTER_CHILD_MS * 9 / 10 || now - c->since_ms >= WALL_MS) {
		too_slow(c);
		return;
	}
	c->pollable.deadline_ms = now + FILTER_CHILD_MS - used;
}

static void
destroy(struct filter_child *c)
{
	int status;

	stop(c, 1, &status);
	free((char *)(uintptr_t)c->config.program);
	free(c);
}

static void
handle(struct pollable *p, short revents, int64_t now_ms)
{
	struct filter_child *c = (struct filter_child *)p;

	(void)now_ms;
	c->busy = 1;
	if (revents & POLLOUT)
		flush(c);
	if (revents & (POLLIN | POLLHUP | POLLERR))
		receive(c);
	if (!c->freed && c->state != DEAD)
		check_watch(c);
	c->busy = 0;
	if (c->freed)
		destroy(c);
}

/* ---- the owner's side ---- */

struct filter_child *
filter_child_new(const struct filter_child_config *config)
{
	struct filter_child *c = xcalloc(1, sizeof *c);

	c->config = *config;
	c->config.program = xstrdup(config->program);
	c->pollable = (struct pollable){ .fd = -1, .events = POLLIN, .deadline_ms = CLOCK_NEVER, .handle = handle };
	buf_init(&c->out, FEED_BYTES + EVENT_LINE_MAX + 64);
	if (strlen(c->config.program) > FEED_BYTES) {
		errno = E2BIG;
	} else if (start(c) == 0) {
		push_frame(c, c->config.program, strlen(c->config.program));
		restart_watch(c);
		return c;
	}
	free((char *)(uintptr_t)c->config.program);
	free(c);
	return NULL;
}

void
filter_child_free(struct filter_child **cp)
{
	struct filter_child *c = *cp;

	*cp = NULL;
	if (c == NULL)
		return;
	if (c->busy)
		c->freed = 1;
	else
		destroy(c);
}

struct pollable *
filter_child_pollable(struct filter_child *c)
{
	return &c->pollable;
}

int
filter_child_feed(struct filter_child *c, const char *line, size_t len)
{
	if (c->state == DEAD || c->state == FAILING || c->pending >= FILTER_CHILD_LINES || len > EVENT_LINE_MAX)
		return -1;
	if (c->pending > 0 && buf_size(&c->out) + len > FEED_BYTES)
		return -1;
	push_frame(c, line, len);
	if (c->pending++ == 0 && c->state == RUNNING)
		restart_watch(c);
	return 0;
}

size_t
filter_child_pending(const struct filter_child *c)
{
	return c->pending;
}
