#include <math.h>
#include <string.h>

#include "game/game.h"
#include "itemdb/itemdb_int.h"

static const struct { const char *name; int is_text; } columns[] = {
#define COLUMN(id, name, number) { name, 0 },
#define TEXT_COLUMN(id, name) { name, 1 },
#include "itemdb/columns.def"
#undef COLUMN
#undef TEXT_COLUMN
};

int
itemdb_column(const char *name)
{
	for (int i = 0; i < ITEMDB_COLUMNS; i++)
		if (strcmp(columns[i].name, name) == 0)
			return i;
	return -1;
}

const char *
itemdb_column_name(enum itemdb_column c)
{
	return columns[c].name;
}

int
itemdb_column_is_text(enum itemdb_column c)
{
	return columns[c].is_text;
}

#define NUM(fact) (r->fact == ITEM_NONE ? (double)NAN : r->fact)
#define MASK(fact) (r->fact == 0 ? (double)NAN : r->fact)
#define FLAG(fact) (r->fact < 0 ? (double)NAN : r->fact)
#define RATING(which) (r->rating[which] == ITEM_NO_RATING ? (double)NAN : r->rating[which])

double
itemdb_number(const struct row *r, enum itemdb_column c)
{
	switch (c) {
#define COLUMN(id, name, number) case ITEMDB_##id: return number;
#define TEXT_COLUMN(id, name) case ITEMDB_##id: return (double)NAN;
#include "itemdb/columns.def"
#undef COLUMN
#undef TEXT_COLUMN
	case ITEMDB_COLUMNS: break;
	}
	return (double)NAN;
}

uint32_t
itemdb_text(const struct itemdb *db, const struct row *r, enum itemdb_column c, const char **fixed)
{
	*fixed = NULL;
	switch (c) {
	case ITEMDB_NAME: return r->name;
	case ITEMDB_DISPLAY_NAME: return r->display;
	case ITEMDB_CHARACTER_NAME: *fixed = db->character[r->character].shown.name; break;
	case ITEMDB_MATERIAL: *fixed = r->material_id == ITEM_NONE ? NULL : game_material((uint32_t)r->material_id); break;
	case ITEMDB_SET: *fixed = r->set_id == ITEM_NONE ? NULL : game_set((uint32_t)r->set_id); break;
	default: break;
	}
	return TEXT_NONE;
}
