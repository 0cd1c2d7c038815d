/* store: events into the database, exactly once.
 *
 * Two batches: one is filled from the source while the database digests the other.  A batch, what it changes in the totals and the position behind it are one
 * transaction.  Whatever goes wrong (database away, transaction failed, position moved) ends the same way: both batches are dropped, everything that is
 * remembered is read from the database again, and the source goes back to the position found there.  So recovering is the same as starting. */
#ifndef STORE_H
#define STORE_H
#include <stddef.h>
#include <stdint.h>

#include "loop/loop.h"

struct sink;
struct store;
struct store_config {
	struct loop *loop;
	const struct sink *sink;
	const char *url, *password;
	const char *migrations;      /* directory */
	const char *socket;          /* of events.out */
	const char *path;            /* journal or capture to read instead; NULL: the bus */
	uint64_t to;                 /* with once: the last event of it that is stored; 0: to its end */
	int once;                    /* stop the loop when path is read to its end and stored */
	int count_replays;
	size_t max_rows, max_bytes;  /* of a batch */
	int64_t max_wait_ms;
	int64_t timeout_ms;          /* of a transaction */
	void (*on_ready)(void *priv);        /* once: migrated, position known */
	void *priv;
};

struct store *store_new(const struct store_config *);    /* copies it */
void store_free(struct store **);
/* Take nothing more.  0 when all that was taken is stored, or cannot be now; else the loop is stopped when it is. */
int store_drain(struct store *);

#endif
