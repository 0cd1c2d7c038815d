/* batch: the rows of a run of events as COPY text, and the one message that stores them with everything they change. */
#ifndef BATCH_H
#define BATCH_H
#include "buf/buf.h"
#include "pg/pg.h"
#include "sink.h"

#define JOURNAL_ID_MAX 128
#define EVENT_TEXT_MAX 65536         /* bytes of an event in dead_letters */

enum oddity { TIME_LATE, TIME_FUTURE, TIME_UNREADABLE, TIME_COUNT };

struct rowset {                      /* the rows of one of the sink's parts */
	struct buf buf;
	size_t n, cap;
	uint64_t *seq;               /* which event each is of */
	int64_t merged;              /* what the database says of them */
	size_t deleted;              /* rows of its stage, since that was last truncated */
};

struct batch {
	const struct sink *sink;
	char journal[JOURNAL_ID_MAX];        /* "": a capture, its position is not kept */
	uint64_t from, to;                   /* the position before and after */
	size_t events, rows, bytes;
	int64_t opened_ms, rx_us;            /* when its first event came; receive time of its last */
	struct rowset *set;                  /* one a part, and the dead letters */
	uint64_t row_seq;                    /* the event that rows are of; 0: the last one */
	void *own;                           /* the sink's */
	const char *detail;                  /* from a kind that refuses: what is wrong, more than its reason; constant */
	int64_t times[TIME_COUNT], dead[REASON_COUNT];
	struct buf sql;
	struct pg_piece *piece;
	int n_pieces;
};

void batch_init(struct batch *, const struct sink *);
void batch_fini(struct batch *);
void batch_clear(struct batch *);

/* Begins a part (its number in the sink's table) that has no row yet; batch_row does. */
void batch_begin(struct batch *, int part);
/* Room for a row of up to n bytes in a part, then its end. */
char *batch_row(struct batch *, int part, size_t n);
void batch_row_end(struct batch *, int part, const char *end);
void batch_dead_letter(struct batch *, uint64_t seq, int64_t rx_us, enum reason reason, const char *detail, const char *line, size_t len);

/* Which event a refusal is about, by where PostgreSQL says that it was ("COPY telemetry, line 17, ..."); 0 when it does not say. */
uint64_t batch_culprit(const struct batch *, const char *context);
/* The row itself: 0 when it does not say. */
int batch_culprit_row(const struct batch *, const char *context, int *part, size_t *row);

/* SQL that empties a part's stage of n rows.  Those with a merging statement are emptied behind it; others by whoever reads them. */
void batch_empty_stage(struct batch *, int part, size_t n);

/* Makes sql and pieces of it. */
void batch_compose(struct batch *, void *state);

/* A row that a statement of the batch returned: what was merged, or for the sink. */
void batch_said(struct batch *, void *state, const struct pg_row *);
/* It is committed. */
void batch_count(const struct batch *);

#endif
