/* facts: what the simulator uses of the game's tables (lib/game), in the order that its draws count on. */
#ifndef SIM_FACTS_H
#define SIM_FACTS_H
#include <stdint.h>

struct fact_spell {
	uint16_t id, category;
	char use;                                /* data/spells.tsv */
	uint8_t rank;                            /* of a cantrip's level, else the spell's level */
	const char *name, *effect, *element;     /* element: of attacks, a damage type's name */
};
struct fact_material { uint8_t id; const char *group; };

extern struct fact_spell *fact_spells;
extern struct fact_material fact_materials[];
extern uint8_t fact_sets[];                  /* those that armor found as loot can carry */
extern unsigned fact_spells_n, fact_materials_n, fact_sets_n;

void facts_init(void);                       /* once */

/* Of the damage types in data/damage.tsv, by their place there. */
const char *fact_damage_name(unsigned);
const char *fact_damage_adjective(unsigned);

#endif
