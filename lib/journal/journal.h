/* journal: the append-only directory of segments that holds the stream (journal(5)).
 * `<first _seq, 20 digits>.ndjson`, closed ones also `.ndjson.zst`, beside each an index `<first _seq>.idx`; a file `id` names the journal.
 * One process writes (flock on the directory's `lock`), any number read, also while it is written. */
#ifndef JOURNAL_H
#define JOURNAL_H
#include <stddef.h>
#include <stdint.h>

/* ---- reading: a cursor over a journal directory or a single capture file ---- */

struct journal_cursor;
enum journal_from_kind { JOURNAL_FROM_SEQ, JOURNAL_FROM_TIME, JOURNAL_FROM_EARLIEST, JOURNAL_FROM_END };
struct journal_from { enum journal_from_kind kind; uint64_t seq; int64_t rx_us; };

/* NULL with errno set when the directory or file cannot be read.  A capture file (.ndjson, .ndjson.zst, "-" for standard input) may hold unstamped
 * lines; then JOURNAL_FROM_SEQ counts lines from 1 and JOURNAL_FROM_TIME goes by timestamp. */
struct journal_cursor *journal_cursor_open(const char *path, struct journal_from from);
void journal_cursor_close(struct journal_cursor **);

/* The next whole line without its newline, borrowed until the next call.  1, 0 at the end of what is written so far (call again later), -1 with errno:
 * EMSGSIZE for a line longer than any event, which was skipped; reading can go on.  EBADMSG: the file is damaged. */
int journal_cursor_next(struct journal_cursor *, const char **line, size_t *len);
/* The newest _seq that a directory holds now, 0 when it holds none; 0, or -1 with errno. */
int journal_last(const char *dir, uint64_t *seq);
/* Share of the range already read, 0…1 by bytes, for progress. */
double journal_cursor_progress(const struct journal_cursor *);

/* ---- writing: the one process that appends (dt-fanout) ---- */

#define JOURNAL_SYNC_ALWAYS 0
#define JOURNAL_SYNC_NEVER (-1)
#define JOURNAL_ID_SIZE 33
#define JOURNAL_SESSION_MAX 64

struct journal;
struct journal_session;
struct journal_config {
	const char *dir;                 /* made when it is missing */
	int sync_ms;                     /* JOURNAL_SYNC_ALWAYS, JOURNAL_SYNC_NEVER, or at most so long after a write */
	int64_t segment_bytes;           /* a segment of this size or age is closed and the next one begun */
	int64_t segment_ms;
	int64_t keep_bytes;              /* on disk; the oldest closed segments go first */
	int64_t keep_hours;
	int compress;                    /* closed segments become .ndjson.zst, by a child process */
	void (*on_safe)(void *priv);     /* journal_safe has grown, or journal_blocked has changed */
	void *priv;
};

struct journal_stats {
	uint64_t bytes, segments;        /* on disk now */
	uint64_t syncs, sync_errors, write_errors, torn_bytes, dropped_segments, compressed_segments;
};

/* Takes the lock, cuts a torn last line off and says so, mends indexes.  Dies: 75 when another process writes here, 74 or 73 when it cannot. */
struct journal *journal_open(const struct journal_config *);
/* Writes and syncs what is staged, as far as the disk lets it. */
void journal_close(struct journal **);
struct pollable *journal_pollable(struct journal *);

const char *journal_id(const struct journal *);
uint64_t journal_first(const struct journal *);      /* the oldest _seq kept (the next one when empty) */
uint64_t journal_next(const struct journal *);       /* the _seq of the next line staged */
uint64_t journal_safe(const struct journal *);       /* all up to here are written, and synced where the policy is always: to be acknowledged and shown */
int journal_blocked(const struct journal *);         /* disk trouble, or enough staged: read no more events for now */
void journal_get_stats(const struct journal *, struct journal_stats *);

/* A batch: begin, then for each line room for its bytes and a newline, the line stamped with journal_next and rx_us, and staged; commit at the end.
 * Nothing staged is ever given up: a commit that fails is tried again, and nothing half-written stays in the file.
 * session may be NULL; n is the line's number in it, at least journal_session_next. */
void journal_begin(struct journal *, int64_t rx_us, int64_t now_ms);
char *journal_stage(struct journal *, size_t max);
void journal_staged(struct journal *, size_t len, struct journal_session *, uint64_t n);
void journal_commit(struct journal *, int64_t now_ms);

/* Sessions of publishers, kept in the file `publishers` so that "expected next" survives the process.  Borrowed while it has an owner. */
struct journal_session *journal_session_get(struct journal *, const char *name);   /* found or made; NULL: not 1-64 of A-Za-z0-9._- */
const char *journal_session_name(const struct journal_session *);
uint64_t journal_session_next(const struct journal_session *);
void journal_session_set_next(struct journal_session *, uint64_t next);   /* lines that are not in the journal: refused, or unknown here */
void *journal_session_owner(const struct journal_session *);
void journal_session_set_owner(struct journal_session *, void *owner);

/* ---- reading what this process writes, without copies for those who keep up ---- */

struct jseg;
struct journal_pos { struct jseg *seg; uint64_t off; };      /* holds its segment until released; a zeroed one holds nothing */

/* Places pos at the first line asked for (released first if it held something) and says its _seq; what is not there yet is the end. */
int journal_seek(struct journal *, struct journal_from, struct journal_pos *, uint64_t *seq);   /* 0, -1 with errno */
/* Text from pos on, at least `want` bytes where there is so much (in this segment), borrowed until the next call on the journal; moves pos to the next segment at a
 * segment's end.  1, 0 at the end of what is safe, -1 with errno. */
int journal_view(struct journal *, struct journal_pos *, size_t want, const char **text, size_t *len);
void journal_pos_copy(struct journal_pos *to, const struct journal_pos *from);
void journal_pos_release(struct journal_pos *);
int journal_pos_dropped(const struct journal_pos *);         /* retention has removed its segment; it can still be read through this pos */
/* At the beginning of a line: has the journal lost what comes next?  Then 1, the range lost, and pos at the oldest event kept. */
int journal_pos_gap(struct journal *, struct journal_pos *, uint64_t *from, uint64_t *to);
int journal_pos_at_end(const struct journal *, const struct journal_pos *);   /* of the segment being written */
/* Bytes between pos and the end, roughly where segments are compressed. */
uint64_t journal_pos_behind(const struct journal *, const struct journal_pos *);

#endif
