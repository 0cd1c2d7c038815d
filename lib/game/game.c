#include "game/game.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "game/tables.h"

static const struct {
	const struct game_row *rows;             /* sorted by id */
	const unsigned *n;
	int bits;
} kinds[GAME_KINDS] = {
#define KIND(id, table, bits) [GAME_##id] = { game_##table##_rows, &game_##table##_rows_n, bits }
	KIND(MATERIAL, material, 0),
	KIND(SET, set, 0),
	KIND(OBJECT_CLASS, object_class, 0),
	KIND(SKILL, skill, 0),
	KIND(SLOT, slot, 1),
	KIND(COVERAGE, coverage, 1),
	KIND(IMBUE, imbue, 1),
	KIND(DAMAGE_TYPE, damage_type, 1),
	KIND(ITEM_TYPE, item_type, 1),
	KIND(RATING, rating, 0),
	KIND(WIELD, wield, 0),
	KIND(CREATURE, creature, 0),
	KIND(CANTRIP_LEVEL, cantrip_level, 0),
#undef KIND
};

static const struct game_row *
row(enum game_kind kind, uint32_t id)
{
	const struct game_row *rows = kinds[kind].rows;
	unsigned lo = 0, hi = *kinds[kind].n;

	if (id < hi && rows[id].id == id)        /* most tables have no holes */
		return &rows[id];
	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;
		if (rows[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < *kinds[kind].n && rows[lo].id == id ? &rows[lo] : NULL;
}

const char *
game_name(enum game_kind kind, uint32_t id)
{
	const struct game_row *r = row(kind, id);

	return r != NULL ? game_pool + r->name : NULL;
}

const char *
game_word(enum game_kind kind, uint32_t id)
{
	const struct game_row *r = row(kind, id);

	return r != NULL ? game_pool + r->word : NULL;
}

const char *
game_at(enum game_kind kind, unsigned index, uint32_t *id)
{
	if (index >= *kinds[kind].n)
		return NULL;
	*id = kinds[kind].rows[index].id;
	return game_pool + kinds[kind].rows[index].name;
}

int
game_is_bits(enum game_kind kind)
{
	return kinds[kind].bits;
}

size_t
game_bits_text(enum game_kind kind, uint32_t mask, const char *separator, char *out, size_t size)
{
	size_t len = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < 32 && len < size; i++) {
		uint32_t bit = mask & (uint32_t)1 << i;
		const char *name = game_name(kind, bit);
		if (bit == 0)
			continue;
		if (name != NULL)
			len += (size_t)snprintf(out + len, size - len, "%s%s", len > 0 ? separator : "", name);
		else
			len += (size_t)snprintf(out + len, size - len, "%s0x%X", len > 0 ? separator : "", bit);
	}
	return len < size ? len : size - 1;
}

/* ---- by name ---- */

static int
same_char(char text, char name)
{
	return tolower((unsigned char)text) == tolower((unsigned char)name) || (text == '_' && name == ' ');
}

static int
same(const char *text, size_t len, const char *name)
{
	size_t i = 0;

	while (i < len && name[i] != '\0' && same_char(text[i], name[i]))
		i++;
	return i == len && name[i] == '\0';
}

static int
begins_word(const char *text, size_t len, const char *name)
{
	for (const char *p = name; *p != '\0'; p++) {
		size_t i = 0;
		if (p > name && isalnum((unsigned char)p[-1]))
			continue;
		while (i < len && p[i] != '\0' && same_char(text[i], p[i]))
			i++;
		if (i == len)
			return 1;
	}
	return 0;
}

static int
number(const char *text, size_t len, uint32_t *id)
{
	uint64_t v = 0;
	unsigned base = 10;
	size_t i = 0;

	if (len > 2 && text[0] == '0' && (text[1] | 32) == 'x') {
		base = 16;
		i = 2;
	}
	for (; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		unsigned digit = isdigit(c) ? c - (unsigned)'0' : isxdigit(c) ? (c | 32u) - 'a' + 10 : 99;
		if (digit >= base || (v = v * base + digit) > UINT32_MAX)
			return 0;
	}
	*id = (uint32_t)v;
	return len > 0;
}

enum how { FULL_NAME, SECOND_WORD, WORD_OF_NAME };

static int
meant(const struct game_row *r, const char *text, size_t len, enum how how)
{
	if (how == WORD_OF_NAME)
		return begins_word(text, len, game_pool + r->name);
	return same(text, len, game_pool + (how == FULL_NAME ? r->name : r->word));
}

struct found { uint32_t *ids; unsigned max, n, bare; };     /* bare: one of them has no second word */

static void
collect(enum game_kind kind, const char *text, size_t len, enum how how, struct found *f)
{
	for (unsigned i = 0; i < *kinds[kind].n; i++) {
		const struct game_row *r = &kinds[kind].rows[i];
		if (!meant(r, text, len, how))
			continue;
		if (f->n < f->max)
			f->ids[f->n] = r->id;
		f->n++;
		f->bare |= game_pool[r->word] == '\0';
	}
}

unsigned
game_match(enum game_kind kind, const char *text, size_t len, uint32_t *ids, unsigned max)
{
	struct found f = { .ids = ids, .max = max };
	uint32_t id;

	if (len == 0)
		return 0;
	if (number(text, len, &id)) {
		if (max > 0)
			ids[0] = id;
		return 1;
	}
	collect(kind, text, len, FULL_NAME, &f);
	if (f.n == 0 || f.bare)                  /* Leather is a material, though also a group; Metal only names a group */
		collect(kind, text, len, SECOND_WORD, &f);
	if (f.n == 0)
		collect(kind, text, len, WORD_OF_NAME, &f);
	return f.n;
}

unsigned
game_distance(const char *text, size_t len, const char *name)
{
	unsigned line[64], n = (unsigned)strlen(name);

	if (len > 63 || n > 63 || len > n + 8 || n > len + 8)
		return 99;
	for (unsigned j = 0; j <= n; j++)
		line[j] = j;
	for (size_t i = 1; i <= len; i++) {
		unsigned corner = line[0];
		line[0] = (unsigned)i;
		for (unsigned j = 1; j <= n; j++) {
			unsigned swap = corner + !same_char(text[i - 1], name[j - 1]), edit = (line[j] < line[j - 1] ? line[j] : line[j - 1]) + 1;
			corner = line[j];
			line[j] = swap < edit ? swap : edit;
		}
	}
	return line[n];
}

/* The distance to the whole name or to one of its words. */
static unsigned
nearness(const char *text, size_t len, const char *name)
{
	unsigned best = game_distance(text, len, name);
	char word[64];
	int used;

	for (const char *p = name; sscanf(p, " %63[A-Za-z]%n", word, &used) == 1; p += used + strcspn(p + used, " ")) {
		unsigned d = game_distance(text, len, word);
		if (d < best)
			best = d;
	}
	return best;
}

const char *
game_nearest(enum game_kind kind, const char *text, size_t len)
{
	unsigned best = (unsigned)(len < 4 ? 1 : len < 8 ? 2 : 3) + 1;
	const char *nearest = NULL;

	for (unsigned i = 0; i < *kinds[kind].n; i++) {
		const char *name = game_pool + kinds[kind].rows[i].name;
		unsigned d = nearness(text, len, name);
		if (d < best) {
			best = d;
			nearest = name;
		}
	}
	return nearest;
}
