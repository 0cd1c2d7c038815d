#include "source/source_pipe.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf/buf.h"
#include "event/event.h"
#include "mem/mem.h"

#define READ_SIZE (256u << 10)

struct source_pipe {
	int fd, eof, skipping;               /* skipping: the rest of a line that is too long */
	struct buf buf;
	size_t line;                         /* bytes of the line handed out last, to be dropped */
};

struct source_pipe *
source_pipe_new(int fd)
{
	struct source_pipe *p = xcalloc(1, sizeof(*p));

	p->fd = fd;
	buf_init(&p->buf, EVENT_LINE_MAX + 2 * READ_SIZE);
	return p;
}

void
source_pipe_free(struct source_pipe **pp)
{
	if (*pp == NULL)
		return;
	buf_fini(&(*pp)->buf);
	free(*pp);
	*pp = NULL;
}

static int
fill(struct source_pipe *p, int no_wait, void (*on_wait)(void))
{
	struct pollfd pfd = { .fd = p->fd, .events = POLLIN };
	ssize_t n;

	if ((no_wait || on_wait != NULL) && poll(&pfd, 1, 0) == 0) {
		if (no_wait)
			return errno = EAGAIN, -1;
		on_wait();
	}
	do
		n = read(p->fd, buf_reserve(&p->buf, READ_SIZE), READ_SIZE);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return -1;
	buf_added(&p->buf, (size_t)n);
	p->eof = n == 0;
	return 0;
}

/* The next line with its newline (without, at the end of input) in *len; 0 when nothing is left. */
static int
whole_line(struct source_pipe *p, size_t *len, int no_wait, void (*on_wait)(void))
{
	size_t looked = 0;               /* bytes in which there is no newline */
	char *nl;

	for (;;) {
		nl = buf_size(&p->buf) == looked ? NULL : memchr(buf_data(&p->buf) + looked, '\n', buf_size(&p->buf) - looked);
		*len = nl != NULL ? (size_t)(nl - buf_data(&p->buf)) + 1 : buf_size(&p->buf);
		if (nl != NULL || *len > EVENT_LINE_MAX || (p->eof && *len > 0))
			return 1;
		if (p->eof)
			return 0;
		looked = buf_size(&p->buf);
		if (fill(p, no_wait, on_wait) == -1)
			return -1;
	}
}

int
source_pipe_next(struct source_pipe *p, const char **line, size_t *len, int no_wait, void (*on_wait)(void))
{
	int got, rest;

	do {
		buf_consume(&p->buf, p->line);
		p->line = 0;
		got = whole_line(p, len, no_wait, on_wait);
		if (got != 1)
			return got;
		p->line = *len;
		*line = buf_data(&p->buf);
		rest = p->skipping;
		p->skipping = (*line)[*len - 1] != '\n' && !p->eof;
		while (*len > 0 && ((*line)[*len - 1] == '\n' || (*line)[*len - 1] == '\r'))
			(*len)--;
	} while (rest || *len == 0);
	return 1;
}
