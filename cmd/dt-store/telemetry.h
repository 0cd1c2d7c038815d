/* telemetry: the sink of everything but inventories.  telemetry.c is what it remembers and loads, people.c the names that rows carry as numbers,
 * rows.c makes rows of positions, spawns, rares and portals, combat.c of combat_stats, latest.c of what only the newest is kept of. */
#ifndef TELEMETRY_H
#define TELEMETRY_H
#include "batch.h"
#include "combat.h"
#include "days.h"
#include "rollup.h"
#include "sink.h"
#include "state.h"

enum telemetry_part {
#define PART(id, ...) PART_##id,
#include "telemetry_parts.def"
#undef PART
	PART_COUNT
};
enum series { SERIES_TELEMETRY, SERIES_SPAWNS, SERIES_COUNT };

struct telemetry {                           /* remembered between batches; runs ahead of the database by those that are not stored yet */
	int count_replays;                   /* events of a replay count in the totals */
	int first_noted;                     /* dt.positions.first_seq is set */
	struct state state;
	struct combat_memory combat;
	struct days known[SERIES_COUNT];     /* days that have a table */
	struct character **by_id;            /* while loading, as is n_by_id */
	uint32_t n_by_id;
};

struct telemetry_batch {                     /* batch->own: of these events only */
	struct combat_queue combat;
	struct buf saved;                    /* the state's SQL when the batch was closed: events of the next one change it while the database is asked */
	struct days days[SERIES_COUNT];
	struct rollup rollup;                /* of the rows that are surely new */
};

/* Who an event is about; NULL with why. */
struct character *telemetry_character(struct telemetry *, const struct event *, enum reason *why);
/* The session that the event names; NULL: there are too many. */
struct session *telemetry_session(struct telemetry *, struct character *, const struct incoming *, struct event_value id);
/* The name is stored with the batch, unless the database has it: before the first row with its number. */
void telemetry_save_character(struct batch *, struct character *);
void telemetry_save_session(struct batch *, struct session *);
void telemetry_save_mob(struct batch *, struct name *mob);

/* The kinds of rows.c. */
enum reason rows_add_telemetry(void *state, struct batch *, const struct incoming *);
enum reason rows_add_spawn(void *state, struct batch *, const struct incoming *);
enum reason rows_add_rare(void *state, struct batch *, const struct incoming *);
enum reason rows_add_portal(void *state, struct batch *, const struct incoming *);
/* Of latest.c. */
enum reason latest_add_character_stats(void *state, struct batch *, const struct incoming *);
enum reason latest_add_quest(void *state, struct batch *, const struct incoming *);
enum reason latest_add_equipment_cantrips(void *state, struct batch *, const struct incoming *);
enum reason latest_add_dungeon_map(void *state, struct batch *, const struct incoming *);
enum reason latest_add_server_status(void *state, struct batch *, const struct incoming *);

#endif
