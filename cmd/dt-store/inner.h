/* inner: what store.c and load.c share of a struct store. */
#ifndef INNER_H
#define INNER_H
#include "batch.h"
#include "migrate.h"
#include "pg/pg.h"
#include "poison.h"
#include "sink.h"
#include "source.h"
#include "store.h"

#define STALL_MIN_MS 200
#define STALL_MAX_MS 5000
#define STORE_SHARES 4

enum phase {
	AWAY,                        /* no connection */
	LOADING,                     /* taking the lock, migrating, reading what is remembered */
	STALLED,                     /* the database is there but cannot store; retry_at */
	RUNNING
};

/* A statement of the sink's that the store runs for it. */
struct errand {
	struct store *store;
	void (*row)(void *state, const struct pg_row *);
	int64_t due_ms;              /* of a chore */
};

struct store {
	struct pollable timer;       /* first: tick() casts back */
	struct store_config config;
	const struct sink *sink;
	void *state;                 /* the sink's */
	struct pg *pg;
	struct source *source;
	const char **types;
	struct migrations migrations;
	struct batch batch[2];
	struct batch *fill, *sent;   /* sent: NULL or the one that the database has */
	size_t share;                /* of the largest batch that may be used, in STORE_SHARES */
	int64_t sent_ms;             /* when sent was */
	enum phase phase;
	int capture;                 /* reads a file whose position is kept nowhere but here */
	int ready, ended, draining, said_stalled, reload_when_idle;
	int skipped;                 /* lines came that the batch had no room for: read again behind seen */

	char journal[JOURNAL_ID_MAX];        /* that the position belongs to; "": a capture, or none known yet */
	char wanted[JOURNAL_ID_MAX];         /* what the source says it reads; "": not said */
	uint64_t stored, sent_to, seen;      /* seq: committed, in the batch sent, last read */
	int64_t stored_rx_us;

	int locked, lost_backend;
	int64_t lock_until, retry_at, stall_ms;
	struct errand *errands;              /* for the chores, behind them for the loads */
	size_t n_chores;
	struct sink_db preparing, asking;
	struct poison poison;
};

/* A new connection: the lock, the migrations, then load.  Ends in RUNNING, the source started behind the position. */
void store_begin(struct store *);
/* Drop what is not stored and read everything that is remembered from the database. */
void store_load(struct store *);
/* For sink_db: after prepare; when a query of it failed. */
void store_prepared(void *store);
void store_load_failed(void *store, const struct pg_error *);
/* The database cannot store now: try again from store_begin in a while. */
void store_stall(struct store *, const char *why);

/* Is the error of one of these classes (" 22 23 ")? */
int store_is_class(const struct pg_error *, const char *classes);
/* Syntax, missing tables or rights: trying again mends nothing, so this does not return. */
void store_die_if_hopeless(const struct pg_error *, const char *doing);

/* The chores that are due. */
void store_tend(struct store *, int64_t now_ms);

#endif
