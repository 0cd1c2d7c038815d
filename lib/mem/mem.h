/* mem: allocation that never fails.
 * Out of memory ends the program with exit code 71 (EX_OSERR): unwinding paths that nobody tests saves nobody. */
#ifndef MEM_H
#define MEM_H
#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
void *xreallocarray(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t len);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
