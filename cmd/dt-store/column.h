/* column: fields of events as columns of COPY text.  The put_ functions write their text and a tab, and return the end. */
#ifndef COLUMN_H
#define COLUMN_H
#include <stddef.h>
#include <stdint.h>

#include "event/event.h"
#include "sink.h"

#define CHARACTER_MAX_BYTES 128
#define DEGREES_MAX 1000.0           /* dungeons lie off the map, but not further */

struct text { const char *p; size_t len; char room[1024]; };

size_t text_whole_characters(const char *s, size_t len, size_t max);         /* at most max bytes, no half character at the end */
/* A string's bytes or a number's as they stand; cut at max.  0 when it is neither. */
int text_get(struct event_value, struct text *, size_t max);
/* A name: some text without control characters, blanks at its ends off, at most max bytes.  0 with why. */
int text_get_name(struct event_value, struct text *, size_t max, enum reason *why);

/* What a float4 column would hold, less than 1e-30 is 0: 1 when there is something.  *bad is set where there is a number that it cannot hold or that is over
 * limit. */
int column_real(struct event_value, double limit, double *x, int *bad);

char *put_null(char *p);
char *put_uint(char *p, uint64_t n);
char *put_text(char *p, const struct text *);
char *put_string(char *p, struct event_value, size_t max);
char *put_time(char *p, int64_t us);
/* A float4 column; *bad is set, and null put, where there is a number that it cannot hold or that is over limit. */
char *put_real(char *p, struct event_value, double limit, int *bad);

#endif
