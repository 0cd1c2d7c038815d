/* Captures and journals of any bytes are read to an end; a journal of any bytes can be opened for writing, and what is appended then is found again. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock/clock.h"
#include "fuzz.h"
#include "journal/journal.h"
#include "log/log.h"

static char dir[64];

static void
clean_up(void)
{
	char cmd[100];

	(void)snprintf(cmd, sizeof cmd, "rm -rf '%s'", dir);
	(void)!system(cmd);
}

static const char *
put(const char *name, const uint8_t *data, size_t size)
{
	static char path[160];
	int fd;

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert(fd != -1 && write(fd, data, size) == (ssize_t)size);
	(void)close(fd);
	return path;
}

/* Returns how many lines there are. */
static unsigned
read_all(const char *path, struct journal_from from)
{
	struct journal_cursor *c = journal_cursor_open(path, from);
	const char *line;
	size_t len;
	unsigned n = 0;
	int r;

	assert(c != NULL);
	while ((r = journal_cursor_next(c, &line, &len)) == 1 || (r == -1 && errno == EMSGSIZE))
		n += r == 1 && len > 0 && line[len - 1] != '\n';
	(void)journal_cursor_progress(c);
	journal_cursor_close(&c);
	return n;
}

static void
as_capture(const uint8_t *data, size_t size)
{
	const char *path = put("capture", data, size);
	unsigned all = read_all(path, (struct journal_from){ .kind = JOURNAL_FROM_EARLIEST });

	assert(read_all(path, (struct journal_from){ .kind = JOURNAL_FROM_SEQ, .seq = 2 }) <= all);
	assert(read_all(path, (struct journal_from){ .kind = JOURNAL_FROM_TIME, .rx_us = 1700000000000000 }) <= all);
	assert(read_all(path, (struct journal_from){ .kind = JOURNAL_FROM_END }) == 0);
}

static void
append(struct journal *j)
{
	char iso[CLOCK_ISO_SIZE], *p;

	(void)clock_format_iso(1700000000000000, iso);
	journal_begin(j, 1700000000000000, 1);
	p = journal_stage(j, 200);
	journal_staged(j, (size_t)sprintf(p, "{\"_seq\":%ju,\"_rx\":\"%s\",\"type\":\"x\"}", (uintmax_t)journal_next(j), iso), NULL, 0);
	journal_commit(j, 1);
}

/* Text of a segment, a byte 255, its index. */
static void
as_journal(const uint8_t *data, size_t size)
{
	struct journal_config config = { .dir = dir, .sync_ms = JOURNAL_SYNC_NEVER, .segment_bytes = 1 << 30, .segment_ms = 1 << 30,
		.keep_bytes = 1 << 30, .keep_hours = 1000000 };
	const uint8_t *cut = size > 0 ? memchr(data, 255, size) : NULL;
	struct journal_pos pos = { 0 };
	struct journal *j;
	const char *text;
	uint64_t next, seq;
	size_t len;

	(void)put("00000000000000000001.ndjson", data, cut != NULL ? (size_t)(cut - data) : size);
	(void)put("00000000000000000001.idx", cut != NULL ? cut + 1 : data, cut != NULL ? size - (size_t)(cut + 1 - data) : 0);
	(void)read_all(dir, (struct journal_from){ .kind = JOURNAL_FROM_SEQ, .seq = 2 });
	j = journal_open(&config);
	next = journal_next(j);
	append(j);
	assert(journal_seek(j, (struct journal_from){ .kind = JOURNAL_FROM_SEQ, .seq = next }, &pos, &seq) == 0 && seq == next);
	assert(journal_view(j, &pos, 1, &text, &len) == 1 && memcmp(text, "{\"_seq\":", 8) == 0);
	journal_pos_release(&pos);
	journal_close(&j);
	j = journal_open(&config);
	assert(journal_next(j) == next + 1);
	journal_close(&j);
	assert(read_all(dir, (struct journal_from){ .kind = JOURNAL_FROM_SEQ, .seq = next }) == 1);
	assert(read_all(dir, (struct journal_from){ .kind = JOURNAL_FROM_END }) == 0);
	(void)read_all(dir, (struct journal_from){ .kind = JOURNAL_FROM_TIME, .rx_us = 1700000000000000 });
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (dir[0] == '\0') {
		log_open("fuzz_journal");
		log_level_set(LOG_LEVEL_ERROR);
		(void)snprintf(dir, sizeof dir, "/dev/shm/dt-fuzz.XXXXXX");
		if (mkdtemp(dir) == NULL)
			(void)snprintf(dir, sizeof dir, "/tmp/dt-fuzz.XXXXXX");
		assert(strncmp(dir, "/dev", 4) == 0 || mkdtemp(dir) != NULL);
		assert(atexit(clean_up) == 0);
	}
	if (size == 0)
		return 0;
	if (data[0] == 'c')
		as_capture(data + 1, size - 1);
	else
		as_journal(data + 1, size - 1);
	return 0;
}
