/* What a verdict does to what a rule remembers, and the alerts that it raises. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock/clock.h"
#include "mem/mem.h"
#include "rule/rule_int.h"

static void
suppressed(struct rules *rs, const struct rule *r, size_t n, const char *why)
{
	if (n > 0 && rs->config.on_suppressed != NULL)
		rs->config.on_suppressed(rs->config.priv, r, n, why);
}

/* ---- raising ---- */

static void
member(struct buf *b, const char *name, const char *value)
{
	(void)buf_printf(b, ",\"%s\":", name);
	(void)buf_append_json(b, value, strlen(value));
}

static void
duration_text(int64_t us, char out[32])
{
	int64_t s = us / SECOND_US;

	if (s < 60)
		(void)snprintf(out, 32, "%" PRId64 "s", s);
	else if (s < 3600)
		(void)snprintf(out, 32, s % 60 ? "%" PRId64 "m %" PRId64 "s" : "%" PRId64 "m", s / 60, s % 60);
	else
		(void)snprintf(out, 32, "%" PRId64 "h %" PRId64 "m", s / 3600, s / 60 % 60);
}

/* The event with what the rule knows besides, for its templates. */
static void
say_input(const struct rules *rs, struct buf *b, const struct rule *r, const struct entry *e, const struct turn *t, int64_t at_us)
{
	char iso[CLOCK_ISO_SIZE], length[32];

	clock_format_iso(rules_wall(rs, at_us), iso);
	duration_text(at_us - e->since_us, length);
	buf_clear(b);
	if (t != NULL) {
		(void)buf_append(b, t->ev->line + t->ev->body, t->ev->body_end - t->ev->body);
		b->len--;
	} else {
		(void)buf_appends(b, "{\"type\":\"silence\"");
		member(b, "timestamp", iso);
		member(b, "character_name", e->who);
	}
	member(b, "_rule", r->name);
	member(b, "_at", iso);
	member(b, "_for", length);
	(void)buf_printf(b, ",\"_key\":%s", e->key);
	if (e->first != NULL)
		(void)buf_printf(b, ",\"_first\":%s", e->first);
	(void)buf_appends(b, "}");
}

void
rules_raise(struct rules *rs, struct state *s, struct entry *e, const struct turn *t, int64_t at_us)
{
	struct rule *r = s->rule;
	char *title, *text;
	int failed;

	rs->changes++;
	if (rs->config.on_raised != NULL)
		rs->config.on_raised(rs->config.priv, r, 1);
	if (r->cooldown_us > 0 && e->fired_us > 0 && at_us - e->fired_us < r->cooldown_us) {
		suppressed(rs, r, 1, "cooldown");
		return;
	}
	e->fired_us = at_us;
	say_input(rs, &rs->scratch, r, e, t, at_us);
	rules_run(rs, r);
	failed = rule_say(r->say, buf_data(&rs->scratch), buf_size(&rs->scratch), &title, &text);
	rules_run(rs, NULL);
	if (failed) {
		rules_trouble(rs, r, filter_error(r->say));
		title = xstrdup("");
		text = xasprintf("%s: %s (its message failed)", r->name, *e->who ? e->who : "alert");
	}
	gather_add(rs, s, e, title, text, at_us);
}

static void
end_episode(struct rules *rs, struct state *s, struct entry *e, int64_t at_us)
{
	if (!e->open)
		return;
	e->open = 0;
	rs->changes++;
	gather_cleared(rs, s, e, at_us);
}

/* What was told and whose end is told too goes on until an event says that it is over. */
static int
has_end(const struct entry *e, const struct rule *r)
{
	return e->open && r->say_cleared != NULL;
}

static void
forget_value(struct rules *rs, struct state *s, struct entry *e, int64_t us)
{
	end_episode(rs, s, e, us);
	e->value = -1;
	e->due_v = 0;
	free(e->first);
	e->first = NULL;
}

/* ---- verdicts ---- */

static void
set_values(struct entry *e, const struct rule *r, const struct verdict *d, int64_t us)
{
	for (size_t i = 0; i < r->n_when; i++)
		if (e->val[i] != d->val[i]) {
			e->val[i] = d->val[i];
			e->val_since[i] = us;
		}
	if (d->value != -1 && e->value != d->value) {
		e->value = (signed char)d->value;
		e->since_us = us;
	}
}

static void
on_match(struct rules *rs, struct state *s, struct entry *e, const struct turn *t, const struct verdict *d)
{
	set_values(e, s->rule, d, t->us);
	e->last_us = t->us;
	if (d->value != 1)
		return;
	e->since_us = t->us;
	rules_raise(rs, s, e, t, t->us);
}

/* The first value after a connection is only where it begins. */
static void
on_change(struct rules *rs, struct state *s, struct entry *e, const struct turn *t, const struct verdict *d)
{
	int was = e->value, known = was != -1 && e->last_us >= t->connected_us;

	if (d->value == -1)
		return;
	set_values(e, s->rule, d, t->us);
	e->last_us = t->us;
	if (d->value == 0) {
		end_episode(rs, s, e, t->us);
	} else if (known && was == 0) {
		e->open = 1;
		rules_raise(rs, s, e, t, t->us);
	}
}

static void
on_hold(struct rules *rs, struct state *s, struct entry *e, const struct turn *t, struct verdict *d)
{
	struct rule *r = s->rule;

	if (e->value == 1 && t->us - e->last_us > r->silence_us && !has_end(e, r))
		forget_value(rs, s, e, t->us);
	if (d->value == -1)
		return;
	if (d->value == 0)
		end_episode(rs, s, e, t->us);
	if (d->value == 0 && e->first != NULL) {         /* what was kept no longer fits; this event may be where it begins anew */
		free(e->first);
		e->first = NULL;
		e->value = 0;
		if (rules_judge(rs, r, t, NULL, d) != 0)
			return;
	}
	if (d->value == 1 && e->value != 1 && d->first != NULL)
		e->first = xstrndup(d->first, d->first_len);
	set_values(e, r, d, t->us);
	e->last_us = t->us;
	if (d->value == 1 && !e->open && t->us - e->since_us >= r->for_us) {
		e->open = 1;
		rules_raise(rs, s, e, t, t->us);
	}
}

static void
on_heard(struct rules *rs, struct state *s, struct entry *e, const struct turn *t, const struct verdict *d)
{
	if (s->rule->n_when > 0)
		set_values(e, s->rule, d, t->us);
	if (d->value == 0)
		forget_value(rs, s, e, t->us);
	if (d->value != 1)
		return;
	end_episode(rs, s, e, t->us);
	e->last_us = e->since_us = t->us;
	e->due_v = t->v + s->rule->for_us;
	if (e->due_v < rs->next_v)
		rs->next_v = e->due_v;
}

static struct entry *
entry_of(struct rules *rs, struct state *s, const struct turn *t, const struct verdict *d)
{
	struct entry *e = table_get(&s->table, d->key, d->key_len, 1);

	if (e == NULL) {
		rules_trouble(rs, s->rule, "too many different values of `per`; further ones are left out");
		return NULL;
	}
	if (*t->who && strcmp(e->who, t->who) != 0) {
		free(e->who);
		e->who = xstrdup(t->who);
	}
	return e;
}

void
rules_apply(struct rules *rs, struct state *s, const struct turn *t)
{
	struct verdict d;
	struct entry *e;

	if (rules_judge(rs, s->rule, t, NULL, &d) != 0 || (e = entry_of(rs, s, t, &d)) == NULL)
		return;
	if (e->first != NULL && rules_judge(rs, s->rule, t, e, &d) != 0)
		return;
	rs->changes++;
	if (s->rule->wait_server && rs->server_down && has_end(e, s->rule))
		return;
	if (s->rule->wait_server && rs->server_down) {
		forget_value(rs, s, e, t->us);
		return;
	}
	switch (s->rule->on) {
	case RULE_MATCH: on_match(rs, s, e, t, &d); break;
	case RULE_CHANGE: on_change(rs, s, e, t, &d); break;
	case RULE_HOLD: on_hold(rs, s, e, t, &d); break;
	case RULE_SILENCE: on_heard(rs, s, e, t, &d); break;
	}
}
