#include "journal/segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal/file.h"
#include "journal/index.h"
#include "mem/mem.h"

#define DIGITS 20

const char *
jseg_name(uint64_t first, const char *suffix, char out[JSEG_NAME_SIZE])
{
	(void)snprintf(out, JSEG_NAME_SIZE, "%020" PRIu64 "%s", first, suffix);
	return out;
}

int
jseg_parse(const char *name, uint64_t *first, const char **suffix)
{
	if (strspn(name, "0123456789") != DIGITS)
		return -1;
	errno = 0;
	*first = strtoull(name, NULL, 10);
	*suffix = name + DIGITS;
	return errno == 0 ? 0 : -1;
}

static int
by_first(const void *a, const void *b)
{
	const struct jseg_entry *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

/* One entry per segment: its plain and its compressed file stand side by side after the sort. */
static size_t
merge(struct jseg_entry *list, size_t n)
{
	size_t i, k = 0;

	for (i = 0; i < n; i++) {
		if (k > 0 && list[k - 1].first == list[i].first) {
			list[k - 1].plain |= list[i].plain;
			list[k - 1].zst |= list[i].zst;
			list[k - 1].disk_bytes += list[i].disk_bytes;
		} else
			list[k++] = list[i];
	}
	return k;
}

int
jseg_list(int dirfd, struct jseg_entry **list, size_t *n)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	size_t cap = 0;
	struct dirent *d;

	*list = NULL;
	*n = 0;
	if (dir == NULL) {
		if (fd != -1)
			(void)close(fd);
		return -1;
	}
	while ((d = readdir(dir)) != NULL) {
		struct jseg_entry e = { 0 };
		const char *suffix;
		struct stat st;
		if (jseg_parse(d->d_name, &e.first, &suffix) == -1)
			continue;
		e.plain = strcmp(suffix, ".ndjson") == 0;
		e.zst = strcmp(suffix, ".ndjson.zst") == 0;
		if ((!e.plain && !e.zst) || fstatat(dirfd, d->d_name, &st, 0) == -1)
			continue;
		e.disk_bytes = (uint64_t)st.st_size;
		if (*n == cap)
			*list = xreallocarray(*list, cap = cap ? 2 * cap : 64, sizeof **list);
		(*list)[(*n)++] = e;
	}
	(void)closedir(dir);
	if (*n > 0)
		qsort(*list, *n, sizeof **list, by_first);
	*n = merge(*list, *n);
	return 0;
}

struct jfile *
jseg_open(int dirfd, uint64_t first)
{
	char name[JSEG_NAME_SIZE];
	int fd, zst;

	/* in this order: compressing puts the new file in place before it removes the plain one */
	for (zst = 0; zst < 2; zst++) {
		fd = openat(dirfd, jseg_name(first, zst ? ".ndjson.zst" : ".ndjson", name), O_RDONLY | O_CLOEXEC);
		if (fd != -1)
			return jfile_open(fd, zst);
		if (errno != ENOENT)
			break;
	}
	return NULL;
}

/* The first record of the index says it at less cost than the segment, which may be compressed. */
static int
indexed_rx(int dirfd, uint64_t first, int64_t *rx_us)
{
	struct jindex x = { 0 };
	int found;

	(void)jindex_load(&x, dirfd, first);
	if (x.n > 0)
		*rx_us = x.record[0].rx_us;
	found = x.n > 0;
	jindex_free(&x);
	return found ? 0 : -1;
}

int
jseg_first_rx(int dirfd, uint64_t first, int64_t *rx_us)
{
	struct jfile *f;
	char head[96];
	uint64_t seq;
	ssize_t n;

	if (indexed_rx(dirfd, first, rx_us) == 0)
		return 0;
	if ((f = jseg_open(dirfd, first)) == NULL)
		return -1;
	n = jfile_read(f, 0, head, sizeof head);
	jfile_close(&f);
	return n > 0 ? jfile_stamp(head, (size_t)n, &seq, rx_us) : -1;
}
