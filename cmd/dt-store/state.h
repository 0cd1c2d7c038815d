/* state: what dt-store remembers of the database while it runs: characters, their sessions, monsters, each with the number that rows carry.
 * It runs ahead of the database by the rows that are not stored yet; when those cannot be stored it is read again. */
#ifndef STATE_H
#define STATE_H
#include "buf/buf.h"
#include "names.h"
#include "totals/totals.h"

#define SPAWN_KEYS 16
#define SESSION_TEXT_MAX 128

struct character {
	struct name name;
	int64_t total_kills;
	struct totals_stated deaths;
	int64_t telemetry_us, spawn_us;          /* newest rows; INT64_MIN: none */
	uint64_t spawn_key[SPAWN_KEYS];          /* the spawns of that newest time; n 0: not known */
	unsigned n_spawn_keys;
	struct session *session;                 /* as last used */
	uint32_t current;                        /* number of the session of the newest telemetry that counts; 0: none */
	int64_t current_us;                      /* when that was */
	int64_t tapers, tapers_us;               /* the newest count, -1: none */
};

struct session {
	struct name name;                        /* key: the character's number and the session's text */
	struct character *character;
	int64_t first_us;
	struct totals_counter kills, deaths;
	struct combat_known *combat;             /* combat.c's; NULL: not in memory */
	unsigned combat_queued;                  /* snapshots that wait for it to be loaded */
	int64_t kills_sum, deaths_sum;           /* what it has added to the character's totals */
};

struct state {
	struct names characters, sessions, mobs;
	struct name **dirty_character, **dirty_session;
	size_t n_dirty_characters, n_dirty_sessions, cap_characters, cap_sessions;
};

void state_init(struct state *);
void state_fini(struct state *);

/* NULL when there are too many of them. */
struct character *state_character(struct state *, const char *name, size_t len);
struct session *state_session(struct state *, struct character *, const char *text, size_t len, int64_t at_us);
struct name *state_mob(struct state *, const char *name, size_t len);

void state_touch_character(struct state *, struct character *);
void state_touch_session(struct state *, struct session *);
/* SQL that saves what was touched, behind each a ';', and touches nothing any more. */
void state_save(struct state *, struct buf *sql);

/* For loading: rows of the database. */
struct character *state_load_character(struct state *, uint32_t id, const char *name, size_t len);
struct session *state_load_session(struct state *, uint32_t id, struct character *, const char *text, size_t len);

#endif
