/* Evaluation. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fold/fold.h"
#include "itemq/inner.h"
#include "mem/mem.h"

#define SMALL 1024

static int
compare(enum op op, double have, double want)
{
	switch (op) {
	case OP_GE: return have >= want;
	case OP_LE: return have <= want;
	case OP_GT: return have > want;
	case OP_LT: return have < want;
	case OP_HAS:
	case OP_EQ: break;
	}
	return have == want;
}

static int
has_text(const struct cond *c, const char *folded, size_t len)
{
	if (c->op == OP_EQ)
		return len == c->len && memcmp(folded, c->text, len) == 0;
	return len >= c->len && memmem(folded, len, c->text, c->len) != NULL;
}

static int
match_text(const struct cond *c, struct event_value v)
{
	char small[SMALL], *text = small;
	long len = v.len;
	int yes;

	if (v.kind != EVENT_STRING || (!v.escaped && v.len < c->len))
		return 0;
	if (v.len >= sizeof small)
		text = xmalloc(v.len + 1);
	if (v.escaped) {
		len = event_string(v, text, v.len + 1);
		fold_text(text, text, (size_t)len);
	} else {
		fold_text(text, v.p, v.len);
	}
	yes = has_text(c, text, (size_t)len);
	if (text != small)
		free(text);
	return yes;
}

static int
match_named(const struct cond *c, int32_t id)
{
	if (c->want != WANT_VALUE)
		return (id == ITEM_NONE) == (c->want == WANT_NONE);
	if (id >= 0 && id < SMALL_IDS)
		return (int)(c->small[id / 64] >> id % 64 & 1);
	return id > 0 && (uint32_t)id == c->id;
}

static int
match_bits(const struct cond *c, uint32_t mask)
{
	if (c->want != WANT_VALUE)
		return (mask == 0) == (c->want == WANT_NONE);
	return (mask & c->id) != 0;
}

static int
match_level(const struct cond *c, int level)
{
	if (c->want != WANT_VALUE)
		return (level == 0) == (c->want == WANT_NONE);
	return level != 0 && compare((enum op)c->op, level, c->number);
}

static int
match_spells(const struct cond *c, const int32_t *ids, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint32_t id = (uint32_t)ids[i];
		if (id == c->id || (id < SPELL_IDS && (c->spells[id / 64] >> id % 64 & 1)))
			return 1;
	}
	return 0;
}

static int
match_flag(const struct cond *c, const struct item *it)
{
	int set;

	switch (c->field) {
	case F_EQUIPPED: set = it->equipped_slot != 0; break;
	case F_BONDED: set = it->bonded > 0; break;
	case F_ATTUNED: set = it->attuned > 0; break;
	default: set = it->rare > 0; break;
	}
	return set == (c->number != 0);
}

static int
match_number(const struct cond *c, int32_t v)
{
	return v != ITEM_NONE && compare((enum op)c->op, v, c->number);
}

static int
holds(const struct cond *c, const struct item *it, const char *character, size_t character_len)
{
	const struct field *f = &fields[c->field];
	const char *member = (const char *)it + f->at;

	switch ((enum kind)f->kind) {
	case KIND_TEXT:
		return match_text(c, it->name) || match_text(c, it->description);
	case KIND_NAME:
		return match_text(c, *(const struct event_value *)member);
	case KIND_CHARACTER:
		return character_len == c->len && match_text(c, item_text(character, character_len));
	case KIND_NAMED:
		return match_named(c, *(const int32_t *)member);
	case KIND_BITS:
		return match_bits(c, *(const uint32_t *)member);
	case KIND_LEVEL:
		return match_level(c, it->cantrip_level);
	case KIND_SPELL:
		return c->field == F_SPELL ? match_spells(c, it->spells, it->n_spells) : match_spells(c, it->active_spells, it->n_active_spells);
	case KIND_NUMBER:
		return match_number(c, *(const int32_t *)member);
	case KIND_REAL:
		return !isnan(*(const float *)member) && compare((enum op)c->op, (double)*(const float *)member, (double)(float)c->number);
	case KIND_RATING:
		return *(const int16_t *)member != ITEM_NO_RATING && compare((enum op)c->op, *(const int16_t *)member, c->number);
	case KIND_OBJECT:
		return *(const uint32_t *)member == c->id;
	case KIND_FLAG:
		return match_flag(c, it);
	}
	return 0;
}

/* Texts cost a hundred times what the rest does. */
static int
is_dear(const struct cond *c)
{
	return fields[c->field].kind <= KIND_CHARACTER;
}

int
itemq_match(const struct itemq *q, const struct item *it, const char *character, size_t character_len)
{
	unsigned characters = 0;

	for (int dear = 0; dear < 2; dear++)
		for (unsigned i = 0; i < q->n; i++) {
			const struct cond *c = &q->cond[i];
			int yes;
			if (is_dear(c) != dear)
				continue;
			yes = holds(c, it, character, character_len);
			if (fields[c->field].kind == KIND_CHARACTER && !c->negated)
				characters += (unsigned)yes;
			else if (yes == c->negated)
				return 0;
		}
	return q->characters == 0 || characters > 0;
}
