/* events.in: publishers.  Lines are checked, stamped straight into the journal's batch and, in a session, acknowledged once they are safe. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock/clock.h"
#include "event/event.h"
#include "hub.h"
#include "json/json.h"
#include "log/log.h"
#include "mem/mem.h"
#include "ndjson/ndjson.h"
#include "stat/stat.h"

#define NAME_SIZE 65
#define HELLO_MAX 4096
#define OUT_MAX (16u << 20)               /* one read of nothing but the shortest bad lines is answered in less */

/* CLOSING: it reads our last word, then closes itself; if we did so first it could lose that word. */
enum state { GREETING, PLAIN, SESSION, CLOSING };

struct pub {
	struct pollable pollable;        /* first: handle() casts */
	struct hub *hub;
	enum state state;
	int eof, dead;
	char name[NAME_SIZE];
	struct ndjson *lines;
	int64_t half_until_ms;           /* by then an unfinished line must be whole */
	struct journal_session *session;
	uint64_t n, seq;                 /* the last line handled; the last _seq staged for us */
	uint64_t mark_n, mark_seq;       /* the same a while ago, so that acknowledgements go on while more comes in */
	uint64_t acked;
	struct buf out;
};

/* ---- ending ---- */

static void
kill_pub(struct pub *p)
{
	if (p->dead)
		return;
	p->dead = 1;
	loop_del(p->hub->loop, &p->pollable);
	(void)close(p->pollable.fd);
	if (p->session != NULL)
		journal_session_set_owner(p->session, NULL);
	p->session = NULL;
}

static void
bury(struct pub *p)
{
	ndjson_free(&p->lines);
	buf_fini(&p->out);
	free(p);
}

static void
flush(struct pub *p)
{
	if (!p->dead && conn_flush(p->pollable.fd, &p->out) == -1)
		kill_pub(p);
}

static void
refuse_peer(struct pub *p, const char *reason)
{
	log_warn("publisher %s: %s", p->name, reason);
	stat_add(STAT_FANOUT_REFUSED_CONNECTIONS, 1);
	(void)buf_printf(&p->out, "{\"error\":{\"n\":0,\"reason\":\"%s\"}}\n", reason);
	p->state = CLOSING;
	p->half_until_ms = p->hub->now_ms + LINGER_MS;
	flush(p);
	(void)shutdown(p->pollable.fd, SHUT_WR);
}

/* ---- the hello ---- */

static int
looks_like_hello(const char *line, size_t len)
{
	return memmem(line, len < 32 ? len : 32, "\"hello\"", 7) != NULL;
}

static void
take_session(struct pub *p, struct journal_session *s, uint64_t next)
{
	struct pub *old = journal_session_owner(s);

	if (old != NULL)
		kill_pub(old);
	p->session = s;
	journal_session_set_owner(s, p);
	if (next > journal_session_next(s))
		journal_session_set_next(s, next);
	p->n = p->acked = p->mark_n = journal_session_next(s) - 1;
	p->state = SESSION;
	(void)buf_printf(&p->out, "{\"welcome\":{\"session\":\"%s\",\"next\":%ju}}\n", journal_session_name(s), (uintmax_t)p->n + 1);
	flush(p);
}

/* 1: the line was a hello, good or bad. */
static int
hello(struct pub *p, const char *line, size_t len)
{
	struct journal_session *s = NULL;
	const char *error, *session;
	struct json *j = len <= HELLO_MAX && looks_like_hello(line, len) ? json_parse(line, len, &error) : NULL;
	int64_t next;

	if (j == NULL || json_kind(j, "hello") != 'o' || json_has(j, "type")) {
		json_free(&j);
		return 0;
	}
	(void)snprintf(p->name, sizeof p->name, "%s", json_str(j, "hello.name", "without a name"));
	session = json_str(j, "hello.session", NULL);
	next = json_int(j, "hello.next", 1);
	if (session != NULL && next >= 1)
		s = journal_session_get(p->hub->journal, session);
	if (s != NULL)
		take_session(p, s, (uint64_t)next);
	else
		refuse_peer(p, "bad_hello");
	json_free(&j);
	return 1;
}

/* ---- lines ---- */

static void
reject(struct pub *p, enum event_error e)
{
	static int64_t *cell[EVENT_ERROR_COUNT];

	if (cell[e] == NULL)
		cell[e] = stat_cell(STAT_FANOUT_REJECTED, event_error_word(e));
	++*cell[e];
	log_debug("publisher %s: refused a line: %s", p->name, event_error_word(e));
	if (p->state != SESSION)
		return;
	journal_session_set_next(p->session, p->n + 1);
	(void)buf_printf(&p->out, "{\"error\":{\"n\":%ju,\"reason\":\"%s\"}}\n", (uintmax_t)p->n, event_error_word(e));
}

static void
begin_batch(struct hub *h)
{
	int64_t us = clock_wall_us();

	us -= us % 1000;                 /* as the text shows it */
	(void)clock_format_iso(us, h->rx_iso);
	journal_begin(h->journal, us, h->now_ms);
}

static enum event_error
check(const char *line, size_t len, struct event *e)
{
	enum event_error error;

	if (line == NULL)
		return EVENT_OVERSIZE;
	error = event_scan(line, len, e);
	if (error != EVENT_OK)
		return error;
	if (e->reserved > 0 && (event_get(e, "_seq").kind != EVENT_ABSENT || event_get(e, "_rx").kind != EVENT_ABSENT))
		return EVENT_RESERVED;
	return EVENT_OK;
}

static void
take_event(struct pub *p, const char *line, size_t len)
{
	static struct event e;
	struct hub *h = p->hub;
	enum event_error error = check(line, len, &e);
	char *to;

	p->n++;
	if (error != EVENT_OK) {
		reject(p, error);
		return;
	}
	if (h->rx_iso[0] == '\0')
		begin_batch(h);
	p->seq = journal_next(h->journal);
	to = journal_stage(h->journal, len + EVENT_STAMP_MAX);
	journal_staged(h->journal, event_write_stamped(&e, p->seq, h->rx_iso, to), p->session, p->n);
	stat_add(STAT_FANOUT_EVENTS, 1);
	stat_add(STAT_FANOUT_BYTES, (int64_t)len);
}

static int
on_line(void *priv, const char *line, size_t len)
{
	struct pub *p = priv;

	if (p->state == GREETING && line != NULL && hello(p, line, len))
		return p->dead || p->state == CLOSING;
	if (p->state == GREETING)
		p->state = PLAIN;
	take_event(p, line, len);
	return 0;
}

/* ---- the connection ---- */

/* Who greeted sends an unfinished last line again; who did not has ended it. */
static void
end_of_input(struct pub *p)
{
	p->eof = 1;
	if (p->state == CLOSING)
		kill_pub(p);
	if (p->state == SESSION || p->state == CLOSING)
		return;
	(void)ndjson_end(p->lines, on_line, p);
	kill_pub(p);
}

static size_t
share(const struct hub *h)
{
	size_t n = TURN_BYTES / h->n_pubs;

	return n > READ_MAX ? READ_MAX : n < READ_MIN ? READ_MIN : n;
}

static void
receive(struct pub *p)
{
	ssize_t n = recv(p->pollable.fd, p->hub->scratch, share(p->hub), MSG_DONTWAIT);
	size_t pending = ndjson_pending(p->lines);

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == 0) {
		end_of_input(p);
		return;
	}
	if (n == -1) {
		kill_pub(p);
		return;
	}
	if (p->state == CLOSING)
		return;
	(void)ndjson_feed(p->lines, p->hub->scratch, (size_t)n, on_line, p);
	if (p->state == CLOSING)
		return;
	if (ndjson_pending(p->lines) == 0)
		p->half_until_ms = CLOCK_NEVER;
	else if (pending == 0 || ndjson_pending(p->lines) < (size_t)n)
		p->half_until_ms = p->hub->now_ms + HALF_LINE_MS;        /* a line was begun just now */
}

static void
handle(struct pollable *pollable, short revents, int64_t now_ms)
{
	struct pub *p = (struct pub *)pollable;

	p->hub->now_ms = now_ms;
	if (now_ms >= p->half_until_ms) {
		if (p->state != CLOSING)
			log_warn("publisher %s: half a line and no more for %d s", p->name, HALF_LINE_MS / 1000);
		kill_pub(p);
		return;
	}
	if (revents & POLLOUT)
		flush(p);
	if (!p->dead && !p->eof && revents & (POLLIN | POLLHUP | POLLERR))
		receive(p);
}

void
pubs_accept(struct hub *h, int fd)
{
	struct pub *p;

	if (h->n_pubs >= h->max_pubs + REFUSED_MAX) {
		(void)close(fd);
		return;
	}
	p = xcalloc(1, sizeof *p);
	p->hub = h;
	p->lines = ndjson_new(EVENT_MAX);
	p->half_until_ms = CLOCK_NEVER;
	buf_init(&p->out, OUT_MAX);
	(void)strcpy(p->name, "without a name");
	p->pollable = (struct pollable){ .fd = fd, .events = POLLIN, .deadline_ms = CLOCK_NEVER, .handle = handle };
	loop_add(h->loop, &p->pollable);
	if (h->n_pubs == h->cap_pubs)
		h->pubs = xreallocarray(h->pubs, h->cap_pubs = h->cap_pubs ? 2 * h->cap_pubs : 16, sizeof p);
	h->pubs[h->n_pubs++] = p;
	if (h->n_pubs > h->max_pubs)
		refuse_peer(p, "too_many_publishers");
}

/* ---- after each turn ---- */

static void
acknowledge(struct pub *p)
{
	uint64_t safe = journal_safe(p->hub->journal), n = p->acked;

	if (p->seq <= safe)
		n = p->n;
	else if (p->mark_seq <= safe)
		n = p->mark_n;
	if (p->mark_seq <= safe) {
		p->mark_n = p->n;
		p->mark_seq = p->seq;
	}
	if (n > p->acked && buf_size(&p->out) < CONTROL_MAX) {
		(void)buf_printf(&p->out, "{\"ack\":%ju}\n", (uintmax_t)n);
		p->acked = n;
	}
}

static void
rearm(struct pub *p)
{
	const struct hub *h = p->hub;
	int reads = !p->eof && !h->draining && (p->state == CLOSING ||
	    (!journal_blocked(h->journal) && buf_size(&p->out) < CONTROL_MAX));

	p->pollable.events = (short)((reads ? POLLIN : 0) | (buf_size(&p->out) > 0 ? POLLOUT : 0));
	if (!reads && p->state != CLOSING && p->half_until_ms != CLOCK_NEVER)
		p->half_until_ms = h->now_ms + HALF_LINE_MS;     /* the time that we do not read is not held against it */
	p->pollable.deadline_ms = p->half_until_ms;
}

static void
step(struct pub *p)
{
	if (p->dead)
		return;
	if (p->state == SESSION)
		acknowledge(p);
	flush(p);
	if (p->dead)
		return;
	if (buf_size(&p->out) == 0 && p->eof && p->acked == p->n)
		kill_pub(p);
	else
		rearm(p);
}

void
pubs_step(struct hub *h)
{
	size_t i, kept = 0;

	for (i = 0; i < h->n_pubs; i++)
		step(h->pubs[i]);
	for (i = 0; i < h->n_pubs; i++)
		if (h->pubs[i]->dead)
			bury(h->pubs[i]);
		else
			h->pubs[kept++] = h->pubs[i];
	h->n_pubs = kept;
}

int
pubs_waiting(const struct hub *h)
{
	for (size_t i = 0; i < h->n_pubs; i++)
		if (h->pubs[i]->state == SESSION && (h->pubs[i]->acked < h->pubs[i]->n || buf_size(&h->pubs[i]->out) > 0))
			return 1;
	return 0;
}

void
pubs_close(struct hub *h)
{
	for (size_t i = 0; i < h->n_pubs; i++)
		kill_pub(h->pubs[i]);
	pubs_step(h);
	free(h->pubs);
}
