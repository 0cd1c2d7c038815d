/* door: who may come in, and as what.  It stands before every route, file and socket of dt-serve.
 *
 * In without login: who comes over the UNIX socket (as admin: the file's mode says who that is), and who comes from DT_TRUSTED_NETS (as operator).
 * With one: a session's cookie, or a token as "Authorization: Bearer …".  Everybody gets what a login needs, and what tells nothing about anybody. */
#ifndef DOOR_H
#define DOOR_H
#include "account/account.h"
#include "http/http.h"
#include "net/net.h"

struct door;
struct door_config {
	struct http *http;
	const char *accounts;            /* path of the file */
	const char *login_page;          /* path of its HTML */
	const struct nets *trusted, *proxies;    /* borrowed */
	int any_host;                    /* see origin.h */
	int tls;
	int64_t idle_us, max_us;         /* of sessions */
};
struct door *door_new(const struct door_config *);       /* copies it; adds the guard, its routes and a pollable */
void door_free(struct door **);

#define DOOR_LOCAL "local"            /* the name of those who need no login */
/* Who asks; never NULL within a handler. */
const struct account_who *door_who(const struct http_req *);
/* 0, or -1 when it is answered 403. */
int door_require(struct http_req *, enum account_role);

/* ---- for sockets, which outlive their requests ---- */

/* Grows when sessions or roles may have changed: then each socket is to be asked about again. */
uint64_t door_version(struct door *);
/* May it stay?  who gets its role as it is now.  used: the session is in use, which keeps it from ending idle.  0, or -1: close it with 4401. */
int door_still(struct door *, struct account_who *who, int used);

#endif
