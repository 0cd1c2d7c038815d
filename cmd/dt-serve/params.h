/* params: the parameters of a request, read strictly.  What is unknown, repeated, malformed or out of bounds is answered 400 by name. */
#ifndef PARAMS_H
#define PARAMS_H
#include <stdint.h>

#include "http/http.h"

/* 0, or -1 when the answer has been given. */
int params_known(struct http_req *, const char *const *names);           /* NULL-terminated; NULL: none at all */
int params_int(struct http_req *, const char *name, int64_t min, int64_t max, int64_t fallback, int64_t *out);
int params_time(struct http_req *, const char *name, int64_t fallback_us, int64_t *out_us);      /* ISO-8601 or unix seconds */
int params_text(struct http_req *, const char *name, size_t max_bytes, const char **out);        /* NULL when not given */
int params_seconds(struct http_req *, const char *name, int64_t *out_s);                         /* 1m, 5m, 1h, 1d; 0 when not given */

#endif
