/* door_int: what the parts of the door share. */
#ifndef DOOR_INT_H
#define DOOR_INT_H
#include "account/hash.h"
#include "account/throttle.h"
#include "door.h"

#define DOOR_COOKIE "dt"                     /* on plain HTTP, which is for loopback */
#define DOOR_COOKIE_SECURE "__Host-dt"
#define DOOR_PAGE_MAX 65536

struct door {
	struct pollable timer;               /* first: sweep() casts back */
	struct door_config config;
	struct accounts *accounts;
	struct hasher *hasher;
	struct throttle *throttle;
	char *page;                          /* of the login, with its {{marks}} */
	struct known { char key[ACCOUNT_KEY_SIZE]; uint64_t version; int64_t at_us; struct account_who who; } *known;
};

void door_count(struct door *);       /* brings the counter of hashes up to date */
int door_secure(const struct door *, const struct http_req *);               /* did it come over TLS, also of a proxy? */
int door_cookie(const struct door *, const struct http_req *, char key[ACCOUNT_KEY_SIZE]);       /* 0, or -1: it has none */
void door_address(const struct door *, const struct http_req *, char out[NET_ADDRESS_SIZE]);     /* whose request it is */

#endif
