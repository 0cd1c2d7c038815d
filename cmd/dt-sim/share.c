/* What clients share among themselves so that they can heal each other and not cast the same twice. */
#include <stdio.h>
#include <string.h>

#include "facts.h"
#include "geo/geo.h"
#include "sim.h"

static void
begin(struct sim *s, struct chr *c, const char *type)
{
	ev_begin(s, c, type);
	ev_str(s, "server", s->cfg.server);
	if (strncmp(type, "share_cast", 10) != 0)
		ev_int(s, "player_id", c->id);
}

static void
tags(struct sim *s, const struct chr *c)
{
	ev_key(s, "tags");
	put(&s->buf, "[");
	if (c->tag[0] != '\0')
		(void)buf_append_json(&s->buf, c->tag, strlen(c->tag));
	put(&s->buf, c->tag[0] != '\0' ? ",\"fleet\"]" : "\"fleet\"]");
}

static void
vitals(struct sim *s, const struct chr *c)
{
	ev_int(s, "health_current", c->health);
	ev_int(s, "health_max", c->health_max);
	ev_int(s, "stamina_current", c->stamina);
	ev_int(s, "stamina_max", c->stamina_max);
	ev_int(s, "mana_current", c->mana);
	ev_int(s, "mana_max", c->mana_max);
}

static void
position(struct sim *s, const struct chr *c)
{
	struct geo_place p = { 0, 0, 0 };
	char text[16];

	if (c->in != NULL)
		p.landcell = (uint32_t)c->in->block << 16 | (0x100 + c->tile);
	else
		(void)geo_place_udeg(c->ns, c->ew, &p);
	(void)snprintf(text, sizeof text, "%08X", p.landcell);
	ev_str(s, "landcell", text);
	ev_fix(s, "ew", c->ew, 6);
	ev_fix(s, "ns", c->ns, 6);
	ev_fix(s, "z", c->in != NULL ? c->floor * 10 : world_height(c->ns, c->ew) * 24 / 10, 1);
	ev_fix(s, "heading", world_heading(c->to_ew - c->ew, c->to_ns - c->ns), 1);
}

static void
items(struct sim *s, const struct chr *c)
{
	ev_key(s, "items");
	(void)buf_printf(&s->buf, "[{\"name\":\"Prismatic Taper\",\"icon\":9770,\"count\":%u}]", items_tapers(c));
}

void
share_change(struct sim *s, struct chr *c)
{
	int32_t ns = c->ns, ew = c->ew;

	chr_move(s, c);
	if (c->shared_dirty && s->now - c->shared_at >= 300 * T_MS) {
		c->shared_dirty = 0;
		c->shared_at = s->now;
		begin(s, c, "share_vital_update");
		tags(s, c);
		vitals(s, c);
		ev_end(s);
	}
	if (ns != c->ns || ew != c->ew) {
		begin(s, c, "share_position_update");
		position(s, c);
		ev_end(s);
	}
}

void
share_client(struct sim *s, struct chr *c)
{
	chr_move(s, c);
	begin(s, c, "share_client_data");
	tags(s, c);
	vitals(s, c);
	position(s, c);
	items(s, c);
	ev_end(s);
}

void
share_items(struct sim *s, struct chr *c)
{
	unsigned tapers = items_tapers(c);

	if (tapers == c->shared_tapers)
		return;
	c->shared_tapers = tapers;
	begin(s, c, "share_item_update");
	items(s, c);
	ev_end(s);
}

void
share_cast(struct sim *s, struct chr *c, int success)
{
	begin(s, c, success ? "share_cast_success" : "share_cast_attempt");
	ev_int(s, "spell_id", fact_spells[c->spell].id);
	ev_int(s, "target", c->foe_id);
	if (success)
		ev_int(s, "duration_ms", fact_spells[c->spell].rank >= 8 ? 300000 : 240000);
	else
		ev_int(s, "skill", 120 + c->level);
	ev_end(s);
}

void
share_goodbye(struct sim *s, struct chr *c)
{
	begin(s, c, "share_goodbye");
	ev_end(s);
}
