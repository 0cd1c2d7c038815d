#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd.h"
#include "env/env.h"
#include "mem/mem.h"

#define WORDS_MAX 64

struct find {
	const char *name;
	int found;
};

static void
is_it(void *priv, const struct env_setting *s)
{
	struct find *f = priv;

	f->found |= strcmp(s->name, f->name) == 0;
}

static int
is_setting(const char *name)
{
	struct find f = { name, 0 };

	env_each(is_it, &f);
	return f.found;
}

static int
is_address(const char *s)
{
	return strncmp(s, "http://", 7) == 0 || strncmp(s, "https://", 8) == 0;
}

static int
is_number(const char *s)
{
	return *s != '\0' && s[strspn(s, "0123456789")] == '\0' && strlen(s) <= 20;
}

/* Words with blanks between them; 'one word', "one word". */
static char **
split(const char *s)
{
	char **argv = xcalloc(WORDS_MAX + 1, sizeof(*argv)), quote, *to;
	size_t n = 0;

	while (n < WORDS_MAX) {
		s += strspn(s, " \t");
		if (*s == '\0')
			break;
		to = argv[n++] = xcalloc(1, strlen(s) + 1);
		for (quote = 0; *s != '\0' && (quote || (*s != ' ' && *s != '\t')); s++) {
			if (quote ? *s == quote : (*s == '"' || *s == '\''))
				quote = quote ? 0 : *s;
			else
				*to++ = *s;
		}
	}
	return argv;
}

/* What a setting, or the word itself, says. */
static const char *
value_of(const char *arg, char **why)
{
	if (!is_setting(arg)) {
		*why = xasprintf("there is no setting %s; .env.example lists them", arg);
		return NULL;
	}
	if (*env_get(arg) == '\0') {
		*why = xasprintf("%s is not set", arg);
		return NULL;
	}
	return env_get(arg);
}

static int
resolve_channel(const char *arg, struct target *t, char **why)
{
	t->post.kind = POST_CHANNEL;
	t->post.where = is_number(arg) ? arg : value_of(arg, why);
	if (t->post.where == NULL)
		return -1;
	(void)snprintf(t->name, sizeof(t->name), "channel.%.50s", arg);
	if (!is_number(t->post.where)) {
		*why = xasprintf("%s is no channel's id (a number of up to 20 digits)", arg);
		return -1;
	}
	if (*env_get("DISCORD_RARE_BOT_TOKEN") == '\0') {
		*why = xstrdup("DISCORD_RARE_BOT_TOKEN is not set");
		return -1;
	}
	return 0;
}

static int
resolve_webhook(const char *arg, struct target *t, char **why)
{
	t->post.kind = POST_DISCORD_WEBHOOK;
	t->post.where = is_address(arg) ? arg : value_of(arg, why);
	if (t->post.where == NULL)
		return -1;
	if (!is_address(t->post.where)) {
		*why = xasprintf("%s is no address that begins with http:// or https://", arg);
		return -1;
	}
	if (!is_address(arg))
		(void)snprintf(t->name, sizeof(t->name), "webhook.%.50s", arg);
	return 0;
}

int
target_resolve(const struct rule *r, struct target *t, char **why)
{
	const char *arg = rule_target_arg(r);

	memset(t, 0, sizeof(*t));
	*why = NULL;
	(void)snprintf(t->name, sizeof(t->name), "rule.%.58s", rule_name(r));
	switch (rule_target(r)) {
	case RULE_STREAM:
		return 0;
	case RULE_CHANNEL:
		return resolve_channel(arg, t, why);
	case RULE_WEBHOOK:
		return resolve_webhook(arg, t, why);
	case RULE_HTTP:
		t->post = (struct post_target){ .kind = POST_WEBHOOK, .where = arg };
		if (is_address(arg))
			return 0;
		*why = xasprintf("an address begins with http:// or https://");
		return -1;
	case RULE_COMMAND:
		t->argv = split(arg);
		t->post = (struct post_target){ .kind = POST_COMMAND, .argv = (const char *const *)t->argv };
		return 0;
	}
	return -1;
}

int
target_is_unset(const struct rule *r)
{
	const char *arg = rule_target_arg(r);

	if (rule_target(r) == RULE_CHANNEL && *env_get("DISCORD_RARE_BOT_TOKEN") == '\0')
		return is_number(arg) || is_setting(arg);
	return (rule_target(r) == RULE_CHANNEL || rule_target(r) == RULE_WEBHOOK) && is_setting(arg) && *env_get(arg) == '\0';
}

void
target_free(struct target *t)
{
	for (size_t i = 0; t->argv != NULL && t->argv[i] != NULL; i++)
		free(t->argv[i]);
	free(t->argv);
	t->argv = NULL;
}
