#include "account/hash.h"

#include <pthread.h>
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/poll.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock/clock.h"
#include "log/log.h"
#include "mem/mem.h"

#define MEMORY_BYTES (19u << 20)     /* OWASP's first choice for argon2id: 19 MiB, two passes */
#define PASSES 2

/* What an unknown name is checked against: the hash of a password that nobody has. */
static char nobody[ACCOUNT_HASH_SIZE];

struct job {
	struct job *next;
	char *password;
	size_t len;
	char hash[ACCOUNT_HASH_SIZE];        /* to check against, or the result; "" when it could not be made */
	int is_check, is_nobody, right;
	hasher_made_f *made;
	hasher_checked_f *checked;
	void *priv;
};

struct list { struct job *first, **last; };

struct hasher {
	struct pollable pollable;            /* first: collect() casts back */
	pthread_t thread[HASH_THREADS];
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct list waiting, done;
	size_t busy;                         /* of the loop's thread alone */
	_Atomic uint64_t computed;
	int stopping;
};

static void
push(struct list *l, struct job *j)
{
	j->next = NULL;
	*l->last = j;
	l->last = &j->next;
}

static struct job *
pop(struct list *l)
{
	struct job *j = l->first;

	if (j != NULL && (l->first = j->next) == NULL)
		l->last = &l->first;
	return j;
}

int
hash_make(const char *password, size_t len, char hash[ACCOUNT_HASH_SIZE])
{
	_Static_assert(ACCOUNT_HASH_SIZE >= crypto_pwhash_STRBYTES, "room for a hash");

	if (sodium_init() == -1)
		return -1;
	return crypto_pwhash_str_alg(hash, password, len, PASSES, MEMORY_BYTES, crypto_pwhash_ALG_ARGON2ID13);
}

static void
run(struct hasher *h, struct job *j)
{
	h->computed++;
	if (!j->is_check) {
		if (hash_make(j->password, j->len, j->hash) == -1)
			j->hash[0] = '\0';
		return;
	}
	j->right = crypto_pwhash_str_verify(j->hash, j->password, j->len) == 0 && !j->is_nobody;
}

static void
free_job(struct job *j)
{
	sodium_memzero(j->password, j->len);
	free(j->password);
	free(j);
}

static void *
work(void *arg)
{
	struct hasher *h = arg;
	uint64_t one = 1;
	struct job *j;

	(void)pthread_mutex_lock(&h->lock);
	while (!h->stopping) {
		if ((j = pop(&h->waiting)) == NULL) {
			(void)pthread_cond_wait(&h->work, &h->lock);
			continue;
		}
		(void)pthread_mutex_unlock(&h->lock);
		run(h, j);
		(void)pthread_mutex_lock(&h->lock);
		push(&h->done, j);
		if (write(h->pollable.fd, &one, sizeof one) != sizeof one)
			log_warn("unable to announce a hash");
	}
	(void)pthread_mutex_unlock(&h->lock);
	return NULL;
}

static void
collect(struct pollable *p, short revents, int64_t now_ms)
{
	struct hasher *h = (struct hasher *)p;
	struct list done = { NULL, &done.first };
	uint64_t n;
	struct job *j;

	(void)revents;
	(void)now_ms;
	if (read(p->fd, &n, sizeof n) != sizeof n)
		return;
	(void)pthread_mutex_lock(&h->lock);
	while ((j = pop(&h->done)) != NULL)
		push(&done, j);
	(void)pthread_mutex_unlock(&h->lock);
	while ((j = pop(&done)) != NULL) {
		h->busy--;
		if (j->is_check)
			j->checked(j->priv, j->right);
		else
			j->made(j->priv, j->hash[0] != '\0' ? j->hash : NULL);
		free_job(j);
	}
}

struct hasher *
hasher_new(void)
{
	struct hasher *h = xcalloc(1, sizeof *h);
	char password[32];

	h->waiting.last = &h->waiting.first;
	h->done.last = &h->done.first;
	h->pollable = (struct pollable){ .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .events = POLLIN, .deadline_ms = CLOCK_NEVER, .handle = collect };
	if (sodium_init() == -1)
		die(EX_OSERR, "no source of random numbers");
	randombytes_buf(password, sizeof password);
	if (h->pollable.fd == -1 || (nobody[0] == '\0' && hash_make(password, sizeof password, nobody) == -1))
		die(EX_OSERR, "unable to prepare the hashing of passwords");
	(void)pthread_mutex_init(&h->lock, NULL);
	(void)pthread_cond_init(&h->work, NULL);
	for (int i = 0; i < HASH_THREADS; i++)
		if (pthread_create(&h->thread[i], NULL, work, h) != 0)
			die(EX_OSERR, "unable to start a thread");
	return h;
}

void
hasher_free(struct hasher **hp)
{
	struct hasher *h = *hp;
	struct job *j;

	if (h == NULL)
		return;
	*hp = NULL;
	(void)pthread_mutex_lock(&h->lock);
	h->stopping = 1;
	(void)pthread_cond_broadcast(&h->work);
	(void)pthread_mutex_unlock(&h->lock);
	for (int i = 0; i < HASH_THREADS; i++)
		(void)pthread_join(h->thread[i], NULL);
	while ((j = pop(&h->waiting)) != NULL || (j = pop(&h->done)) != NULL)
		free_job(j);
	(void)close(h->pollable.fd);
	(void)pthread_cond_destroy(&h->work);
	(void)pthread_mutex_destroy(&h->lock);
	free(h);
}

struct pollable *
hasher_pollable(struct hasher *h)
{
	return &h->pollable;
}

size_t
hasher_busy(const struct hasher *h)
{
	return h->busy;
}

uint64_t
hasher_done(struct hasher *h)
{
	return h->computed;
}

static struct job *
new_job(struct hasher *h, const char *password, size_t len, void *priv)
{
	struct job *j;

	if (h->busy >= HASH_THREADS + HASH_QUEUE)
		return NULL;
	j = xcalloc(1, sizeof *j);
	j->password = xmalloc(len + 1);
	memcpy(j->password, password, len);
	j->len = len;
	j->priv = priv;
	return j;
}

static int
give(struct hasher *h, struct job *j)
{
	h->busy++;
	(void)pthread_mutex_lock(&h->lock);
	push(&h->waiting, j);
	(void)pthread_cond_signal(&h->work);
	(void)pthread_mutex_unlock(&h->lock);
	return 0;
}

int
hasher_make(struct hasher *h, const char *password, size_t len, hasher_made_f *f, void *priv)
{
	struct job *j = new_job(h, password, len, priv);

	if (j == NULL)
		return -1;
	j->made = f;
	return give(h, j);
}

int
hasher_check(struct hasher *h, const char *hash, const char *password, size_t len, hasher_checked_f *f, void *priv)
{
	struct job *j = new_job(h, password, len, priv);

	if (j == NULL)
		return -1;
	j->checked = f;
	j->is_check = 1;
	j->is_nobody = hash == NULL;
	(void)snprintf(j->hash, sizeof j->hash, "%s", hash != NULL ? hash : nobody);
	return give(h, j);
}
