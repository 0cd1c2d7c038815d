#include "source/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "event/event.h"
#include "journal/journal.h"
#include "log/log.h"
#include "mem/mem.h"
#include "pick/pick.h"
#include "source/source_pipe.h"

struct source {
	struct pick *pick;
	const char *const *paths;
	size_t n, at;                        /* paths[at] is open, or to be opened next */
	const char *path;                    /* that was opened last */
	struct journal_cursor *cursor;       /* NULL while nothing is open, or: */
	struct source_pipe *pipe;
	void (*on_wait)(void);
	int no_wait;
	int ordered;                         /* a journal: nothing follows the end of the range */
	uint64_t last;                       /* of a journal, when we opened it: what we make of it may flow back into it */
	uint64_t line;                       /* of this path */
	uint64_t bad;
	char *first_bad;
};

struct source *
source_new(struct pick *pick, const char *const *paths, size_t n)
{
	struct source *s = xcalloc(1, sizeof(*s));

	s->pick = pick;
	s->paths = paths;
	s->n = n;
	return s;
}

void
source_on_wait(struct source *s, void (*f)(void))
{
	s->on_wait = f;
}

void
source_no_wait(struct source *s)
{
	s->no_wait = 1;
}

static void
close_path(struct source *s)
{
	journal_cursor_close(&s->cursor);
	source_pipe_free(&s->pipe);
}

void
source_free(struct source **sp)
{
	if (*sp == NULL)
		return;
	close_path(*sp);
	free((*sp)->first_bad);
	free(*sp);
	*sp = NULL;
}

void
source_rewind(struct source *s)
{
	close_path(s);
	s->at = 0;
}

/* A journal is sought by its index; a capture may hold anything in any order and is read whole. */
static int
open_path(struct source *s)
{
	struct journal_from from = { .kind = JOURNAL_FROM_EARLIEST };
	struct stat st;

	s->path = s->paths[s->at];
	s->line = 0;
	s->ordered = 0;
	if (strcmp(s->path, "-") == 0) {
		s->pipe = source_pipe_new(STDIN_FILENO);
		return 0;
	}
	s->ordered = stat(s->path, &st) == 0 && S_ISDIR(st.st_mode);
	if (s->ordered && journal_last(s->path, &s->last) == -1)
		return -1;
	if (s->ordered && s->pick->from.kind == PICK_SEQ)
		from = (struct journal_from){ .kind = JOURNAL_FROM_SEQ, .seq = s->pick->from.seq };
	else if (s->ordered && s->pick->from.kind == PICK_TIME)
		from = (struct journal_from){ .kind = JOURNAL_FROM_TIME, .rx_us = s->pick->from.us };
	s->cursor = journal_cursor_open(s->path, from);
	return s->cursor == NULL ? -1 : 0;
}

static void
next_path(struct source *s)
{
	close_path(s);
	s->at++;
}

static void
note_bad(struct source *s, enum event_error error)
{
	if (s->bad++ == 0)
		s->first_bad = xasprintf("%s line %ju: %s", s->path, (uintmax_t)s->line, event_error_text(error));
}

/* 1: picked, 0: not, -1: nothing more of this path. */
static int
consider(struct source *s, const char *line, size_t len, struct event *e)
{
	enum event_error error;
	uint64_t seq;
	int range;

	s->line++;
	error = event_scan(line, len, e);
	if (error != EVENT_OK) {
		note_bad(s, error);
		return 0;
	}
	range = pick_range(s->pick, e, s->line);
	if (s->ordered && event_seq(e, &seq) == 0 && seq > s->last)
		return -1;
	if (range > 0 && s->ordered)
		return -1;
	return range == 0 && pick_matches(s->pick, e);
}

static int
next_line(struct source *s, const char **line, size_t *len)
{
	if (s->cursor == NULL && s->pipe == NULL && open_path(s) == -1)
		return -1;
	if (s->pipe != NULL)
		return source_pipe_next(s->pipe, line, len, s->no_wait, s->on_wait);
	return journal_cursor_next(s->cursor, line, len);
}

int
source_next(struct source *s, struct event *e)
{
	const char *line;
	size_t len;
	int got, picked;

	while (s->at < s->n) {
		got = next_line(s, &line, &len);
		if (got == -1 && errno == EMSGSIZE) {
			s->line++;
			note_bad(s, EVENT_OVERSIZE);
			continue;
		}
		if (got == -1 && errno == EAGAIN)
			return -1;
		if (got == -1) {
			int error = errno;
			next_path(s);
			errno = error;
			return -1;
		}
		picked = got == 1 ? consider(s, line, len, e) : -1;
		if (picked == 1)
			return 1;
		if (picked == -1) {
			if (s->ordered && s->line == 0)
				log_warn("%s: no events%s", s->path, s->pick->from.kind == PICK_NONE ? "" : " from there on");
			next_path(s);
		}
	}
	return 0;
}

const char *
source_path(const struct source *s)
{
	return s->path;
}

double
source_progress(const struct source *s)
{
	double here = s->cursor != NULL ? journal_cursor_progress(s->cursor) : 0;

	return ((double)s->at + here) / (double)s->n;
}

void
source_report(const struct source *s)
{
	if (s->bad > 0)
		log_warn("left out %ju line%s that %s no event; the first: %s", (uintmax_t)s->bad, s->bad == 1 ? "" : "s", s->bad == 1 ? "is" : "are",
		    s->first_bad);
}
