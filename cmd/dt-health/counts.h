/* counts: how many players a server has, of TreeStats' answer. */
#ifndef COUNTS_H
#define COUNTS_H
#include <stddef.h>
#include <stdint.h>

struct counts {
	int64_t players;         /* -1: the server is not in it */
	int64_t at_us;           /* when they were counted; 0: not said */
};

/* [{"server":"Coldeve","count":312,"date":"2026-11-22 20:40:00 UTC","age":"…"},…]; case does not matter in the name.
 * 0, or -1 and *why (static text). */
int counts_read(const char *body, size_t len, const char *server, struct counts *, const char **why);

#endif
