#include "facts.h"

#include <assert.h>
#include <string.h>

#include "data.h"
#include "game/game.h"
#include "mem/mem.h"

struct fact_spell *fact_spells;
struct fact_material fact_materials[256];
uint8_t fact_sets[256];
unsigned fact_spells_n, fact_materials_n, fact_sets_n;

static void
add_spell(const struct d_spell *d)
{
	const struct game_spell *sp = game_spell(d->id);

	assert(sp != NULL);
	fact_spells[fact_spells_n++] = (struct fact_spell){ .id = d->id, .category = sp->category, .use = d->use, .rank = sp->cantrip != 0 ? sp->cantrip : sp->buff,
		.name = game_spell_name(sp), .effect = game_spell_effect(sp), .element = d->element };
}

void
facts_init(void)
{
	uint32_t id;

	fact_spells = xcalloc(d_spell_n, sizeof *fact_spells);
	for (unsigned i = 0; i < d_spell_n; i++)
		add_spell(&d_spell[i]);
	for (unsigned i = 0; game_at(GAME_MATERIAL, i, &id) != NULL && id < 256; i++)
		if (*game_word(GAME_MATERIAL, id) != '\0')
			fact_materials[fact_materials_n++] = (struct fact_material){ (uint8_t)id, game_word(GAME_MATERIAL, id) };
	for (unsigned i = 0; game_at(GAME_SET, i, &id) != NULL && id < 256; i++)
		if (strcmp(game_word(GAME_SET, id), "armor-loot") == 0)
			fact_sets[fact_sets_n++] = (uint8_t)id;
}

const char *
fact_damage_name(unsigned i)
{
	return game_name(GAME_DAMAGE_TYPE, d_damage[i].bit);
}

const char *
fact_damage_adjective(unsigned i)
{
	return game_word(GAME_DAMAGE_TYPE, d_damage[i].bit);
}
