/* params: the parameters of a request, read strictly.  What is unknown, repeated, malformed or out of bounds is answered 400 by name. */
#ifndef PARAMS_H
#define PARAMS_H
#include <stdint.h>

#include "http/http.h"

int params_listed(const char *const *names, const char *name);           /* is it one of them?  NULL-terminated; NULL: none */
/* 0, or -1 when the answer has been given. */
int params_known(struct http_req *, const char *const *names);           /* NULL-terminated; NULL: none at all */
int params_int(struct http_req *, const char *name, int64_t min, int64_t max, int64_t fallback, int64_t *out);
int params_time(struct http_req *, const char *name, int64_t fallback_us, int64_t *out_us);      /* ISO-8601 or unix seconds */
/* from and to: from <= t < to.  Without to: now and a little more; without from: back_us before to.  from after to is refused. */
int params_range(struct http_req *, int64_t back_us, int64_t now_us, int64_t *from_us, int64_t *to_us);
int params_text(struct http_req *, const char *name, size_t max_bytes, const char **out);        /* NULL when not given */
int params_seconds(struct http_req *, const char *name, int64_t *out_s);                         /* 1m, 5m, 1h, 1d; 0 when not given */

/* One of the words (NULL-terminated): its index, fallback when not given. */
int params_word(struct http_req *, const char *name, const char *const *words, int fallback, int *out);
/* "<microseconds>-<number>", a place in a list; *id -1 when not given. */
int params_cursor(struct http_req *, const char *name, int64_t *us, int64_t *id);
const char *params_time_text(int64_t us, char out[32]);                  /* for SQL, to the microsecond; returns out */
/* Answers 400, "parameter NAME must be WHAT"; always -1. */
int params_refuse(struct http_req *, const char *name, const char *what);

#endif
