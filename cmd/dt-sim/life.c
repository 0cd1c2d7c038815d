/* What characters do all day: town, buffs, portals, walks, the hunt, death, idling. */
#include <stdio.h>
#include <string.h>

#include "geo/geo.h"
#include "sim.h"

#define RUN_UDEG_S 33000             /* about 8 m/s */
#define FEW_TAPERS 40

int64_t
xp_of_level(int level)
{
	int64_t l = level;

	return level >= 275 ? 191226310247LL : l * l * l * l * l * 10000 / 82246;
}

/* ---- being made ---- */

static unsigned
gcd(unsigned a, unsigned b)
{
	return b == 0 ? a : gcd(b, a % b);
}

/* Each name once, in an order that the seed chooses; then with surnames, then with numbers. */
static void
name(struct sim *s, struct chr *c)
{
	unsigned n = d_name_n, stride = 1 + (unsigned)(s->cfg.seed * 37 % (n - 1)), round = c->index / n;
	const struct d_name *d;
	size_t len;

	while (gcd(stride, n) != 1)
		stride++;
	d = &d_name[(unsigned)((uint64_t)(c->index % n) * stride + s->cfg.seed * 11) % n];
	c->race = d->race;
	if (s->cfg.odd && c->index % 13 == 5)
		(void)snprintf(c->name, sizeof c->name, "+%s", d->name);
	else if (s->cfg.odd && c->index % 17 == 3)
		(void)snprintf(c->name, sizeof c->name, "\xc3\x86ther %s \xe2\x99\xa5", d->name);
	else
		(void)snprintf(c->name, sizeof c->name, "%s", d->name);
	len = strlen(c->name);
	if (round > 0)
		(void)snprintf(c->name + len, sizeof c->name - len, " %s", d_surname[(round - 1) % d_surname_n].name);
	len = strlen(c->name);
	if (round > d_surname_n)
		(void)snprintf(c->name + len, sizeof c->name - len, " %u", (round - 1) / d_surname_n + 1);
}

static void
body(struct chr *c)
{
	struct rng *r = &c->rng;

	c->gender = (uint8_t)rng_between(r, 1, 2);
	c->kind = (enum kind)(rng_percent(r, 35) ? KIND_WAR : rng_percent(r, 45) ? KIND_MELEE : rng_percent(r, 60) ? KIND_MISSILE : KIND_VOID);
	c->element = c->kind == KIND_VOID ? 7 : (uint8_t)rng_below(r, 7);
	c->power = (uint8_t)rng_bell(r, 5, 14);
	c->mule = c->index % 15 == 14;
	c->shares = !c->mule && rng_percent(r, 25);
	c->level = c->mule ? (int)rng_between(r, 5, 80) : rng_percent(r, 55) ? 275 : (int)rng_between(r, 20, 274);
	for (int i = 0; i < 6; i++)
		c->attribs[i] = (uint16_t)(rng_between(r, 60, 100) + c->level * (i % 3 == (int)c->kind % 3 ? 200 : 110) / 275);
	c->title = (uint16_t)rng_between(r, 1, 800);
	c->total_xp = xp_of_level(c->level) + (c->level < 275 ? rng_between(r, 0, 40) * (xp_of_level(c->level + 1) - xp_of_level(c->level)) / 100 : 0);
	c->unassigned_xp = c->level * rng_between(r, 1000, 900000);
	c->total_deaths = rng_below(r, 60);
	c->birth = 1100000000LL + rng_between(r, 0, 640000000);
}

void
chr_init(struct sim *s, struct chr *c, unsigned index)
{
	const struct d_town *t;

	c->index = index;
	c->rng = rng_stream(s->cfg.seed, index + 100);
	c->odd = rng_stream(s->cfg.seed ^ 0x0ddba11, index + 100);
	c->id = 0x50000000u + index * 4099u + rng_below(&c->rng, 4096);
	c->next_id = 0x80000000u + ((uint32_t)index << 16) + rng_below(&c->rng, 0x7fff);
	name(s, c);
	body(c);
	if (c->mule)
		strcpy(c->tag, "mule");
	else if (!rng_percent(&c->rng, 15))
		(void)snprintf(c->tag, sizeof c->tag, "%s", d_tag[rng_below(&c->rng, d_tag_n)].tag);
	do
		t = &d_town[rng_below(&c->rng, d_town_n)];
	while (!t->starter && !rng_one_in(&c->rng, 4));
	c->home_ns = t->ns + (int32_t)rng_between(&c->rng, -150000, 150000);
	c->home_ew = t->ew + (int32_t)rng_between(&c->rng, -150000, 150000);
	c->ns = c->to_ns = c->home_ns;
	c->ew = c->to_ew = c->home_ew;
	c->fresh = 1;
	chr_vitals_max(c);
	items_init(s, c);
}

/* What death takes off, and what buffs give. */
void
chr_vitals_max(struct chr *c)
{
	unsigned endurance = c->attribs[1], self = c->attribs[5], level = (unsigned)c->level, left = 100 - c->vitae;

	c->health_max = (30 + level * 8 / 10 + endurance / 6) * left / 100;
	c->stamina_max = (90 + level / 2 + endurance) * left / 100;
	c->mana_max = (60 + level * (c->kind >= KIND_WAR ? 14 : 5) / 10 + self) * left / 100;
	if (c->health > c->health_max)
		c->health = c->health_max;
	if (c->stamina > c->stamina_max)
		c->stamina = c->stamina_max;
	if (c->mana > c->mana_max)
		c->mana = c->mana_max;
	c->vitals_dirty = c->shared_dirty = 1;
}

/* ---- moving ---- */

void
chr_move(struct sim *s, struct chr *c)
{
	int64_t way = c->speed * (s->now - c->moved) / T_S, left = world_distance(c->ns, c->ew, c->to_ns, c->to_ew);

	c->moved = s->now;
	if (c->speed == 0 || left == 0)
		return;
	if (way >= left) {
		c->ns = c->to_ns;
		c->ew = c->to_ew;
	} else {
		c->ns += (int32_t)((c->to_ns - c->ns) * way / left);
		c->ew += (int32_t)((c->to_ew - c->ew) * way / left);
	}
}

static int
arrived(const struct chr *c)
{
	return c->ns == c->to_ns && c->ew == c->to_ew;
}

static int32_t
on_map(int64_t udeg)
{
	return (int32_t)(udeg < GEO_MIN_UDEG ? GEO_MIN_UDEG : udeg >= GEO_MAX_UDEG ? GEO_MAX_UDEG - 1 : udeg);
}

static void
walk(struct sim *s, struct chr *c, int64_t ns, int64_t ew)
{
	chr_move(s, c);
	c->to_ns = on_map(ns);
	c->to_ew = on_map(ew);
	c->speed = RUN_UDEG_S + (int32_t)c->index % 7 * 1500;
}

static void
stand(struct sim *s, struct chr *c)
{
	chr_move(s, c);
	c->to_ns = c->ns;
	c->to_ew = c->ew;
	c->speed = 0;
}

/* Through portal space: somewhere else at once. */
static void
jump(struct sim *s, struct chr *c, int64_t ns, int64_t ew)
{
	c->in = NULL;
	c->ns = on_map(ns);
	c->ew = on_map(ew);
	stand(s, c);
}

static void
jump_near(struct sim *s, struct chr *c, int32_t ns, int32_t ew, int32_t within)
{
	jump(s, c, ns + rng_between(&c->rng, -within, within), ew + rng_between(&c->rng, -within, within));
}

static void
enter_dungeon(struct sim *s, struct chr *c, const struct dungeon *d, unsigned tile)
{
	int32_t ns, ew;

	tile_place(d, tile, &ns, &ew);
	jump(s, c, ns, ew);
	c->ns = c->to_ns = ns;       /* a dungeon may lie off the map */
	c->ew = c->to_ew = ew;
	c->in = d;
	c->tile = tile;
	c->floor = d->tiles[tile].z;
	radar_map(s, c);
}

/* ---- what is being done ---- */

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
	stand(s, c);
	act(s, c, ACT_TOWN, 't', rng_span(&c->rng, 20, 90, T_S));
	c->steps = 0;
}

static void
go_idle(struct sim *s, struct chr *c)
{
	stand(s, c);
	act(s, c, ACT_IDLE, 'i', c->mule ? rng_span(&c->rng, 10, 50, T_MIN) : rng_span(&c->rng, 40, 660, T_S));
}

static void
go_buff(struct sim *s, struct chr *c)
{
	stand(s, c);
	act(s, c, ACT_BUFF, 'b', 0);
	c->steps = (unsigned)rng_between(&c->rng, 6, 16);
}

static void
go_home(struct sim *s, struct chr *c)
{
	stand(s, c);
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
	stand(s, c);
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
			enter_dungeon(s, c, c->ground->dungeon, rng_below(r, c->ground->dungeon->n));
		else
			jump_near(s, c, c->ground->ns, c->ground->ew, 200000);
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
		if (arrived(c))
			walk(s, c, c->home_ns + rng_between(&c->rng, -200000, 200000), c->home_ew + rng_between(&c->rng, -200000, 200000));
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
		i = rng_below(&c->rng, d_spell_n);
	while (d_spell[i].use[0] != 's');
	chat(s, c, 7, "You cast %s on yourself", d_spell[i].name);
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
		jump_near(s, c, c->home_ns, c->home_ew, 60000);
		go_town(s, c);
		return T_S;
	}
	p = &d_portal[c->ground->portal];
	jump_near(s, c, p->ns, p->ew, 250000);
	act(s, c, ACT_WALK, 'w', 0);
	walk(s, c, p->ns, p->ew);
	return T_S;
}

static int64_t
step_walk(struct sim *s, struct chr *c)
{
	chr_move(s, c);
	if (rng_one_in(&c->rng, 10))
		tell_portal_near(s, c);
	if (!arrived(c))
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
		enter_dungeon(s, c, c->ground->dungeon, 0);
		go_hunting(s, c);
	} else {
		jump(s, c, p->dest_ns, p->dest_ew);
		act(s, c, ACT_WALK, 'w', 0);
		c->then = ACT_HUNT;
		walk(s, c, c->ground->ns, c->ground->ew);
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
		walk(s, c, c->ground->ns + rng_between(&c->rng, -300000, 300000), c->ground->ew + rng_between(&c->rng, -300000, 300000));
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
	walk(s, c, c->ns, c->ew);
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
	if (rng_percent(&c->rng, arrived(c) ? 50 : 38)) {
		stand(s, c);
		fight_begin(s, c, c->ground->species[rng_below(&c->rng, c->ground->n)]);
		c->act = ACT_FIGHT;
		return rng_span(&c->rng, 200, 700, T_MS);
	}
	if (arrived(c))
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
static const struct d_rare *
find_rare(struct sim *s, struct chr *c)
{
	static const uint32_t tier_one_in[] = { 0, 2500, 25000, 250000, 3120000, 7542500, 8750000 };
	unsigned n = 0;
	uint8_t tier;

	for (tier = 6; tier > 0; tier--)
		if (rng_next(&c->rng) % ((uint64_t)tier_one_in[tier] * 1000) < s->cfg.rare_rate_milli)
			break;
	for (unsigned i = 0; tier > 0 && i < d_rare_n; i++)
		n += d_rare[i].tier == tier;
	if (n == 0)
		return NULL;
	n = rng_below(&c->rng, n);
	for (unsigned i = 0; i < d_rare_n; i++)
		if (d_rare[i].tier == tier && n-- == 0)
			return &d_rare[i];
	return NULL;
}

static void
won(struct sim *s, struct chr *c)
{
	const struct d_creature *m = &d_creature[c->creature];
	const struct d_rare *rare = find_rare(s, c);
	int level = c->level;

	c->kills++;
	earn(c, m->xp > 0 && m->xp < m->level * m->level * 8u ? m->xp : m->level * m->level * 8);
	if (c->level > level) {
		chat(s, c, 13, "Level %d reached!", c->level);
		chr_vitals_max(c);
	}
	if (rare != NULL) {
		c->rares++;
		talk_rare(s, c, rare->name);
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
	jump_near(s, c, l->ns, l->ew, 3000);
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
