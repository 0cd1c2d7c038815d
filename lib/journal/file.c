#include "journal/file.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "clock/clock.h"
#include "event/event.h"
#include "mem/mem.h"

#define TABLE_MAGIC 0x8F92EAB1u          /* of zstd's seekable format */
#define FRAMES_MAX 1048576u

struct frame { uint64_t raw, plain; };   /* where a frame begins on disk and in the text */

struct jfile {
	int fd, pipe;
	uint64_t raw_at, raw_size;       /* next byte to read; size when opened */
	char *in;                        /* bytes read ahead: of a zstd file, or of a pipe whose first bytes were looked at */
	size_t in_at, in_len;
	ZSTD_DCtx *zstd;                 /* NULL: plain */
	char *out;                       /* decompressed window */
	uint64_t out_off;
	size_t out_len;
	int mid_frame;
	struct frame *frames;
	size_t n_frames;
};

#define IN_SIZE (128u << 10)

static ssize_t
raw_read(struct jfile *f, char *buf, size_t len)
{
	ssize_t n;

	do
		n = f->pipe ? read(f->fd, buf, len) : pread(f->fd, buf, len, (off_t)f->raw_at);
	while (n == -1 && errno == EINTR);
	if (n > 0)
		f->raw_at += (uint64_t)n;
	return n;
}

static uint32_t
le32(const unsigned char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return le32toh(v);
}

/* The table stands in a skippable frame at the end: per frame its size on disk and in the text, then how many, flags, magic. */
static void
load_frames(struct jfile *f)
{
	unsigned char foot[9], *table;
	uint64_t raw = 0, plain = 0;
	size_t n, entry, i;

	if (f->pipe || f->raw_size < sizeof foot ||
	    pread(f->fd, foot, sizeof foot, (off_t)(f->raw_size - sizeof foot)) != sizeof foot || le32(foot + 5) != TABLE_MAGIC)
		return;
	n = le32(foot);
	entry = foot[4] & 0x80 ? 12 : 8;
	if (n == 0 || n > FRAMES_MAX || n * entry + sizeof foot > f->raw_size)
		return;
	table = xmalloc(n * entry);
	if (pread(f->fd, table, n * entry, (off_t)(f->raw_size - sizeof foot - n * entry)) == (ssize_t)(n * entry)) {
		f->frames = xreallocarray(NULL, n, sizeof *f->frames);
		for (i = 0; i < n; i++) {
			f->frames[i] = (struct frame){ raw, plain };
			raw += le32(table + i * entry);
			plain += le32(table + i * entry + 4);
		}
		f->n_frames = n;
	}
	free(table);
}

static int
looks_compressed(struct jfile *f)
{
	ssize_t n;

	f->in = xmalloc(IN_SIZE);
	while (f->in_len < 4 && (n = raw_read(f, f->in + f->in_len, IN_SIZE - f->in_len)) > 0)
		f->in_len += (size_t)n;
	return f->in_len >= 4 && le32((unsigned char *)f->in) == ZSTD_MAGICNUMBER;
}

struct jfile *
jfile_open(int fd, int zst)
{
	struct jfile *f = xcalloc(1, sizeof *f);
	struct stat st;

	f->fd = fd;
	f->pipe = fstat(fd, &st) == -1 || !S_ISREG(st.st_mode);
	f->raw_size = f->pipe ? 0 : (uint64_t)st.st_size;
	if (zst == -1)
		zst = looks_compressed(f);
	if (!zst && !f->pipe)
		f->in_len = 0;
	if (!zst)
		return f;
	if (f->in == NULL)
		f->in = xmalloc(IN_SIZE);
	f->out = xmalloc(JFILE_FRAME);
	f->zstd = ZSTD_createDCtx();
	load_frames(f);
	return f;
}

void
jfile_close(struct jfile **fp)
{
	struct jfile *f = *fp;

	if (f == NULL)
		return;
	*fp = NULL;
	(void)close(f->fd);
	ZSTD_freeDCtx(f->zstd);
	free(f->frames);
	free(f->in);
	free(f->out);
	free(f);
}

static void
restart(struct jfile *f, struct frame at)
{
	(void)ZSTD_DCtx_reset(f->zstd, ZSTD_reset_session_only);
	f->raw_at = at.raw;
	f->in_at = f->in_len = 0;
	f->out_off = at.plain;
	f->out_len = 0;
	f->mid_frame = 0;
}

/* Go to the frame that holds off when that saves work: backwards always, forwards when it lies behind the window and its successor. */
static int
seek(struct jfile *f, uint64_t off)
{
	struct frame at = { 0, 0 };
	size_t lo = 0, hi = f->n_frames;

	if (f->pipe)
		return off < f->out_off ? (errno = ESPIPE, -1) : 0;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (f->frames[mid].plain <= off)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo > 0)
		at = f->frames[lo - 1];
	if (off < f->out_off || at.plain > f->out_off + f->out_len + JFILE_FRAME)
		restart(f, at);
	return 0;
}

/* The next window of text: 1, 0 at the end, -1. */
static int
inflate_more(struct jfile *f)
{
	ZSTD_outBuffer out = { f->out, JFILE_FRAME, 0 };

	f->out_off += f->out_len;
	f->out_len = 0;
	while (out.pos < out.size) {
		ZSTD_inBuffer in = { f->in, f->in_len, f->in_at };
		size_t r;
		if (f->in_at == f->in_len) {
			ssize_t n = raw_read(f, f->in, IN_SIZE);
			if (n == -1)
				return -1;
			if (n == 0 && f->mid_frame && out.pos == 0)
				return errno = EBADMSG, -1;
			if (n == 0)
				break;
			f->in_at = 0;
			f->in_len = (size_t)n;
			continue;
		}
		r = ZSTD_decompressStream(f->zstd, &out, &in);
		if (ZSTD_isError(r))
			return errno = EBADMSG, -1;
		f->in_at = in.pos;
		f->mid_frame = r != 0;
	}
	f->out_len = out.pos;
	return out.pos > 0;
}

static ssize_t
read_zstd(struct jfile *f, uint64_t off, char *buf, size_t len)
{
	size_t done = 0;
	int r = 1;

	if (seek(f, off) == -1)
		return -1;
	while (done < len) {
		uint64_t at = off + done;
		size_t n;
		if (at >= f->out_off + f->out_len) {
			if ((r = inflate_more(f)) <= 0)
				break;
			continue;
		}
		n = f->out_len - (size_t)(at - f->out_off);
		if (n > len - done)
			n = len - done;
		memcpy(buf + done, f->out + (at - f->out_off), n);
		done += n;
	}
	return done > 0 ? (ssize_t)done : r;
}

/* What was read to look at the first bytes comes first; a pipe hands over what it has instead of waiting for more. */
static ssize_t
read_pipe(struct jfile *f, char *buf, size_t len)
{
	size_t n = f->in_len - f->in_at;

	if (n == 0)
		return raw_read(f, buf, len);
	if (n > len)
		n = len;
	memcpy(buf, f->in + f->in_at, n);
	f->in_at += n;
	return (ssize_t)n;
}

ssize_t
jfile_read(struct jfile *f, uint64_t off, char *buf, size_t len)
{
	if (f->zstd != NULL)
		return read_zstd(f, off, buf, len);
	if (f->pipe)
		return read_pipe(f, buf, len);
	f->raw_at = off;
	return raw_read(f, buf, len);
}

uint64_t
jfile_raw_at(const struct jfile *f)
{
	return f->raw_at - (f->in_len - f->in_at);
}

uint64_t
jfile_raw_size(const struct jfile *f)
{
	return f->raw_size;
}

uint64_t
jfile_lines(struct jfile *f, uint64_t off, uint64_t end, jfile_line_f *call, void *priv, int *error)
{
	size_t cap = JFILE_FRAME, have = 0, seen = 0, at = 0;   /* buf holds the text from off on */
	char *buf = xmalloc(cap), *nl;
	int stop = 0;

	*error = 0;
	while (!stop) {
		size_t want = cap - have;
		ssize_t n;
		if (want > end - off - have)
			want = (size_t)(end - off - have);
		if (want == 0 || (n = jfile_read(f, off + have, buf + have, want)) == 0)
			break;
		if (n == -1) {
			*error = errno;
			break;
		}
		have += (size_t)n;
		while (!stop && (nl = memchr(buf + seen, '\n', have - seen)) != NULL) {
			stop = call(priv, off + at, buf + at, (size_t)(nl - buf) - at);
			if (!stop)
				at = (size_t)(nl - buf) + 1;
			seen = at;
		}
		if (stop)
			break;
		memmove(buf, buf + at, have - at);
		off += at;
		have -= at;
		seen = have;
		at = 0;
		if (have == cap && cap > EVENT_LINE_MAX)
			break;                   /* no line of ours */
		if (have == cap)
			buf = xrealloc(buf, cap *= 2);
	}
	free(buf);
	return off + at;
}

int
jfile_stamp(const char *line, size_t len, uint64_t *seq, int64_t *rx_us)
{
	const char *p = line + 8, *end = line + len;
	uint64_t n = 0;

	if (len < 8 + 1 + 9 + 25 || memcmp(line, "{\"_seq\":", 8) != 0)
		return -1;
	for (; p < end && *p >= '0' && *p <= '9' && p < line + 8 + 20; p++)
		n = n * 10 + (uint64_t)(*p - '0');
	if (p == line + 8 || end - p < 9 + 24 || memcmp(p, ",\"_rx\":\"", 8) != 0)
		return -1;
	*seq = n;
	if (rx_us == NULL)
		return 0;
	return clock_parse_iso(p + 8, 24, rx_us);
}
