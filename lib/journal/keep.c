/* What happens to closed segments: retention by size and age, compression. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock/clock.h"
#include "journal/compress.h"
#include "journal/writer.h"
#include "log/log.h"

#define EVERY_MS 30000
#define CHILD_MS 50
#define HOUR_US 3600000000LL
#define DAY_US (24 * HOUR_US)
#define START_DOUBT_MS 3600000           /* how long a clock is doubted that is days ahead of the newest event at start */

void
journal_keep_soon(struct journal *j)
{
	j->keep_at_ms = 0;
}

/* ---- retention ---- */

static void
drop_first(struct journal *j, const char *why)
{
	struct jseg *s = j->segs[0];
	char name[JSEG_NAME_SIZE];

	if (s->refs > 1)
		(void)jseg_ready(s);     /* who is in the middle of a line can still finish it */
	(void)unlinkat(j->dirfd, jseg_name(s->first, ".idx", name), 0);
	(void)unlinkat(j->dirfd, jseg_name(s->first, ".ndjson.zst", name), 0);
	(void)unlinkat(j->dirfd, jseg_name(s->first, ".ndjson", name), 0);
	log_debug("journal %s: dropped %s, %s", j->dir, name, why);
	memmove(j->segs, j->segs + 1, --j->n_segs * sizeof(struct jseg *));
	s->dropped = 1;
	jseg_unref(s);
	j->stats.dropped_segments++;
}

static int64_t
newest_rx(const struct journal *j)
{
	for (size_t i = j->n_segs; i-- > 0;)
		if (i == j->n_segs - 1 && j->index.n > 0)
			return j->index.record[j->index.n - 1].rx_us;
		else if (j->segs[i]->first_rx_us != NO_TIME)
			return j->segs[i]->first_rx_us;
	return NO_TIME;
}

/* A clock that leaps ahead must not cost the journal: ages count only while it goes as the monotonic one does. */
static int
clock_is_sane(struct journal *j, int64_t wall_us, int64_t now_ms)
{
	int64_t ahead = wall_us - now_ms * 1000, newest = newest_rx(j);

	if (j->wall_ahead_us == 0) {
		j->wall_ahead_us = ahead;
		j->doubt_until_ms = newest != NO_TIME && wall_us - newest > DAY_US ? now_ms + START_DOUBT_MS : 0;
	}
	if (ahead - j->wall_ahead_us > DAY_US) {
		if (!j->clock_suspect)
			log_warn("journal %s: the clock has leapt ahead; nothing is dropped for its age", j->dir);
		j->clock_suspect = 1;
		return 0;
	}
	j->clock_suspect = 0;
	j->wall_ahead_us = ahead;
	return now_ms >= j->doubt_until_ms;
}

static int
first_is_old(struct journal *j, int64_t wall_us)
{
	int64_t end = j->segs[1]->first_rx_us;   /* about when its last line came */

	return end != NO_TIME && wall_us - end > j->config.keep_hours * HOUR_US;
}

static void
retain(struct journal *j, int64_t now_ms)
{
	int64_t wall_us = clock_wall_us();
	struct journal_stats st;

	for (journal_get_stats(j, &st); j->n_segs > 1 && st.bytes > (uint64_t)j->config.keep_bytes; journal_get_stats(j, &st))
		drop_first(j, "the journal is over its size");
	if (clock_is_sane(j, wall_us, now_ms))
		while (j->n_segs > 1 && first_is_old(j, wall_us))
			drop_first(j, "it is over its age");
}

/* ---- compression ---- */

static struct jseg *
find(struct journal *j, uint64_t first)
{
	for (size_t i = 0; i < j->n_segs; i++)
		if (j->segs[i]->first == first)
			return j->segs[i];
	return NULL;
}

static void
compressed(struct journal *j, int ok)
{
	struct jseg *s = find(j, j->compressing_first);
	char plain[JSEG_NAME_SIZE], zst[JSEG_NAME_SIZE];
	struct stat st;

	(void)jseg_name(j->compressing_first, ".ndjson", plain);
	(void)jseg_name(j->compressing_first, ".ndjson.zst", zst);
	if (s == NULL) {                 /* dropped meanwhile */
		(void)unlinkat(j->dirfd, zst, 0);
		return;
	}
	if (!ok || fstatat(j->dirfd, zst, &st, 0) == -1) {
		log_warn("journal %s: unable to compress %s; it stays as it is", j->dir, plain);
		s->spoilt = 1;
		return;
	}
	(void)unlinkat(j->dirfd, plain, 0);
	s->zst = 1;
	s->disk_bytes = (uint64_t)st.st_size;
	j->stats.compressed_segments++;
}

static void
reap(struct journal *j)
{
	int status;
	pid_t pid = waitpid(j->compressing, &status, WNOHANG);

	if (pid == 0 || (pid == -1 && errno == EINTR))
		return;
	compressed(j, pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	j->compressing = 0;
}

static void
compress_next(struct journal *j)
{
	for (size_t i = 0; i + 1 < j->n_segs; i++) {
		struct jseg *s = j->segs[i];
		if (s->zst || s->spoilt || s->size == 0)
			continue;
		j->compressing = jcompress_fork(j->dirfd, s->first);
		if (j->compressing == -1)
			j->compressing = 0;
		j->compressing_first = s->first;
		return;
	}
}

void
journal_keep(struct journal *j, int64_t now_ms)
{
	if (j->compressing > 0)
		reap(j);
	if (!j->blocks_used)
		journal_blocks_free(j);  /* nobody lies behind */
	j->blocks_used = 0;
	retain(j, now_ms);
	if (j->config.compress && j->compressing == 0)
		compress_next(j);
	j->keep_at_ms = now_ms + (j->compressing > 0 ? CHILD_MS : EVERY_MS);
}
