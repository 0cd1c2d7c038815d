/* tables: the files in lib/game/data as C, made by scripts/tsv2c.awk.  Strings are offsets into one pool. */
#ifndef GAME_TABLES_H
#define GAME_TABLES_H
#include "game/game.h"

struct game_row { uint32_t id, name, word; };
struct game_decal { uint32_t id; uint16_t property; char map; };

#define TABLE(row, table) extern const struct row game_##table##_rows[]; extern const unsigned game_##table##_rows_n;
TABLE(game_row, material)
TABLE(game_row, set)
TABLE(game_row, object_class)
TABLE(game_row, skill)
TABLE(game_row, slot)
TABLE(game_row, coverage)
TABLE(game_row, imbue)
TABLE(game_row, damage_type)
TABLE(game_row, item_type)
TABLE(game_row, rating)
TABLE(game_row, wield)
TABLE(game_row, creature)
TABLE(game_row, cantrip_level)
TABLE(game_spell, spell)
TABLE(game_decal, decal)
TABLE(game_rare, rare)
#undef TABLE

extern const char game_pool[];

#endif
