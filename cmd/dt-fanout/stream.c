/* What a subscriber is sent: the journal's bytes as they lie there, wanted lines of it, or those that a jq program lets through. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "clock/clock.h"
#include "filter/filter.h"
#include "journal/file.h"
#include "log/log.h"
#include "mem/mem.h"
#include "stat/stat.h"
#include "sub.h"

#define PIECES 256                       /* runs of wanted lines in one send */

/* ---- what goes before the text ---- */

static void
fail_read(struct sub *s)
{
	log_err("subscriber %s: unable to read the journal: %s", s->want.name, strerror(errno));
	if (s->mid_line || s->skip > 0)
		sub_kill(s);
	else
		sub_refuse(s, "the journal cannot be read here");
}

int
sub_flush(struct sub *s)
{
	if (conn_flush(s->pollable.fd, &s->out) == -1) {
		sub_kill(s);
		return -1;
	}
	s->full = buf_size(&s->out) > 0;
	return s->full ? -1 : 0;
}

static int
at_line_start(const struct sub *s)
{
	return !s->mid_line && s->skip == 0;
}

static void
tell_gap(struct sub *s)
{
	uint64_t from, to;

	if (!at_line_start(s) || !journal_pos_gap(s->hub->journal, &s->pos, &from, &to))
		return;
	log_warn("subscriber %s: events %ju to %ju are no longer in the journal", s->want.name, (uintmax_t)from, (uintmax_t)to);
	stat_add(STAT_FANOUT_GAPS, 1);
	(void)buf_printf(&s->out, "{\"type\":\"gap\",\"from\":%ju,\"to\":%ju,\"count\":%ju}\n", (uintmax_t)from, (uintmax_t)to,
	    (uintmax_t)(to - from + 1));
}

/* ---- unfiltered: the journal's bytes ---- */

static size_t
share(const struct hub *h)
{
	size_t n = TURN_BYTES / h->n_subs;

	return n > READ_MAX ? READ_MAX : n < READ_MIN ? READ_MIN : n;
}

/* Returns the bytes sent; 0: nothing there, or the socket is full. */
static size_t
send_text(struct sub *s, size_t budget)
{
	const char *text;
	size_t len;
	ssize_t n;
	int r = journal_view(s->hub->journal, &s->pos, 1, &text, &len);

	if (r == 0)
		return 0;
	if (r == -1) {
		fail_read(s);
		return 0;
	}
	if (len > budget)
		len = budget;
	n = send(s->pollable.fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n == -1 && errno != EAGAIN && errno != EINTR)
		sub_kill(s);
	if (n < (ssize_t)len)
		s->full = 1;
	if (n <= 0)
		return 0;
	s->pos.off += (size_t)n;
	s->mid_line = text[n - 1] != '\n';
	return (size_t)n;
}

/* ---- filtered: wanted lines ---- */

enum verdict { SKIP, SEND, STOP };

static enum verdict
judge(struct sub *s, const char *line, size_t len)
{
	struct subscription *w = &s->want;
	uint64_t seq;
	int64_t rx;

	if (w->from.kind == JOURNAL_FROM_END && w->to_seq == UINT64_MAX && w->to_us == NO_TO_US)
		return bus_match_line(w->match, line, len) ? SEND : SKIP;
	if (jfile_stamp(line, len, &seq, w->from.kind == JOURNAL_FROM_TIME || w->to_us != NO_TO_US ? &rx : NULL) == -1)
		return SKIP;
	if (seq > w->to_seq || (w->to_us != NO_TO_US && rx > w->to_us))
		return STOP;
	if ((w->from.kind == JOURNAL_FROM_SEQ && seq < w->from.seq) || (w->from.kind == JOURNAL_FROM_TIME && rx < w->from.rx_us))
		return SKIP;
	w->from.kind = JOURNAL_FROM_END;         /* it has begun */
	return bus_match_line(w->match, line, len) ? SEND : SKIP;
}

static int
is_filtered(const struct sub *s)
{
	const struct subscription *w = &s->want;

	return w->match != NULL || w->from.kind != JOURNAL_FROM_END || w->to_seq != UINT64_MAX || w->to_us != NO_TO_US || s->skip > 0;
}

/* At least one whole line from pos on: 1, 0, -1. */
static int
view_line(struct sub *s, const char **text, size_t *len)
{
	size_t want = 1;
	int r;

	while ((r = journal_view(s->hub->journal, &s->pos, want, text, len)) == 1 && memchr(*text, '\n', *len) == NULL) {
		if (*len < want)
			return errno = EBADMSG, -1;      /* there is no more, and yet no end */
		want = *len * 2;
	}
	return r;
}

/* Collects runs of wanted lines.  Returns how much of the text was judged. */
static size_t
collect(struct sub *s, const char *text, size_t len, struct iovec *iov, size_t *n_iov, size_t max_lines_pieces)
{
	size_t at = 0, skip = s->skip;
	const char *nl;

	*n_iov = 0;
	while (at < len && *n_iov < max_lines_pieces && (nl = memchr(text + at, '\n', len - at)) != NULL) {
		const char *line = text + at;
		size_t n = (size_t)(nl - line) + 1;
		enum verdict v = skip > 0 ? SEND : judge(s, line, n - 1);
		struct iovec *last = *n_iov > 0 ? &iov[*n_iov - 1] : NULL;
		if (v == STOP) {
			s->ended = 1;
			break;
		}
		if (v == SEND && last != NULL && (char *)last->iov_base + last->iov_len == line)
			last->iov_len += n;
		else if (v == SEND)
			iov[(*n_iov)++] = (struct iovec){ (char *)line + skip, n - skip };
		skip = 0;
		at += n;
	}
	return at;
}

/* The socket took `sent` bytes of the runs: where are we? */
static void
advance(struct sub *s, const char *text, size_t judged, const struct iovec *iov, size_t n_iov, size_t sent)
{
	for (size_t i = 0; i < n_iov; i++) {
		const char *base = iov[i].iov_base, *cut = base + sent, *nl;
		size_t at;
		if (sent >= iov[i].iov_len) {
			sent -= iov[i].iov_len;
			continue;
		}
		nl = sent > 0 ? memrchr(base, '\n', sent) : NULL;
		if (nl != NULL)
			at = (size_t)(nl + 1 - text), s->skip = (size_t)(cut - nl - 1);
		else if (i == 0 && s->skip > 0)
			at = 0, s->skip += sent;
		else
			at = (size_t)(base - text), s->skip = sent;
		s->pos.off += at;
		s->full = 1;
		s->ended = 0;                    /* it will be judged again */
		return;
	}
	s->pos.off += judged;
	s->skip = 0;
}

/* Returns the bytes judged. */
static size_t
send_lines(struct sub *s, size_t budget)
{
	struct iovec iov[PIECES];
	struct msghdr msg = { .msg_iov = iov };
	const char *text;
	size_t len, judged, whole;
	ssize_t n = 0;
	int r = view_line(s, &text, &len);

	if (r == -1)
		fail_read(s);
	if (r != 1)
		return 0;
	whole = (size_t)((const char *)memchr(text, '\n', len) - text) + 1;
	if (len > budget)
		len = budget > whole ? budget : whole;
	judged = collect(s, text, len, iov, &msg.msg_iovlen, PIECES);
	if (msg.msg_iovlen > 0)
		n = sendmsg(s->pollable.fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n == -1 && errno != EAGAIN && errno != EINTR) {
		sub_kill(s);
		return 0;
	}
	advance(s, text, judged, iov, msg.msg_iovlen, n > 0 ? (size_t)n : 0);
	return judged;
}

/* ---- jq: wanted lines that the child lets through ---- */

static void
pop_range(struct sub *s)
{
	journal_pos_release(&s->ranges[s->first].pos);
	s->first = (s->first + 1) % RANGES;
	s->n_ranges--;
	if (s->n_decided > 0)
		s->n_decided--;
}

void
sub_drop_child(struct sub *s)
{
	if (s->child == NULL)
		return;
	loop_del(s->hub->loop, filter_child_pollable(s->child));
	filter_child_free(&s->child);
	while (s->n_ranges > 0)
		pop_range(s);
}

static void
on_verdict(void *priv, int pass)
{
	struct sub *s = priv;
	struct range *r = &s->ranges[(s->first + s->n_decided) % RANGES];

	assert(s->n_decided < s->n_ranges);
	r->decided = 1;
	r->pass = pass;
	s->n_decided++;
	s->hub->fresh = 1;
}

static void
on_child_dead(void *priv, const char *reason)
{
	struct sub *s = priv;
	char text[512];

	stat_add(STAT_FANOUT_FILTERS_DIED, 1);
	(void)snprintf(text, sizeof text, "the jq program failed: %s", reason);
	sub_refuse(s, text);
}

int
sub_start_child(struct sub *s)
{
	struct filter_child_config config = { .program = s->want.jq, .on_verdict = on_verdict, .on_dead = on_child_dead, .priv = s };

	s->ranges = xcalloc(RANGES, sizeof *s->ranges);
	s->child = filter_child_new(&config);
	if (s->child == NULL)
		return -1;
	loop_add(s->hub->loop, filter_child_pollable(s->child));
	return 0;
}

/* Lines that passed go into out, in their order, while it has room. */
static void
take_passed(struct sub *s)
{
	while (s->n_decided > 0 && buf_size(&s->out) < OUT_LOW) {
		struct range *r = &s->ranges[s->first];
		const char *text;
		size_t len;
		if (r->pass) {
			if (journal_view(s->hub->journal, &r->pos, r->len, &text, &len) != 1 || len < r->len) {
				fail_read(s);
				return;
			}
			(void)buf_append(&s->out, text, r->len);
		}
		pop_range(s);
	}
}

static size_t
feed_child(struct sub *s, size_t budget)
{
	const char *text, *nl;
	size_t len, at = 0;
	int r = view_line(s, &text, &len);

	if (r == -1)
		fail_read(s);
	if (r != 1)
		return 0;
	while (at < len && at < budget && s->n_ranges < RANGES && (nl = memchr(text + at, '\n', len - at)) != NULL) {
		size_t n = (size_t)(nl - text) - at + 1;
		enum verdict v = judge(s, text + at, n - 1);
		struct range *slot = &s->ranges[(s->first + s->n_ranges) % RANGES];
		if (v == STOP) {
			s->ended = 1;
			break;
		}
		if (v == SEND && filter_child_feed(s->child, text + at, n - 1) == -1)
			break;
		if (v == SEND) {
			*slot = (struct range){ .len = n };
			journal_pos_copy(&slot->pos, &s->pos);
			s->n_ranges++;
		}
		s->pos.off += n;
		at += n;
	}
	return at;
}

/* ---- streaming ---- */

static size_t
one_step(struct sub *s, size_t budget)
{
	if (s->child != NULL)
		return feed_child(s, budget);
	return is_filtered(s) ? send_lines(s, budget) : send_text(s, budget);
}

static int
time_is_over(const struct sub *s)
{
	const struct journal *j = s->hub->journal;

	if (s->want.to_seq != UINT64_MAX && journal_safe(j) >= s->want.to_seq)
		return 1;
	return s->want.to_us != NO_TO_US && clock_wall_us() > s->want.to_us;
}

void
sub_pump(struct sub *s)
{
	size_t budget = journal_pos_behind(s->hub->journal, &s->pos) <= TURN_BYTES ? TURN_BYTES : share(s->hub), n = 1;

	s->again = 0;
	while (s->state == STREAMING && !s->dead && n > 0) {
		tell_gap(s);
		if (s->child != NULL)
			take_passed(s);
		if (s->full || sub_flush(s) == -1)
			break;
		if (s->n_decided > 0)
			continue;                /* out was full, and is empty now */
		if (s->ended || budget == 0)
			break;
		n = one_step(s, budget);
		budget -= n < budget ? n : budget;
	}
	if (s->dead || s->state != STREAMING)
		return;
	s->again = budget == 0;
	if (!s->full && !s->ended && journal_pos_at_end(s->hub->journal, &s->pos) && time_is_over(s))
		s->ended = 1;
	if (s->ended && s->n_ranges == 0)
		sub_begin_closing(s);
}
