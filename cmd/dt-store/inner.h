/* inner: what store.c and load.c share of a struct store. */
#ifndef INNER_H
#define INNER_H
#include "batch.h"
#include "migrate.h"
#include "pg/pg.h"
#include "poison.h"
#include "rows.h"
#include "source.h"
#include "state.h"
#include "store.h"

#define STALL_MIN_MS 200
#define STALL_MAX_MS 5000

enum phase {
	AWAY,                        /* no connection */
	LOADING,                     /* taking the lock, migrating, reading what is remembered */
	STALLED,                     /* the database is there but cannot store; retry_at */
	RUNNING
};

struct store {
	struct pollable timer;       /* first: tick() casts back */
	struct store_config config;
	struct pg *pg;
	struct source *source;
	struct migrations migrations;
	struct state state;
	struct rows rows;
	struct batch batch[2];
	struct batch *fill, *sent;   /* sent: NULL or the one that the database has */
	enum phase phase;
	int capture;                 /* reads a file whose position is kept nowhere but here */
	int ready, ended, draining, said_stalled, reload_when_idle;
	int skipped;                 /* lines came that the batch had no room for: read again behind seen */

	char journal[JOURNAL_ID_MAX];        /* that the position belongs to; "": a capture, or none known yet */
	char wanted[JOURNAL_ID_MAX];         /* what the source says it reads; "": not said */
	uint64_t stored, sent_to, seen;      /* seq: committed, in the batch sent, last read */
	int64_t stored_rx_us;

	int locked, lost_backend;
	int64_t lock_until, retry_at, stall_ms, maintain_at, tidy_at;

	struct poison poison;

	struct days known[SERIES_COUNT];
	struct character **by_id;            /* while loading, as is n_by_id */
	uint32_t n_by_id;
};

/* A new connection: the lock, the migrations, then load.  Ends in RUNNING, the source started behind the position. */
void store_begin(struct store *);
/* Drop what is not stored and read everything that is remembered from the database. */
void store_load(struct store *);
/* The database cannot store now: try again from store_begin in a while. */
void store_stall(struct store *, const char *why);

/* Is the error of one of these classes (" 22 23 ")? */
int store_is_class(const struct pg_error *, const char *classes);
/* Syntax, missing tables or rights: trying again mends nothing, so this does not return. */
void store_die_if_hopeless(const struct pg_error *, const char *doing);

/* Days ahead and behind, hourly; indexes by block, portals, dead letters, every few minutes.  Each sets when it is due again. */
void store_maintain(struct store *);
void store_tidy(struct store *);

#endif
