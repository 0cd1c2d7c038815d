/* Where messages go, by name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "log/log.h"
#include "mem/mem.h"
#include "post/state.h"
#include "stat/stat.h"

const char *const post_kinds[] = { "channel", "discord_webhook", "webhook", "command" };

struct target *
post_target_find(const struct post *p, const char *name)
{
	struct target *t = p->targets;

	while (t != NULL && strcmp(t->name, name) != 0)
		t = t->next;
	return t;
}

void
post_count_shut(struct post *p)
{
	int64_t n = 0;

	for (const struct target *t = p->targets; t != NULL; t = t->next)
		n += t->set && t->shut;
	stat_set(STAT_ALERTD_TARGETS_SHUT, n);
}

int
post_target_is_name(const char *name)
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

	(void)buf_printf(&b, "%s", post_kinds[t->kind]);
	for (size_t i = 0; t->kind == POST_COMMAND && t->argv[i] != NULL; i++)
		(void)buf_printf(&b, "\n%s", t->argv[i]);
	if (t->kind != POST_COMMAND)
		(void)buf_printf(&b, "\n%s", t->where);
	text = xstrndup(buf_data(&b), buf_size(&b));
	buf_fini(&b);
	return text;
}

void
post_target_clear(struct target *t)
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
	if (!post_target_is_name(name) || check_target(p, def, why) == -1)
		return -1;
	definition = define(def);
	if ((t = post_target_find(p, name)) == NULL)
		t = target_new(p, name);
	if (t->definition == NULL || strcmp(t->definition, definition) != 0) {
		if (t->shut)
			log_info("target %s has changed: it is used again", name);
		post_target_clear(t);
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
	post_count_shut(p);
	post_pump_soon(p);
	return 0;
}

void
post_target_del(struct post *p, const char *name)
{
	struct target *t = post_target_find(p, name);

	if (t == NULL)
		return;
	t->set = 0;
	post_count_shut(p);
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
