/* Spells, rares, and the properties that Decal renames. */
#include <string.h>

#include "game/tables.h"

unsigned
game_spell_count(void)
{
	return game_spell_rows_n;
}

const struct game_spell *
game_spell_at(unsigned index)
{
	return &game_spell_rows[index];
}

const struct game_spell *
game_spell(uint32_t id)
{
	unsigned lo = 0, hi = game_spell_rows_n;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;
		if (game_spell_rows[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < game_spell_rows_n && game_spell_rows[lo].id == id ? &game_spell_rows[lo] : NULL;
}

const char *
game_spell_name(const struct game_spell *sp)
{
	return game_pool + sp->name;
}

const char *
game_spell_effect(const struct game_spell *sp)
{
	const char *name = game_spell_name(sp), *level = sp->cantrip != 0 ? game_name(GAME_CANTRIP_LEVEL, sp->cantrip) : NULL;
	size_t len = level != NULL ? strlen(level) : 0;

	return level != NULL && strncmp(name, level, len) == 0 && name[len] == ' ' ? name + len + 1 : name;
}

static inline char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* text is lower case. */
static int
contains(const char *name, const char *text, size_t len)
{
	for (; *name != '\0'; name++) {
		size_t i = 0;
		while (i < len && name[i] != '\0' && lower(name[i]) == text[i])
			i++;
		if (i == len)
			return 1;
	}
	return 0;
}

int
game_spell_find(const char *text, size_t len, unsigned from)
{
	char low[128];

	if (len == 0 || len > sizeof low)        /* no name is that long */
		return len == 0 && from < game_spell_rows_n ? (int)from : -1;
	for (size_t i = 0; i < len; i++)
		low[i] = lower(text[i]);
	for (unsigned i = from; i < game_spell_rows_n; i++)
		if (contains(game_pool + game_spell_rows[i].name, low, len))
			return (int)i;
	return -1;
}

unsigned
game_rare_count(void)
{
	return game_rare_rows_n;
}

const struct game_rare *
game_rare_at(unsigned index)
{
	return &game_rare_rows[index];
}

const char *
game_rare_name(const struct game_rare *r)
{
	return game_pool + r->name;
}

const struct game_rare *
game_rare(const char *name, size_t len)
{
	for (unsigned i = 0; i < game_rare_rows_n; i++) {
		const char *have = game_rare_name(&game_rare_rows[i]);
		if (strncmp(have, name, len) == 0 && have[len] == '\0')
			return &game_rare_rows[i];
	}
	return NULL;
}

static uint32_t
property(uint32_t key, char map)
{
	for (unsigned i = 0; key >= game_decal_rows[0].id && i < game_decal_rows_n; i++)
		if (game_decal_rows[i].id == key && game_decal_rows[i].map == map)
			return game_decal_rows[i].property;
	return key;
}

uint32_t
game_property_int(uint32_t key)
{
	return property(key, 'i');
}

uint32_t
game_property_float(uint32_t key)
{
	return property(key, 'f');
}
