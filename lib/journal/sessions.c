/* The file `publishers`: which lines of which session became which _seq, a line `session n seq count` each, written before the journal's own lines.
 * What the journal turns out not to hold after a crash did not happen. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "journal/writer.h"
#include "log/log.h"
#include "mem/mem.h"

#define SESSIONS_MAX 4096                /* the least recently used ones are forgotten */
#define COMPACT_BYTES (4u << 20)
#define RUNS_MAX (64u << 20)

/* ---- the table ---- */

static int
good_name(const char *name)
{
	size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

	return n > 0 && n <= JOURNAL_SESSION_MAX && name[n] == '\0';
}

static void
forget_oldest(struct journal *j)
{
	size_t i, oldest = SIZE_MAX;

	for (i = 0; i < j->n_sessions; i++)
		if (j->sessions[i]->owner == NULL && j->sessions[i]->run_count == 0 &&
		    (oldest == SIZE_MAX || j->sessions[i]->used < j->sessions[oldest]->used))
			oldest = i;
	if (oldest == SIZE_MAX)
		return;
	free(j->sessions[oldest]);
	j->sessions[oldest] = j->sessions[--j->n_sessions];
}

struct journal_session *
journal_session_get(struct journal *j, const char *name)
{
	struct journal_session *s;
	size_t i;

	if (!good_name(name))
		return NULL;
	for (i = 0; i < j->n_sessions; i++)
		if (strcmp(j->sessions[i]->name, name) == 0)
			break;
	if (i == j->n_sessions) {
		if (j->n_sessions >= SESSIONS_MAX)
			forget_oldest(j);
		if (j->n_sessions == j->cap_sessions)
			j->sessions = xreallocarray(j->sessions, j->cap_sessions = j->cap_sessions ? 2 * j->cap_sessions : 64, sizeof s);
		s = xcalloc(1, sizeof *s);
		(void)snprintf(s->name, sizeof s->name, "%s", name);
		s->next = 1;
		i = j->n_sessions;
		j->sessions[j->n_sessions++] = s;
	}
	j->sessions[i]->used = ++j->session_clock;
	return j->sessions[i];
}

const char *
journal_session_name(const struct journal_session *s)
{
	return s->name;
}

uint64_t
journal_session_next(const struct journal_session *s)
{
	return s->next;
}

void
journal_session_set_next(struct journal_session *s, uint64_t next)
{
	assert(next >= s->next);
	s->next = next;
}

void *
journal_session_owner(const struct journal_session *s)
{
	return s->owner;
}

void
journal_session_set_owner(struct journal_session *s, void *owner)
{
	s->owner = owner;
}

/* ---- noting runs ---- */

static void
end_run(struct journal *j, struct journal_session *s)
{
	if (s->run_count == 0)
		return;
	if (buf_printf(&j->runs, "%s %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", s->name, s->run_n, s->run_seq, s->run_count) == -1)
		die(EX_SOFTWARE, "too many runs in one batch");
	s->run_count = 0;
}

void
journal_sessions_note(struct journal *j, struct journal_session *s, uint64_t n, uint64_t seq)
{
	assert(n >= s->next);
	if (s->last_seq <= j->written_seq) {
		s->done_n = s->last_n;
		s->done_seq = s->last_seq;
	}
	s->last_n = n;
	s->last_seq = seq;
	if (s->run_count == 0 || n != s->run_n + s->run_count || seq != s->run_seq + s->run_count) {
		end_run(j, s);
		s->run_n = n;
		s->run_seq = seq;
	}
	s->run_count++;
	s->next = n + 1;
	s->used = seq;
	if (j->session_clock < seq)
		j->session_clock = seq;
}

int
journal_sessions_write(struct journal *j)
{
	size_t i, len;
	ssize_t n;
	int e;

	for (i = 0; i < j->n_sessions; i++)
		end_run(j, j->sessions[i]);
	len = buf_size(&j->runs);
	if (len == 0)
		return 0;
	n = pwrite(j->publishers_fd, buf_data(&j->runs), len, (off_t)j->publishers_size);
	if (n != (ssize_t)len) {
		e = n == -1 ? errno : ENOSPC;
		(void)!ftruncate(j->publishers_fd, (off_t)j->publishers_size);
		errno = e;
		return -1;
	}
	j->publishers_size += len;
	buf_clear(&j->runs);
	return 0;
}

/* ---- the file ---- */

static void
read_runs(struct journal *j, FILE *f)
{
	uint64_t n, seq, count, last = j->written_seq;
	char name[JOURNAL_SESSION_MAX + 1], text[256];
	struct journal_session *s;

	while (fgets(text, sizeof text, f) != NULL) {
		if (strchr(text, '\n') == NULL ||
		    sscanf(text, "%64s %" SCNu64 " %" SCNu64 " %" SCNu64, name, &n, &seq, &count) != 4 ||
		    seq > last || count == 0 || !good_name(name))
			continue;
		if (count > last - seq + 1)
			count = last - seq + 1;
		s = journal_session_get(j, name);
		if (n + count <= s->next)
			continue;
		s->next = n + count;
		s->last_n = n + count - 1;
		s->last_seq = s->used = seq + count - 1;
		if (j->session_clock < s->used)
			j->session_clock = s->used;
	}
}

static int
by_use(const void *a, const void *b)
{
	const struct journal_session *x = *(struct journal_session *const *)a, *y = *(struct journal_session *const *)b;

	return (x->used > y->used) - (x->used < y->used);
}

int
journal_sessions_long(const struct journal *j)
{
	return j->publishers_size > COMPACT_BYTES;
}

/* The last line of each session is all that the next start needs. */
void
journal_sessions_compact(struct journal *j)
{
	struct buf b = BUF_INIT(SESSIONS_MAX * 160 + 1024);
	int fd = openat(j->dirfd, "publishers.tmp", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (j->n_sessions > 0)
		qsort(j->sessions, j->n_sessions, sizeof *j->sessions, by_use);
	for (size_t i = 0; i < j->n_sessions; i++) {
		const struct journal_session *s = j->sessions[i];
		int staged = s->last_seq > j->written_seq;
		uint64_t n = staged ? s->done_n : s->last_n;
		if (n > 0)
			(void)buf_printf(&b, "%s %" PRIu64 " %" PRIu64 " 1\n", s->name, n, staged ? s->done_seq : s->last_seq);
	}
	if (fd == -1 || (buf_size(&b) > 0 && write(fd, buf_data(&b), buf_size(&b)) != (ssize_t)buf_size(&b)) || journal_settle(j, fd) == -1 ||
	    renameat(j->dirfd, "publishers.tmp", j->dirfd, "publishers") == -1) {
		if (fd != -1)
			(void)close(fd);
	} else {
		if (j->publishers_fd != -1)
			(void)close(j->publishers_fd);
		j->publishers_fd = fd;
		j->publishers_size = buf_size(&b);
	}
	buf_fini(&b);
}

void
journal_sessions_load(struct journal *j)
{
	int fd = openat(j->dirfd, "publishers", O_RDONLY | O_CLOEXEC);
	FILE *f = fd == -1 ? NULL : fdopen(fd, "r");

	buf_init(&j->runs, RUNS_MAX);
	if (f != NULL) {
		read_runs(j, f);
		(void)fclose(f);
	}
	(void)journal_settle(j, j->fd);  /* compaction forgets the runs that a shorter journal would need */
	journal_sessions_compact(j);     /* runs that did not happen must not come true by the lines of others */
	if (j->publishers_fd == -1)
		die(EX_CANTCREAT, "unable to write %s/publishers: %s", j->dir, strerror(errno));
}

void
journal_sessions_free(struct journal *j)
{
	for (size_t i = 0; i < j->n_sessions; i++)
		free(j->sessions[i]);
	free(j->sessions);
	buf_fini(&j->runs);
	(void)close(j->publishers_fd);
}
