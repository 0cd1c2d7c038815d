/* Who does what next: a heap of characters by their next timer, and a switch-less table of what each timer does. */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem/mem.h"

#define EVENT_BYTES (8u << 20)

static int
sooner(const struct sim *s, unsigned a, unsigned b)
{
	const struct chr *x = &s->chr[s->heap[a]], *y = &s->chr[s->heap[b]];

	return x->next != y->next ? x->next < y->next : x->index < y->index;
}

static void
swap(struct sim *s, unsigned a, unsigned b)
{
	unsigned t = s->heap[a];

	s->heap[a] = s->heap[b];
	s->heap[b] = t;
}

static void
sift(struct sim *s, unsigned at)
{
	while (at > 0 && sooner(s, at, (at - 1) / 2)) {
		swap(s, at, (at - 1) / 2);
		at = (at - 1) / 2;
	}
	for (;;) {
		unsigned least = at, l = 2 * at + 1, r = l + 1;
		if (l < s->cfg.characters && sooner(s, l, least))
			least = l;
		if (r < s->cfg.characters && sooner(s, r, least))
			least = r;
		if (least == at)
			return;
		swap(s, at, least);
		at = least;
	}
}

static void
find_next(struct chr *c)
{
	c->next = T_NEVER;
	for (int i = 0; i < TIMER_COUNT; i++)
		if (c->due[i] < c->next) {
			c->next = c->due[i];
			c->next_timer = (enum timer)i;
		}
}

void
timer_set(struct sim *s, struct chr *c, enum timer t, int64_t at)
{
	(void)s;
	c->due[t] = at;
}

/* ---- sessions ---- */

/* Of the start too: who is started again begins new sessions, though the lives are the same. */
static void
make_session_id(const struct sim *s, struct chr *c)
{
	struct rng r = rng_stream(s->cfg.seed ^ (uint64_t)s->cfg.start_us << 16, (uint64_t)c->index << 20 | ++c->sessions);
	uint64_t a = rng_next(&r), b = rng_next(&r);

	(void)snprintf(c->session, sizeof c->session, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32), (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff),
	    (unsigned)(0x8000 | (b >> 48 & 0x3fff)), (unsigned long long)(b & 0xffffffffffffull));
}

/* What a plugin tells when its connection stands. */
static void
announce(struct sim *s, struct chr *c)
{
	struct rng *r = &c->rng;
	int64_t now = s->now;

	tell_register(s, c);
	timer_set(s, c, TIMER_TELEMETRY, now + rng_span(r, 20, 80, T_MS));
	timer_set(s, c, TIMER_VITALS, now + 100 * T_MS);
	timer_set(s, c, TIMER_STATS, now + rng_span(r, 300, 900, T_MS));
	timer_set(s, c, TIMER_INVENTORY, now + rng_span(r, 1000, 4000, T_MS));
	timer_set(s, c, TIMER_EQUIP, now + rng_span(r, 4500, 6000, T_MS));
	if (c->shares)
		timer_set(s, c, TIMER_SHARE_CLIENT, now + 200 * T_MS);
}

static void
session_begin(struct sim *s, struct chr *c)
{
	struct rng *r = &c->rng;

	make_session_id(s, c);
	c->started = c->moved = s->now;
	strcpy(c->started_text + fmt_time(s->now + s->shift, 7, c->started_text), "Z");
	c->kills = c->deaths = c->rares = c->seq = c->mapped_n = 0;
	fight_forget(c);
	chr_vitals_max(c);
	c->health = c->health_max;
	c->stamina = c->stamina_max;
	c->mana = c->mana_max;
	announce(s, c);
	c->quest_at = 0;
	c->quests = (unsigned)rng_between(r, 10, 60);
	timer_set(s, c, TIMER_QUEST, s->now + rng_span(r, 7000, 12000, T_MS));
	timer_set(s, c, TIMER_COMBAT, s->now + 30 * T_S);
	timer_set(s, c, TIMER_CHAT, s->now + rng_span(r, 5, 60, T_S));
	timer_set(s, c, TIMER_SPAWN, s->now + rng_span(r, 1, 6, T_S));
	if (s->cfg.radars)
		timer_set(s, c, TIMER_RADAR_SWITCH, s->now + rng_span(r, 2, 40 * 60, T_S));
	if (c->shares) {
		timer_set(s, c, TIMER_SHARE, s->now + T_S);
		timer_set(s, c, TIMER_SHARE_ITEMS, s->now + 5 * T_S);
	}
	timer_set(s, c, TIMER_SESSION, s->now + (c->fresh ? rng_span(r, 3, 200, T_MIN) : rng_span(r, 30, 240, T_MIN)));
	life_enter(s, c);
}

static void
session_end(struct sim *s, struct chr *c)
{
	fight_stats(s, c);
	if (c->shares)
		share_goodbye(s, c);
	c->started = 0;
	c->radar = 0;
	c->act = ACT_OUT;
	for (int i = 0; i < TIMER_COUNT; i++)
		c->due[i] = T_NEVER;
	timer_set(s, c, TIMER_SESSION, s->now + rng_span(&c->rng, 90, 900, T_S));
	if (s->cfg.session != NULL)
		s->cfg.session(s->cfg.priv, c->index, 0);
}

static void
on_session(struct sim *s, struct chr *c)
{
	c->due[TIMER_SESSION] = T_NEVER;
	if (c->started != 0 && c->act != ACT_TOWN && c->act != ACT_IDLE && !rng_one_in(&c->rng, 4)) {
		c->act_until = s->now;       /* home first; now and then a client just stops */
		c->due[TIMER_SESSION] = s->now + 15 * T_S;
	} else if (c->started != 0)
		session_end(s, c);
	else if (s->cfg.gated)
		s->cfg.session(s->cfg.priv, c->index, 1);
	else
		session_begin(s, c);
}

/* ---- timers ---- */

static void
on_telemetry(struct sim *s, struct chr *c)
{
	tell_telemetry(s, c);
	c->due[TIMER_TELEMETRY] = s->now + 2 * T_S + rng_between(&c->rng, -150000, 150000);
}

static void
on_vitals(struct sim *s, struct chr *c)
{
	/* Looked at twice a second; said when it changed, and every 5 s. */
	if (c->vitals_dirty || s->now - c->vitals_at >= 45 * T_S / 10)
		tell_vitals(s, c);
	c->due[TIMER_VITALS] = s->now + 550 * T_MS + rng_between(&c->rng, 0, 300000);
}

static void
on_stats(struct sim *s, struct chr *c)
{
	tell_stats(s, c);
	c->due[TIMER_STATS] = s->now + 10 * T_MIN;
}

static void
on_inventory(struct sim *s, struct chr *c)
{
	items_full(s, c);
	c->due[TIMER_INVENTORY] = T_NEVER;
}

static void
on_combat(struct sim *s, struct chr *c)
{
	if (c->act == ACT_HUNT || c->act == ACT_FIGHT || c->act == ACT_LOOT)
		fight_stats(s, c);
	c->due[TIMER_COMBAT] = s->now + 30 * T_S;
}

static void
on_equip(struct sim *s, struct chr *c)
{
	items_equip_state(s, c);
	c->due[TIMER_EQUIP] = s->now + 60 * T_S;
}

static void
on_spawn(struct sim *s, struct chr *c)
{
	int hunting = c->act == ACT_HUNT || c->act == ACT_FIGHT || c->act == ACT_LOOT;

	if (hunting)
		tell_spawn(s, c, c->ground->species[rng_below(&c->rng, c->ground->n)]);
	else if (c->act == ACT_WALK && c->in == NULL)
		tell_spawn(s, c, s->by_level[rng_below(&c->rng, d_creature_n / 4)]);
	c->due[TIMER_SPAWN] = s->now + (hunting ? rng_between(&c->rng, 300, 3400) : rng_between(&c->rng, 4000, 15000)) * T_MS;
}

static void
on_chat(struct sim *s, struct chr *c)
{
	talk_around(s, c);
	c->due[TIMER_CHAT] = s->now + rng_span(&c->rng, 20, c->act == ACT_TOWN || c->act == ACT_IDLE ? 70 : 200, T_S);
}

static void
on_quest(struct sim *s, struct chr *c)
{
	if (c->quest_at < c->quests) {
		c->quest_at += (unsigned)tell_quest(s, c, c->quest_at);
		c->due[TIMER_QUEST] = s->now + 20 * T_MS;
		return;
	}
	if (c->quest_at++ > c->quests)
		(void)tell_quest(s, c, rng_below(&c->rng, c->quests));
	c->due[TIMER_QUEST] = s->now + rng_span(&c->rng, 4, 18, T_MIN);
}

static void
on_radar(struct sim *s, struct chr *c)
{
	if (c->radar) {
		radar_picture(s, c);
		c->due[TIMER_RADAR] = s->now + 500 * T_MS;
	} else
		c->due[TIMER_RADAR] = T_NEVER;
}

static void
set_radar(struct sim *s, struct chr *c, int on)
{
	c->radar = (uint8_t)on;
	c->due[TIMER_RADAR] = on ? s->now + T_MS : T_NEVER;
}

static void
on_radar_switch(struct sim *s, struct chr *c)
{
	set_radar(s, c, !c->radar);
	c->due[TIMER_RADAR_SWITCH] = s->now + (c->radar ? rng_between(&c->rng, 15, 90) : rng_between(&c->rng, 10 * 60, 50 * 60)) * T_S;
}

static void
on_share(struct sim *s, struct chr *c)
{
	share_change(s, c);
	c->due[TIMER_SHARE] = s->now + 300 * T_MS;
}

static void
on_share_client(struct sim *s, struct chr *c)
{
	share_client(s, c);
	c->due[TIMER_SHARE_CLIENT] = s->now + 3 * T_S;
}

static void
on_share_items(struct sim *s, struct chr *c)
{
	share_items(s, c);
	c->due[TIMER_SHARE_ITEMS] = s->now + 5 * T_S;
}

static void (*const handlers[TIMER_COUNT])(struct sim *, struct chr *) = {
	[TIMER_SESSION] = on_session, [TIMER_ACT] = life_step, [TIMER_TELEMETRY] = on_telemetry, [TIMER_VITALS] = on_vitals, [TIMER_STATS] = on_stats,
	[TIMER_INVENTORY] = on_inventory, [TIMER_COMBAT] = on_combat, [TIMER_EQUIP] = on_equip, [TIMER_SPAWN] = on_spawn, [TIMER_CHAT] = on_chat,
	[TIMER_QUEST] = on_quest, [TIMER_RADAR] = on_radar, [TIMER_RADAR_SWITCH] = on_radar_switch, [TIMER_SHARE] = on_share,
	[TIMER_SHARE_CLIENT] = on_share_client, [TIMER_SHARE_ITEMS] = on_share_items,
};

/* ---- the whole ---- */

/* Where the character stands in the heap; few enough for a look. */
static void
reheap(struct sim *s, const struct chr *c)
{
	for (unsigned i = 0; i < s->cfg.characters; i++)
		if (s->heap[i] == c->index) {
			sift(s, i);
			return;
		}
}

struct sim *
sim_new(const struct sim_config *cfg)
{
	struct sim *s = xcalloc(1, sizeof *s);

	s->cfg = *cfg;
	buf_init(&s->buf, EVENT_BYTES);
	s->now = cfg->start_us * 10;
	s->rng = rng_stream(cfg->seed, 0);
	world_init(s);
	s->talk_due = s->now + 3 * T_S;
	s->vortex_due = s->now + rng_span(&s->rng, 8, 35, T_MIN);
	s->chr = xcalloc(cfg->characters, sizeof *s->chr);
	s->heap = xcalloc(cfg->characters, sizeof *s->heap);
	for (unsigned i = 0; i < cfg->characters; i++) {
		struct chr *c = &s->chr[i];
		chr_init(s, c, i);
		for (int t = 0; t < TIMER_COUNT; t++)
			c->due[t] = T_NEVER;
		/* All are in within 5 s, one after the other. */
		c->due[TIMER_SESSION] = s->now + rng_between(&c->rng, 0, T_MS / 2) + i * (5 * T_S / cfg->characters < 50 * T_MS ? 5 * T_S / cfg->characters : 50 * T_MS);
		find_next(c);
		s->heap[i] = i;          /* in the order of their times: a heap already */
	}
	return s;
}

void
sim_free(struct sim **sp)
{
	struct sim *s = *sp;

	if (s == NULL)
		return;
	for (unsigned i = 0; i < s->cfg.characters; i++) {
		free(s->chr[i].items);
		free(s->chr[i].foes);
	}
	free(s->chr);
	free(s->heap);
	world_fini(s);
	buf_fini(&s->buf);
	free(s);
	*sp = NULL;
}

static int64_t
world_next(const struct sim *s)
{
	return s->talk_due < s->vortex_due ? s->talk_due : s->vortex_due;
}

int64_t
sim_next(const struct sim *s)
{
	int64_t c = s->chr[s->heap[0]].next, w = world_next(s);

	return c < w ? c : w;
}

unsigned
sim_next_character(const struct sim *s)
{
	return s->heap[0];
}

static void
world_step(struct sim *s)
{
	if (s->talk_due <= s->vortex_due) {
		s->now = s->talk_due;
		talk_channels(s);
		s->talk_due = s->now + rng_span(&s->rng, 6, 40, T_S);
	} else {
		s->now = s->vortex_due;
		talk_vortex(s);
		s->vortex_due = s->now + rng_span(&s->rng, 15, 60, T_MIN);
	}
}

void
sim_step(struct sim *s)
{
	struct chr *c = &s->chr[s->heap[0]];

	if (world_next(s) < c->next) {
		world_step(s);
		return;
	}
	s->now = c->next;
	handlers[c->next_timer](s, c);
	find_next(c);
	sift(s, 0);
}

void
sim_stamp(struct sim *s, int64_t wall_us)
{
	int64_t wall = wall_us * 10;

	s->stamp = wall > s->stamp || s->stamp - wall > 2 * T_S ? wall : s->stamp + 1;
	s->shift = s->stamp - sim_next(s);
}

void
sim_leave(struct sim *s)
{
	for (unsigned i = 0; i < s->cfg.characters; i++)
		if (s->chr[i].started != 0)
			session_end(s, &s->chr[i]);
}

const char *
sim_name(const struct sim *s, unsigned character)
{
	return s->chr[character].name;
}

void
sim_enter(struct sim *s, unsigned character)
{
	struct chr *c = &s->chr[character];

	if (c->started == 0)
		session_begin(s, c);
	else
		announce(s, c);
	find_next(c);
	reheap(s, c);
}

static int
command_is(const char *p, size_t len, const char *word)
{
	return len == strlen(word) && memcmp(p, word, len) == 0;
}

int
sim_knows_command(const char *p, size_t len)
{
	return command_is(p, len, "/radar start") || command_is(p, len, "/radar stop");
}

void
sim_map_wanted(struct sim *s, unsigned character, unsigned landblock)
{
	struct chr *c = &s->chr[character];

	if (c->started == 0 || c->in == NULL || c->in->block != landblock)
		return;
	c->mapped_n = 0;
	radar_map(s, c);
}

void
sim_command(struct sim *s, unsigned character, const char *command, size_t len)
{
	struct chr *c = &s->chr[character];

	if (c->started == 0 || !sim_knows_command(command, len))
		return;
	set_radar(s, c, command_is(command, len, "/radar start"));
	find_next(c);
	reheap(s, c);
}
