/* The packs of an inventory and the container rule. */
#include <stdlib.h>
#include <string.h>

#include "item/item.h"
#include "mem/mem.h"

int
item_is_pack(const struct item *it)
{
	return it->object_class == 10 || it->object_class == 38;
}

/* Where the id is, or would stand. */
static unsigned
place(const struct item_packs *packs, int32_t id)
{
	unsigned lo = 0, hi = packs->n;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;
		if (packs->id[mid] < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int
item_packs_has(const struct item_packs *packs, int32_t id)
{
	unsigned i = place(packs, id);

	return i < packs->n && packs->id[i] == id;
}

static void
grow(struct item_packs *packs)
{
	if (packs->n == packs->cap) {
		packs->cap = packs->cap ? packs->cap * 2 : 16;
		packs->id = xreallocarray(packs->id, packs->cap, sizeof *packs->id);
	}
}

void
item_packs_add(struct item_packs *packs, int32_t id)
{
	unsigned i = place(packs, id);

	if (i < packs->n && packs->id[i] == id)
		return;
	grow(packs);
	memmove(packs->id + i + 1, packs->id + i, (packs->n - i) * sizeof *packs->id);
	packs->id[i] = id;
	packs->n++;
}

static int
by_id(const void *a, const void *b)
{
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

	return (x > y) - (x < y);
}

/* Appended and sorted at the end: a hostile inventory may hold nothing but packs. */
void
item_packs_scan(struct item_packs *packs, struct event_value items)
{
	struct event_value v;
	unsigned n = 0;
	size_t at = 0;
	int64_t class;
	int32_t id;

	while (event_next(items, &at, NULL, &v)) {
		if (event_int(event_object_get(v, "ObjectClass"), &class) != 0 || (class != 10 && class != 38) || item_id(event_object_get(v, "Id"), &id) != 0)
			continue;
		grow(packs);
		packs->id[packs->n++] = id;
	}
	if (packs->n > 0)
		qsort(packs->id, packs->n, sizeof *packs->id, by_id);
	for (unsigned i = 0; i < packs->n; i++)
		if (n == 0 || packs->id[n - 1] != packs->id[i])
			packs->id[n++] = packs->id[i];
	packs->n = n;
}

void
item_packs_fini(struct item_packs *packs)
{
	free(packs->id);
	*packs = (struct item_packs){ 0 };
}

void
item_contain(struct item *it, const struct item_packs *packs)
{
	if (it->equipped_slot != 0 || !item_packs_has(packs, it->container_id))
		it->container_id = 0;
}
