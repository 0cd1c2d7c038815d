/* journal: the append-only directory of segments that holds the stream (dt-journal(5)).
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

/* The next whole line without its newline, borrowed until the next call.  1, 0 at the end of what is written so far (call again later), -1 with errno. */
int journal_cursor_next(struct journal_cursor *, const char **line, size_t *len);
/* Share of the range already read, 0…1 by bytes, for progress. */
double journal_cursor_progress(const struct journal_cursor *);

#endif
