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
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock/clock.h"
#include "log/log.h"
#include "mem/mem.h"
#include "post/internal.h"

#define GROWN (1 << 20)
#define KEYS_MAX 65536
#define KEY_US (INT64_C(86400) * 1000000)
#define INVALID_MAX 128
#define FILE_MAX (INT64_C(512) << 20)
#define SUM_LEN 17               /* 16 digits and a blank */

struct known { char text[25]; int64_t at_us; };

struct spool {
	char *path, *new_path, *dir;
	int fd, lock_fd, failing;
	int64_t size, anew, bytes;       /* of the file; of it when it was last written anew; of all that waits */
	uint64_t last_id;
	struct spool_message *first, **end;
	size_t count, torn;
	struct known *keys;              /* a ring */
	size_t n_keys, next_key;
	int64_t invalid[INVALID_MAX];    /* a ring */
	size_t next_invalid;
};

static uint64_t
fnv(uint64_t h, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)s[i]) * UINT64_C(0x100000001b3);
	return h;
}

void
post_key_text(const char *target, const char *key, char out[25])
{
	uint64_t a = UINT64_C(0xcbf29ce484222325), b = UINT64_C(0x9e3779b97f4a7c15);

	a = fnv(fnv(a, target, strlen(target) + 1), key, strlen(key));
	b = fnv(fnv(b, key, strlen(key) + 1), target, strlen(target));
	b ^= b >> 29;
	(void)snprintf(out, 25, "%016" PRIx64 "%08" PRIx32, a, (uint32_t)(b ^ (b >> 32)));
}

static void
know(struct spool *s, const char text[25], int64_t at_us)
{
	struct known *k = &s->keys[s->next_key];

	memcpy(k->text, text, 25);
	k->at_us = at_us;
	s->next_key = (s->next_key + 1) % KEYS_MAX;
	if (s->n_keys < KEYS_MAX)
		s->n_keys++;
}

int
spool_knows(const struct spool *s, const char *target, const char *key)
{
	int64_t since = clock_wall_us() - KEY_US;
	char text[25];

	post_key_text(target, key, text);
	for (size_t i = 0; i < s->n_keys; i++)
		if (s->keys[i].at_us > since && memcmp(s->keys[i].text, text, 24) == 0)
			return 1;
	return 0;
}

/* ---- reading ---- */

static void
link_message(struct spool *s, struct spool_message *m)
{
	*s->end = m;
	s->end = &m->next;
	s->count++;
	s->bytes += (int64_t)(m->body_len + m->note_len);
}

static struct spool_message *
message_new(uint64_t id, int64_t raised_us, const char *target, struct post_str key, struct post_str body, struct post_str note)
{
	struct spool_message *m = xcalloc(1, sizeof *m);

	m->id = id;
	m->raised_us = raised_us;
	m->target = xstrdup(target);
	m->key = xstrndup(key.p, key.len);
	m->body = xmalloc(body.len + 1);
	m->body_len = body.len;
	m->note = xmalloc(note.len + 1);
	m->note_len = note.len;
	memcpy(m->body, body.p, body.len);
	memcpy(m->note, note.len ? note.p : "", note.len);
	m->body[body.len] = m->note[note.len] = '\0';
	return m;
}

void
spool_message_free(struct spool_message **mp)
{
	struct spool_message *m = *mp;

	free(m->target);
	free(m->key);
	free(m->body);
	free(m->note);
	free(m);
	*mp = NULL;
}

static void
take_out(struct spool *s, struct spool_message *m)
{
	struct spool_message **at = &s->first;

	while (*at != m)
		at = &(*at)->next;
	if ((*at = m->next) == NULL)
		s->end = at;
	s->count--;
	s->bytes -= (int64_t)(m->body_len + m->note_len);
}

static void
take_out_id(struct spool *s, uint64_t id)
{
	for (struct spool_message *m = s->first; m != NULL; m = m->next)
		if (m->id == id) {
			take_out(s, m);
			spool_message_free(&m);
			return;
		}
}

static void
found_message(struct spool *s, uint64_t id, int64_t raised_us, const char *target, size_t lens[3], const char *text)
{
	struct spool_message *m = message_new(id, raised_us, target, (struct post_str){ text, lens[0] }, (struct post_str){ text + lens[0], lens[1] },
	    (struct post_str){ text + lens[0] + lens[1], lens[2] });
	int64_t age_us = clock_wall_us() - raised_us;
	char nonce[25];

	m->raised_ms = clock_mono_ms() - (age_us > 0 ? age_us / 1000 : 0);
	post_key_text(m->target, m->key, nonce);
	if (!spool_knows(s, m->target, m->key))
		know(s, nonce, raised_us);
	if (id > s->last_id)
		s->last_id = id;
	link_message(s, m);
}

static int
sum_fits(const char *p, size_t len)
{
	char sum[SUM_LEN];

	(void)snprintf(sum, sizeof sum, "%016" PRIx64, fnv(UINT64_C(0xcbf29ce484222325), p + SUM_LEN, len - SUM_LEN));
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
		found_message(s, id, at, target, lens, p + line);
	else if (sscanf(head, "D %" SCNu64, &id) == 1) {
		take_out_id(s, id);
		s->last_id = id > s->last_id ? id : s->last_id;
	} else if (sscanf(head, "K %" SCNd64 " %24s", &at, nonce) == 2)
		know(s, nonce, at);
	else if (sscanf(head, "I %" SCNd64, &at) == 1)
		s->invalid[s->next_invalid++ % INVALID_MAX] = at;
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

static void
load(struct spool *s)
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

	(void)snprintf(sum, sizeof sum, "%016" PRIx64 " ", fnv(UINT64_C(0xcbf29ce484222325), b->p + from + SUM_LEN, b->len - from - SUM_LEN));
	memcpy(b->p + from, sum, SUM_LEN);
}

static void
put_message(struct buf *b, const struct spool_message *m)
{
	size_t from = b->len, key_len = strlen(m->key);

	(void)buf_printf(b, "%*sR %" PRIu64 " %" PRId64 " %s %zu %zu %zu\n", SUM_LEN, "", m->id, m->raised_us, m->target, key_len, m->body_len, m->note_len);
	(void)buf_append(b, m->key, key_len);
	(void)buf_append(b, m->body, m->body_len);
	(void)buf_append(b, m->note, m->note_len);
	(void)buf_appends(b, "\n");
	seal(b, from);
}

static void __attribute__((format(printf, 2, 3)))
put_line(struct buf *b, const char *fmt, ...)
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
		const struct known *k = &s->keys[(s->next_key + KEYS_MAX - s->n_keys + i) % KEYS_MAX];
		if (k->at_us > now - KEY_US)
			put_line(b, "K %" PRId64 " %s", k->at_us, k->text);
	}
	for (size_t i = 0; i < INVALID_MAX; i++)
		if (s->invalid[i] > now - KEY_US)
			put_line(b, "I %" PRId64, s->invalid[i]);
	put_line(b, "D %" PRIu64, s->last_id);   /* so that ids rise after a restart too */
	for (const struct spool_message *m = s->first; m != NULL; m = m->next)
		put_message(b, m);
}

/* 0, or -1 and all is as it was. */
static int
rewrite(struct spool *s)
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
static void
append(struct spool *s, const struct buf *b, int synced)
{
	if (s->failing || s->size > GROWN + 2 * s->anew) {
		if (rewrite(s) == -1) {
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

/* ---- the interface ---- */

static char *
path_in(const char *dir, const char *name)
{
	return xasprintf("%s/%s", dir, name);
}

static void
make_dirs(const char *dir)
{
	char *path = xstrdup(dir);

	for (char *slash = path; (slash = strchr(slash + 1, '/')) != NULL; *slash = '/') {
		*slash = '\0';
		(void)mkdir(path, 0755);
	}
	if (mkdir(path, 0700) == -1 && errno != EEXIST)
		die(EX_IOERR, "unable to make the spool's directory %s: %s", dir, strerror(errno));
	free(path);
}

struct spool *
spool_open(const char *dir)
{
	struct spool *s = xcalloc(1, sizeof *s);
	char *lock = path_in(dir, "lock");

	make_dirs(dir);
	s->end = &s->first;
	s->fd = -1;
	s->dir = xstrdup(dir);
	s->path = path_in(dir, "messages");
	s->new_path = path_in(dir, "messages.new");
	s->keys = xcalloc(KEYS_MAX, sizeof *s->keys);
	if ((s->lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) == -1)
		die(EX_IOERR, "unable to open %s: %s", lock, strerror(errno));
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) == -1)
		die(EX_TEMPFAIL, "the spool %s is in use by another process", dir);
	free(lock);
	load(s);
	if (rewrite(s) == -1)
		die(EX_IOERR, "unable to write the spool %s: %s", s->path, strerror(errno));
	return s;
}

void
spool_close(struct spool **sp)
{
	struct spool *s = *sp;

	if (s == NULL)
		return;
	while (s->first != NULL) {
		struct spool_message *m = s->first;
		s->first = m->next;
		spool_message_free(&m);
	}
	(void)close(s->fd);
	(void)close(s->lock_fd);
	free(s->dir);
	free(s->path);
	free(s->new_path);
	free(s->keys);
	free(s);
	*sp = NULL;
}

struct spool_message *
spool_first(const struct spool *s)
{
	return s->first;
}

size_t
spool_count(const struct spool *s)
{
	return s->count;
}

int64_t
spool_bytes(const struct spool *s)
{
	return s->bytes;
}

size_t
spool_torn(const struct spool *s)
{
	return s->torn;
}

struct spool_message *
spool_add(struct spool *s, const char *target, const char *key, struct post_str body, struct post_str note)
{
	struct spool_message *m = message_new(++s->last_id, clock_wall_us(), target, POST_STR(key), body, note);
	struct buf b = BUF_INIT(1u << 20);
	char nonce[25];

	m->raised_ms = clock_mono_ms();
	post_key_text(target, key, nonce);
	know(s, nonce, m->raised_us);
	link_message(s, m);
	put_message(&b, m);
	append(s, &b, 1);
	buf_fini(&b);
	return m;
}

void
spool_done(struct spool *s, struct spool_message *m)
{
	struct buf b = BUF_INIT(1024);

	take_out(s, m);
	put_line(&b, "D %" PRIu64, m->id);
	append(s, &b, 0);        /* what a power failure takes away is sent again; kill -9 takes nothing away */
	buf_fini(&b);
}

void
spool_invalid(struct spool *s, int64_t wall_us)
{
	struct buf b = BUF_INIT(1024);

	s->invalid[s->next_invalid++ % INVALID_MAX] = wall_us;
	put_line(&b, "I %" PRId64, wall_us);
	append(s, &b, 0);
	buf_fini(&b);
}

unsigned
spool_invalid_since(const struct spool *s, int64_t since_us, int64_t *oldest_us)
{
	unsigned n = 0;

	*oldest_us = 0;
	for (size_t i = 0; i < INVALID_MAX; i++)
		if (s->invalid[i] > since_us) {
			n++;
			if (*oldest_us == 0 || s->invalid[i] < *oldest_us)
				*oldest_us = s->invalid[i];
		}
	return n;
}
