/* What waits in our own epoll set: pollables, and whatever else has a descriptor and is no lws connection. */
#include "http/http.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sysexits.h>
#include <unistd.h>

#include "http/http_int.h"
#include "log/log.h"
#include "mem/mem.h"

#define EVENTS_A_TURN 256

/* ---- the epoll set ---- */

void
http_epoll_set(struct http *h, int fd, unsigned events, struct http_source *s)
{
	struct epoll_event ev = { .events = events, .data.ptr = s };

	/* A descriptor may have been closed and opened again under the same number: then the set has forgotten it. */
	if (epoll_ctl(h->epfd, EPOLL_CTL_MOD, fd, &ev) == 0)
		return;
	if (errno != ENOENT || epoll_ctl(h->epfd, EPOLL_CTL_ADD, fd, &ev) != 0)
		die(EX_OSERR, "unable to wait for descriptor %d: %s", fd, strerror(errno));
}

void
http_epoll_unset(struct http *h, int fd)
{
	if (epoll_ctl(h->epfd, EPOLL_CTL_DEL, fd, NULL) != 0)
		assert(errno == ENOENT || errno == EBADF || errno == EPERM);
}

void
http_take_events(struct http *h)
{
	struct epoll_event ev;
	struct http_source *s;
	int i;

	/* One at a time: what a handler closes or frees can then not stand behind it in the same batch.  The set gives them in turn: one that comes
	 * again, because it is still told to wait for what it has had, ends the round. */
	for (i = 0; i < EVENTS_A_TURN && epoll_wait(h->epfd, &ev, 1, 0) == 1; i++) {
		s = ev.data.ptr;
		if (s->turn == h->turn)
			return;
		s->turn = h->turn;
		s->ready(h, s, ev.events);
	}
}

void
http_watch(struct http_conn *c, int on)
{
	if (c->watched == on || c->fd < 0)
		return;
	if (on)
		http_epoll_set(c->h, c->fd, EPOLLRDHUP, &c->source);
	else
		http_epoll_unset(c->h, c->fd);
	c->watched = on;
}

void
http_kill(struct http_conn *c)
{
	c->killed = 1;
	if (c->wsi != NULL)
		lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
}

/* ---- pollables ---- */

static void
poll_ready(struct http *h, struct http_source *s, unsigned events)
{
	struct http_poll *hp = (struct http_poll *)s;

	hp->stale = 1;           /* handle may free it */
	hp->p->handle(hp->p, (short)events, h->now_ms);
}

void
http_add(struct http *h, struct pollable *p)
{
	struct http_poll *hp = xcalloc(1, sizeof(*hp));

	*hp = (struct http_poll){ .source.ready = poll_ready, .p = p, .fd = -1 };
	TAILQ_INSERT_TAIL(&h->polls, hp, link);
}

void
http_del(struct http *h, struct pollable *p)
{
	struct http_poll *hp;

	TAILQ_FOREACH(hp, &h->polls, link)
		if (hp->p == p)
			break;
	if (hp == NULL)
		return;
	if (hp->fd >= 0)
		http_epoll_unset(h, hp->fd);
	TAILQ_REMOVE(&h->polls, hp, link);
	free(hp);
}

static void
set_timer(struct http *h, int64_t at_ms)
{
	struct itimerspec t = { .it_value = { at_ms / 1000, at_ms % 1000 * 1000000 } };

	if (at_ms == h->timer_ms)
		return;
	if (at_ms <= 0)
		t.it_value = (struct timespec){ 0, 1 };
	if (timerfd_settime(h->timerfd, TFD_TIMER_ABSTIME, &t, NULL) != 0)
		die(EX_OSERR, "timerfd_settime: %s", strerror(errno));
	h->timer_ms = at_ms;
}

/* Tell epoll what the pollables want now: first what they no longer want, since a descriptor's number may have gone from one to another. */
void
http_sync_polls(struct http *h)
{
	int64_t next = h->second_ms;
	struct http_poll *hp;
	int fd;

	TAILQ_FOREACH(hp, &h->polls, link) {
		fd = hp->p->events != 0 ? hp->p->fd : -1;
		if (hp->fd >= 0 && fd != hp->fd) {
			http_epoll_unset(h, hp->fd);
			hp->fd = -1;
		}
		if (hp->p->deadline_ms < next)
			next = hp->p->deadline_ms;
	}
	TAILQ_FOREACH(hp, &h->polls, link) {
		fd = hp->p->events != 0 ? hp->p->fd : -1;
		if (fd >= 0 && (fd != hp->fd || hp->p->events != hp->events || hp->stale))
			http_epoll_set(h, fd, (unsigned)hp->p->events, &hp->source);
		hp->fd = fd;
		hp->events = hp->p->events;
		hp->stale = 0;
	}
	set_timer(h, next);
}

void
http_run_deadlines(struct http *h)
{
	struct http_poll *hp;
	int round;

	/* A handler may add and remove pollables: begin again after each.  One that does not move its deadline cannot hold us. */
	for (round = 0; round < EVENTS_A_TURN; round++) {
		TAILQ_FOREACH(hp, &h->polls, link)
			if (hp->p->deadline_ms <= h->now_ms)
				break;
		if (hp == NULL)
			return;
		hp->stale = 1;
		hp->p->handle(hp->p, 0, h->now_ms);
	}
}

void
http_timer_ready(struct http *h, struct http_source *s, unsigned events)
{
	uint64_t n;

	(void)s, (void)events;
	(void)!read(h->timerfd, &n, sizeof(n));
	h->timer_ms = -1;
}

void
http_signal_ready(struct http *h, struct http_source *s, unsigned events)
{
	struct signalfd_siginfo si;

	(void)s, (void)events;
	if (read(h->sigfd, &si, sizeof(si)) == sizeof(si))
		h->signal = (int)si.ssi_signo;
}
