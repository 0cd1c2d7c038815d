/* batch: the rows of a run of events as COPY text, and the one message that stores them with everything they change. */
#ifndef BATCH_H
#define BATCH_H
#include "buf/buf.h"
#include "pg/pg.h"
#include "state.h"

#define JOURNAL_ID_MAX 128
#define EVENT_TEXT_MAX 65536         /* bytes of an event in dead_letters */

enum part {                          /* in the order in which they are stored */
	PART_CHARACTERS, PART_MOBS, PART_SESSIONS,
	PART_TELEMETRY, PART_SPAWNS,
	PART_TELEMETRY_AGAIN, PART_SPAWNS_AGAIN,     /* may be there already */
	PART_RARES, PART_PORTALS, PART_DEAD,
	PART_COUNT
};
enum reason {
#define REASON(id, word) REASON_##id,
#include "reasons.def"
#undef REASON
	REASON_COUNT
};
const char *reason_word(enum reason);

enum oddity { TIME_LATE, TIME_FUTURE, TIME_UNREADABLE, TIME_COUNT };
enum series { SERIES_TELEMETRY, SERIES_SPAWNS, SERIES_COUNT };

struct days { int64_t *day; size_t n, cap; };        /* sorted, since 1970 */
int days_add(struct days *, int64_t day);            /* 1 when it was not there */
int days_have(const struct days *, int64_t day);
void days_fini(struct days *);

struct batch {
	char journal[JOURNAL_ID_MAX];        /* "": a capture, its position is not kept */
	uint64_t from, to;                   /* the position before and after */
	size_t events, rows, bytes;
	int64_t opened_ms, rx_us;            /* when its first event came; receive time of its last */
	struct buf part[PART_COUNT];
	size_t n[PART_COUNT];
	uint64_t *row_seq[PART_COUNT];       /* of events: which of them each row is */
	size_t row_cap[PART_COUNT];
	struct days days[SERIES_COUNT];
	int64_t times[TIME_COUNT], dead[REASON_COUNT];
	int64_t merged[SERIES_COUNT], merged_rares;          /* what the database says of them */
	struct buf sql;
	struct pg_piece piece[PART_COUNT];
	int n_pieces;
};

void batch_init(struct batch *);
void batch_fini(struct batch *);
void batch_clear(struct batch *);

/* Room for a row of up to n bytes in a part, then its end. */
char *batch_row(struct batch *, enum part, size_t n);
void batch_row_end(struct batch *, enum part, const char *end);
void batch_dead_letter(struct batch *, uint64_t seq, int64_t rx_us, enum reason, const char *detail, const char *line, size_t len);

/* Which event a refusal is about, by where PostgreSQL says that it was ("COPY telemetry, line 17, ..."); 0 when it does not say. */
uint64_t batch_culprit(const struct batch *, const char *context);

/* Makes sql and pieces of it.  Days that known lacks are made with it and added to known. */
void batch_compose(struct batch *, const char *sink, struct state *, struct days known[SERIES_COUNT]);

#endif
