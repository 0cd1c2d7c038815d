/* combat: snapshots of combat_stats become what they add to lifetimes, and the last of each session.
 *
 * What the sessions said that spoke in the last minutes is in memory, not the lifetimes: those grow in the database.  A snapshot of such a session is folded as it
 * comes.  One of another waits until its batch is closed; then the database is asked for what it knows of these sessions.  Of the snapshots that one batch has of
 * a session only the last is stored. */
#ifndef DT_STORE_COMBAT_H
#define DT_STORE_COMBAT_H
#include <sys/queue.h>

#include "batch.h"
#include "combat/combat.h"
#include "sink.h"

struct telemetry;

struct combat_known {                        /* what is known of a session */
	TAILQ_ENTRY(combat_known) link;
	struct session *session;
	struct combat c;
	int64_t used_ms;
	int changed;                         /* by a batch that is not closed yet */
	int wanted;                          /* not loaded yet */
	int covered;                         /* the last snapshot says it all */
	int64_t sum[COMBAT_TOTALS];          /* what that batch adds */
	uint64_t seq;                        /* of the last snapshot */
	int64_t rx_us;
	struct buf event;                    /* the last snapshot as it was sent */
};

struct combat_memory {                       /* in struct telemetry */
	TAILQ_HEAD(combat_list, combat_known) list;  /* last used first */
	size_t bytes;
	struct { struct telemetry *t; struct batch *batch; const struct sink_db *db; } asking;
};

struct combat_queue {                        /* in a batch */
	struct combat_waiting {
		struct session *session;
		struct combat c;
		uint64_t seq;
		int64_t rx_us;
		struct buf event;
	} *list;
	size_t n, cap;
	struct combat_known **changed;
	size_t n_changed, cap_changed;
};

void combat_memory_init(struct combat_memory *);
void combat_memory_clear(struct combat_memory *);        /* before the sessions go */
void combat_queue_clear(struct combat_queue *);
void combat_queue_fini(struct combat_queue *);

enum reason combat_add(void *state, struct batch *, const struct incoming *);
/* As a sink's ask. */
int combat_ask(struct telemetry *, struct batch *, const struct sink_db *);

#endif
