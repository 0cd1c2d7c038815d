/* sink: one kind of thing that dt-store stores.  store.c and load.c own what all have in common: the connection, the lock, the migrations, the position, two batches,
 * the way back after an error, the pace.  A sink says which events it takes, which tables they go to and what it remembers between them.
 *
 * To store something more in a sink that exists:
 *   - a row in its *_parts.def: a COPY with, maybe, a stage and the statement that merges it, or a step that writes SQL of its own.  Rows of the file are
 *     stored in its order, in one transaction with the position;
 *   - a row in its kinds when it is about an event type that is not taken yet (several kinds of one type are asked in order);
 *   - what is remembered between batches: the sink's state, read back by a row in its loads.  What is summed up for one batch only: the batch's own;
 *   - work by the clock: a row in its chores.
 * Whatever fails, everything in memory is dropped: forget, the loads, loaded, then events again from behind the stored position. */
#ifndef SINK_H
#define SINK_H
#include <stddef.h>
#include <stdint.h>

#include "buf/buf.h"
#include "event/event.h"
#include "pg/pg.h"

struct batch;
struct store_config;

enum reason {
#define REASON(id, word) REASON_##id,
#include "reasons.def"
#undef REASON
	REASON_COUNT                 /* none: all went well */
};
const char *reason_word(enum reason);

/* Rows of a batch with what is done with them.  All fields may be left out. */
struct part {
	const char *stage;           /* "create temp table if not exists …": emptied behind then; run before everything is loaded, so also on tables that are there */
	const char *copy;            /* "copy dt.telemetry from stdin;": left out when there are no rows */
	int binary;                  /* … "(format binary)": its rows are made by binary.h, head and end are put around them */
	const char *then;            /* the statement behind it */
	void (*step)(void *state, struct batch *, struct buf *sql);  /* instead: SQL of its own, each statement with its ';' */
	const char *relation;        /* as PostgreSQL calls it when it refuses a row ("COPY telemetry, line 17"); where rows are those of events */
	const char *table;           /* label of dt_store_rows_total */
	const char *merged;          /* column that says how many rows were new; the others count as dt_store_duplicates_total */
	int names;                   /* rows that come with those of events: they do not fill the batch */
};

/* An event that passed event_scan, with the times it goes by. */
struct incoming {
	const struct event *event;
	uint64_t seq;
	int replay;                  /* _replay is set */
	int stamped;                 /* the stream said when it was received */
	int64_t rx_us;
	int64_t at_us;               /* what a row goes by: its own time when that is believed, else the receive time */
	int64_t own_us;              /* what totals go by: its own time; TOTALS_NO_TIME when it has no usable one */
};

struct kind {
	const char *type;
	/* REASON_COUNT: stored (or of no interest), else why not: then the line becomes a dead letter.  Nothing of it may be in the batch but names */
	enum reason (*add)(void *state, struct batch *, const struct incoming *);
};

/* A statement whose rows bring back what is remembered, in the order of the list. */
struct load {
	const char *sql;
	void (*row)(void *state, const struct pg_row *);     /* NULL: none are wanted */
};

/* A statement that is run before the loads and then every so often; an error is logged and it is tried again in two minutes. */
struct chore {
	const char *sql;
	int64_t every_ms;
	void (*row)(void *state, const struct pg_row *);     /* called while running only, not before the loads; may be NULL */
};

/* For queries of a sink's own: their on_error calls failed, the last on_done calls done; both with priv.  Valid until one of them is called. */
struct sink_db {
	struct pg *pg;
	void (*done)(void *priv);
	void (*failed)(void *priv, const struct pg_error *);
	void *priv;
};

struct sink {
	const char *name;            /* of --sink and in dt.positions */
	const char *program;         /* status file and application_name */
	const char *lock;            /* number of the advisory lock, as text: one store per sink and database */
	const char *migrations;      /* below sql/ */
	char *(*url)(void);
	const char *password;        /* name of the setting */

	const struct part *parts;
	int n_parts;
	const struct kind *kinds;    /* until type NULL, as the others */
	const struct load *loads;
	const struct chore *chores;

	void *(*open)(const struct store_config *);
	void (*close)(void *state);
	void (*forget)(void *state);
	void (*loaded)(void *state);                         /* may be NULL */
	/* Work that wants the database after the loads and before the first event, in as many queries as it likes; db->done when it is finished.  NULL: none. */
	void (*prepare)(void *state, const struct sink_db *db);

	void *(*own_new)(void);                              /* what a batch carries for the sink (struct batch's own); may be NULL */
	void (*own_clear)(void *own);
	void (*own_free)(void *own);
	/* A closed batch, before its parts are made of it, may first ask the database.  1: it does, and calls db->done; 0: there is nothing to ask. */
	int (*ask)(void *state, struct batch *, const struct sink_db *db);
	/* The database refused a row of a part that has a relation.  1: the sink has noted what to leave out of that event, all is made again without it; 0: the
	 * whole event is left out. */
	int (*culprit)(void *state, const struct batch *, int part, size_t row, const struct pg_error *);
	void (*row)(void *state, struct batch *, const struct pg_row *);     /* rows that the statements of a batch return, but for merged ones; may be NULL */
	void (*stored)(void *state, const struct batch *);   /* it is committed: for counters; may be NULL */
};

const struct sink *sink_find(const char *name);              /* NULL: there is none */

#endif
