/* events.out: subscribers.  Each is a position in the journal, whose bytes are sent as they lie there; there are no queues. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock/clock.h"
#include "event/event.h"
#include "log/log.h"
#include "mem/mem.h"
#include "stat/stat.h"
#include "sub.h"

/* ---- ending ---- */

void
sub_kill(struct sub *s)
{
	if (s->dead)
		return;
	s->dead = 1;
	loop_del(s->hub->loop, &s->pollable);
	(void)close(s->pollable.fd);
	s->hub->fresh = 1;
}

static void
bury(struct sub *s)
{
	sub_drop_child(s);
	journal_pos_release(&s->pos);
	subscription_fini(&s->want);
	buf_fini(&s->in);
	buf_fini(&s->out);
	free(s->ranges);
	free(s);
}

void
sub_begin_closing(struct sub *s)
{
	s->state = CLOSING;
	s->until_ms = s->hub->now_ms + LINGER_MS;
	s->hub->fresh = 1;
}

void
sub_refuse(struct sub *s, const char *sentence)
{
	log_info("subscriber %s: %s", s->want.name, sentence);
	(void)buf_appends(&s->out, "{\"type\":\"error\",\"error\":");
	(void)buf_append_json(&s->out, sentence, strlen(sentence));
	(void)buf_appends(&s->out, "}\n");
	sub_begin_closing(s);
}

/* Who has more to get and room for it is called in the next turn, since poll finds its socket writable. */
static void
rearm(struct sub *s)
{
	int more = s->full || s->again || s->n_decided > 0 || buf_size(&s->out) > 0;

	s->pollable.events = (short)((s->half_closed ? POLLPRI : POLLIN) | (more ? POLLOUT : 0));
	if (s->state == STREAMING && s->want.to_us != NO_TO_US) {
		int64_t left_us = s->want.to_us - clock_wall_us();
		s->until_ms = left_us < 0 ? s->hub->now_ms + 100 : left_us / 1000 + s->hub->now_ms + 1;
	}
	s->pollable.deadline_ms = s->until_ms;
}

static void
start_streaming(struct sub *s)
{
	s->state = STREAMING;
	s->until_ms = CLOCK_NEVER;
	s->hub->fresh = 1;
}

static void
subscribe(struct sub *s, const char *line, size_t len)
{
	struct journal *j = s->hub->journal;
	const char *error = subscription_parse(&s->want, line, len);
	struct subscription *w = &s->want;
	uint64_t seq, first = journal_first(j);

	if (error != NULL) {
		stat_add(STAT_FANOUT_REFUSED_CONNECTIONS, 1);
		sub_refuse(s, error);
		return;
	}
	if (w->from.kind == JOURNAL_FROM_END)
		seq = s->connected_seq;          /* where pos stands */
	else if (journal_seek(j, w->from, &s->pos, &seq) == -1) {
		sub_refuse(s, "the journal cannot be read there");
		return;
	}
	if (w->from.kind == JOURNAL_FROM_SEQ && w->from.seq > seq)
		seq = w->from.seq;
	(void)buf_printf(&s->out, "{\"type\":\"subscribed\",\"from\":%ju,\"journal\":\"%s\"}\n", (uintmax_t)seq, journal_id(j));
	if (w->from.kind == JOURNAL_FROM_SEQ && w->from.seq < first && w->from.seq > 0) {
		stat_add(STAT_FANOUT_GAPS, 1);
		(void)buf_printf(&s->out, "{\"type\":\"gap\",\"from\":%ju,\"to\":%ju,\"count\":%ju}\n", (uintmax_t)w->from.seq,
		    (uintmax_t)first - 1, (uintmax_t)(first - w->from.seq));
	}
	if (w->from.kind == JOURNAL_FROM_EARLIEST || (w->from.kind != JOURNAL_FROM_END && seq <= journal_safe(j)))
		w->from.kind = JOURNAL_FROM_END; /* pos stands at the first line wanted */
	if (w->jq != NULL && sub_start_child(s) == -1) {
		sub_refuse(s, "unable to start the jq program");
		return;
	}
	start_streaming(s);
}

/* ---- the connection ---- */

static void
read_first_line(struct sub *s)
{
	char *p = buf_reserve(&s->in, 16384), *nl;
	ssize_t n;

	if (p == NULL) {
		sub_refuse(s, "the subscription is too long");
		return;
	}
	n = recv(s->pollable.fd, p, 16384, MSG_DONTWAIT);
	if (n == -1 && errno != EAGAIN && errno != EINTR)
		sub_kill(s);
	else if (n == 0 && buf_size(&s->in) == 0) {
		s->half_closed = 1;
		start_streaming(s);
	} else if (n == 0)
		sub_refuse(s, "the first line has no end");
	if (n <= 0)
		return;
	buf_added(&s->in, (size_t)n);
	s->until_ms = s->hub->now_ms + SUBSCRIBE_LINE_MS;
	nl = memchr(buf_data(&s->in), '\n', buf_size(&s->in));
	if (nl == NULL)
		return;
	subscribe(s, buf_data(&s->in), (size_t)(nl - buf_data(&s->in)));
	buf_fini(&s->in);
}

/* Nothing more is expected: read it away, and notice the end. */
static void
read_rest(struct sub *s, short revents)
{
	char drop[4096];
	ssize_t n = recv(s->pollable.fd, drop, sizeof drop, MSG_DONTWAIT);

	if ((n == -1 && errno != EAGAIN && errno != EINTR) || (n <= 0 && revents & (POLLHUP | POLLERR)) || (n == 0 && s->state == LINGERING))
		sub_kill(s);
	else if (n == 0)
		s->half_closed = 1;
}

static void
on_deadline(struct sub *s)
{
	if (s->state == ASKING && buf_size(&s->in) > 0)
		sub_refuse(s, "the first line has no end");
	else if (s->state == ASKING)
		start_streaming(s);
	else if (s->state == CLOSING || s->state == LINGERING)
		sub_kill(s);
}

static void
handle(struct pollable *pollable, short revents, int64_t now_ms)
{
	struct sub *s = (struct sub *)pollable;

	s->hub->now_ms = now_ms;
	if (revents & (POLLIN | POLLHUP | POLLERR)) {
		if (s->state == ASKING)
			read_first_line(s);
		else
			read_rest(s, revents);
	}
	if (!s->dead && now_ms >= s->until_ms)
		on_deadline(s);
	if (revents & POLLOUT)
		s->full = 0;
	s->hub->fresh = 1;
}

void
subs_accept(struct hub *h, int fd)
{
	struct sub *s;

	if (h->n_subs >= h->max_subs + REFUSED_MAX) {
		(void)close(fd);
		return;
	}
	s = xcalloc(1, sizeof *s);
	s->hub = h;
	subscription_init(&s->want);
	buf_init(&s->in, SUBSCRIBE_MAX + 16384);
	buf_init(&s->out, OUT_LOW + EVENT_LINE_MAX + 4096);
	s->until_ms = h->now_ms + SUBSCRIBE_WAIT_MS;
	s->pollable = (struct pollable){ .fd = fd, .events = POLLIN, .deadline_ms = s->until_ms, .handle = handle };
	(void)journal_seek(h->journal, (struct journal_from){ .kind = JOURNAL_FROM_END }, &s->pos, &s->connected_seq);
	loop_add(h->loop, &s->pollable);
	if (h->n_subs == h->cap_subs)
		h->subs = xreallocarray(h->subs, h->cap_subs = h->cap_subs ? 2 * h->cap_subs : 16, sizeof s);
	h->subs[h->n_subs++] = s;
	if (h->n_subs > h->max_subs) {
		stat_add(STAT_FANOUT_REFUSED_CONNECTIONS, 1);
		sub_refuse(s, "too many subscribers");
	}
}

/* ---- after each turn ---- */

static void
say_the_rest(struct sub *s)
{
	size_t left = buf_size(&s->out);

	if (sub_flush(s) == 0) {
		(void)shutdown(s->pollable.fd, SHUT_WR);
		s->state = LINGERING;
	}
	if (!s->dead && buf_size(&s->out) < left)
		s->until_ms = s->hub->now_ms + LINGER_MS;
}

static void
step(struct sub *s)
{
	if (!s->dead && s->state == STREAMING)
		sub_pump(s);
	if (!s->dead && s->state == CLOSING)
		say_the_rest(s);
	if (!s->dead)
		rearm(s);
}

void
subs_step(struct hub *h)
{
	size_t i, kept = 0;

	for (i = 0; i < h->n_subs; i++)
		step(h->subs[i]);
	for (i = 0; i < h->n_subs; i++)
		if (h->subs[i]->dead)
			bury(h->subs[i]);
		else
			h->subs[kept++] = h->subs[i];
	h->n_subs = kept;
}

int
subs_waiting(const struct hub *h)
{
	for (size_t i = 0; i < h->n_subs; i++) {
		const struct sub *s = h->subs[i];
		if (s->state == CLOSING || (s->state == STREAMING && (buf_size(&s->out) > 0 || s->n_ranges > 0 ||
		    !journal_pos_at_end(h->journal, &s->pos))))
			return 1;
	}
	return 0;
}

uint64_t
subs_slowest(const struct hub *h)
{
	uint64_t most = 0, n;

	for (size_t i = 0; i < h->n_subs; i++)
		if (h->subs[i]->state == STREAMING && (n = journal_pos_behind(h->journal, &h->subs[i]->pos)) > most)
			most = n;
	return most;
}

void
subs_close(struct hub *h)
{
	for (size_t i = 0; i < h->n_subs; i++)
		sub_kill(h->subs[i]);
	subs_step(h);
	free(h->subs);
}
