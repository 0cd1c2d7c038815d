/* What the parts of lib/pg share; nobody else includes this. */
#ifndef PG_INT_H
#define PG_INT_H
#include <libpq-fe.h>

#include "pg/pg.h"

#define PG_BACKOFF_MIN_MS 100
#define PG_GRACE_MS 2000             /* the server's own timeout gets so much longer before we stop believing in it */
#define PG_PREPARED_MAX 64

enum state { DOWN, CONNECTING, UP };
enum phase { PREPARING, RUNNING };

struct query {
	struct query *next;
	uint64_t id;
	char *sql;
	int simple;                  /* several statements and COPY allowed; no parameters */
	int n;                       /* parameters or pieces */
	char **param;
	struct pg_piece *piece;
	struct pg_calls calls;
	int internal, cancelled;
};

struct pg {
	struct pollable pollable;    /* first: handle() casts back */
	struct pg_config config;
	PGconn *conn;
	enum state state;
	int ready;                   /* setup has run */
	int said_away, was_up;
	size_t told;                     /* libpq's message of this length is about a query that is over */
	int64_t up_since, backoff_ms, now_ms;
	int64_t cur_deadline;        /* when the running query is given up */
	char *drop_why, *why;
	uint64_t next_id, reconnects;
	int backend;

	struct query *queue, **tail;
	size_t n_queued;
	struct query *cur;
	enum phase phase;
	int copying, want_write, paused;
	int next_piece;
	size_t piece_off;
	int failed;                  /* the running query met an error: */
	char sqlstate[6];
	char *message, *context;
	char *prepared[PG_PREPARED_MAX];
	int n_prepared;
};

struct pg_row { const PGresult *res; int row; };

/* pg.c: the queue */
struct query *pg_enqueue(struct pg *, const char *sql, const struct pg_calls *);
struct query *pg_dequeue(struct pg *);
void pg_query_free(struct query *);
void pg_fail_query(struct pg *, struct query *, const char *sqlstate, const char *message, const char *context, int lost);
int64_t pg_deadline(const struct pg *, int64_t now_ms);      /* of the query that runs, from now on */
void pg_set_text(char **at, const char *text);       /* a copy on one line */

/* pg_run.c: one query after the other; -1 when the connection is lost */
int pg_step(struct pg *);

/* pg_link.c: the connection */
void pg_handle(struct pollable *, short revents, int64_t now_ms);
void pg_setup_done(struct pg *);
void pg_forget_prepared(struct pg *);
void pg_check_url(const char *url);                  /* dies with 78 when it is none */

#endif
