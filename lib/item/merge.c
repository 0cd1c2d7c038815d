/* Partial updates, the canonical form, and the hash. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "game/game.h"
#include "item/item.h"
#include "mem/mem.h"

#define DEPTH_MAX 8              /* what lies deeper is taken as it stands: every level costs a scan of all bytes below */
#define NUMBER_MAX 40            /* a longer number is written anew */

enum where { TOP, INTS, DOUBLES, PROPERTIES, BELOW };

struct member {
	const char *key;                         /* unescaped; own when it is not NULL */
	char *own;
	size_t len;
	uint32_t property;                       /* of IntValues and DoubleValues: both spellings are one */
	uint8_t old, plain;                      /* plain: the game's spelling; Decal's goes before it */
	unsigned order;
	struct event_value raw_key, value;
};

struct members { struct member *v; unsigned n, cap; };

static enum where
where_of(const struct member *m, enum where where)
{
	static const struct { const char *name; enum where where; } maps[] = {
		{ "IntValues", INTS }, { "DoubleValues", DOUBLES }, { "StringValues", PROPERTIES }, { "BoolValues", PROPERTIES } };

	for (unsigned i = 0; where == TOP && i < sizeof maps / sizeof maps[0]; i++)
		if (m->len == strlen(maps[i].name) && memcmp(m->key, maps[i].name, m->len) == 0)
			return maps[i].where;
	return BELOW;
}

/* ---- the members of both objects, sorted ---- */

static void
set_property(struct member *m, enum where where)
{
	uint64_t n = 0;

	if ((where != INTS && where != DOUBLES) || m->len == 0 || m->len > 9 || *m->key == '0')
		return;
	for (size_t i = 0; i < m->len; i++) {
		if (m->key[i] < '0' || m->key[i] > '9')
			return;
		n = n * 10 + (uint64_t)(m->key[i] - '0');
	}
	m->property = where == INTS ? game_property_int((uint32_t)n) : game_property_float((uint32_t)n);
	m->plain = m->property == n;
}

static void
collect(struct members *all, struct event_value object, int old, enum where where)
{
	struct event_value key, value;
	size_t at = 0;

	while (event_next(object, &at, &key, &value)) {
		struct member m = { .key = key.p, .len = key.len, .old = (uint8_t)old, .order = all->n, .raw_key = key, .value = value };
		if (key.escaped) {
			m.key = m.own = xmalloc(key.len + 1);
			m.len = (size_t)event_string(key, m.own, key.len + 1);
		}
		set_property(&m, where);
		if (all->n == all->cap) {
			all->cap = all->cap ? all->cap * 2 : 32;
			all->v = xreallocarray(all->v, all->cap, sizeof *all->v);
		}
		all->v[all->n++] = m;
	}
}

/* Are they names of the same thing? */
static int
compare_names(const struct member *a, const struct member *b)
{
	size_t len = a->len < b->len ? a->len : b->len;
	int c;

	if (a->property != b->property)
		return a->property < b->property ? -1 : 1;
	if (a->property != 0)
		return 0;
	c = memcmp(a->key, b->key, len);
	return c != 0 ? c : (a->len > b->len) - (a->len < b->len);
}

/* Of one name what counts stands first: the update, Decal's spelling, what was written first. */
static int
compare(const void *va, const void *vb)
{
	const struct member *a = va, *b = vb;
	int c = compare_names(a, b);

	if (c == 0)
		c = a->old - b->old;
	if (c == 0)
		c = a->plain - b->plain;
	return c != 0 ? c : (a->order > b->order) - (a->order < b->order);
}

/* ---- writing ---- */

static int write_merged(struct event_value old, struct event_value update, enum where, unsigned depth, struct buf *);

static int
write_quoted(struct event_value s, struct buf *b)
{
	return buf_append(b, "\"", 1) != 0 || buf_append(b, s.p, s.len) != 0 || buf_append(b, "\"", 1) != 0 ? -1 : 0;
}

/* Numbers that a database's numeric cannot hold would cost the whole item there. */
static int
write_number(struct event_value v, struct buf *b)
{
	char text[32];
	double x;

	if (event_double(v, &x) != 0)
		return buf_append(b, "null", 4);
	if (v.len <= NUMBER_MAX && (x != 0 || (memchr(v.p, 'e', v.len) == NULL && memchr(v.p, 'E', v.len) == NULL)))
		return buf_append(b, v.p, v.len);
	return buf_append(b, text, (size_t)snprintf(text, sizeof text, "%.17g", x));
}

static int
write_array(struct event_value v, unsigned depth, struct buf *b)
{
	const struct event_value none = { .p = "" };
	struct event_value e;
	size_t at = 0;
	int first = 1;

	if (buf_append(b, "[", 1) != 0)
		return -1;
	while (event_next(v, &at, NULL, &e)) {
		if ((!first && buf_append(b, ",", 1) != 0) || write_merged(none, e, BELOW, depth + 1, b) != 0)
			return -1;
		first = 0;
	}
	return buf_append(b, "]", 1);
}

static int
write_member(const struct members *all, unsigned i, unsigned end, enum where where, unsigned depth, struct buf *b)
{
	const struct member *m = &all->v[i], *old = NULL;
	enum where below = where_of(m, where);
	struct event_value value = m->value;

	for (unsigned k = i + 1; k < end && !m->old && old == NULL; k++)
		if (all->v[k].old)
			old = &all->v[k];
	if (old != NULL && below != BELOW && value.kind != EVENT_OBJECT)
		value = old->value;
	if (write_quoted(m->raw_key, b) != 0 || buf_append(b, ":", 1) != 0)
		return -1;
	return write_merged(old != NULL ? old->value : (struct event_value){ .p = "" }, value, below, depth + 1, b);
}

static int
write_object(struct event_value old, struct event_value update, enum where where, unsigned depth, struct buf *b)
{
	struct members all = { 0 };
	unsigned end;
	int rc = buf_append(b, "{", 1);

	collect(&all, update, 0, where);
	collect(&all, old, 1, where);
	if (all.n > 0)
		qsort(all.v, all.n, sizeof *all.v, compare);
	for (unsigned i = 0; i < all.n && rc == 0; i = end) {
		for (end = i + 1; end < all.n && compare_names(&all.v[i], &all.v[end]) == 0; end++)
			;
		if (i > 0)
			rc = buf_append(b, ",", 1);
		if (rc == 0)
			rc = write_member(&all, i, end, where, depth, b);
	}
	for (unsigned i = 0; i < all.n; i++)
		free(all.v[i].own);
	free(all.v);
	return rc != 0 ? -1 : buf_append(b, "}", 1);
}

static int
write_merged(struct event_value old, struct event_value update, enum where where, unsigned depth, struct buf *b)
{
	if (update.kind == EVENT_STRING)
		return write_quoted(update, b);
	if (update.kind == EVENT_NUMBER)
		return write_number(update, b);
	if (update.kind == EVENT_OBJECT && depth <= DEPTH_MAX) {
		if (old.kind != EVENT_OBJECT)
			old = (struct event_value){ .p = "" };
		return write_object(old, update, where, depth, b);
	}
	if (update.kind == EVENT_ARRAY && depth <= DEPTH_MAX)
		return write_array(update, depth, b);
	return buf_append(b, update.p, update.len);
}

int
item_merge(struct event_value old, struct event_value update, struct buf *out)
{
	size_t size = buf_size(out);

	if (update.kind != EVENT_OBJECT || (old.kind != EVENT_OBJECT && old.kind != EVENT_ABSENT))
		return -1;
	if (write_merged(old, update, TOP, 0, out) == 0)
		return 0;
	out->len = out->off + size;
	return -1;
}

/* ---- the hash ---- */

static uint64_t
mix(uint64_t h)
{
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93u;
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93u;
	return h ^ h >> 32;
}

static uint64_t
hash_bytes(const char *p, size_t len, uint64_t h)
{
	uint64_t word;

	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&word, p, 8);
		h = mix(h ^ word);
	}
	word = len;
	for (size_t i = 0; i < len; i++)
		word = word << 8 | (unsigned char)p[i];
	return mix(h ^ word);
}

static uint64_t
hash_string(struct event_value v, uint64_t h)
{
	char small[256], *text = small;

	if (!v.escaped)
		return hash_bytes(v.p, v.len, h);
	if (v.len >= sizeof small)
		text = xmalloc(v.len + 1);
	h = hash_bytes(text, (size_t)event_string(v, text, v.len + 1), h);
	if (text != small)
		free(text);
	return h;
}

static uint64_t
hash_number(struct event_value v)
{
	uint64_t bits;
	int64_t n;
	double x;

	if (event_int(v, &n) == 0)
		return mix((uint64_t)n + 3);
	if (event_double(v, &x) != 0)
		return mix(4);
	memcpy(&bits, &x, sizeof bits);
	return mix(bits ^ 5);
}

static uint64_t
hash_value(struct event_value v, unsigned depth)
{
	struct event_value key, e;
	uint64_t h = mix(v.kind + 7);
	size_t at = 0;

	switch (v.kind) {
	case EVENT_STRING:
		return hash_string(v, h);
	case EVENT_NUMBER:
		return hash_number(v);
	case EVENT_ARRAY:
		while (depth <= DEPTH_MAX && event_next(v, &at, NULL, &e))
			h = mix(h ^ hash_value(e, depth + 1));
		break;
	case EVENT_OBJECT:                       /* a sum, so that the order of members is nothing; null is absent */
		while (depth <= DEPTH_MAX && event_next(v, &at, &key, &e))
			if (e.kind != EVENT_NULL && !(depth == 0 && event_value_is(key, "LastIdTime")))
				h += mix(hash_string(key, 1) ^ hash_value(e, depth + 1));
		break;
	default:
		break;
	}
	return depth > DEPTH_MAX ? hash_bytes(v.p, v.len, h) : h;
}

uint64_t
item_hash(struct event_value object)
{
	return hash_value(object, 0);
}
