/* What characters carry.  An item is a template, a tier and a seed: all its properties are drawn from the seed again whenever it is printed, so that
 * 280 items of 60 characters cost half a megabyte.
 *
 * Groups of data/items.tsv: A armor, C clothing, S shield, J jewelry, W melee weapon, M launcher, K caster, Q ammunition, O cloak, E aetheria; B pack, V foci;
 * P portal and quest gem, T trophy, F food, I component, X Prismatic Taper, H kit, Y key, N mana stone, L salvage, R trade note, U tool. */
#include <stdlib.h>
#include <string.h>

#include "mem/mem.h"
#include "sim.h"

#define SPELLS_MAX 8
#define TAPERS_MIN 6000
#define PACK_SLOTS 24
#define MAIN_SLOTS 102
#define UNDERWEAR_COVERAGE 0x7e

/* Templates and spells by what they are for; made once. */
static struct group { uint16_t *v; unsigned n; } groups[26];
static struct { uint16_t v[256]; unsigned n; } cantrips[9], banes;

static void
index_tables(void)
{
	if (groups['A' - 'A'].n > 0)
		return;
	for (unsigned i = 0; i < d_template_n; i++) {
		struct group *g = &groups[d_template[i].group - 'A'];
		g->v = xreallocarray(g->v, g->n + 1, sizeof *g->v);
		g->v[g->n++] = (uint16_t)i;
	}
	for (unsigned i = 0; i < d_spell_n; i++) {
		const struct d_spell *sp = &d_spell[i];
		if (sp->use[0] == 'c' && sp->rank <= 8 && cantrips[sp->rank].n < 256)
			cantrips[sp->rank].v[cantrips[sp->rank].n++] = (uint16_t)i;
		else if (sp->use[0] == 'b' && banes.n < 256)
			banes.v[banes.n++] = (uint16_t)i;
	}
}

const struct d_template *
template_find(uint32_t wcid)
{
	for (unsigned i = 0; i < d_template_n; i++)
		if (d_template[i].wcid == wcid)
			return &d_template[i];
	return NULL;
}

static const struct d_template *
tpl(const struct item *it)
{
	return &d_template[it->template];
}

/* ---- what follows from the seed ---- */

struct detail {
	unsigned material, workmanship, tinks, set, al, lore, spellcraft, wield, mana_max, n_spells, rating, rating_value;
	uint16_t spells[SPELLS_MAX];         /* indices of d_spell */
	const char *rate;                    /* of mana, a second */
};

static int
is_gear(char group)
{
	return strchr("ACSJWMKO", group) != NULL;
}

static unsigned
material(struct rng *r, const struct d_template *t)
{
	const char *want = t->group == 'C' ? "cloth" : t->group == 'J' ? (rng_percent(r, 50) ? "metal" : "gem") : strstr(t->name, "Leather") ? "leather" :
	    t->group == 'K' || t->group == 'M' ? (rng_percent(r, 60) ? "wood" : "stone") : "metal";
	unsigned i;

	do
		i = rng_below(r, d_material_n);
	while (strcmp(d_material[i].group, want) != 0);
	return d_material[i].id;
}

static void
draw_spells(struct rng *r, const struct item *it, struct detail *d)
{
	/* Ranks of cantrips by tier of the item: Minor 2, Major 6, Epic 7, Legendary 8. */
	static const uint8_t by_tier[9][4] = { {2,2,2,2}, {2,2,2,2}, {2,2,2,2}, {2,2,2,6}, {2,2,6,6}, {2,6,6,6}, {6,6,6,7}, {6,7,7,8}, {7,7,8,8} };
	unsigned cantrip = rng_percent(r, 57) ? 1 : rng_percent(r, 65) ? 2 : rng_percent(r, 70) ? 0 : 3, bane = rng_below(r, 3);

	for (unsigned i = 0; i < cantrip; i++) {
		unsigned rank = by_tier[it->tier > 8 ? 8 : it->tier][rng_below(r, 4)];
		d->spells[d->n_spells++] = cantrips[rank].v[rng_below(r, cantrips[rank].n)];
	}
	if (tpl(it)->group == 'A')
		for (unsigned i = 0; i < bane; i++)
			d->spells[d->n_spells++] = banes.v[rng_below(r, banes.n)];
}

static void
detail(const struct item *it, struct detail *d)
{
	static const char *const rates[] = { "-0.05000000074505806", "-0.0555555559694767", "-0.06666667014360428", "-0.03333330154418945" };
	struct rng r = rng_stream(it->seed, it->template);
	const struct d_template *t = tpl(it);

	memset(d, 0, sizeof *d);
	if (!is_gear(t->group))
		return;
	d->material = t->material != 0 ? t->material : t->group == 'O' ? 0 : material(&r, t);
	d->workmanship = (unsigned)rng_between(&r, 3, 6 + it->tier / 2);
	d->tinks = it->worn && rng_percent(&r, 60) ? 10 : it->worn ? rng_below(&r, 10) : rng_one_in(&r, 6) ? rng_below(&r, 10) : 0;
	if (t->group == 'A' || t->group == 'S') {
		d->set = rng_one_in(&r, 3) || it->worn ? d_set[rng_below(&r, d_set_n)].id : 0;
		d->al = t->al + it->tier * (unsigned)rng_between(&r, 22, 34) + 20 * d->tinks + (it->worn ? 240 : 0);
	}
	draw_spells(&r, it, d);
	d->lore = (unsigned)rng_between(&r, 100, 260 + it->tier * 20);
	d->spellcraft = (unsigned)rng_between(&r, 150, 200 + it->tier * 22);
	d->wield = it->tier >= 7 ? 180 : it->tier >= 6 ? 150 : 0;
	d->mana_max = d->n_spells > 0 ? (unsigned)rng_between(&r, 600, 2400) : 0;
	d->rate = rates[rng_below(&r, 4)];
	if (it->tier >= 7 && rng_one_in(&r, 2)) {
		d->rating = (unsigned)rng_between(&r, 370, 376);
		d->rating_value = 1 + rng_below(&r, 3);
	}
}

/* Mana burns while worn, and is filled up again. */
static unsigned
mana_now(const struct sim *s, const struct item *it, const struct detail *d)
{
	if (!it->worn || d->mana_max == 0)
		return d->mana_max;
	return d->mana_max - (unsigned)((uint64_t)(s->now / (18 * T_S) + it->seed % 10000) % (d->mana_max * 9 / 10));
}

static int
active(const struct chr *c, const struct item *it, const struct detail *d)
{
	return it->worn != 0 && d->n_spells > 0 && c->act != ACT_DEAD;
}

/* ---- printing ---- */

static void
prop(struct buf *b, const char *key, int64_t v)
{
	if (b->p[b->len - 1] != '{')
		(void)buf_append(b, ",", 1);
	(void)buf_append(b, "\"", 1);
	put(b, key);
	(void)buf_append(b, "\":", 2);
	put_int(b, v);
}

static void
prop_if(struct buf *b, const char *key, int64_t v)
{
	if (v != 0)
		prop(b, key, v);
}

static void
put_ints(const struct sim *s, struct buf *b, const struct chr *c, const struct item *it, const struct detail *d, unsigned slot)
{
	const struct d_template *t = tpl(it);
	unsigned count = it->stack > 0 ? it->stack : 1;

	prop(b, "218103834", t->type);
	prop(b, "5", (int64_t)t->burden * count);
	prop_if(b, "218103821", t->coverage);
	prop_if(b, "218103822", t->slots);
	prop_if(b, "10", it->worn);
	prop(b, "19", d->material ? (int64_t)t->value * 3 + it->seed % 20000 : (int64_t)t->value * count);
	prop(b, "218103808", t->wcid);
	prop(b, "218103809", t->icon);
	if (t->stack > 1) {
		prop(b, "218103814", count);
		prop(b, "218103815", t->stack);
	}
	if (t->group == 'B')
		prop(b, "218103812", PACK_SLOTS);
	if (t->group == 'L') {
		prop(b, "131", t->material);
		prop(b, "91", 100);
		prop(b, "92", 100);
		prop(b, "170", (int64_t)(40 + it->seed % 60));
	}
	if (t->group == 'E') {
		prop(b, "265", 35 + it->seed % 5);
		prop(b, "319", 5);
		prop(b, "320", 1 + it->seed % 5);
	}
	if (it->worn)
		prop(b, "218103818", c->id);
	prop(b, "218103810", it->pack != 0 ? it->pack : (int64_t)c->id);
	if (!it->worn)
		prop(b, "231735296", slot);
	if (!is_gear(t->group))
		return;
	prop_if(b, "28", d->al);
	prop_if(b, "131", d->material);
	prop(b, "105", d->workmanship);
	prop_if(b, "171", d->tinks);
	prop_if(b, "265", t->group == 'O' ? 49 + it->seed % 42 : d->set);
	prop_if(b, "319", t->group == 'O' ? 5 : 0);
	if (t->damage > 0) {
		prop(b, "218103842", t->damage + it->tier * 4u + it->seed % 9);
		prop(b, "218103841", t->damage_type);
	}
	prop_if(b, "218103840", t->skill);
	if (d->wield != 0) {
		prop(b, "158", 7);
		prop(b, "159", 1);
		prop(b, "160", d->wield);
	}
	if (d->n_spells > 0) {
		prop(b, "106", d->spellcraft);
		prop(b, "107", mana_now(s, it, d));
		prop(b, "108", d->mana_max);
		prop(b, "109", d->lore);
		prop(b, "218103838", d->n_spells);
	}
	prop_if(b, "172", d->tinks > 0 ? 1 : 0);
	prop_if(b, "179", d->tinks > 0 && t->group != 'J' ? 1 << it->seed % 13 : 0);
	if (d->rating != 0) {
		char key[8];
		key[0] = '3';
		key[1] = '7';
		key[2] = (char)('0' + d->rating % 10);
		key[3] = '\0';
		prop(b, key, d->rating_value);
	}
}

static void
put_doubles(struct buf *b, const struct item *it, const struct detail *d)
{
	static const char *const mods[] = { "1.2999999523162842", "1.0", "0.800000011920929", "1.2296833992004395", "0.6000000238418579", "2.4000000953674316" };
	const struct d_template *t = tpl(it);

	if (d->n_spells > 0)
		(void)buf_printf(b, "\"5\":%s", d->rate);
	if (t->group == 'A')
		for (unsigned i = 0; i < 7; i++)
			(void)buf_printf(b, "%s\"16777216%u\":%s", b->p[b->len - 1] == '{' ? "" : ",", i, mods[(it->seed >> i * 3) % 6]);
	if (t->group == 'W' || t->group == 'M' || t->group == 'K')
		(void)buf_printf(b, "%s\"29\":%s", b->p[b->len - 1] == '{' ? "" : ",", it->seed % 2 ? "1.1799999475479126" : "1.0800000429153442");
	if (t->group == 'M')
		put(b, ",\"167772174\":2.4000000953674316");
	if (t->group == 'K')
		(void)buf_printf(b, ",\"144\":0.05999999865889549,\"152\":%s", it->seed % 2 ? "1.2000000476837158" : "1.1299999952316284");
}

/* The whole item, as in full_inventory and the delta of an addition. */
static void
put_item(const struct sim *s, struct buf *b, const struct chr *c, const struct item *it, unsigned slot)
{
	static const uint16_t worn_buffs[] = { 4407, 4397, 4391, 4393, 4401, 4403, 4409, 4412 };
	const struct d_template *t = tpl(it);
	struct detail d;

	detail(it, &d);
	put(b, "{\"Id\":");
	put_int(b, it->id);
	put(b, ",\"Name\":");
	(void)buf_append_json(b, t->name, strlen(t->name));
	put(b, ",\"ObjectClass\":");
	put_int(b, t->class);
	put(b, is_gear(t->group) ? ",\"HasIdData\":true,\"LastIdTime\":" : ",\"HasIdData\":false,\"LastIdTime\":");
	put_int(b, is_gear(t->group) ? 1740000000 + it->seed % 20000000 : 0);
	put(b, ",\"IntValues\":{");
	put_ints(s, b, c, it, &d, slot);
	put(b, "},\"DoubleValues\":{");
	put_doubles(b, it, &d);
	put(b, "},\"StringValues\":{\"1\":");
	(void)buf_append_json(b, t->name, strlen(t->name));
	put(b, "},\"BoolValues\":{");
	put(b, is_gear(t->group) ? "\"22\":true,\"91\":true" : "");
	put(b, "},\"ActiveSpells\":[");
	for (unsigned i = 0; active(c, it, &d) && t->group == 'A' && i < 8; i++) {
		if (i > 0)
			put(b, ",");
		put_int(b, worn_buffs[i]);
	}
	put(b, "],\"Spells\":[");
	for (unsigned i = 0; i < d.n_spells; i++) {
		if (i > 0)
			put(b, ",");
		put_int(b, d_spell[d.spells[i]].id);
	}
	put(b, "]}");
}

void
items_full(struct sim *s, struct chr *c)
{
	uint8_t slots[9] = { 0 };
	struct buf *b = &s->buf;

	ev_begin(s, c, "full_inventory");
	ev_int(s, "item_count", c->n_items);
	ev_key(s, "items");
	put(b, "[");
	for (unsigned i = 0; i < c->n_items; i++) {
		const struct item *it = &c->items[i];
		unsigned pack = 0;
		while (it->pack != 0 && pack < c->packs && c->pack_ids[pack] != it->pack)
			pack++;
		if (i > 0)
			put(b, ",");
		put_item(s, b, c, it, slots[it->pack == 0 ? 8 : pack]++);
	}
	put(b, "]");
	ev_end(s);
}

/* ---- the set of items ---- */

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
	const struct group *g = &groups[group - 'A'];

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
	const struct group *g = &groups[group - 'A'];
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
		struct item *it = add(c, &c->rng, groups['E' - 'A'].v[i], 0);
		it->worn = 0x10000000u << i;
	}
}

void
items_init(struct sim *s, struct chr *c)
{
	(void)s;
	index_tables();
	dress(c);
	c->packs = (unsigned)rng_between(&c->rng, 6, 8);
	for (unsigned i = 0; i < c->packs; i++)
		c->pack_ids[i] = add(c, &c->rng, any_of(&c->rng, 'B'), 0)->id;
	add_some(c, 'X', c->kind >= KIND_WAR ? 6 : 1, c->kind >= KIND_WAR ? 10 : 4);
	add_some(c, 'I', 3, 9);
	add_some(c, 'H', 2, 8);
	add_some(c, 'N', 5, 14);
	add_some(c, 'R', 3, 12);
	add_some(c, 'Y', 3, 14);
	add_some(c, 'F', 1, 7);
	add_some(c, 'U', 1, 1);
	add_some(c, 'V', 0, 1);
	add_some(c, 'P', 14, 48);
	add_some(c, 'T', 55, 100);
	add_some(c, 'L', 8, 24);
	if (c->kind == KIND_MISSILE)
		add_some(c, 'Q', 3, 7);
	add_some(c, 'A', 10, 30);
	add_some(c, 'C', 2, 8);
	add_some(c, 'J', 8, 28);
	add_some(c, 'W', 2, 10);
	add_some(c, 'M', 1, 6);
	add_some(c, 'K', 2, 9);
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

static void
begin_delta(struct sim *s, struct chr *c, const char *action)
{
	ev_begin(s, c, "inventory_delta");
	ev_str(s, "action", action);
}

static void
tell_added(struct sim *s, struct chr *c, const struct item *it)
{
	begin_delta(s, c, "add");
	ev_key(s, "item");
	put_item(s, &s->buf, c, it, 0);
	ev_end(s);
}

static void
tell_removed(struct sim *s, struct chr *c, int32_t id)
{
	begin_delta(s, c, "remove");
	ev_key(s, "item_id");
	put_int(&s->buf, id);
	ev_end(s);
}

/* Only what changed: the size of a stack, with what goes with it. */
static void
tell_stack(struct sim *s, struct chr *c, const struct item *it)
{
	const struct d_template *t = tpl(it);

	begin_delta(s, c, "update");
	ev_key(s, "item");
	put(&s->buf, "{\"Id\":");
	put_int(&s->buf, it->id);
	put(&s->buf, ",\"Name\":");
	(void)buf_append_json(&s->buf, t->name, strlen(t->name));
	put(&s->buf, ",\"ObjectClass\":");
	put_int(&s->buf, t->class);
	put(&s->buf, ",\"IntValues\":{");
	prop(&s->buf, "5", (int64_t)t->burden * it->stack);
	prop(&s->buf, "19", (int64_t)t->value * it->stack);
	prop(&s->buf, "218103814", it->stack);
	prop(&s->buf, "218103810", it->pack != 0 ? it->pack : (int64_t)c->id);
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
items_rare(struct sim *s, struct chr *c, const struct d_rare *rare)
{
	const struct d_template *t = template_find(rare->wcid);
	struct item *it;

	/* Few rares are among the templates; the others show as a portal gem's kin would: only an id and the name matter to readers. */
	if (t == NULL) {
		begin_delta(s, c, "add");
		ev_key(s, "item");
		(void)buf_printf(&s->buf, "{\"Id\":%d,\"Name\":", (int32_t)c->next_id++);
		(void)buf_append_json(&s->buf, rare->name, strlen(rare->name));
		(void)buf_printf(&s->buf, ",\"ObjectClass\":11,\"HasIdData\":true,\"LastIdTime\":1745254711,\"IntValues\":{\"5\":50,\"17\":%u,\"218103808\":%u,"
		    "\"218103810\":%u},\"DoubleValues\":{},\"StringValues\":{\"1\":", rare->tier, rare->wcid, c->id);
		(void)buf_append_json(&s->buf, rare->name, strlen(rare->name));
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
	const struct group *g = &groups['X' - 'A'];

	for (unsigned i = 0; i < c->n_items && tapers < want; i++)
		if (tpl(&c->items[i])->group == 'X' && c->items[i].stack < 1000) {
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
		if (tpl(&c->items[i])->group == 'X') {
			if (--c->items[i].stack == 0)
				drop(s, c, i);
			else
				tell_stack(s, c, &c->items[i]);
			return;
		}
}

/* ---- equipment_cantrip_state ---- */

struct best { uint16_t category, spell, sources; };

static void
note_best(struct best *best, unsigned *n, unsigned spell)
{
	const struct d_spell *sp = &d_spell[spell];

	for (unsigned i = 0; i < *n; i++)
		if (best[i].category == sp->category) {
			best[i].sources++;
			if (sp->rank > d_spell[best[i].spell].rank)
				best[i].spell = (uint16_t)spell;
			return;
		}
	best[(*n)++] = (struct best){ sp->category, (uint16_t)spell, 1 };
}

static void
put_worn(const struct sim *s, struct buf *b, const struct chr *c, const struct item *it, const struct detail *d)
{
	unsigned mana = mana_now(s, it, d);
	int on = active(c, it, d) && mana > 0;

	(void)buf_printf(b, "{\"item_id\":%d,\"name\":", it->id);
	(void)buf_append_json(b, tpl(it)->name, strlen(tpl(it)->name));
	(void)buf_printf(b, ",\"slot\":%u,\"state\":\"%s\"", it->worn, d->n_spells == 0 ? "NotActivatable" : on ? "Active" : "NotActive");
	if (d->n_spells > 0)
		(void)buf_printf(b, ",\"mana_current\":%u,\"mana_max\":%u,\"seconds_left\":%u", mana, d->mana_max, mana * 18);
	put(b, ",\"spells\":[");
	for (unsigned i = 0; i < d->n_spells; i++) {
		const struct d_spell *sp = &d_spell[d->spells[i]];
		(void)buf_printf(b, "%s{\"id\":%u,\"name\":", i > 0 ? "," : "", sp->id);
		(void)buf_append_json(b, sp->name, strlen(sp->name));
		put(b, on ? ",\"active\":true}" : ",\"active\":false}");
	}
	put(b, "]}");
}

void
items_equip_state(struct sim *s, struct chr *c)
{
	static const char *const levels[] = { "", "", "Minor", "", "", "", "Major", "Epic", "Legendary" };
	struct best best[32 * SPELLS_MAX];
	struct buf *b = &s->buf;
	unsigned n = 0, items = 0;

	ev_begin(s, c, "equipment_cantrip_state");
	ev_key(s, "items");
	put(b, "[");
	for (unsigned i = 0; i < c->n_items && items < 32; i++) {
		struct detail d;
		if (c->items[i].worn == 0)
			continue;
		detail(&c->items[i], &d);
		if (items++ > 0)
			put(b, ",");
		put_worn(s, b, c, &c->items[i], &d);
		for (unsigned k = 0; k < d.n_spells; k++)
			if (d_spell[d.spells[k]].use[0] == 'c')
				note_best(best, &n, d.spells[k]);
	}
	put(b, "]");
	ev_key(s, "cantrips");
	put(b, "[");
	for (unsigned i = 0; i < n; i++) {
		const struct d_spell *sp = &d_spell[best[i].spell];
		(void)buf_printf(b, "%s{\"category\":%u,\"name\":", i > 0 ? "," : "", sp->category);
		(void)buf_append_json(b, sp->family, strlen(sp->family));
		(void)buf_printf(b, ",\"level\":\"%s\",\"spell_id\":%u,\"sources\":%u}", levels[sp->rank], sp->id, best[i].sources);
	}
	put(b, "]");
	ev_end(s);
}
