#include "pg/pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "clock/clock.h"
#include "mem/mem.h"

#define CONNECTIONS_MAX 16

struct job {
	TAILQ_ENTRY(job) link;
	struct pool *pool;
	uint64_t id;
	enum pool_class class;
	struct pg_calls calls;
	char *sql;
	int n;
	char **param;
	int64_t deadline_ms;         /* when waiting ends */
	int refused;                 /* the queue was full */
};

struct line {                        /* one connection */
	struct pool *pool;
	struct pg *pg;
	struct job *job;             /* that runs; NULL also while a cancelled one has not ended yet */
	uint64_t query;
	enum pool_class class;
	int busy;
};

struct pool {
	struct pollable timer;       /* first: handle casts back.  For what waits too long */
	struct pool_config config;
	struct line line[CONNECTIONS_MAX];
	TAILQ_HEAD(job_list, job) waiting;
	size_t n_waiting;
	uint64_t next_id;
	int was_up;
};

static void
job_free(struct job *job)
{
	for (int i = 0; i < job->n; i++)
		free(job->param[i]);
	free(job->param);
	free(job->sql);
	free(job);
}

static void
fail(struct job *job, const char *sqlstate, const char *message, int lost)
{
	struct pg_error error = { .lost = lost, .message = message, .context = "" };

	strcpy(error.sqlstate, sqlstate);
	if (job->calls.on_error != NULL)
		job->calls.on_error(job->calls.priv, &error);
	job_free(job);
}

static void
unqueue(struct pool *p, struct job *job)
{
	TAILQ_REMOVE(&p->waiting, job, link);
	p->n_waiting--;
}

/* ---- what a running query says ---- */

static void
on_row(void *priv, const struct pg_row *row)
{
	struct line *l = priv;

	if (l->job != NULL && l->job->calls.on_row != NULL)
		l->job->calls.on_row(l->job->calls.priv, row);
}

static void
on_done(void *priv)
{
	struct line *l = priv;
	struct job *job = l->job;

	l->job = NULL;
	l->query = 0;
	if (job->calls.on_done != NULL)
		job->calls.on_done(job->calls.priv);
	job_free(job);
}

static void
on_error(void *priv, const struct pg_error *error)
{
	struct line *l = priv;
	struct job *job = l->job;

	l->job = NULL;
	l->query = 0;
	if (job->calls.on_error != NULL)
		job->calls.on_error(job->calls.priv, error);
	job_free(job);
}

/* ---- who runs next ---- */

/* An idle connection for a query of that class; NULL: it has to wait. */
static struct line *
idle_line(struct pool *p, enum pool_class class)
{
	struct line *found = NULL;
	int i, busy_long = 0, up = 0;

	for (i = 0; i < p->config.connections; i++) {
		struct line *l = &p->line[i];

		if (!pg_up(l->pg))
			continue;
		up++;
		busy_long += l->busy && l->class == POOL_LONG;
		if (found == NULL && !l->busy)
			found = l;
	}
	return class == POOL_LONG && up > 1 && busy_long >= up - 1 ? NULL : found;
}

static void
run(struct line *l, struct job *job)
{
	struct pg_calls calls = job->calls;

	calls.on_row = on_row;
	calls.on_done = on_done;
	calls.on_error = on_error;
	calls.priv = l;
	l->job = job;
	l->class = job->class;
	l->busy = 1;
	l->query = pg_query(l->pg, job->sql, job->n, (const char *const *)job->param, &calls);
	assert(l->query != 0);
}

static void
run_waiting(struct pool *p)
{
	struct job *job, *next;
	struct line *l;

	for (job = TAILQ_FIRST(&p->waiting); job != NULL; job = next) {
		next = TAILQ_NEXT(job, link);
		if (job->refused || (l = idle_line(p, job->class)) == NULL)
			continue;
		unqueue(p, job);
		run(l, job);
	}
}

static void
on_idle(void *priv)
{
	struct line *l = priv;

	l->busy = 0;
	run_waiting(l->pool);
}

static void
on_up(void *priv)
{
	struct line *l = priv;
	struct pool *p = l->pool;

	l->busy = 0;
	if (!p->was_up && p->config.pg.on_up != NULL)
		p->config.pg.on_up(p->config.pg.priv);
	p->was_up = 1;
}

static void
on_down(void *priv, const char *why)
{
	struct line *l = priv;
	struct pool *p = l->pool;
	struct job *job;

	l->busy = 0;
	if (pool_up(p))
		return;
	while ((job = TAILQ_FIRST(&p->waiting)) != NULL) {
		unqueue(p, job);
		fail(job, "", why, 1);
	}
	if (p->was_up && p->config.pg.on_down != NULL)
		p->config.pg.on_down(p->config.pg.priv, why);
	p->was_up = 0;
}

/* ---- waiting ---- */

static void
on_timer(struct pollable *pollable, short revents, int64_t now_ms)
{
	struct pool *p = (struct pool *)pollable;
	struct job *job;

	(void)revents;
	while ((job = TAILQ_FIRST(&p->waiting)) != NULL && (job->refused || job->deadline_ms <= now_ms)) {
		unqueue(p, job);
		fail(job, "53300", "too many queries wait for the database", 0);
	}
	pollable->deadline_ms = job != NULL ? job->deadline_ms : CLOCK_NEVER;
}

static void
wait_in_queue(struct pool *p, struct job *job)
{
	job->refused = p->n_waiting >= p->config.max_waiting;
	job->deadline_ms = clock_mono_ms() + p->config.max_wait_ms;
	if (job->refused)                /* refused from the timer, not in the caller's frame */
		TAILQ_INSERT_HEAD(&p->waiting, job, link);
	else
		TAILQ_INSERT_TAIL(&p->waiting, job, link);
	p->n_waiting++;
	if (job->refused)
		p->timer.deadline_ms = 0;
	else if (job->deadline_ms < p->timer.deadline_ms)
		p->timer.deadline_ms = job->deadline_ms;
}

/* ---- the interface ---- */

uint64_t
pool_query(struct pool *p, enum pool_class class, const char *sql, int n_params, const char *const *params, const struct pg_calls *calls)
{
	struct job *job;
	struct line *l;

	if (!pool_up(p))
		return 0;
	job = xcalloc(1, sizeof *job);
	*job = (struct job){ .pool = p, .id = ++p->next_id, .class = class, .sql = xstrdup(sql), .n = n_params, .calls = *calls };
	job->param = xcalloc((size_t)n_params + 1, sizeof *job->param);
	for (int i = 0; i < n_params; i++)
		job->param[i] = params[i] != NULL ? xstrdup(params[i]) : NULL;
	if ((l = idle_line(p, class)) != NULL)
		run(l, job);
	else
		wait_in_queue(p, job);
	return p->next_id;
}

static struct line *
line_of(struct pool *p, uint64_t id)
{
	for (int i = 0; i < p->config.connections; i++)
		if (p->line[i].job != NULL && p->line[i].job->id == id)
			return &p->line[i];
	return NULL;
}

void
pool_cancel(struct pool *p, uint64_t id)
{
	struct line *l = line_of(p, id);
	struct job *job;

	if (l != NULL) {
		job = l->job;
		l->job = NULL;
		pg_pause(l->pg, 0);
		pg_cancel(l->pg, l->query);
		job_free(job);
		if (pg_queued(l->pg) == 0)       /* it had not begun: nobody will tell us */
			on_idle(l);
		return;
	}
	TAILQ_FOREACH(job, &p->waiting, link)
		if (job->id == id) {
			unqueue(p, job);
			job_free(job);
			return;
		}
}

void
pool_pause(struct pool *p, uint64_t id, int on)
{
	struct line *l = line_of(p, id);

	if (l != NULL)
		pg_pause(l->pg, on);
}

int
pool_up(const struct pool *p)
{
	int up = 0;

	for (int i = 0; i < p->config.connections; i++)
		up += pg_up(p->line[i].pg);
	return up;
}

const char *
pool_why(const struct pool *p)
{
	return pool_up(p) ? "" : pg_why(p->line[0].pg);
}

size_t
pool_waiting(const struct pool *p)
{
	return p->n_waiting;
}

struct pollable *
pool_pollable(struct pool *p, int i)
{
	if (i == p->config.connections)
		return &p->timer;
	return i < p->config.connections ? pg_pollable(p->line[i].pg) : NULL;
}

struct pool *
pool_new(const struct pool_config *config)
{
	struct pool *p = xcalloc(1, sizeof *p);

	assert(config->connections >= 1 && config->connections <= CONNECTIONS_MAX);
	p->config = *config;
	if (p->config.max_waiting == 0)
		p->config.max_waiting = 64;
	if (p->config.max_wait_ms == 0)
		p->config.max_wait_ms = 5000;
	TAILQ_INIT(&p->waiting);
	p->timer = (struct pollable){ .fd = -1, .deadline_ms = CLOCK_NEVER, .handle = on_timer };
	for (int i = 0; i < config->connections; i++) {
		struct pg_config pg = config->pg;

		pg.on_up = on_up;
		pg.on_down = on_down;
		pg.on_idle = on_idle;
		pg.priv = &p->line[i];
		pg.quiet |= i > 0;
		p->line[i].pool = p;
		p->line[i].pg = pg_new(&pg);
	}
	return p;
}

void
pool_free(struct pool **pp)
{
	struct pool *p = *pp;
	struct job *job;

	if (p == NULL)
		return;
	*pp = NULL;
	while ((job = TAILQ_FIRST(&p->waiting)) != NULL) {
		unqueue(p, job);
		job_free(job);
	}
	for (int i = 0; i < p->config.connections; i++) {
		pg_free(&p->line[i].pg);
		if (p->line[i].job != NULL)
			job_free(p->line[i].job);
	}
	free(p);
}
