/* What waits, and which keys are known; spool_file.c has it on disk. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
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
#include "post/spool_int.h"

uint64_t
spool_hash(uint64_t h, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)s[i]) * UINT64_C(0x100000001b3);
	return h;
}

void
post_key_text(const char *target, const char *key, char out[25])
{
	uint64_t a = UINT64_C(0xcbf29ce484222325), b = UINT64_C(0x9e3779b97f4a7c15);

	a = spool_hash(spool_hash(a, target, strlen(target) + 1), key, strlen(key));
	b = spool_hash(spool_hash(b, key, strlen(key) + 1), target, strlen(target));
	b ^= b >> 29;
	(void)snprintf(out, 25, "%016" PRIx64 "%08" PRIx32, a, (uint32_t)(b ^ (b >> 32)));
}

void
spool_know(struct spool *s, const char text[25], int64_t at_us)
{
	struct known *k = &s->keys[s->next_key];

	memcpy(k->text, text, 25);
	k->at_us = at_us;
	s->next_key = (s->next_key + 1) % SPOOL_KEYS_MAX;
	if (s->n_keys < SPOOL_KEYS_MAX)
		s->n_keys++;
}

int
spool_knows(const struct spool *s, const char *target, const char *key)
{
	int64_t since = clock_wall_us() - SPOOL_KEY_US;
	char text[25];

	post_key_text(target, key, text);
	for (size_t i = 0; i < s->n_keys; i++)
		if (s->keys[i].at_us > since && memcmp(s->keys[i].text, text, 24) == 0)
			return 1;
	return 0;
}

/* ---- what waits ---- */

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

void
spool_take_out(struct spool *s, uint64_t id)
{
	for (struct spool_message *m = s->first; m != NULL; m = m->next)
		if (m->id == id) {
			take_out(s, m);
			spool_message_free(&m);
			return;
		}
}

void
spool_found(struct spool *s, uint64_t id, int64_t raised_us, const char *target, size_t lens[3], const char *text)
{
	struct spool_message *m = message_new(id, raised_us, target, (struct post_str){ text, lens[0] }, (struct post_str){ text + lens[0], lens[1] },
	    (struct post_str){ text + lens[0] + lens[1], lens[2] });
	int64_t age_us = clock_wall_us() - raised_us;
	char nonce[25];

	m->raised_ms = clock_mono_ms() - (age_us > 0 ? age_us / 1000 : 0);
	post_key_text(m->target, m->key, nonce);
	if (!spool_knows(s, m->target, m->key))
		spool_know(s, nonce, raised_us);
	if (id > s->last_id)
		s->last_id = id;
	link_message(s, m);
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
	s->keys = xcalloc(SPOOL_KEYS_MAX, sizeof *s->keys);
	if ((s->lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) == -1)
		die(EX_IOERR, "unable to open %s: %s", lock, strerror(errno));
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) == -1)
		die(EX_TEMPFAIL, "the spool %s is in use by another process", dir);
	free(lock);
	spool_load(s);
	if (spool_rewrite(s) == -1)
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
	spool_know(s, nonce, m->raised_us);
	link_message(s, m);
	spool_put_message(&b, m);
	spool_append(s, &b, 1);
	buf_fini(&b);
	return m;
}

void
spool_done(struct spool *s, struct spool_message *m)
{
	struct buf b = BUF_INIT(1024);

	take_out(s, m);
	spool_put_line(&b, "D %" PRIu64, m->id);
	spool_append(s, &b, 0);        /* what a power failure takes away is sent again; kill -9 takes nothing away */
	buf_fini(&b);
}

void
spool_invalid(struct spool *s, int64_t wall_us)
{
	struct buf b = BUF_INIT(1024);

	s->invalid[s->next_invalid++ % SPOOL_INVALID_MAX] = wall_us;
	spool_put_line(&b, "I %" PRId64, wall_us);
	spool_append(s, &b, 0);
	buf_fini(&b);
}

unsigned
spool_invalid_since(const struct spool *s, int64_t since_us, int64_t *oldest_us)
{
	unsigned n = 0;

	*oldest_us = 0;
	for (size_t i = 0; i < SPOOL_INVALID_MAX; i++)
		if (s->invalid[i] > since_us) {
			n++;
			if (*oldest_us == 0 || s->invalid[i] < *oldest_us)
				*oldest_us = s->invalid[i];
		}
	return n;
}
