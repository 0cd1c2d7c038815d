#include <math.h>
#include <string.h>

#include "game/game.h"
#include "itemdb/itemdb_int.h"

static const struct { const char *name; int is_text, kind; } columns[] = {
#define COLUMN(id, name, number) { name, 0, -1 },
#define TEXT_COLUMN(id, name, text) { name, 1, -1 },
#define NAMED_COLUMN(id, name, kind, number) { name, 1, kind },
#include "itemdb/columns.def"
#undef COLUMN
#undef TEXT_COLUMN
#undef NAMED_COLUMN
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

int
itemdb_column_kind(enum itemdb_column c)
{
	return columns[c].kind;
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
#define TEXT_COLUMN(id, name, text)
#define NAMED_COLUMN(id, name, kind, number) case ITEMDB_##id: return number;
#include "itemdb/columns.def"
#undef COLUMN
#undef TEXT_COLUMN
#undef NAMED_COLUMN
	default: return (double)NAN;
	}
}

uint32_t
itemdb_text(const struct itemdb *db, const struct row *r, enum itemdb_column c)
{
	switch (c) {
#define COLUMN(id, name, number)
#define TEXT_COLUMN(id, name, text) case ITEMDB_##id: return text;
#define NAMED_COLUMN(id, name, kind, number)
#include "itemdb/columns.def"
#undef COLUMN
#undef TEXT_COLUMN
#undef NAMED_COLUMN
	default: return TEXT_NONE;
	}
}
