/* data: the tables of data/<table>.tsv, made into C by scripts/tsv2c.awk.  Places are micro-degrees, heights thousandths. */
#ifndef SIM_DATA_H
#define SIM_DATA_H
#include <stdint.h>

struct d_town { const char *name; int32_t ns, ew; int starter; };
struct d_lifestone { int32_t ns, ew, z; };
struct d_creature { const char *name, *family; uint16_t level, level_max; uint32_t xp; };
struct d_portal { const char *name; int32_t ns, ew, z; uint32_t landcell; const char *dungeon; int32_t dest_ns, dest_ew; };
struct d_quest { const char *flag, *name; int32_t repeat_s; const char *kind; };
struct d_spell { uint16_t id; char use; const char *element; };
struct d_template {
	uint32_t wcid;
	const char *name;
	char group;
	uint8_t class;
	uint32_t type, slots, coverage;
	uint16_t al, damage, damage_type, skill;
	uint32_t burden, value, stack;
	uint8_t material;
	uint32_t icon;
};
struct d_damage { uint16_t bit; const char *over50, *over25, *over10, *low; };
struct d_name { const char *name; uint8_t race; };
struct d_surname { const char *name; };
struct d_chat { char channel; const char *text; };
struct d_tag { const char *tag; };
struct d_state { char act; const char *text; };

#define DATA(table) extern const struct d_##table d_##table[]; extern const unsigned d_##table##_n;
DATA(town)
DATA(lifestone)
DATA(creature)
DATA(portal)
DATA(quest)
DATA(spell)
DATA(template)
DATA(damage)
DATA(name)
DATA(surname)
DATA(chat)
DATA(tag)
DATA(state)
#undef DATA

#endif
