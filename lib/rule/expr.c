/* The jq of a rule: one program that judges an event, one for each text; and where in the file a wrong one is wrong. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "game/game.h"
#include "json/json.h"
#include "mem/mem.h"
#include "rare/rare.h"
#include "rule/rule_int.h"

#define PROGRAM_MAX (1u << 20)
#define TOKENS_MAX 4096

/* On one line.  A rule sees neither the environment, where secrets are, nor the clock: now is when the event came, so a backtest says the same.
 * num: numbers may come as strings; what is no number says nothing. */
static const char helpers[] =
	"{} as $ENV | . as $dt_event | def env: {}; def stderr: .; def debug: .; "
	"def now: $dt_event | (._rx // ._at // .timestamp) | sub(\"\\\\.[0-9]+Z$\"; \"Z\") | fromdate; "
	"def num: if type == \"number\" then . elif type == \"string\" and test(\"^ *[-+]?[0-9][0-9,.]* *$\") "
	"then (gsub(\"[, ]\"; \"\") | tonumber? // empty) else empty end; "
	"def trim: sub(\"^\\\\s+\"; \"\") | sub(\"\\\\s+$\"; \"\"); "
	"def words: split(\",\") | map(trim | select(. != \"\")); "
	"def text: if type == \"string\" then . elif . == null then \"\" else tojson end; ";

/* ---- what expressions may use besides ---- */

static int
mentions(const struct piece *v, const char *word, size_t *at)
{
	size_t n = strlen(word);

	for (; *at + n <= v->len; (*at)++)
		if (memcmp(v->p + *at, word, n) == 0)
			return 1;
	return 0;
}

/* The settings that an expression names, as members of an object. */
static void
add_settings(struct rule *r, const struct piece *v, struct buf *b)
{
	static const char call[] = "setting(\"";
	size_t at = 0, n;
	char name[80];
	const char *value;

	while (mentions(v, call, &at)) {
		at += sizeof(call) - 1;
		for (n = 0; at + n < v->len && v->p[at + n] != '"' && n < sizeof(name) - 1; n++)
			name[n] = v->p[at + n];
		name[n] = '\0';
		value = r->env.setting(r->env.priv, name);
		if (value == NULL)
			rule_error_at(r, v, at, "no such setting, or a secret one; .env.example lists them");
		(void)buf_append_json(b, name, n);
		(void)buf_appends(b, ":");
		(void)buf_append_json(b, value ? value : "", value ? strlen(value) : 0);
		(void)buf_appends(b, ",");
	}
}

static void
add_rare_tier(struct buf *b)
{
	(void)buf_appends(b, "def rare_tier: if ({");
	for (unsigned i = 0; i < game_rare_count(); i++) {
		const char *name = game_rare_name(game_rare_at(i));
		if (strcmp(rare_tier(name, strlen(name)), "common") != 0)
			continue;
		(void)buf_append_json(b, name, strlen(name));
		(void)buf_appends(b, ":1,");
	}
	(void)buf_appends(b, "\"\":0}[.name | trim]) == 1 then \"common\" else \"great\" end; ");
}

static void
add_prelude(struct rule *r, const struct piece *v, size_t n, struct buf *b)
{
	size_t at, rares = 0;

	(void)buf_appends(b, helpers);
	(void)buf_appends(b, "def setting($n): ({");
	for (size_t i = 0; i < n; i++) {
		add_settings(r, &v[i], b);
		at = 0;
		rares += (size_t)mentions(&v[i], "rare_tier", &at);
	}
	(void)buf_appends(b, "\"\":\"\"})[$n] // \"\"; ");
	if (rares > 0)
		add_rare_tier(b);
}

/* ---- where a wrong expression is wrong ---- */

/* Text of one expression alone; NULL when it compiles. */
static char *
compile_error(struct rule *r, const struct piece *v, size_t len)
{
	struct buf b = BUF_INIT(PROGRAM_MAX);
	struct filter *f;
	char *error = NULL;
	int bad = r->bad;

	add_prelude(r, v, 1, &b);
	if (r->bad && !bad) {                    /* a setting that is none: told already */
		buf_fini(&b);
		return NULL;
	}
	(void)buf_append(&b, v->p, len);
	(void)buf_append(&b, "", 1);
	f = filter_new(buf_data(&b), &error);
	filter_free(&f);
	buf_fini(&b);
	return error;
}

/* Ends of tokens, roughly jq's. */
static size_t
token_ends(const struct piece *v, size_t *end, size_t *start)
{
	size_t n = 0, i = 0;
	const char *p = v->p;

	while (i < v->len && n < TOKENS_MAX) {
		if (isspace((unsigned char)p[i])) {
			i++;
			continue;
		}
		start[n] = i;
		if (p[i] == '#') {
			while (i < v->len && p[i] != '\n')
				i++;
			continue;
		}
		if (p[i] == '"') {
			for (i++; i < v->len && p[i] != '"'; i++)
				i += p[i] == '\\';
			i = i < v->len ? i + 1 : v->len;
		} else if (isalnum((unsigned char)p[i]) || p[i] == '_' || p[i] == '$' || p[i] == '.') {
			for (i++; i < v->len && (isalnum((unsigned char)p[i]) || p[i] == '_'); i++)
				;
		} else {
			i += i + 1 < v->len && strchr("=/|", p[i + 1]) != NULL && strchr("=!<>+-*/%|?", p[i]) != NULL ? 2 : 1;
		}
		end[n++] = i;
	}
	return n;
}

static int
fine_so_far(struct rule *r, const struct piece *v, size_t len)
{
	char *error = compile_error(r, v, len);
	int fine = error == NULL || strstr(error, "$end") != NULL || strstr(error, "not defined") != NULL;

	free(error);
	return fine;
}

/* The first token with which no program can begin. */
static size_t
syntax_offset(struct rule *r, const struct piece *v, size_t *len)
{
	size_t *end = xcalloc(TOKENS_MAX, sizeof(*end)), *start = xcalloc(TOKENS_MAX, sizeof(*start));
	size_t n = token_ends(v, end, start), low = 0, high = n, middle, at;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (fine_so_far(r, v, end[middle]))
			low = middle + 1;
		else
			high = middle;
	}
	at = low < n ? start[low] : n > 0 ? end[n - 1] : 0;
	*len = low < n ? end[low] - start[low] : 0;
	free(end);
	free(start);
	return at;
}

/* "foo/1 is not defined …": where foo stands. */
static size_t
name_offset(const struct piece *v, const char *error)
{
	size_t n = strcspn(error, "/ "), at;

	for (at = 0; at + n <= v->len; at++)
		if (memcmp(v->p + at, error, n) == 0 && (at == 0 || (!isalnum((unsigned char)v->p[at - 1]) && v->p[at - 1] != '_' && v->p[at - 1] != '.')) &&
		    (at + n == v->len || (!isalnum((unsigned char)v->p[at + n]) && v->p[at + n] != '_')))
			return at;
	return 0;
}

static void
explain(struct rule *r, const struct piece *v, char *error)
{
	char *at = strstr(error, " at <top-level>"), text[300];
	size_t offset, len;

	if (at != NULL)
		*at = '\0';
	if (strstr(error, "not defined") != NULL) {
		(void)snprintf(text, sizeof(text), "%.200s: jq has no such %s, and dt-rules(5) adds none", error, *error == '$' ? "variable" : "function with so many arguments");
		rule_error_at(r, v, name_offset(v, error), text);
	} else if (strstr(error, "syntax error") == NULL) {
		rule_error_at(r, v, 0, error);
	} else {
		offset = syntax_offset(r, v, &len);
		if (len > 0)
			(void)snprintf(text, sizeof(text), "jq does not expect '%.*s' here: look at the brackets, quotes and operators before it", (int)(len > 60 ? 60 : len), v->p + offset);
		else
			(void)snprintf(text, sizeof(text), "the jq expression ends too early: a bracket, a quote, an `end` or an operand is missing");
		rule_error_at(r, v, offset, text);
	}
}

static void
check_alone(struct rule *r, const struct piece *v)
{
	char *error = compile_error(r, v, v->len);

	if (error != NULL)
		explain(r, v, error);
	free(error);
}

/* ---- templates ---- */

/* The end of the expression that begins at `at`: its `}}`, outside of strings and brackets; 0 when there is none. */
static size_t
template_close(const struct piece *v, size_t at)
{
	int depth = 0;

	for (; at + 1 < v->len; at++) {
		if (v->p[at] == '"')
			for (at++; at < v->len && v->p[at] != '"'; at++)
				at += v->p[at] == '\\';
		else if (depth == 0 && v->p[at] == '}' && v->p[at + 1] == '}')
			return at;
		else if (strchr("({[", v->p[at]) != NULL)
			depth++;
		else if (strchr(")}]", v->p[at]) != NULL)
			depth--;
	}
	return 0;
}

static struct piece
part(const struct piece *v, size_t from, size_t to)
{
	struct piece x = { v->p + from, to - from, v->line, v->column };

	for (size_t i = 0; i < from; i++) {
		if (v->p[i] == '\n') {
			x.line++;
			x.column = 1;
		} else if (((unsigned char)v->p[i] & 0xc0) != 0x80) {
			x.column++;
		}
	}
	return x;
}

/* Indentation is not part of the text. */
static void
add_literal(struct buf *b, const char *p, size_t len)
{
	struct buf plain = BUF_INIT(RULE_TEXT_MAX);

	for (size_t i = 0; i < len; i++) {
		(void)buf_append(&plain, p + i, 1);
		if (p[i] == '\n')
			while (i + 1 < len && (p[i + 1] == ' ' || p[i + 1] == '\t'))
				i++;
	}
	(void)buf_append_json(b, buf_size(&plain) ? buf_data(&plain) : "", buf_size(&plain));
	buf_fini(&plain);
}

/* "Hello {{ .x }}" → ["Hello ", ([(.x)] | map(text) | join(", ")), ""] | join(""). */
static int
add_template(struct rule *r, const struct piece *v, struct buf *b, int thorough)
{
	size_t at = 0, open, close;
	struct piece x;

	(void)buf_appends(b, "([");
	for (;;) {
		for (open = at; open + 1 < v->len && (v->p[open] != '{' || v->p[open + 1] != '{'); open++)
			;
		if (open + 1 >= v->len)
			break;
		close = template_close(v, open + 2);
		if (close == 0) {
			rule_error_at(r, v, open, "this {{ has no }}");
			return -1;
		}
		add_literal(b, v->p + at, open - at);
		x = part(v, open + 2, close);
		if (thorough)
			check_alone(r, &x);
		(void)buf_appends(b, ",([(\n");
		(void)buf_append(b, x.p, x.len);
		(void)buf_appends(b, "\n)] | map(text) | join(\", \")),");
		at = close + 2;
	}
	add_literal(b, v->p + at, v->len - at);
	(void)buf_appends(b, "] | join(\"\"))");
	return 0;
}

static struct filter *
compile_say(struct rule *r, const struct piece *text, int thorough)
{
	struct piece both[2] = { r->title, *text };
	struct buf b = BUF_INIT(PROGRAM_MAX);
	struct filter *f = NULL;
	char *error = NULL;

	for (int i = 0; i < 2; i++)
		if (both[i].p == NULL)
			both[i] = (struct piece){ "", 0, 1, 1 };
	add_prelude(r, both, 2, &b);
	(void)buf_appends(&b, "{title: ");
	if (add_template(r, &both[0], &b, thorough) == 0 && (buf_appends(&b, ", text: "), add_template(r, text, &b, thorough)) == 0 && !r->bad) {
		(void)buf_append(&b, "}", 2);
		f = filter_new(buf_data(&b), &error);
	}
	buf_fini(&b);
	if (error != NULL && !thorough)
		(void)compile_say(r, text, 1);           /* which of them it is */
	if (error != NULL && !r->bad)
		rule_error_at(r, text, 0, error);
	free(error);
	return f;
}

/* ---- judging ---- */

static void
add_expression(struct buf *b, const char *before, const struct piece *v, const char *after)
{
	(void)buf_appends(b, before);
	(void)buf_appends(b, "(\n");
	(void)buf_append(b, v->p, v->len);
	(void)buf_appends(b, "\n)");
	(void)buf_appends(b, after);
}

static struct filter *
compile_judge(struct rule *r)
{
	struct piece all[RULE_CONDITIONS_MAX + 2];
	struct buf b = BUF_INIT(PROGRAM_MAX);
	struct filter *f;
	char *error = NULL;
	size_t n = 0;

	for (size_t i = 0; i < r->n_when; i++)
		all[n++] = r->when[i];
	all[n++] = r->per;
	if (r->keep.p != NULL)
		all[n++] = r->keep;
	add_prelude(r, all, n, &b);
	add_expression(&b, "[(try [", &r->per, "][:1] catch []), [");
	for (size_t i = 0; i < r->n_when; i++)
		add_expression(&b, i ? ", (try ([" : "(try ([", &r->when[i], " | if . == null then empty elif . then 1 else 0 end][:1]) catch [tostring])");
	(void)buf_appends(&b, "], ");
	if (r->keep.p != NULL)
		add_expression(&b, "(try [", &r->keep, "][:1] catch [])]");
	else
		(void)buf_appends(&b, "[]]");
	(void)buf_append(&b, "", 1);
	f = filter_new(buf_data(&b), &error);
	buf_fini(&b);
	for (size_t i = 0; error != NULL && i < n; i++)
		check_alone(r, &all[i]);
	if (error != NULL && !r->bad)
		rule_error_at(r, &all[0], 0, error);
	free(error);
	return f;
}

int
rule_compile(struct rule *r, int thorough)
{
	static const char character[] = ".character_name";

	if (r->per.p == NULL)
		r->per = (struct piece){ character, sizeof(character) - 1, 1, 1 };
	for (size_t i = 0; thorough && i < r->n_when; i++)
		check_alone(r, &r->when[i]);
	if (thorough)
		check_alone(r, &r->per);
	if (thorough && r->keep.p != NULL)
		check_alone(r, &r->keep);
	if (!r->bad)
		r->judge = compile_judge(r);
	r->say = compile_say(r, &r->message, thorough);
	if (r->many.p != NULL)
		r->say_many = compile_say(r, &r->many, thorough);
	if (r->cleared.p != NULL)
		r->say_cleared = compile_say(r, &r->cleared, thorough);
	return r->bad ? -1 : 0;
}

/* ---- saying ---- */

static void
keep_output(void *priv, const char *json, size_t len)
{
	struct buf *b = priv;

	buf_clear(b);
	(void)buf_append(b, json, len);
}

int
rule_say(struct filter *f, const char *json, size_t len, char **title, char **text)
{
	struct buf out = BUF_INIT(4u << 20);
	struct json *doc = NULL;
	const char *error;
	int r = -1;

	if (filter_run(f, json, len, 0, keep_output, &out) == 0 && buf_size(&out) > 0)
		doc = json_parse(buf_data(&out), buf_size(&out), &error);
	if (doc != NULL) {
		*title = xstrdup(json_str(doc, "title", ""));
		*text = xstrdup(json_str(doc, "text", ""));
		r = 0;
	}
	json_free(&doc);
	buf_fini(&out);
	return r;
}
