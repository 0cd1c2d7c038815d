#include "group.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "buf/buf.h"
#include "mem/mem.h"

#define RUN_MAX 65536u
#define RUN_USERS 8                      /* so many share gathered frames: for fewer it is not worth the memory */

struct group {
	LIST_ENTRY(group) link;
	struct group_seats seats;
	struct ring *ring;
	struct subscription *words;      /* NULL: it wants all */
	char *key;                       /* the words as text: equal ones are one group */
	unsigned users;
	uint64_t *wanted;                /* a bit for each place of the ring; NULL: all */
	uint64_t told, end;              /* of what is wanted: told of all before, all there is */
	uint64_t news;                   /* the first wanted since it was told */
	struct ring_run run;             /* the last one that was asked for */
	uint64_t run_at, run_end;        /* where it began, and where the ring ended then */
	char *bytes;                     /* RUN_MAX; NULL: too few to have their own */
};

struct groups {
	struct ring *ring;
	LIST_HEAD(, group) list;
};

static char shared_bytes[RUN_MAX];       /* of the groups that have none of their own: the last one's */
static const struct group *shared_by;

/* ---- which there are ---- */

static void
mark(struct group *g, uint64_t n)
{
	int wanted = g->words == NULL || subscription_wants(g->words, ring_get(g->ring, n));
	uint64_t place = n % ring_slots(g->ring), bit = UINT64_C(1) << place % 64;

	if (g->wanted != NULL && wanted)
		g->wanted[place / 64] |= bit;
	else if (g->wanted != NULL)
		g->wanted[place / 64] &= ~bit;
	if (!wanted)
		return;
	if (g->end <= g->told)
		g->news = n;
	g->end = n + 1;
}

struct group *
group_new(struct ring *ring)
{
	struct group *g = xcalloc(1, sizeof(*g));

	g->ring = ring;
	LIST_INIT(&g->seats);
	return g;
}

void
group_free(struct group **gp)
{
	struct group *g = *gp;

	if (g == NULL)
		return;
	assert(LIST_EMPTY(&g->seats));
	if (shared_by == g)
		shared_by = NULL;
	subscription_free(&g->words);
	free(g->key);
	free(g->wanted);
	free(g->bytes);
	free(g);
	*gp = NULL;
}

struct groups *
groups_new(struct ring *ring)
{
	struct groups *gs = xcalloc(1, sizeof(*gs));

	gs->ring = ring;
	LIST_INIT(&gs->list);
	return gs;
}

void
groups_free(struct groups **gsp)
{
	struct groups *gs = *gsp;

	if (gs == NULL)
		return;
	assert(LIST_EMPTY(&gs->list));
	free(gs);
	*gsp = NULL;
}

static struct group *
add(struct groups *gs, const struct subscription *sub, char *key)
{
	struct group *g = group_new(gs->ring);
	uint64_t n;

	g->key = key;
	if (sub->types != NULL || sub->characters != NULL) {
		g->words = subscription_dup_words(sub);
		g->wanted = xcalloc(ring_slots(gs->ring) / 64 + 1, sizeof(*g->wanted));
	}
	for (n = ring_first(gs->ring); n < ring_end(gs->ring); n++)
		mark(g, n);
	g->told = g->end;
	LIST_INSERT_HEAD(&gs->list, g, link);
	return g;
}

struct group *
groups_get(struct groups *gs, const struct subscription *sub)
{
	char *key = subscription_key(sub);
	struct group *g;

	LIST_FOREACH(g, &gs->list, link)
		if (strcmp(g->key, key) == 0)
			break;
	if (g != NULL)
		free(key);
	else
		g = add(gs, sub, key);
	g->users++;
	return g;
}

void
groups_put(struct group **gp)
{
	struct group *g = *gp;

	*gp = NULL;
	if (--g->users > 0)
		return;
	LIST_REMOVE(g, link);
	group_free(&g);
}

void
groups_each(struct groups *gs, void (*f)(void *priv, struct group *), void *priv)
{
	struct group *g;

	LIST_FOREACH(g, &gs->list, link)
		f(priv, g);
}

/* ---- what they want ---- */

void
groups_added(struct groups *gs, uint64_t n)
{
	struct group *g;

	LIST_FOREACH(g, &gs->list, link)
		mark(g, n);
}

void
groups_news(struct groups *gs, void (*f)(void *priv, struct group *, uint64_t from, uint64_t to), void *priv)
{
	struct group *g;
	uint64_t from;

	LIST_FOREACH(g, &gs->list, link) {
		if (g->end <= g->told)
			continue;
		from = g->told;
		g->told = g->end;
		f(priv, g, from, g->news);
	}
}

struct ring *
group_ring(const struct group *g)
{
	return g->ring;
}

struct group_seats *
group_seats(struct group *g)
{
	return &g->seats;
}

int
group_wants(const struct group *g, uint64_t n)
{
	uint64_t place = n % ring_slots(g->ring);

	return g->wanted == NULL || (g->wanted[place / 64] >> place % 64 & 1) != 0;
}

uint64_t
group_end(const struct group *g)
{
	return g->wanted == NULL ? ring_end(g->ring) : g->end;
}

/* ---- their frames ---- */

static char *
place_for_run(struct group *g)
{
	if (g->bytes == NULL && g->users >= RUN_USERS)
		g->bytes = xmalloc(RUN_MAX);
	if (g->bytes == NULL)
		shared_by = g;
	return g->bytes != NULL ? g->bytes : shared_bytes;
}

static struct ring_run
gather(struct group *g, uint64_t n, size_t max)
{
	char *to = place_for_run(g);
	struct ring_run run = { .frames = to };
	const struct ring_msg *m;

	for (; n < g->end; n++) {
		if (!group_wants(g, n))
			continue;
		m = ring_get(g->ring, n);
		if (m->big != NULL || run.len + m->header + m->len > max)
			break;
		memcpy(to + run.len, m->frame, m->header + m->len);
		run.len += m->header + m->len;
		run.count++;
	}
	run.next = n;
	return run;
}

struct ring_run
group_run(struct group *g, uint64_t n, size_t max)
{
	uint64_t end = ring_end(g->ring);
	int kept = g->wanted == NULL || g->bytes != NULL || shared_by == g;

	assert(max <= RUN_MAX);
	if (!kept || g->run_at != n || g->run_end != end) {
		g->run = g->wanted == NULL ? ring_run(g->ring, n, max) : gather(g, n, max);
		g->run_at = n;
		g->run_end = end;
	}
	return g->run;
}
