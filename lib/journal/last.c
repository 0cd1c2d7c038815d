/* The newest event of a journal that another process may be writing. */
#include "journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "journal/file.h"
#include "journal/index.h"
#include "journal/segment.h"

static int
note_seq(void *priv, uint64_t off, const char *line, size_t len)
{
	(void)off;
	(void)jfile_stamp(line, len, priv, NULL);
	return 0;
}

/* From the last place that the index knows on; a segment without lines says by its name what would come. */
static int
last_of(int dirfd, uint64_t first, uint64_t *seq)
{
	struct jindex x = { 0 };
	struct jfile *file = jseg_open(dirfd, first);
	int error;

	if (file == NULL)
		return -1;
	*seq = first - 1;
	(void)jindex_load(&x, dirfd, first);
	(void)jfile_lines(file, x.n > 0 ? x.record[x.n - 1].off : 0, UINT64_MAX, note_seq, seq, &error);
	jindex_free(&x);
	jfile_close(&file);
	return error ? (errno = error, -1) : 0;
}

int
journal_last(const char *dir, uint64_t *seq)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r, e;
	struct jseg_entry *list = NULL;
	size_t n = 0;

	*seq = 0;
	if (fd == -1)
		return -1;
	r = jseg_list(fd, &list, &n);
	if (r == 0 && n > 0)
		r = last_of(fd, list[n - 1].first, seq);
	e = errno;
	free(list);
	close(fd);
	errno = e;
	return r;
}
