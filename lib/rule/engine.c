#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock/clock.h"
#include "mem/mem.h"
#include "rule/rule_int.h"

#define WHO_SILENCE_V (30 * SECOND_US)   /* a character that was silent for longer has connected anew */
#define SET_BACK_US (2 * SECOND_US)      /* less is how clocks are corrected */
#define HOUR_US (3600 * SECOND_US)
#define FORGET_US (24 * HOUR_US)

struct rules *
rules_new(const struct rules_config *config)
{
	struct rules *rs = xcalloc(1, sizeof(*rs));

	rs->config = *config;
	rs->next_v = NEVER_V;
	buf_init(&rs->scratch, EVENT_LINE_MAX * 2u);
	return rs;
}

void
rules_free(struct rules **rsp)
{
	struct rules *rs = *rsp;

	if (rs == NULL)
		return;
	for (size_t i = 0; i < rs->n; i++) {
		gather_free(&rs->state[i]);
		table_free(&rs->state[i].table);
		rule_free(&rs->state[i].rule);
	}
	table_free(&rs->who);
	for (size_t i = 0; rs->types != NULL && rs->types[i] != NULL; i++)
		free(rs->types[i]);
	free(rs->types);
	free(rs->state);
	buf_fini(&rs->scratch);
	free(rs);
	*rsp = NULL;
}

void
rules_add(struct rules *rs, struct rule *rule)
{
	assert(rs->types == NULL);
	rs->state = xreallocarray(rs->state, rs->n + 1, sizeof(*rs->state));
	memset(&rs->state[rs->n], 0, sizeof(*rs->state));
	rs->state[rs->n++].rule = rule;
}

size_t
rules_count(const struct rules *rs)
{
	return rs->n;
}

const struct rule *
rules_at(const struct rules *rs, size_t i)
{
	return rs->state[i].rule;
}

const struct rule *
rules_find(const struct rules *rs, const char *name)
{
	for (size_t i = 0; i < rs->n; i++)
		if (strcmp(rs->state[i].rule->name, name) == 0)
			return rs->state[i].rule;
	return NULL;
}

static void
add_type(struct rules *rs, size_t *n, const char *type)
{
	for (size_t i = 0; i < *n; i++)
		if (strcmp(rs->types[i], type) == 0)
			return;
	rs->types = xreallocarray(rs->types, *n + 2, sizeof(*rs->types));
	rs->types[(*n)++] = xstrdup(type);
	rs->types[*n] = NULL;
}

/* Besides those that the rules name: what tells of connections and of the game server. */
const char *const *
rules_types(struct rules *rs)
{
	static const char *const always[] = { "register", "telemetry", "server_status" };
	size_t n = 0;

	if (rs->types == NULL) {
		for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++)
			add_type(rs, &n, always[i]);
		for (size_t i = 0; i < rs->n; i++)
			for (size_t k = 0; k < rs->state[i].rule->n_types; k++)
				add_type(rs, &n, rs->state[i].rule->type[k]);
	}
	return (const char *const *)rs->types;
}

uint64_t
rules_changes(const struct rules *rs)
{
	return rs->changes;
}

size_t
rules_pending(const struct rules *rs)
{
	size_t n = 0;

	for (size_t i = 0; i < rs->n; i++)
		n += rs->state[i].n_alerts;
	return n;
}

/* ---- time ---- */

struct silent {
	struct rules *rs;
	struct state *s;
	int64_t v, next;
};

static void
check_silence(void *priv, struct entry *e)
{
	struct silent *x = priv;
	int64_t us = rules_us(x->rs, e->due_v);

	if (e->due_v == 0)
		return;
	if (e->due_v > x->v) {
		if (e->due_v < x->next)
			x->next = e->due_v;
		return;
	}
	e->due_v = 0;
	if (x->s->rule->wait_server && x->rs->server_down)
		return;
	e->open = 1;
	rules_raise(x->rs, x->s, e, NULL, us);
}

/* Everything due up to v; silences first, since what they raise may be gathered. */
static void
let_pass(struct rules *rs, int64_t v)
{
	while (rs->next_v <= v) {
		int64_t step = rs->next_v, next = NEVER_V;

		for (size_t i = 0; i < rs->n; i++) {
			struct silent x = { rs, &rs->state[i], step, NEVER_V };
			if (rs->state[i].rule->on == RULE_SILENCE)
				table_each(&rs->state[i].table, check_silence, &x);
			gather_due(rs, &rs->state[i], step);
			if (x.next < next)
				next = x.next;
			if (gather_next(&rs->state[i]) < next)
				next = gather_next(&rs->state[i]);
		}
		rs->next_v = next;
	}
}

void
rules_advance(struct rules *rs, int64_t now_us)
{
	int64_t until = now_us + rs->back_us;

	if (rs->last_rx_us == 0)
		return;
	if (until > rs->last_rx_us + RULE_STREAM_GAP_US)
		until = rs->last_rx_us + RULE_STREAM_GAP_US;
	if (until < rs->now_us)
		return;
	let_pass(rs, rules_v(rs, until));
	rs->now_us = until;
}

struct age {
	const struct rule *rule;
	int64_t now_us;
};

static int
forgettable(void *priv, const struct entry *e)
{
	const struct age *a = priv;
	int64_t keep = FORGET_US, last = e->last_us > e->fired_us ? e->last_us : e->fired_us;

	if (a->rule->cooldown_us > keep)
		keep = a->rule->cooldown_us;
	if (a->rule->for_us + a->rule->silence_us > keep)
		keep = a->rule->for_us + a->rule->silence_us;
	return e->batch == 0 && e->due_v == 0 && a->now_us - last > keep;
}

static int
gone(void *priv, const struct entry *e)
{
	const struct rules *rs = priv;

	return rules_v(rs, rs->now_us) - e->last_us > FORGET_US;
}

static void
prune(struct rules *rs)
{
	if (rs->now_us / HOUR_US == rs->pruned_hour)
		return;
	rs->pruned_hour = rs->now_us / HOUR_US;
	for (size_t i = 0; i < rs->n; i++) {
		struct age age = { rs->state[i].rule, rs->now_us };
		table_prune(&rs->state[i].table, forgettable, &age);
	}
	table_prune(&rs->who, gone, rs);
}

/* ---- events ---- */

static int
wants(const struct rule *r, struct event_value type)
{
	for (size_t i = 0; i < r->n_types; i++)
		if (event_type_match(r->type[i], type.p, type.len))
			return 1;
	return 0;
}

static void
note_server(struct rules *rs, const struct event *ev)
{
	int online;

	if (!event_value_is(ev->type, "server_status") || event_bool(event_get(ev, "online"), &online) != 0 || rs->server_down == !online)
		return;
	rs->server_down = !online;
	rs->server_since_us = rs->now_us;
	rs->changes++;
}

/* Events that others make of a character are no sign of it. */
static int
from_character(const struct event *ev)
{
	static const char *const others[] = { "command", "command_status", "server_status", "player_offline", "alert" };

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (event_value_is(ev->type, others[i]))
			return 0;
	return 1;
}

static void
note_character(struct rules *rs, struct turn *t)
{
	struct entry *w;

	t->connected_us = INT64_MIN;
	if (event_string(t->ev->character_name, t->who, sizeof(t->who)) <= 0) {
		t->who[0] = '\0';
		return;
	}
	w = table_get(&rs->who, t->who, strlen(t->who), from_character(t->ev));
	if (w == NULL)
		return;
	if (from_character(t->ev)) {
		if (w->last_us == 0 || t->v - w->last_us > WHO_SILENCE_V || event_value_is(t->ev->type, "register"))
			w->since_us = t->us;
		w->last_us = t->v;
	}
	t->connected_us = w->since_us;
}

static int
is_needed(struct rules *rs, struct event_value type)
{
	const char *const *types = rules_types(rs);

	for (; *types != NULL; types++)
		if (event_type_match(*types, type.p, type.len))
			return 1;
	return 0;
}

/* A clock that is set back goes on from where it was, one that is set forward again about as far too; else one that is set forward is a pause. */
static int64_t
stream_time(struct rules *rs, int64_t rx_us)
{
	int64_t step = rx_us + rs->back_us - rs->last_rx_us;

	if (step < -SET_BACK_US)
		rs->back_us -= step;
	else if (step > RULE_STREAM_GAP_US && step >= rs->back_us / 2)
		rs->back_us -= step < rs->back_us ? step : rs->back_us;
	return rx_us + rs->back_us;
}

static void
pass_to(struct rules *rs, int64_t rx_us)
{
	int64_t us;

	if (rs->last_rx_us == 0)
		rs->now_us = rs->last_rx_us = rx_us;
	us = stream_time(rs, rx_us);
	if (us < rs->last_rx_us)
		us = rs->last_rx_us;             /* not now_us: how far we were advanced is not in the journal */
	rules_advance(rs, rules_wall(rs, us));
	if (us - rs->last_rx_us > RULE_STREAM_GAP_US)
		rs->lost_us += us - rs->last_rx_us - RULE_STREAM_GAP_US;
	rs->now_us = rs->last_rx_us = us;
	prune(rs);
}

/* Replays are for the rules that ask for them; nothing else learns of them. */
static int
is_wanted(const struct rule *r, const struct event *ev, int is_replay)
{
	return (!is_replay || r->replay) && wants(r, ev->type);
}

void
rules_event(struct rules *rs, const struct event *ev, int64_t rx_us)
{
	struct turn t = { .ev = ev };
	int is_replay, asked = 0;

	if (!is_needed(rs, ev->type))
		return;
	if (event_bool(event_get(ev, "_replay"), &is_replay) != 0)
		is_replay = 0;
	pass_to(rs, rx_us);
	for (size_t i = 0; i < rs->n; i++)
		asked |= is_wanted(rs->state[i].rule, ev, is_replay);
	if (is_replay && !asked)
		return;
	t.us = rs->now_us;
	t.v = rules_v(rs, t.us);
	if (!is_replay)
		note_server(rs, ev);
	note_character(rs, &t);
	for (size_t i = 0; i < rs->n; i++)
		if (is_wanted(rs->state[i].rule, ev, is_replay))
			rules_apply(rs, &rs->state[i], &t);
}
