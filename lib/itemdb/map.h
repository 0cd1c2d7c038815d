/* map: numbers by 32-bit keys, open addressing.  A zeroed struct is empty. */
#ifndef MAP_H
#define MAP_H
#include <stdint.h>

#define MAP_NONE UINT32_MAX              /* no value is this */

struct map {
	struct map_slot { int32_t key; uint32_t value; } *slot;
	uint32_t mask, n;                /* slots less one; keys */
};

uint32_t map_get(const struct map *, int32_t key);         /* MAP_NONE: not there */
uint32_t *map_at(struct map *, int32_t key, uint32_t fresh);   /* its value, which may be changed; a new key's is fresh.  Borrowed until the next map_at */
void map_remove(struct map *, int32_t key);
void map_clear(struct map *);
void map_fini(struct map *);

#endif
