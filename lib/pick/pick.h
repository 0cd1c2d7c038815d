/* pick: which events a person asked for, by type, character and range.
 * The bus picks so for its subscribers; programs that read a journal themselves do it with this, by the same rules. */
#ifndef PICK_H
#define PICK_H
#include <stddef.h>
#include <stdint.h>

struct bus_match;
struct event;

/* Words as dt-tap and dt-replay take them; a trailing '*' makes one a prefix. */
struct pick_words {
	char **word;                         /* NULL-terminated, or NULL when there are none: all pass */
	size_t n;
};
int pick_words_add(struct pick_words *, const char *commas);   /* "rare,chat*"; -1: an empty word, or more than 256 in all */
void pick_words_option(const char *option, struct pick_words *, const char *arg);   /* the same for an option: says what is wrong, exit 64 */
void pick_words_free(struct pick_words *);

enum pick_kind { PICK_NONE, PICK_SEQ, PICK_TIME, PICK_EARLIEST };
struct pick_position {
	enum pick_kind kind;
	uint64_t seq;
	int64_t us;
};
/* A _seq (digits only), "earliest", or a time as clock_parse_human takes it.  0 or -1. */
int pick_position_parse(const char *text, int64_t now_us, struct pick_position *);
void pick_position_option(const char *option, struct pick_position *, const char *arg);
char *pick_position_text(const struct pick_position *);        /* as the bus takes it; NULL for PICK_NONE; free it */

struct pick {
	struct pick_words types, characters;
	struct pick_position from, to;       /* inclusive */
	struct bus_match *match;             /* of types and characters, made by the first pick_matches: no more words then */
};
void pick_free(struct pick *);
int pick_matches(struct pick *, const struct event *);
/* -1 before the range, 0 in it, 1 behind it.  An event without a stamp goes by line, its number in the capture, and by its timestamp. */
int pick_range(const struct pick *, const struct event *, uint64_t line);
/* When the event came (_rx), else when it says it happened; -1 when neither is there. */
int pick_time(const struct event *, int64_t *us);

#endif
