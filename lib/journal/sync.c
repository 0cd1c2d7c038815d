#include "journal/sync.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "log/log.h"
#include "mem/mem.h"

#define RETRY_MS 500

struct jsync {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	int fd, quit;
	struct jsync_job *jobs;
	size_t n, cap;
	unsigned done, failures;         /* since the last take */
	int error;
};

static void
tell(struct jsync *s)
{
	uint64_t one = 1;

	(void)!write(s->fd, &one, sizeof one);
}

static int
sync_once(const struct jsync_job *job)
{
	if (job->also_fd != -1 && fdatasync(job->also_fd) == -1)
		return -1;
	if (job->dir_fd != -1 && fsync(job->dir_fd) == -1)
		return -1;
	return fdatasync(job->fd);
}

/* After a failed fdatasync the pages count as clean: make them dirty again. */
static void
write_again(const struct jsync_job *job)
{
	char buf[65536];
	uint64_t off = job->from;

	while (off < job->to) {
		size_t want = job->to - off < sizeof buf ? (size_t)(job->to - off) : sizeof buf;
		ssize_t n = pread(job->fd, buf, want, (off_t)off);
		if (n <= 0 || pwrite(job->fd, buf, (size_t)n, (off_t)off) != n)
			return;
		off += (uint64_t)n;
	}
}

/* With the lock held; returns with it held. */
static void
wait_ms(struct jsync *s, int ms)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_nsec += (long)ms * 1000000;
	ts.tv_sec += ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	(void)pthread_cond_timedwait(&s->wake, &s->lock, &ts);
}

static void
do_job(struct jsync *s, struct jsync_job *job)
{
	int r, e;

	for (;;) {
		(void)pthread_mutex_unlock(&s->lock);
		r = sync_once(job);
		e = errno;
		(void)pthread_mutex_lock(&s->lock);
		if (r == 0)
			break;
		s->failures++;
		s->error = e;
		tell(s);
		if (s->quit)
			break;
		wait_ms(s, RETRY_MS);
		(void)pthread_mutex_unlock(&s->lock);
		write_again(job);
		(void)pthread_mutex_lock(&s->lock);
	}
	if (job->close_fd)
		(void)close(job->fd);
	if (r == 0) {
		s->error = 0;
		s->done++;
	}
	tell(s);
}

static void *
work(void *priv)
{
	struct jsync *s = priv;

	(void)pthread_mutex_lock(&s->lock);
	while (!s->quit || s->n > 0) {
		if (s->n == 0) {
			(void)pthread_cond_wait(&s->wake, &s->lock);
			continue;
		}
		struct jsync_job job = s->jobs[0];
		memmove(s->jobs, s->jobs + 1, --s->n * sizeof *s->jobs);
		do_job(s, &job);
	}
	(void)pthread_mutex_unlock(&s->lock);
	return NULL;
}

struct jsync *
jsync_new(void)
{
	struct jsync *s = xcalloc(1, sizeof *s);
	sigset_t all, old;

	s->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_cond_init(&s->wake, NULL);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);          /* signals are the loop's */
	if (s->fd == -1 || pthread_create(&s->thread, NULL, work, s) != 0)
		die(EX_OSERR, "unable to start the journal's sync thread");
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	return s;
}

void
jsync_free(struct jsync **sp)
{
	struct jsync *s = *sp;

	if (s == NULL)
		return;
	*sp = NULL;
	(void)pthread_mutex_lock(&s->lock);
	s->quit = 1;
	(void)pthread_cond_signal(&s->wake);
	(void)pthread_mutex_unlock(&s->lock);
	(void)pthread_join(s->thread, NULL);
	(void)close(s->fd);
	(void)pthread_mutex_destroy(&s->lock);
	(void)pthread_cond_destroy(&s->wake);
	free(s->jobs);
	free(s);
}

int
jsync_fd(const struct jsync *s)
{
	return s->fd;
}

void
jsync_give(struct jsync *s, const struct jsync_job *job)
{
	(void)pthread_mutex_lock(&s->lock);
	if (s->n == s->cap)
		s->jobs = xreallocarray(s->jobs, s->cap = s->cap ? 2 * s->cap : 8, sizeof *s->jobs);
	s->jobs[s->n++] = *job;
	(void)pthread_cond_signal(&s->wake);
	(void)pthread_mutex_unlock(&s->lock);
}

unsigned
jsync_take(struct jsync *s, unsigned *failures, int *error)
{
	uint64_t news;
	unsigned done;

	(void)!read(s->fd, &news, sizeof news);
	(void)pthread_mutex_lock(&s->lock);
	done = s->done;
	*failures = s->failures;
	*error = s->error;
	s->done = s->failures = 0;
	(void)pthread_mutex_unlock(&s->lock);
	return done;
}
