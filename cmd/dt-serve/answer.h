/* answer: a query's rows as the answer to a request, streamed as JSON or CSV while they come. */
#ifndef ANSWER_H
#define ANSWER_H
#include <stdint.h>

#include "buf/buf.h"
#include "http/http.h"
#include "pg/pg.h"

struct answer_shape {
	const char *prefix;              /* of JSON, before the rows; NULL: CSV, with a line of column names */
	const char *kinds;               /* a letter a column: n number, t text */
	int64_t limit;                   /* rows; the query was asked for one more, which only says that there are more.  0: all */
	int sum_column;                  /* whose integers are added up; -1: none */
	/* Appends what follows the rows; JSON only. */
	void (*suffix)(void *priv, int64_t rows, int64_t sum, int more, struct buf *out);
	void (*done)(void *priv);        /* the answer is over, for whatever reason; may be NULL */
	void *priv;
};

/* Answers 503 when the database is away. */
void answer_query(struct pg *, struct http_req *, const char *sql, int n_params, const char *const *params, const struct answer_shape *);

#endif
