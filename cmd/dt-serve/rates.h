/* rates: at most so many events a second per character of a type, the newest of those held back follows when its time comes. */
#ifndef RATES_H
#define RATES_H
#include <stddef.h>
#include <stdint.h>

struct rates;
struct rates *rates_new(void);
void rates_free(struct rates **);

/* 1: goes now (also when the table is full: a limit that we cannot keep must not lose events); 0: copied and held, instead of an older one. */
int rates_pass(struct rates *, uint64_t key, double per_s, int64_t now_ms, const char *payload, size_t len);
/* Hands over what is due, borrowed during the call.  Stops and keeps the rest when f returns non-zero. */
void rates_due(struct rates *, int64_t now_ms, int (*f)(void *priv, const char *payload, size_t len), void *priv);
int64_t rates_next_ms(const struct rates *);     /* when the next is due; CLOCK_NEVER: none held */

#endif
