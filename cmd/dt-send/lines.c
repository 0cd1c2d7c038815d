/* Lines of standard input, each published and acknowledged. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "buf/buf.h"
#include "bus/bus.h"
#include "clock/clock.h"
#include "event/event.h"
#include "log/log.h"
#include "loop/loop.h"
#include "mem/mem.h"
#include "ndjson/ndjson.h"
#include "progress/progress.h"
#include "send.h"

#define READ_SIZE (256u << 10)
#define UNACKED_MAX (8u << 20)
#define TICK_MS 100
#define DRAIN_MS 2000

/* From the published line n on, input lines are numbered n + shift: empty and over-long lines are not published. */
struct run {
	uint64_t n, shift;
};

static struct {
	const struct send_options *o;
	struct loop *loop;
	struct bus_pub *pub;
	struct ndjson *lines;
	struct pollable in, tick;
	struct progress *progress;
	char data[READ_SIZE];
	size_t at, len;              /* of data, what is still to be cut into lines */
	struct buf held;             /* a line that did not fit the publisher's buffer */
	struct buf stripped;
	int eof, gave_up;
	uint64_t seen, read_bytes;   /* lines (without the empty ones) and bytes of input */
	uint64_t acked, refused;
	off_t size;                  /* of the input, 0 where unknown */
	struct run *runs;
	size_t n_runs, runs_cap;
	int64_t connected_ms, drain_ms;
} S;

/* ---- which input line a published line was ---- */

static void
note_line(uint64_t n, uint64_t line)
{
	if (S.n_runs > 0 && S.runs[S.n_runs - 1].shift == line - n)
		return;
	if (S.n_runs == S.runs_cap) {
		S.runs_cap = S.runs_cap ? 2 * S.runs_cap : 64;
		S.runs = xreallocarray(S.runs, S.runs_cap, sizeof(*S.runs));
	}
	S.runs[S.n_runs++] = (struct run){ n, line - n };
}

static uint64_t
line_of(uint64_t n)
{
	size_t i = S.n_runs;

	while (i > 1 && S.runs[i - 1].n > n)
		i--;
	return n + S.runs[i - 1].shift;
}

static void
forget_lines(uint64_t acked)
{
	size_t i = 0;

	while (i + 1 < S.n_runs && S.runs[i + 1].n <= acked + 1)
		i++;
	if (i > 0) {
		memmove(S.runs, S.runs + i, (S.n_runs - i) * sizeof(*S.runs));
		S.n_runs -= i;
	}
}

static void
refuse(uint64_t line, const char *why)
{
	S.refused++;
	if (!S.o->quiet)
		(void)fprintf(stderr, "dt-send: line %ju: %s\n", (uintmax_t)line, why);
}

/* ---- input to publisher ---- */

static int
publish(const char *line, size_t len)
{
	uint64_t n = bus_pub_send(S.pub, line, len);

	if (n == 0) {
		(void)buf_append(&S.held, line, len);
		return 1;
	}
	note_line(n, S.seen + ndjson_empty(S.lines));
	return 0;
}

static int
on_line(void *priv, const char *line, size_t len)
{
	static struct event e;

	(void)priv;
	S.seen++;
	if (line == NULL) {
		refuse(S.seen + ndjson_empty(S.lines), event_error_text(EVENT_OVERSIZE));
		return 0;
	}
	if (S.o->strip && event_scan(line, len, &e) == EVENT_OK && e.reserved > 0) {
		buf_clear(&S.stripped);
		len = event_write(&e, EVENT_STRIP_STAMP, buf_reserve(&S.stripped, len + 1));
		line = buf_data(&S.stripped);
	}
	return publish(line, len);
}

static void
retry_held(void)
{
	uint64_t n = bus_pub_send(S.pub, buf_data(&S.held), buf_size(&S.held));

	if (n == 0)
		return;
	note_line(n, S.seen + ndjson_empty(S.lines));
	buf_fini(&S.held);
}

static void
pump(void)
{
	if (buf_size(&S.held) > 0)
		retry_held();
	while (buf_size(&S.held) == 0 && S.at < S.len)
		S.at += ndjson_feed(S.lines, S.data + S.at, S.len - S.at, on_line, NULL);
	S.in.events = S.at == S.len && buf_size(&S.held) == 0 && !S.eof ? POLLIN : 0;
	if (S.eof && S.at == S.len && buf_size(&S.held) == 0 && bus_pub_unacked(S.pub) == 0)
		loop_stop(S.loop);
}

static void
on_input(struct pollable *in, short revents, int64_t now_ms)
{
	ssize_t n = read(STDIN_FILENO, S.data, READ_SIZE);

	(void)in, (void)revents, (void)now_ms;
	if (n == -1 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n == -1)
		die(EX_IOERR, "unable to read standard input: %s", strerror(errno));
	S.at = 0;
	S.len = (size_t)n;
	S.read_bytes += (uint64_t)n;
	if (n == 0) {
		S.eof = 1;
		(void)ndjson_end(S.lines, on_line, NULL);
	}
	pump();
}

/* ---- what the bus says ---- */

static void
on_ack(void *priv, uint64_t n)
{
	(void)priv;
	S.acked = n;
	forget_lines(n);
	pump();
}

static void
on_refused(void *priv, uint64_t n, const char *reason)
{
	(void)priv;
	refuse(line_of(n), send_reason(reason));
}

static void
on_tick(struct pollable *tick, short revents, int64_t now_ms)
{
	double done = S.size > 0 ? (double)S.read_bytes / (double)S.size : -1;

	(void)revents;
	tick->deadline_ms = now_ms + TICK_MS;
	if (bus_pub_connected(S.pub))
		S.connected_ms = now_ms;
	else if ((double)(now_ms - S.connected_ms) >= S.o->wait_s * 1000) {
		S.gave_up = 1;
		loop_stop(S.loop);
	}
	if (S.drain_ms > 0 && now_ms >= S.drain_ms)
		loop_stop(S.loop);
	progress_show(S.progress, done, S.acked, now_ms);
}

static void
open_all(const struct send_options *o)
{
	struct bus_pub_config config = { .path = o->in_path, .name = "dt-send", .max_bytes = UNACKED_MAX, .on_ack = on_ack, .on_error = on_refused };
	struct stat st;

	S.o = o;
	S.loop = loop_new();
	S.pub = bus_pub_new(&config);
	S.lines = ndjson_new(EVENT_LINE_MAX);
	buf_init(&S.held, EVENT_LINE_MAX);
	buf_init(&S.stripped, EVENT_LINE_MAX + 1);
	S.connected_ms = clock_mono_ms();
	if (fstat(STDIN_FILENO, &st) == 0 && S_ISREG(st.st_mode))
		S.size = st.st_size;
	if (isatty(STDIN_FILENO)) {
		if (!o->quiet)
			(void)fprintf(stderr, "dt-send: reading events, one JSON object a line; ctrl-D ends\n");
	} else if (!o->quiet)
		S.progress = progress_new("events");
	S.in = (struct pollable){ .fd = STDIN_FILENO, .events = POLLIN, .deadline_ms = CLOCK_NEVER, .handle = on_input };
	S.tick = (struct pollable){ .fd = -1, .deadline_ms = 0, .handle = on_tick };
	loop_add(S.loop, &S.in);
	loop_add(S.loop, &S.tick);
	loop_add(S.loop, bus_pub_pollable(S.pub));
}

static void
close_all(void)
{
	progress_free(&S.progress);
	bus_pub_free(&S.pub);
	ndjson_free(&S.lines);
	loop_free(&S.loop);
	buf_fini(&S.held);
	buf_fini(&S.stripped);
	free(S.runs);
}

int
send_lines(const struct send_options *o)
{
	uint64_t unacked;

	open_all(o);
	if (loop_run(S.loop) != 0 && !S.gave_up) {       /* asked to stop: what was taken in may still arrive */
		S.eof = 1;
		S.at = S.len = 0;
		S.drain_ms = clock_mono_ms() + DRAIN_MS;
		pump();
		if (bus_pub_unacked(S.pub) > 0)
			(void)loop_run(S.loop);
	}
	unacked = bus_pub_unacked(S.pub) + (buf_size(&S.held) > 0);
	close_all();
	if (S.refused > 0)
		log_err("%ju of %ju line%s refused", (uintmax_t)S.refused, (uintmax_t)S.seen, S.seen == 1 ? "" : "s");
	if (S.gave_up)
		log_err("no bus at %s for %g s: is the tracker up?  Not acknowledged: %ju", o->in_path, o->wait_s, (uintmax_t)unacked);
	else if (unacked > 0)
		log_err("interrupted; not acknowledged: %ju", (uintmax_t)unacked);
	if (unacked > 0 || S.gave_up)
		return S.gave_up ? EX_UNAVAILABLE : EX_TEMPFAIL;
	return S.refused > 0 ? EX_DATAERR : EX_OK;
}
