/* probe: asks a game server by UDP whether it is there, again and again.  Names are resolved off the loop; nothing blocks. */
#ifndef PROBE_H
#define PROBE_H
#include <stdint.h>

#include "loop/loop.h"

enum probe_outcome {
	PROBE_ANSWERED,          /* by a packet of the game's protocol */
	PROBE_MISSED,            /* nothing came in time, or the port is closed */
	PROBE_UNCLEAR            /* something else came, or we could not ask: no address, no network */
};

struct probe;
struct probe_config {
	const char *host, *port;
	int64_t interval_ms, patience_ms;        /* from one question to the next; for an answer, and for the resolver */
	/* why: what was wrong, static text; "" for an answer.  The latency is that of an answer. */
	void (*on_outcome)(void *priv, enum probe_outcome, double latency_ms, const char *why);
	void *priv;
};

struct probe *probe_new(const struct probe_config *);    /* borrows host and port; asks at once */
void probe_free(struct probe **);
struct pollable *probe_pollable(struct probe *);

#endif
