/* Alerts into messages: several of a short while are one, and those that are over are told together too. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock/clock.h"
#include "mem/mem.h"
#include "rule/rule_int.h"

#define TEXT_CHARS 1500                  /* of one message, and of one alert in it; Discord takes 2,000 */
#define NAMES_BYTES (1u << 20)

static void
alert_fini(struct alert *a)
{
	free(a->who);
	free(a->text);
	free(a->title);
	free(a->key);
}

static void
batch_fini(struct batch *b)
{
	for (size_t i = 0; i < b->n_back; i++)
		free(b->back[i]);
	free(b->back);
}

void
gather_free(struct state *s)
{
	for (size_t i = 0; i < s->n_alerts; i++)
		alert_fini(&s->alert[i]);
	for (size_t i = 0; i < s->n_batches; i++)
		batch_fini(&s->batch[i]);
	free(s->alert);
	free(s->batch);
	s->alert = NULL;
	s->batch = NULL;
	s->n_alerts = s->n_batches = 0;
}

/* ---- texts ---- */

/* How many bytes the first `chars` characters have. */
static size_t
prefix(const char *s, size_t chars)
{
	size_t i = 0;

	for (; s[i] != '\0'; i++)
		if (((unsigned char)s[i] & 0xc0) != 0x80 && chars-- == 0)
			break;
	return i;
}

static size_t
characters(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void
cut(char *s)
{
	size_t n = prefix(s, TEXT_CHARS);

	if (s[n] != '\0')
		memcpy(s + prefix(s, TEXT_CHARS - 1), "…", sizeof("…"));
}

static int
by_time(const void *a, const void *b)
{
	const struct alert *x = a, *y = b;
	int c;

	if (x->at_us != y->at_us)
		return x->at_us < y->at_us ? -1 : 1;
	c = strcmp(x->who, y->who);
	return c ? c : strcmp(x->text, y->text);
}

static void
send_message(struct rules *rs, struct state *s, const struct alert *a, size_t n, int64_t at_us, const char *title, const char *text, int cleared)
{
	struct rule_alert *list = xcalloc(n ? n : 1, sizeof(*list));
	char *key = xasprintf("%s/%" PRId64 "/%" PRIu64, s->rule->name, at_us, ++rs->number);
	struct rule_message m = {
		.rule = s->rule, .key = key, .at_us = rules_wall(rs, at_us), .alert = list, .n = n, .cleared = cleared, .embed = s->rule->embed,
		.color = s->rule->color, .title = title, .text = text
	};

	for (size_t i = 0; i < n; i++)
		list[i] = (struct rule_alert){ a[i].who, cleared ? text : a[i].text };
	rs->changes++;
	rs->config.on_message(rs->config.priv, &m);
	free(key);
	free(list);
}

/* As many as one message takes, a line each. */
static void
send_lines(struct rules *rs, struct state *s, const struct alert *a, size_t n, int64_t at_us)
{
	struct buf b = BUF_INIT(TEXT_CHARS * 8u);
	size_t i, chars, from;

	for (from = 0; from < n; from = i) {
		buf_clear(&b);
		for (i = from, chars = 0; i < n; i++) {
			chars += characters(a[i].text) + 1;
			if (i > from && chars > TEXT_CHARS)
				break;
			(void)buf_appends(&b, i > from ? "\n" : "");
			(void)buf_appends(&b, a[i].text);
		}
		(void)buf_append(&b, "", 1);
		send_message(rs, s, a + from, i - from, at_us, a[from].title, buf_data(&b), 0);
	}
	buf_fini(&b);
}

static void
add_names(struct buf *b, const char *member, const char *const *name, size_t n)
{
	(void)buf_printf(b, ",\"%s\":[", member);
	for (size_t i = 0; i < n; i++) {
		(void)buf_appends(b, i ? "," : "");
		(void)buf_append_json(b, name[i], strlen(name[i]));
	}
	(void)buf_appends(b, "]");
}

/* A template about several: {"n","names","texts",…}. */
static int
say_names(struct rules *rs, struct rule *r, struct filter *f, struct buf *in, char **title, char **text)
{
	int failed;

	rules_run(rs, r);
	failed = rule_say(f, buf_data(in), buf_size(in), title, text);
	rules_run(rs, NULL);
	if (!failed) {
		cut(*text);
		return 0;
	}
	rules_trouble(rs, r, filter_error(f));
	return -1;
}

static void
begin_input(struct buf *b, const struct rules *rs, const struct rule *r, size_t n, int64_t at_us)
{
	char iso[CLOCK_ISO_SIZE];

	clock_format_iso(rules_wall(rs, at_us), iso);
	(void)buf_printf(b, "{\"_rule\":\"%s\",\"_at\":\"%s\",\"n\":%zu", r->name, iso, n);
}

static int
send_many(struct rules *rs, struct state *s, const struct alert *a, size_t n, int64_t at_us)
{
	const char **names = xcalloc(n, sizeof(*names)), **texts = xcalloc(n, sizeof(*texts));
	struct buf b = BUF_INIT(NAMES_BYTES);
	char *title, *text;
	int said;

	for (size_t i = 0; i < n; i++) {
		names[i] = a[i].who;
		texts[i] = a[i].text;
	}
	begin_input(&b, rs, s->rule, n, at_us);
	add_names(&b, "names", names, n);
	add_names(&b, "texts", texts, n);
	(void)buf_appends(&b, "}");
	said = say_names(rs, s->rule, s->rule->say_many, &b, &title, &text);
	if (said == 0) {
		send_message(rs, s, a, n, at_us, title, text, 0);
		free(title);
		free(text);
	}
	buf_fini(&b);
	free(names);
	free(texts);
	return said;
}

static void
send_alerts(struct rules *rs, struct state *s, const struct alert *a, size_t n, int64_t at_us)
{
	if (n == 1)
		send_message(rs, s, a, 1, at_us, a->title, a->text, 0);
	else if (s->rule->say_many == NULL || send_many(rs, s, a, n, at_us) != 0)
		send_lines(rs, s, a, n, at_us);
}

/* ---- those whose end is told ---- */

static struct batch *
batch_new(struct rules *rs, struct state *s, int64_t at_us, size_t n)
{
	s->batch = xreallocarray(s->batch, s->n_batches + 1, sizeof(*s->batch));
	s->batch[s->n_batches] = (struct batch){ .id = ++rs->number, .at_us = at_us, .left = n };
	return &s->batch[s->n_batches++];
}

struct find {
	uint64_t batch;
	const char **name;
	size_t n;
	int clear;
};

static void
find_missing(void *priv, struct entry *e)
{
	struct find *f = priv;

	if (e->batch != f->batch)
		return;
	f->name = xreallocarray(f->name, f->n + 1, sizeof(*f->name));
	f->name[f->n++] = e->who;
	if (f->clear)
		e->batch = 0;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
tell_back(struct rules *rs, struct state *s, struct batch *b, int64_t at_us)
{
	struct find missing = { .batch = b->id, .clear = 1 };
	struct alert one = { .who = b->n_back == 1 ? b->back[0] : "" };
	struct buf in = BUF_INIT(NAMES_BYTES);
	char *title, *text, iso[CLOCK_ISO_SIZE];
	int64_t s_away = (at_us - b->at_us) / SECOND_US;

	table_each(&s->table, find_missing, &missing);
	if (missing.n > 1)
		qsort(missing.name, missing.n, sizeof(*missing.name), by_name);
	qsort(b->back, b->n_back, sizeof(*b->back), by_name);
	begin_input(&in, rs, s->rule, b->n_back, at_us);
	clock_format_iso(rules_wall(rs, b->at_us), iso);
	(void)buf_printf(&in, ",\"_since\":\"%s\",\"_for\":\"%" PRId64 "m %" PRId64 "s\"", iso, s_away / 60, s_away % 60);
	add_names(&in, "names", (const char *const *)b->back, b->n_back);
	add_names(&in, "missing", missing.name, missing.n);
	(void)buf_appends(&in, "}");
	free(missing.name);
	if (say_names(rs, s->rule, s->rule->say_cleared, &in, &title, &text) == 0) {
		if (rs->config.on_raised != NULL)
			rs->config.on_raised(rs->config.priv, s->rule, 1);
		send_message(rs, s, &one, 1, at_us, title, text, 1);
		free(title);
		free(text);
	}
	buf_fini(&in);
	batch_fini(b);
	*b = s->batch[--s->n_batches];
}

/* ---- gathering ---- */


static void
tell_together(struct rules *rs, struct state *s, struct alert *a, size_t n, int64_t at_us)
{
	struct entry *e;
	struct batch *b;

	if (s->rule->say_cleared != NULL) {
		b = batch_new(rs, s, at_us, n);
		for (size_t i = 0; i < n; i++)
			if ((e = table_get(&s->table, a[i].key, strlen(a[i].key), 0)) != NULL && e->open)
				e->batch = b->id;
			else
				b->left--;
		if (b->left == 0)
			s->n_batches--;
	}
	send_alerts(rs, s, a, n, at_us);
}

static void
flush(struct rules *rs, struct state *s, int64_t at_us)
{
	struct alert *a = s->alert;
	size_t n = s->n_alerts;

	s->alert = NULL;
	s->n_alerts = 0;
	s->gather_v = 0;
	rs->changes++;
	if (n > 1)
		qsort(a, n, sizeof(*a), by_time);
	if (n >= s->rule->min && n > 0)
		tell_together(rs, s, a, n, at_us);
	else if (n > 0 && rs->config.on_suppressed != NULL)
		rs->config.on_suppressed(rs->config.priv, s->rule, n, "fewer than min");
	for (size_t i = 0; i < n; i++)
		alert_fini(&a[i]);
	free(a);
}

/* Takes title and text over. */
void
gather_add(struct rules *rs, struct state *s, struct entry *e, char *title, char *text, int64_t at_us)
{
	cut(text);
	s->alert = xreallocarray(s->alert, s->n_alerts + 1, sizeof(*s->alert));
	s->alert[s->n_alerts++] = (struct alert){ xstrdup(e->who), text, title, xstrdup(e->key), at_us };
	if (s->rule->gather_us == 0) {
		flush(rs, s, at_us);
	} else if (s->n_alerts == 1) {
		s->gather_v = rules_v(rs, at_us) + s->rule->gather_us;
		if (s->gather_v < rs->next_v)
			rs->next_v = s->gather_v;
	}
}

/* Over before it was told: nothing is. */
static int
take_back(struct rules *rs, struct state *s, const struct entry *e)
{
	for (size_t i = 0; i < s->n_alerts; i++) {
		if (strcmp(s->alert[i].key, e->key) != 0)
			continue;
		alert_fini(&s->alert[i]);
		memmove(&s->alert[i], &s->alert[i + 1], (--s->n_alerts - i) * sizeof(*s->alert));
		if (rs->config.on_suppressed != NULL)
			rs->config.on_suppressed(rs->config.priv, s->rule, 1, "over");
		return 1;
	}
	return 0;
}

void
gather_cleared(struct rules *rs, struct state *s, struct entry *e, int64_t at_us)
{
	if (s->rule->say_cleared == NULL || take_back(rs, s, e) || e->batch == 0)
		return;
	for (size_t i = 0; i < s->n_batches; i++) {
		struct batch *b = &s->batch[i];
		if (b->id != e->batch)
			continue;
		e->batch = 0;
		b->back = xreallocarray(b->back, b->n_back + 1, sizeof(*b->back));
		b->back[b->n_back++] = xstrdup(e->who);
		if (--b->left == 0) {
			tell_back(rs, s, b, at_us);
		} else if (b->due_v == 0) {
			b->due_v = rules_v(rs, at_us) + s->rule->back_us;
			if (b->due_v < rs->next_v)
				rs->next_v = b->due_v;
		}
		return;
	}
	e->batch = 0;
}

int64_t
gather_next(const struct state *s)
{
	int64_t next = s->gather_v ? s->gather_v : NEVER_V;

	for (size_t i = 0; i < s->n_batches; i++)
		if (s->batch[i].due_v != 0 && s->batch[i].due_v < next)
			next = s->batch[i].due_v;
	return next;
}

void
gather_due(struct rules *rs, struct state *s, int64_t v)
{
	if (s->gather_v != 0 && s->gather_v <= v)
		flush(rs, s, rules_us(rs, s->gather_v));
	for (size_t i = 0; i < s->n_batches;)
		if (s->batch[i].due_v != 0 && s->batch[i].due_v <= v)
			tell_back(rs, s, &s->batch[i], rules_us(rs, s->batch[i].due_v));
		else
			i++;
}
