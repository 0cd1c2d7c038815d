/* What the rules think of one character, for a person. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "clock/clock.h"
#include "rule/rule_int.h"

struct why {
	const struct rules *rs;
	const struct state *s;
	const char *who;
	struct buf *b;
	unsigned found;
};

static const char *
iso(const struct rules *rs, int64_t us, char out[CLOCK_ISO_SIZE])
{
	clock_format_iso(rules_wall(rs, us), out);
	return out;
}

/* A condition on one line. */
static void
add_condition(struct buf *b, const struct piece *p)
{
	for (size_t i = 0; i < p->len; i++) {
		if (p->p[i] == '\n' || p->p[i] == '\t')
			(void)buf_appends(b, " ");
		else if (p->p[i] != ' ' || i == 0 || p->p[i - 1] != ' ')
			(void)buf_append(b, p->p + i, 1);
	}
	(void)buf_appends(b, "\n");
}

static void
add_conditions(struct why *w, const struct entry *e)
{
	static const char *const words[] = { "unknown", "false", "true" };
	const struct rule *r = w->s->rule;
	char at[CLOCK_ISO_SIZE];

	for (size_t i = 0; i < r->n_when; i++) {
		(void)buf_printf(w->b, "    %-7s ", words[e->val[i] + 1]);
		if (e->val_since[i] > 0)
			(void)buf_printf(w->b, "since %s  ", iso(w->rs, e->val_since[i], at));
		add_condition(w->b, &r->when[i]);
	}
}

static void
add_hold(struct why *w, const struct entry *e)
{
	const struct rule *r = w->s->rule;
	char at[CLOCK_ISO_SIZE], then[CLOCK_ISO_SIZE];

	if (e->value != 1) {
		(void)buf_printf(w->b, "    would be raised when it holds for %" PRId64 " s\n", r->for_us / SECOND_US);
		return;
	}
	if (e->open)
		(void)buf_printf(w->b, "    holds since %s and was raised\n", iso(w->rs, e->since_us, at));
	else
		(void)buf_printf(w->b, "    holds since %s; would be raised at %s\n", iso(w->rs, e->since_us, at), iso(w->rs, e->since_us + r->for_us, then));
	if (e->open && r->say_cleared != NULL)
		(void)buf_printf(w->b, "    cleared by an event for which it is false (the last came at %s)\n", iso(w->rs, e->last_us, at));
	else
		(void)buf_printf(w->b, "    cleared by an event for which it is false, or by %" PRId64 " s without one (the last came at %s)\n",
		    r->silence_us / SECOND_US, iso(w->rs, e->last_us, at));
}

static void
add_silence(struct why *w, const struct entry *e)
{
	char at[CLOCK_ISO_SIZE];

	(void)buf_printf(w->b, "    heard last at %s\n", iso(w->rs, e->last_us, at));
	if (e->open)
		(void)buf_appends(w->b, "    silent for too long, and was raised; cleared by the next event\n");
	else if (e->due_v != 0)
		(void)buf_printf(w->b, "    would be raised at %s; put off by the next event\n", iso(w->rs, rules_us(w->rs, e->due_v), at));
}

static void
add_change(struct why *w, const struct entry *e)
{
	if (e->value == -1)
		(void)buf_appends(w->b, "    the next value only says where it begins\n");
	else if (e->value == 0)
		(void)buf_appends(w->b, "    would be raised when it becomes true without a reconnection before\n");
	else
		(void)buf_appends(w->b, e->open ? "    was raised; cleared when it becomes false\n" : "    was true when it began; cleared when it becomes false, and raised when it is true again\n");
}

static void
add_entry(void *priv, struct entry *e)
{
	struct why *w = priv;
	const struct rule *r = w->s->rule;
	char at[CLOCK_ISO_SIZE];

	if (*e->who != '\0' && strcmp(e->who, w->who) != 0)      /* what is about nobody is about everybody */
		return;
	w->found++;
	if (r->per.column != 1)                  /* not the default */
		(void)buf_printf(w->b, "  for %s\n", e->key);
	add_conditions(w, e);
	switch (r->on) {
	case RULE_MATCH: (void)buf_appends(w->b, "    raised by each event for which it is true; there is nothing to clear\n"); break;
	case RULE_CHANGE: add_change(w, e); break;
	case RULE_HOLD: add_hold(w, e); break;
	case RULE_SILENCE: add_silence(w, e); break;
	}
	if (e->fired_us > 0)
		(void)buf_printf(w->b, "    last alert at %s\n", iso(w->rs, e->fired_us, at));
	if (e->fired_us > 0 && w->rs->now_us - e->fired_us < r->cooldown_us)
		(void)buf_printf(w->b, "    quiet until %s (cooldown)\n", iso(w->rs, e->fired_us + r->cooldown_us, at));
}

void
rules_why(const struct rules *rs, const char *who, struct buf *b)
{
	char at[CLOCK_ISO_SIZE];

	(void)buf_printf(b, "%s at %s\n", who, iso(rs, rs->now_us, at));
	for (size_t i = 0; i < rs->n; i++) {
		struct why w = { rs, &rs->state[i], who, b, 0 };
		(void)buf_printf(b, "%s -> %s\n", rs->state[i].rule->name, rs->state[i].rule->target_shown);
		if (rs->state[i].rule->wait_server && rs->server_down)
			(void)buf_printf(b, "    waits: the game server is down since %s\n", iso(rs, rs->server_since_us, at));
		table_each(&rs->state[i].table, add_entry, &w);
		if (w.found == 0)
			(void)buf_appends(b, "    no event yet\n");
	}
}
