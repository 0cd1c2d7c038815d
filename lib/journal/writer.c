/* Appending: stage, write, sync, roll. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock/clock.h"
#include "journal/writer.h"
#include "log/log.h"
#include "mem/mem.h"

#define TAIL_CAP (2u << 20)
#define TAIL_KEEP (512u << 10)           /* what stays in memory for subscribers when the tail moves on */
#define STAGED_MAX (1u << 20)            /* enough for one write */
#define RETRY_MS 250

static void handle(struct pollable *, short revents, int64_t now_ms);

static int
open_new(struct journal *j, uint64_t first, int *fd, int *index_fd)
{
	char name[JSEG_NAME_SIZE];
	int e;

	*fd = openat(j->dirfd, jseg_name(first, ".ndjson", name), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (*fd == -1)
		return -1;
	*index_fd = openat(j->dirfd, jseg_name(first, ".idx", name), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (*index_fd != -1)
		return 0;
	e = errno;
	(void)close(*fd);
	errno = e;
	return -1;
}

/* ---- sync ---- */

int
journal_settle(const struct journal *j, int fd)
{
	return j->config.sync_ms == JOURNAL_SYNC_NEVER ? 0 : fdatasync(fd);
}

static void
give_job(struct journal *j, int fd, int close_fd)
{
	struct jsync_job job = { .fd = fd, .also_fd = j->publishers_fd, .dir_fd = j->new_segment ? j->dirfd : -1,
	    .close_fd = close_fd, .from = j->sync_from, .to = j->tail_off + j->written };

	if (j->sync == NULL) {
		j->sync = jsync_new();
		j->pollable.fd = jsync_fd(j->sync);
		j->pollable.events = POLLIN;
	}
	jsync_give(j->sync, &job);
	j->in_flight++;
	j->new_segment = 0;
	j->sync_from = job.to;
	j->sync_at_ms = CLOCK_NEVER;
}

static void
arm(struct journal *j)
{
	int64_t at = j->keep_at_ms;

	if (j->sync_at_ms < at)
		at = j->sync_at_ms;
	if (j->retry_at_ms < at)
		at = j->retry_at_ms;
	j->pollable.deadline_ms = at;
}

static void
tell(struct journal *j)
{
	j->was_blocked = journal_blocked(j);
	if (j->config.on_safe != NULL)
		j->config.on_safe(j->config.priv);
}

static void
make_safe(struct journal *j, size_t safe, uint64_t seq)
{
	j->safe = safe;
	j->safe_seq = seq;
	journal_last_seg(j)->size = j->tail_off + safe;
}

static int
waiting(const struct journal *j)
{
	return j->safe < j->written;
}

/* ---- rolling ---- */

static int
is_full(const struct journal *j)
{
	return j->tail_off + j->written >= (uint64_t)j->config.segment_bytes;
}

static int
unfinished(const struct journal *j)
{
	return j->staged > j->written || waiting(j);
}

static int
roll_due(const struct journal *j, int64_t now_ms)
{
	if (j->tail_off + j->written == 0 || unfinished(j))
		return 0;
	return is_full(j) || now_ms - j->opened_ms >= j->config.segment_ms;
}

static void
close_segment(struct journal *j)
{
	struct jseg *s = journal_last_seg(j);

	s->disk_bytes = s->size;
	(void)jindex_append(&j->index, j->index_fd);
	(void)close(j->index_fd);
	jindex_clear(&j->index);
	/* all may be given to the sync thread and not be done yet: then it closes, after what it was given before */
	if (j->config.sync_ms == JOURNAL_SYNC_NEVER || (j->sync_from == j->tail_off + j->written && j->in_flight == 0))
		(void)close(j->fd);
	else
		give_job(j, j->fd, 1);
}

/* When it fails the old segment just grows on. */
static void
roll(struct journal *j, int64_t now_ms)
{
	int fd, index_fd;

	if (open_new(j, j->next_seq, &fd, &index_fd) == -1) {
		if (!j->roll_failing)
			log_err("journal %s: unable to begin a new segment: %s", j->dir, strerror(errno));
		j->roll_failing = 1;
		return;
	}
	j->roll_failing = 0;
	close_segment(j);
	j->fd = fd;
	j->index_fd = index_fd;
	j->new_segment = 1;
	(void)jseg_new(j, j->next_seq);
	j->tail_off = j->sync_from = 0;
	j->safe = j->written = j->staged = 0;
	j->opened_ms = now_ms;
	journal_keep_soon(j);
}

/* ---- staging ---- */

void
journal_begin(struct journal *j, int64_t rx_us, int64_t now_ms)
{
	j->rx_us = rx_us;
	if (roll_due(j, now_ms))
		roll(j, now_ms);
	journal_reserve(j);
}

/* Let go of the oldest shown text; a large event may make the tail larger for a while. */
static void
make_room(struct journal *j, size_t need)
{
	size_t drop = j->safe > TAIL_KEEP ? j->safe - TAIL_KEEP : 0, cap = TAIL_CAP;

	if (j->staged - drop + need > TAIL_CAP)
		drop = j->safe;
	memmove(j->tail, j->tail + drop, j->staged - drop);
	j->tail_off += drop;
	j->safe -= drop;
	j->written -= drop;
	j->staged -= drop;
	if (cap < j->staged + need)
		cap = j->staged + need;
	if (cap != j->tail_cap)
		j->tail = xrealloc(j->tail, j->tail_cap = cap);
}

char *
journal_stage(struct journal *j, size_t max)
{
	if (j->staged + max + 1 > j->tail_cap)
		make_room(j, max + 1);
	return j->tail + j->staged;
}

void
journal_staged(struct journal *j, size_t len, struct journal_session *session, uint64_t n)
{
	struct jseg *s = journal_last_seg(j);
	uint64_t off = j->tail_off + j->staged;

	if (jindex_due(&j->index, off))
		jindex_add(&j->index, j->next_seq, j->rx_us, off);
	if (s->first_rx_us == NO_TIME)
		s->first_rx_us = j->rx_us;
	j->tail[j->staged + len] = '\n';
	j->staged += len + 1;
	if (session != NULL)
		journal_sessions_note(j, session, n, j->next_seq);
	j->next_seq++;
}

/* ---- writing ---- */

static int
write_staged(struct journal *j)
{
	size_t at = j->written;

	while (at < j->staged) {
		ssize_t n = pwrite(j->fd, j->tail + at, j->staged - at, (off_t)(j->tail_off + at));
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			int e = errno;
			if (at > j->written && ftruncate(j->fd, (off_t)(j->tail_off + j->written)) == -1)
				log_err("journal %s: unable to take back half a write: %s", j->dir, strerror(errno));
			errno = e;
			return -1;
		}
		at += (size_t)n;
	}
	return 0;
}

static void
write_failed(struct journal *j, int64_t now_ms)
{
	j->stats.write_errors++;
	if (!j->write_failing)
		log_err("journal %s: unable to write: %s; nothing is acknowledged until it works again", j->dir, strerror(errno));
	j->write_failing = 1;
	j->retry_at_ms = now_ms + RETRY_MS;
	journal_keep_soon(j);            /* retention may make room */
}

static void
write_worked(struct journal *j)
{
	if (j->write_failing)
		log_info("journal %s: writing again", j->dir);
	j->write_failing = 0;
	j->retry_at_ms = CLOCK_NEVER;
	j->written = j->staged;
	j->written_seq = j->next_seq - 1;
	(void)jindex_append(&j->index, j->index_fd);
	journal_last_seg(j)->disk_bytes = j->tail_off + j->written;
}

static void
commit(struct journal *j, int64_t now_ms)
{
	if (j->staged == j->written || waiting(j) || (j->write_failing && now_ms < j->retry_at_ms))
		return;
	if (journal_sessions_long(j) && j->in_flight == 0)
		journal_sessions_compact(j);
	if (journal_sessions_write(j) == -1 || write_staged(j) == -1) {
		write_failed(j, now_ms);
		return;
	}
	write_worked(j);
	if (j->config.sync_ms == JOURNAL_SYNC_ALWAYS) {
		give_job(j, j->fd, 0);
		return;
	}
	if (j->config.sync_ms > 0 && j->sync_at_ms == CLOCK_NEVER && j->in_flight == 0)
		j->sync_at_ms = now_ms + j->config.sync_ms;
	make_safe(j, j->written, j->written_seq);
	tell(j);
}

void
journal_commit(struct journal *j, int64_t now_ms)
{
	commit(j, now_ms);
	if (journal_blocked(j) != j->was_blocked)
		tell(j);
	arm(j);
}

/* ---- what the thread and the clock bring ---- */

static void
collect_syncs(struct journal *j, int64_t now_ms)
{
	unsigned failures, done;
	int error;

	done = jsync_take(j->sync, &failures, &error);
	j->in_flight -= done;
	j->stats.syncs += done;
	j->stats.sync_errors += failures;
	if (error != 0 && !j->sync_failing)
		log_err("journal %s: unable to sync: %s; nothing more is acknowledged until it works again", j->dir, strerror(error));
	if (error == 0 && j->sync_failing)
		log_info("journal %s: syncing again", j->dir);
	j->sync_failing = error != 0;
	if (j->in_flight > 0)
		return;
	if (j->config.sync_ms > 0 && j->sync_from < j->tail_off + j->written && j->sync_at_ms == CLOCK_NEVER)
		j->sync_at_ms = now_ms + j->config.sync_ms;
	if (waiting(j)) {
		make_safe(j, j->written, j->written_seq);
		tell(j);
	}
}

static void
handle(struct pollable *p, short revents, int64_t now_ms)
{
	struct journal *j = (struct journal *)((char *)p - offsetof(struct journal, pollable));

	if (revents != 0)
		collect_syncs(j, now_ms);
	if (now_ms >= j->sync_at_ms) {
		j->sync_at_ms = CLOCK_NEVER;
		if (j->in_flight == 0)
			give_job(j, j->fd, 0);
	}
	if (now_ms >= j->keep_at_ms)
		journal_keep(j, now_ms);
	journal_commit(j, now_ms);
}

/* ---- open, close ---- */

static void
take_lock(struct journal *j)
{
	j->dirfd = open(j->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (j->dirfd == -1)
		die(EX_IOERR, "unable to open journal %s: %s", j->dir, strerror(errno));
	j->lock_fd = openat(j->dirfd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (j->lock_fd == -1)
		die(EX_CANTCREAT, "unable to create %s/lock: %s", j->dir, strerror(errno));
	if (flock(j->lock_fd, LOCK_EX | LOCK_NB) == -1)
		die(EX_TEMPFAIL, "another process writes the journal %s", j->dir);
}

static void
make_dirs(const char *path)
{
	char *copy = xstrdup(path), *p;

	for (p = copy + 1; (p = strchr(p, '/')) != NULL; *p++ = '/') {
		*p = '\0';
		(void)mkdir(copy, 0700);
	}
	if (mkdir(copy, 0700) == -1 && errno != EEXIST)
		die(EX_CANTCREAT, "unable to create journal %s: %s", path, strerror(errno));
	free(copy);
}

struct journal *
journal_open(const struct journal_config *config)
{
	struct journal *j = xcalloc(1, sizeof *j);

	j->config = *config;
	j->dir = xstrdup(config->dir);
	j->config.dir = j->dir;
	j->fd = j->index_fd = j->publishers_fd = -1;
	j->sync_at_ms = j->retry_at_ms = CLOCK_NEVER;
	j->pollable = (struct pollable){ .fd = -1, .deadline_ms = CLOCK_NEVER, .handle = handle };
	j->tail = xmalloc(j->tail_cap = TAIL_CAP);
	make_dirs(j->dir);
	take_lock(j);
	journal_recover(j);
	journal_sessions_load(j);
	j->opened_ms = clock_mono_ms();
	journal_keep_soon(j);
	arm(j);
	return j;
}

void
journal_close(struct journal **jp)
{
	struct journal *j = *jp;

	if (j == NULL)
		return;
	*jp = NULL;
	j->config.on_safe = NULL;
	j->retry_at_ms = 0;
	commit(j, clock_mono_ms());
	if (j->config.sync_ms != JOURNAL_SYNC_NEVER && j->in_flight == 0 && j->sync_from < j->tail_off + j->written)
		give_job(j, j->fd, 0);
	jsync_free(&j->sync);
	if (waiting(j))                  /* staged after the batch that was being synced */
		j->safe = j->written;
	commit(j, clock_mono_ms());
	jsync_free(&j->sync);
	journal_reserve_close(j);
	(void)close(j->fd);
	(void)close(j->index_fd);
	journal_sessions_free(j);
	while (j->n_segs > 0)
		jseg_unref(j->segs[--j->n_segs]);
	free(j->segs);
	jindex_free(&j->index);
	free(j->tail);
	journal_blocks_free(j);
	(void)close(j->lock_fd);
	(void)close(j->dirfd);
	free(j->dir);
	free(j);
}

/* ---- what is asked about it ---- */

struct pollable *
journal_pollable(struct journal *j)
{
	return &j->pollable;
}

const char *
journal_id(const struct journal *j)
{
	return j->id;
}

uint64_t
journal_first(const struct journal *j)
{
	return j->segs[0]->first;
}

uint64_t
journal_next(const struct journal *j)
{
	return j->next_seq;
}

uint64_t
journal_safe(const struct journal *j)
{
	return j->safe_seq;
}

int
journal_blocked(const struct journal *j)
{
	/* a full segment is left when nothing of it is under way any more */
	return j->write_failing || j->sync_failing || j->staged - j->safe >= STAGED_MAX || (is_full(j) && unfinished(j));
}

void
journal_get_stats(const struct journal *j, struct journal_stats *out)
{
	*out = j->stats;
	out->segments = j->n_segs;
	out->bytes = 0;
	for (size_t i = 0; i < j->n_segs; i++)
		out->bytes += j->segs[i]->disk_bytes;
}
