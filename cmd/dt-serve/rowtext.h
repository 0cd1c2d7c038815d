/* rowtext: rows of the database as JSON objects or as lines of CSV. */
#ifndef ROWTEXT_H
#define ROWTEXT_H
#include "buf/buf.h"
#include "pg/pg.h"

#define ROWTEXT_COLUMNS 64

struct rowtext {
	/* A letter a column: n number, t text, b boolean, j JSON as it stands, z timestamptz (made ISO-8601 with milliseconds); c the cursor, which is not part of the row. */
	const char *kinds;
	int csv;
	int n;                           /* columns known so far: the first row says */
	char *key[ROWTEXT_COLUMNS];      /* `"ew":` with what goes before it */
	size_t key_len[ROWTEXT_COLUMNS];
};

void rowtext_init(struct rowtext *, const char *kinds, int csv);
void rowtext_fini(struct rowtext *);
void rowtext_put(struct rowtext *, const struct pg_row *, int first, struct buf *out);      /* first: no comma before it; in CSV, the names before it */
int rowtext_cursor(const struct rowtext *);      /* the column of kind c; -1: none */
/* A text as a field of CSV, quoted as in RFC 4180.  One that a spreadsheet might take for a formula (it begins with = + - @, a tab or a line break) gets an
 * apostrophe in front, as OWASP has it in "CSV Injection": names are what players and plugins make them. */
void rowtext_put_csv(struct buf *out, const char *text, size_t len);

#endif
