/* bus_match: which lines of the stream a subscription wants, by type and character.
 * The lines are our own, stamped and gated, so that only their first fields are looked at. */
#ifndef BUS_MATCH_H
#define BUS_MATCH_H
#include <stddef.h>

#include "event/event.h"

struct bus_match;

/* NULL-terminated lists, copied; NULL: all.  A word with a trailing '*' is a prefix.  NULL when both are NULL. */
struct bus_match *bus_match_new(const char *const *types, const char *const *characters);
void bus_match_free(struct bus_match **);
/* A NULL match wants everything. */
int bus_match_line(const struct bus_match *, const char *line, size_t len);

/* The type and the character_name (NULL: not asked for) of a gated line, as event_scan finds them, in a fraction of its time. */
void bus_match_head(const char *line, size_t len, struct event_value *type, struct event_value *character_name);

#endif
