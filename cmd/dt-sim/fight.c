/* A fight, blow by blow, and what combat_stats counts of it. */
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "mem/mem.h"
#include "sim.h"

static const char *const parts[] = { "head", "chest", "abdomen", "upper arm", "lower arm", "hand", "upper leg", "lower leg", "foot" };

static unsigned
mix(unsigned a, unsigned b)
{
	struct rng r = rng_stream(a, b);

	return (unsigned)(rng_next(&r) >> 40);
}

static unsigned
foe_element(unsigned creature, int magic)
{
	return mix(creature, magic ? 51 : 50) % 7;
}

static struct foe *
foe_of(struct chr *c, unsigned creature)
{
	struct foe *f;

	for (unsigned i = 0; i < c->n_foes; i++)
		if (c->foes[i].creature == creature)
			return &c->foes[i];
	if (c->n_foes == c->cap_foes) {
		c->cap_foes = c->cap_foes ? c->cap_foes * 2 : 8;
		c->foes = xreallocarray(c->foes, c->cap_foes, sizeof *c->foes);
	}
	f = &c->foes[c->n_foes++];
	memset(f, 0, sizeof *f);
	f->creature = (uint16_t)creature;
	f->element[GIVEN_WEAPON] = f->element[GIVEN_MAGIC] = c->element;
	f->element[RECEIVED_WEAPON] = (uint8_t)foe_element(creature, 0);
	f->element[RECEIVED_MAGIC] = (uint8_t)foe_element(creature, 1);
	return f;
}

void
fight_forget(struct chr *c)
{
	c->n_foes = 0;
	c->damage_given = c->damage_received = 0;
}

/* An attack spell of the element, as strong as the character's level allows. */
static const struct fact_spell *
attack_spell(unsigned element, int level, unsigned pick)
{
	const struct fact_spell *best = NULL;
	unsigned rank = level > 180 ? 8 : level > 120 ? 7 : level > 60 ? 6 : 4, n = 0;

	for (unsigned i = 0; i < fact_spells_n; i++) {
		const struct fact_spell *sp = &fact_spells[i];
		if (sp->use == 'w' && sp->rank <= rank && sp->rank + 1u >= rank && strcmp(sp->element, fact_damage_name(element)) == 0 && n++ <= pick % 3)
			best = sp;
	}
	return best != NULL ? best : &fact_spells[0];
}

static const struct fact_spell *
debuff_spell(struct chr *c)
{
	unsigned i, rank = c->level > 180 ? 8 : c->level > 120 ? 7 : 6;

	do
		i = rng_below(&c->rng, fact_spells_n);
	while (fact_spells[i].use != 'd' || fact_spells[i].rank != rank);
	return &fact_spells[i];
}

void
fight_begin(struct sim *s, struct chr *c, unsigned creature)
{
	const struct d_creature *m = &d_creature[creature];
	int64_t level = m->level;

	c->creature = (uint16_t)creature;
	c->foe_max = c->foe_health = (int32_t)(20 + level * 3 + level * level / 40);
	c->foe_id = (int32_t)(0xC0000000u | (uint32_t)rng_next(&c->rng) >> 2);
	c->deadly = (uint8_t)rng_one_in(&c->rng, 240 + c->power * 36u);
	c->casting = 0;
	if (rng_percent(&c->rng, 30))
		tell_spawn(s, c, creature);
	if (c->kind >= KIND_WAR && rng_percent(&c->rng, 35)) {
		const struct fact_spell *sp = debuff_spell(c);
		c->casting = 1;
		c->spell = (uint16_t)(sp - fact_spells);
		items_use_taper(s, c);
		if (c->shares)
			share_cast(s, c, 0);
	}
}

static const char *
verb(unsigned element, int64_t damage, int64_t of)
{
	const struct d_damage *d = &d_damage[element];

	return damage * 2 > of ? d->over50 : damage * 4 > of ? d->over25 : damage * 10 > of ? d->over10 : d->low;
}

static const char *
third_person(const char *v)
{
	size_t len = strlen(v);

	return len > 1 && v[len - 1] == 'h' ? "es" : "s";
}

static void
count(struct hits *h, int failed, int crit, uint32_t damage)
{
	h->attacks++;
	h->failed += (uint32_t)failed;
	if (failed)
		return;
	if (crit) {
		h->crits++;
		h->crit_damage += damage;
		h->max_crit = damage > h->max_crit ? damage : h->max_crit;
	} else {
		h->normal_damage += damage;
		h->max_normal = damage > h->max_normal ? damage : h->max_normal;
	}
}

static void
attack(struct sim *s, struct chr *c, struct foe *f)
{
	const char *who = d_creature[c->creature].name, *plural;
	int magic = c->kind >= KIND_WAR, failed = rng_percent(&c->rng, 11), crit = !failed && rng_percent(&c->rng, 12);
	uint32_t damage = 0;

	if (!failed) {
		damage = (uint32_t)((int64_t)c->foe_max * rng_between(&c->rng, 14, 32) / 100 * c->power / 10 * (crit ? 17 : 10) / 10) + 1;
		c->foe_health -= (int32_t)damage;
		c->damage_given += damage;
	}
	plural = damage == 1 ? "" : "s";
	count(&f->hits[magic ? GIVEN_MAGIC : GIVEN_WEAPON], failed, crit, damage);
	if (failed)
		chat(s, c, magic ? 7 : 22, magic ? "%s resists your spell" : "%s evaded your attack.", who);
	else if (magic)
		chat(s, c, 7, "%sYou %s %s for %u point%s with %s.", crit ? "Critical hit! " : "", verb(c->element, damage, c->foe_max), who, damage, plural,
		    attack_spell(c->element, c->level, c->index)->name);
	else
		chat(s, c, 22, "%s%sYou %s %s for %u point%s of %s damage!", crit ? "Critical hit!  " : "", rng_one_in(&c->rng, 5) ? "Sneak Attack! " : "",
		    verb(c->element, damage, c->foe_max), who, damage, plural, fact_damage_adjective(c->element));
	if (magic) {
		c->mana -= c->mana < 7 ? c->mana : 7;
		if (rng_percent(&c->rng, 30))
			items_use_taper(s, c);
	} else
		c->stamina -= c->stamina < 4 ? c->stamina : 4;
	if (rng_one_in(&c->rng, 70)) {
		f->aetheria_surges++;
		chat(s, c, 17, "Aetheria surges on %s with the power of Surge of Destruction!", c->name);
	}
}

static void
defend(struct sim *s, struct chr *c, struct foe *f)
{
	const struct d_creature *m = &d_creature[c->creature];
	int magic = mix(c->creature, 52) % 3 == 0 && rng_percent(&c->rng, 60), failed = !c->deadly && rng_percent(&c->rng, magic ? 55 : 62);
	int crit = !failed && rng_percent(&c->rng, 6);
	unsigned element = foe_element(c->creature, magic);
	uint32_t damage = 0;
	const char *v;

	if (!failed) {
		damage = (uint32_t)(c->health_max * (c->deadly ? rng_between(&c->rng, 15, 34) : rng_between(&c->rng, 1, 5)) / 100 * (crit ? 2 : 1)) + 1;
		c->health -= damage > c->health ? c->health : damage;
		c->damage_received += damage;
		c->vitals_dirty = c->shared_dirty = 1;
	}
	count(&f->hits[magic ? RECEIVED_MAGIC : RECEIVED_WEAPON], failed, crit, damage);
	v = verb(element, damage, c->health_max);
	if (failed && magic)
		chat(s, c, 7, "You resist the spell cast by %s", m->name);
	else if (failed)
		chat(s, c, 21, "You evaded %s!", m->name);
	else if (magic)
		chat(s, c, 7, "%s%s %s%s you for %u point%s with %s.", crit ? "Critical hit! " : "", m->name, v, third_person(v), damage, damage == 1 ? "" : "s",
		    attack_spell(element, m->level, m->level)->name);
	else
		chat(s, c, 21, "%s%s %s%s your %s for %u point%s of %s damage!", crit ? "Critical hit! " : "", m->name, v, third_person(v),
		    parts[rng_below(&c->rng, 9)], damage, damage == 1 ? "" : "s", fact_damage_adjective(element));
	if (!failed && rng_one_in(&c->rng, 90)) {
		f->cloak_surges++;
		chat(s, c, 17, "The cloak of %s weaves the magic of Cloaked in Skill!", c->name);
	}
}

/* A hurt character heals itself; one in over its head is not always quick enough. */
static void
heal(struct sim *s, struct chr *c)
{
	if (c->health == 0 || c->health * 100 > c->health_max * 45u)
		return;
	if (c->deadly && !rng_percent(&c->rng, 12))
		return;
	c->deadly = 0;
	c->health += c->health_max * 4 / 10;
	c->health = c->health > c->health_max ? c->health_max : c->health;
	c->mana -= c->mana < 30 ? c->mana : 30;
	items_use_taper(s, c);
}

int
fight_round(struct sim *s, struct chr *c)
{
	struct foe *f = foe_of(c, c->creature);

	if (c->casting) {
		chat(s, c, 7, "You cast %s on %s", fact_spells[c->spell].name, d_creature[c->creature].name);
		if (c->shares)
			share_cast(s, c, 1);
		c->casting = 0;
		return 0;
	}
	attack(s, c, f);
	c->vitals_dirty = c->shared_dirty = 1;
	if (c->foe_health <= 0) {
		f->kills++;
		return 1;
	}
	if (c->deadly || rng_percent(&c->rng, 75))
		defend(s, c, f);
	if (c->health == 0)
		return -1;
	heal(s, c);
	return 0;
}

/* ---- combat_stats ---- */

static void
put_hits(struct buf *b, const struct foe *f, int i, const char *name, int *any)
{
	const struct hits *h = &f->hits[i];

	if (h->attacks == 0)
		return;
	(void)buf_printf(b, "%s\"%s\":{\"%s\":{\"attacks\":%u,\"failed\":%u,\"crits\":%u,\"normal_damage\":%u,\"max_normal\":%u,\"crit_damage\":%u,\"max_crit\":%u}}",
	    *any ? "," : "", name, fact_damage_name(f->element[i]), h->attacks, h->failed, h->crits, h->normal_damage, h->max_normal, h->crit_damage, h->max_crit);
	*any = 1;
}

static void
put_foe(struct buf *b, const struct foe *f)
{
	const char *name = d_creature[f->creature].name;
	int any = 0;

	(void)buf_append_json(b, name, strlen(name));
	(void)buf_printf(b, ":{\"kills\":%u,\"given\":{", f->kills);
	put_hits(b, f, GIVEN_WEAPON, "melee_missile", &any);
	put_hits(b, f, GIVEN_MAGIC, "magic", &any);
	put(b, "},\"received\":{");
	any = 0;
	put_hits(b, f, RECEIVED_WEAPON, "melee_missile", &any);
	put_hits(b, f, RECEIVED_MAGIC, "magic", &any);
	(void)buf_printf(b, "},\"aetheria_surges\":%u,\"cloak_surges\":%u}", f->aetheria_surges, f->cloak_surges);
}

void
fight_stats(struct sim *s, struct chr *c)
{
	struct buf *b = &s->buf;

	if (c->n_foes == 0)
		return;
	c->seq++;
	if (!ev_begin(s, c, "combat_stats"))
		return;
	ev_str(s, "session_id", c->session);
	ev_str(s, "session_start", c->started_text);
	ev_int(s, "seq", c->seq);
	ev_key(s, "totals");
	(void)buf_printf(b, "{\"kills\":%u,\"damage_given\":%llu,\"damage_received\":%llu}", c->kills, (unsigned long long)c->damage_given,
	    (unsigned long long)c->damage_received);
	ev_key(s, "monsters");
	put(b, "{");
	for (unsigned i = 0; i < c->n_foes; i++) {
		if (i > 0)
			put(b, ",");
		put_foe(b, &c->foes[i]);
	}
	put(b, "}");
	ev_end(s);
}
