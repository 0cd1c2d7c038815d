#include "loop/loop.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock/clock.h"
#include "log/log.h"
#include "mem/mem.h"

struct on_signal {
	int signo;
	void (*f)(void *, int);
	void *priv;
};

struct loop {
	struct pollable **item;          /* NULL: removed during this turn */
	struct pollfd *pfd;              /* pfd[0] is the signals' */
	size_t n, cap;
	struct on_signal signals[8];
	size_t n_signals;
	int signal_fd, stopped, got;
	sigset_t mask;
	int64_t now_ms;
	void (*each_turn)(void *, int64_t);
	void *each_turn_priv;
};

static void
watch_signals(struct loop *l)
{
	if (sigprocmask(SIG_BLOCK, &l->mask, NULL) == -1 ||
	    (l->signal_fd = signalfd(l->signal_fd, &l->mask, SFD_CLOEXEC | SFD_NONBLOCK)) == -1)
		die(EX_OSERR, "unable to watch signals: %s", strerror(errno));
}

struct loop *
loop_new(void)
{
	struct loop *l = xcalloc(1, sizeof *l);

	l->signal_fd = -1;
	l->now_ms = clock_mono_ms();
	(void)sigemptyset(&l->mask);
	(void)sigaddset(&l->mask, SIGTERM);
	(void)sigaddset(&l->mask, SIGINT);
	(void)signal(SIGPIPE, SIG_IGN);
	watch_signals(l);
	return l;
}

void
loop_free(struct loop **lp)
{
	struct loop *l = *lp;

	if (l == NULL)
		return;
	(void)close(l->signal_fd);
	(void)sigprocmask(SIG_UNBLOCK, &l->mask, NULL);
	free(l->item);
	free(l->pfd);
	free(l);
	*lp = NULL;
}

void
loop_add(struct loop *l, struct pollable *p)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 16;
		l->item = xreallocarray(l->item, l->cap, sizeof *l->item);
		l->pfd = xreallocarray(l->pfd, l->cap + 1, sizeof *l->pfd);
	}
	l->item[l->n++] = p;
}

void
loop_del(struct loop *l, struct pollable *p)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->item[i] == p)
			l->item[i] = NULL;
}

void
loop_on_signal(struct loop *l, int signo, void (*f)(void *, int), void *priv)
{
	assert(l->n_signals < sizeof l->signals / sizeof *l->signals);
	l->signals[l->n_signals++] = (struct on_signal){ signo, f, priv };
	(void)sigaddset(&l->mask, signo);
	watch_signals(l);
}

void
loop_each_turn(struct loop *l, void (*f)(void *priv, int64_t now_ms), void *priv)
{
	l->each_turn = f;
	l->each_turn_priv = priv;
}

void
loop_stop(struct loop *l)
{
	l->stopped = 1;
}

static void
dispatch(struct loop *l, int signo)
{
	for (size_t i = 0; i < l->n_signals; i++)
		if (l->signals[i].signo == signo) {
			l->signals[i].f(l->signals[i].priv, signo);
			return;
		}
	if (l->got != 0)
		_exit(128 + signo);              /* asked twice: no more draining */
	l->got = signo;
	l->stopped = 1;
}

static void
read_signals(struct loop *l)
{
	struct signalfd_siginfo si;

	while (read(l->signal_fd, &si, sizeof si) == (ssize_t)sizeof si)
		dispatch(l, (int)si.ssi_signo);
}

/* Forget removed items, fill the poll set, find the next deadline. */
static int64_t
prepare(struct loop *l)
{
	int64_t deadline = CLOCK_NEVER;
	size_t kept = 0;

	for (size_t i = 0; i < l->n; i++)
		if (l->item[i] != NULL)
			l->item[kept++] = l->item[i];
	l->n = kept;
	if (l->pfd == NULL)
		l->pfd = xcalloc(1, sizeof *l->pfd);
	l->pfd[0] = (struct pollfd){ .fd = l->signal_fd, .events = POLLIN };
	for (size_t i = 0; i < l->n; i++) {
		const struct pollable *p = l->item[i];
		/* with no events wanted poll would still report a hang-up, for ever */
		l->pfd[i + 1] = (struct pollfd){ .fd = p->events ? p->fd : -1, .events = p->events };
		if (p->deadline_ms < deadline)
			deadline = p->deadline_ms;
	}
	return deadline;
}

static int
timeout_until(int64_t deadline, int64_t now)
{
	if (deadline == CLOCK_NEVER)
		return -1;
	if (deadline <= now)
		return 0;
	return deadline - now > 3600000 ? 3600000 : (int)(deadline - now);
}

static void
turn(struct loop *l)
{
	int64_t deadline = prepare(l);
	size_t n = l->n;                         /* what handlers add waits for the next turn */

	if (poll(l->pfd, n + 1, timeout_until(deadline, clock_mono_ms())) == -1 && errno != EINTR)
		die(EX_OSERR, "poll: %s", strerror(errno));
	l->now_ms = clock_mono_ms();
	if (l->pfd[0].revents)
		read_signals(l);
	for (size_t i = 0; i < n; i++) {
		struct pollable *p = l->item[i];
		/* an earlier handler may have exchanged the descriptor: then what poll said is not about it */
		short revents = p != NULL && p->fd == l->pfd[i + 1].fd ? l->pfd[i + 1].revents : 0;
		if (p != NULL && (revents != 0 || p->deadline_ms <= l->now_ms))
			p->handle(p, revents, l->now_ms);
	}
	if (l->each_turn != NULL)
		l->each_turn(l->each_turn_priv, l->now_ms);
}

int
loop_run(struct loop *l)
{
	for (l->stopped = 0; !l->stopped;)
		turn(l);
	return l->got;
}
