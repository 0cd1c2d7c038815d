/* A search: one scan that tests and counts, then the page's part of the matches is put in order. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fold/fold.h"
#include "game/game.h"
#include "itemdb/itemdb_int.h"
#include "mem/mem.h"

#define RESTARTS 3
#define SLOTS 32
#define FEW 4096

struct hit {                             /* the key's first part, ready to compare; the rest of a text is looked up */
	uint64_t number;
	uint32_t row : 31, absent : 1;
	int32_t id;
};

struct itemdb_search {
	struct itemdb *db;
	struct itemdb_ask ask;
	unsigned facets;
	int by_text;                     /* the order is that of texts */
	uint64_t generation;
	int restarts, done, more;
	uint32_t at;                     /* the next row */
	size_t total;
	struct hit *hit;
	size_t n_hits, cap_hits;
	int32_t *page;
	size_t n_page;
	struct itemdb_key last;
	uint32_t few[ITEMDB_FACETS][FEW];        /* counts of ids below FEW, as nearly all are */
	struct map count[ITEMDB_FACETS]; /* of the others */
	uint32_t slot[SLOTS];
	struct itemdb_count *sorted[ITEMDB_FACETS];
	struct map name_at;              /* of ids of the column that is ordered by: their place in name */
	struct name *name;
	uint32_t n_names;
};

static void
restart(struct itemdb_search *s)
{
	s->generation = s->db->generation;
	s->at = 0;
	s->total = s->n_hits = 0;
	memset(s->slot, 0, sizeof(s->slot));
	memset(s->few, 0, sizeof(s->few));
	for (int i = 0; i < ITEMDB_FACETS; i++)
		map_clear(&s->count[i]);
	itemdb_test_begin(s->ask.test, s->db);
}

struct itemdb_search *
itemdb_search_new(struct itemdb *db, const struct itemdb_ask *ask, unsigned facets)
{
	struct itemdb_search *s = xcalloc(1, sizeof(*s));

	s->db = db;
	s->ask = *ask;
	s->facets = facets;
	s->by_text = itemdb_column_is_text(ask->order.column);
	restart(s);
	return s;
}

void
itemdb_search_free(struct itemdb_search **sp)
{
	struct itemdb_search *s = *sp;

	if (s == NULL)
		return;
	for (int i = 0; i < ITEMDB_FACETS; i++) {
		map_fini(&s->count[i]);
		free(s->sorted[i]);
	}
	itemdb_test_free(&s->ask.test);
	map_fini(&s->name_at);
	free(s->name);
	free(s->hit);
	free(s->page);
	free(s);
	*sp = NULL;
}

/* ---- order ---- */

/* A double as a number that orders as it does. */
static uint64_t
ordinal(double d)
{
	uint64_t bits;

	d += 0.0;                        /* -0 is 0 */
	memcpy(&bits, &d, sizeof(bits));
	return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

/* A name of the game, folded, as it is ordered by; made once for each id that is met. */
struct name { char text[ITEMDB_KEY_MAX]; uint8_t len; };

static const struct name *
name_of(struct itemdb_search *s, int kind, double number)
{
	uint32_t id = (uint32_t)(int64_t)number, *at = map_at(&s->name_at, (int32_t)id, s->n_names);
	const char *name;
	struct name *n;
	char all[512];

	if (*at < s->n_names)
		return &s->name[*at];
	if ((s->n_names & (s->n_names + 1)) == 0)
		s->name = xreallocarray(s->name, 2 * (s->n_names + 1), sizeof(*s->name));
	n = &s->name[s->n_names++];
	name = game_name(kind, id);
	if (game_is_bits(kind))
		game_bits_text(kind, id, ", ", all, sizeof(all));
	else if (name != NULL)
		snprintf(all, sizeof(all), "%s", name);
	else
		snprintf(all, sizeof(all), "#%d", (int32_t)id);
	n->len = (uint8_t)strnlen(all, ITEMDB_KEY_MAX);
	fold_text(n->text, all, n->len);
	return n;
}

/* The folded text that a row is ordered by, at most ITEMDB_KEY_MAX bytes; NULL when absent.  Borrowed until an id is met for the first time. */
static const char *
folded_text(struct itemdb_search *s, const struct row *r, size_t *len)
{
	int kind = itemdb_column_kind(s->ask.order.column);
	const struct name *n;
	const char *p;
	uint32_t text;
	double id;

	*len = 0;
	if (kind >= 0) {
		if (isnan(id = itemdb_number(r, s->ask.order.column)))
			return NULL;
		n = name_of(s, kind, id);
		*len = n->len;
		return n->text;
	}
	if ((text = itemdb_text(s->db, r, s->ask.order.column)) == TEXT_NONE)
		return NULL;
	p = strings_folded(s->db->strings, text, len);
	if (*len > ITEMDB_KEY_MAX)
		*len = ITEMDB_KEY_MAX;
	return p;
}

static uint64_t
text_prefix(const char *p, size_t len)
{
	uint64_t n = 0;

	for (size_t i = 0; i < 8; i++)
		n = n << 8 | (i < len ? (unsigned char)p[i] : 0);
	return n;
}

static struct hit
hit_of(struct itemdb_search *s, uint32_t i)
{
	const struct row *r = row_at(s->db, i);
	struct hit h = { .row = i, .id = r->id };
	const char *p;
	uint32_t text;
	size_t len;
	double d;

	if (!s->by_text) {
		d = itemdb_number(r, s->ask.order.column);
		h.absent = isnan(d);
		h.number = h.absent ? 0 : ordinal(d);
	} else if ((text = itemdb_text(s->db, r, s->ask.order.column)) != TEXT_NONE)
		h.number = strings_prefix(s->db->strings, text);
	else {
		p = folded_text(s, r, &len);
		h.absent = p == NULL;
		h.number = p == NULL ? 0 : text_prefix(p, len);
	}
	if (s->ask.order.descending && !h.absent)
		h.number = ~h.number;
	return h;
}

static int
compare_bytes(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int c = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return c != 0 ? c : a_len < b_len ? -1 : a_len > b_len;
}

static int
by_id(int32_t a, int32_t b)
{
	return a < b ? -1 : a > b;
}

/* Both present, of a text column, with the same first eight bytes. */
static int
compare_texts(struct itemdb_search *s, const struct row *x, const struct row *y)
{
	size_t x_len, y_len;
	const char *px = folded_text(s, x, &x_len), *py = folded_text(s, y, &y_len);
	int c = px == py ? 0 : compare_bytes(px, x_len, py, y_len);

	return s->ask.order.descending ? -c : c;
}

static int
compare(struct itemdb_search *s, const struct hit *a, const struct hit *b)
{
	int c;

	if (a->absent != b->absent)
		return a->absent ? 1 : -1;
	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	if (!a->absent && s->by_text && (c = compare_texts(s, row_at(s->db, a->row), row_at(s->db, b->row))) != 0)
		return c;
	return by_id(a->id, b->id);
}

static int
behind(struct itemdb_search *s, const struct hit *h)
{
	const struct itemdb_key *k = &s->ask.after;
	const struct row *r = row_at(s->db, h->row);
	const char *p;
	size_t len;
	int c;

	if (h->absent != k->absent)
		return h->absent;
	if (h->number != k->number)
		return h->number > k->number;
	if (!h->absent && s->by_text) {
		p = folded_text(s, r, &len);
		c = compare_bytes(p, len, k->text, k->text_len);
		if (c != 0)
			return s->ask.order.descending ? c < 0 : c > 0;
	}
	return r->id > k->item_id;
}

static void
fill_key(struct itemdb_search *s, const struct hit *h, struct itemdb_key *k)
{
	const struct row *r = row_at(s->db, h->row);
	const char *p;
	size_t len;

	memset(k, 0, sizeof(*k));
	k->number = h->number;
	k->absent = (uint8_t)h->absent;
	k->item_id = r->id;
	if (s->by_text && (p = folded_text(s, r, &len)) != NULL) {
		memcpy(k->text, p, len);
		k->text_len = (uint8_t)len;
	}
}

/* ---- the scan ---- */

static void
count_one(struct itemdb_search *s, enum itemdb_facet f, int32_t id)
{
	if ((uint32_t)id < FEW)
		s->few[f][id]++;
	else
		++*map_at(&s->count[f], id, 0);
}

static void
count(struct itemdb_search *s, const struct row *r)
{
	if (s->facets & 1u << ITEMDB_F_SET && r->set_id != ITEM_NONE)
		count_one(s, ITEMDB_F_SET, r->set_id);
	if (s->facets & 1u << ITEMDB_F_MATERIAL && r->material_id != ITEM_NONE)
		count_one(s, ITEMDB_F_MATERIAL, r->material_id);
	if (s->facets & 1u << ITEMDB_F_OBJECT_CLASS && r->object_class != ITEM_NONE)
		count_one(s, ITEMDB_F_OBJECT_CLASS, r->object_class);
	if (s->facets & 1u << ITEMDB_F_CHARACTER)
		count_one(s, ITEMDB_F_CHARACTER, (int32_t)r->character);
	if (s->facets & 1u << ITEMDB_F_SLOT)
		for (uint32_t bits = r->valid_slots; bits != 0; bits &= bits - 1)
			s->slot[__builtin_ctz(bits)]++;
}

/* A spell that an item has twice counts once. */
static void
count_spells(struct itemdb_search *s, const struct row *r)
{
	const int32_t *spell = s->db->pool.p + r->spells_at;

	for (unsigned i = 0, j; i < r->n_spells; i++) {
		for (j = 0; j < i && spell[j] != spell[i]; j++)
			;
		if (j == i)
			count_one(s, ITEMDB_F_SPELL, spell[i]);
	}
}

static void
take(struct itemdb_search *s, uint32_t i)
{
	struct hit h;

	if (s->ask.limit == 0)
		return;
	h = hit_of(s, i);
	if (s->ask.has_after && !behind(s, &h))
		return;
	if (s->n_hits == s->cap_hits) {
		s->cap_hits = s->cap_hits ? s->cap_hits * 2 : 1024;
		s->hit = xreallocarray(s->hit, s->cap_hits, sizeof(*s->hit));
	}
	s->hit[s->n_hits++] = h;
}

static void
scan(struct itemdb_search *s, uint32_t end)
{
	for (; s->at < end; s->at++) {
		const struct row *r = row_at(s->db, s->at);

		if (r->character == ROW_NONE || (s->ask.test != NULL && !itemdb_test_row(s->ask.test, s->db, r)))
			continue;
		s->total++;
		count(s, r);
		if (s->facets & 1u << ITEMDB_F_SPELL)
			count_spells(s, r);
		take(s, s->at);
	}
}

/* ---- the page ---- */

static void
swap(struct hit *a, struct hit *b)
{
	struct hit t = *a;

	*a = *b;
	*b = t;
}

/* Hoare's: no element before k is greater, none behind it is smaller than the k-th.  The pivot is taken at random, so that no order of rows is bad. */
static void
select_kth(struct itemdb_search *s, size_t lo, size_t hi, size_t k)
{
	uint64_t random = UINT64_C(0x9e3779b97f4a7c15);

	while (hi - lo > 1) {
		struct hit pivot;
		size_t i = lo, j = hi - 1;

		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		pivot = s->hit[lo + (random >> 33) % (hi - lo)];
		for (;;) {
			while (compare(s, &s->hit[i], &pivot) < 0)
				i++;
			while (compare(s, &s->hit[j], &pivot) > 0)
				j--;
			if (i >= j)
				break;
			swap(&s->hit[i++], &s->hit[j--]);
		}
		if (k <= j)
			hi = j + 1;
		else
			lo = j + 1;
	}
}

static int
compare_hits(const void *a, const void *b, void *priv)
{
	return compare(priv, a, b);
}

static void
finish(struct itemdb_search *s)
{
	size_t from = s->ask.offset < s->n_hits ? s->ask.offset : s->n_hits;
	size_t to = s->ask.limit < s->n_hits - from ? from + s->ask.limit : s->n_hits;

	if (from > 0 && from < s->n_hits)
		select_kth(s, 0, s->n_hits, from);
	if (to > from && to < s->n_hits)
		select_kth(s, from, s->n_hits, to - 1);
	if (to > from)
		qsort_r(s->hit + from, to - from, sizeof(*s->hit), compare_hits, s);
	s->n_page = to - from;
	s->page = xreallocarray(NULL, s->n_page, sizeof(*s->page));
	for (size_t i = from; i < to; i++)
		s->page[i - from] = row_at(s->db, s->hit[i].row)->id;
	s->more = to < s->n_hits && to > from;
	if (s->more)
		fill_key(s, &s->hit[to - 1], &s->last);
	free(s->hit);
	s->hit = NULL;
	s->done = 1;
}

int
itemdb_search_step(struct itemdb_search *s, size_t rows)
{
	if (s->done)
		return 1;
	if (s->generation != s->db->generation) {
		restart(s);
		s->restarts++;
	}
	if (s->restarts > RESTARTS || rows > s->db->top - s->at)
		rows = s->db->top - s->at;
	scan(s, s->at + (uint32_t)rows);
	if (s->at == s->db->top)
		finish(s);
	return s->done;
}

/* ---- the answer ---- */

size_t
itemdb_search_total(const struct itemdb_search *s)
{
	return s->total;
}

size_t
itemdb_search_page(const struct itemdb_search *s, const int32_t **ids)
{
	*ids = s->page;
	return s->n_page;
}

int
itemdb_search_more(const struct itemdb_search *s, struct itemdb_key *last)
{
	*last = s->last;
	return s->more;
}

static int
most_first(const void *a, const void *b)
{
	const struct itemdb_count *x = a, *y = b;

	return x->count != y->count ? (x->count > y->count ? -1 : 1) : x->id < y->id ? -1 : x->id > y->id;
}

static size_t
collect(const struct itemdb_search *s, enum itemdb_facet f, struct itemdb_count *out)
{
	const struct map *m = &s->count[f];
	size_t n = 0;

	for (int i = 0; f == ITEMDB_F_SLOT && i < SLOTS; i++)
		if (s->slot[i] > 0)
			out[n++] = (struct itemdb_count){ .id = (int32_t)(UINT32_C(1) << i), .count = s->slot[i] };
	for (int32_t i = 0; i < FEW; i++)
		if (s->few[f][i] > 0)
			out[n++] = (struct itemdb_count){ .id = i, .count = s->few[f][i] };
	for (uint32_t i = 0; m->slot != NULL && i <= m->mask; i++)
		if (m->slot[i].value != MAP_NONE)
			out[n++] = (struct itemdb_count){ .id = m->slot[i].key, .count = m->slot[i].value };
	return n;
}

size_t
itemdb_search_facet(struct itemdb_search *s, enum itemdb_facet f, const struct itemdb_count **counts)
{
	size_t n;

	free(s->sorted[f]);
	s->sorted[f] = xreallocarray(NULL, SLOTS + FEW + s->count[f].n, sizeof(**counts));
	n = collect(s, f, s->sorted[f]);
	qsort(s->sorted[f], n, sizeof(**counts), most_first);
	*counts = s->sorted[f];
	return n;
}
