/* The query language. */
#include <ctype.h>
#include <string.h>

#include "buf/utf8.h"
#include "itemq/inner.h"

struct parse {
	const char *q;
	size_t len, at;
	struct itemq *list;
	struct itemq_error *error;
	char text[ITEMQ_TEXT_MAX];               /* a quoted value without its backslashes */
};

static char
look(const struct parse *p, size_t ahead)
{
	return p->at + ahead < p->len ? p->q[p->at + ahead] : '\0';
}

static int
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void
skip_blanks(struct parse *p)
{
	while (p->at < p->len && is_blank(p->q[p->at]))
		p->at++;
}

static int
is_operator(char c)
{
	return c == ':' || c == '=' || c == '<' || c == '>';
}

static enum op
take_operator(struct parse *p)
{
	char c = look(p, 0), next = look(p, 1);

	p->at++;
	if ((c == '<' || c == '>') && next == '=') {
		p->at++;
		return c == '<' ? OP_LE : OP_GE;
	}
	return c == '<' ? OP_LT : c == '>' ? OP_GT : c == '=' ? OP_EQ : OP_HAS;
}

/* A quoted text or all up to the next blank. */
static int
take_value(struct parse *p, struct piece *v)
{
	*v = (struct piece){ p->q + p->at, 0, p->at };
	if (look(p, 0) != '"') {
		for (; p->at < p->len && !is_blank(p->q[p->at]); p->at++)
			v->len++;
		return 0;
	}
	v->p = p->text;
	for (p->at++; p->at < p->len && p->q[p->at] != '"'; p->at++) {
		if (p->q[p->at] == '\\' && (look(p, 1) == '"' || look(p, 1) == '\\'))
			p->at++;
		p->text[v->len++] = p->q[p->at];
	}
	if (p->at >= p->len)
		return itemq_fail(p->error, v->at, "the quotation mark is not closed");
	p->at++;
	if (p->at < p->len && !is_blank(p->q[p->at]))
		return itemq_fail(p->error, p->at, "a blank is missing behind the closing quotation mark");
	return 0;
}

static int
unknown_field(const struct parse *p, struct piece word)
{
	unsigned best = word.len < 3 ? 2 : 3;
	const char *nearest = NULL;
	char excerpt[48];

	for (unsigned i = 0; i < FIELDS; i++) {
		unsigned d = game_distance(word.p, word.len, fields[i].name);
		if (d < best) {
			best = d;
			nearest = fields[i].name;
		}
	}
	if (nearest != NULL)
		return itemq_fail(p->error, word.at, "there is no field \"%s\"; did you mean \"%s\"?", itemq_excerpt(word, excerpt), nearest);
	return itemq_fail(p->error, word.at, "there is no field \"%s\"; quote the whole word to look for it as text", itemq_excerpt(word, excerpt));
}

static int
condition(struct parse *p, unsigned field, int negated)
{
	enum op op = take_operator(p);
	struct piece value;

	if (op != OP_HAS)
		skip_blanks(p);
	if (is_operator(look(p, 0)))
		return itemq_fail(p->error, p->at, "two operators in a row: quote a value that begins with one");
	return take_value(p, &value) != 0 ? -1 : itemq_add(p->list, field, op, negated, value, p->error);
}

/* A word that is followed by an operator, directly or (when it is a field and the operator a comparison) behind blanks, begins a condition. */
static int
term(struct parse *p, int negated)
{
	struct piece word = { p->q + p->at, 0, p->at }, value;
	size_t start = p->at;
	int field;

	while (p->at < p->len && (isalnum((unsigned char)p->q[p->at]) || p->q[p->at] == '_'))
		p->at++;
	word.len = p->at - start;
	field = itemq_field_find(word.p, word.len);
	if (word.len > 0 && is_operator(look(p, 0)))
		return field < 0 ? unknown_field(p, word) : condition(p, (unsigned)field, negated);
	if (field >= 0) {
		int bare = p->at >= p->len || is_blank(p->q[p->at]);
		skip_blanks(p);
		if (bare && is_operator(look(p, 0)) && look(p, 0) != ':')
			return condition(p, (unsigned)field, negated);
		if (bare && fields[field].kind == KIND_FLAG)
			return itemq_add(p->list, (unsigned)field, OP_HAS, negated, (struct piece){ "true", 4, start }, p->error);
	}
	p->at = start;
	if (is_operator(look(p, 0)))
		return itemq_fail(p->error, p->at, "an operator without a field before it");
	return take_value(p, &value) != 0 ? -1 : itemq_add(p->list, F_TEXT, OP_HAS, negated, value, p->error);
}

int
itemq_parse(struct itemq *list, const char *q, size_t len, struct itemq_error *error)
{
	struct parse p = { .q = q, .len = len, .list = list, .error = error };
	size_t bad = len <= ITEMQ_TEXT_MAX ? utf8_prefix(q, len) : 0;

	if (len > ITEMQ_TEXT_MAX)
		return itemq_fail(error, ITEMQ_TEXT_MAX, "the query is longer than %d bytes", ITEMQ_TEXT_MAX);
	if (bad < len)
		return itemq_fail(error, bad, "the query is not UTF-8");
	for (skip_blanks(&p); p.at < len; skip_blanks(&p)) {
		size_t start = p.at;
		int negated = look(&p, 0) == '-';
		p.at += (size_t)negated;
		if (negated && (p.at >= len || is_blank(q[p.at])))
			return itemq_fail(error, start, "\"-\" stands before nothing");
		if (term(&p, negated) != 0)
			return -1;
	}
	return 0;
}
