#include "rule/rule.h"

#include <stdlib.h>
#include <string.h>

#include "mem/mem.h"
#include "rule/rule_int.h"

static int
is_text(struct rule *r, size_t len)
{
	struct buf b = BUF_INIT(RULE_TEXT_MAX * 8);
	size_t at;
	int bad;

	if (len > RULE_TEXT_MAX) {
		rule_error(r, 1, 1, "more than %u bytes: a rule is a short text", RULE_TEXT_MAX);
		return 0;
	}
	if (strlen(r->text) != len) {
		rule_error(r, 1, 1, "a byte of value 0 is in it: a rule is plain text");
		return 0;
	}
	bad = buf_append_json(&b, r->text, len) != 0 || event_check_json(buf_data(&b), buf_size(&b), &at) != EVENT_OK;
	buf_fini(&b);
	if (bad)
		rule_error(r, 1, 1, "not UTF-8 text: save it as UTF-8");
	return !bad;
}

/* What editors of other systems put in: a mark at the beginning, a carriage return at the end of lines. */
static char *
plain_copy(const char *text, size_t *len)
{
	size_t from = *len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0, n = 0;
	char *copy = xmalloc(*len + 1);

	for (size_t i = from; i < *len; i++)
		if (text[i] != '\r' || i + 1 == *len || text[i + 1] != '\n')
			copy[n++] = text[i];
	copy[n] = '\0';
	*len = n;
	return copy;
}

struct rule *
rule_new(const struct rule_env *env, const char *name, const char *path, const char *text, size_t len, int thorough)
{
	struct rule *r = xcalloc(1, sizeof(*r));

	r->env = *env;
	r->name = xstrdup(name);
	r->path = xstrdup(path);
	r->text = plain_copy(text, &len);
	if (!is_text(r, len) || rule_parse(r) != 0 || ((r->enabled || thorough) && rule_compile(r, thorough) != 0))
		rule_free(&r);
	return r;
}

void
rule_free(struct rule **rp)
{
	struct rule *r = *rp;

	if (r == NULL)
		return;
	for (size_t i = 0; i < r->n_types; i++)
		free(r->type[i]);
	free(r->type);
	free(r->target_text);
	free(r->target_shown);
	filter_free(&r->judge);
	filter_free(&r->say);
	filter_free(&r->say_many);
	filter_free(&r->say_cleared);
	free(r->name);
	free(r->path);
	free(r->text);
	free(r);
	*rp = NULL;
}

const char *
rule_name(const struct rule *r)
{
	return r->name;
}

uint64_t
rule_text_hash(const struct rule *r)
{
	uint64_t h = 1469598103934665603u;

	for (const char *p = r->text; *p != '\0'; p++)
		h = (h ^ (unsigned char)*p) * 1099511628211u;
	return h;
}

const char *
rule_path(const struct rule *r)
{
	return r->path;
}

int
rule_enabled(const struct rule *r)
{
	return r->enabled;
}

enum rule_target
rule_target(const struct rule *r)
{
	return r->target;
}

const char *
rule_target_text(const struct rule *r)
{
	return r->target_shown;
}

const char *
rule_target_arg(const struct rule *r)
{
	const char *colon = strchr(r->target_text, ':');

	if (r->target == RULE_HTTP && colon != NULL && colon[1] == '/')
		return r->target_text;           /* an address as it is */
	return colon == NULL ? "" : colon + 1 + strspn(colon + 1, " \t");
}

void
rule_target_place(const struct rule *r, unsigned *line, unsigned *column)
{
	*line = r->target_place.line;
	*column = r->target_place.column;
}
