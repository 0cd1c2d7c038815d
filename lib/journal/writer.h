/* What the files of the writing side share. */
#ifndef JOURNAL_WRITER_H
#define JOURNAL_WRITER_H
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "buf/buf.h"
#include "journal/file.h"
#include "journal/index.h"
#include "journal/journal.h"
#include "journal/segment.h"
#include "journal/sync.h"
#include "loop/loop.h"

#define NO_TIME INT64_MIN

struct jseg {
	uint64_t first, end_seq;         /* end_seq: where the next one begins; 0 for the last */
	uint64_t size;                   /* bytes of text that may be read; UINT64_MAX: as many as come */
	int64_t first_rx_us;             /* NO_TIME while it is empty */
	uint64_t disk_bytes;
	int zst, dropped, spoilt;        /* spoilt: could not be compressed, is left alone */
	unsigned refs;                   /* positions, and one for the list */
	int dirfd;
	struct jfile *file;              /* opened when first read */
};

/* Text read for those who lie behind, shared by all of them. */
#define JBLOCK JFILE_FRAME
#define JBLOCKS 8
struct jblock { uint64_t first, off, used; size_t len; char *text; };

struct journal_session {
	char name[JOURNAL_SESSION_MAX + 1];
	uint64_t next;
	uint64_t run_n, run_seq, run_count;      /* staged lines that follow each other, not yet in runs */
	uint64_t last_n, last_seq;       /* the last line staged, and what it became */
	uint64_t done_n, done_seq;       /* the last one of earlier batches */
	uint64_t used;                   /* the higher the later; the lowest are forgotten first */
	void *owner;
};

/* The tail holds the last text of the segment being written, from tail_off on: [0, safe) is shown, [safe, written) waits for its
 * sync, [written, staged) waits for its write. */
struct journal {
	struct journal_config config;
	char *dir, id[JOURNAL_ID_SIZE];
	struct pollable pollable;        /* handle() finds the journal by its offset */
	int dirfd, lock_fd, fd, index_fd;
	struct jseg **segs;              /* the last one is being written */
	size_t n_segs, cap_segs;
	struct jindex index;             /* of the last one */
	char *tail;
	size_t tail_cap, safe, written, staged;
	uint64_t tail_off;
	uint64_t next_seq, written_seq, safe_seq;
	uint64_t reserved;               /* no number above it is given out before the file says so */
	int64_t rx_us, opened_ms;        /* of the batch; of the segment (monotonic) */
	struct jsync *sync;
	unsigned in_flight;              /* jobs given */
	int64_t sync_at_ms, retry_at_ms, keep_at_ms;
	uint64_t sync_from;              /* bytes of the segment that are known to be synced or given to the thread */
	int new_segment;                 /* its name is not yet synced */
	int write_failing, sync_failing, roll_failing, was_blocked;
	struct jblock blocks[JBLOCKS];   /* journal_view's, for what is not in the tail */
	uint64_t block_clock;
	int blocks_used;                 /* since the last look */
	char *scratch;                   /* for lines that cross blocks */
	size_t scratch_cap;
	struct journal_session **sessions;
	size_t n_sessions, cap_sessions;
	uint64_t session_clock;
	int publishers_fd;
	uint64_t publishers_size;
	struct buf runs;                 /* text for `publishers`, of the batch */
	pid_t compressing;
	uint64_t compressing_first;
	int64_t wall_ahead_us, doubt_until_ms;   /* for noticing that the clock was set */
	int clock_suspect;
	struct journal_stats stats;
};

static inline struct jseg *
journal_last_seg(const struct journal *j)
{
	return j->segs[j->n_segs - 1];
}

/* fdatasync, unless the policy is never. */
int journal_settle(const struct journal *, int fd);

struct jseg *jseg_new(struct journal *, uint64_t first);
void jseg_unref(struct jseg *);
int jseg_ready(struct jseg *);                   /* opens its file; 0, -1 with errno */

/* recover.c: everything that opening finds on disk. */
void journal_recover(struct journal *);

/* sessions.c */
void journal_sessions_load(struct journal *);    /* runs beyond written_seq never happened */
void journal_sessions_free(struct journal *);
int journal_sessions_write(struct journal *);    /* the batch's runs, before the batch; 0, -1 with errno */
void journal_sessions_note(struct journal *, struct journal_session *, uint64_t n, uint64_t seq);
void journal_sessions_compact(struct journal *);  /* not while the sync thread works */
int journal_sessions_long(const struct journal *);

/* reserve.c */
void journal_reserve_load(struct journal *);     /* may move next_seq on */
void journal_reserve(struct journal *);          /* before a batch */
void journal_reserve_close(struct journal *);    /* after the last sync */

/* view.c */
void journal_blocks_free(struct journal *);

/* keep.c */
void journal_keep(struct journal *, int64_t now_ms);     /* retention and compressing; sets keep_at_ms */
void journal_keep_soon(struct journal *);

#endif
