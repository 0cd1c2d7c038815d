/* What a character carries, and the deltas when that changes. */
#include <string.h>

#include "item.h"
#include "mem/mem.h"

#define TAPERS_MIN 6000              /* what a mage goes out with */

static struct item *
add(struct chr *c, struct rng *r, unsigned template, unsigned stack)
{
	struct item *it;

	if (c->n_items == c->cap_items) {
		c->cap_items = c->cap_items ? c->cap_items + 64 : 256;
		c->items = xreallocarray(c->items, c->cap_items, sizeof *c->items);
	}
	it = &c->items[c->n_items++];
	memset(it, 0, sizeof *it);
	it->id = (int32_t)c->next_id++;
	it->template = (uint16_t)template;
	it->seed = (uint32_t)rng_next(r);
	it->stack = (uint16_t)stack;
	it->tier = (uint8_t)(c->level >= 200 ? rng_between(r, 6, 8) : 1 + c->level / 30);
	return it;
}

/* The first pack with room, else the main pack. */
static void
stow(struct chr *c, struct item *it)
{
	unsigned in[9] = { 0 }, i;

	for (i = 0; i < c->n_items; i++)
		for (unsigned p = 0; p < c->packs; p++)
			in[p] += c->items[i].pack == c->pack_ids[p];
	for (i = 0; i < c->packs; i++)
		if (in[i] < PACK_SLOTS) {
			it->pack = c->pack_ids[i];
			return;
		}
	it->pack = 0;
}

static unsigned
any_of(struct rng *r, char group)
{
	const struct item_group *g = &item_groups[group - 'A'];

	return g->v[rng_below(r, g->n)];
}

static void
add_some(struct chr *c, char group, int lo, int hi)
{
	int n = (int)rng_between(&c->rng, lo, hi);

	while (n-- > 0) {
		unsigned t = any_of(&c->rng, group), max = d_template[t].stack;
		struct item *it = add(c, &c->rng, t, max > 1 ? 1 + rng_below(&c->rng, max) : 0);
		if (group == 'X')
			it->stack = (uint16_t)rng_between(&c->rng, 700, 1000);
		stow(c, it);
		it->loot = strchr("ACJWMKT", group) != NULL && rng_percent(&c->rng, 20);
	}
}

/* Wears something of the group that fits the slot; a piece that covers several slots is taken for one of them, as cut down. */
static void
wear(struct chr *c, char group, uint32_t slot)
{
	const struct item_group *g = &item_groups[group - 'A'];
	unsigned start = rng_below(&c->rng, g->n);

	for (unsigned i = 0; i < g->n; i++) {
		unsigned t = g->v[(start + i) % g->n];
		if (d_template[t].slots & slot && (group != 'A' || d_template[t].slots == slot)) {
			struct item *it = add(c, &c->rng, t, 0);
			it->worn = group == 'C' ? d_template[t].slots : slot;
			return;
		}
	}
}

static void
dress(struct chr *c)
{
	static const uint32_t armor[] = { 0x1, 0x20, 0x100, 0x200, 0x400, 0x800, 0x1000, 0x2000, 0x4000 };

	for (unsigned i = 0; i < sizeof armor / sizeof *armor; i++)
		if (!rng_one_in(&c->rng, 12))
			wear(c, 'A', armor[i]);
	wear(c, 'C', 0x2);
	wear(c, 'C', 0x40);
	for (uint32_t slot = 0x8000; slot <= 0x80000; slot <<= 1)
		wear(c, 'J', slot);
	wear(c, 'J', 0x4000000);
	wear(c, 'O', 0x8000000);
	wear(c, c->kind == KIND_MELEE ? 'W' : c->kind == KIND_MISSILE ? 'M' : 'K', c->kind == KIND_MELEE ? 0x100000 : c->kind == KIND_MISSILE ? 0x400000 : 0x1000000);
	if (c->kind == KIND_MELEE)
		wear(c, 'S', 0x200000);
	for (unsigned i = 0; i < 3 && c->level >= 75; i++) {
		struct item *it = add(c, &c->rng, item_groups['E' - 'A'].v[i], 0);
		it->worn = 0x10000000u << i;
	}
}

/* A mule's hoard: gear of all tiers and whatever else is found, through the packs in turn. */
static void
hoard(struct chr *c, unsigned count)
{
	static const char of[] = "AAAAAJJJWWMKCCOSPTTLNEF";

	while (c->n_items < count) {
		unsigned t = any_of(&c->rng, of[rng_below(&c->rng, sizeof of - 1)]), max = d_template[t].stack;
		struct item *it = add(c, &c->rng, t, max > 1 ? 1 + rng_below(&c->rng, max) : 0);
		unsigned pack = c->n_items % (c->packs + 1);
		it->tier = (uint8_t)rng_between(&c->rng, 1, 8);
		it->pack = pack < c->packs ? c->pack_ids[pack] : 0;
	}
}

/* What is in the packs besides, in the order in which it is found. */
#define ANY (~0u)
#define FROM_WAR (ANY << KIND_WAR)
static const struct goods {
	char group;
	uint8_t least, most;
	unsigned kinds;                  /* a bit each of those who have it */
} goods[] = {
	{ 'X', 6, 10, FROM_WAR }, { 'X', 1, 4, ~FROM_WAR }, { 'I', 3, 9, ANY }, { 'H', 2, 8, ANY }, { 'N', 5, 14, ANY }, { 'R', 3, 12, ANY }, { 'Y', 3, 14, ANY },
	{ 'F', 1, 7, ANY }, { 'U', 1, 1, ANY }, { 'V', 0, 1, ANY }, { 'P', 14, 48, ANY }, { 'T', 55, 100, ANY }, { 'L', 8, 24, ANY }, { 'Q', 3, 7, 1u << KIND_MISSILE },
	{ 'A', 10, 30, ANY }, { 'C', 2, 8, ANY }, { 'J', 8, 28, ANY }, { 'W', 2, 10, ANY }, { 'M', 1, 6, ANY }, { 'K', 2, 9, ANY },
};

void
items_init(struct sim *s, struct chr *c)
{
	item_tables();
	dress(c);
	c->packs = (unsigned)rng_between(&c->rng, 6, 8);
	for (unsigned i = 0; i < c->packs; i++)
		c->pack_ids[i] = add(c, &c->rng, any_of(&c->rng, 'B'), 0)->id;
	for (unsigned i = 0; i < sizeof goods / sizeof *goods; i++) {
		const struct goods *g = &goods[i];
		if (g->kinds >> c->kind & 1)
			add_some(c, g->group, g->least, g->most);
	}
	hoard(c, s->cfg.hoard);
}

unsigned
items_tapers(const struct chr *c)
{
	unsigned n = 0;

	for (unsigned i = 0; i < c->n_items; i++)
		if (d_template[c->items[i].template].group == 'X')
			n += c->items[i].stack;
	return n;
}

/* ---- deltas ---- */

static int
begin_delta(struct sim *s, struct chr *c, const char *action)
{
	if (!ev_begin(s, c, "inventory_delta"))
		return 0;
	ev_str(s, "action", action);
	return 1;
}

static void
tell_added(struct sim *s, struct chr *c, const struct item *it)
{
	if (!begin_delta(s, c, "add"))
		return;
	ev_key(s, "item");
	item_put(s, &s->buf, c, it, 0);
	ev_end(s);
}

static void
tell_removed(struct sim *s, struct chr *c, int32_t id)
{
	if (!begin_delta(s, c, "remove"))
		return;
	ev_key(s, "item_id");
	put_int(&s->buf, id);
	ev_end(s);
}

/* Only what changed: the size of a stack, with what goes with it. */
static void
tell_stack(struct sim *s, struct chr *c, const struct item *it)
{
	const struct d_template *t = item_template(it);

	if (!begin_delta(s, c, "update"))
		return;
	ev_key(s, "item");
	put(&s->buf, "{\"Id\":");
	put_int(&s->buf, it->id);
	put(&s->buf, ",\"Name\":");
	(void)buf_append_json(&s->buf, t->name, strlen(t->name));
	put(&s->buf, ",\"ObjectClass\":");
	put_int(&s->buf, t->class);
	put(&s->buf, ",\"IntValues\":{");
	item_prop(&s->buf, "5", (int64_t)t->burden * it->stack);
	item_prop(&s->buf, "19", (int64_t)t->value * it->stack);
	item_prop(&s->buf, "218103814", it->stack);
	item_prop(&s->buf, "218103810", it->pack != 0 ? it->pack : (int64_t)c->id);
	put(&s->buf, "}}");
	ev_end(s);
}

static void
drop(struct sim *s, struct chr *c, unsigned i)
{
	int32_t id = c->items[i].id;

	memmove(&c->items[i], &c->items[i + 1], (c->n_items - i - 1) * sizeof *c->items);
	c->n_items--;
	tell_removed(s, c, id);
}

void
items_loot(struct sim *s, struct chr *c)
{
	static const char from[] = "AAAJJWMKCPPTTTTTTNLRYP";
	unsigned t = any_of(&c->rng, from[rng_below(&c->rng, sizeof from - 1)]), max = d_template[t].stack;
	struct item *it;

	/* What stacks goes onto what is there. */
	for (unsigned i = 0; max > 1 && i < c->n_items; i++)
		if (c->items[i].template == t && c->items[i].stack < max) {
			c->items[i].stack++;
			tell_stack(s, c, &c->items[i]);
			return;
		}
	it = add(c, &c->rng, t, max > 1 ? 1 : 0);
	it->loot = 1;
	stow(c, it);
	tell_added(s, c, it);
}

void
items_rare(struct sim *s, struct chr *c, const struct game_rare *rare)
{
	const struct d_template *t = template_find(rare->wcid);
	struct item *it;

	/* Most rares are not among the templates: such a one is only told of. */
	if (t == NULL) {
		int32_t id = (int32_t)c->next_id++;
		if (!begin_delta(s, c, "add"))
			return;
		ev_key(s, "item");
		(void)buf_printf(&s->buf, "{\"Id\":%d,\"Name\":", id);
		(void)buf_append_json(&s->buf, game_rare_name(rare), strlen(game_rare_name(rare)));
		(void)buf_printf(&s->buf, ",\"ObjectClass\":11,\"HasIdData\":true,\"LastIdTime\":1745254711,\"IntValues\":{\"5\":50,\"17\":%u,\"218103808\":%u,"
		    "\"218103810\":%u},\"DoubleValues\":{},\"StringValues\":{\"1\":", rare->tier, rare->wcid, c->id);
		(void)buf_append_json(&s->buf, game_rare_name(rare), strlen(game_rare_name(rare)));
		put(&s->buf, "},\"BoolValues\":{},\"ActiveSpells\":[],\"Spells\":[]}");
		ev_end(s);
		return;
	}
	it = add(c, &c->rng, (unsigned)(t - d_template), t->stack > 1 ? 1 : 0);
	stow(c, it);
	tell_added(s, c, it);
}

int
items_sell(struct sim *s, struct chr *c)
{
	for (unsigned i = c->n_items; i-- > 0;)
		if (c->items[i].loot) {
			drop(s, c, i);
			return 1;
		}
	return 0;
}

void
items_buy(struct sim *s, struct chr *c)
{
	unsigned tapers = items_tapers(c), want = c->kind >= KIND_WAR ? TAPERS_MIN + c->index % 5 * 1000 : 1500;
	const struct item_group *g = &item_groups['X' - 'A'];

	for (unsigned i = 0; i < c->n_items && tapers < want; i++)
		if (item_template(&c->items[i])->group == 'X' && c->items[i].stack < 1000) {
			tapers += 1000u - c->items[i].stack;
			c->items[i].stack = 1000;
			tell_stack(s, c, &c->items[i]);
		}
	while (tapers < want) {
		struct item *it = add(c, &c->rng, g->v[0], 1000);
		stow(c, it);
		tell_added(s, c, it);
		tapers += 1000;
	}
}

void
items_use_taper(struct sim *s, struct chr *c)
{
	for (unsigned i = c->n_items; i-- > 0;)
		if (item_template(&c->items[i])->group == 'X') {
			if (--c->items[i].stack == 0)
				drop(s, c, i);
			else
				tell_stack(s, c, &c->items[i]);
			return;
		}
}
