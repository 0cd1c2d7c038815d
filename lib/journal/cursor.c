/* Reading a journal directory, also while it is written, or a capture. */
#include "journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "event/event.h"
#include "journal/file.h"
#include "journal/index.h"
#include "journal/segment.h"
#include "mem/mem.h"

struct journal_cursor {
	int dirfd;                       /* -1: a capture */
	uint64_t first;                  /* the segment being read */
	struct jfile *file;              /* NULL: the directory has no segment yet */
	int final;                       /* a later segment exists: this one does not grow any more */
	char *buf;                       /* unread text: [start, end), and no newline in [start, seen) */
	size_t cap, start, seen, end;
	uint64_t off;                    /* in the file, of buf[end] */
	int skipping;                    /* inside a line that is too long */
	struct journal_from from;        /* JOURNAL_FROM_EARLIEST once the first line is found */
	uint64_t lines;                  /* of a capture, so far */
	uint64_t raw_start, raw_done, raw_total;   /* for the progress: bytes on disk */
};

static void
enter(struct journal_cursor *c, uint64_t first, struct jfile *file, uint64_t off)
{
	if (c->file != NULL)
		c->raw_done += jfile_raw_size(c->file);
	jfile_close(&c->file);
	c->file = file;
	c->first = first;
	c->final = 0;
	c->off = off;
	c->start = c->seen = c->end = 0;
	c->skipping = 0;
}

/* ---- where to begin ---- */

static size_t
segment_of(struct journal_cursor *c, const struct jseg_entry *list, size_t n)
{
	size_t best = 0;
	int64_t rx;

	if (c->from.kind == JOURNAL_FROM_EARLIEST)
		return 0;
	if (c->from.kind == JOURNAL_FROM_END)
		return n - 1;
	for (size_t i = 1; i < n; i++) {
		if (c->from.kind == JOURNAL_FROM_SEQ && list[i].first > c->from.seq)
			break;
		if (c->from.kind == JOURNAL_FROM_TIME && jseg_first_rx(c->dirfd, list[i].first, &rx) != 0)
			continue;                /* empty: it says nothing about those before it */
		if (c->from.kind == JOURNAL_FROM_TIME && rx >= c->from.rx_us)
			break;
		best = i;
	}
	return best;
}

static int
nothing(void *priv, uint64_t off, const char *line, size_t len)
{
	(void)priv, (void)off, (void)line, (void)len;
	return 0;
}

static uint64_t
offset_of(struct journal_cursor *c, struct jfile *file, uint64_t first)
{
	struct jindex x = { 0 };
	uint64_t off = 0;
	int error;

	(void)jindex_load(&x, c->dirfd, first);
	if (c->from.kind == JOURNAL_FROM_SEQ)
		off = jindex_seek_seq(&x, c->from.seq);
	else if (c->from.kind == JOURNAL_FROM_TIME)
		off = jindex_seek_time(&x, c->from.rx_us);
	else if (c->from.kind == JOURNAL_FROM_END)
		off = jfile_lines(file, jindex_seek_seq(&x, UINT64_MAX), UINT64_MAX, nothing, NULL, &error);
	jindex_free(&x);
	return off;
}

/* Is there a line at off, as the index says? */
static int
begins_line(struct jfile *file, uint64_t off)
{
	char c;

	return off == 0 || (jfile_read(file, off - 1, &c, 1) == 1 && c == '\n');
}

static int
begin_directory(struct journal_cursor *c)
{
	struct jseg_entry *list;
	struct jfile *file = NULL;
	uint64_t first = 0, off;
	size_t n, i;

	if (jseg_list(c->dirfd, &list, &n) == -1)
		return -1;
	for (i = n > 0 ? segment_of(c, list, n) : 0; i < n; i++) {
		/* one that retention removes meanwhile is not there any more */
		first = list[i].first;
		if ((file = jseg_open(c->dirfd, first)) != NULL)
			break;
		if (errno != ENOENT)
			break;
	}
	for (size_t k = i; k < n; k++)
		c->raw_total += list[k].disk_bytes;
	free(list);
	if (i == n)
		return 0;
	if (file == NULL)
		return -1;
	off = offset_of(c, file, first);
	enter(c, first, file, begins_line(file, off) ? off : 0);
	if (c->from.kind == JOURNAL_FROM_END)
		c->from.kind = JOURNAL_FROM_EARLIEST;
	return 0;
}

static int
begin_capture(struct journal_cursor *c, int fd)
{
	enter(c, 0, jfile_open(fd, -1), 0);
	c->raw_total = jfile_raw_size(c->file);
	return 0;
}

struct journal_cursor *
journal_cursor_open(const char *path, struct journal_from from)
{
	struct journal_cursor *c;
	int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd == -1 || fstat(fd, &st) == -1) {
		int e = errno;
		if (fd != -1)
			(void)close(fd);
		errno = e;
		return NULL;
	}
	c = xcalloc(1, sizeof *c);
	c->from = from;
	c->cap = JFILE_FRAME;
	c->buf = xmalloc(c->cap);
	c->dirfd = S_ISDIR(st.st_mode) ? fd : -1;
	r = c->dirfd == -1 ? begin_capture(c, fd) : begin_directory(c);
	if (r == -1)
		journal_cursor_close(&c);
	else
		c->raw_start = c->file != NULL ? jfile_raw_at(c->file) : 0;
	return c;
}

void
journal_cursor_close(struct journal_cursor **cp)
{
	struct journal_cursor *c = *cp;
	int e = errno;

	if (c == NULL)
		return;
	*cp = NULL;
	jfile_close(&c->file);
	if (c->dirfd != -1)
		(void)close(c->dirfd);
	free(c->buf);
	free(c);
	errno = e;
}

/* ---- reading on ---- */

static void
make_room(struct journal_cursor *c)
{
	if (c->start > 0) {
		memmove(c->buf, c->buf + c->start, c->end - c->start);
		c->end -= c->start;
		c->seen -= c->start;
		c->start = 0;
	}
	if (c->end == c->cap)
		c->buf = xrealloc(c->buf, c->cap *= 2);
}

/* 1 when there is more text, 0 at the end of the file, -1. */
static int
fill(struct journal_cursor *c)
{
	ssize_t n;

	if (c->end - c->start > EVENT_LINE_MAX && !c->skipping) {
		c->start = c->seen = c->end = 0;
		c->skipping = 1;
	} else if (c->skipping)
		c->start = c->seen = c->end = 0;
	make_room(c);
	n = jfile_read(c->file, c->off, c->buf + c->end, c->cap - c->end);
	if (n <= 0)
		return (int)n;
	c->end += (size_t)n;
	c->off += (uint64_t)n;
	return 1;
}

/* At the end of a segment: 1 to try again (in the next one, or in this one for what was added before the next was begun), 0 nothing new, -1. */
static int
next_segment(struct journal_cursor *c)
{
	struct jseg_entry *list;
	struct jfile *file;
	size_t n, i;
	int r = 0;

	if (jseg_list(c->dirfd, &list, &n) == -1)
		return -1;
	for (i = 0; i < n && c->file != NULL && list[i].first <= c->first; i++)
		;
	if (i < n && c->file != NULL && !c->final)
		c->final = r = 1;
	else if (i < n && (file = jseg_open(c->dirfd, list[i].first)) != NULL) {
		enter(c, list[i].first, file, 0);
		r = 1;
	} else if (i < n)
		r = errno == ENOENT ? 1 : -1;
	free(list);
	return r;
}

/* The next whole line of any kind: 1, 0, -1. */
static int
raw_line(struct journal_cursor *c, const char **line, size_t *len)
{
	for (;;) {
		char *nl = memchr(c->buf + c->seen, '\n', c->end - c->seen);
		int r;
		if (nl != NULL) {
			*line = c->buf + c->start;
			*len = (size_t)(nl - *line);
			c->start = c->seen = (size_t)(nl - c->buf) + 1;
			if (!c->skipping && *len <= EVENT_LINE_MAX)
				return 1;
			c->skipping = 0;
			return errno = EMSGSIZE, -1;
		}
		c->seen = c->end;
		r = c->file != NULL ? fill(c) : 0;
		if (r == 0 && c->dirfd != -1)
			r = next_segment(c);
		if (r == -1)
			return -1;
		if (r == 0 && c->dirfd == -1 && c->end > c->start && !c->skipping) {
			*line = c->buf + c->start;
			*len = c->end - c->start;
			c->start = c->seen = c->end;
			return 1;
		}
		if (r == 0)
			return 0;
	}
}

static int
late_enough(const struct journal_cursor *c, const char *line, size_t len)
{
	struct event e;
	uint64_t seq;
	int64_t us;

	if (jfile_stamp(line, len, &seq, &us) == 0)
		return c->from.kind == JOURNAL_FROM_SEQ ? seq >= c->from.seq : us >= c->from.rx_us;
	if (c->from.kind == JOURNAL_FROM_SEQ)
		return c->dirfd == -1 && c->lines >= c->from.seq;
	return event_scan(line, len, &e) == EVENT_OK && event_time(&e, &us) == 0 && us >= c->from.rx_us;
}

int
journal_cursor_next(struct journal_cursor *c, const char **line, size_t *len)
{
	int r;

	while ((r = raw_line(c, line, len)) == 1) {
		c->lines++;
		if (*len > 0 && (*line)[*len - 1] == '\r')
			--*len;
		if (*len == 0)
			continue;
		if (c->from.kind == JOURNAL_FROM_END)
			continue;                /* of a capture: nothing follows */
		if (c->from.kind != JOURNAL_FROM_EARLIEST && !late_enough(c, *line, *len))
			continue;
		c->from.kind = JOURNAL_FROM_EARLIEST;
		return 1;
	}
	return r;
}

double
journal_cursor_progress(const struct journal_cursor *c)
{
	uint64_t at = c->raw_done + (c->file != NULL ? jfile_raw_at(c->file) : 0);

	if (c->raw_total <= c->raw_start)
		return 1;
	if (at >= c->raw_total)
		return 1;
	return at <= c->raw_start ? 0 : (double)(at - c->raw_start) / (double)(c->raw_total - c->raw_start);
}
