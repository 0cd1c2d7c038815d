#include "journal/compress.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <zstd.h>

#include "buf/buf.h"
#include "journal/file.h"
#include "journal/segment.h"
#include "mem/mem.h"

#define LEVEL 1                          /* level 3 halves the speed and gains nothing on our lines */
#define TABLE_BYTES_MAX (8u << 20)
#define IOPRIO_IDLE (3 << 13)

static int
write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static void
add32(struct buf *b, uint32_t v)
{
	v = htole32(v);
	(void)buf_append(b, &v, sizeof v);
}

/* zstd's seekable format: a skippable frame with {size on disk, size of the text} per frame, their number, flags, magic. */
static int
write_table(int fd, const struct buf *entries)
{
	struct buf b = BUF_INIT(TABLE_BYTES_MAX + 64);
	uint32_t n = (uint32_t)(buf_size(entries) / 8);
	int r;

	add32(&b, 0x184D2A5E);
	add32(&b, n * 8 + 9);
	if (n > 0)
		(void)buf_append(&b, entries->p + entries->off, buf_size(entries));
	add32(&b, n);
	(void)buf_append(&b, "", 1);
	add32(&b, 0x8F92EAB1u);
	r = write_all(fd, buf_data(&b), buf_size(&b));
	buf_fini(&b);
	return r;
}

static int
write_frames(struct jfile *in, int out)
{
	ZSTD_CCtx *z = ZSTD_createCCtx();
	struct buf table = BUF_INIT(TABLE_BYTES_MAX);
	size_t cap = ZSTD_compressBound(JFILE_FRAME), size;
	char *text = xmalloc(JFILE_FRAME), *packed = xmalloc(cap);
	uint64_t off = 0;
	ssize_t n = -1;
	int r = 0;

	(void)ZSTD_CCtx_setParameter(z, ZSTD_c_compressionLevel, LEVEL);
	(void)ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
	while (r == 0 && (n = jfile_read(in, off, text, JFILE_FRAME)) > 0) {
		size = ZSTD_compress2(z, packed, cap, text, (size_t)n);
		if (ZSTD_isError(size) || buf_size(&table) + 8 > table.max) {
			errno = EFBIG;
			r = -1;
			break;
		}
		add32(&table, (uint32_t)size);
		add32(&table, (uint32_t)n);
		r = write_all(out, packed, size);
		off += (uint64_t)n;
	}
	if (r == 0)
		r = n == 0 ? write_table(out, &table) : -1;
	ZSTD_freeCCtx(z);
	buf_fini(&table);
	free(text);
	free(packed);
	return r;
}

int
jcompress_segment(int dirfd, uint64_t first)
{
	char plain[JSEG_NAME_SIZE], tmp[JSEG_NAME_SIZE], name[JSEG_NAME_SIZE];
	struct jfile *in;
	int fd, out, r, e;

	fd = openat(dirfd, jseg_name(first, ".ndjson", plain), O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	in = jfile_open(fd, 0);
	out = openat(dirfd, jseg_name(first, ".ndjson.zst.tmp", tmp), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	r = out == -1 ? -1 : write_frames(in, out);
	if (r == 0)
		r = fdatasync(out);
	if (r == 0)
		r = renameat(dirfd, tmp, dirfd, jseg_name(first, ".ndjson.zst", name));
	if (r == 0)
		r = fsync(dirfd);
	e = errno;
	if (r == -1 && out != -1)
		(void)unlinkat(dirfd, tmp, 0);
	if (out != -1)
		(void)close(out);
	jfile_close(&in);
	errno = e;
	return r;
}

pid_t
jcompress_fork(int dirfd, uint64_t first)
{
	pid_t parent = getpid(), pid = fork();
	sigset_t none;

	if (pid != 0)
		return pid;
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || dup2(dirfd, 3) == -1)
		_exit(1);
	(void)close_range(4, ~0u, 0);    /* the journal's lock and everybody's sockets */
	(void)setpriority(PRIO_PROCESS, 0, 19);
	(void)syscall(SYS_ioprio_set, 1, 0, IOPRIO_IDLE);
	_exit(jcompress_segment(3, first) == 0 ? 0 : 1);
}
