/* What a rule's program says of an event. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rule/rule_int.h"

void
rules_run(struct rules *rs, const struct rule *r)
{
	if (rs->config.running == NULL)
		return;
	rs->config.running->number += r != NULL;
	rs->config.running->rule = r;
}

void
rules_trouble(struct rules *rs, struct rule *r, const char *text)
{
	if (!r->troubled++ && rs->config.on_trouble != NULL)
		rs->config.on_trouble(rs->config.priv, r, text);
}

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

	if (len <= RULE_KEY_BYTES) {
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
	int failed;

	buf_clear(out);
	rules_run(rs, r);
	failed = filter_run(r->judge, line, len, 0, copy_output, out) != 0 || buf_append(out, "", 1) != 0;
	rules_run(rs, NULL);
	if (failed) {
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

int
rules_judge(struct rules *rs, struct rule *r, const struct turn *t, const struct entry *e, struct verdict *d)
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
