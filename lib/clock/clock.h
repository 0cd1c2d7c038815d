/* clock: the two clocks, and times as text.
 * Wall times are microseconds since 1970 UTC; durations and deadlines use the monotonic clock in milliseconds. */
#ifndef CLOCK_H
#define CLOCK_H
#include <stddef.h>
#include <stdint.h>

#define CLOCK_NEVER INT64_MAX        /* a deadline that does not come */
#define CLOCK_ISO_SIZE 32            /* enough for any text made here, with its NUL */

int64_t clock_mono_ms(void);
int64_t clock_wall_us(void);

/* Writes "2026-11-22T13:02:03.123Z" (24 characters) and a NUL; years outside 0…9999 come out as the nearest end.
 * Returns the length.  Cheap when called with rising times of the same second. */
size_t clock_format_iso(int64_t us, char out[CLOCK_ISO_SIZE]);

/* ISO 8601 as events use it: date, 'T' or blank, hh:mm[:ss], 0-9 fractional digits (beyond six are cut), 'Z', ±hh:mm, ±hhmm or
 * nothing (UTC).  0, or -1 when it is not such a time.  Surrounding blanks are allowed. */
int clock_parse_iso(const char *s, size_t len, int64_t *us);

/* What a person types: an ISO time, a bare date, unix seconds (with fraction), "now", or "-90s", "-15m", "-2h", "-3d" before now. */
int clock_parse_human(const char *s, int64_t now_us, int64_t *us);

#endif
