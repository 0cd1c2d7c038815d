/* utf8: is it text? */
#ifndef UTF8_H
#define UTF8_H
#include <stddef.h>

/* Where the first byte stands that is not UTF-8 (overlong forms and surrogates are not); len when all is. */
size_t utf8_prefix(const char *s, size_t len);

#endif
