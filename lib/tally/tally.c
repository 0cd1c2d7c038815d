#include "tally/tally.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "mem/mem.h"

#define WAYS 8                           /* places where a key may stand */

struct entry {
	char key[TALLY_KEY_SIZE];
	unsigned n;                      /* 0: free */
	int64_t begin_ms, last_ms;
};

struct tally {
	size_t sets;
	int64_t window_ms;
	struct entry entry[];            /* sets * WAYS */
};

struct tally *
tally_new(size_t keys, int64_t window_ms)
{
	size_t sets = (keys + WAYS - 1) / WAYS;
	struct tally *t = xcalloc(1, sizeof(*t) + sets * WAYS * sizeof(t->entry[0]));

	t->sets = sets;
	t->window_ms = window_ms;
	return t;
}

void
tally_free(struct tally **tp)
{
	free(*tp);
	*tp = NULL;
}

static uint64_t
hash_of(const char *key)
{
	uint64_t h = 14695981039346656037u;

	for (; *key != '\0'; key++)
		h = (h ^ (unsigned char)*key) * 1099511628211u;
	return h ^ h >> 29;
}

/* The key's entry, or for a new key the free one or the one that was quiet longest of those where it may stand. */
static struct entry *
entry_of(struct tally *t, const char *key)
{
	struct entry *e = &t->entry[hash_of(key) % t->sets * WAYS], *place = e, *end = e + WAYS;

	for (; e < end; e++) {
		if (e->n > 0 && strcmp(e->key, key) == 0)
			return e;
		if (place->n > 0 && (e->n == 0 || e->last_ms < place->last_ms))
			place = e;
	}
	memset(place, 0, sizeof(*place));
	strcpy(place->key, key);
	return place;
}

unsigned
tally_add(struct tally *t, const char *key, int64_t now_ms, int64_t *left_ms)
{
	char cut[TALLY_KEY_SIZE] = "";
	struct entry *e = entry_of(t, strncpy(cut, key, sizeof(cut) - 1));

	if (e->n == 0 || now_ms - e->begin_ms >= t->window_ms) {
		e->n = 0;
		e->begin_ms = now_ms;
	}
	e->n += e->n < UINT_MAX;
	e->last_ms = now_ms;
	if (left_ms != NULL)
		*left_ms = e->begin_ms + t->window_ms - now_ms;
	return e->n;
}
