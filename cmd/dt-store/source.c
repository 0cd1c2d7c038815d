#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "bus/bus.h"
#include "clock/clock.h"
#include "journal/journal.h"
#include "log/log.h"
#include "mem/mem.h"
#include "stat/stat.h"

#define TURN_LINES 2000              /* read from disk before the loop looks at the others */
#define POLL_MS 100                  /* at the end of what is on disk: look again */
#define ID_MAX 128

struct source {
	struct pollable pollable;    /* first: handle() casts back; reads the path */
	struct source_config config;
	struct bus_sub *sub;
	struct journal_cursor *cursor;
	char id[ID_MAX];
	uint64_t seq;                /* the last one handed over; those of a capture are counted */
	uint64_t skip;               /* lines of a capture that are done with */
	int paused, restarted;
	int is_pipe;                 /* what was read of it cannot be had again */
};

/* ---- from disk ---- */

static void
read_id(struct source *s)
{
	char *path = xasprintf("%s/id", s->config.path);
	struct stat st;
	ssize_t n = -1;
	int fd;

	if (stat(s->config.path, &st) == -1)
		die(EX_NOINPUT, "unable to read %s: %s", s->config.path, strerror(errno));
	s->is_pipe = !S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode);
	if (S_ISDIR(st.st_mode)) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd != -1)
			n = read(fd, s->id, sizeof s->id - 1);
		if (n <= 0)
			die(EX_NOINPUT, "%s is not a journal: unable to read its file id", s->config.path);
		s->id[strcspn(s->id, "\r\n ")] = '\0';
		(void)close(fd);
	}
	free(path);
}

static void
open_cursor(struct source *s)
{
	struct journal_from from = { .kind = JOURNAL_FROM_EARLIEST };

	if (s->is_pipe && s->cursor != NULL)
		die(EX_TEMPFAIL, "unable to read %s again, it is a pipe: put it into a file and store that; what is stored already changes nothing", s->config.path);
	s->skip = s->id[0] == '\0' ? s->seq : 0;
	if (s->skip > 0)
		s->seq = 0;
	else if (s->seq > 0)
		from = (struct journal_from){ .kind = JOURNAL_FROM_SEQ, .seq = s->seq + 1 };
	journal_cursor_close(&s->cursor);
	s->cursor = journal_cursor_open(s->config.path, from);
	if (s->cursor == NULL)
		die(EX_NOINPUT, "unable to read %s: %s", s->config.path, strerror(errno));
}

/* `{"_seq":N,` at the front, or 0. */
static uint64_t
stamp(const char *line, size_t len)
{
	static const char front[] = "{\"_seq\":";
	uint64_t seq = 0;

	if (len < sizeof front || memcmp(line, front, sizeof front - 1) != 0)
		return 0;
	for (size_t i = sizeof front - 1; i < len && line[i] >= '0' && line[i] <= '9'; i++)
		seq = seq * 10 + (uint64_t)(line[i] - '0');
	return seq;
}

static void
handle(struct pollable *pollable, short revents, int64_t now_ms)
{
	struct source *s = (struct source *)pollable;
	const char *line;
	uint64_t seq;
	size_t len;
	int r = 1;

	(void)revents;
	s->restarted = 0;
	for (int i = 0; i < TURN_LINES && !s->paused && !s->restarted; i++) {
		r = journal_cursor_next(s->cursor, &line, &len);
		if (r <= 0)
			break;
		seq = s->id[0] != '\0' ? stamp(line, len) : 0;
		s->seq = seq ? seq : s->seq + 1;
		if (s->seq <= s->skip)
			continue;
		s->config.on_line(s->config.priv, s->seq, line, len);
	}
	if (r == -1)
		die(EX_IOERR, "unable to read %s: %s", s->config.path, strerror(errno));
	pollable->deadline_ms = s->paused ? CLOCK_NEVER : r == 0 ? now_ms + POLL_MS : now_ms;
	if (r == 0)
		s->config.on_end(s->config.priv);
}

/* ---- from the bus ---- */

static void
on_bus_line(void *priv, uint64_t seq, const char *line, size_t len)
{
	struct source *s = priv;

	s->config.on_line(s->config.priv, seq, line, len);
}

static void
on_subscribed(void *priv, uint64_t from, const char *journal)
{
	struct source *s = priv;

	(void)from;
	s->config.on_journal(s->config.priv, journal);
}

static void
on_gap(void *priv, uint64_t from, uint64_t to, uint64_t count)
{
	(void)priv;
	stat_add(STAT_STORE_MISSED, (int64_t)count);
	log_warn("events %" PRIu64 " to %" PRIu64 " are no longer in the journal: %" PRIu64 " are missed", from, to, count);
}

static void
start_bus(struct source *s, const char *from)
{
	struct bus_sub_config config = {
		.path = s->config.socket, .name = log_program(), .types = s->config.types, .from = from,
		.on_line = on_bus_line, .on_subscribed = on_subscribed, .on_gap = on_gap, .priv = s,
	};

	s->sub = bus_sub_new(&config);
	loop_add(s->config.loop, bus_sub_pollable(s->sub));
}

/* ---- */

struct source *
source_new(const struct source_config *config)
{
	struct source *s = xcalloc(1, sizeof *s);

	s->config = *config;
	s->pollable = (struct pollable){ .fd = -1, .deadline_ms = CLOCK_NEVER, .handle = handle };
	if (config->path != NULL) {
		read_id(s);
		loop_add(config->loop, &s->pollable);
	}
	return s;
}

void
source_free(struct source **sp)
{
	struct source *s = *sp;

	if (s == NULL)
		return;
	*sp = NULL;
	if (s->sub != NULL)
		loop_del(s->config.loop, bus_sub_pollable(s->sub));
	if (s->config.path != NULL)
		loop_del(s->config.loop, &s->pollable);
	bus_sub_free(&s->sub);
	journal_cursor_close(&s->cursor);
	free(s);
}

void
source_start(struct source *s, uint64_t after)
{
	char from[24] = "earliest";

	s->seq = after;
	s->restarted = 1;
	if (s->config.path != NULL) {
		open_cursor(s);
		s->pollable.deadline_ms = 0;
		s->config.on_journal(s->config.priv, s->id);
		return;
	}
	if (after > 0)
		(void)snprintf(from, sizeof from, "%" PRIu64, after + 1);
	if (s->sub == NULL)
		start_bus(s, from);
	else
		bus_sub_seek(s->sub, from);
}

void
source_pause(struct source *s, int on)
{
	if (s->paused == on)
		return;
	s->paused = on;
	if (s->sub != NULL)
		bus_sub_pause(s->sub, on);
	if (s->config.path != NULL && !on)
		s->pollable.deadline_ms = 0;
}

const char *
source_journal(const struct source *s)
{
	return s->config.path != NULL ? s->id : NULL;
}
