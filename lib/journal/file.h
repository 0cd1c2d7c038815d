/* The bytes of one segment or capture, plain or zstd, by their offset in the plain text.
 * A zstd file with a table of its frames at the end (zstd's seekable format, as journal_compress writes it) is read from any offset at the cost
 * of one frame; one without is decompressed from its beginning. */
#ifndef JOURNAL_FILE_H
#define JOURNAL_FILE_H
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define JFILE_FRAME (256u << 10)         /* plain bytes in each frame */

struct jfile;
struct jfile *jfile_open(int fd, int zst);               /* owns fd from now on; zst -1: look at the first bytes */
void jfile_close(struct jfile **);
/* Like pread: short only at the end; 0 there; -1 with errno (EBADMSG: damaged).  A pipe can only be read onwards. */
ssize_t jfile_read(struct jfile *, uint64_t off, char *buf, size_t len);
uint64_t jfile_raw_at(const struct jfile *);             /* how far it has read, in bytes on disk */
uint64_t jfile_raw_size(const struct jfile *);           /* 0 for a pipe */

/* Calls f for each whole line from off on, without its newline, until it returns non-zero; at most `end` bytes of the file are looked at.
 * Returns the offset behind the last line that f accepted with 0; *error is set to errno when reading failed, else to 0. */
typedef int jfile_line_f(void *priv, uint64_t off, const char *line, size_t len);
uint64_t jfile_lines(struct jfile *, uint64_t off, uint64_t end, jfile_line_f *, void *priv, int *error);

/* `{"_seq":N,"_rx":"…"` at the front of a line; rx_us may be NULL.  0, or -1 when the line does not begin so. */
int jfile_stamp(const char *line, size_t len, uint64_t *seq, int64_t *rx_us);

#endif
