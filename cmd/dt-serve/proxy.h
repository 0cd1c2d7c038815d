/* proxy: /ws/position of the public port, relayed to dt-ingest's socket. */
#ifndef PROXY_H
#define PROXY_H
#include "http/http.h"
#include "net/net.h"

struct proxy;
/* Adds its route; copies the strings, borrows the reverse proxies.  With an unusable secret the route answers 503. */
struct proxy *proxy_new(struct http *, const struct nets *proxies, const char *secret, const char *socket_path);
void proxy_free(struct proxy **);        /* after http_free */

#endif
