/* fold: UTF-8 text without the difference of upper and lower case, of the same length in bytes.
 * Latin (with its accents), Greek and Cyrillic letters; what has no counterpart of the same length stays as it is. */
#ifndef FOLD_H
#define FOLD_H
#include <stddef.h>

void fold_text(char *out, const char *s, size_t len);        /* out has room for len bytes and may be s; no NUL is added */

#endif
