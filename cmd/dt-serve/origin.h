/* origin: does a request come from a page of ours? */
#ifndef ORIGIN_H
#define ORIGIN_H
#include "http/http.h"

/* A page of another site must not read the stream or send commands in the name of who looks at it.  any_host: a reverse proxy is known, hosts may have any name.
 * What has no Origin comes from no page, and passes. */
int origin_is_ours(const struct http_req *, int any_host);
/* For what changes something: a same-origin Origin or Sec-Fetch-Site has to be there.  0, or -1 when it is answered 403. */
int origin_required(struct http_req *, int any_host);

#endif
