/* binary: fields of events as columns of COPY's binary form, which spares the server the reading of texts: a third of what a row costs it.
 * Each bin_ function writes a column, its length and its bytes, and returns the end; a row begins with bin_row.  Head and end of a COPY are batch.c's. */
#ifndef BINARY_H
#define BINARY_H
#include <stdint.h>

#include "event/event.h"

#define BINARY_HEAD "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"
#define BINARY_HEAD_BYTES (sizeof BINARY_HEAD - 1)
#define BINARY_END "\377\377"
#define BINARY_END_BYTES (sizeof BINARY_END - 1)
#define BINARY_ROW_BYTES 2           /* of bin_row */

char *bin_row(char *p, int columns);
int bin_columns(const char *row);
char *bin_null(char *p);
char *bin_int(char *p, uint32_t n);                          /* int4 */
char *bin_double(char *p, double x);                         /* float8 */
char *bin_time(char *p, int64_t us);                         /* timestamptz */
char *bin_text(char *p, struct event_value, size_t max);     /* a string's bytes or a number's as they stand, cut at max; null when it is neither */
/* A float4 column; *bad is set, and null put, where there is a number that it cannot hold or that is over limit. */
char *bin_real(char *p, struct event_value, double limit, int *bad);
/* An int4 column of a count, also into out: -1 when there is none. */
char *bin_count(char *p, struct event_value, int64_t *out, int *bad);

#endif
