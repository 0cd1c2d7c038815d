/* answer: a query's rows as the answer to a request, as JSON or CSV.
 * A short one goes out whole with an ETag (304 when the client has it); a long one is streamed while the rows come, and the database waits for a slow reader.
 * When the client leaves the query is cancelled. */
#ifndef ANSWER_H
#define ANSWER_H
#include <stdint.h>

#include "buf/buf.h"
#include "http/http.h"
#include "pg/pool.h"

#define ANSWER_PARAMS 12
struct answer_step {                     /* a query */
	const char *sql;
	int n;
	const char *params[ANSWER_PARAMS];       /* text; borrowed for the call only */
	void (*seen)(void *priv, const struct pg_row *);          /* shown its rows, which are then no part of the answer; NULL: they are */
};

struct answer_end {
	int64_t rows, sum;
	int more;                        /* there are others: rows stopped at the limit */
	const char *cursor;              /* column of kind c in the last row of the answer; NULL: none, or nothing more to come */
};

struct answer_shape {
	const char *prefix;              /* of JSON, before the rows: `{"rares":[`; NULL: CSV, with a line of column names */
	const char *kinds;               /* a letter a column, see rowtext.h */
	int64_t limit;                   /* rows; the query was asked for one more, which only says that there are more.  0: all */
	int sum_column;                  /* whose integers are added up; -1: none (0 would be the first) */
	int is_long;                     /* many rows: never takes the last connection */
	int is_object;                   /* the answer is the first row itself, as an object; prefix is not used */
	int is_document;                 /* the answer is the first column of the first row, JSON as it stands */
	int status;                      /* instead of 200; 204: a row means done, without a body */
	int missing_status;              /* instead of 404 */
	const char *missing;             /* no row: 404 with this sentence.  NULL: an empty list is an answer too */
	/* Appends what follows the rows; JSON only.  NULL: `],"count":N,"more":false,"cursor":null}`, the last where the query has a column of kind c. */
	void (*suffix)(void *priv, const struct answer_end *, struct buf *out);
	void (*done)(void *priv);        /* the answer is over, for whatever reason; may be NULL */
	/* Of a long answer made of several queries: fills the next one and returns 1, or 0 when there is none.  n: rows that the one before gave.
	 * While the reader is slow no connection is taken.  on_row is shown each row that becomes part of the answer. */
	int (*next)(void *priv, int64_t n, struct answer_step *);
	void (*on_row)(void *priv, const struct pg_row *);
	void *priv;
};

/* Copies the shape but not what it points to.  Answers 503 when the database is away, too slow or overloaded. */
void answer_query(struct pool *, struct http_req *, const char *sql, int n_params, const char *const *params, const struct answer_shape *);

/* The same for an answer of several queries, shape's next. */
void answer_queries(struct pool *, struct http_req *, const struct answer_shape *);

/* A body made here: with an ETag, answered 304 when the client still has it.  bad: 500.  Ends the buffer's life. */
void answer_json(struct http_req *, struct buf *, int bad);

int answer_lacks_tables(const char *sqlstate);       /* dt-store has not been at this database yet: said once, not with each query */
/* What a failed query is answered with; NULL: the database is away. */
void answer_error(struct http_req *, const struct pg_error *);
int answer_wants_csv(struct http_req *);             /* Accept: text/csv; sets Vary */

#endif
