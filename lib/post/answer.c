/* What becomes of a message by what was answered. */
#include <stdio.h>
#include <string.h>

#include "clock/clock.h"
#include "log/log.h"
#include "mem/mem.h"
#include "post/state.h"
#include "stat/stat.h"

/* ---- the end of a message ---- */

static struct post_message
shown(const struct spool_message *m, const char *reason, const char *words)
{
	return (struct post_message){ .target = m->target, .key = m->key, .note = m->note, .body = m->body, .note_len = m->note_len, .body_len = m->body_len,
		.raised_us = m->raised_us, .tries = m->tries, .reason = reason, .words = words };
}

static void
sent(struct post *p, const struct target *t, struct spool_message *m)
{
	struct post_message message = shown(m, "", "");

	spool_done(p->spool, m);
	++*stat_cell(STAT_ALERTD_POSTS_SENT, post_kinds[t->kind]);
	post_count_waiting(p);
	if (p->config.on_sent != NULL)
		p->config.on_sent(p->config.priv, &message);
	spool_message_free(&m);
}

void
post_dead(struct post *p, struct spool_message *m, const char *reason, const char *words)
{
	struct post_message message = shown(m, reason, words);

	spool_done(p->spool, m);
	++*stat_cell(STAT_ALERTD_POSTS_DEAD, reason);
	post_count_waiting(p);
	log_warn("a message to %s is given up (%s) after %u tries%s%s", m->target, reason, m->tries, words[0] ? ": " : "", words);
	if (p->config.on_dead != NULL)
		p->config.on_dead(p->config.priv, &message);
	spool_message_free(&m);
}

/* ---- answers ---- */

static int64_t
jitter(struct post *p, int64_t up_to_ms)
{
	p->random ^= p->random << 13;
	p->random ^= p->random >> 7;
	p->random ^= p->random << 17;
	return up_to_ms <= 0 ? 0 : (int64_t)(p->random % (uint64_t)up_to_ms);
}

static struct bucket *
bucket_of(struct post *p, struct target *t, const char *id)
{
	char name[160];
	struct bucket *b;

	(void)snprintf(name, sizeof name, "%.63s %.90s", id, t->major);
	for (b = p->buckets; b != NULL && strcmp(b->id, name) != 0;)
		b = b->next;
	if (b == NULL) {
		b = xcalloc(1, sizeof *b);
		memcpy(b->id, name, sizeof b->id);
		b->next = p->buckets;
		p->buckets = b;
	}
	return b;
}

static void
note_limits(struct post *p, struct target *t, const struct post_limits *l, int64_t now_ms)
{
	int64_t empty = post_limits_empty(l, clock_wall_us() / 1000);

	if (!post_is_discord(t))
		return;
	if (l->bucket[0] != '\0' || t->bucket == NULL)
		t->bucket = bucket_of(p, t, l->bucket[0] != '\0' ? l->bucket : "?");
	if (empty > 0 && t->bucket->until_ms < now_ms + empty)
		t->bucket->until_ms = now_ms + empty + jitter(p, 50);
}

static int64_t
backoff(struct post *p, struct target *t)
{
	int64_t ms = p->config.retry_min_ms;

	for (unsigned i = 0; i < t->failures && ms < p->config.retry_max_ms; i++)
		ms *= 2;
	t->failures++;
	ms = ms > p->config.retry_max_ms ? p->config.retry_max_ms : ms;
	return ms + jitter(p, ms / 4);
}

static void
limited(struct post *p, struct target *t, const struct post_result *r, int64_t now_ms)
{
	int64_t wait = post_limits_wait(&r->limits, clock_wall_us() / 1000);
	int global = post_is_discord(t) && r->limits.global;

	if (post_is_discord(t) && r->status == 429 && !r->limits.shared)
		spool_invalid(p->spool, clock_wall_us());
	if (wait < 0)
		wait = backoff(p, t);
	wait += 10 + jitter(p, wait / 10 < 50 ? 50 : wait / 10 > 1000 ? 1000 : wait / 10);
	++*stat_cell(STAT_ALERTD_RATE_LIMITED, global ? "global" : r->limits.shared ? "shared" : "target");
	log_debug("%s: %d, %s for %lld ms", t->name, r->status, global ? "all of Discord waits" : "waits", (long long)wait);
	if (global)
		p->global_until_ms = now_ms + wait;
	else if (post_is_discord(t))
		t->bucket->until_ms = now_ms + wait;
	else
		t->not_before_ms = now_ms + wait;
}

static void
shut(struct post *p, struct target *t, const struct post_result *r)
{
	if (post_is_discord(t) && (r->status == 401 || r->status == 403))
		spool_invalid(p->spool, clock_wall_us());
	for (struct target *other = p->targets; other != NULL; other = other->next) {
		/* 401 is about the token, which all channels share */
		if (other->shut || !(other == t || (r->status == 401 && t->kind == POST_CHANNEL && other->kind == POST_CHANNEL)))
			continue;
		other->shut = r->status;
		log_err("target %s is shut: %s %d%s%s%s; nothing more is sent to it until it is changed or the program starts again", other->name,
		    t->kind == POST_COMMAND ? "the command ended with" : "it answered", r->status, r->status >= 300 && r->status < 400 && t->kind != POST_COMMAND ?
		    " (redirects are not followed)" : "", r->words[0] ? ": " : "", r->words);
	}
	post_count_shut(p);
}

static void
again(struct post *p, struct target *t, const struct post_result *r, int64_t now_ms)
{
	int64_t wait = backoff(p, t);

	char what[32];

	if (r->status != 0)
		(void)snprintf(what, sizeof what, "status %d", r->status);
	else
		(void)snprintf(what, sizeof what, "%s", r->cause);
	if ((t->failures & (t->failures - 1)) == 0)      /* the 1st, 2nd, 4th … time in a row */
		log_warn("%s: %s%s%s; again in %lld.%lld s", t->name, what, r->words[0] ? ": " : "", r->words, (long long)(wait / 1000), (long long)(wait % 1000 / 100));
	t->not_before_ms = now_ms + wait;
}

void
post_on_result(void *priv, const struct post_result *r)
{
	struct target *t = priv;
	struct post *p = t->post;
	struct spool_message *m = t->message;
	int64_t now = clock_mono_ms();
	int current = t->generation == t->tried_generation;      /* what an old definition's answer says is not about the new one */

	t->message = NULL;
	t->command = NULL;
	p->in_flight--;
	p->discord_in_flight -= t->tried_discord;
	if (p->lane == t)
		p->lane = NULL;
	post_pump_soon(p);
	note_limits(p, t, &r->limits, now);
	t->suspect = r->outcome == POST_AGAIN;
	if (r->outcome == POST_DONE) {
		t->failures = 0;
		sent(p, t, m);
	} else if (r->outcome == POST_REFUSED) {
		t->failures = 0;
		post_dead(p, m, "rejected", r->words);
	} else if (current) {
		++*stat_cell(STAT_ALERTD_RETRIES, r->outcome == POST_SHUT ? "shut" : r->cause);
		if (r->outcome == POST_LIMITED)
			limited(p, t, r, now);
		else if (r->outcome == POST_SHUT)
			shut(p, t, r);
		else
			again(p, t, r, now);
	}
}
