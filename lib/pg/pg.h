/* pg: one asynchronous connection to PostgreSQL as a struct pollable, with a queue of queries in front.
 *
 * It connects by itself and again after each loss, with back-off and jitter; it logs that the database went away and that it is back, not each try.
 * Queries are queued and run one after the other; their callbacks come from within the pollable's handle call, never from within pg_query.
 * Nothing is kept across a loss: what runs and what waits gets on_error with lost set, and while the connection is down pg_query refuses.
 * A query that runs longer than timeout_ms is cancelled by the server, or, when the server does not even do that, given up together with the
 * connection two seconds later: a hung server looks like one that went away.
 * In a callback everything here may be called but pg_free. */
#ifndef PG_H
#define PG_H
#include <stddef.h>
#include <stdint.h>

#include "buf/buf.h"
#include "loop/loop.h"

struct pg;
struct pg_config {
	const char *url;             /* URI or "key=value …", see libpq */
	const char *password;        /* where the url has none; NULL or "": none */
	const char *name;            /* application_name, "dt-store" */
	const char *what;            /* how log lines call it; NULL: "database" */
	const char *setup;           /* SQL that every new connection runs first; may be NULL */
	int64_t timeout_ms;          /* of a query and of connecting; 0: 10 s */
	void (*on_up)(void *priv);                       /* connected and set up; may be NULL */
	void (*on_down)(void *priv, const char *why);    /* a connection that was up is lost; after the queries' on_error; may be NULL */
	void (*on_idle)(void *priv);                     /* nothing runs or waits any more, also after a cancelled query; may be NULL */
	void *priv;
	int quiet;                   /* its coming and going is not logged */
};

struct pg *pg_new(const struct pg_config *);     /* copies the config; dies with 78 when the url is none */
void pg_free(struct pg **);                      /* no more callbacks */
struct pollable *pg_pollable(struct pg *);
int pg_up(const struct pg *);                    /* connected, set up: queries are taken */
const char *pg_why(const struct pg *);           /* why it is not up: the server's last words; "" when it is */
uint64_t pg_reconnects(const struct pg *);       /* how often a lost connection came back */
int pg_backend(const struct pg *);               /* process id of the server's backend, also of the last one lost; 0: never connected */
void pg_drop(struct pg *, const char *why);      /* close the connection as if it were lost; it comes back by itself */

/* ---- queries ---- */

struct pg_row;                                   /* borrowed during on_row */
struct pg_error {
	char sqlstate[6];                        /* "" when the error is not the server's */
	int lost;                                /* the connection is gone: whether the query took effect is not known */
	const char *message;                     /* one line */
	const char *context;                     /* "COPY telemetry, line 17, …" or "" */
};
struct pg_calls {
	void (*on_row)(void *priv, const struct pg_row *);       /* each row of each statement; may be NULL */
	void (*on_done)(void *priv);                             /* all went well; may be NULL */
	void (*on_error)(void *priv, const struct pg_error *);   /* instead of on_done; may be NULL: logged */
	void *priv;
	int stream;                              /* rows as they come, one at a time, rather than when all are here */
	int64_t timeout_ms;                      /* how long we wait for it; 0: as configured.  The server's statement_timeout is the statement's own business */
	int prepare;                             /* prepared once per connection, under its text; worth it for what runs often */
};

/* A statement with parameters $1… as text (NULL is SQL's null).  Copies all.  Returns a number for pg_cancel, 0 when the database is away. */
uint64_t pg_query(struct pg *, const char *sql, int n_params, const char *const *params, const struct pg_calls *);

/* Statements without parameters, separated by ';', in one message: one transaction unless they say otherwise.  Each COPY … FROM STDIN among them takes the
 * next piece; the bytes of the pieces are borrowed until on_done or on_error.  One COPY per piece: a mismatch is an error. */
struct pg_piece { const char *p; size_t len; };
uint64_t pg_exec(struct pg *, const char *sql, int n_pieces, const struct pg_piece *, const struct pg_calls *);

/* No more callbacks for it; the server is told to stop if it already runs.  Not for one with pieces: they would be borrowed nobody knows how long. */
void pg_cancel(struct pg *, uint64_t query);
size_t pg_queued(const struct pg *);             /* queries that wait or run */
void pg_pause(struct pg *, int on);              /* back-pressure for streamed rows: stop reading.  The server's own clock runs on, so not for longer than timeout_ms */

/* ---- results ---- */

int pg_columns(const struct pg_row *);
const char *pg_column_name(const struct pg_row *, int column);
int pg_null(const struct pg_row *, int column);
const char *pg_text(const struct pg_row *, int column, size_t *len);         /* "" for null; NUL-terminated; len may be NULL */
int64_t pg_int(const struct pg_row *, int column, int64_t fallback);         /* fallback for null and what is no integer */
double pg_double(const struct pg_row *, int column, double fallback);
int pg_bool(const struct pg_row *, int column);

/* ---- text for COPY and for SQL ---- */

/* s with COPY's escapes into out (room for 2 * len bytes); returns the end.  NUL bytes must not be in s. */
char *pg_copy_escape(char *out, const char *s, size_t len);
/* "2026-11-22 13:02:03.123456+00", 29 bytes, no NUL, into out (room for 32); returns the end.  Cheap with times of the same second. */
char *pg_copy_time(char *out, int64_t us);
#define PG_TIME_SIZE 32
int pg_append_literal(struct buf *, const char *s, size_t len);              /* s as an SQL string, quotes included; 0, or -1 over max */

/* DATABASE_URL, or the tracker's own: user and database dereth on the socket in $DT_RUN/pg.  Free it. */
char *pg_telemetry_url(void);
/* INVENTORY_DATABASE_URL, or the tracker's own: database inventory_db there. */
char *pg_inventory_url(void);

#endif
