#include "journal/index.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal/segment.h"
#include "mem/mem.h"

void
jindex_clear(struct jindex *x)
{
	x->n = x->written = 0;
}

void
jindex_free(struct jindex *x)
{
	free(x->record);
	*x = (struct jindex){ 0 };
}

void
jindex_add(struct jindex *x, uint64_t seq, int64_t rx_us, uint64_t off)
{
	if (x->n == x->cap) {
		x->cap = x->cap ? 2 * x->cap : 64;
		x->record = xreallocarray(x->record, x->cap, sizeof *x->record);
	}
	x->record[x->n++] = (struct jindex_record){ seq, rx_us, off };
}

int
jindex_due(const struct jindex *x, uint64_t off)
{
	return x->n == 0 || off >= x->record[x->n - 1].off + JINDEX_EVERY;
}

static void
encode(const struct jindex_record *r, char out[JINDEX_RECORD])
{
	uint64_t w[3] = { htole64(r->seq), htole64((uint64_t)r->rx_us), htole64(r->off) };

	memcpy(out, w, sizeof w);
}

static struct jindex_record
decode(const char *p)
{
	uint64_t w[3];

	memcpy(w, p, sizeof w);
	return (struct jindex_record){ le64toh(w[0]), (int64_t)le64toh(w[1]), le64toh(w[2]) };
}

static int
in_order(const struct jindex *x, uint64_t first, const struct jindex_record *r)
{
	if (x->n == 0)
		return r->seq == first && r->off == 0;
	return r->seq > x->record[x->n - 1].seq && r->off > x->record[x->n - 1].off;
}

int
jindex_load(struct jindex *x, int dirfd, uint64_t first)
{
	char name[JSEG_NAME_SIZE], buf[JINDEX_RECORD * 512];
	ssize_t n, i;
	int fd, good = 1;

	jindex_clear(x);
	fd = openat(dirfd, jseg_name(first, ".idx", name), O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	while (good && (n = read(fd, buf, sizeof buf)) > 0) {
		for (i = 0; good && i + (ssize_t)JINDEX_RECORD <= n; i += JINDEX_RECORD) {
			struct jindex_record r = decode(buf + i);
			if ((good = in_order(x, first, &r)) != 0)
				jindex_add(x, r.seq, r.rx_us, r.off);
		}
		if (i != n)
			good = 0;
	}
	(void)close(fd);
	x->written = x->n;
	return good && n == 0 && x->n > 0 ? 0 : -1;
}

int
jindex_append(struct jindex *x, int fd)
{
	char buf[JINDEX_RECORD * 64];

	while (x->written < x->n) {
		size_t i, k = x->n - x->written < 64 ? x->n - x->written : 64;
		for (i = 0; i < k; i++)
			encode(&x->record[x->written + i], buf + i * JINDEX_RECORD);
		if (pwrite(fd, buf, k * JINDEX_RECORD, (off_t)(x->written * JINDEX_RECORD)) != (ssize_t)(k * JINDEX_RECORD))
			return -1;
		x->written += k;
	}
	return 0;
}

int
jindex_save(struct jindex *x, int dirfd, uint64_t first)
{
	char name[JSEG_NAME_SIZE], tmp[JSEG_NAME_SIZE];
	int fd, r, e;

	fd = openat(dirfd, jseg_name(first, ".idx.tmp", tmp), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	x->written = 0;
	r = jindex_append(x, fd);
	if (r == 0)
		r = renameat(dirfd, tmp, dirfd, jseg_name(first, ".idx", name));
	e = errno;
	if (r == -1)
		(void)unlinkat(dirfd, tmp, 0);
	(void)close(fd);
	errno = e;
	return r;
}

uint64_t
jindex_seek_seq(const struct jindex *x, uint64_t seq)
{
	size_t lo = 0, hi = x->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (x->record[mid].seq <= seq)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo > 0 ? x->record[lo - 1].off : 0;
}

/* The clock may have been set back, so times need not rise: the first record that is late enough decides. */
uint64_t
jindex_seek_time(const struct jindex *x, int64_t rx_us)
{
	size_t i;

	for (i = 0; i < x->n && x->record[i].rx_us < rx_us; i++)
		;
	return i > 0 ? x->record[i - 1].off : 0;
}
