/* buf: a byte buffer with a maximum, filled at the end and consumed from the front.
 * The bytes [p + off, p + len) are the content; p moves when it grows, so keep offsets, not pointers.
 * A zeroed struct with max set is a valid empty buffer. */
#ifndef BUF_H
#define BUF_H
#include <stddef.h>

struct buf {
	char *p;
	size_t off, len, cap;
	size_t max;              /* append fails rather than hold more than this many bytes */
};

#define BUF_INIT(m) { .max = (m) }

void buf_init(struct buf *, size_t max);
void buf_fini(struct buf *);                       /* frees the bytes; the struct may be used again */
static inline char *buf_data(struct buf *b) { return b->p + b->off; }
static inline size_t buf_size(const struct buf *b) { return b->len - b->off; }

/* 0, or -1 and nothing appended when it would exceed max. */
int buf_append(struct buf *, const void *data, size_t len);
int buf_appends(struct buf *, const char *s);
int buf_printf(struct buf *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int buf_append_json(struct buf *, const char *s, size_t len);   /* s as a JSON string with its quotes; s is UTF-8 */

/* x rounded to so many decimals (9 at most), without zeros at the end: ten times as fast as printf.  What is 1e9 or more, or no number, is printf's %.10g. */
int buf_append_decimal(struct buf *, double x, int decimals);

/* Room for n more bytes at the end, to be filled by the caller and then taken with buf_added; NULL over max. */
char *buf_reserve(struct buf *, size_t n);
void buf_added(struct buf *, size_t n);

void buf_consume(struct buf *, size_t n);          /* drop n bytes from the front (n <= size) */
void buf_clear(struct buf *);

#endif
