/* source: the picked events of journals and captures, one path after the other.
 * Every line passes the gate; what does not (a torn end, noise in a capture) is counted and left out.  A journal ends with the event that was its newest when it was opened. */
#ifndef SOURCE_H
#define SOURCE_H
#include <stddef.h>
#include <stdint.h>

struct event;
struct pick;
struct source;

/* Paths: journal directories, .ndjson, .ndjson.zst, "-" for plain lines on standard input.  Both are borrowed. */
struct source *source_new(struct pick *, const char *const *paths, size_t n);
void source_on_wait(struct source *, void (*f)(void));     /* called before it waits for more of standard input: the moment to flush */
void source_free(struct source **);
/* For a program with a loop: source_next never waits, but says -1 with EAGAIN until standard input is readable. */
void source_no_wait(struct source *);
/* 1 with the event, valid until the next call; 0 at the end; -1 with errno when a path cannot be read (source_path says which; the next call goes on
 * behind it). */
int source_next(struct source *, struct event *);
void source_rewind(struct source *);                       /* from the beginning again */
const char *source_path(const struct source *);            /* that is being read */
double source_progress(const struct source *);             /* 0…1 */
/* Says on standard error how many, and what the first was: nothing when there was none. */
void source_report(const struct source *);

#endif
