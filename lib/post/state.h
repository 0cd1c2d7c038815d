/* state: what target.c, answer.c and post.c share. */
#ifndef POST_STATE_H
#define POST_STATE_H
#include "post/internal.h"

struct bucket {
	char id[160];            /* what Discord calls it, and whose it is */
	int64_t until_ms;
	struct bucket *next;
};

struct target {
	struct post *post;
	char *name, *url, **argv, *definition, *major;
	enum post_kind kind;
	int set, shut;           /* shut: the status that did it */
	int suspect;             /* its last try may or may not have arrived */
	unsigned failures, generation, tried_generation, tried_discord;
	int64_t not_before_ms;
	struct bucket *bucket;   /* NULL: nothing known */
	struct spool_message *message;   /* being sent */
	struct spool_message *first;     /* within one pump: the oldest that waits */
	struct post_command *command;
	size_t waiting;          /* within one pump */
	struct target *next;
};

struct post {
	struct post_config config;
	char *base, *token;
	struct pollable pump;
	struct post_http *http;
	struct spool *spool;
	struct target *targets, *lane, *last_lane;
	struct bucket *buckets;
	int64_t global_until_ms;
	size_t in_flight, discord_in_flight;
	uint64_t random;
	int stopped, told_invalid;
};

extern const char *const post_kinds[];   /* by enum post_kind */

/* target.c */
struct target *post_target_find(const struct post *, const char *name);
int post_target_is_name(const char *);
void post_target_clear(struct target *);         /* what it was defined as */
void post_count_shut(struct post *);
static inline int post_is_discord(const struct target *t) { return t->kind == POST_CHANNEL || t->kind == POST_DISCORD_WEBHOOK; }

/* answer.c */
void post_on_result(void *target, const struct post_result *);
void post_dead(struct post *, struct spool_message *, const char *reason, const char *words);

/* post.c */
void post_pump_soon(struct post *);
void post_count_waiting(struct post *);

#endif
