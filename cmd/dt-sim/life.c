/* What characters do all day: town, buffs, portals, walks, the hunt, death, idling. */
#include "facts.h"
#include "sim.h"

#define FEW_TAPERS 40
#define TOWN_UDEG 200000
#define ROAM_UDEG 300000             /* how far from the middle of its ground a hunter strays */

static void
act(struct sim *s, struct chr *c, enum act a, char letter, int64_t lasts)
{
	unsigned n = 0, pick;

	for (unsigned i = 0; i < d_state_n; i++)
		n += d_state[i].act == letter;
	pick = (c->index * 7 + (unsigned)letter) % n;
	for (unsigned i = 0; i < d_state_n; i++)
		if (d_state[i].act == letter && pick-- == 0)
			c->state = d_state[i].text;
	c->act = a;
	c->act_until = s->now + lasts;
}

static void
go_hunting(struct sim *s, struct chr *c)
{
	act(s, c, ACT_HUNT, 'h', rng_span(&c->rng, 8, 35, T_MIN));
}

static void
go_town(struct sim *s, struct chr *c)
{
	chr_stand(s, c);
	act(s, c, ACT_TOWN, 't', rng_span(&c->rng, 20, 90, T_S));
	c->steps = 0;
}

static void
go_idle(struct sim *s, struct chr *c)
{
	chr_stand(s, c);
	act(s, c, ACT_IDLE, 'i', c->mule ? rng_span(&c->rng, 10, 50, T_MIN) : rng_span(&c->rng, 40, 660, T_S));
}

static void
go_buff(struct sim *s, struct chr *c)
{
	chr_stand(s, c);
	act(s, c, ACT_BUFF, 'b', 0);
	c->steps = (unsigned)rng_between(&c->rng, 6, 16);
}

static void
go_home(struct sim *s, struct chr *c)
{
	chr_stand(s, c);
	act(s, c, ACT_RECALL, 'r', rng_span(&c->rng, 6, 11, T_S));
	c->then = ACT_TOWN;
}

static void
go_out(struct sim *s, struct chr *c)
{
	const struct ground *best = NULL;
	int want = c->level > 200 ? (int)rng_between(&c->rng, 140, 230) : c->level;

	/* The spot of the last time, or of a dozen the one that fits best. */
	if (c->ground == NULL || rng_percent(&c->rng, 45)) {
		for (int i = 0; i < 12; i++) {
			const struct ground *g = &s->grounds[rng_below(&c->rng, s->n_grounds)];
			int gap = g->level > want ? g->level - want : want - g->level;
			if (best == NULL || gap < (best->level > want ? best->level - want : want - best->level))
				best = g;
		}
		c->ground = &s->grounds[best - s->grounds];
	}
	chr_stand(s, c);
	act(s, c, ACT_RECALL, 'r', rng_span(&c->rng, 6, 11, T_S));
	c->then = ACT_PORTAL;
}

void
life_enter(struct sim *s, struct chr *c)
{
	struct rng *r = &c->rng;

	timer_set(s, c, TIMER_ACT, s->now + rng_span(r, 1000, 3000, T_MS));
	if (c->mule || (c->fresh && rng_percent(r, 12)))
		go_idle(s, c);
	else if (c->fresh && rng_percent(r, 70)) {       /* the world was there before us: most are out already */
		go_out(s, c);
		if (c->ground->dungeon != NULL)
			chr_enter_dungeon(s, c, c->ground->dungeon, rng_below(r, c->ground->dungeon->n));
		else
			chr_jump_near(s, c, c->ground->ns, c->ground->ew, 200000);
		go_hunting(s, c);
	} else if (c->fresh)
		go_town(s, c);
	else
		go_buff(s, c);
	c->fresh = 0;
}

static int64_t
step_town(struct sim *s, struct chr *c)
{
	if (items_sell(s, c))
		return rng_span(&c->rng, 120, 700, T_MS);
	if (c->steps++ == 0) {
		items_buy(s, c);
		return rng_span(&c->rng, 2, 6, T_S);
	}
	if (s->now < c->act_until) {
		if (chr_arrived(c))
			chr_stray(s, c, c->home_ns, c->home_ew, TOWN_UDEG);
		chr_move(s, c);
		if (rng_one_in(&c->rng, 10))
			tell_portal_near(s, c);
		return T_S;
	}
	if (rng_percent(&c->rng, 30))
		go_idle(s, c);
	else
		go_buff(s, c);
	return T_S;
}

static int64_t
step_idle(struct sim *s, struct chr *c)
{
	if (s->now < c->act_until)
		return rng_span(&c->rng, 2, 6, T_S);
	if (c->mule)
		go_town(s, c);
	else
		go_buff(s, c);
	return T_S;
}

static int64_t
step_buff(struct sim *s, struct chr *c)
{
	unsigned i;

	if (c->steps-- == 0) {
		go_out(s, c);
		return T_S;
	}
	do
		i = rng_below(&c->rng, fact_spells_n);
	while (fact_spells[i].use != 's');
	chat(s, c, 7, "You cast %s on yourself", fact_spells[i].name);
	c->mana -= c->mana < 15 ? c->mana : 15;
	c->vitals_dirty = c->shared_dirty = 1;
	items_use_taper(s, c);
	return rng_span(&c->rng, 1500, 2300, T_MS);
}

static int64_t
step_recall(struct sim *s, struct chr *c)
{
	const struct d_portal *p;

	if (s->now < c->act_until)
		return c->act_until - s->now;
	if (c->then == ACT_TOWN) {
		chr_jump_near(s, c, c->home_ns, c->home_ew, 60000);
		go_town(s, c);
		return T_S;
	}
	p = &d_portal[c->ground->portal];
	chr_jump_near(s, c, p->ns, p->ew, 250000);
	act(s, c, ACT_WALK, 'w', 0);
	chr_walk(s, c, p->ns, p->ew);
	return T_S;
}

static int64_t
step_walk(struct sim *s, struct chr *c)
{
	chr_move(s, c);
	if (rng_one_in(&c->rng, 10))
		tell_portal_near(s, c);
	if (!chr_arrived(c))
		return T_S;
	if (c->then == ACT_PORTAL) {
		act(s, c, ACT_PORTAL, 'p', 0);
		tell_portal(s, c, &d_portal[c->ground->portal]);
		return rng_span(&c->rng, 1200, 3000, T_MS);
	}
	go_hunting(s, c);
	return T_S;
}

static int64_t
step_portal(struct sim *s, struct chr *c)
{
	const struct d_portal *p = &d_portal[c->ground->portal];

	if (c->ground->dungeon != NULL) {
		chr_enter_dungeon(s, c, c->ground->dungeon, 0);
		go_hunting(s, c);
	} else {
		chr_jump(s, c, p->dest_ns, p->dest_ew);
		act(s, c, ACT_WALK, 'w', 0);
		c->then = ACT_HUNT;
		chr_walk(s, c, c->ground->ns, c->ground->ew);
	}
	return 2 * T_S;
}

/* The next tile of the corridor, or any other point around the spot. */
static void
roam(struct sim *s, struct chr *c)
{
	const struct dungeon *d = c->in;
	unsigned near[8], n = 0;
	const struct tile *at;
	int32_t ns, ew;

	if (d == NULL) {
		chr_stray(s, c, c->ground->ns, c->ground->ew, ROAM_UDEG);
		return;
	}
	at = &d->tiles[c->tile];
	for (unsigned i = 0; i < d->n && n < 8; i++) {
		int dx = d->tiles[i].x - at->x, dy = d->tiles[i].y - at->y, dz = d->tiles[i].z - at->z;
		if (dx * dx + dy * dy <= 100 && dz >= -6 && dz <= 6 && i != c->tile)
			near[n++] = i;
	}
	if (n == 0)
		return;
	c->tile = near[rng_below(&c->rng, n)];
	c->floor = d->tiles[c->tile].z;
	tile_place(d, c->tile, &ns, &ew);
	chr_walk(s, c, c->ns, c->ew);
	c->to_ns = ns;
	c->to_ew = ew;
}

static int64_t
step_hunt(struct sim *s, struct chr *c)
{
	chr_move(s, c);
	if (s->now >= c->act_until || c->n_items > c->packs * 24 + 100 || (c->kind >= KIND_WAR && items_tapers(c) < FEW_TAPERS)) {
		go_home(s, c);
		return T_S;
	}
	if (rng_percent(&c->rng, chr_arrived(c) ? 50 : 38)) {
		chr_stand(s, c);
		fight_begin(s, c, c->ground->species[rng_below(&c->rng, c->ground->n)]);
		c->act = ACT_FIGHT;
		return rng_span(&c->rng, 200, 700, T_MS);
	}
	if (chr_arrived(c))
		roam(s, c);
	return rng_span(&c->rng, 300, 900, T_MS);
}

/* Vitae goes down by a point each time enough has been earned (the rule of the game's servers). */
static void
earn(struct chr *c, int64_t xp)
{
	int64_t l = c->level, v = 100 - c->vitae, need;

	if (c->level < 275)
		c->total_xp += xp;
	c->unassigned_xp += xp;
	while (c->level < 275 && c->total_xp >= xp_of_level(c->level + 1))
		c->level++;
	if (c->vitae == 0)
		return;
	need = (5 * l * l * isqrt(l * 1000000) / 2000 + 20) * v / 100 * v / 100 * v / 100 * v / 100 * v / 100;
	if ((c->vitae_xp += xp) >= need) {
		c->vitae_xp = 0;
		c->vitae--;
		chr_vitals_max(c);
	}
}

/* Each tier has its own chance; the better ones are looked at first. */
static const struct game_rare *
find_rare(struct sim *s, struct chr *c)
{
	static const uint32_t tier_one_in[] = { 0, 2500, 25000, 250000, 3120000, 7542500, 8750000 };
	unsigned n = 0;
	uint8_t tier;

	for (tier = 6; tier > 0; tier--)
		if (rng_next(&c->rng) % ((uint64_t)tier_one_in[tier] * 1000) < s->cfg.rare_rate_milli)
			break;
	for (unsigned i = 0; tier > 0 && i < game_rare_count(); i++)
		n += game_rare_at(i)->tier == tier;
	if (n == 0)
		return NULL;
	n = rng_below(&c->rng, n);
	for (unsigned i = 0; i < game_rare_count(); i++)
		if (game_rare_at(i)->tier == tier && n-- == 0)
			return game_rare_at(i);
	return NULL;
}

static void
won(struct sim *s, struct chr *c)
{
	const struct d_creature *m = &d_creature[c->creature];
	const struct game_rare *rare = find_rare(s, c);
	int level = c->level;

	c->kills++;
	earn(c, m->xp > 0 && m->xp < m->level * m->level * 8u ? m->xp : m->level * m->level * 8);
	if (c->level > level) {
		chat(s, c, 13, "Level %d reached!", c->level);
		chr_vitals_max(c);
	}
	if (rare != NULL) {
		c->rares++;
		talk_rare(s, c, game_rare_name(rare));
		tell_rare(s, c, rare);
		items_rare(s, c, rare);
	}
	c->loot_left = rng_percent(&c->rng, 45) ? (uint8_t)rng_between(&c->rng, 1, 3) : 0;
	c->act = ACT_LOOT;
}

static void
died(struct sim *s, struct chr *c)
{
	const struct d_lifestone *l;
	unsigned cap = c->level < 15 ? (unsigned)c->level * 3 - 2 : 40;

	c->health = 0;
	tell_vitals(s, c);
	chat(s, c, 6, "%s got the better of you.", d_creature[c->creature].name);
	c->deaths++;
	c->total_deaths++;
	c->vitae = c->vitae + 5 > cap ? cap : c->vitae + 5;
	c->vitae_xp = 0;
	l = c->in != NULL ? world_lifestone(c->home_ns, c->home_ew) : world_lifestone(c->ns, c->ew);
	chr_jump_near(s, c, l->ns, l->ew, 3000);
	chr_vitals_max(c);
	c->health = c->health_max / 2;
	c->stamina = c->stamina_max / 2;
	c->mana = c->mana_max / 2;
	act(s, c, ACT_DEAD, 'd', rng_span(&c->rng, 10, 25, T_S));
}

static int64_t
step_fight(struct sim *s, struct chr *c)
{
	int r = fight_round(s, c);

	if (r > 0)
		won(s, c);
	else if (r < 0)
		died(s, c);
	return rng_span(&c->rng, 600, 1200, T_MS);
}

static int64_t
step_loot(struct sim *s, struct chr *c)
{
	if (c->loot_left == 0) {
		c->act = ACT_HUNT;
		return rng_span(&c->rng, 200, 900, T_MS);
	}
	c->loot_left--;
	items_loot(s, c);
	return rng_span(&c->rng, 250, 800, T_MS);
}

static int64_t
step_dead(struct sim *s, struct chr *c)
{
	if (s->now < c->act_until)
		return 2 * T_S;
	go_buff(s, c);
	return T_S;
}

static int64_t
step_out(struct sim *s, struct chr *c)
{
	(void)s;
	(void)c;
	return T_NEVER;
}

static int64_t (*const steps[])(struct sim *, struct chr *) = {
	[ACT_OUT] = step_out, [ACT_TOWN] = step_town, [ACT_BUFF] = step_buff, [ACT_RECALL] = step_recall, [ACT_WALK] = step_walk, [ACT_PORTAL] = step_portal,
	[ACT_HUNT] = step_hunt, [ACT_FIGHT] = step_fight, [ACT_LOOT] = step_loot, [ACT_IDLE] = step_idle, [ACT_DEAD] = step_dead,
};

/* Wounds close by themselves. */
static void
rest(struct chr *c)
{
	unsigned h = c->health, st = c->stamina, m = c->mana;

	c->health += c->health < c->health_max ? 1 + c->health_max / 80 : 0;
	c->stamina += c->stamina < c->stamina_max ? 2 + c->stamina_max / 60 : 0;
	c->mana += c->mana < c->mana_max ? 1 + c->mana_max / 120 : 0;
	c->health = c->health > c->health_max ? c->health_max : c->health;
	c->stamina = c->stamina > c->stamina_max ? c->stamina_max : c->stamina;
	c->mana = c->mana > c->mana_max ? c->mana_max : c->mana;
	if (h != c->health || st != c->stamina || m != c->mana)
		c->vitals_dirty = c->shared_dirty = 1;
}

void
life_step(struct sim *s, struct chr *c)
{
	int64_t wait;

	rest(c);
	wait = steps[c->act](s, c);
	c->due[TIMER_ACT] = wait == T_NEVER ? T_NEVER : s->now + wait;
}
