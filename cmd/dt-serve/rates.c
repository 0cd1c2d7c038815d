#include "rates.h"

#include <stdlib.h>
#include <string.h>

#include "clock/clock.h"
#include "mem/mem.h"

#define ENTRIES_MAX 2048
#define HELD_MAX 16384               /* a longer event is not held back */

struct entry {
	uint64_t key;
	int64_t next_ms;             /* when the next may go */
	int64_t period_ms;
	char *held;
	size_t len;
};

struct rates {
	struct entry *entry;
	size_t n, cap;
};

struct rates *
rates_new(void)
{
	return xcalloc(1, sizeof(struct rates));
}

void
rates_free(struct rates **rp)
{
	struct rates *r = *rp;
	size_t i;

	if (r == NULL)
		return;
	for (i = 0; i < r->n; i++)
		free(r->entry[i].held);
	free(r->entry);
	free(r);
	*rp = NULL;
}

static void
forget_idle(struct rates *r, int64_t now_ms)
{
	size_t i;

	for (i = 0; i < r->n; )
		if (r->entry[i].held == NULL && r->entry[i].next_ms <= now_ms)
			r->entry[i] = r->entry[--r->n];
		else
			i++;
}

static struct entry *
entry_get(struct rates *r, uint64_t key, int64_t now_ms)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (r->entry[i].key == key)
			return &r->entry[i];
	if (r->n == ENTRIES_MAX)
		forget_idle(r, now_ms);
	if (r->n == ENTRIES_MAX)
		return NULL;
	if (r->n == r->cap) {
		r->cap = r->cap == 0 ? 16 : r->cap * 2;
		r->entry = xreallocarray(r->entry, r->cap, sizeof(*r->entry));
	}
	r->entry[r->n] = (struct entry){ .key = key };
	return &r->entry[r->n++];
}

int
rates_pass(struct rates *r, uint64_t key, double per_s, int64_t now_ms, const char *payload, size_t len)
{
	struct entry *e = len <= HELD_MAX ? entry_get(r, key, now_ms) : NULL;

	if (e == NULL)
		return 1;
	e->period_ms = (int64_t)(1000 / per_s);
	if (e->held == NULL && now_ms >= e->next_ms) {
		e->next_ms = now_ms + e->period_ms;
		return 1;
	}
	e->held = xrealloc(e->held, len);
	memcpy(e->held, payload, len);
	e->len = len;
	return 0;
}

void
rates_due(struct rates *r, int64_t now_ms, int (*f)(void *priv, const char *payload, size_t len), void *priv)
{
	size_t i;

	for (i = 0; i < r->n; i++) {
		struct entry *e = &r->entry[i];

		if (e->held == NULL || e->next_ms > now_ms)
			continue;
		if (f(priv, e->held, e->len) != 0)
			return;
		free(e->held);
		e->held = NULL;
		e->next_ms = now_ms + e->period_ms;
	}
}

int64_t
rates_next_ms(const struct rates *r)
{
	int64_t next = CLOCK_NEVER;
	size_t i;

	for (i = 0; i < r->n; i++)
		if (r->entry[i].held != NULL && r->entry[i].next_ms < next)
			next = r->entry[i].next_ms;
	return next;
}
