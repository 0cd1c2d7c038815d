/* sim: a fleet of characters that live by a seed.  It knows no clock, no descriptor and no socket: sim_step does what comes next in
 * simulated time and hands finished events to the sink. */
#ifndef SIM_H
#define SIM_H
#include <stddef.h>
#include <stdint.h>

#include "buf/buf.h"
#include "data.h"
#include "game/game.h"
#include "rng.h"

/* Simulated time counts 100 ns since 1970, the digits that plugins print. */
#define T_MS 10000LL
#define T_S 10000000LL
#define T_MIN (60 * T_S)
#define T_NEVER INT64_MAX

/* A time between a and b of the unit, down to the last digit. */
static inline int64_t
rng_span(struct rng *r, int64_t a, int64_t b, int64_t unit)
{
	return rng_between(r, a * unit, b * unit);
}

enum act { ACT_OUT, ACT_TOWN, ACT_BUFF, ACT_RECALL, ACT_WALK, ACT_PORTAL, ACT_HUNT, ACT_FIGHT, ACT_LOOT, ACT_IDLE, ACT_DEAD };

enum timer {
	TIMER_SESSION,           /* log in, log out */
	TIMER_ACT, TIMER_TELEMETRY, TIMER_VITALS, TIMER_STATS, TIMER_INVENTORY, TIMER_COMBAT, TIMER_EQUIP, TIMER_SPAWN, TIMER_CHAT, TIMER_QUEST, TIMER_RADAR,
	TIMER_RADAR_SWITCH, TIMER_SHARE, TIMER_SHARE_CLIENT, TIMER_SHARE_ITEMS,
	TIMER_COUNT
};

/* What a character fights with. */
enum kind { KIND_MELEE, KIND_MISSILE, KIND_WAR, KIND_VOID };

struct item {
	int32_t id, pack;        /* pack: id of the container, 0 for the main pack or worn */
	uint32_t seed, worn;     /* all that is not here follows from template and seed; worn: slot bits */
	uint16_t template, stack;
	uint8_t tier, loot;      /* loot: to be sold in town */
};

/* One direction, type and element of attacks, as combat_stats counts them. */
struct hits {
	uint32_t attacks, failed, crits, normal_damage, max_normal, crit_damage, max_crit;
};
enum { GIVEN_WEAPON, GIVEN_MAGIC, RECEIVED_WEAPON, RECEIVED_MAGIC, HITS_COUNT };
struct foe {
	uint16_t creature;
	uint8_t element[HITS_COUNT];
	uint32_t kills, aetheria_surges, cloak_surges;
	struct hits hits[HITS_COUNT];
};

struct dungeon {
	uint16_t block;
	const char *name;
	unsigned n;
	struct tile { int16_t x, y, z, env, turn; } *tiles;
};

/* Where creatures of a level are hunted, and the portal that leads there. */
struct ground {
	int32_t ns, ew;
	uint16_t level, portal;
	uint8_t n;
	uint16_t species[6];
	struct dungeon *dungeon;     /* NULL: in the open */
};

struct chr {
	/* For ever. */
	unsigned index;
	char name[40], tag[16];
	struct rng rng, odd;
	uint32_t id;
	enum kind kind;
	uint8_t race, gender, power, shares, mule, element;
	uint16_t attribs[6], title;
	int32_t home_ns, home_ew;
	/* What stays between sessions. */
	int level;
	int64_t total_xp, unassigned_xp, vitae_xp, birth;
	unsigned total_deaths, vitae;
	struct item *items;
	unsigned n_items, cap_items, packs;
	uint32_t next_id;
	int32_t pack_ids[8];
	/* The session. */
	char session[37], started_text[32];
	int64_t started;             /* 0: not in the game */
	unsigned sessions, kills, deaths, rares, seq, quest_at, quests, ledger_n;
	unsigned mapped_n;
	const struct dungeon *mapped[16], *in;   /* in: the dungeon it is in; NULL: none */
	struct foe *foes;
	unsigned n_foes, cap_foes;
	uint64_t damage_given, damage_received;
	/* Now. */
	enum act act, then;
	const char *state;
	int64_t act_until, moved;
	int32_t ns, ew, to_ns, to_ew, speed;     /* micro-degrees, and those per second */
	int16_t floor;                           /* metres, in a dungeon */
	unsigned tile;
	struct ground *ground;
	unsigned steps, fresh;
	unsigned health, stamina, mana, health_max, stamina_max, mana_max;
	uint16_t creature;
	int32_t foe_id, foe_health, foe_max;
	uint16_t spell;              /* of the debuff being cast */
	uint8_t deadly, casting, vitals_dirty, shared_dirty, radar, loot_left;
	int64_t vitals_at, shared_at;
	unsigned shared_tapers;
	int64_t due[TIMER_COUNT], next;
	enum timer next_timer;
};

struct sim_config {
	uint64_t seed;
	unsigned characters, rare_rate_milli;
	int64_t start_us;
	const char *server;
	int odd, bad, numbered;      /* numbered: telemetry carries sim_n */
	int radars;                  /* characters switch their radar on by themselves */
	int gated;                   /* nobody logs in until sim_enter */
	char *const *types;          /* only events of these types are handed over, "share_*" is a prefix; NULL: all */
	unsigned hoard;              /* all are mules that carry at least so many items; 0: as they come */
	/* A finished event, without newline, borrowed.  type is its name (static), n its sim_n or 0. */
	void (*event)(void *priv, unsigned character, const char *line, size_t len, const char *type, unsigned n, const char *timestamp);
	void (*session)(void *priv, unsigned character, int in);   /* wants in (gated), or is out; may be NULL */
	void *priv;
};

struct sim {
	struct sim_config cfg;
	struct chr *chr;
	unsigned *heap;              /* character indices, the soonest first */
	int64_t now;
	int64_t shift, stamp;        /* shift is added to what is printed; the newest stamp by sim_stamp */
	struct rng rng;
	int64_t talk_due, vortex_due;
	struct ground *grounds;
	unsigned n_grounds;
	struct dungeon *dungeons;
	unsigned n_dungeons;
	uint16_t *by_level;          /* creatures, weakest first */
	struct buf buf;              /* the event being written */
	struct ev {                  /* and what is odd about it */
		struct chr *c;
		const char *type;
		unsigned odd, n;
		int wanted, silent;  /* silent: not even written */
		char timestamp[48];
	} ev;
	uint64_t bad[32];            /* illegal frames made, by kind (bad_word) */
};

struct sim *sim_new(const struct sim_config *);     /* copies the config, not its strings */
void sim_free(struct sim **);
int64_t sim_next(const struct sim *);               /* simulated time of the next step */
unsigned sim_next_character(const struct sim *);     /* whose it is */
void sim_step(struct sim *);
/* The next step's events carry this time of the clock instead of the simulated one.  Stamps do not fall while the clock does not jump back. */
void sim_stamp(struct sim *, int64_t wall_us);
void sim_leave(struct sim *);                       /* all log out */
const char *sim_name(const struct sim *, unsigned character);
void sim_enter(struct sim *, unsigned character);   /* a connection stands: log in, or tell everything again */
void sim_command(struct sim *, unsigned character, const char *command, size_t len);
int sim_knows_command(const char *command, size_t len);
void sim_map_wanted(struct sim *, unsigned character, unsigned landblock);   /* tells the map again if the character is there */

/* ---- between the files of the simulator ---- */

/* sim.c */
void timer_set(struct sim *, struct chr *, enum timer, int64_t at);

/* event.c: one event at a time, begun and ended.  0: nobody wants it, so it may be left at that, or written to no effect; what happens in
 * the lives must not depend on this. */
int ev_begin(struct sim *, struct chr *, const char *type);
void ev_int(struct sim *, const char *key, int64_t v);
void ev_fix(struct sim *, const char *key, int64_t v, int digits);         /* v * 10^-digits */
void ev_int_text(struct sim *, const char *key, int64_t v);                /* as a string, like the plugin */
void ev_fix_text(struct sim *, const char *key, int64_t v, int digits);
void ev_str(struct sim *, const char *key, const char *v);
void ev_key(struct sim *, const char *key);                                /* a raw value follows, by put_ */
void ev_end(struct sim *);
void put(struct buf *, const char *text);
void put_int(struct buf *, int64_t v);
void put_fix(struct buf *, int64_t v, int digits);
size_t fmt_time(int64_t t, int digits, char *out);                         /* out[40] */
extern const char *const bad_word[];                                       /* NULL-terminated */

/* world.c */
void world_init(struct sim *);
void world_fini(struct sim *);
const struct d_town *world_town(int32_t ns, int32_t ew);                   /* the nearest */
const struct d_lifestone *world_lifestone(int32_t ns, int32_t ew);
int32_t world_height(int32_t ns, int32_t ew);                              /* thousandths of 240 m */
int64_t isqrt(int64_t v);
int64_t world_distance(int32_t ns1, int32_t ew1, int32_t ns2, int32_t ew2);/* micro-degrees */
unsigned world_heading(int64_t dx, int64_t dy);                            /* tenths of a degree from north, clockwise */
void tile_place(const struct dungeon *, unsigned tile, int32_t *ns, int32_t *ew);

/* chr.c */
void chr_init(struct sim *, struct chr *, unsigned index);
void chr_vitals_max(struct chr *);
int64_t xp_of_level(int level);
void chr_move(struct sim *, struct chr *);          /* on the way to now */
void chr_walk(struct sim *, struct chr *, int64_t ns, int64_t ew);
void chr_stray(struct sim *, struct chr *, int32_t ns, int32_t ew, int32_t within);   /* walk to somewhere around there */
void chr_stand(struct sim *, struct chr *);
int chr_arrived(const struct chr *);
void chr_jump(struct sim *, struct chr *, int64_t ns, int64_t ew);       /* through portal space */
void chr_jump_near(struct sim *, struct chr *, int32_t ns, int32_t ew, int32_t within);
void chr_enter_dungeon(struct sim *, struct chr *, const struct dungeon *, unsigned tile);

/* life.c */
void life_enter(struct sim *, struct chr *);        /* choose what to do at login */
void life_step(struct sim *, struct chr *);

/* fight.c */
void fight_begin(struct sim *, struct chr *, unsigned creature);
int fight_round(struct sim *, struct chr *);        /* 0 goes on, 1 won, -1 died */
void fight_stats(struct sim *, struct chr *);       /* the combat_stats event */
void fight_forget(struct chr *);

/* pack.c, item.c */
void items_init(struct sim *, struct chr *);
unsigned items_tapers(const struct chr *);
void items_full(struct sim *, struct chr *);        /* the full_inventory event */
void items_loot(struct sim *, struct chr *);        /* a find: its delta */
void items_rare(struct sim *, struct chr *, const struct game_rare *);
int items_sell(struct sim *, struct chr *);         /* one thing; 0 when nothing is left to sell */
void items_buy(struct sim *, struct chr *);
void items_use_taper(struct sim *, struct chr *);
void items_equip_state(struct sim *, struct chr *);
const struct d_template *template_find(uint32_t wcid);

/* tell.c: the events without a file of their own. */
void tell_register(struct sim *, struct chr *);
void tell_telemetry(struct sim *, struct chr *);
void tell_vitals(struct sim *, struct chr *);
void tell_stats(struct sim *, struct chr *);
void tell_spawn(struct sim *, struct chr *, unsigned creature);
void tell_portal(struct sim *, struct chr *, const struct d_portal *);
void tell_portal_near(struct sim *, struct chr *);
void tell_rare(struct sim *, struct chr *, const struct game_rare *);
int tell_quest(struct sim *, struct chr *, unsigned i);

/* talk.c */
void chat(struct sim *, struct chr *, int color, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void talk_around(struct sim *, struct chr *);       /* someone near, a tell, the fellowship */
void talk_channels(struct sim *);                   /* a line that everybody hears */
void talk_vortex(struct sim *);
void talk_rare(struct sim *, struct chr *, const char *item);

/* radar.c */
void radar_picture(struct sim *, struct chr *);
void radar_map(struct sim *, struct chr *);         /* dungeon_map */

/* share.c */
void share_change(struct sim *, struct chr *);      /* vitals or position, as they changed */
void share_client(struct sim *, struct chr *);
void share_items(struct sim *, struct chr *);
void share_cast(struct sim *, struct chr *, int success);
void share_goodbye(struct sim *, struct chr *);

#endif
