/* The radar: who and what stands around, and the plan of a dungeon. */
#include <stdio.h>
#include <string.h>

#include "geo/geo.h"
#include "sim.h"

#define RANGE_MM 75000
#define MM_OF_UDEG(u) ((u) * 6LL / 25)

struct view {
	struct sim *s;
	struct chr *c;
	struct geo_place at;
	int32_t z_dm;            /* height in decimetres */
	unsigned n;
};

static void
look(struct view *v, struct sim *s, struct chr *c)
{
	*v = (struct view){ .s = s, .c = c };
	if (c->in != NULL) {
		v->at.landcell = (uint32_t)c->in->block << 16 | (0x100 + c->tile);
		v->at.x_mm = (int32_t)MM_OF_UDEG(c->ew - geo_udeg(c->in->block >> 8, 0));
		v->at.y_mm = (int32_t)MM_OF_UDEG(c->ns - geo_udeg(c->in->block & 0xff, 0));
		v->z_dm = c->floor * 10;
	} else {
		(void)geo_place_udeg(c->ns, c->ew, &v->at);
		v->z_dm = world_height(c->ns, c->ew) * 24 / 10;
	}
}

/* One thing at dx, dy millimetres from the character. */
static void
put_object(struct view *v, uint32_t id, const char *name, int class, int64_t dx, int64_t dy, int health)
{
	struct buf *b = &v->s->buf;
	int64_t distance = isqrt(dx * dx + dy * dy);

	if (distance > RANGE_MM)
		return;
	(void)buf_printf(b, "%s{\"id\":%u,\"name\":", v->n++ > 0 ? "," : "", id);
	(void)buf_append_json(b, name, strlen(name));
	(void)buf_printf(b, ",\"object_class\":%d", class);
	if (v->c->in == NULL) {
		put(b, ",\"ew\":");
		put_fix(b, v->c->ew + dx * 25 / 6, 6);
		put(b, ",\"ns\":");
		put_fix(b, v->c->ns + dy * 25 / 6, 6);
	}
	put(b, ",\"x\":");
	put_fix(b, (v->at.x_mm + dx) / 10, 2);
	put(b, ",\"y\":");
	put_fix(b, (v->at.y_mm + dy) / 10, 2);
	put(b, ",\"z\":");
	put_fix(b, v->z_dm, 1);
	put(b, ",\"distance\":");
	put_fix(b, distance / 100, 1);
	put(b, ",\"heading\":");
	put_fix(b, world_heading(dx, dy), 1);
	if (health >= 0) {
		put(b, ",\"health_pct\":");
		put_fix(b, health, 2);
	}
	put(b, "}");
}

static void
players(struct view *v)
{
	for (unsigned i = 0; i < v->s->cfg.characters; i++) {
		const struct chr *o = &v->s->chr[i];
		if (o != v->c && o->started != 0 && o->in == v->c->in)
			put_object(v, o->id, o->name, 24, MM_OF_UDEG(o->ew - v->c->ew), MM_OF_UDEG(o->ns - v->c->ns), (int)(o->health * 100 / o->health_max));
	}
}

/* Monsters keep to a place for half a minute: they follow from the spot and the time, and drift. */
static void
monsters(struct view *v)
{
	struct chr *c = v->c;
	int64_t slot = v->s->now / (30 * T_S), spot_ns = c->ns / 300000, spot_ew = c->ew / 300000;
	struct rng r = rng_stream((uint64_t)(spot_ns * 7919 + spot_ew), (uint64_t)slot);
	unsigned n = 3 + rng_below(&r, 9);

	if (c->ground == NULL || (c->act != ACT_HUNT && c->act != ACT_FIGHT && c->act != ACT_LOOT))
		return;
	for (unsigned i = 0; i < n; i++) {
		unsigned creature = c->ground->species[rng_below(&r, c->ground->n)];
		uint32_t id = 0xC0000000u | (uint32_t)rng_next(&r) >> 2;
		int64_t ns = spot_ns * 300000 + rng_between(&r, 0, 300000), ew = spot_ew * 300000 + rng_between(&r, 0, 300000);
		int64_t drift = (v->s->now / T_S % 30) * rng_between(&r, -1500, 1500);
		put_object(v, id, d_creature[creature].name, 5, MM_OF_UDEG(ew + drift - c->ew), MM_OF_UDEG(ns - drift / 2 - c->ns), 100);
	}
	if (c->act == ACT_FIGHT)
		put_object(v, (uint32_t)c->foe_id, d_creature[c->creature].name, 5, 1200, 900, c->foe_health > 0 ? c->foe_health * 100 / c->foe_max : 0);
}

static void
scenery(struct view *v)
{
	static const struct { const char *name; int class; int dx, dy; } town[] = {
		{ "Town Crier", 37, 9000, -4000 }, { "Shopkeeper", 25, -15000, 11000 }, { "Healer", 25, 21000, 18000 }, { "Agent of the Arcanum", 37, -7000, -24000 },
		{ "Door", 26, 4000, 14000 }, { "Pathwarden Greeter", 37, 30000, 2000 },
	};
	struct chr *c = v->c;
	const struct d_lifestone *l = world_lifestone(c->ns, c->ew);

	if (c->in != NULL) {
		put_object(v, 0x70000000u | (uint32_t)c->in->block << 12, "Surface", 14, -v->at.x_mm, -v->at.y_mm, -1);
		return;
	}
	put_object(v, 0x7A000000u | (uint32_t)(l - d_lifestone), "Life Stone", 28, MM_OF_UDEG(l->ew - c->ew), MM_OF_UDEG(l->ns - c->ns), -1);
	for (unsigned i = 0; i < d_portal_n; i++)
		put_object(v, 0x7B000000u | i, d_portal[i].name, 14, MM_OF_UDEG(d_portal[i].ew - c->ew), MM_OF_UDEG(d_portal[i].ns - c->ns), -1);
	if (c->act == ACT_TOWN || c->act == ACT_IDLE)
		for (unsigned i = 0; i < sizeof town / sizeof *town; i++)
			put_object(v, 0x7C000000u | (c->index << 8) | i, town[i].name, town[i].class, MM_OF_UDEG(c->home_ew - c->ew) + town[i].dx,
			    MM_OF_UDEG(c->home_ns - c->ns) + town[i].dy, -1);
}

void
radar_picture(struct sim *s, struct chr *c)
{
	struct buf *b = &s->buf;
	struct view v;
	char text[16];

	chr_move(s, c);
	if (!ev_begin(s, c, "nearby_objects"))
		return;
	look(&v, s, c);
	(void)snprintf(text, sizeof text, "%08X", v.at.landcell);
	ev_str(s, "landcell", text);
	text[4] = '\0';
	ev_str(s, "landblock", text);
	ev_key(s, "is_dungeon");
	put(b, c->in != NULL ? "true" : "false");
	ev_key(s, "player");
	put(b, "{\"ew\":");
	put_fix(b, c->ew, 6);
	put(b, ",\"ns\":");
	put_fix(b, c->ns, 6);
	put(b, ",\"z\":");
	put_fix(b, v.z_dm, 1);
	put(b, ",\"x\":");
	put_fix(b, v.at.x_mm / 10, 2);
	put(b, ",\"y\":");
	put_fix(b, v.at.y_mm / 10, 2);
	put(b, ",\"heading\":");
	put_fix(b, world_heading(c->to_ew - c->ew, c->to_ns - c->ns), 1);
	put(b, "}");
	ev_fix(s, "range", 750, 1);
	ev_key(s, "objects");
	put(b, "[");
	players(&v);
	monsters(&v);
	scenery(&v);
	put(b, "]");
	ev_end(s);
}

static void
put_layer(struct buf *b, const struct dungeon *d, int z)
{
	unsigned n = 0;

	(void)buf_printf(b, "{\"z\":%d,\"cells\":[", z);
	for (unsigned i = 0; i < d->n; i++)
		if (d->tiles[i].z == z)
			(void)buf_printf(b, "%s[%d,%d,%d,%d]", n++ > 0 ? "," : "", d->tiles[i].x, d->tiles[i].y, d->tiles[i].env, d->tiles[i].turn);
	put(b, "]}");
}

/* Once for each dungeon and session. */
void
radar_map(struct sim *s, struct chr *c)
{
	const struct dungeon *d = c->in;
	int min_x = d->tiles[0].x, max_x = min_x, min_y = d->tiles[0].y, max_y = min_y, min_z = 0;
	char block[8];

	for (unsigned i = 0; i < c->mapped_n; i++)
		if (c->mapped[i] == d)
			return;
	if (c->mapped_n < 16)
		c->mapped[c->mapped_n++] = d;
	for (unsigned i = 0; i < d->n; i++) {
		const struct tile *t = &d->tiles[i];
		min_x = t->x < min_x ? t->x : min_x;
		max_x = t->x > max_x ? t->x : max_x;
		min_y = t->y < min_y ? t->y : min_y;
		max_y = t->y > max_y ? t->y : max_y;
		min_z = t->z < min_z ? t->z : min_z;
	}
	if (!ev_begin(s, c, "dungeon_map"))
		return;
	(void)snprintf(block, sizeof block, "%04X", d->block);
	ev_str(s, "landblock", block);
	ev_str(s, "name", d->name);
	ev_int(s, "tile_size", 10);
	ev_int(s, "min_x", min_x);
	ev_int(s, "max_x", max_x + 10);
	ev_int(s, "min_y", min_y);
	ev_int(s, "max_y", max_y + 10);
	ev_key(s, "layers");
	put(&s->buf, "[");
	for (int z = 0; z >= min_z; z -= 6) {
		if (z < 0)
			put(&s->buf, ",");
		put_layer(&s->buf, d, z);
	}
	put(&s->buf, "]");
	ev_end(s);
}
