/* secret: does a plugin know the shared secret?  The one rule for both doors, dt-ingest's own and the one through dt-serve. */
#ifndef SECRET_H
#define SECRET_H

/* header: what X-Plugin-Secret says, query: what ?secret= says; NULL or "" when not given.  The header decides when it is given.
 * 0: it does; else the HTTP status that refuses: 401 nothing given, 403 wrong.  Takes the same time for every wrong secret of a length. */
int secret_check(const char *secret, const char *header, const char *query);

#endif
