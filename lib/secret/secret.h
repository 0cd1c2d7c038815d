/* secret: does a plugin know the shared secret?  The one rule for both doors, dt-ingest's own and the one through dt-serve. */
#ifndef SECRET_H
#define SECRET_H

struct http_req;

#define SECRET_TRIES 20                  /* wrong ones within a minute from one address, before it is told to wait */

/* header: what X-Plugin-Secret says, query: what ?secret= says; NULL or "" when not given.  The header decides when it is given.
 * 0: it does; else the HTTP status that refuses: 401 nothing given, 403 wrong.  Takes the same time for every wrong secret of a length. */
int secret_check(const char *secret, const char *header, const char *query);

struct secret;                           /* the secret, and who has shown wrong ones */
struct secret *secret_new(const char *secret);           /* copied; not empty */
void secret_free(struct secret **);
/* May who asks for this upgrade come in?  0, or the status that refuses, which is answered and logged: 401, 403, or 429 with Retry-After for what is wrong
 * again after SECRET_TRIES.  The right secret is let in at any time: sixty clients may share an address with one that has an old secret, and what
 * keeps guessers out is the secret's length.  address: whose request it is, "" for the local socket. */
int secret_admit(struct secret *, struct http_req *, const char *address);

#endif
