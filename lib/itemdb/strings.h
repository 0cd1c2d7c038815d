/* strings: texts held once each, by number.  Every text is kept twice, as it is and folded (fold.h), for search and order.
 * A number stays valid until its last release; numbers are small and used again. */
#ifndef STRINGS_H
#define STRINGS_H
#include <stddef.h>
#include <stdint.h>

struct strings;

struct strings *strings_new(void);
void strings_free(struct strings **);
uint32_t strings_take(struct strings *, const char *text, size_t len);       /* each take wants a release */
void strings_release(struct strings *, uint32_t);
const char *strings_text(const struct strings *, uint32_t, size_t *len);     /* NUL-terminated, borrowed until the release; len may be NULL */
const char *strings_folded(const struct strings *, uint32_t, size_t *len);
uint64_t strings_prefix(const struct strings *, uint32_t);                   /* the first eight folded bytes as a number that orders as they do */
uint32_t strings_top(const struct strings *);                                /* all numbers are below */

#endif
