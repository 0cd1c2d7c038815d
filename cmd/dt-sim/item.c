/* What characters carry.  An item is a template, a tier and a seed: all its properties are drawn from the seed again whenever it is printed, so that
 * 280 items of 60 characters cost half a megabyte.
 *
 * Groups of data/items.tsv: A armor, C clothing, S shield, J jewelry, W melee weapon, M launcher, K caster, Q ammunition, O cloak, E aetheria; B pack, V foci;
 * P portal and quest gem, T trophy, F food, I component, X Prismatic Taper, H kit, Y key, N mana stone, L salvage, R trade note, U tool. */
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "game/game.h"
#include "item.h"
#include "mem/mem.h"

#define SPELLS_MAX 8

/* Templates and spells by what they are for; made once. */
struct item_group item_groups[26];
static struct { uint16_t v[256]; unsigned n; } cantrips[9], banes;

void
item_tables(void)
{
	if (item_groups['A' - 'A'].n > 0)
		return;
	for (unsigned i = 0; i < d_template_n; i++) {
		struct item_group *g = &item_groups[d_template[i].group - 'A'];
		g->v = xreallocarray(g->v, g->n + 1, sizeof *g->v);
		g->v[g->n++] = (uint16_t)i;
	}
	facts_init();
	for (unsigned i = 0; i < fact_spells_n; i++) {
		const struct fact_spell *sp = &fact_spells[i];
		if (sp->use == 'c' && sp->rank <= 8 && cantrips[sp->rank].n < 256)
			cantrips[sp->rank].v[cantrips[sp->rank].n++] = (uint16_t)i;
		else if (sp->use == 'b' && banes.n < 256)
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

const struct d_template *
item_template(const struct item *it)
{
	return &d_template[it->template];
}

/* ---- what follows from the seed ---- */

struct detail {
	unsigned material, workmanship, tinks, set, al, lore, spellcraft, wield, mana_max, n_spells, rating, rating_value;
	uint16_t spells[SPELLS_MAX];         /* indices of fact_spells */
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
		i = rng_below(r, fact_materials_n);
	while (strcmp(fact_materials[i].group, want) != 0);
	return fact_materials[i].id;
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
	if (item_template(it)->group == 'A')
		for (unsigned i = 0; i < bane; i++)
			d->spells[d->n_spells++] = banes.v[rng_below(r, banes.n)];
}

static void
detail(const struct item *it, struct detail *d)
{
	static const char *const rates[] = { "-0.05000000074505806", "-0.0555555559694767", "-0.06666667014360428", "-0.03333330154418945" };
	struct rng r = rng_stream(it->seed, it->template);
	const struct d_template *t = item_template(it);

	memset(d, 0, sizeof *d);
	if (!is_gear(t->group))
		return;
	d->material = t->material != 0 ? t->material : t->group == 'O' ? 0 : material(&r, t);
	d->workmanship = (unsigned)rng_between(&r, 3, 6 + it->tier / 2);
	d->tinks = it->worn && rng_percent(&r, 60) ? 10 : it->worn ? rng_below(&r, 10) : rng_one_in(&r, 6) ? rng_below(&r, 10) : 0;
	if (t->group == 'A' || t->group == 'S') {
		d->set = rng_one_in(&r, 3) || it->worn ? fact_sets[rng_below(&r, fact_sets_n)] : 0;
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

void
item_prop(struct buf *b, const char *key, int64_t v)
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
		item_prop(b, key, v);
}

static void
put_ints(struct buf *b, const struct chr *c, const struct item *it, const struct detail *d, unsigned slot)
{
	const struct d_template *t = item_template(it);
	unsigned count = it->stack > 0 ? it->stack : 1;

	item_prop(b, "218103834", t->type);
	item_prop(b, "5", (int64_t)t->burden * count);
	prop_if(b, "218103821", t->coverage);
	prop_if(b, "218103822", t->slots);
	prop_if(b, "10", it->worn);
	item_prop(b, "19", d->material ? (int64_t)t->value * 3 + it->seed % 20000 : (int64_t)t->value * count);
	item_prop(b, "218103808", t->wcid);
	item_prop(b, "218103809", t->icon);
	if (t->stack > 1) {
		item_prop(b, "218103814", count);
		item_prop(b, "218103815", t->stack);
	}
	if (t->group == 'B')
		item_prop(b, "218103812", PACK_SLOTS);
	if (t->group == 'L') {
		item_prop(b, "131", t->material);
		item_prop(b, "91", 100);
		item_prop(b, "92", 100);
		item_prop(b, "170", (int64_t)(40 + it->seed % 60));
	}
	if (t->group == 'E') {
		item_prop(b, "265", 35 + it->seed % 5);
		item_prop(b, "319", 5);
		item_prop(b, "320", 1 + it->seed % 5);
	}
	if (it->worn)
		item_prop(b, "218103818", c->id);
	item_prop(b, "218103810", it->pack != 0 ? it->pack : (int64_t)c->id);
	if (!it->worn)
		item_prop(b, "231735296", slot);
}

static void
put_gear_ints(const struct sim *s, struct buf *b, const struct item *it, const struct detail *d)
{
	const struct d_template *t = item_template(it);

	prop_if(b, "28", d->al);
	prop_if(b, "131", d->material);
	item_prop(b, "105", d->workmanship);
	prop_if(b, "171", d->tinks);
	prop_if(b, "265", t->group == 'O' ? 49 + it->seed % 42 : d->set);
	prop_if(b, "319", t->group == 'O' ? 5 : 0);
	if (t->damage > 0) {
		item_prop(b, "218103842", t->damage + it->tier * 4u + it->seed % 9);
		item_prop(b, "218103841", t->damage_type);
	}
	prop_if(b, "218103840", t->skill);
	if (d->wield != 0) {
		item_prop(b, "158", 7);
		item_prop(b, "159", 1);
		item_prop(b, "160", d->wield);
	}
	if (d->n_spells > 0) {
		item_prop(b, "106", d->spellcraft);
		item_prop(b, "107", mana_now(s, it, d));
		item_prop(b, "108", d->mana_max);
		item_prop(b, "109", d->lore);
		item_prop(b, "218103838", d->n_spells);
	}
	prop_if(b, "172", d->tinks > 0 ? 1 : 0);
	prop_if(b, "179", d->tinks > 0 && t->group != 'J' ? 1 << it->seed % 13 : 0);
	if (d->rating != 0) {
		char key[8];
		key[0] = '3';
		key[1] = '7';
		key[2] = (char)('0' + d->rating % 10);
		key[3] = '\0';
		item_prop(b, key, d->rating_value);
	}
}

static void
put_doubles(struct buf *b, const struct item *it, const struct detail *d)
{
	static const char *const mods[] = { "1.2999999523162842", "1.0", "0.800000011920929", "1.2296833992004395", "0.6000000238418579", "2.4000000953674316" };
	const struct d_template *t = item_template(it);

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
void
item_put(const struct sim *s, struct buf *b, const struct chr *c, const struct item *it, unsigned slot)
{
	static const uint16_t worn_buffs[] = { 4407, 4397, 4391, 4393, 4401, 4403, 4409, 4412 };
	const struct d_template *t = item_template(it);
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
	put_ints(b, c, it, &d, slot);
	if (is_gear(t->group))
		put_gear_ints(s, b, it, &d);
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
		put_int(b, fact_spells[d.spells[i]].id);
	}
	put(b, "]}");
}

void
items_full(struct sim *s, struct chr *c)
{
	unsigned slots[9] = { 0 };
	struct buf *b = &s->buf;

	if (!ev_begin(s, c, "full_inventory"))
		return;
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
		item_put(s, b, c, it, slots[it->pack == 0 ? 8 : pack]++);
	}
	put(b, "]");
	ev_end(s);
}

/* ---- equipment_cantrip_state ---- */

struct best { uint16_t category, spell, sources; };

static void
note_best(struct best *best, unsigned *n, unsigned spell)
{
	const struct fact_spell *sp = &fact_spells[spell];

	for (unsigned i = 0; i < *n; i++)
		if (best[i].category == sp->category) {
			best[i].sources++;
			if (sp->rank > fact_spells[best[i].spell].rank)
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
	(void)buf_append_json(b, item_template(it)->name, strlen(item_template(it)->name));
	(void)buf_printf(b, ",\"slot\":%u,\"state\":\"%s\"", it->worn, d->n_spells == 0 ? "NotActivatable" : on ? "Active" : "NotActive");
	if (d->n_spells > 0)
		(void)buf_printf(b, ",\"mana_current\":%u,\"mana_max\":%u,\"seconds_left\":%u", mana, d->mana_max, mana * 18);
	put(b, ",\"spells\":[");
	for (unsigned i = 0; i < d->n_spells; i++) {
		const struct fact_spell *sp = &fact_spells[d->spells[i]];
		(void)buf_printf(b, "%s{\"id\":%u,\"name\":", i > 0 ? "," : "", sp->id);
		(void)buf_append_json(b, sp->name, strlen(sp->name));
		put(b, on ? ",\"active\":true}" : ",\"active\":false}");
	}
	put(b, "]}");
}

void
items_equip_state(struct sim *s, struct chr *c)
{
	struct best best[32 * SPELLS_MAX];
	struct buf *b = &s->buf;
	unsigned n = 0, items = 0;

	if (!ev_begin(s, c, "equipment_cantrip_state"))
		return;
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
			if (fact_spells[d.spells[k]].use == 'c')
				note_best(best, &n, d.spells[k]);
	}
	put(b, "]");
	ev_key(s, "cantrips");
	put(b, "[");
	for (unsigned i = 0; i < n; i++) {
		const struct fact_spell *sp = &fact_spells[best[i].spell];
		(void)buf_printf(b, "%s{\"category\":%u,\"name\":", i > 0 ? "," : "", sp->category);
		(void)buf_append_json(b, sp->effect, strlen(sp->effect));
		(void)buf_printf(b, ",\"level\":\"%s\",\"spell_id\":%u,\"sources\":%u}", game_name(GAME_CANTRIP_LEVEL, sp->rank), sp->id, best[i].sources);
	}
	put(b, "]");
	ev_end(s);
}
