#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock/clock.h"
#include "mem/mem.h"
#include "rule/rule_int.h"

#define WHO_SILENCE_V (30 * SECOND_US)   /* a character that was silent for longer has connected anew */
#define HOUR_US (3600 * SECOND_US)
#define FORGET_US (24 * HOUR_US)
#define KEY_MAX 480
#define NAME_BYTES 400

/* An event that is being judged. */
struct turn {
	const struct event *ev;
	int64_t us, v;
	char who[NAME_BYTES];
	int64_t connected_us;            /* since when the character is there without a break */
};

/* What the judge said of it. */
struct verdict {
	char key[KEY_MAX + 24];
	size_t key_len;
	signed char val[RULE_CONDITIONS_MAX];
	int value;
	char *first;                     /* of keep; borrowed from the scratch buffer */
	size_t first_len;
};

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

int64_t
rules_now(const struct rules *rs)
{
	return rs->now_us;
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

void
rules_trouble(struct rules *rs, struct rule *r, const char *text)
{
	if (!r->troubled++ && rs->config.on_trouble != NULL)
		rs->config.on_trouble(rs->config.priv, r, text);
}

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
say_input(struct buf *b, const struct rule *r, const struct entry *e, const struct turn *t, int64_t at_us)
{
	char iso[CLOCK_ISO_SIZE], length[32];

	clock_format_iso(at_us, iso);
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

static void
raise(struct rules *rs, struct state *s, struct entry *e, const struct turn *t, int64_t at_us)
{
	struct rule *r = s->rule;
	char *title, *text;

	rs->changes++;
	if (rs->config.on_raised != NULL)
		rs->config.on_raised(rs->config.priv, r, 1);
	if (r->cooldown_us > 0 && e->fired_us > 0 && at_us - e->fired_us < r->cooldown_us) {
		suppressed(rs, r, 1, "cooldown");
		return;
	}
	e->fired_us = at_us;
	say_input(&rs->scratch, r, e, t, at_us);
	if (rule_say(r->say, buf_data(&rs->scratch), buf_size(&rs->scratch), &title, &text) != 0) {
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

static void
forget_value(struct rules *rs, struct state *s, struct entry *e, int64_t us)
{
	end_episode(rs, s, e, us);
	e->value = -1;
	e->due_v = 0;
	free(e->first);
	e->first = NULL;
}

/* ---- judging ---- */

static void
copy_output(void *priv, const char *json, size_t len)
{
	struct buf *b = priv;

	buf_clear(b);
	(void)buf_append(b, json, len);
}

/* The first element of [x] or [], as JSON text; strings with their quotes. */
static int
only_element(struct event_value list, const char **p, size_t *len)
{
	struct event_value v;
	size_t at = 0;

	if (!event_next(list, &at, NULL, &v))
		return -1;
	*p = v.kind == EVENT_STRING ? v.p - 1 : v.p;
	*len = v.kind == EVENT_STRING ? v.len + 2 : v.len;
	return 0;
}

/* A key that is too long is its beginning and a hash of all of it. */
static void
take_key(struct verdict *d, const char *p, size_t len)
{
	uint64_t h = 1469598103934665603u;

	if (len <= KEY_MAX) {
		memcpy(d->key, p, len);
		d->key_len = len;
	} else {
		for (size_t i = 0; i < len; i++)
			h = (h ^ (unsigned char)p[i]) * 1099511628211u;
		d->key_len = (size_t)snprintf(d->key, sizeof(d->key), "\"#%016" PRIx64 "\"", h);
	}
	d->key[d->key_len] = '\0';
}

static void
take_values(struct rules *rs, struct rule *r, struct event_value list, struct verdict *d)
{
	struct event_value one;
	const char *p;
	size_t at = 0, len;

	d->value = 1;
	for (size_t i = 0; i < r->n_when; i++) {
		d->val[i] = -1;
		if (event_next(list, &at, NULL, &one) && only_element(one, &p, &len) == 0) {
			if (*p == '"')
				rules_trouble(rs, r, p);
			else
				d->val[i] = *p == '1';
		}
		if (d->val[i] == 0)
			d->value = 0;
		else if (d->val[i] == -1 && d->value == 1)
			d->value = -1;
	}
}

/* 0, or -1 when the event is nothing to the rule. */
static int
judge(struct rules *rs, struct rule *r, const char *line, size_t len, struct verdict *d)
{
	struct event_value all = { .kind = EVENT_ARRAY }, v;
	struct buf *out = &rs->scratch;
	const char *p;
	size_t at = 0, n;

	buf_clear(out);
	if (filter_run(r->judge, line, len, 0, copy_output, out) != 0 || buf_append(out, "", 1) != 0) {
		rules_trouble(rs, r, filter_error(r->judge));
		return -1;
	}
	all.p = buf_data(out);
	all.len = (uint32_t)buf_size(out) - 1;
	if (!event_next(all, &at, NULL, &v) || only_element(v, &p, &n) != 0)
		return -1;
	take_key(d, p, n);
	if (!event_next(all, &at, NULL, &v))
		return -1;
	take_values(rs, r, v, d);
	d->first = NULL;
	d->first_len = 0;
	if (event_next(all, &at, NULL, &v) && only_element(v, &p, &n) == 0 && n < 4096) {
		d->first = buf_data(out) + (p - buf_data(out));
		d->first_len = n;
	}
	return 0;
}

/* What `keep` was goes in as _first. */
static int
judge_event(struct rules *rs, struct rule *r, const struct turn *t, const struct entry *e, struct verdict *d)
{
	struct buf line = BUF_INIT(EVENT_LINE_MAX + 8192u);
	int got;

	if (r->keep.p == NULL || e == NULL || e->first == NULL)
		return judge(rs, r, t->ev->line + t->ev->body, t->ev->body_end - t->ev->body, d);
	(void)buf_append(&line, t->ev->line + t->ev->body, t->ev->body_end - t->ev->body - 1);
	(void)buf_printf(&line, ",\"_first\":%s}", e->first);
	got = judge(rs, r, buf_data(&line), buf_size(&line), d);
	buf_fini(&line);
	return got;
}

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
	raise(rs, s, e, t, t->us);
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
		raise(rs, s, e, t, t->us);
	}
}

static void
on_hold(struct rules *rs, struct state *s, struct entry *e, const struct turn *t, struct verdict *d)
{
	struct rule *r = s->rule;

	if (e->value == 1 && t->us - e->last_us > r->silence_us)
		forget_value(rs, s, e, t->us);
	if (d->value == -1)
		return;
	if (d->value == 0)
		end_episode(rs, s, e, t->us);
	if (d->value == 0 && e->first != NULL) {         /* what was kept no longer fits; this event may be where it begins anew */
		free(e->first);
		e->first = NULL;
		e->value = 0;
		if (judge_event(rs, r, t, NULL, d) != 0)
			return;
	}
	if (d->value == 1 && e->value != 1 && d->first != NULL)
		e->first = xstrndup(d->first, d->first_len);
	set_values(e, r, d, t->us);
	e->last_us = t->us;
	if (d->value == 1 && !e->open && t->us - e->since_us >= r->for_us) {
		e->open = 1;
		raise(rs, s, e, t, t->us);
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

static int
wants(const struct rule *r, struct event_value type)
{
	for (size_t i = 0; i < r->n_types; i++)
		if (event_type_match(r->type[i], type.p, type.len))
			return 1;
	return 0;
}

static void
apply(struct rules *rs, struct state *s, const struct turn *t)
{
	struct verdict d;
	struct entry *e;

	if (judge_event(rs, s->rule, t, NULL, &d) != 0 || (e = entry_of(rs, s, t, &d)) == NULL)
		return;
	if (e->first != NULL && judge_event(rs, s->rule, t, e, &d) != 0)
		return;
	rs->changes++;
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
	raise(x->rs, x->s, e, NULL, us);
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
	int64_t until = now_us;

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

static void
pass_to(struct rules *rs, int64_t us)
{
	if (rs->last_rx_us == 0)
		rs->now_us = rs->last_rx_us = us;
	if (us < rs->now_us)
		us = rs->now_us;                 /* a clock that was set back */
	rules_advance(rs, us);
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
			apply(rs, &rs->state[i], &t);
}
