#include "stock.h"

#include <stdlib.h>
#include <string.h>

#include "mem/mem.h"

#define OWNERS_MAX 200000
#define ITEMS_MAX 8000000
#define SLOTS_MIN 1024
#define NAME_MAX_BYTES 256

void
stock_init(struct stock *s)
{
	*s = (struct stock){ .mask = SLOTS_MIN - 1 };
	names_init(&s->owners, sizeof(struct owner), OWNERS_MAX);
	s->slot = xcalloc(SLOTS_MIN, sizeof *s->slot);
}

static void
free_holding(struct holding *h)
{
	free(h->name);
	free(h);
}

void
stock_fini(struct stock *s)
{
	struct holding *h;

	for (size_t i = 0; s->slot != NULL && i <= s->mask; i++) {
		while ((h = s->slot[i]) != NULL) {
			s->slot[i] = h->chain;
			free_holding(h);
		}
	}
	free(s->slot);
	free(s->by_id);
	names_fini(&s->owners);
	*s = (struct stock){ 0 };
}

/* ---- characters ---- */

struct owner *
stock_load_owner(struct stock *s, uint32_t id, const char *name, size_t len)
{
	struct owner *o = (struct owner *)names_add(&s->owners, id, name, len);

	o->snapshot_us = o->updated_us = o->own_us = STOCK_NEVER;
	if (id == 0)
		return o;
	if (id >= s->n_by_id) {
		uint32_t n = id + 1024;
		s->by_id = xreallocarray(s->by_id, n, sizeof *s->by_id);
		memset(s->by_id + s->n_by_id, 0, (n - s->n_by_id) * sizeof *s->by_id);
		s->n_by_id = n;
	}
	s->by_id[id] = o;
	return o;
}

struct owner *
stock_owner(struct stock *s, const char *name, size_t len)
{
	struct name *n = names_get(&s->owners, name, len);

	if (n != NULL)
		return (struct owner *)n;
	return names_full(&s->owners) ? NULL : stock_load_owner(s, 0, name, len);
}

/* ---- items ---- */

/* Ids grow by one: mixed, so that neighbours do not share a chain. */
static size_t
slot_of(const struct stock *s, int32_t id)
{
	uint32_t h = (uint32_t)id * 0x9e3779b1u;

	return (h ^ h >> 15) & s->mask;
}

struct holding *
stock_find(const struct stock *s, int32_t id)
{
	struct holding *h = s->slot[slot_of(s, id)];

	while (h != NULL && h->id != id)
		h = h->chain;
	return h;
}

static void
grow(struct stock *s)
{
	struct holding **old = s->slot, *h;
	size_t n_old = s->mask + 1;

	s->mask = 2 * n_old - 1;
	s->slot = xcalloc(2 * n_old, sizeof *s->slot);
	for (size_t i = 0; i < n_old; i++) {
		while ((h = old[i]) != NULL) {
			struct holding **at = &s->slot[slot_of(s, h->id)];
			old[i] = h->chain;
			h->chain = *at;
			*at = h;
		}
	}
	free(old);
}

struct holding *
stock_add(struct stock *s, int32_t id)
{
	struct holding *h, **at;

	if (s->n >= ITEMS_MAX)
		return NULL;
	if (++s->n > s->mask)
		grow(s);
	h = xcalloc(1, sizeof *h);
	h->id = id;
	h->stack = h->noted_stack = ITEM_NONE;
	h->updated_us = h->noted_us = STOCK_NEVER;
	at = &s->slot[slot_of(s, id)];
	h->chain = *at;
	*at = h;
	return h;
}

void
stock_drop(struct stock *s, struct holding *h)
{
	struct holding **at = &s->slot[slot_of(s, h->id)];

	while (*at != h)
		at = &(*at)->chain;
	*at = h->chain;
	s->n--;
	free_holding(h);
}

void
stock_give(struct holding *h, struct owner *to)
{
	struct owner *from = h->owner;

	if (from != NULL) {
		if (h->prev != NULL)
			h->prev->next = h->next;
		else
			from->items = h->next;
		if (h->next != NULL)
			h->next->prev = h->prev;
		from->n_items--;
		from->packs_changed |= h->pack;
	}
	h->owner = to;
	h->prev = h->next = NULL;
	if (to == NULL)
		return;
	h->next = to->items;
	if (to->items != NULL)
		to->items->prev = h;
	to->items = h;
	to->n_items++;
	to->packs_changed |= h->pack;
}

void
stock_set_name(struct holding *h, const char *name, size_t len)
{
	free(h->name);
	h->name = NULL;
	if (len == 0)
		return;
	h->name = xmalloc(len + 1);
	memcpy(h->name, name, len);
	h->name[len] = '\0';
}

static void
take_name(struct holding *h, struct event_value name)
{
	char room[NAME_MAX_BYTES];
	long n;

	if (name.kind == EVENT_STRING && !name.escaped) {
		stock_set_name(h, name.p, name.len < sizeof room ? name.len : 0);
		return;
	}
	n = event_string(name, room, sizeof room);
	stock_set_name(h, room, n > 0 ? (size_t)n : 0);
}

void
stock_set(struct holding *h, const struct item *facts, uint64_t hash)
{
	int pack = item_is_pack(facts);

	h->hash = hash;
	h->stack = facts->stack_count;
	h->worn = facts->equipped_slot;
	h->container_sent = facts->equipped_slot != 0 || facts->container_id == ITEM_NONE ? 0 : facts->container_id;
	if (h->pack != pack && h->owner != NULL)
		h->owner->packs_changed = 1;
	h->pack = (uint8_t)pack;
	take_name(h, facts->name);
}

int32_t
stock_container(const struct stock *s, const struct holding *h)
{
	const struct holding *pack = h->container_sent != 0 && h->container_sent != h->id ? stock_find(s, h->container_sent) : NULL;

	return pack != NULL && pack->pack && pack->owner == h->owner ? h->container_sent : 0;
}
