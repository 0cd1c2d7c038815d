/* To standard output, marked as a replay. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf/buf.h"
#include "event/event.h"
#include "loop/loop.h"
#include "out/out.h"
#include "replay.h"

static struct {
	struct loop *loop;
	int verbatim;
} S;

/* The event as it is written, in a buffer that the next call reuses. */
static const char *
as_line(const struct event *e, int verbatim, size_t *len)
{
	static const char mark[] = "{\"_replay\":true,";
	static struct buf b = BUF_INIT(EVENT_LINE_MAX + sizeof(mark));
	size_t head = sizeof(mark) - 2;          /* the brace that the event begins with gives way to the mark's comma */
	char *to;

	*len = e->len;
	if (verbatim)
		return e->line;
	buf_clear(&b);
	to = buf_reserve(&b, e->len + sizeof(mark));
	if (event_get(e, "_replay").kind != EVENT_ABSENT) {
		*len = event_write(e, EVENT_STRIP_STAMP, to);
		return to;
	}
	*len = head + event_write(e, EVENT_STRIP_STAMP, to + head);
	memcpy(to, mark, sizeof(mark) - 1);
	return to;
}

static int
emit(void *priv, const struct event *e)
{
	size_t len;
	const char *line = as_line(e, S.verbatim, &len);

	(void)priv;
	out_line(line, len);
	return 0;
}

static void
on_wait(void *priv)
{
	(void)priv;
	out_flush();
}

static void
on_end(void *priv)
{
	(void)priv;
	loop_stop(S.loop);
}

int
replay_stdout(const struct replay *r)
{
	struct feed_config config = r->feed;
	struct feed *feed;
	int code;

	S.loop = loop_new();
	S.verbatim = r->verbatim;
	config.emit = emit;
	config.on_wait = on_wait;
	config.on_end = on_end;
	config.progress = !isatty(STDOUT_FILENO);
	feed = feed_new(&config);
	loop_add(S.loop, feed_pollable(feed));
	loop_add(S.loop, out_pollable());
	if (loop_run(S.loop) != 0)
		out_stopped();
	out_close();
	feed_report(feed);
	code = feed_code(feed);
	feed_free(&feed);
	loop_free(&S.loop);
	return code;
}
