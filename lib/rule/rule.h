/* rule: events in, alerts out.  Rules are texts (dt-rules(5)); here they are read, compiled and applied.
 *
 * Pure: no clock, no descriptor.  Time is the stream's receive time, handed in with each event, so the same events give the same messages whenever
 * they are read: live, after a restart, or from a journal.  rules_advance lets time pass where no event comes.
 * Times are microseconds of wall time; where the clock is set back, time goes on for the rules. */
#ifndef RULE_H
#define RULE_H
#include <stddef.h>
#include <stdint.h>

#include "buf/buf.h"
#include "event/event.h"

#define RULE_CONDITIONS_MAX 8
#define RULE_TEXT_MAX (64u << 10)        /* bytes of a rule's file */
#define RULE_KEYS_MAX 20000              /* values of `per` that a rule remembers */
#define RULE_STREAM_GAP_US 25000000      /* a stream that is silent for longer says nothing about who is silent */

/* ---- one rule ---- */

enum rule_on { RULE_MATCH, RULE_CHANGE, RULE_HOLD, RULE_SILENCE };
enum rule_target { RULE_STREAM, RULE_CHANNEL, RULE_WEBHOOK, RULE_HTTP, RULE_COMMAND };

struct rule;
struct rule_env {
	/* A setting's value, "" when unset, NULL when there is no such setting or it is a secret. */
	const char *(*setting)(void *priv, const char *name);
	/* What is wrong with a rule's text; line and column from 1. */
	void (*on_error)(void *priv, const char *path, unsigned line, unsigned column, const char *text);
	void *priv;
};
/* Copies all.  NULL when something is wrong, and all of it has been told.  thorough also looks at each expression alone, and at those of a rule that is not enabled, which takes longer. */
struct rule *rule_new(const struct rule_env *, const char *name, const char *path, const char *text, size_t len, int thorough);
void rule_free(struct rule **);
const char *rule_name(const struct rule *);
uint64_t rule_text_hash(const struct rule *);            /* another text has another one */
const char *rule_path(const struct rule *);
int rule_enabled(const struct rule *);
enum rule_target rule_target(const struct rule *);
const char *rule_target_text(const struct rule *);       /* "channel:ACLOG_CHANNEL_ID"; of an address only the host, since the rest may be a secret */
const char *rule_target_arg(const struct rule *);        /* behind the colon */
void rule_target_place(const struct rule *, unsigned *line, unsigned *column);

/* ---- all of them ---- */

struct rule_alert {
	const char *who;                 /* the character, or "" */
	const char *text;
};

/* What is to be posted; borrowed during the call. */
struct rule_message {
	const struct rule *rule;
	const char *key;                 /* the same for the same message whenever the events are read again */
	int64_t at_us;
	const struct rule_alert *alert;  /* what it is made of */
	size_t n;
	int cleared;                     /* tells that something is over */
	int embed;
	unsigned color;
	const char *title;               /* "" when there is none */
	const char *text;
};

struct rules;
struct rules_config {
	void (*on_message)(void *priv, const struct rule_message *);
	void (*on_raised)(void *priv, const struct rule *, size_t n);              /* NULL: nobody asks */
	void (*on_suppressed)(void *priv, const struct rule *, size_t n, const char *why);
	void (*on_trouble)(void *priv, const struct rule *, const char *text);     /* an expression failed on an event; told once for each rule */
	/* NULL, or what is kept up to date for who limits the time and memory of expressions (they can ask for any): see filter/filter.h. */
	struct rule_running {
		const struct rule *volatile rule;        /* whose expression runs; NULL: none does */
		volatile unsigned long number;           /* of the run */
	} *running;
	void *priv;
};
struct rules *rules_new(const struct rules_config *);
void rules_free(struct rules **);
void rules_add(struct rules *, struct rule *);           /* takes it over; names are unique */
size_t rules_count(const struct rules *);
const struct rule *rules_at(const struct rules *, size_t);
const struct rule *rules_find(const struct rules *, const char *name);
/* The types that they need, NULL-terminated, borrowed; events of other types change nothing. */
const char *const *rules_types(struct rules *);

void rules_event(struct rules *, const struct event *, int64_t rx_us);
void rules_advance(struct rules *, int64_t now_us);      /* all events up to now_us have been handed in */
size_t rules_pending(const struct rules *);              /* alerts that are gathered and not in a message yet */
uint64_t rules_changes(const struct rules *);            /* grows with every change of the state */

/* The whole state as lines of JSON, and back: into rules to which nothing has been handed in yet.  What belongs to rules that are no more, or that
 * were written anew, is left out (cooldowns stay).  -1: not such a text; nothing of it is taken. */
void rules_save(const struct rules *, struct buf *);
int rules_load(struct rules *, const char *text, size_t len);

/* For a person: each rule's conditions for one character, since when they are as they are, what would raise or clear it. */
void rules_why(const struct rules *, const char *who, struct buf *);

#endif
