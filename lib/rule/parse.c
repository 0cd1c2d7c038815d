/* A rule's text into its fields: `key: value` lines, further lines of a value are indented, `#` begins a comment line. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem/mem.h"
#include "rule/rule_int.h"

#define COLOR_DEFAULT 0x5865f2
#define DAY_US (86400 * SECOND_US)

void
rule_error(struct rule *r, unsigned line, unsigned column, const char *fmt, ...)
{
	char text[1200];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->bad = 1;
	for (unsigned i = 0; i < r->n_told; i++)
		if (r->told[i].line == line && r->told[i].column == column)
			return;
	if (r->n_told < sizeof(r->told) / sizeof(*r->told)) {
		r->told[r->n_told].line = line;
		r->told[r->n_told++].column = column;
	}
	r->env.on_error(r->env.priv, r->path, line, column, text);
}

/* At a byte of the piece, which may have several lines; columns count characters. */
void
rule_error_at(struct rule *r, const struct piece *piece, size_t offset, const char *text)
{
	unsigned line = piece->line, column = piece->column;

	for (size_t i = 0; i < offset && i < piece->len; i++) {
		if (piece->p[i] == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)piece->p[i] & 0xc0) != 0x80) {
			column++;
		}
	}
	rule_error(r, line, column, "%s", text);
}

static int
is(const struct piece *v, const char *word)
{
	return v->len == strlen(word) && memcmp(v->p, word, v->len) == 0;
}

/* ---- values ---- */

int
rule_parse_duration(const char *p, size_t len, int64_t *us)
{
	static const struct { const char *unit; int64_t us; } units[] = {
		{ "ms", 1000 }, { "s", SECOND_US }, { "m", 60 * SECOND_US }, { "h", 3600 * SECOND_US }, { "d", DAY_US },
	};
	int64_t n = 0;
	size_t i = 0;

	for (; i < len && isdigit((unsigned char)p[i]) && n < 1000000; i++)
		n = n * 10 + (p[i] - '0');
	if (i == 0 || n >= 1000000)
		return -1;
	if (n == 0 && i == len) {
		*us = 0;
		return 0;
	}
	for (size_t u = 0; u < sizeof(units) / sizeof(*units); u++)
		if (strlen(units[u].unit) == len - i && memcmp(units[u].unit, p + i, len - i) == 0 && n * (units[u].us / 1000) <= 30 * DAY_US / 1000) {
			*us = n * units[u].us;
			return 0;
		}
	return -1;
}

static void
take_duration(struct rule *r, const struct piece *v, void *field)
{
	if (rule_parse_duration(v->p, v->len, field) != 0)
		rule_error_at(r, v, 0, "not a length of time: write a whole number and a unit, as 500ms, 30s, 5m, 2h or 1d (30 days at the most)");
}

static void
take_yes(struct rule *r, const struct piece *v, void *field)
{
	int yes = is(v, "yes") || is(v, "true") || is(v, "on");

	if (!yes && !is(v, "no") && !is(v, "false") && !is(v, "off"))
		rule_error_at(r, v, 0, "write yes or no");
	*(int *)field = yes;
}

static void
take_piece(struct rule *r, const struct piece *v, void *field)
{
	(void)r;
	*(struct piece *)field = *v;
}

static void
take_when(struct rule *r, const struct piece *v, void *field)
{
	(void)field;
	if (r->n_when == RULE_CONDITIONS_MAX)
		rule_error_at(r, v, 0, "more than 8 conditions: join some by `and`");
	else
		r->when[r->n_when++] = *v;
}

static void
take_types(struct rule *r, const struct piece *v, void *field)
{
	static const char *const own[] = { "alert", "subscribe", "subscribed", "gap", "snapshot", "error", NULL };
	size_t i = 0, from;

	(void)field;
	while (i < v->len) {
		while (i < v->len && strchr(", \t\n", v->p[i]) != NULL)
			i++;
		from = i;
		while (i < v->len && (isalnum((unsigned char)v->p[i]) || v->p[i] == '_' || v->p[i] == '*'))
			i++;
		if (i == from) {
			if (i < v->len)
				rule_error_at(r, v, i, "not a type of event: write names with commas between them, as vitals, chat (dt-events(5) has them)");
			break;
		}
		r->type = xreallocarray(r->type, r->n_types + 2, sizeof(*r->type));
		r->type[r->n_types] = xstrndup(v->p + from, i - from);
		for (size_t k = 0; own[k] != NULL; k++)
			if (event_type_match(r->type[r->n_types], own[k], strlen(own[k])) && (k > 0 || strcmp(r->type[r->n_types], own[k]) == 0))
				rule_error_at(r, v, from, k > 0 ? "is or takes in a type that is never on the stream; name those that are meant" :
				    "a rule about alerts would answer itself; name what the alert is about");
		r->type[++r->n_types] = NULL;
	}
}

static void
take_on(struct rule *r, const struct piece *v, void *field)
{
	(void)field;
	if (is(v, "match"))
		r->on = RULE_MATCH;
	else if (is(v, "change"))
		r->on = RULE_CHANGE;
	else if (is(v, "silence"))
		r->on = RULE_SILENCE;
	else
		rule_error_at(r, v, 0, "write match (every event), change (from false to true) or silence (no event for so long)");
}

static void
take_min(struct rule *r, const struct piece *v, void *field)
{
	(void)field;
	r->min = 0;
	for (size_t i = 0; i < v->len && r->min < 10000; i++)
		r->min = isdigit((unsigned char)v->p[i]) ? r->min * 10 + (size_t)(v->p[i] - '0') : 10000;
	if (r->min < 1 || r->min >= 10000)
		rule_error_at(r, v, 0, "write a whole number from 1 to 9999");
}

static void
take_color(struct rule *r, const struct piece *v, void *field)
{
	(void)field;
	r->color = 0;
	if (v->len == 7 && v->p[0] == '#' && strspn(v->p + 1, "0123456789abcdefABCDEF") >= 6)
		r->color = (unsigned)strtoul(v->p + 1, NULL, 16);
	else
		rule_error_at(r, v, 0, "write a colour as #ff8800");
}

static void
take_wait(struct rule *r, const struct piece *v, void *field)
{
	(void)field;
	r->wait_server = is(v, "server");
	if (!r->wait_server && !is(v, "no"))
		rule_error_at(r, v, 0, "write server (the rule waits while the game server is down) or no");
}

/* "webhook:https://user:password@host/path" → "webhook:https://host/…" */
static char *
shown(const char *target)
{
	const char *host = strstr(target, "://"), *end, *at;

	if (host == NULL || strncmp(target, "command:", 8) == 0)
		return xstrdup(target);
	host += 3;
	end = host + strcspn(host, "/?#");
	for (at = end; at > host && at[-1] != '@'; at--)
		;
	return xasprintf("%.*s%.*s%s", (int)(host - target), target, (int)(end - at), at, *end ? "/…" : "");
}

static void
take_target(struct rule *r, const struct piece *v, void *field)
{
	static const struct { const char *word; enum rule_target target; } words[] = {
		{ "channel:", RULE_CHANNEL }, { "webhook:", RULE_WEBHOOK }, { "http:", RULE_HTTP }, { "https:", RULE_HTTP }, { "command:", RULE_COMMAND },
	};

	(void)field;
	r->target_place = *v;
	r->target_text = xstrndup(v->p, v->len);
	r->target_shown = shown(r->target_text);
	r->target = RULE_STREAM;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strncmp(r->target_text, words[i].word, strlen(words[i].word)) == 0)
			r->target = words[i].target;
	if ((r->target == RULE_STREAM && !is(v, "stream")) || (r->target != RULE_STREAM && *rule_target_arg(r) == '\0'))
		rule_error_at(r, v, 0, "write channel:<id or setting>, webhook:<address or setting>, http:<address>, command:<program and arguments>, or stream");
}

/* ---- keys ---- */

#define FIELD(f) offsetof(struct rule, f)
static const struct key {
	const char *name;
	void (*take)(struct rule *, const struct piece *, void *field);
	size_t field;
	int lines, again, state;         /* may have several lines; may stand more than once; the state depends on it */
} keys[] = {
	{ "types", take_types, 0, 1, 0, 1 },
	{ "when", take_when, 0, 1, 1, 1 },
	{ "on", take_on, 0, 0, 0, 1 },
	{ "for", take_duration, FIELD(for_us), 0, 0, 1 },
	{ "silence", take_duration, FIELD(silence_us), 0, 0, 0 },
	{ "keep", take_piece, FIELD(keep), 1, 0, 1 },
	{ "per", take_piece, FIELD(per), 1, 0, 1 },
	{ "cooldown", take_duration, FIELD(cooldown_us), 0, 0, 0 },
	{ "wait", take_wait, 0, 0, 0, 0 },
	{ "gather", take_duration, FIELD(gather_us), 0, 0, 0 },
	{ "min", take_min, 0, 0, 0, 0 },
	{ "title", take_piece, FIELD(title), 1, 0, 0 },
	{ "message", take_piece, FIELD(message), 1, 0, 0 },
	{ "many", take_piece, FIELD(many), 1, 0, 0 },
	{ "cleared", take_piece, FIELD(cleared), 1, 0, 0 },
	{ "back", take_duration, FIELD(back_us), 0, 0, 0 },
	{ "embed", take_yes, FIELD(embed), 0, 0, 0 },
	{ "color", take_color, 0, 0, 0, 0 },
	{ "target", take_target, 0, 0, 0, 0 },
	{ "enabled", take_yes, FIELD(enabled), 0, 0, 0 },
	{ "replay", take_yes, FIELD(replay), 0, 0, 0 },
};
#define N_KEYS (sizeof(keys) / sizeof(*keys))

static void
mix(struct rule *r, const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		r->hash = (r->hash ^ (unsigned char)p[i]) * 1099511628211u;
}

static void
take(struct rule *r, const struct piece *name, const struct piece *value, unsigned *seen)
{
	for (size_t i = 0; i < N_KEYS; i++) {
		if (!is(name, keys[i].name))
			continue;
		if (*seen & 1u << i && !keys[i].again)
			rule_error(r, name->line, 1, "%s stands here a second time; only `when` may", keys[i].name);
		else if (value->len == 0)
			rule_error_at(r, value, 0, "the value is missing");
		else if (!keys[i].lines && memchr(value->p, '\n', value->len) != NULL)
			rule_error(r, value->line + 1, 1, "%s has one line; begin this one with its own key, or remove it", keys[i].name);
		else
			keys[i].take(r, value, (char *)r + keys[i].field);
		*seen |= 1u << i;
		if (keys[i].state) {
			mix(r, keys[i].name, strlen(keys[i].name) + 1);
			mix(r, value->p, value->len);
		}
		return;
	}
	rule_error(r, name->line, name->column, "'%.*s' is no key; there are types, when, on, for, silence, keep, per, cooldown, wait, gather, min, title, "
	    "message, many, cleared, back, embed, color, target, enabled, replay", (int)(name->len > 40 ? 40 : name->len), name->p);
}

static size_t
line_end(const char *p, size_t len, size_t at)
{
	const char *nl = memchr(p + at, '\n', len - at);

	return nl != NULL ? (size_t)(nl - p) : len;
}

static int
blank(const char *p, size_t from, size_t to)
{
	while (from < to && isspace((unsigned char)p[from]))
		from++;
	return from == to;
}

/* Where the value that begins in this line ends: before the next line that is not indented.  Empty lines at its end do not belong to it. */
static size_t
value_end(const char *p, size_t len, size_t at)
{
	size_t end = line_end(p, len, at), next, next_end;

	for (next = end; next < len; next = next_end) {
		next_end = line_end(p, len, next + 1);
		if (blank(p, next + 1, next_end))
			continue;
		if (p[next + 1] != ' ' && p[next + 1] != '\t')
			break;
		end = next_end;
	}
	while (end > at && isspace((unsigned char)p[end - 1]))
		end--;
	return end;
}

/* One entry that begins at *at; moves it behind. */
static void
take_entry(struct rule *r, size_t len, size_t *at, unsigned *line, unsigned *seen)
{
	const char *p = r->text;
	size_t end = line_end(p, len, *at), colon = *at, from, to;
	struct piece name = { p + *at, 0, *line, 1 }, value;

	while (colon < end && (isalnum((unsigned char)p[colon]) || p[colon] == '_'))
		colon++;
	name.len = colon - *at;
	if (colon == *at || colon == end || p[colon] != ':') {
		rule_error(r, *line, (unsigned)(colon - *at) + 1, "here a key and a colon are expected, as `when: …`; further lines of a value are indented");
		*at = end;
		return;
	}
	for (from = colon + 1; from < end && (p[from] == ' ' || p[from] == '\t'); from++)
		;
	to = value_end(p, len, from);
	value = (struct piece){ p + from, to - from, *line, (unsigned)(from - *at) + 1 };
	if (value.len > 0 && *value.p == '\n') {         /* it begins in the next line */
		while (value.len > 0 && isspace((unsigned char)*value.p)) {
			value.column = *value.p == '\n' ? 1 : value.column + 1;
			value.line += *value.p == '\n';
			value.p++;
			value.len--;
		}
	}
	take(r, &name, &value, seen);
	for (; *at < to; (*at)++)
		*line += p[*at] == '\n';
	*at = line_end(p, len, to > end ? to : end);
}

static void
take_all(struct rule *r, size_t len, unsigned *seen)
{
	unsigned line = 1;
	size_t at = 0, end;

	while (at < len) {
		end = line_end(r->text, len, at);
		if (r->text[at] == '#' || blank(r->text, at, end)) {
			at = end;
		} else if (r->text[at] == ' ' || r->text[at] == '\t') {
			rule_error(r, line, 1, "an indented line belongs to the key above it, and there is none");
			at = end;
		} else {
			take_entry(r, len, &at, &line, seen);
		}
		if (at < len && r->text[at] == '\n') {
			at++;
			line++;
		}
	}
}

static void
check_whole(struct rule *r)
{
	if (r->n_types == 0)
		rule_error(r, 1, 1, "the key types is missing: say which events it is about, as `types: vitals`");
	if (r->message.p == NULL)
		rule_error(r, 1, 1, "the key message is missing: say what is to be posted, as `message: {{ .character_name }} …`");
	if (r->target_text == NULL)
		rule_error(r, 1, 1, "the key target is missing: say where it is posted, as `target: webhook:DISCORD_ACLOG_WEBHOOK`");
	if (r->on == RULE_SILENCE && r->for_us == 0)
		rule_error(r, 1, 1, "`on: silence` needs `for:`, how long nothing must come");
	if (r->on == RULE_CHANGE && r->for_us > 0)
		rule_error(r, 1, 1, "`on: change` and `for:` exclude each other: with `for:` a condition that holds for so long is told once anyway");
	if (r->n_when == 0 && (r->on == RULE_CHANGE || (r->on == RULE_MATCH && r->for_us > 0)))
		rule_error(r, 1, 1, "the key when is missing: without a condition nothing changes or holds");
	if (r->min > 1 && r->gather_us == 0)
		rule_error(r, 1, 1, "`min:` needs `gather:`, how long alerts are gathered into one message");
	if (r->keep.p != NULL && r->for_us == 0)
		rule_error(r, 1, 1, "`keep:` needs `for:`: it is what was there when the condition began to hold");
}

int
rule_parse(struct rule *r)
{
	size_t len = strlen(r->text);
	unsigned seen = 0;

	r->enabled = 1;
	r->silence_us = 30 * SECOND_US;
	r->back_us = 300 * SECOND_US;
	r->min = 1;
	r->color = COLOR_DEFAULT;
	r->hash = 1469598103934665603u;
	take_all(r, len, &seen);
	if (r->bad)
		return -1;
	check_whole(r);
	if (r->on == RULE_MATCH && r->for_us > 0)
		r->on = RULE_HOLD;
	return r->bad ? -1 : 0;
}
