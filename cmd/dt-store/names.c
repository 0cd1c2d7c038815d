#include "names.h"

#include <stdlib.h>
#include <string.h>

#include "mem/mem.h"

#define SLOTS_MIN 64

/* FNV-1a with a last mix: names are short. */
static uint64_t
hash_of(const char *text, size_t len)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)text[i]) * 0x100000001b3u;
	return h ^ h >> 29;
}

void
names_init(struct names *names, size_t item_size, size_t max)
{
	*names = (struct names){ .item_size = item_size, .max = max, .mask = SLOTS_MIN - 1, .next_id = 1 };
	names->slot = xcalloc(SLOTS_MIN, sizeof *names->slot);
}

void
names_fini(struct names *names)
{
	for (size_t i = 0; names->slot != NULL && i <= names->mask; i++)
		free(names->slot[i]);
	free(names->slot);
	*names = (struct names){ 0 };
}

static struct name **
find(const struct names *names, uint64_t hash, const char *text, size_t len)
{
	struct name *n;
	size_t i;

	for (i = hash & names->mask; (n = names->slot[i]) != NULL; i = (i + 1) & names->mask)
		if (n->hash == hash && n->len == len && memcmp(n->text, text, len) == 0)
			break;
	return &names->slot[i];
}

struct name *
names_get(const struct names *names, const char *text, size_t len)
{
	return *find(names, hash_of(text, len), text, len);
}

static void
grow(struct names *names)
{
	struct name **old = names->slot;
	size_t n_old = names->mask + 1, k;

	names->mask = 2 * n_old - 1;
	names->slot = xcalloc(2 * n_old, sizeof *names->slot);
	for (size_t i = 0; i < n_old; i++) {
		if (old[i] == NULL)
			continue;
		for (k = old[i]->hash & names->mask; names->slot[k] != NULL; k = (k + 1) & names->mask)
			;
		names->slot[k] = old[i];
	}
	free(old);
}

int
names_full(const struct names *names)
{
	return names->n >= names->max;
}

struct name *
names_add(struct names *names, uint32_t id, const char *text, size_t len)
{
	struct name *n = xcalloc(1, names->item_size + len + 1);
	char *copy = (char *)n + names->item_size;

	memcpy(copy, text, len);
	n->hash = hash_of(text, len);
	n->text = copy;
	n->len = (uint32_t)len;
	n->id = id ? id : names->next_id;
	if (n->id >= names->next_id)
		names->next_id = n->id + 1;
	if (++names->n * 3 > names->mask * 2)
		grow(names);
	*find(names, n->hash, text, len) = n;
	return n;
}
