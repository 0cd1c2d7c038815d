#include "facets.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "game/game.h"
#include "mem/mem.h"

struct value {
	int64_t id;
	const char *name;                /* NULL: the game has no name for it */
	uint32_t count;
};

static struct value
value_of(const struct itemdb *db, enum itemdb_facet f, const struct itemdb_count *c)
{
	const struct game_spell *spell;
	struct value v = { .id = c->id, .count = c->count };

	switch (f) {
	case ITEMDB_F_SET: v.name = game_set((uint32_t)c->id); break;
	case ITEMDB_F_MATERIAL: v.name = game_material((uint32_t)c->id); break;
	case ITEMDB_F_OBJECT_CLASS: v.name = game_object_class((uint32_t)c->id); break;
	case ITEMDB_F_SLOT:
		v.id = (uint32_t)c->id;
		v.name = game_slot((uint32_t)c->id);
		break;
	case ITEMDB_F_CHARACTER:
		v.id = itemdb_character_at(db, (unsigned)c->id)->id;
		v.name = itemdb_character_at(db, (unsigned)c->id)->name;
		break;
	case ITEMDB_F_SPELL:
		spell = game_spell((uint32_t)c->id);
		v.name = spell != NULL ? game_spell_name(spell) : NULL;
		break;
	case ITEMDB_FACETS: break;
	}
	return v;
}

static void
put_value(struct buf *out, const struct value *v, int first)
{
	char number[24];

	snprintf(number, sizeof(number), "#%" PRId64, v->id);
	(void)buf_printf(out, "%s{\"id\":%" PRId64 ",\"name\":", first ? "" : ",", v->id);
	(void)buf_append_json(out, v->name != NULL ? v->name : number, strlen(v->name != NULL ? v->name : number));
	(void)buf_printf(out, ",\"count\":%" PRIu32 "}", v->count);
}

static void
put_facet(struct itemdb_search *s, const struct itemdb *db, enum itemdb_facet f, const char *name, struct buf *out)
{
	const struct itemdb_count *c;
	size_t n = itemdb_search_facet(s, f, &c);

	(void)buf_printf(out, "\"%s\":[", name);
	for (size_t i = 0; i < n; i++) {
		struct value v = value_of(db, f, &c[i]);

		put_value(out, &v, i == 0);
	}
	(void)buf_append(out, "]", 1);
}

void
facets_write(struct itemdb_search *s, const struct itemdb *db, struct buf *out)
{
	static const struct { enum itemdb_facet f; const char *name; } shown[] = {
		{ ITEMDB_F_SET, "set" }, { ITEMDB_F_MATERIAL, "material" }, { ITEMDB_F_SLOT, "slot" }, { ITEMDB_F_OBJECT_CLASS, "object_class" }, { ITEMDB_F_CHARACTER, "character" }
	};

	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		(void)buf_append(out, i == 0 ? "{" : ",", 1);
		put_facet(s, db, shown[i].f, shown[i].name, out);
	}
	(void)buf_append(out, "}", 1);
}

static int
by_id(const void *a, const void *b)
{
	const struct value *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static int
by_name(const void *a, const void *b)
{
	const struct value *x = a, *y = b;
	int c;

	if (x->name == NULL || y->name == NULL)
		return x->name != NULL ? -1 : y->name != NULL ? 1 : by_id(a, b);
	c = strcasecmp(x->name, y->name);
	return c != 0 ? c : by_id(a, b);
}

void
facets_write_values(struct itemdb_search *s, const struct itemdb *db, enum itemdb_facet f, struct buf *out)
{
	const struct itemdb_count *c;
	size_t n = itemdb_search_facet(s, f, &c);
	struct value *values = xreallocarray(NULL, n, sizeof(*values));

	for (size_t i = 0; i < n; i++)
		values[i] = value_of(db, f, &c[i]);
	if (n > 0)
		qsort(values, n, sizeof(*values), f == ITEMDB_F_SLOT ? by_id : by_name);
	(void)buf_appends(out, "{\"values\":[");
	for (size_t i = 0; i < n; i++)
		put_value(out, &values[i], i == 0);
	(void)buf_appends(out, "]}");
	free(values);
}
