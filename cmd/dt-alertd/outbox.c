#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alertd.h"
#include "bus/bus.h"
#include "clock/clock.h"
#include "env/env.h"
#include "log/log.h"
#include "mem/mem.h"
#include "stat/stat.h"

#define PUBLISH_BYTES (8u << 20)
#define BODY_BYTES (64u << 10)
#define NOTE_BYTES (64u << 10)
#define TOO_OLD_US (3600 * 1000000LL)    /* news of more than an hour ago is none */
#define TITLE_BYTES 1000

struct outbox {
	struct loop *loop;
	struct post *post;
	struct bus_pub *pub;
	size_t leftover, unsettled;      /* messages of an earlier process; alerts of this one */
	char **key;                      /* of messages of this process that are on their way */
	size_t n_keys;
	int64_t start_us, start_ms;      /* wall and monotonic clock */
};

/* ---- alerts on the stream ---- */

static void
publish(struct outbox *o, const char *rule, const char *at, const char *who, const char *text)
{
	struct buf b = BUF_INIT(1u << 20);

	(void)buf_printf(&b, "{\"type\":\"alert\",\"timestamp\":\"%s\",\"kind\":\"%s\"", at, rule);
	if (*who != '\0') {
		(void)buf_appends(&b, ",\"character_name\":");
		(void)buf_append_json(&b, who, strlen(who));
	}
	(void)buf_appends(&b, ",\"text\":");
	(void)buf_append_json(&b, *text ? text : rule, strlen(*text ? text : rule));
	(void)buf_appends(&b, "}");
	if (bus_pub_send(o->pub, buf_data(&b), buf_size(&b)) == 0)
		log_warn("an alert of the rule %s is not on the stream: the bus is away and too many wait", rule);
	buf_fini(&b);
}

/* {"type":"note","rule","at","n","alerts":[[who, text], …]}; what is too long for it is left out, n counts all. */
static void
make_note(struct buf *b, const struct rule_message *m)
{
	char iso[CLOCK_ISO_SIZE];

	clock_format_iso(m->at_us, iso);
	(void)buf_printf(b, "{\"type\":\"note\",\"rule\":\"%s\",\"at\":\"%s\",\"n\":%zu,\"alerts\":[", rule_name(m->rule), iso, m->n);
	for (size_t i = 0; i < m->n; i++) {
		if (buf_size(b) + 6 * (strlen(m->alert[i].who) + strlen(m->alert[i].text)) + 16 > NOTE_BYTES)
			break;
		(void)buf_appends(b, i ? ",[" : "[");
		(void)buf_append_json(b, m->alert[i].who, strlen(m->alert[i].who));
		(void)buf_appends(b, ",");
		(void)buf_append_json(b, m->alert[i].text, strlen(m->alert[i].text));
		(void)buf_appends(b, "]");
	}
	(void)buf_appends(b, "]}");
}

static void
publish_pair(struct outbox *o, struct event_value pair, const char *rule, const char *at)
{
	static char who[1024], text[NOTE_BYTES];
	struct event_value v;
	size_t i = 0;

	if (event_next(pair, &i, NULL, &v) && event_string(v, who, sizeof(who)) >= 0 && event_next(pair, &i, NULL, &v) &&
	    event_string(v, text, sizeof(text)) >= 0)
		publish(o, rule, at, who, text);
}

/* How many alerts it has; each goes on the stream if it was sent. */
static size_t
read_note(struct outbox *o, const struct post_message *m, char rule[80], int sent)
{
	static struct event ev;
	struct event_value v;
	char at[CLOCK_ISO_SIZE];
	size_t i = 0;
	int64_t n;

	(void)strcpy(rule, "unknown");
	if (event_scan(m->note, m->note_len, &ev) != EVENT_OK || event_int(event_get(&ev, "n"), &n) != 0 || n < 1 ||
	    event_string(event_get(&ev, "rule"), rule, 80) < 0 || event_string(event_get(&ev, "at"), at, sizeof(at)) < 0)
		return 1;
	while (sent && event_next(event_get(&ev, "alerts"), &i, NULL, &v))
		publish_pair(o, v, rule, at);
	return (size_t)n;
}

/* ---- the balance ---- */

void
outbox_raised(size_t n)
{
	stat_add(STAT_ALERTD_RAISED, (int64_t)n);
}

void
outbox_suppressed(const struct rule *r, size_t n)
{
	*stat_cell(STAT_ALERTD_SUPPRESSED, rule_name(r)) += (int64_t)n;
}

void
outbox_gauge(const struct outbox *o, size_t gathered)
{
	stat_set(STAT_ALERTD_PENDING, (int64_t)(o->leftover + o->unsettled + gathered));
}

static void
keep_key(struct outbox *o, const char *key, size_t n)
{
	o->key = xreallocarray(o->key, o->n_keys + 1, sizeof(*o->key));
	o->key[o->n_keys++] = xstrdup(key);
	o->unsettled += n;
}

/* A message of this process, or one that was found in the spool: of that nobody knew how many alerts it has. */
static void
settle(struct outbox *o, const char *key, size_t n)
{
	for (size_t i = 0; i < o->n_keys; i++)
		if (strcmp(o->key[i], key) == 0) {
			free(o->key[i]);
			o->key[i] = o->key[--o->n_keys];
			o->unsettled -= n;
			return;
		}
	if (o->leftover > 0)
		o->leftover--;
	outbox_raised(n - 1);
}

static void
on_sent(void *priv, const struct post_message *m)
{
	struct outbox *o = priv;
	char rule[80];
	size_t n = read_note(o, m, rule, 1);

	settle(o, m->key, n);
	*stat_cell(STAT_ALERTD_SENT, rule) += (int64_t)n;
}

static void
on_dead(void *priv, const struct post_message *m)
{
	struct outbox *o = priv;
	char rule[80];
	size_t n = read_note(o, m, rule, 0);

	settle(o, m->key, n);
	*stat_cell(STAT_ALERTD_DEAD, m->reason) += (int64_t)n;
	log_warn("a message of the rule %s is given up (%s)%s%s", rule, m->reason, *m->words ? ": " : "", m->words);
}

/* ---- messages ---- */

static void
discord_body(struct buf *b, const struct rule_message *m)
{
	struct post_embed e = { .description = POST_STR(m->text), .color = (int)m->color, .at_us = m->at_us };
	char *text;

	if (m->embed) {
		if (*m->title != '\0')
			e.title = POST_STR(m->title);
		(void)post_embed(b, (struct post_str){ NULL, 0 }, &e);
		return;
	}
	text = *m->title ? xasprintf("**%s**\n%s", m->title, m->text) : xstrdup(m->text);
	(void)post_text(b, text, strlen(text));
	free(text);
}

/* At most so many bytes, and no half character. */
static size_t
prefix(const char *s, size_t max)
{
	size_t n = strnlen(s, max + 1);

	if (n > max)
		for (n = max; n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80; n--)
			;
	return n;
}

/* For any webhook or command: what a program wants to know of it. */
static void
plain_body(struct buf *b, const struct rule_message *m)
{
	char iso[CLOCK_ISO_SIZE];
	size_t i;

	clock_format_iso(m->at_us, iso);
	(void)buf_printf(b, "{\"rule\":\"%s\",\"at\":\"%s\",\"key\":\"%s\",\"cleared\":%s,\"title\":", rule_name(m->rule), iso, m->key, m->cleared ? "true" : "false");
	(void)buf_append_json(b, m->title, prefix(m->title, TITLE_BYTES));
	(void)buf_appends(b, ",\"text\":");
	(void)buf_append_json(b, m->text, strlen(m->text));
	(void)buf_appends(b, ",\"characters\":[");
	for (i = 0; i < m->n && buf_size(b) + 6 * strlen(m->alert[i].who) + 16 < BODY_BYTES; i++) {
		(void)buf_appends(b, i ? "," : "");
		(void)buf_append_json(b, m->alert[i].who, strlen(m->alert[i].who));
	}
	(void)buf_appends(b, "]}\n");
}

static void
post(struct outbox *o, const struct rule_message *m, const struct target *t)
{
	struct buf body = BUF_INIT(BODY_BYTES), note = BUF_INIT(NOTE_BYTES + 64);

	if (rule_target(m->rule) == RULE_CHANNEL || (rule_target(m->rule) == RULE_WEBHOOK && post_url_kind(o->post, t->post.where) == POST_DISCORD_WEBHOOK))
		discord_body(&body, m);
	else
		plain_body(&body, m);
	make_note(&note, m);
	keep_key(o, m->key, m->n);
	switch (post_send(o->post, t->name, m->key, buf_data(&body), buf_size(&body), buf_data(&note), buf_size(&note))) {
	case 0:
		break;
	case 1:                                  /* raised again after a crash */
		settle(o, m->key, m->n);
		outbox_suppressed(m->rule, m->n);
		break;
	default:
		log_err("unable to post a message of the rule %s: %s", rule_name(m->rule), strerror(errno));
		*stat_cell(STAT_ALERTD_DEAD, errno == ENOSPC ? "full" : "rejected") += (int64_t)m->n;
		settle(o, m->key, m->n);
	}
	buf_fini(&body);
	buf_fini(&note);
}

static void
to_stream(struct outbox *o, const struct rule_message *m)
{
	char iso[CLOCK_ISO_SIZE];

	clock_format_iso(m->at_us, iso);
	for (size_t i = 0; i < m->n; i++)
		publish(o, rule_name(m->rule), iso, m->alert[i].who, m->alert[i].text);
	*stat_cell(STAT_ALERTD_SENT, rule_name(m->rule)) += (int64_t)m->n;
}

/* By the clock on the wall, and by one that went on from our start without being set: forward, it makes nothing old. */
static int
too_old(const struct outbox *o, int64_t at_us)
{
	return clock_wall_us() - at_us > TOO_OLD_US && o->start_us + (clock_mono_ms() - o->start_ms) * 1000 - at_us > TOO_OLD_US;
}

void
outbox_message(struct outbox *o, const struct rule_message *m)
{
	struct target t;
	char *why = NULL;

	if (too_old(o, m->at_us)) {
		outbox_suppressed(m->rule, m->n);
		return;
	}
	if (rule_target(m->rule) == RULE_STREAM) {
		to_stream(o, m);
		return;
	}
	if (target_resolve(m->rule, &t, &why) == 0)
		post(o, m, &t);
	target_free(&t);
	free(why);
}

int
outbox_rule(struct outbox *o, const struct rule *r, char **why)
{
	struct target t;
	const char *reason;
	int got = target_resolve(r, &t, why);

	if (got == 0 && rule_target(r) == RULE_WEBHOOK)
		t.post.kind = post_url_kind(o->post, t.post.where);
	if (got == 0 && rule_target(r) != RULE_STREAM) {
		got = post_target_set(o->post, t.name, &t.post, &reason);
		if (got != 0)
			*why = xstrdup(reason);
	}
	target_free(&t);
	return got;
}

struct outbox *
outbox_new(struct loop *loop, const char *in_path)
{
	struct outbox *o = xcalloc(1, sizeof(*o));
	char *spool = xasprintf("%s/alertd/spool", env_data_dir());
	struct post_config config = {
		.loop = loop, .spool = spool, .discord_base = env_get("DISCORD_API_BASE"), .bot_token = env_get("DISCORD_RARE_BOT_TOKEN"),
		.proxy = env_get("DT_HTTP_PROXY"), .ca_file = env_get("DT_HTTP_CA"),
		.on_sent = on_sent, .on_dead = on_dead, .priv = o
	};
	struct bus_pub_config pub = { .path = in_path, .name = "dt-alertd", .max_bytes = PUBLISH_BYTES };

	o->loop = loop;
	o->start_us = clock_wall_us();
	o->start_ms = clock_mono_ms();
	o->pub = bus_pub_new(&pub);
	loop_add(loop, bus_pub_pollable(o->pub));
	o->post = post_new(&config);
	o->leftover = post_pending(o->post);
	outbox_raised(o->leftover);
	free(spool);
	return o;
}

void
outbox_free(struct outbox **op)
{
	struct outbox *o = *op;

	if (o == NULL)
		return;
	post_free(&o->post);
	loop_del(o->loop, bus_pub_pollable(o->pub));
	bus_pub_free(&o->pub);
	for (size_t i = 0; i < o->n_keys; i++)
		free(o->key[i]);
	free(o->key);
	free(o);
	*op = NULL;
}

int
outbox_settled(const struct outbox *o)
{
	return bus_pub_unacked(o->pub) == 0;
}

void
outbox_stop(struct outbox *o)
{
	post_stop(o->post);
}

int
outbox_idle(const struct outbox *o)
{
	return post_in_flight(o->post) == 0 && (bus_pub_unacked(o->pub) == 0 || !bus_pub_connected(o->pub));
}
