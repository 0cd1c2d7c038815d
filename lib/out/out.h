/* out: the standard output of a filter.
 * Lines are gathered and written in large pieces; the program flushes when its input pauses.  A reader that has gone ends the program as SIGPIPE
 * does, without a word; any other failure is fatal with exit code 74.  While a write is blocked, SIGTERM and SIGINT end the program at once. */
#ifndef OUT_H
#define OUT_H
#include <stddef.h>

struct pollable;

void out_line(const char *line, size_t len);       /* adds the newline */
void out_flush(void);
void out_close(void);                              /* flushes, and checks that the device took it all */
void out_stopped(void);                            /* we were told to end: a reader that does not take the rest within a second goes without */
/* Notices that the reader has gone while nothing is written; for the program's loop. */
struct pollable *out_pollable(void);

#endif
