/* The plain events: register, telemetry, vitals, the character sheet, what is seen and found. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "geo/geo.h"
#include "sim.h"

void
tell_register(struct sim *s, struct chr *c)
{
	ev_begin(s, c, "register");
	ev_str(s, "player_name", c->name);
	ev_end(s);
}

static int64_t
height(const struct chr *c)
{
	return c->in != NULL ? c->floor * 1000 / 240 : world_height(c->ns, c->ew);
}

static void
online(const struct sim *s, const struct chr *c, char out[24])
{
	int64_t t = (s->now - c->started) / T_S;

	(void)snprintf(out, 24, "%02d.%02d:%02d:%02d", (int)(t / 86400), (int)(t / 3600 % 24), (int)(t / 60 % 60), (int)(t % 60));
}

/* What the game client itself uses: grows with the hours, shakes with the fight. */
static void
client(struct sim *s, struct chr *c)
{
	int64_t min = (s->now - c->started) / T_MIN;
	unsigned base = 280 + c->index * 53 % 240;
	int busy = c->act == ACT_FIGHT || c->act == ACT_HUNT;

	ev_fix(s, "mem_mb", (base + (min > 240 ? 240 : min)) * 10 + rng_between(&c->rng, 0, 90), 1);
	ev_fix(s, "cpu_pct", rng_between(&c->rng, busy ? 420 : 110, busy ? 1350 : 500), 2);
	ev_int(s, "mem_handles", 850 + c->index % 9 * 41 + min % 180 + rng_between(&c->rng, 0, 12));
	ev_int(s, "latency_ms", 24 + c->index * 7 % 60 + rng_between(&c->rng, 0, rng_one_in(&c->rng, 60) ? 400 : 9));
}

void
tell_telemetry(struct sim *s, struct chr *c)
{
	int64_t secs = (s->now - c->started) / T_S;
	char text[24];

	chr_move(s, c);
	ev_begin(s, c, "telemetry");
	if (c->tag[0] != '\0')
		ev_str(s, "char_tag", c->tag);
	ev_str(s, "session_id", c->session);
	ev_fix(s, "ew", c->ew, 6);
	ev_fix(s, "ns", c->ns, 6);
	ev_fix(s, "z", height(c), 3);
	ev_int(s, "kills", c->kills);
	ev_int_text(s, "kills_per_hour", secs < 10 ? 0 : c->kills * 3600LL / secs);
	online(s, c, text);
	ev_str(s, "onlinetime", text);
	ev_int_text(s, "deaths", c->deaths);
	ev_int_text(s, "total_deaths", c->total_deaths);
	ev_int_text(s, "rares_found", c->rares);
	ev_int_text(s, "prismatic_taper_count", items_tapers(c));
	ev_str(s, "vt_state", c->state);
	client(s, c);
	if (s->cfg.numbered) {
		s->ev.n = ++c->ledger_n;
		ev_key(s, "sim_n");
		put_int(&s->buf, s->ev.n);
	}
	ev_end(s);
}

static void
vital(struct sim *s, const char *name, unsigned now, unsigned max)
{
	char key[32];

	(void)snprintf(key, sizeof key, "%s_current", name);
	ev_int(s, key, now);
	(void)snprintf(key, sizeof key, "%s_max", name);
	ev_int(s, key, max);
	(void)snprintf(key, sizeof key, "%s_percentage", name);
	ev_fix(s, key, (now * 10000LL + max / 2) / max, 2);
}

void
tell_vitals(struct sim *s, struct chr *c)
{
	ev_begin(s, c, "vitals");
	vital(s, "health", c->health, c->health_max);
	vital(s, "stamina", c->stamina, c->stamina_max);
	vital(s, "mana", c->mana, c->mana_max);
	ev_int(s, "vitae", c->vitae);
	ev_end(s);
	c->vitals_dirty = 0;
	c->vitals_at = s->now;
}

/* ---- character_stats ---- */

enum training { UNUSABLE, UNTRAINED, TRAINED, SPECIALIZED };
static const struct skill {
	const char *key;
	const char levels[5];        /* training by kind: melee, missile, war, void; '?' by chance */
} skills[] = {
	{ "melee_defense", "3333" }, { "missile_defense", "1121" }, { "arcane_lore", "2222" }, { "magic_defense", "2222" }, { "mana_conversion", "0?32" },
	{ "item_tinkering", "?1??" }, { "assess_person", "1111" }, { "deception", "1111" }, { "healing", "2?00" }, { "jump", "2222" }, { "lockpick", "0?00" },
	{ "run", "2222" }, { "assess_creature", "1111" }, { "weapon_tinkering", "1111" }, { "armor_tinkering", "1111" }, { "magic_item_tinkering", "1111" },
	{ "creature_enchantment", "0?22" }, { "item_enchantment", "0?22" }, { "life_magic", "??33" }, { "war_magic", "0030" }, { "leadership", "1111" },
	{ "loyalty", "2222" }, { "fletching", "0?00" }, { "alchemy", "0000" }, { "cooking", "0000" }, { "salvaging", "2222" }, { "two_handed_combat", "1111" },
	{ "void_magic", "0003" }, { "heavy_weapons", "3111" }, { "light_weapons", "1111" }, { "finesse_weapons", "1?11" }, { "missile_weapons", "1311" },
	{ "shield", "2111" }, { "dual_wield", "?111" }, { "recklessness", "??00" }, { "sneak_attack", "??00" }, { "dirty_fighting", "?000" }, { "summoning", "?022" },
};

static void
put_skills(struct buf *b, const struct chr *c)
{
	static const char *const words[] = { "Unusable", "Untrained", "Trained", "Specialized" };
	struct rng r = rng_stream(c->id, 3);

	for (unsigned i = 0; i < sizeof skills / sizeof *skills; i++) {
		char level = skills[i].levels[c->kind];
		unsigned t = level == '?' ? rng_below(&r, 2) * 2 : (unsigned)(level - '0');
		unsigned base = t == UNUSABLE ? 0 : (unsigned)c->level * (t == SPECIALIZED ? 110 : t == TRAINED ? 90 : 18) / 100 + 20 * t + rng_below(&r, 40);
		(void)buf_printf(b, "%s\"%s\":{\"name\":\"%s\",\"base\":%u,\"training\":\"%s\"}", i > 0 ? "," : "", skills[i].key, skills[i].key, base, words[t]);
	}
}

static void
put_attribs(struct buf *b, const struct chr *c)
{
	static const char *const names[][2] = { { "strength", "Strength" }, { "endurance", "Endurance" }, { "quickness", "Quickness" },
	    { "coordination", "Coordination" }, { "focus", "Focus" }, { "self", "Self" } };

	for (unsigned i = 0; i < 6; i++)
		(void)buf_printf(b, "%s\"%s\":{\"name\":\"%s\",\"base\":%u,\"creation\":%u}", i > 0 ? "," : "", names[i][0], names[i][1], c->attribs[i],
		    c->attribs[i] % 10 * 10 + 10);
}

static void
birth_text(const struct chr *c, char out[40])
{
	char iso[40];
	int y, m, d, h, min, sec;

	(void)fmt_time((c->birth - 5 * 3600) * T_S, 0, iso);         /* server time */
	(void)sscanf(iso, "%d-%d-%dT%d:%d:%d", &y, &m, &d, &h, &min, &sec);
	(void)snprintf(out, 40, "%d/%d/%d %d:%02d:%02d %s", m, d, y, h % 12 == 0 ? 12 : h % 12, min, sec, h < 12 ? "AM" : "PM");
}

static void
put_person(struct buf *b, struct rng *r, int monarch)
{
	const struct d_name *n = &d_name[rng_below(r, d_name_n)];
	unsigned rank = 1 + rng_below(r, 10), gender = 1 + rng_below(r, 2);

	put(b, "{\"name\":");
	(void)buf_append_json(b, n->name, strlen(n->name));
	(void)buf_printf(b, ",\"race\":%u,\"rank\":%u,\"gender\":%u", n->race, rank, gender);
	if (monarch)
		(void)buf_printf(b, ",\"followers\":%u", 20 + rng_below(r, 1400));
	put(b, "}");
}

static void
allegiance(struct sim *s, struct chr *c)
{
	struct rng house = rng_stream(s->cfg.seed, c->index % 5 + 900), r = rng_stream(c->id, 4);
	static const char *const names[] = { "Lamplighters", "Order of the Kettle", "Night Shift", "Holtburg Irregulars", "The Long Walk" };
	unsigned vassals = rng_below(&r, 4);

	if (c->mule || rng_one_in(&r, 6))
		return;
	ev_str(s, "allegiance_name", names[c->index % 5]);
	ev_int(s, "rank", 1 + rng_below(&r, 10));
	ev_int(s, "followers", rng_below(&r, 300));
	ev_key(s, "monarch");
	put_person(&s->buf, &house, 1);
	ev_key(s, "patron");
	put_person(&s->buf, &r, 0);
	ev_key(s, "vassals");
	put(&s->buf, "[");
	for (unsigned i = 0; i < vassals; i++) {
		if (i > 0)
			put(&s->buf, ",");
		put_person(&s->buf, &r, 0);
	}
	put(&s->buf, "]");
}

static void
titles(struct sim *s, struct chr *c)
{
	struct rng r = rng_stream(c->id, 5);
	unsigned n = rng_below(&r, 14);

	ev_int(s, "current_title", c->title);
	ev_key(s, "titles");
	(void)buf_printf(&s->buf, "[%u", c->title);
	for (unsigned i = 0; i < n; i++)
		(void)buf_printf(&s->buf, ",%u", 1 + rng_below(&r, 830));
	put(&s->buf, "]");
}

static void
properties(struct sim *s, struct chr *c)
{
	static const int ids[] = { 199, 218, 219, 220, 221, 222, 307, 308, 313, 314, 322, 326, 333, 334, 335, 336, 338, 340, 354, 355, 365, 370, 374, 390 };
	struct rng r = rng_stream(c->id, 6);

	ev_key(s, "properties");
	put(&s->buf, "{");
	for (unsigned i = 0; i < sizeof ids / sizeof *ids; i++)
		(void)buf_printf(&s->buf, "%s\"%d\":%u", i > 0 ? "," : "", ids[i], ids[i] == 199 ? 1268972522u + rng_below(&r, 400000000) : rng_below(&r, 1 + (unsigned)c->level / 30));
	put(&s->buf, "}");
}

void
tell_stats(struct sim *s, struct chr *c)
{
	static const char *const races[] = { "", "Aluvian", "Gharu'ndim", "Sho", "Viamontian", "Umbraen", "Gearknight", "Tumerok", "Lugian", "Empyrean" };
	struct buf *b = &s->buf;
	char text[40];

	if (!ev_begin(s, c, "character_stats"))
		return;
	ev_int(s, "version", 2);
	ev_str(s, "name", c->name);
	ev_str(s, "server", s->cfg.server);
	ev_str(s, "race", races[c->race % 10]);
	ev_str(s, "gender", c->gender == 1 ? "Male" : "Female");
	ev_int(s, "level", c->level);
	birth_text(c, text);
	ev_str(s, "birth", text);
	ev_int(s, "deaths", c->total_deaths);
	ev_int(s, "total_xp", c->total_xp);
	ev_int(s, "unassigned_xp", c->unassigned_xp);
	ev_int(s, "skill_credits", c->index % 4);
	ev_int(s, "luminance_earned", c->level >= 200 ? c->unassigned_xp % 1500000 : 0);
	ev_int(s, "luminance_total", c->level >= 200 ? 1500000 : 0);
	ev_key(s, "attribs");
	put(b, "{");
	put_attribs(b, c);
	put(b, "}");
	ev_key(s, "vitals");
	(void)buf_printf(b, "{\"health\":{\"name\":\"Health\",\"base\":%u},\"stamina\":{\"name\":\"Stamina\",\"base\":%u},\"mana\":{\"name\":\"Mana\",\"base\":%u}}",
	    c->health_max * 9 / 10, c->stamina_max * 9 / 10, c->mana_max * 9 / 10);
	ev_key(s, "skills");
	put(b, "{");
	put_skills(b, c);
	put(b, "}");
	allegiance(s, c);
	titles(s, c);
	properties(s, c);
	if (c->in == NULL) {
		(void)geo_format((double)c->ns / GEO_UDEG, (double)c->ew / GEO_UDEG, text);
		ev_str(s, "location", text);
	}
	ev_int(s, "server_population", 140 + s->cfg.characters + (s->now / T_MIN) % 97);
	ev_end(s);
}

/* ---- seen and found ---- */

void
tell_spawn(struct sim *s, struct chr *c, unsigned creature)
{
	ev_begin(s, c, "spawn");
	ev_str(s, "mob", d_creature[creature].name);
	ev_fix_text(s, "ns", c->ns / 10000 + rng_between(&c->rng, -9, 9), 2);
	ev_fix_text(s, "ew", c->ew / 10000 + rng_between(&c->rng, -9, 9), 2);
	ev_fix_text(s, "z", height(c) / 100, 1);
	ev_end(s);
}

void
tell_portal(struct sim *s, struct chr *c, const struct d_portal *p)
{
	ev_begin(s, c, "portal");
	ev_str(s, "portal_name", p->name);
	ev_fix_text(s, "ns", p->ns / 100000, 1);
	ev_fix_text(s, "ew", p->ew / 100000, 1);
	ev_fix_text(s, "z", p->z / 100, 1);
	ev_end(s);
}

/* A portal in sight, within half a degree. */
void
tell_portal_near(struct sim *s, struct chr *c)
{
	unsigned start = rng_below(&c->rng, d_portal_n);

	for (unsigned k = 0; k < d_portal_n; k++) {
		unsigned i = (start + k) % d_portal_n;
		if (abs(c->ns - d_portal[i].ns) < GEO_UDEG / 2 && world_distance(c->ns, c->ew, d_portal[i].ns, d_portal[i].ew) < GEO_UDEG / 2) {
			tell_portal(s, c, &d_portal[i]);
			return;
		}
	}
}

void
tell_rare(struct sim *s, struct chr *c, const struct game_rare *rare)
{
	ev_begin(s, c, "rare");
	ev_str(s, "name", game_rare_name(rare));
	ev_fix(s, "ew", c->ew, 6);
	ev_fix(s, "ns", c->ns, 6);
	ev_fix(s, "z", height(c), 3);
	ev_end(s);
}

static void
span(int64_t left_s, char out[40])
{
	static const struct { int s; char unit; } units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' } };
	size_t len = 0;

	for (unsigned i = 0; i < 3; i++) {
		if (left_s >= units[i].s)
			len += (size_t)snprintf(out + len, 40 - len, "%s%d%c", len > 0 ? " " : "", (int)(left_s / units[i].s), units[i].unit);
		left_s %= units[i].s;
	}
	if (len == 0)
		(void)snprintf(out, 40, "%ds", (int)left_s);
}

/* Of each character's quests the same are done at the same times, so a later look shows the same timer, further on. */
int
tell_quest(struct sim *s, struct chr *c, unsigned i)
{
	struct rng r = rng_stream(c->id, 1000 + i);
	const struct d_quest *q = &d_quest[(c->id / 7 + i * 7) % d_quest_n];
	int64_t cycle = q->repeat_s + (int64_t)q->repeat_s * rng_below(&r, 60) / 100 + 60, age = (s->now / T_S + (int64_t)rng_below(&r, 2000000)) % cycle;
	unsigned solves = 1 + rng_below(&r, 40);
	char text[40];

	ev_begin(s, c, "quest");
	ev_str(s, "quest_name", q->name);
	if (age >= q->repeat_s)
		strcpy(text, "ready");
	else
		span(q->repeat_s - age, text);
	ev_str(s, "countdown", text);
	if (i % 3 == 0) {
		ev_str(s, "flag", q->flag);
		ev_int(s, "solves", q->kind[0] == 'k' ? solves % 30 : solves);
		ev_int(s, "max_solves", q->kind[0] == 'k' ? 30 : -1);
		ev_int(s, "completed_on", (s->now + s->shift) / T_S - age);
		ev_int(s, "repeat_s", q->repeat_s);
	}
	ev_end(s);
	return 1;
}
