/* rule_int: what the files of lib/rule share. */
#ifndef RULE_INT_H
#define RULE_INT_H
#include "filter/filter.h"
#include "rule/rule.h"

#define SECOND_US INT64_C(1000000)

/* A piece of the rule's text and where it stands. */
struct piece {
	const char *p;
	size_t len;
	unsigned line, column;           /* of its first byte */
};

struct rule {
	char *name, *path, *text;
	struct rule_env env;
	int bad;
	struct { unsigned line, column; } told[32];      /* errors, each once */
	unsigned n_told;

	char **type;                     /* NULL-terminated */
	size_t n_types;
	enum rule_on on;
	struct piece when[RULE_CONDITIONS_MAX];
	size_t n_when;
	struct piece per, keep, message, title, many, cleared, target_place;
	int64_t for_us, silence_us, cooldown_us, gather_us, back_us;
	size_t min;
	int wait_server, embed, enabled, replay;
	unsigned color;
	enum rule_target target;
	char *target_text, *target_shown;
	uint64_t hash;                   /* of what its state depends on */

	struct filter *judge;            /* an event → [[key], [[1],[0],…], [keep]] */
	struct filter *say, *say_many, *say_cleared;     /* → {"title","text"} */
	int troubled;
};

/* parse.c */
void rule_error(struct rule *, unsigned line, unsigned column, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void rule_error_at(struct rule *, const struct piece *, size_t offset, const char *text);
int rule_parse(struct rule *);
int rule_parse_duration(const char *p, size_t len, int64_t *us);

/* expr.c */
int rule_compile(struct rule *, int thorough);
/* The text of one string output; 0 or -1 with filter_error.  out gets a NUL-terminated copy to free. */
int rule_say(struct filter *, const char *json, size_t len, char **title, char **text);

/* table.c: what is remembered under each value of `per`. */
struct entry {
	struct entry *next;
	char *key, *who;                 /* key: JSON text; who: the character, or "" */
	signed char value;               /* of all conditions: 1, 0, -1 unknown */
	signed char val[RULE_CONDITIONS_MAX];
	int64_t val_since[RULE_CONDITIONS_MAX];
	int64_t since_us, last_us;       /* value is so since; the last event that said something */
	int64_t fired_us;                /* the last alert, for the cooldown; 0: none */
	int64_t due_v;                   /* RULE_SILENCE: when it is silent for too long, on the stream's own clock; 0: never */
	int open;                        /* the episode has been raised */
	uint64_t batch;                  /* in whose message it was told; 0: none */
	char *first;                     /* what `keep` was when the episode began */
};
struct table {
	struct entry **bucket;
	size_t n_buckets, n;
};
struct entry *table_get(struct table *, const char *key, size_t len, int make);
void table_each(const struct table *, void (*f)(void *priv, struct entry *), void *priv);
void table_prune(struct table *, int (*old)(void *priv, const struct entry *), void *priv);
void table_free(struct table *);

/* engine.c */
struct alert {
	char *who, *text, *title, *key;
	int64_t at_us;
};
struct batch {                           /* a message whose end is to be told too */
	uint64_t id;
	int64_t at_us, due_v;            /* due_v: the end is told by then at the latest; 0: nobody is back yet */
	char **back;
	size_t n_back, left;
};
struct state {
	struct rule *rule;
	struct table table;
	struct alert *alert;             /* gathered */
	size_t n_alerts;
	int64_t gather_v;                /* when they are to be told; 0: none are gathered */
	struct batch *batch;
	size_t n_batches;
};
struct rules {
	struct rules_config config;
	struct state *state;
	size_t n;
	char **types;
	struct table who;                /* last_us, since_us of each character, on the stream's own clock */
	/* The stream's time: when events came, but a clock that was set back is taken to go on; on the stream's own clock (…_v) long pauses are left out too. */
	int64_t now_us, last_rx_us, lost_us, next_v;
	int64_t back_us;                 /* so far the clock was set back */
	int server_down;
	int64_t server_since_us;
	uint64_t number, changes;        /* of messages and batches; of changes */
	int64_t pruned_hour;
	struct buf scratch;
};
#define NEVER_V INT64_MAX

#define RULE_KEY_BYTES 480
#define RULE_NAME_BYTES 400
/* An event that is being judged. */
struct turn {
	const struct event *ev;
	int64_t us, v;
	char who[RULE_NAME_BYTES];
	int64_t connected_us;            /* since when the character is there without a break */
};

/* What the judge said of it. */
struct verdict {
	char key[RULE_KEY_BYTES + 24];
	size_t key_len;
	signed char val[RULE_CONDITIONS_MAX];
	int value;
	char *first;                     /* of keep; borrowed from the scratch buffer */
	size_t first_len;
};

/* judge.c */
void rules_run(struct rules *, const struct rule *);             /* an expression of this rule begins; NULL: it has ended */
void rules_trouble(struct rules *, struct rule *, const char *text);
/* What `keep` was for e (or NULL) goes in as _first.  0, or -1 when the event is nothing to the rule. */
int rules_judge(struct rules *, struct rule *, const struct turn *, const struct entry *, struct verdict *);

/* step.c */
void rules_apply(struct rules *, struct state *, const struct turn *);
void rules_raise(struct rules *, struct state *, struct entry *, const struct turn *, int64_t at_us);     /* turn: NULL when no event raised it */

/* gather.c */
void gather_add(struct rules *, struct state *, struct entry *, char *title, char *text, int64_t at_us);
void gather_cleared(struct rules *, struct state *, struct entry *, int64_t at_us);
int64_t gather_next(const struct state *);                       /* stream clock of the next thing to do */
void gather_due(struct rules *, struct state *, int64_t v);      /* does it */
void gather_free(struct state *);
static inline int64_t rules_v(const struct rules *rs, int64_t us) { return us - rs->lost_us; }
static inline int64_t rules_wall(const struct rules *rs, int64_t us) { return us - rs->back_us; }    /* what clocks show at it */
static inline int64_t rules_us(const struct rules *rs, int64_t v) { return v + rs->lost_us; }

#endif
