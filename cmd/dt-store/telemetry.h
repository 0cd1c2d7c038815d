/* telemetry: the sink of positions, spawns, rares and portals.  telemetry.c is what it remembers and loads, rows.c makes rows of events. */
#ifndef TELEMETRY_H
#define TELEMETRY_H
#include "batch.h"
#include "days.h"
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
	struct state state;
	struct days known[SERIES_COUNT];     /* days that have a table */
	struct character **by_id;            /* while loading, as is n_by_id */
	uint32_t n_by_id;
};

struct telemetry_batch {                     /* batch->own: of these events only */
	struct days days[SERIES_COUNT];
};

/* Who an event is about; NULL with why. */
struct character *telemetry_character(struct telemetry *, const struct event *, enum reason *why);
/* Its name is stored with the batch, unless the database has it: before the first row with its number. */
void telemetry_save_character(struct batch *, struct character *);

/* The kinds of rows.c. */
enum reason rows_add_telemetry(void *state, struct batch *, const struct incoming *);
enum reason rows_add_spawn(void *state, struct batch *, const struct incoming *);
enum reason rows_add_rare(void *state, struct batch *, const struct incoming *);
enum reason rows_add_portal(void *state, struct batch *, const struct incoming *);

#endif
