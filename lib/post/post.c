/* Who is sent what and when; what becomes of the answers. */
#include "post/post.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>

#include <curl/curl.h>

#include "clock/clock.h"
#include "log/log.h"
#include "mem/mem.h"
#include "post/internal.h"
#include "stat/stat.h"

#define WAITING_MAX 10000
#define WAITING_BYTES_MAX (INT64_C(64) << 20)
#define PART_MAX (64u << 10)

static const char *const kinds[] = { "channel", "discord_webhook", "webhook", "command" };

struct bucket {
	char id[160];            /* what Discord calls it, and whose it is */
	int64_t until_ms;
	struct bucket *next;
};

struct target {
	struct post *post;
	char *name, *url, **argv, *definition, *major;
	enum post_kind kind;
	int set, shut;           /* shut: the status that did it */
	int suspect;             /* its last try may or may not have arrived */
	unsigned failures, generation, tried_generation, tried_discord;
	int64_t not_before_ms;
	struct bucket *bucket;   /* NULL: nothing known */
	struct spool_message *message;   /* being sent */
	struct spool_message *first;     /* within one pump: the oldest that waits */
	struct post_command *command;
	size_t waiting;          /* within one pump */
	struct target *next;
};

struct post {
	struct post_config config;
	char *base, *token;
	struct pollable pump;
	struct post_http *http;
	struct spool *spool;
	struct target *targets, *lane, *last_lane;
	struct bucket *buckets;
	int64_t global_until_ms;
	size_t in_flight, discord_in_flight;
	uint64_t random;
	int stopped, told_invalid;
};

static int
is_discord(const struct target *t)
{
	return t->kind == POST_CHANNEL || t->kind == POST_DISCORD_WEBHOOK;
}

static void
pump_soon(struct post *p)
{
	p->pump.deadline_ms = clock_mono_ms();
}

static int64_t
jitter(struct post *p, int64_t up_to_ms)
{
	p->random ^= p->random << 13;
	p->random ^= p->random >> 7;
	p->random ^= p->random << 17;
	return up_to_ms <= 0 ? 0 : (int64_t)(p->random % (uint64_t)up_to_ms);
}

static void
count_waiting(struct post *p)
{
	stat_set(STAT_ALERTD_POSTS_PENDING, (int64_t)spool_count(p->spool));
}

/* ---- targets ---- */

static struct target *
find_target(const struct post *p, const char *name)
{
	struct target *t = p->targets;

	while (t != NULL && strcmp(t->name, name) != 0)
		t = t->next;
	return t;
}

static void
count_shut(struct post *p)
{
	int64_t n = 0;

	for (const struct target *t = p->targets; t != NULL; t = t->next)
		n += t->set && t->shut;
	stat_set(STAT_ALERTD_TARGETS_SHUT, n);
}

static int
is_name(const char *name)
{
	size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.");

	return n > 0 && n <= 64 && name[n] == '\0';
}

/* wait=true: the answer comes when the message is there, and says what is wrong with it. */
static char *
webhook_url(const char *where)
{
	CURLU *u = curl_url();
	char *text = NULL, *copy;

	if (curl_url_set(u, CURLUPART_URL, where, 0) != CURLUE_OK || curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0) != CURLUE_OK ||
	    (strstr(where, "wait=") == NULL && curl_url_set(u, CURLUPART_QUERY, "wait=true", CURLU_APPENDQUERY) != CURLUE_OK) ||
	    curl_url_get(u, CURLUPART_URL, &text, 0) != CURLUE_OK)
		copy = xstrdup(where);
	else
		copy = xstrdup(text);
	curl_free(text);
	curl_url_cleanup(u);
	return copy;
}

static int
check_target(const struct post *p, const struct post_target *t, const char **why)
{
	struct post_url u;

	if (t->kind == POST_COMMAND) {
		*why = "no command";
		return t->argv != NULL && t->argv[0] != NULL && t->argv[0][0] != '\0' ? 0 : -1;
	}
	if (t->kind == POST_CHANNEL) {
		size_t digits = strspn(t->where, "0123456789");
		*why = digits > 0 && digits <= 20 && t->where[digits] == '\0' ? "there is no bot token" : "a channel's id is a number";
		return (*why)[0] == 't' && p->token[0] != '\0' ? 0 : -1;
	}
	if (post_url_parse(t->where, &u, why) == -1)
		return -1;
	*why = "a Discord webhook's URL holds a secret: it must be https://";
	return t->kind == POST_WEBHOOK || strcmp(u.scheme, "https") == 0 || u.loopback ? 0 : -1;
}

/* All that makes it what it is, in one string. */
static char *
define(const struct post_target *t)
{
	struct buf b = BUF_INIT(1u << 20);
	char *text;

	(void)buf_printf(&b, "%s", kinds[t->kind]);
	for (size_t i = 0; t->kind == POST_COMMAND && t->argv[i] != NULL; i++)
		(void)buf_printf(&b, "\n%s", t->argv[i]);
	if (t->kind != POST_COMMAND)
		(void)buf_printf(&b, "\n%s", t->where);
	text = xstrndup(buf_data(&b), buf_size(&b));
	buf_fini(&b);
	return text;
}

static void
forget_definition(struct target *t)
{
	for (char **a = t->argv; a != NULL && *a != NULL; a++)
		free(*a);
	free(t->argv);
	free(t->url);
	free(t->major);
	free(t->definition);
	t->argv = NULL;
	t->url = t->major = t->definition = NULL;
	t->bucket = NULL;
}

static char **
dup_argv(const char *const *argv)
{
	size_t n = 0;
	char **copy;

	while (argv[n] != NULL)
		n++;
	copy = xcalloc(n + 1, sizeof *copy);
	for (size_t i = 0; i < n; i++)
		copy[i] = xstrdup(argv[i]);
	return copy;
}

static struct target *
target_new(struct post *p, const char *name)
{
	struct target *t = xcalloc(1, sizeof *t), **at = &p->targets;

	t->post = p;
	t->name = xstrdup(name);
	while (*at != NULL)
		at = &(*at)->next;
	*at = t;
	return t;
}

int
post_target_set(struct post *p, const char *name, const struct post_target *def, const char **why)
{
	struct target *t;
	char *definition;

	*why = "a target's name is letters, digits, '_', '-' and '.', at most 64";
	if (!is_name(name) || check_target(p, def, why) == -1)
		return -1;
	definition = define(def);
	if ((t = find_target(p, name)) == NULL)
		t = target_new(p, name);
	if (t->definition == NULL || strcmp(t->definition, definition) != 0) {
		if (t->shut)
			log_info("target %s has changed: it is used again", name);
		forget_definition(t);
		t->kind = def->kind;
		t->shut = t->suspect = 0;
		t->failures = 0;
		t->not_before_ms = 0;
		t->generation++;
		t->definition = definition;
		t->argv = def->kind == POST_COMMAND ? dup_argv(def->argv) : NULL;
		t->url = def->kind == POST_CHANNEL ? xasprintf("%s/channels/%s/messages", p->base, def->where) :
		    def->kind == POST_DISCORD_WEBHOOK ? webhook_url(def->where) : def->kind == POST_WEBHOOK ? xstrdup(def->where) : NULL;
		t->major = xstrdup(def->kind == POST_COMMAND ? name : def->where);
	} else
		free(definition);
	t->set = 1;
	count_shut(p);
	pump_soon(p);
	return 0;
}

void
post_target_del(struct post *p, const char *name)
{
	struct target *t = find_target(p, name);

	if (t == NULL)
		return;
	t->set = 0;
	count_shut(p);
}

enum post_kind
post_url_kind(const struct post *p, const char *url)
{
	struct post_url u, base;
	const char *why;

	if (post_url_parse(url, &u, &why) == -1)
		return POST_WEBHOOK;
	if (strncmp(url, p->base, strlen(p->base)) == 0 && strncmp(url + strlen(p->base), "/webhooks/", 10) == 0)
		return POST_DISCORD_WEBHOOK;
	(void)post_url_parse(p->base, &base, &why);
	if (strncmp(u.path, "/api/", 5) != 0 || strstr(u.path, "/webhooks/") == NULL)
		return POST_WEBHOOK;
	return strcmp(u.host, "discord.com") == 0 || strcmp(u.host, "discordapp.com") == 0 || strcmp(u.host, "ptb.discord.com") == 0 ||
	    strcmp(u.host, "canary.discord.com") == 0 ? POST_DISCORD_WEBHOOK : POST_WEBHOOK;
}

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
	++*stat_cell(STAT_ALERTD_POSTS_SENT, kinds[t->kind]);
	count_waiting(p);
	if (p->config.on_sent != NULL)
		p->config.on_sent(p->config.priv, &message);
	spool_message_free(&m);
}

static void
dead(struct post *p, struct spool_message *m, const char *reason, const char *words)
{
	struct post_message message = shown(m, reason, words);

	spool_done(p->spool, m);
	++*stat_cell(STAT_ALERTD_POSTS_DEAD, reason);
	count_waiting(p);
	log_warn("a message to %s is given up (%s) after %u tries%s%s", m->target, reason, m->tries, words[0] ? ": " : "", words);
	if (p->config.on_dead != NULL)
		p->config.on_dead(p->config.priv, &message);
	spool_message_free(&m);
}

/* ---- answers ---- */

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

	if (!is_discord(t))
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
	int global = is_discord(t) && r->limits.global;

	if (is_discord(t) && r->status == 429 && !r->limits.shared)
		spool_invalid(p->spool, clock_wall_us());
	if (wait < 0)
		wait = backoff(p, t);
	wait += 10 + jitter(p, wait / 10 < 50 ? 50 : wait / 10 > 1000 ? 1000 : wait / 10);
	++*stat_cell(STAT_ALERTD_RATE_LIMITED, global ? "global" : r->limits.shared ? "shared" : "target");
	log_debug("%s: %d, %s for %lld ms", t->name, r->status, global ? "all of Discord waits" : "waits", (long long)wait);
	if (global)
		p->global_until_ms = now_ms + wait;
	else if (is_discord(t))
		t->bucket->until_ms = now_ms + wait;
	else
		t->not_before_ms = now_ms + wait;
}

static void
shut(struct post *p, struct target *t, const struct post_result *r)
{
	if (is_discord(t) && (r->status == 401 || r->status == 403))
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
	count_shut(p);
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

static void
on_result(void *priv, const struct post_result *r)
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
	pump_soon(p);
	note_limits(p, t, &r->limits, now);
	t->suspect = r->outcome == POST_AGAIN;
	if (r->outcome == POST_DONE) {
		t->failures = 0;
		sent(p, t, m);
	} else if (r->outcome == POST_REFUSED) {
		t->failures = 0;
		dead(p, m, "rejected", r->words);
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

/* ---- sending ---- */

static void
start_request(struct post *p, struct target *t, const char *nonce)
{
	struct spool_message *m = t->message;
	struct post_url u = { .path = "" };
	struct buf body = BUF_INIT(PART_MAX + 1024);
	char header[256], key[64];
	const char *why, *headers[3] = { NULL }, *last, *secrets[4] = { NULL };

	(void)post_url_parse(t->url, &u, &why);
	last = strrchr(u.path, '/');
	if (t->kind == POST_CHANNEL) {
		(void)snprintf(header, sizeof header, "Authorization: Bot %s", p->token);
		headers[0] = header;
		secrets[0] = p->token;
		(void)buf_printf(&body, "{\"nonce\":\"%s\",\"enforce_nonce\":true,", nonce);
		(void)buf_append(&body, m->body + 1, m->body_len - 1);
	} else {
		(void)snprintf(key, sizeof key, "Idempotency-Key: %s", nonce);
		headers[0] = t->kind == POST_WEBHOOK ? key : NULL;
		secrets[0] = t->url;
		secrets[1] = u.path[0] && u.path[1] ? u.path : NULL;
		secrets[2] = secrets[1] != NULL && last != NULL && last[1] ? last + 1 : NULL;
		(void)buf_append(&body, m->body, m->body_len);
	}
	post_http_post(p->http, t->url, headers, buf_data(&body), buf_size(&body), secrets, is_discord(t), on_result, t);
	buf_fini(&body);
}

static void
start(struct post *p, struct target *t, int64_t now_ms)
{
	char nonce[25];

	t->message = t->first;
	t->tried_generation = t->generation;
	t->message->tries++;
	p->in_flight++;
	p->discord_in_flight += t->tried_discord = (unsigned)is_discord(t);
	if (t->kind != POST_CHANNEL && !t->suspect)
		p->lane = p->last_lane = t;
	post_key_text(t->message->target, t->message->key, nonce);
	if (t->kind != POST_COMMAND) {
		start_request(p, t, nonce);
		return;
	}
	t->command = post_command_start(p->config.loop, (const char *const *)t->argv, nonce, t->message->body, t->message->body_len, p->config.total_ms, on_result, t);
	if (t->command == NULL) {
		struct post_result r = { .outcome = POST_AGAIN, .cause = "start" };
		post_limits_init(&r.limits);
		(void)snprintf(r.words, sizeof r.words, "unable to start the command: %s", strerror(errno));
		on_result(t, &r);
		t->not_before_ms = now_ms > t->not_before_ms ? now_ms : t->not_before_ms;
	}
}

/* When Discord may be asked at all. */
static int64_t
discord_from(struct post *p, int64_t now_ms)
{
	int64_t now_us = clock_wall_us(), window_us = p->config.invalid_window_ms * 1000, oldest;
	unsigned n = spool_invalid_since(p->spool, now_us - window_us, &oldest);

	if (n + p->discord_in_flight + 1 < p->config.invalid_max) {
		p->told_invalid = 0;
		return p->global_until_ms;
	}
	if (n + 1 >= p->config.invalid_max && !p->told_invalid) {
		p->told_invalid = 1;
		log_err("%u requests to Discord were refused within the last minutes; none is made until that is fewer", n);
	}
	int64_t until = n == 0 ? now_ms + 1000 : now_ms + (oldest + window_us - now_us) / 1000 + 1;
	return until > p->global_until_ms ? until : p->global_until_ms;
}

/* When it may be sent to; CLOCK_NEVER: not before something else has happened. */
static int64_t
ready_at(struct post *p, const struct target *t, int64_t now_ms)
{
	int64_t at = t->not_before_ms, other;

	if (!t->set || t->shut || t->message != NULL || t->first == NULL)
		return CLOCK_NEVER;
	if (t->bucket != NULL && t->bucket->until_ms > at)
		at = t->bucket->until_ms;
	if (is_discord(t) && (other = discord_from(p, now_ms)) > at)
		at = other;
	if (at <= now_ms && t->kind != POST_CHANNEL && !t->suspect && p->lane != NULL)
		return CLOCK_NEVER;
	return at;
}

static struct spool_message *
too_old(struct post *p, int64_t now_ms, int64_t *next_ms)
{
	for (struct spool_message *m = spool_first(p->spool); m != NULL; m = m->next) {
		struct target *t = find_target(p, m->target);
		int64_t end = m->raised_ms + p->config.max_age_ms;
		if (t != NULL && t->message == m)
			continue;
		if (end <= now_ms)
			return m;
		if (end < *next_ms)
			*next_ms = end;
	}
	return NULL;
}

static void
bury(struct post *p, int64_t now_ms, int64_t *next_ms)
{
	struct spool_message *m;

	while ((m = too_old(p, now_ms, next_ms)) != NULL) {
		const struct target *t = find_target(p, m->target);
		dead(p, m, t != NULL && t->set ? "expired" : "no_target", "");
	}
}

static void
sort_out(struct post *p)
{
	for (struct target *t = p->targets; t != NULL; t = t->next) {
		t->first = NULL;
		t->waiting = 0;
	}
	for (struct spool_message *m = spool_first(p->spool); m != NULL; m = m->next) {
		struct target *t = find_target(p, m->target);
		if (t == NULL)
			continue;
		t->waiting++;
		if (t->first == NULL)
			t->first = m;
	}
}

/* Once round, beginning after the target that had the lane last, so that none starves. */
static void
start_all(struct post *p, int64_t now_ms, int64_t *next_ms)
{
	struct target *from = p->last_lane != NULL && p->last_lane->next != NULL ? p->last_lane->next : p->targets, *t = from;

	if (t == NULL)
		return;
	do {
		int64_t at = ready_at(p, t, now_ms);
		if (at <= now_ms)
			start(p, t, now_ms);
		else if (at < *next_ms)
			*next_ms = at;
		t = t->next != NULL ? t->next : p->targets;
	} while (t != from);
}

static void
on_pump(struct pollable *pollable, short revents, int64_t now_ms)
{
	struct post *p = (struct post *)((char *)pollable - offsetof(struct post, pump));
	int64_t next = CLOCK_NEVER;

	(void)revents;
	pollable->deadline_ms = CLOCK_NEVER;
	bury(p, now_ms, &next);
	if (!p->stopped) {
		sort_out(p);
		start_all(p, now_ms, &next);
	}
	if (next < pollable->deadline_ms)        /* a callback may have asked for an earlier one */
		pollable->deadline_ms = next;
}

int
post_send(struct post *p, const char *target, const char *key, const char *body, size_t len, const char *note, size_t note_len)
{
	const struct target *t = find_target(p, target);
	size_t key_len = strlen(key), prefix = strlen(POST_NO_PINGS);

	errno = EINVAL;
	if (!is_name(target) || key_len == 0 || key_len > 200 || len > PART_MAX || note_len > PART_MAX)
		return -1;
	if (t != NULL && t->set && is_discord(t) && (len <= prefix || memcmp(body, POST_NO_PINGS, prefix) != 0))
		return -1;
	if (spool_knows(p->spool, target, key)) {
		stat_add(STAT_ALERTD_POSTS_AVOIDED, 1);
		return 1;
	}
	stat_add(STAT_ALERTD_POSTS_RAISED, 1);
	if (spool_count(p->spool) >= WAITING_MAX || spool_bytes(p->spool) + (int64_t)(len + note_len) > WAITING_BYTES_MAX) {
		++*stat_cell(STAT_ALERTD_POSTS_DEAD, "full");
		log_warn("a message to %s is given up: too many wait", target);
		errno = ENOSPC;
		return -1;
	}
	(void)spool_add(p->spool, target, key, (struct post_str){ body, len }, (struct post_str){ note, note_len });
	count_waiting(p);
	pump_soon(p);
	return 0;
}

/* ---- the whole ---- */

static int64_t
or_else(int64_t value, int64_t fallback)
{
	return value > 0 ? value : fallback;
}

static void
check_base(const struct post *p)
{
	struct post_url u;
	const char *why;

	if (post_url_parse(p->base, &u, &why) == -1)
		die(EX_CONFIG, "DISCORD_API_BASE %s", why);
	if (strcmp(u.scheme, "https") != 0 && !u.loopback)
		die(EX_CONFIG, "DISCORD_API_BASE must be https://: the bot's token goes there");
	for (const char *c = p->token; *c != '\0'; c++)
		if (!isgraph((unsigned char)*c))
			die(EX_CONFIG, "DISCORD_RARE_BOT_TOKEN has a character that no token has");
	if (strlen(p->token) > 200)
		die(EX_CONFIG, "DISCORD_RARE_BOT_TOKEN is too long");
}

static void
fill_config(struct post *p, const struct post_config *config)
{
	struct post_config *c = &p->config;

	*c = *config;
	c->connect_ms = or_else(c->connect_ms, 5000);
	c->total_ms = or_else(c->total_ms, 15000);
	c->retry_min_ms = or_else(c->retry_min_ms, 1000);
	c->retry_max_ms = or_else(c->retry_max_ms, 300000);
	c->max_age_ms = or_else(c->max_age_ms, 3600000);
	c->invalid_window_ms = or_else(c->invalid_window_ms, 600000);
	c->invalid_max = c->invalid_max > 1 && c->invalid_max < 100 ? c->invalid_max : 100;
	p->base = xstrdup(config->discord_base);
	p->token = xstrdup(config->bot_token != NULL ? config->bot_token : "");
	for (size_t n = strlen(p->base); n > 0 && p->base[n - 1] == '/';)
		p->base[--n] = '\0';
}

struct post *
post_new(const struct post_config *config)
{
	struct post *p = xcalloc(1, sizeof *p);
	struct post_http_config http = { .loop = config->loop, .proxy = config->proxy, .ca_file = config->ca_file };

	fill_config(p, config);
	check_base(p);
	if (getrandom(&p->random, sizeof p->random, 0) != (ssize_t)sizeof p->random || p->random == 0)
		p->random = (uint64_t)clock_wall_us() | 1;
	p->spool = spool_open(config->spool);
	http.connect_ms = p->config.connect_ms;
	http.total_ms = p->config.total_ms;
	p->http = post_http_new(&http);
	p->pump = (struct pollable){ .fd = -1, .deadline_ms = 0, .handle = on_pump };
	loop_add(config->loop, &p->pump);
	stat_add(STAT_ALERTD_POSTS_RAISED, (int64_t)spool_count(p->spool));
	count_waiting(p);
	if (spool_count(p->spool) > 0)
		log_info("%zu messages wait in the spool", spool_count(p->spool));
	return p;
}

void
post_free(struct post **pp)
{
	struct post *p = *pp;

	if (p == NULL)
		return;
	post_http_free(&p->http);
	while (p->targets != NULL) {
		struct target *t = p->targets;
		p->targets = t->next;
		post_command_kill(&t->command);
		forget_definition(t);
		free(t->name);
		free(t);
	}
	while (p->buckets != NULL) {
		struct bucket *b = p->buckets;
		p->buckets = b->next;
		free(b);
	}
	loop_del(p->config.loop, &p->pump);
	spool_close(&p->spool);
	free(p->base);
	free(p->token);
	free(p);
	*pp = NULL;
}

size_t
post_pending(const struct post *p)
{
	return spool_count(p->spool);
}

size_t
post_in_flight(const struct post *p)
{
	return p->in_flight;
}

void
post_stop(struct post *p)
{
	p->stopped = 1;
}

void
post_status(const struct post *p, struct buf *out)
{
	int64_t now = clock_mono_ms();

	sort_out((struct post *)(uintptr_t)p);
	for (const struct target *t = p->targets; t != NULL; t = t->next) {
		int64_t at = t->not_before_ms;
		if (!t->set)
			continue;
		if (t->bucket != NULL && t->bucket->until_ms > at)
			at = t->bucket->until_ms;
		if (is_discord(t) && p->global_until_ms > at)
			at = p->global_until_ms;
		(void)buf_printf(out, "%s %s %zu ", t->name, kinds[t->kind], t->waiting);
		if (t->shut)
			(void)buf_printf(out, "shut: %d\n", t->shut);
		else if (at > now)
			(void)buf_printf(out, "again in %lld s\n", (long long)((at - now + 999) / 1000));
		else
			(void)buf_appends(out, t->message != NULL ? "sending\n" : "ready\n");
	}
}
