/* fetch: GET of one URL, with libcurl's multi interface on our loop. */
#ifndef FETCH_H
#define FETCH_H
#include <stddef.h>

#include "loop/loop.h"

struct fetch;
/* body: the answer when its status is 200, borrowed for the call; else NULL and why says what was wrong ("503", "Timeout was reached"). */
typedef void fetch_f(void *priv, const char *body, size_t len, const char *why);

struct fetch *fetch_new(struct loop *, long timeout_ms, size_t max_bytes, fetch_f *, void *priv);
void fetch_free(struct fetch **);
void fetch_start(struct fetch *, const char *url);       /* not while one is under way */
int fetch_busy(const struct fetch *);

#endif
