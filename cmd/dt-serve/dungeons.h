/* dungeons: the newest dungeon_map per landblock, as sent, within a fixed amount of memory. */
#ifndef DUNGEONS_H
#define DUNGEONS_H
#include <stddef.h>

#include "event/event.h"

struct dungeons;
struct dungeons *dungeons_new(size_t max_bytes);
void dungeons_free(struct dungeons **);

/* "7", "0x0007", "00070000" and "0007FFFF" all come out as "0007"; -1 when it is no landblock. */
int dungeons_landblock(const char *text, char out[5]);
void dungeons_feed(struct dungeons *, const struct event *);
const char *dungeons_get(const struct dungeons *, const char *landblock, size_t *len);   /* borrowed; NULL: none is known */

#endif
