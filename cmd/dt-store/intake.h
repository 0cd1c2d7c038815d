/* intake: a line of the stream goes to the sink's kinds of its type, or to the dead letters. */
#ifndef INTAKE_H
#define INTAKE_H
#include "batch.h"
#include "sink.h"

#define DAY_US 86400000000
#define LATE_US DAY_US               /* a time so far before the receive time is not believed … */
#define FUTURE_US 300000000          /* … nor one so far behind it */

/* poisoned: NULL, or why the database refuses just this event: then it becomes a dead letter. */
void intake_add(const struct sink *, void *state, struct batch *, uint64_t seq, const char *line, size_t len, const char *poisoned);

/* The types of the sink's kinds, each once, NULL-terminated, for the subscription; free it. */
const char **intake_types(const struct sink *);

#endif
