/* What opening for writing finds on disk: the id, the segments, a torn tail, indexes that are missing, files that nobody finished. */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "journal/writer.h"
#include "log/log.h"

/* ---- the id ---- */

static void
make_id(struct journal *j)
{
	unsigned char r[16];
	int fd;

	if (getrandom(r, sizeof r, 0) != sizeof r)
		die(EX_OSERR, "unable to get random bytes: %s", strerror(errno));
	for (size_t i = 0; i < sizeof r; i++)
		(void)snprintf(j->id + 2 * i, 3, "%02x", r[i]);
	fd = openat(j->dirfd, "id.tmp", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd == -1 || dprintf(fd, "%s\n", j->id) < 0 || journal_settle(j, fd) == -1 || renameat(j->dirfd, "id.tmp", j->dirfd, "id") == -1)
		die(EX_CANTCREAT, "unable to write %s/id: %s", j->dir, strerror(errno));
	(void)close(fd);
}

static void
load_id(struct journal *j)
{
	int fd = openat(j->dirfd, "id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd == -1 ? -1 : read(fd, j->id, sizeof j->id);

	if (fd != -1)
		(void)close(fd);
	if (n != sizeof j->id || j->id[32] != '\n' || strspn(j->id, "0123456789abcdef") != 32) {
		make_id(j);
		return;
	}
	j->id[32] = '\0';
}

/* ---- leftovers ---- */

static void
remove_leftovers(struct journal *j)
{
	int fd = openat(j->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	const char *suffix;
	struct dirent *d;
	uint64_t first;

	if (dir == NULL)
		die(EX_IOERR, "unable to read journal %s: %s", j->dir, strerror(errno));
	while ((d = readdir(dir)) != NULL)
		if (jseg_parse(d->d_name, &first, &suffix) == 0 && strlen(suffix) > 4 && strcmp(suffix + strlen(suffix) - 4, ".tmp") == 0)
			(void)unlinkat(j->dirfd, d->d_name, 0);
	(void)closedir(dir);
}

/* ---- lines ---- */

struct check {
	struct jindex *index;
	uint64_t next;                   /* the _seq that has to come */
};

static int
good_line(void *priv, uint64_t off, const char *line, size_t len)
{
	struct check *c = priv;
	uint64_t seq;
	int64_t rx;

	if (jfile_stamp(line, len, &seq, &rx) == -1 || seq != c->next || line[len - 1] != '}' || memchr(line, '\0', len) != NULL)
		return 1;
	if (jindex_due(c->index, off))
		jindex_add(c->index, seq, rx, off);
	c->next++;
	return 0;
}

/* The index may be ahead of the text after a power failure: forget records that no line bears out. */
static void
trim_index(struct jindex *x, struct jfile *f)
{
	char head[96];
	uint64_t seq;

	for (; x->n > 0; x->n--) {
		const struct jindex_record *r = &x->record[x->n - 1];
		ssize_t n = jfile_read(f, r->off, head, sizeof head);
		if (n > 0 && jfile_stamp(head, (size_t)n, &seq, NULL) == 0 && seq == r->seq)
			break;
	}
	if (x->written > x->n)
		x->written = x->n;
}

/* Checks a segment from its last index record on.  Returns where its good lines end; *next is the _seq behind them. */
static uint64_t
check_segment(struct journal *j, uint64_t first, struct jfile *f, struct jindex *x, uint64_t *next)
{
	struct check c = { x, first };
	uint64_t end, off = 0;
	int error;

	(void)jindex_load(x, j->dirfd, first);
	trim_index(x, f);
	if (x->n > 0) {
		off = x->record[x->n - 1].off;
		c.next = x->record[x->n - 1].seq;
	}
	end = jfile_lines(f, off, UINT64_MAX, good_line, &c, &error);
	if (error != 0)
		die(EX_IOERR, "unable to read segment %020" PRIu64 " of journal %s: %s", first, j->dir, strerror(error));
	*next = c.next;
	return end;
}

/* ---- segments ---- */

static struct jfile *
open_segment(struct journal *j, uint64_t first)
{
	struct jfile *f = jseg_open(j->dirfd, first);

	if (f == NULL)
		die(EX_IOERR, "unable to open segment %020" PRIu64 " of journal %s: %s", first, j->dir, strerror(errno));
	return f;
}

static void
build_index(struct journal *j, uint64_t first)
{
	struct jfile *f = open_segment(j, first);
	struct jindex x = { 0 };
	uint64_t next;

	(void)check_segment(j, first, f, &x, &next);
	if (x.n > 0 && jindex_save(&x, j->dirfd, first) == 0)
		log_info("journal %s: rebuilt the index of segment %020" PRIu64, j->dir, first);
	jindex_free(&x);
	jfile_close(&f);
}

static void
add_closed(struct journal *j, const struct jseg_entry *e)
{
	struct jindex x = { 0 };
	struct jseg *s = jseg_new(j, e->first);
	char name[JSEG_NAME_SIZE];
	struct stat st;

	s->zst = e->zst;
	if (e->plain && e->zst)
		(void)unlinkat(j->dirfd, jseg_name(e->first, ".ndjson", name), 0);
	if (fstatat(j->dirfd, jseg_name(e->first, s->zst ? ".ndjson.zst" : ".ndjson", name), &st, 0) == 0)
		s->disk_bytes = (uint64_t)st.st_size;
	s->size = s->zst ? UINT64_MAX : s->disk_bytes;
	if (s->disk_bytes > 0 && jindex_load(&x, j->dirfd, e->first) == -1)
		build_index(j, e->first);
	jindex_free(&x);
	if (jseg_first_rx(j->dirfd, e->first, &s->first_rx_us) == -1)
		s->first_rx_us = NO_TIME;
}

/* The newest segment tells what comes next.  A plain one is written on, behind its last good line. */
static void
open_last(struct journal *j, const struct jseg_entry *e)
{
	struct jfile *f = open_segment(j, e->first);
	uint64_t end = check_segment(j, e->first, f, &j->index, &j->next_seq), size = jfile_raw_size(f);
	char name[JSEG_NAME_SIZE];
	struct jseg *s;

	jfile_close(&f);
	if (!e->plain || e->zst) {
		jindex_clear(&j->index);
		add_closed(j, e);
		return;
	}
	j->fd = openat(j->dirfd, jseg_name(e->first, ".ndjson", name), O_RDWR | O_CLOEXEC);
	if (j->fd == -1 || (size > end && ftruncate(j->fd, (off_t)end) == -1))
		die(EX_IOERR, "unable to write segment %s of journal %s: %s", name, j->dir, strerror(errno));
	if (size > end) {
		log_warn("journal %s: cut a torn end of %" PRIu64 " bytes off %s; the last event kept is %" PRIu64, j->dir, size - end, name,
		    j->next_seq - 1);
		j->stats.torn_bytes = size - end;
	}
	s = jseg_new(j, e->first);
	s->size = s->disk_bytes = j->tail_off = end;
	if (j->index.n > 0)
		s->first_rx_us = j->index.record[0].rx_us;
}

static void
open_index(struct journal *j)
{
	char name[JSEG_NAME_SIZE];
	uint64_t first = journal_last_seg(j)->first;

	j->index_fd = openat(j->dirfd, jseg_name(first, ".idx", name), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (j->index_fd == -1)
		die(EX_CANTCREAT, "unable to write %s in journal %s: %s", name, j->dir, strerror(errno));
	if (ftruncate(j->index_fd, (off_t)(j->index.written * JINDEX_RECORD)) == -1 || jindex_append(&j->index, j->index_fd) == -1)
		log_warn("journal %s: unable to write %s: %s", j->dir, name, strerror(errno));
}

static void
begin_first(struct journal *j)
{
	char name[JSEG_NAME_SIZE];
	struct jseg *s;

	j->fd = openat(j->dirfd, jseg_name(j->next_seq, ".ndjson", name), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (j->fd == -1)
		die(EX_CANTCREAT, "unable to write %s in journal %s: %s", name, j->dir, strerror(errno));
	s = jseg_new(j, j->next_seq);
	s->size = 0;
	j->new_segment = 1;
}

/* Its numbers cannot go on without a break: the next one begins elsewhere. */
static void
leave_last(struct journal *j)
{
	struct jseg *s = journal_last_seg(j);

	if (j->index.n > 0 && jindex_save(&j->index, j->dirfd, s->first) == -1)
		log_warn("journal %s: unable to write an index: %s", j->dir, strerror(errno));
	jindex_clear(&j->index);
	(void)journal_settle(j, j->fd);
	(void)close(j->fd);
	j->fd = -1;
	j->tail_off = 0;
}

void
journal_recover(struct journal *j)
{
	struct jseg_entry *list;
	uint64_t next;
	size_t n, i;

	load_id(j);
	remove_leftovers(j);
	if (jseg_list(j->dirfd, &list, &n) == -1)
		die(EX_IOERR, "unable to read journal %s: %s", j->dir, strerror(errno));
	for (i = 0; i + 1 < n; i++)
		add_closed(j, &list[i]);
	j->next_seq = 1;
	if (n > 0)
		open_last(j, &list[n - 1]);
	free(list);
	next = j->next_seq;
	journal_reserve_load(j);
	if (j->fd != -1 && j->next_seq != next)
		leave_last(j);
	if (j->fd == -1)
		begin_first(j);
	open_index(j);
	j->sync_from = j->tail_off;
	j->written_seq = j->safe_seq = j->next_seq - 1;
	j->reserved = 0;
}
