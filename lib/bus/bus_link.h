/* bus_link: what both ends of lib/bus share: a UNIX-socket connection that comes back, and reading control lines.
 * Internal to lib/bus. */
#ifndef BUS_LINK_H
#define BUS_LINK_H
#include <stddef.h>
#include <stdint.h>

#include "loop/loop.h"

#define BUS_LINK_BACKOFF_MIN_MS 50
#define BUS_LINK_BACKOFF_MAX_MS 2000
#define BUS_LINK_ANSWER_MS 30000         /* a bus that takes longer to greet us is taken for hung */
#define BUS_LINK_CONTROL_MAX 65536

struct bus_link {
	char *path;
	int fd;                              /* -1: down */
	int64_t backoff_ms;                  /* of the next failure */
	int said_down;                       /* it is logged that the bus is away */
};

void bus_link_init(struct bus_link *, const char *path);
void bus_link_fini(struct bus_link *);
/* 0, or -1 with errno. */
int bus_link_connect(struct bus_link *);
/* Closes, says once that and why the bus is away, and returns when to try again. */
int64_t bus_link_down(struct bus_link *, const char *why, int64_t now_ms);
void bus_link_close(struct bus_link *);
void bus_link_up(struct bus_link *);     /* the bus has answered: back-off starts anew */

/* The member `"key":` of a control line, at any depth: the bus's own lines are short and name a key once.  1 when found. */
int bus_link_number(const char *line, size_t len, const char *key, uint64_t *n);
int bus_link_string(const char *line, size_t len, const char *key, char *out, size_t size);

#endif
