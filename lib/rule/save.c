/* The state as lines of JSON, and back. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mem/mem.h"
#include "rule/rule_int.h"

#define LINE_STRING 65536

/* ---- out ---- */

struct out {
	const struct state *s;
	struct buf *b;
};

static void
string(struct buf *b, const char *name, const char *value)
{
	(void)buf_printf(b, ",\"%s\":", name);
	(void)buf_append_json(b, value, strlen(value));
}

static void
save_entry(void *priv, struct entry *e)
{
	struct out *o = priv;
	struct buf *b = o->b;

	(void)buf_printf(b, "{\"type\":\"entry\",\"rule\":\"%s\"", o->s->rule->name);
	string(b, "key", e->key);
	string(b, "who", e->who);
	(void)buf_printf(b, ",\"value\":%d,\"since\":%" PRId64 ",\"last\":%" PRId64 ",\"fired\":%" PRId64 ",\"due\":%" PRId64 ",\"open\":%d,\"batch\":%" PRIu64,
	    e->value, e->since_us, e->last_us, e->fired_us, e->due_v, e->open, e->batch);
	if (e->first != NULL)
		string(b, "first", e->first);
	(void)buf_appends(b, ",\"when\":[");
	for (size_t i = 0; i < o->s->rule->n_when; i++)
		(void)buf_printf(b, "%s%d,%" PRId64, i ? "," : "", e->val[i], e->val_since[i]);
	(void)buf_appends(b, "]}\n");
}

static void
save_who(void *priv, struct entry *e)
{
	struct out *o = priv;

	(void)buf_appends(o->b, "{\"type\":\"who\"");
	string(o->b, "key", e->key);
	(void)buf_printf(o->b, ",\"last\":%" PRId64 ",\"since\":%" PRId64 "}\n", e->last_us, e->since_us);
}

static void
save_state(const struct state *s, struct buf *b)
{
	struct out o = { s, b };

	(void)buf_printf(b, "{\"type\":\"rule\",\"rule\":\"%s\",\"hash\":\"%016" PRIx64 "\",\"gather\":%" PRId64 "}\n", s->rule->name, s->rule->hash, s->gather_v);
	table_each(&s->table, save_entry, &o);
	for (size_t i = 0; i < s->n_alerts; i++) {
		(void)buf_printf(b, "{\"type\":\"alert\",\"rule\":\"%s\",\"at\":%" PRId64, s->rule->name, s->alert[i].at_us);
		string(b, "who", s->alert[i].who);
		string(b, "text", s->alert[i].text);
		string(b, "title", s->alert[i].title);
		string(b, "key", s->alert[i].key);
		(void)buf_appends(b, "}\n");
	}
	for (size_t i = 0; i < s->n_batches; i++) {
		(void)buf_printf(b, "{\"type\":\"batch\",\"rule\":\"%s\",\"id\":%" PRIu64 ",\"at\":%" PRId64 ",\"due\":%" PRId64 ",\"left\":%zu,\"back\":[",
		    s->rule->name, s->batch[i].id, s->batch[i].at_us, s->batch[i].due_v, s->batch[i].left);
		for (size_t k = 0; k < s->batch[i].n_back; k++) {
			(void)buf_appends(b, k ? "," : "");
			(void)buf_append_json(b, s->batch[i].back[k], strlen(s->batch[i].back[k]));
		}
		(void)buf_appends(b, "]}\n");
	}
}

void
rules_save(const struct rules *rs, struct buf *b)
{
	struct out o = { NULL, b };

	(void)buf_printf(b, "{\"type\":\"rules\",\"now\":%" PRId64 ",\"last_rx\":%" PRId64 ",\"lost\":%" PRId64 ",\"back\":%" PRId64 ",\"number\":%" PRIu64
	    ",\"server_down\":%d,\"server_since\":%" PRId64 ",\"pruned\":%" PRId64 "}\n",
	    rs->now_us, rs->last_rx_us, rs->lost_us, rs->back_us, rs->number, rs->server_down, rs->server_since_us, rs->pruned_hour);
	table_each(&rs->who, save_who, &o);
	for (size_t i = 0; i < rs->n; i++)
		save_state(&rs->state[i], b);
}

/* ---- in ---- */

struct in {
	struct rules *rs;
	struct state *s;                 /* of the rule whose lines come */
	int same;                        /* it is written as it was */
};

static int64_t
number(const struct event *ev, const char *name)
{
	int64_t n;

	return event_int(event_get(ev, name), &n) == 0 ? n : 0;
}

static char *
text(const struct event *ev, const char *name)
{
	char out[LINE_STRING];

	return event_string(event_get(ev, name), out, sizeof(out)) >= 0 ? xstrdup(out) : xstrdup("");
}

static void
load_head(struct in *in, const struct event *ev)
{
	struct rules *rs = in->rs;

	rs->now_us = number(ev, "now");
	rs->last_rx_us = number(ev, "last_rx");
	rs->lost_us = number(ev, "lost");
	rs->back_us = number(ev, "back");
	rs->number = (uint64_t)number(ev, "number");
	rs->server_down = number(ev, "server_down") != 0;
	rs->server_since_us = number(ev, "server_since");
	rs->pruned_hour = number(ev, "pruned");
	rs->next_v = 0;                  /* looks for what is due */
}

static void
load_rule(struct in *in, const struct event *ev)
{
	char *name = text(ev, "rule"), *hash = text(ev, "hash");

	in->s = NULL;
	for (size_t i = 0; i < in->rs->n; i++)
		if (strcmp(in->rs->state[i].rule->name, name) == 0)
			in->s = &in->rs->state[i];
	if (in->s != NULL) {
		in->same = strtoull(hash, NULL, 16) == in->s->rule->hash;
		in->s->gather_v = number(ev, "gather");
	}
	free(name);
	free(hash);
}

static void
load_values(const struct rule *r, const struct event *ev, struct entry *e)
{
	struct event_value list = event_get(ev, "when"), v;
	int64_t n;
	size_t at = 0;

	for (size_t i = 0; i < r->n_when * 2 && event_next(list, &at, NULL, &v); i++) {
		if (event_int(v, &n) != 0)
			n = -1;
		if (i % 2 == 0)
			e->val[i / 2] = (signed char)n;
		else
			e->val_since[i / 2] = n;
	}
}

static void
load_entry(struct in *in, const struct event *ev)
{
	char *key = text(ev, "key");
	struct entry *e = table_get(&in->s->table, key, strlen(key), 1);

	free(key);
	if (e == NULL)
		return;
	free(e->who);
	e->who = text(ev, "who");
	e->fired_us = number(ev, "fired");
	e->last_us = number(ev, "last");
	if (!in->same)
		return;
	e->value = (signed char)number(ev, "value");
	e->since_us = number(ev, "since");
	e->due_v = number(ev, "due");
	e->open = number(ev, "open") != 0;
	e->batch = (uint64_t)number(ev, "batch");
	if (event_get(ev, "first").kind == EVENT_STRING) {
		free(e->first);
		e->first = text(ev, "first");
	}
	load_values(in->s->rule, ev, e);
}

static void
load_alert(struct in *in, const struct event *ev)
{
	struct state *s = in->s;

	s->alert = xreallocarray(s->alert, s->n_alerts + 1, sizeof(*s->alert));
	s->alert[s->n_alerts++] = (struct alert){ text(ev, "who"), text(ev, "text"), text(ev, "title"), text(ev, "key"), number(ev, "at") };
}

static void
load_batch(struct in *in, const struct event *ev)
{
	struct event_value list = event_get(ev, "back"), v;
	struct batch b = { .id = (uint64_t)number(ev, "id"), .at_us = number(ev, "at"), .due_v = number(ev, "due"), .left = (size_t)number(ev, "left") };
	struct state *s = in->s;
	char name[1024];
	size_t at = 0;

	if (!in->same || s->rule->say_cleared == NULL)
		return;
	while (event_next(list, &at, NULL, &v))
		if (event_string(v, name, sizeof(name)) >= 0) {
			b.back = xreallocarray(b.back, b.n_back + 1, sizeof(*b.back));
			b.back[b.n_back++] = xstrdup(name);
		}
	s->batch = xreallocarray(s->batch, s->n_batches + 1, sizeof(*s->batch));
	s->batch[s->n_batches++] = b;
}

static void
load_line(struct in *in, const struct event *ev)
{
	char *key;
	struct entry *w;

	if (event_value_is(ev->type, "rules")) {
		load_head(in, ev);
	} else if (event_value_is(ev->type, "who")) {
		key = text(ev, "key");
		if ((w = table_get(&in->rs->who, key, strlen(key), 1)) != NULL) {
			w->last_us = number(ev, "last");
			w->since_us = number(ev, "since");
		}
		free(key);
	} else if (event_value_is(ev->type, "rule")) {
		load_rule(in, ev);
	} else if (in->s != NULL && event_value_is(ev->type, "entry")) {
		load_entry(in, ev);
	} else if (in->s != NULL && event_value_is(ev->type, "alert")) {
		load_alert(in, ev);
	} else if (in->s != NULL && event_value_is(ev->type, "batch")) {
		load_batch(in, ev);
	}
}

static int
each_line(const char *p, size_t len, struct in *in)
{
	static struct event ev;
	const char *end = p + len, *nl;

	for (; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (nl == NULL || event_scan(p, (size_t)(nl - p), &ev) != EVENT_OK)
			return -1;
		if (in->rs != NULL)
			load_line(in, &ev);
	}
	return 0;
}

int
rules_load(struct rules *rs, const char *p, size_t len)
{
	struct in in = { .rs = NULL };

	if (each_line(p, len, &in) != 0)         /* all of it, before anything is taken */
		return -1;
	in.rs = rs;
	return each_line(p, len, &in);
}
