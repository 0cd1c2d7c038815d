/* progress: one line on the terminal, drawn over itself, for whoever waits.
 * Everything here does nothing when progress is NULL, which it is where standard error is no terminal. */
#ifndef PROGRESS_H
#define PROGRESS_H
#include <stdint.h>

struct progress;
struct progress *progress_new(const char *unit);           /* "events"; NULL unless standard error is a terminal */
/* done: the share of the work, 0…1, or less than 0 where nobody knows.  Cheap; draws five times a second at most. */
void progress_show(struct progress *, double done, uint64_t count, int64_t now_ms);
void progress_free(struct progress **);                    /* wipes the line */

#endif
