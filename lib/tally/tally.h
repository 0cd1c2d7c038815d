/* tally: how often something has happened within a while, by key: wrong secrets by address.
 * A key's while begins when it is counted first, and the next one with the first count after its end.  Bounded: what was quiet longest is forgotten. */
#ifndef TALLY_H
#define TALLY_H
#include <stddef.h>
#include <stdint.h>

#define TALLY_KEY_SIZE 64                /* with its NUL; longer keys are cut */

struct tally;
struct tally *tally_new(size_t keys, int64_t window_ms);
void tally_free(struct tally **);
/* Counts the key once more: how often within its while, this time included.  *left_ms (may be NULL): until the while ends, at least 1. */
unsigned tally_add(struct tally *, const char *key, int64_t now_ms, int64_t *left_ms);

#endif
