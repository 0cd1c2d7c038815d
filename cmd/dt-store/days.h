/* days: a sorted set of days since 1970. */
#ifndef DAYS_H
#define DAYS_H
#include <stddef.h>
#include <stdint.h>

struct days { int64_t *day; size_t n, cap; };        /* zeroed: empty */
int days_add(struct days *, int64_t day);            /* 1 when it was not there */
void days_fini(struct days *);

#endif
