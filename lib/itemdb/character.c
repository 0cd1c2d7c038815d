/* The characters, and what each of them has. */
#include <stdlib.h>
#include <string.h>

#include "itemdb/itemdb_int.h"
#include "mem/mem.h"

unsigned
itemdb_character(struct itemdb *db, int32_t id, const char *name)
{
	uint32_t *at = map_at(&db->character_by_id, id, db->n_characters);
	struct character *c;

	if (*at < db->n_characters) {
		c = &db->character[*at];
		if (strcmp(c->shown.name, name) != 0) {          /* a restored database may give the number to another */
			free((char *)(uintptr_t)c->shown.name);
			c->shown.name = xstrdup(name);
			strings_release(db->strings, c->text);
			c->text = strings_take(db->strings, name, strlen(name));
			db->generation++;
		}
		return *at;
	}
	if (db->n_characters == db->cap_characters) {
		db->cap_characters = db->cap_characters ? db->cap_characters * 2 : 64;
		db->character = xreallocarray(db->character, db->cap_characters, sizeof(*db->character));
	}
	c = &db->character[db->n_characters++];
	*c = (struct character){ .shown = { .id = id, .name = xstrdup(name) }, .first = ROW_NONE };
	c->text = strings_take(db->strings, name, strlen(name));
	db->generation++;
	return db->n_characters - 1;
}

void
itemdb_character_set(struct itemdb *db, unsigned place, int64_t snapshot_us, int64_t updated_us, int64_t drift)
{
	struct itemdb_character *c = &db->character[place].shown;

	c->snapshot_us = snapshot_us;
	c->updated_us = updated_us;
	c->drift = drift;
	c->listed = 1;
}

void
itemdb_unlist(struct itemdb *db)
{
	for (unsigned i = 0; i < db->n_characters; i++)
		db->character[i].shown.listed = 0;
}

const struct itemdb_character *
itemdb_character_at(const struct itemdb *db, unsigned place)
{
	return place < db->n_characters ? &db->character[place].shown : NULL;
}

int
itemdb_character_find(const struct itemdb *db, const char *name)
{
	int found = -1;

	for (unsigned i = 0; i < db->n_characters; i++)
		if (strcmp(db->character[i].shown.name, name) == 0) {
			found = (int)i;
			if (db->character[i].shown.listed || db->character[i].shown.items > 0)
				break;           /* one that the database no longer has may carry the name too */
		}
	return found;
}

static int
by_place(const void *a, const void *b)
{
	const struct row *x = *(const struct row *const *)a, *y = *(const struct row *const *)b;

	if (x->container_id != y->container_id)
		return (uint32_t)x->container_id < (uint32_t)y->container_id ? -1 : 1;
	if (x->position != y->position)
		return x->position < y->position ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

int32_t *
itemdb_character_items(const struct itemdb *db, unsigned place, size_t *n)
{
	const struct character *c = &db->character[place];
	const struct row **rows = xcalloc(c->shown.items, sizeof(struct row *));
	int32_t *ids = xcalloc(c->shown.items, sizeof(*ids));

	*n = 0;
	for (uint32_t i = c->first; i != ROW_NONE; i = row_at(db, i)->next)
		rows[(*n)++] = row_at(db, i);
	qsort(rows, *n, sizeof(*rows), by_place);
	for (size_t i = 0; i < *n; i++)
		ids[i] = rows[i]->id;
	free(rows);
	return ids;
}
