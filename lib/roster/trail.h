/* trail: where one character went, oldest first, in a bounded array (private to lib/roster). */
#ifndef TRAIL_H
#define TRAIL_H
#include <stdint.h>

struct trail_point {
	int64_t us;
	double ew, ns;
	float z;                   /* NAN: not sent */
};

struct trail {
	struct trail_point *point;
	unsigned n, cap;
	int64_t apart_us;          /* points this far apart: 0 while there is room for all */
};

/* Keeps the points in the order of time; drops those older than keep_us before the newest; holds max points at the most. */
void trail_add(struct trail *, struct trail_point, unsigned max, int64_t keep_us);
void trail_trim(struct trail *, int64_t before_us);
void trail_fini(struct trail *);

#endif
