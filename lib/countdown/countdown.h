/* countdown: how long a quest timer still runs, as players' clients print it. */
#ifndef COUNTDOWN_H
#define COUNTDOWN_H
#include <stddef.h>
#include <stdint.h>

#define COUNTDOWN_MAX_S 3155760000           /* a hundred years: what is longer is not understood */

/* "ready" (in any case) is 0; "6d 4h 12m", each part of days, hours, minutes and seconds optional; "hh:mm:ss" and "mm:ss", also with "d." in front;
 * a bare number is seconds.  The seconds, or -1 when it is none of these. */
int64_t countdown_seconds(const char *text, size_t len);

#endif
