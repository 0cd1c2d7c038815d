/* A character: how it comes to be, what its vitals can be, how it gets about. */
#include <stdio.h>
#include <string.h>

#include "geo/geo.h"
#include "sim.h"

#define RUN_UDEG_S 33000             /* about 8 m/s */

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
body(const struct sim *s, struct chr *c)
{
	struct rng *r = &c->rng;

	c->gender = (uint8_t)rng_between(r, 1, 2);
	c->kind = (enum kind)(rng_percent(r, 35) ? KIND_WAR : rng_percent(r, 45) ? KIND_MELEE : rng_percent(r, 60) ? KIND_MISSILE : KIND_VOID);
	c->element = c->kind == KIND_VOID ? 7 : (uint8_t)rng_below(r, 7);
	c->power = (uint8_t)rng_bell(r, 5, 14);
	c->mule = s->cfg.hoard > 0 || c->index % 15 == 14;
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
	c->next_id = 0x80000000u + ((uint32_t)index << 18) + rng_below(&c->rng, 0x7fff);
	name(s, c);
	body(s, c);
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

int
chr_arrived(const struct chr *c)
{
	return c->ns == c->to_ns && c->ew == c->to_ew;
}

static int32_t
on_map(int64_t udeg)
{
	return (int32_t)(udeg < GEO_MIN_UDEG ? GEO_MIN_UDEG : udeg >= GEO_MAX_UDEG ? GEO_MAX_UDEG - 1 : udeg);
}

void
chr_walk(struct sim *s, struct chr *c, int64_t ns, int64_t ew)
{
	chr_move(s, c);
	c->to_ns = on_map(ns);
	c->to_ew = on_map(ew);
	c->speed = RUN_UDEG_S + (int32_t)c->index % 7 * 1500;
}

void
chr_stray(struct sim *s, struct chr *c, int32_t ns, int32_t ew, int32_t within)
{
	int64_t north = rng_between(&c->rng, -within, within), east = rng_between(&c->rng, -within, within);

	chr_walk(s, c, ns + north, ew + east);
}

void
chr_stand(struct sim *s, struct chr *c)
{
	chr_move(s, c);
	c->to_ns = c->ns;
	c->to_ew = c->ew;
	c->speed = 0;
}

/* Through portal space: somewhere else at once. */
void
chr_jump(struct sim *s, struct chr *c, int64_t ns, int64_t ew)
{
	c->in = NULL;
	c->ns = on_map(ns);
	c->ew = on_map(ew);
	chr_stand(s, c);
}

void
chr_jump_near(struct sim *s, struct chr *c, int32_t ns, int32_t ew, int32_t within)
{
	int64_t north = rng_between(&c->rng, -within, within), east = rng_between(&c->rng, -within, within);

	chr_jump(s, c, ns + north, ew + east);
}

void
chr_enter_dungeon(struct sim *s, struct chr *c, const struct dungeon *d, unsigned tile)
{
	int32_t ns, ew;

	tile_place(d, tile, &ns, &ew);
	chr_jump(s, c, ns, ew);
	c->ns = c->to_ns = ns;       /* a dungeon may lie off the map */
	c->ew = c->to_ew = ew;
	c->in = d;
	c->tile = tile;
	c->floor = d->tiles[tile].z;
	radar_map(s, c);
}
