/* The spool: one file of records, each a line with its own checksum.
 *
 *   SUM R id raised_us target key_len body_len note_len NEWLINE key body note     a message
 *   SUM D id                                                                     it is done with
 *   SUM K raised_us NONCE                                                        a key that stays known
 *   SUM I at_us                                                                  a request that was answered 401, 403 or 429
 * Records are appended; the file is written anew, without what is done, when it is opened and when it has grown.  What cannot be read (a torn end, a
 * flipped bit) costs that record. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock/clock.h"
#include "log/log.h"
#include "mem/mem.h"
#include "post/spool_int.h"

#define GROWN (1 << 20)
#define FILE_MAX (INT64_C(512) << 20)
#define SUM_LEN 17               /* 16 digits and a blank */

/* ---- reading ---- */

static int
sum_fits(const char *p, size_t len)
{
	char sum[SUM_LEN];

	(void)snprintf(sum, sizeof sum, "%016" PRIx64, spool_hash(UINT64_C(0xcbf29ce484222325), p + SUM_LEN, len - SUM_LEN));
	return memcmp(sum, p, SUM_LEN - 1) == 0 && p[SUM_LEN - 1] == ' ';
}

/* One record at p; its length, or 0: that is none. */
static size_t
read_record(struct spool *s, const char *p, size_t len)
{
	const char *nl = len > SUM_LEN + 2 && p[SUM_LEN - 1] == ' ' && p[SUM_LEN + 1] == ' ' ? memchr(p, '\n', len) : NULL;
	size_t line = nl == NULL ? 0 : (size_t)(nl - p) + 1, lens[3] = { 0 }, total = line;
	char head[256], target[80], nonce[25];
	uint64_t id = 0;
	int64_t at = 0;

	if (line <= SUM_LEN + 2 || line - SUM_LEN > sizeof head)
		return 0;
	memcpy(head, p + SUM_LEN, line - SUM_LEN - 1);
	head[line - SUM_LEN - 1] = '\0';
	if (head[0] == 'R') {
		if (sscanf(head, "R %" SCNu64 " %" SCNd64 " %79s %zu %zu %zu", &id, &at, target, &lens[0], &lens[1], &lens[2]) != 6 ||
		    lens[0] > len || lens[1] > len || lens[2] > len || (total += lens[0] + lens[1] + lens[2] + 1) > len)
			return 0;
	}
	if (!sum_fits(p, total))
		return 0;
	if (head[0] == 'R')
		spool_found(s, id, at, target, lens, p + line);
	else if (sscanf(head, "D %" SCNu64, &id) == 1) {
		spool_take_out(s, id);
		s->last_id = id > s->last_id ? id : s->last_id;
	} else if (sscanf(head, "K %" SCNd64 " %24s", &at, nonce) == 2)
		spool_know(s, nonce, at);
	else if (sscanf(head, "I %" SCNd64, &at) == 1)
		s->invalid[s->next_invalid++ % SPOOL_INVALID_MAX] = at;
	return total;
}

static void
read_all(struct spool *s, const char *p, size_t len)
{
	for (size_t at = 0, n; at < len; at += n) {
		if ((n = read_record(s, p + at, len - at)) == 0) {
			s->torn++;       /* the next whole record may begin anywhere */
			n = 1;
		}
	}
}

void
spool_load(struct spool *s)
{
	int fd = open(s->path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *p;
	size_t len = 0;
	ssize_t n = 0;

	if (fd == -1 && errno == ENOENT)
		return;
	if (fd == -1 || fstat(fd, &st) == -1 || st.st_size > FILE_MAX)
		die(EX_IOERR, "unable to read the spool %s: %s", s->path, fd != -1 && st.st_size > FILE_MAX ? "it is too large" : strerror(errno));
	p = xmalloc((size_t)st.st_size + 1);
	while (len < (size_t)st.st_size && (n = read(fd, p + len, (size_t)st.st_size - len)) > 0)
		len += (size_t)n;
	if (n == -1)
		die(EX_IOERR, "unable to read the spool %s: %s", s->path, strerror(errno));
	(void)close(fd);
	read_all(s, p, len);
	free(p);
	if (s->torn > 0)
		log_warn("%zu bytes of the spool %s could not be read; the messages they held, if any, are lost", s->torn, s->path);
}

/* ---- writing ---- */

/* Puts the checksum in front of what was appended after from. */
static void
seal(struct buf *b, size_t from)
{
	char sum[SUM_LEN + 1];

	(void)snprintf(sum, sizeof sum, "%016" PRIx64 " ", spool_hash(UINT64_C(0xcbf29ce484222325), b->p + from + SUM_LEN, b->len - from - SUM_LEN));
	memcpy(b->p + from, sum, SUM_LEN);
}

void
spool_put_message(struct buf *b, const struct spool_message *m)
{
	size_t from = b->len, key_len = strlen(m->key);

	(void)buf_printf(b, "%*sR %" PRIu64 " %" PRId64 " %s %zu %zu %zu\n", SUM_LEN, "", m->id, m->raised_us, m->target, key_len, m->body_len, m->note_len);
	(void)buf_append(b, m->key, key_len);
	(void)buf_append(b, m->body, m->body_len);
	(void)buf_append(b, m->note, m->note_len);
	(void)buf_appends(b, "\n");
	seal(b, from);
}

void
spool_put_line(struct buf *b, const char *fmt, ...)
{
	size_t from = b->len;
	char line[128];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	(void)buf_printf(b, "%*s%s\n", SUM_LEN, "", line);
	seal(b, from);
}

static int
write_all(int fd, const char *p, size_t len)
{
	ssize_t n;

	for (; len > 0; p += n, len -= (size_t)n)
		if ((n = write(fd, p, len)) == -1) {
			if (errno != EINTR)
				return -1;
			n = 0;
		}
	return 0;
}

static int
sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), failed;

	if (fd == -1)
		return -1;
	failed = fsync(fd);
	(void)close(fd);
	return failed;
}

static void
compose(const struct spool *s, struct buf *b)
{
	int64_t now = clock_wall_us();

	for (size_t i = 0; i < s->n_keys; i++) {
		const struct known *k = &s->keys[(s->next_key + SPOOL_KEYS_MAX - s->n_keys + i) % SPOOL_KEYS_MAX];
		if (k->at_us > now - SPOOL_KEY_US)
			spool_put_line(b, "K %" PRId64 " %s", k->at_us, k->text);
	}
	for (size_t i = 0; i < SPOOL_INVALID_MAX; i++)
		if (s->invalid[i] > now - SPOOL_KEY_US)
			spool_put_line(b, "I %" PRId64, s->invalid[i]);
	spool_put_line(b, "D %" PRIu64, s->last_id);   /* so that ids rise after a restart too */
	for (const struct spool_message *m = s->first; m != NULL; m = m->next)
		spool_put_message(b, m);
}

/* 0, or -1 and all is as it was. */
int
spool_rewrite(struct spool *s)
{
	struct buf b = BUF_INIT((size_t)FILE_MAX);
	int fd = open(s->new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_APPEND, 0600), failed = -1;

	compose(s, &b);
	if (fd != -1 && write_all(fd, buf_data(&b), buf_size(&b)) == 0 && fsync(fd) == 0 && rename(s->new_path, s->path) == 0 && sync_dir(s->dir) == 0) {
		if (s->fd != -1)
			(void)close(s->fd);
		s->fd = fd;
		s->size = s->anew = (int64_t)buf_size(&b);
		failed = 0;
	} else if (fd != -1)
		(void)close(fd);
	buf_fini(&b);
	return failed;
}

static void
failed_to_write(struct spool *s)
{
	if (!s->failing)
		log_err("unable to write the spool %s: %s; messages are kept in memory until it can be", s->path, strerror(errno));
	s->failing = 1;
}

/* Appends and, if asked, syncs.  While the disk refuses, everything is in memory; what takes the next record is a file written anew. */
void
spool_append(struct spool *s, const struct buf *b, int synced)
{
	if (s->failing || s->size > GROWN + 2 * s->anew) {
		if (spool_rewrite(s) == -1) {
			failed_to_write(s);
			return;
		}
		if (s->failing)
			log_info("the spool %s can be written again", s->path);
		s->failing = 0;
		return;                  /* what b says is in it, since memory has it */
	}
	if (write_all(s->fd, b->p + b->off, buf_size(b)) == 0 && (!synced || fdatasync(s->fd) == 0)) {
		s->size += (int64_t)buf_size(b);
		return;
	}
	failed_to_write(s);
	if (ftruncate(s->fd, s->size) == -1)     /* half a record would hide nothing: its checksum is wrong */
		log_debug("unable to cut the spool: %s", strerror(errno));
}
