/* The world: places, distances and headings in whole numbers, hunting grounds, dungeons. */
#include <stdlib.h>
#include <string.h>

#include "geo/geo.h"
#include "mem/mem.h"
#include "sim.h"

#define DEG GEO_UDEG
#define TILES_MAX 320

int64_t
isqrt(int64_t v)
{
	uint64_t n = (uint64_t)v, root = 0, bit = 1ull << 62;

	while (bit > n)
		bit >>= 2;
	for (; bit != 0; bit >>= 2)
		if (n >= root + bit) {
			n -= root + bit;
			root = (root >> 1) + bit;
		} else
			root >>= 1;
	return (int64_t)root;
}

int64_t
world_distance(int32_t ns1, int32_t ew1, int32_t ns2, int32_t ew2)
{
	int64_t dy = ns2 - ns1, dx = ew2 - ew1;

	return isqrt(dx * dx + dy * dy);
}

/* atan of 0 … 1 (in 1/1024) in tenths of a degree, by x * (45 + 15.6 * (1 - x)): good to 0.2 degrees. */
static unsigned
octant(int64_t num, int64_t den)
{
	int64_t x = den == 0 ? 0 : num * 1024 / den;

	return (unsigned)((x * (450 * 1024 + 156 * (1024 - x))) >> 20);
}

unsigned
world_heading(int64_t dx, int64_t dy)
{
	int64_t ax = dx < 0 ? -dx : dx, ay = dy < 0 ? -dy : dy;
	unsigned a = ax <= ay ? octant(ax, ay) : 900 - octant(ay, ax);    /* from the north-south axis */

	if (dy < 0)
		a = 1800 - a;
	if (dx < 0)
		a = 3600 - a;
	return a % 3600;
}

#define NEAREST(table, ns0, ew0) do { \
	int64_t best_d = INT64_MAX; \
	for (unsigned i = 0; i < d_##table##_n; i++) { \
		int64_t dy = d_##table[i].ns - (ns0), dx = d_##table[i].ew - (ew0), d = dx * dx + dy * dy; \
		if (d < best_d) { \
			best_d = d; \
			best = &d_##table[i]; \
		} \
	} \
} while (0)

const struct d_town *
world_town(int32_t ns, int32_t ew)
{
	const struct d_town *best = d_town;

	NEAREST(town, ns, ew);
	return best;
}

const struct d_lifestone *
world_lifestone(int32_t ns, int32_t ew)
{
	const struct d_lifestone *best = d_lifestone;

	NEAREST(lifestone, ns, ew);
	return best;
}

static int64_t
knot(int64_t x, int64_t y)
{
	struct rng r = { (uint64_t)x * 0x8da6b343u + (uint64_t)y * 0xd8163841u };

	return (int64_t)(rng_next(&r) >> 55);        /* 0 … 511 */
}

/* Hills: noise between the corners of each degree. */
int32_t
world_height(int32_t ns, int32_t ew)
{
	int64_t y = ns - GEO_MIN_UDEG, x = ew - GEO_MIN_UDEG, iy = y / DEG, ix = x / DEG, fy = y % DEG, fx = x % DEG;
	int64_t south = knot(ix, iy) * (DEG - fx) + knot(ix + 1, iy) * fx, north = knot(ix, iy + 1) * (DEG - fx) + knot(ix + 1, iy + 1) * fx;

	return (int32_t)((south / DEG * (DEG - fy) + north / DEG * fy) / DEG + 5);
}

void
tile_place(const struct dungeon *d, unsigned tile, int32_t *ns, int32_t *ew)
{
	*ew = geo_udeg(d->block >> 8, d->tiles[tile].x * 1000);
	*ns = geo_udeg(d->block & 0xff, d->tiles[tile].y * 1000);
}

static int
has_tile(const struct dungeon *d, int x, int y, int z)
{
	for (unsigned i = 0; i < d->n; i++)
		if (d->tiles[i].x == x && d->tiles[i].y == y && d->tiles[i].z == z)
			return 1;
	return 0;
}

/* Corridors dug by a random walk, always the same for a landblock: rooms where it turns on itself, now and then a floor further down. */
static void
dig(struct dungeon *d)
{
	static const int dx[] = { 0, 10, 0, -10 }, dy[] = { 10, 0, -10, 0 };
	struct rng r = rng_stream(d->block, 7);
	unsigned want = (unsigned)rng_between(&r, 60, TILES_MAX), turn = 0;
	int x = (int)rng_between(&r, 0, 12) * 10, y = -(int)rng_between(&r, 0, 12) * 10, z = 0;

	d->tiles = xcalloc(want, sizeof *d->tiles);
	while (d->n < want) {
		if (!has_tile(d, x, y, z))
			d->tiles[d->n++] = (struct tile){ (int16_t)x, (int16_t)y, (int16_t)z, (int16_t)rng_between(&r, 190, 840), (int16_t)(turn * 90) };
		if (rng_percent(&r, 35))
			turn = rng_below(&r, 4);
		if (z > -30 && rng_one_in(&r, 90))
			z -= 6;
		if (abs(x + dx[turn]) > 300 || abs(y + dy[turn]) > 300)
			turn = (turn + 2) % 4;
		x += dx[turn];
		y += dy[turn];
	}
}

static struct dungeon *
dungeon_of(struct sim *s, const struct d_portal *p)
{
	uint16_t block = (uint16_t)(p->landcell >> 16);

	for (unsigned i = 0; i < s->n_dungeons; i++)
		if (s->dungeons[i].block == block)
			return &s->dungeons[i];
	s->dungeons[s->n_dungeons] = (struct dungeon){ .block = block, .name = p->dungeon };
	dig(&s->dungeons[s->n_dungeons]);
	return &s->dungeons[s->n_dungeons++];
}

static int
by_level(const void *a, const void *b)
{
	const struct d_creature *x = &d_creature[*(const uint16_t *)a], *y = &d_creature[*(const uint16_t *)b];

	return x->level != y->level ? x->level - y->level : *(const uint16_t *)a - *(const uint16_t *)b;
}

static void
populate(struct sim *s, struct ground *g)
{
	unsigned at = 0;

	while (at + 1 < d_creature_n && d_creature[s->by_level[at]].level < g->level)
		at++;
	for (g->n = 0; g->n < 6; g->n++) {
		int64_t i = (int64_t)at + rng_between(&s->rng, -12, 12);
		i = i < 0 ? 0 : i >= (int64_t)d_creature_n ? (int64_t)d_creature_n - 1 : i;
		g->species[g->n] = s->by_level[i];
	}
}

static void
settle(struct sim *s, struct ground *g)
{
	const struct d_portal *p;

	do {
		g->portal = (uint16_t)rng_below(&s->rng, d_portal_n);
		p = &d_portal[g->portal];
	} while (strcmp(p->dungeon, "Town Network") == 0);
	g->level = (uint16_t)(rng_percent(&s->rng, 60) ? rng_between(&s->rng, 130, 235) : rng_between(&s->rng, 6, 150));
	if (p->dungeon[0] != '\0') {
		g->dungeon = dungeon_of(s, p);
		tile_place(g->dungeon, g->dungeon->n / 2, &g->ns, &g->ew);
	} else {
		g->ns = p->dest_ns + (int32_t)rng_between(&s->rng, -DEG, DEG);
		g->ew = p->dest_ew + (int32_t)rng_between(&s->rng, -DEG, DEG);
	}
	populate(s, g);
}

void
world_init(struct sim *s)
{
	s->by_level = xcalloc(d_creature_n, sizeof *s->by_level);
	for (unsigned i = 0; i < d_creature_n; i++)
		s->by_level[i] = (uint16_t)i;
	qsort(s->by_level, d_creature_n, sizeof *s->by_level, by_level);
	s->n_grounds = 20 + s->cfg.characters / 2;
	if (s->n_grounds > 400)
		s->n_grounds = 400;
	s->grounds = xcalloc(s->n_grounds, sizeof *s->grounds);
	s->dungeons = xcalloc(s->n_grounds, sizeof *s->dungeons);
	for (unsigned i = 0; i < s->n_grounds; i++)
		settle(s, &s->grounds[i]);
}

void
world_fini(struct sim *s)
{
	for (unsigned i = 0; i < s->n_dungeons; i++)
		free(s->dungeons[i].tiles);
	free(s->dungeons);
	free(s->grounds);
	free(s->by_level);
}
