/* The fields, and how a field, an operator and a value become a condition. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "buf/utf8.h"
#include "fold/fold.h"
#include "itemq/inner.h"
#include "mem/mem.h"

const struct field fields[FIELDS] = {
#define FIELD(id, name, aliases, kind, game, member) { name, aliases, KIND_##kind, game, offsetof(struct item, member) },
#include "itemq/fields.def"
#undef FIELD
};

struct itemq *
itemq_new(void)
{
	return xcalloc(1, sizeof(struct itemq));
}

void
itemq_free(struct itemq **q)
{
	if (*q == NULL)
		return;
	for (unsigned i = 0; i < (*q)->n; i++) {
		free((*q)->cond[i].text);
		free((*q)->cond[i].spells);
	}
	free(*q);
	*q = NULL;
}

unsigned
itemq_count(const struct itemq *q)
{
	return q->n;
}

int
itemq_fail(struct itemq_error *e, size_t at, const char *fmt, ...)
{
	va_list ap;

	e->at = at;
	va_start(ap, fmt);
	(void)vsnprintf(e->text, sizeof e->text, fmt, ap);
	va_end(ap);
	return -1;
}

const char *
itemq_excerpt(struct piece value, char out[48])
{
	size_t len = value.len;

	if (len > 40)
		for (len = 40; len > 0 && ((unsigned char)value.p[len] & 0xC0) == 0x80; len--)
			;
	for (size_t i = 0; i < len; i++)
		out[i] = (unsigned char)value.p[i] < ' ' ? '?' : value.p[i];
	memcpy(out + len, len < value.len ? "..." : "", len < value.len ? 4 : 1);
	return out;
}

static int
same_word(const char *words, const char *name, size_t len)
{
	while (*words != '\0') {
		size_t n = strcspn(words, " ");
		if (n == len && strncasecmp(words, name, len) == 0)
			return 1;
		words += n + strspn(words + n, " ");
	}
	return 0;
}

int
itemq_field_find(const char *name, size_t len)
{
	for (int i = 0; i < FIELDS; i++)
		if (same_word(fields[i].name, name, len) || same_word(fields[i].aliases, name, len))
			return i;
	return -1;
}

/* ---- values by kind ---- */

static int
plain_number(struct piece v, double *out)
{
	for (size_t i = v.len > 0 && *v.p == '-'; i < v.len; i++)
		if (v.p[i] != '.' && !isdigit((unsigned char)v.p[i]))
			return -1;
	return event_double((struct event_value){ .p = v.p, .len = (uint32_t)v.len, .kind = EVENT_NUMBER }, out);
}

static int
set_number(struct cond *c, struct piece v, struct itemq_error *e)
{
	char excerpt[48];

	if (plain_number(v, &c->number) != 0)
		return itemq_fail(e, v.at, "%s wants a number, not \"%s\"", fields[c->field].name, itemq_excerpt(v, excerpt));
	return 0;
}

static int
is_word(struct piece v, const char *word)
{
	return v.len == strlen(word) && strncasecmp(v.p, word, v.len) == 0;
}

static int
set_flag(struct cond *c, struct piece v, struct itemq_error *e)
{
	char excerpt[48];

	if (is_word(v, "true") || is_word(v, "yes") || is_word(v, "1"))
		c->number = 1;
	else if (is_word(v, "false") || is_word(v, "no") || is_word(v, "0"))
		c->number = 0;
	else
		return itemq_fail(e, v.at, "%s is true or false, not \"%s\"", fields[c->field].name, itemq_excerpt(v, excerpt));
	return 0;
}

static int
unknown_name(const struct field *f, struct piece v, struct itemq_error *e)
{
	const char *nearest = game_nearest((enum game_kind)f->game, v.p, v.len);
	char excerpt[48];

	if (nearest != NULL)
		return itemq_fail(e, v.at, "there is no %s \"%s\"; did you mean \"%s\"?", f->name, itemq_excerpt(v, excerpt), nearest);
	return itemq_fail(e, v.at, "there is no %s \"%s\"", f->name, itemq_excerpt(v, excerpt));
}

static int
set_named(struct cond *c, struct piece v, struct itemq_error *e)
{
	const struct field *f = &fields[c->field];
	uint32_t ids[SMALL_IDS];
	unsigned n = game_match((enum game_kind)f->game, v.p, v.len, ids, SMALL_IDS);

	if (is_word(v, "none") || is_word(v, "any")) {
		c->want = is_word(v, "none") ? WANT_NONE : WANT_ANY;
		return 0;
	}
	if (n == 0)
		return unknown_name(f, v, e);
	for (unsigned i = 0; i < n && i < SMALL_IDS; i++) {
		if (f->kind == KIND_BITS)
			c->id |= ids[i];
		else if (ids[i] < SMALL_IDS)
			c->small[ids[i] / 64] |= (uint64_t)1 << ids[i] % 64;
		else
			c->id = ids[i];
	}
	if (f->kind == KIND_BITS && c->id == 0)
		c->want = WANT_NONE;
	return 0;
}

static int
set_level(struct cond *c, struct piece v, struct itemq_error *e)
{
	const struct field *f = &fields[c->field];
	uint32_t id;

	if (is_word(v, "none") || is_word(v, "any")) {
		c->want = is_word(v, "none") ? WANT_NONE : WANT_ANY;
		return 0;
	}
	if (game_match((enum game_kind)f->game, v.p, v.len, &id, 1) == 0 || game_name((enum game_kind)f->game, id) == NULL)
		return unknown_name(f, v, e);
	c->number = id;
	if (c->op == OP_HAS)
		c->op = OP_GE;
	return 0;
}

/* Object ids: decimal, signed or not, or hexadecimal with letters or 0x. */
static int
set_object(struct cond *c, struct piece v, struct itemq_error *e)
{
	char text[24], excerpt[48], *end = text;
	long long id = 0;
	size_t len = v.len < sizeof text ? v.len : 0, digits;

	memcpy(text, v.p, len);
	text[len] = '\0';
	digits = strspn(text + (*text == '-'), "0123456789");
	if (len > 0 && !isspace((unsigned char)*text))
		id = strtoll(text, &end, digits + (*text == '-') == len ? 10 : 16);
	if (*end != '\0' || len == 0 || memchr(text, '+', len) != NULL || id < INT32_MIN || id > (long long)UINT32_MAX)
		return itemq_fail(e, v.at, "%s wants an object id, not \"%s\"", fields[c->field].name, itemq_excerpt(v, excerpt));
	c->id = (uint32_t)id;
	return 0;
}

static void
set_text(struct cond *c, struct piece v)
{
	c->text = xmalloc(v.len + 1);
	c->len = v.len;
	fold_text(c->text, v.p, v.len);
}

/* A text that no spell's name holds is no error: it may be a spell that only this server has. */
static int
set_spell(struct cond *c, struct piece v)
{
	uint32_t id = 0;

	c->spells = xcalloc(SPELL_IDS / 64, sizeof *c->spells);
	for (size_t i = 0; i < v.len && id != UINT32_MAX; i++)
		id = !isdigit((unsigned char)v.p[i]) || id > 200000000 ? UINT32_MAX : id * 10 + (uint32_t)(v.p[i] - '0');
	if (id != UINT32_MAX) {
		c->id = id;
		return 0;
	}
	for (int i = 0; (i = game_spell_find(v.p, v.len, (unsigned)i)) >= 0; i++) {
		const struct game_spell *sp = game_spell_at((unsigned)i);
		if (sp->id < SPELL_IDS && (c->op == OP_HAS || strlen(game_spell_name(sp)) == v.len))
			c->spells[sp->id / 64] |= (uint64_t)1 << sp->id % 64;
	}
	return 0;
}

static int
set_value(struct cond *c, struct piece v, struct itemq_error *e)
{
	switch ((enum kind)fields[c->field].kind) {
	case KIND_NAMED:
	case KIND_BITS:
		return set_named(c, v, e);
	case KIND_LEVEL:
		return set_level(c, v, e);
	case KIND_NUMBER:
	case KIND_REAL:
	case KIND_RATING:
		return set_number(c, v, e);
	case KIND_OBJECT:
		return set_object(c, v, e);
	case KIND_FLAG:
		return set_flag(c, v, e);
	case KIND_SPELL:
		return set_spell(c, v);
	case KIND_TEXT:
	case KIND_NAME:
	case KIND_CHARACTER:
		set_text(c, v);
	}
	return 0;
}

static int
has_order(uint8_t kind)
{
	return kind == KIND_NUMBER || kind == KIND_REAL || kind == KIND_RATING || kind == KIND_LEVEL;
}

int
itemq_add(struct itemq *q, unsigned field, enum op op, int negated, struct piece value, struct itemq_error *e)
{
	struct cond *c = &q->cond[q->n];

	if (q->n == ITEMQ_CONDITIONS_MAX)
		return itemq_fail(e, value.at, "more than %d conditions: ask for less at once", ITEMQ_CONDITIONS_MAX);
	if (value.len == 0)
		return itemq_fail(e, value.at, "%s: a value is missing", fields[field].name);
	if (op > OP_EQ && !has_order(fields[field].kind))
		return itemq_fail(e, value.at, "%s has no order: use \":\" or \"=\"", fields[field].name);
	*c = (struct cond){ .field = (uint8_t)field, .op = (uint8_t)op, .negated = (uint8_t)negated };
	if (set_value(c, value, e) != 0)
		return -1;
	q->n++;
	q->characters += fields[field].kind == KIND_CHARACTER && !negated;
	return 0;
}

/* ---- the search parameters ---- */

static int
is_range(uint8_t kind)
{
	return kind == KIND_NUMBER || kind == KIND_REAL || kind == KIND_RATING;
}

int
itemq_add_param(struct itemq *q, const char *name, const char *value, size_t len, struct itemq_error *e)
{
	const int min = strncmp(name, "min_", 4) == 0, max = strncmp(name, "max_", 4) == 0;
	size_t bad;

	for (unsigned i = 0; i < FIELDS; i++) {
		int range = is_range(fields[i].kind);
		if (strcmp(range && (min || max) ? name + 4 : name, fields[i].name) != 0 || range != (min || max))
			continue;
		if (len > ITEMQ_TEXT_MAX)
			return itemq_fail(e, 0, "%s is longer than %d bytes", name, ITEMQ_TEXT_MAX);
		if ((bad = utf8_prefix(value, len)) < len)
			return itemq_fail(e, bad, "%s is not UTF-8", name);
		return itemq_add(q, i, min ? OP_GE : max ? OP_LE : OP_HAS, 0, (struct piece){ value, len, 0 }, e);
	}
	return 1;
}

const char *
itemq_param(unsigned index, char out[64])
{
	for (unsigned i = 0; i < FIELDS; i++) {
		unsigned n = is_range(fields[i].kind) ? 2 : 1;
		if (index < n) {
			(void)snprintf(out, 64, "%s%s", n == 1 ? "" : index == 0 ? "min_" : "max_", fields[i].name);
			return out;
		}
		index -= n;
	}
	return NULL;
}
