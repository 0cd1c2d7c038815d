/* heat: spawns counted by hour, cell of 0.1 degree and monster, and summed over hours.  Pure: no clock, no SQL.
 * Eight bytes an entry.  Hours are numbered since 1970; those of a window of HEAT_HOURS are held. */
#ifndef HEAT_H
#define HEAT_H
#include <stddef.h>
#include <stdint.h>

#include "buf/buf.h"

#define HEAT_HOURS 256
#define HEAT_ALL_MOBS (-1)

struct heat_hour {                       /* while it is put together; a zeroed one with its hour set is valid and empty */
	int64_t hour;
	uint64_t *entry;
	size_t n, cap;
};
/* Cells beyond 204.7 degrees are no places and left out. */
void heat_hour_add(struct heat_hour *, int ew10, int ns10, int64_t mob, int64_t n);
void heat_hour_fini(struct heat_hour *);

struct heat;
struct heat *heat_new(void);
void heat_free(struct heat **);
void heat_put(struct heat *, struct heat_hour *);    /* takes the place of what was known of that hour; empties the argument */
int heat_has(const struct heat *, int64_t hour);
void heat_forget(struct heat *, int64_t before);     /* hours before that one */
size_t heat_bytes(const struct heat *);

/* Appends `{"ew":10.5,"ns":-3.3,"intensity":7},…`: the fullest cells from hour from to hour to, both included; of one monster or HEAT_ALL_MOBS.
 * *points: cells written, *events: spawns in them.  0, or -1 when out is full. */
int heat_write(const struct heat *, int64_t from, int64_t to, int64_t mob, size_t limit, struct buf *out, size_t *points, uint64_t *events);

#endif
