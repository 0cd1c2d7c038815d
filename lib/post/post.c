/* Who is sent what and when. */
#include "post/post.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>

#include "clock/clock.h"
#include "log/log.h"
#include "mem/mem.h"
#include "post/state.h"
#include "stat/stat.h"

#define WAITING_MAX 10000
#define WAITING_BYTES_MAX (INT64_C(64) << 20)
#define PART_MAX (64u << 10)

void
post_pump_soon(struct post *p)
{
	p->pump.deadline_ms = clock_mono_ms();
}

void
post_count_waiting(struct post *p)
{
	stat_set(STAT_ALERTD_POSTS_PENDING, (int64_t)spool_count(p->spool));
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
	post_http_post(p->http, t->url, headers, buf_data(&body), buf_size(&body), secrets, post_is_discord(t), post_on_result, t);
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
	p->discord_in_flight += t->tried_discord = (unsigned)post_is_discord(t);
	if (t->kind != POST_CHANNEL && !t->suspect)
		p->lane = p->last_lane = t;
	post_key_text(t->message->target, t->message->key, nonce);
	if (t->kind != POST_COMMAND) {
		start_request(p, t, nonce);
		return;
	}
	t->command = post_command_start(p->config.loop, (const char *const *)t->argv, nonce, t->message->body, t->message->body_len, p->config.total_ms, post_on_result, t);
	if (t->command == NULL) {
		struct post_result r = { .outcome = POST_AGAIN, .cause = "start" };
		post_limits_init(&r.limits);
		(void)snprintf(r.words, sizeof r.words, "unable to start the command: %s", strerror(errno));
		post_on_result(t, &r);
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
	if (post_is_discord(t) && (other = discord_from(p, now_ms)) > at)
		at = other;
	if (at <= now_ms && t->kind != POST_CHANNEL && !t->suspect && p->lane != NULL)
		return CLOCK_NEVER;
	return at;
}

static struct spool_message *
too_old(struct post *p, int64_t now_ms, int64_t *next_ms)
{
	for (struct spool_message *m = spool_first(p->spool); m != NULL; m = m->next) {
		struct target *t = post_target_find(p, m->target);
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
		const struct target *t = post_target_find(p, m->target);
		post_dead(p, m, t != NULL && t->set ? "expired" : "no_target", "");
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
		struct target *t = post_target_find(p, m->target);
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
	const struct target *t = post_target_find(p, target);
	size_t key_len = strlen(key), prefix = strlen(POST_NO_PINGS);

	errno = EINVAL;
	if (!post_target_is_name(target) || key_len == 0 || key_len > 200 || len > PART_MAX || note_len > PART_MAX)
		return -1;
	if (t != NULL && t->set && post_is_discord(t) && (len <= prefix || memcmp(body, POST_NO_PINGS, prefix) != 0))
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
	post_count_waiting(p);
	post_pump_soon(p);
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
	post_count_waiting(p);
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
		post_target_clear(t);
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
		if (post_is_discord(t) && p->global_until_ms > at)
			at = p->global_until_ms;
		(void)buf_printf(out, "%s %s %zu ", t->name, post_kinds[t->kind], t->waiting);
		if (t->shut)
			(void)buf_printf(out, "shut: %d\n", t->shut);
		else if (at > now)
			(void)buf_printf(out, "again in %lld s\n", (long long)((at - now + 999) / 1000));
		else
			(void)buf_appends(out, t->message != NULL ? "sending\n" : "ready\n");
	}
}
