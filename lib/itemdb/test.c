/* Conditions on rows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fold/fold.h"
#include "itemdb/itemdb_int.h"
#include "mem/mem.h"

enum kind { ALWAYS, AND, OR, NOT, BETWEEN, PRESENT, ONE_OF, ANY_BIT, CONTAINS, EQUALS, CASTS };
enum memo { UNKNOWN, NO, YES };          /* what a string number was found to be in this scan */

struct itemdb_test {
	enum kind kind;
	int truth, where, active;
	enum itemdb_column column;
	double from, to;
	uint32_t mask;
	struct itemdb_test *a, *b;
	char *text;                      /* folded */
	size_t len;
	uint32_t *id;                    /* sorted */
	size_t n_ids;
	uint64_t *bits;                  /* the same ids below SPELL_BITS */
	uint8_t *memo;
	uint32_t n_memo;
};

#define SPELL_BITS 65536u

static struct itemdb_test *
make(enum kind kind)
{
	struct itemdb_test *t = xcalloc(1, sizeof(*t));

	t->kind = kind;
	return t;
}

void
itemdb_test_free(struct itemdb_test **tp)
{
	struct itemdb_test *t = *tp;

	if (t == NULL)
		return;
	itemdb_test_free(&t->a);
	itemdb_test_free(&t->b);
	free(t->text);
	free(t->id);
	free(t->bits);
	free(t->memo);
	free(t);
	*tp = NULL;
}

/* ---- making them ---- */

struct itemdb_test *
itemdb_always(int truth)
{
	struct itemdb_test *t = make(ALWAYS);

	t->truth = truth;
	return t;
}

static struct itemdb_test *
pair(enum kind kind, struct itemdb_test *a, struct itemdb_test *b)
{
	struct itemdb_test *t;

	if (a == NULL || b == NULL)
		return a != NULL ? a : b;
	t = make(kind);
	t->a = a;
	t->b = b;
	return t;
}

struct itemdb_test *
itemdb_and(struct itemdb_test *a, struct itemdb_test *b)
{
	return pair(AND, a, b);
}

struct itemdb_test *
itemdb_or(struct itemdb_test *a, struct itemdb_test *b)
{
	return pair(OR, a, b);
}

struct itemdb_test *
itemdb_not(struct itemdb_test *a)
{
	struct itemdb_test *t = make(NOT);

	t->a = a;
	return t;
}

struct itemdb_test *
itemdb_between(enum itemdb_column column, double from, double to)
{
	struct itemdb_test *t = make(BETWEEN);

	t->column = column;
	t->from = from;
	t->to = to;
	return t;
}

struct itemdb_test *
itemdb_present(enum itemdb_column column)
{
	struct itemdb_test *t = make(PRESENT);

	t->column = column;
	return t;
}

static int
by_id(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void
set_ids(struct itemdb_test *t, const uint32_t *ids, size_t n)
{
	t->id = xreallocarray(NULL, n, sizeof(*ids));
	t->n_ids = n;
	if (n > 0)
		memcpy(t->id, ids, n * sizeof(*ids));
	qsort(t->id, n, sizeof(*ids), by_id);
}

struct itemdb_test *
itemdb_one_of(enum itemdb_column column, const uint32_t *ids, size_t n)
{
	struct itemdb_test *t = make(ONE_OF);

	t->column = column;
	set_ids(t, ids, n);
	return t;
}

struct itemdb_test *
itemdb_any_bit(enum itemdb_column column, uint32_t mask)
{
	struct itemdb_test *t = make(ANY_BIT);

	t->column = column;
	t->mask = mask;
	return t;
}

static struct itemdb_test *
text_test(enum kind kind, int where, const char *text, size_t len)
{
	struct itemdb_test *t = make(kind);

	t->where = where;
	t->text = xmalloc(len + 1);
	fold_text(t->text, text, len);
	t->len = len;
	return t;
}

struct itemdb_test *
itemdb_contains(int where, const char *text, size_t len)
{
	return text_test(CONTAINS, where, text, len);
}

struct itemdb_test *
itemdb_equals(int where, const char *text, size_t len)
{
	return text_test(EQUALS, where, text, len);
}

struct itemdb_test *
itemdb_casts(const uint32_t *spells, size_t n, int active)
{
	struct itemdb_test *t = make(CASTS);

	t->active = active;
	set_ids(t, spells, n);
	t->bits = xcalloc(SPELL_BITS / 64, sizeof(*t->bits));
	for (size_t i = 0; i < n; i++)
		if (spells[i] < SPELL_BITS)
			t->bits[spells[i] / 64] |= UINT64_C(1) << spells[i] % 64;
	return t;
}

/* ---- asking them ---- */

static int
matches(const struct itemdb_test *t, const char *folded, size_t len)
{
	if (t->kind == EQUALS)
		return len == t->len && memcmp(folded, t->text, len) == 0;
	return t->len == 0 || memmem(folded, len, t->text, t->len) != NULL;
}

/* Characters are few: each is asked once at the beginning. */
static void
ask_characters(struct itemdb_test *t, const struct itemdb *db)
{
	char folded[256];

	t->n_memo = db->n_characters;
	t->memo = xrealloc(t->memo, t->n_memo);
	for (unsigned i = 0; i < db->n_characters; i++) {
		const char *name = db->character[i].shown.name;
		size_t len = strnlen(name, sizeof(folded));

		fold_text(folded, name, len);
		t->memo[i] = matches(t, folded, len) ? YES : NO;
	}
}

void
itemdb_test_begin(struct itemdb_test *t, const struct itemdb *db)
{
	if (t == NULL)
		return;
	itemdb_test_begin(t->a, db);
	itemdb_test_begin(t->b, db);
	if ((t->kind == CONTAINS || t->kind == EQUALS) && t->where == ITEMDB_IN_CHARACTER)
		ask_characters(t, db);
	else if (t->kind == CONTAINS || t->kind == EQUALS) {
		t->n_memo = strings_top(db->strings);
		free(t->memo);
		t->memo = xcalloc(t->n_memo, 1);
	}
}

static int
text_matches(const struct itemdb_test *t, const struct itemdb *db, uint32_t text)
{
	size_t len;
	const char *p;

	if (text == TEXT_NONE)
		return 0;
	if (t->memo[text] == UNKNOWN) {
		p = strings_folded(db->strings, text, &len);
		t->memo[text] = matches(t, p, len) ? YES : NO;
	}
	return t->memo[text] == YES;
}

static int
any_text_matches(const struct itemdb_test *t, const struct itemdb *db, const struct row *r)
{
	if (t->where == ITEMDB_IN_CHARACTER)
		return t->memo[r->character] == YES;
	return ((t->where & ITEMDB_IN_NAME) && text_matches(t, db, r->name)) ||
	    ((t->where & ITEMDB_IN_DISPLAY_NAME) && text_matches(t, db, r->display)) ||
	    ((t->where & ITEMDB_IN_DESCRIPTION) && text_matches(t, db, r->description));
}

static int
has_id(const struct itemdb_test *t, uint32_t id)
{
	return bsearch(&id, t->id, t->n_ids, sizeof(id), by_id) != NULL;
}

static int
casts(const struct itemdb_test *t, const struct itemdb *db, const struct row *r)
{
	const int32_t *spell = db->pool.p + r->spells_at + (t->active ? r->n_spells : 0);
	unsigned n = t->active ? r->n_active_spells : r->n_spells;

	for (unsigned i = 0; i < n; i++) {
		uint32_t id = (uint32_t)spell[i];

		if (id < SPELL_BITS ? t->bits[id / 64] >> id % 64 & 1 : (uint64_t)has_id(t, id))
			return 1;
	}
	return 0;
}

static int
has_bit(const struct itemdb_test *t, const struct row *r)
{
	double n = itemdb_number(r, t->column);
	uint32_t bits = isnan(n) ? 0 : (uint32_t)n;

	return t->mask == 0 ? bits == 0 : (bits & t->mask) != 0;
}

int
itemdb_test_row(const struct itemdb_test *t, const struct itemdb *db, const struct row *r)
{
	double n;

	switch (t->kind) {
	case ALWAYS: return t->truth;
	case AND: return itemdb_test_row(t->a, db, r) && itemdb_test_row(t->b, db, r);
	case OR: return itemdb_test_row(t->a, db, r) || itemdb_test_row(t->b, db, r);
	case NOT: return !itemdb_test_row(t->a, db, r);
	case BETWEEN: n = itemdb_number(r, t->column); return n >= t->from && n <= t->to;
	case PRESENT: return !isnan(itemdb_number(r, t->column));
	case ONE_OF: n = itemdb_number(r, t->column); return !isnan(n) && has_id(t, (uint32_t)(int64_t)n);
	case ANY_BIT: return has_bit(t, r);
	case CONTAINS: case EQUALS: return any_text_matches(t, db, r);
	case CASTS: return casts(t, db, r);
	}
	return 0;
}
