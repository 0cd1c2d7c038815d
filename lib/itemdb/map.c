#include "itemdb/map.h"

#include <stdlib.h>
#include <string.h>

#include "mem/mem.h"

static uint32_t
home_of(const struct map *m, int32_t key)
{
	uint32_t h = (uint32_t)key * 0x9e3779b1u;

	return (h ^ h >> 15) & m->mask;
}

static uint32_t
find(const struct map *m, int32_t key)
{
	uint32_t i = home_of(m, key);

	while (m->slot[i].value != MAP_NONE && m->slot[i].key != key)
		i = (i + 1) & m->mask;
	return i;
}

uint32_t
map_get(const struct map *m, int32_t key)
{
	return m->slot == NULL ? MAP_NONE : m->slot[find(m, key)].value;
}

static void
resize(struct map *m, uint32_t slots)
{
	struct map_slot *old = m->slot;
	uint32_t n = old == NULL ? 0 : m->mask + 1;

	m->slot = xreallocarray(NULL, slots, sizeof(*m->slot));
	memset(m->slot, 0xff, slots * sizeof(*m->slot));
	m->mask = slots - 1;
	for (uint32_t i = 0; i < n; i++)
		if (old[i].value != MAP_NONE)
			m->slot[find(m, old[i].key)] = old[i];
	free(old);
}

uint32_t *
map_at(struct map *m, int32_t key, uint32_t fresh)
{
	uint32_t i;

	if (m->slot == NULL || m->n * 4 >= m->mask * 3)
		resize(m, m->slot == NULL ? 64 : (m->mask + 1) * 2);
	i = find(m, key);
	if (m->slot[i].value == MAP_NONE) {
		m->slot[i] = (struct map_slot){ .key = key, .value = fresh };
		m->n++;
	}
	return &m->slot[i].value;
}

/* What follows moves up, so that no search ends at the hole. */
void
map_remove(struct map *m, int32_t key)
{
	uint32_t hole, i;

	if (m->slot == NULL || m->slot[hole = find(m, key)].value == MAP_NONE)
		return;
	m->n--;
	for (i = (hole + 1) & m->mask; m->slot[i].value != MAP_NONE; i = (i + 1) & m->mask) {
		uint32_t home = home_of(m, m->slot[i].key);

		if (((i - home) & m->mask) >= ((i - hole) & m->mask)) {
			m->slot[hole] = m->slot[i];
			hole = i;
		}
	}
	m->slot[hole].value = MAP_NONE;
}

void
map_clear(struct map *m)
{
	if (m->slot != NULL)
		memset(m->slot, 0xff, (m->mask + 1) * sizeof(*m->slot));
	m->n = 0;
}

void
map_fini(struct map *m)
{
	free(m->slot);
	*m = (struct map){ 0 };
}
