/* replay: the parts of dt-replay. */
#ifndef REPLAY_H
#define REPLAY_H
#include <stddef.h>
#include <stdint.h>

#include "loop/loop.h"
#include "pick/pick.h"

struct event;

/* ---- when an event is due ---- */

struct pace {
	double speed;                /* 0: at once */
	int64_t first_us;            /* an event's time, and when it was due */
	int64_t first_ms;
	int64_t last_us;
	int started;
};
/* Monotonic ms.  A time well before the last one (another file, another round) starts the clock anew. */
int64_t pace_due(struct pace *, int64_t us, int64_t now_ms);

/* ---- events out of the sources at their time ---- */

struct feed_config {
	struct pick *pick;
	const char *const *paths;
	size_t n_paths;
	double speed;
	int loop;                    /* from the beginning again, for ever */
	int progress;                /* draw it, where there is a terminal */
	/* Takes an event: 0, or -1: not now; then feed_wake says when to try again. */
	int (*emit)(void *priv, const struct event *);
	void (*on_wait)(void *priv);             /* nothing is due for a while */
	void (*on_end)(void *priv);
	void *priv;
};
struct feed;
struct feed *feed_new(const struct feed_config *);     /* borrows the config's pointers */
void feed_free(struct feed **);
struct pollable *feed_pollable(struct feed *);
void feed_wake(struct feed *);
int feed_code(const struct feed *);                    /* exit code: what could not be read is said and counted */
void feed_report(const struct feed *);                 /* says what was left out */

/* ---- where they go ---- */

struct replay {
	struct feed_config feed;
	int verbatim;
	const char *connect;
	const char *secret;
	double wait_s;               /* for a server that is away */
};
int replay_stdout(const struct replay *);
int replay_plugins(const struct replay *);

#endif
