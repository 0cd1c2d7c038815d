/* net: lists of networks, "10.0.0.0/8, fd00::/8, 192.168.1.7", and who is behind a reverse proxy. */
#ifndef NET_H
#define NET_H
#include <stddef.h>

struct nets;                         /* NULL is an empty list */

/* NULL and *bad = NULL for an empty text; NULL and *bad (static buffer) the piece that is no network. */
struct nets *nets_parse(const char *text, const char **bad);
void nets_free(struct nets **);
/* Is the address text (as "10.1.2.3", "::1", "::ffff:10.1.2.3") in one of them?  What is no address is in none. */
int nets_have(const struct nets *, const char *address);
int net_is_loopback(const char *address);

/* Whose request it is: the socket's own peer, or, when that is one of the proxies, the last address of X-Forwarded-For that is not.  Each proxy appends
 * whom it got the request from, so what stands before the last foreign address may be anybody's invention.  forwarded may be NULL.
 * out has room for NET_ADDRESS_SIZE bytes; "" when a proxy does not say, or says what is no address: then nobody is to be trusted. */
#define NET_ADDRESS_SIZE 46
void net_client(const struct nets *proxies, const char *peer, const char *forwarded, char *out);

#endif
