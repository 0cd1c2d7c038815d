/* alertd: the parts of dt-alertd. */
#ifndef ALERTD_H
#define ALERTD_H
#include <stdint.h>

#include "post/post.h"
#include "rule/rule.h"

/* ---- load.c: the rules' files ---- */

struct loaded {
	struct rule **rule;
	size_t n;
	unsigned wrong;                  /* files that cannot be used; told */
};
/* The shipped rules, each replaced by the operator's of the same name, sorted by name.  own: directory of the operator's. */
void load_rules(struct loaded *, const char *own, int thorough);
/* These files only. */
void load_files(struct loaded *, char **paths, int n);
void load_free(struct loaded *);         /* the rules that were not taken (set to NULL) */
char *load_own_dir(void);                /* $DT_DATA/rules.d; free it */

/* ---- guard.c: what the expressions of rules may take ---- */

/* From now on a rule that takes too much ends the process: 75, and it is off at the next start (written); else 65. */
struct rule_running *guard_start(int written);
int guard_is_off(const struct rule *);

/* ---- target.c ---- */

struct target {
	char name[65];                   /* as post knows it */
	struct post_target post;
	char **argv;
};
/* 0, or -1 and why it cannot be used, a sentence without secrets (free it). */
int target_resolve(const struct rule *, struct target *, char **why);
/* Is it just not configured?  Else it is wrong. */
int target_is_unset(const struct rule *);
void target_free(struct target *);

/* ---- keep.c: the state file ---- */

struct kept {
	char journal[129];
	uint64_t seq;
};
char *keep_path(void);
/* 1: read; 0: there is none; -1: it is damaged, told, and put aside if that was asked for. */
int keep_read(struct kept *, struct rules *, int put_aside);
int keep_write(const struct kept *, const struct rules *, int sync);    /* 0, or -1, told once until it works again */

/* ---- print.c ---- */

void print_message(const struct rule_message *);         /* one JSON line on standard output */

/* ---- outbox.c: messages on their way, and the balance raised = sent + suppressed + pending + dead ---- */

struct outbox;
struct outbox *outbox_new(struct loop *, const char *in_path);
void outbox_free(struct outbox **);
/* May the rule post?  0, or -1 and why (free it). */
int outbox_rule(struct outbox *, const struct rule *, char **why);
void outbox_message(struct outbox *, const struct rule_message *);
void outbox_raised(size_t n);
void outbox_suppressed(const struct rule *, size_t n);
void outbox_gauge(const struct outbox *, size_t gathered);       /* sets the gauge of what is pending */
int outbox_settled(const struct outbox *);               /* nothing is only in memory: the state may be saved */
void outbox_stop(struct outbox *);                       /* nothing new is begun */
int outbox_idle(const struct outbox *);                  /* nothing is under way */

/* ---- the three that end ---- */

int offline_check(const char *own, char **paths, int n);
int offline_backtest(const char *own, const char *path);
int offline_why(const char *own, const char *who);

/* ---- live.c ---- */

struct live_options {
	const char *own, *in_path, *out_path;
	int dry_run, ready_fd;
};
int live_run(const struct live_options *);

#endif
