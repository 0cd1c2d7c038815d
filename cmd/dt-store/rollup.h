/* rollup: what the new rows of a batch add to the roll-ups, summed up while they come: telemetry per character and minute, spawns per hour, cell and monster.
 * Pure: rows in, those of COPY out; the database adds it to what it has. */
#ifndef ROLLUP_H
#define ROLLUP_H
#include <stddef.h>
#include <stdint.h>

#include "buf/buf.h"

#define ROLLUP_MEANS 5               /* kills_per_hour, mem_mb, cpu_pct, mem_handles, latency_ms: the order of stage_rollup.sql */

struct rollup_minute {
	int64_t minute;              /* since 1970 */
	uint32_t character, n;
	int64_t kills_max;           /* -1: no row said */
	size_t row, row_len;         /* the last row, in the bytes of all of them */
	struct { uint32_t n; double sum; } mean[ROLLUP_MEANS];
};

struct rollup_cell {
	int64_t hour;                /* since 1970 */
	uint32_t mob, n;
	int16_t ew10, ns10;          /* tenths of a degree */
};

struct rollup_index { uint32_t *slot; size_t mask; };         /* number of an element + 1; 0: free */

struct rollup {
	struct rollup_minute *minute;
	struct rollup_cell *cell;
	size_t n_minutes, cap_minutes, n_cells, cap_cells;
	struct rollup_index minutes, cells;
};

void rollup_fini(struct rollup *);                            /* a zeroed one is valid and empty */
void rollup_clear(struct rollup *);

/* A new row, later than all of its character before.  kills -1 and means of NAN are absent; row and len: where its bytes lie (binary.h). */
void rollup_add_row(struct rollup *, int64_t at_us, uint32_t character, int64_t kills, const double mean[ROLLUP_MEANS], size_t row, size_t len);
void rollup_add_spawn(struct rollup *, int64_t at_us, uint32_t mob, double ew, double ns);

/* The rows of stage_rollup (binary.h) and of stage_spawn_cells (text): 0, or -1 when they do not fit.  rows: the bytes that the rows lie in. */
int rollup_write_minutes(const struct rollup *, const char *rows, struct buf *out);
int rollup_write_cells(const struct rollup *, struct buf *out);

#endif
