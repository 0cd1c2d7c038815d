#include "bus/bus_match.h"

#include <stdlib.h>
#include <string.h>

#include "mem/mem.h"

#define NAME_MAX_BYTES 1024              /* of an escaped value; a longer one matches nothing but "*" */

struct words { char **word; size_t n; int any; };
struct bus_match { struct words types, characters; };

/* ---- the head of a line ---- */

/* From behind the opening quote to the closing one. */
static const char *
string_end(const char *p, const char *end, uint8_t *escaped)
{
	*escaped = 0;
	for (;;) {
		const char *quote = memchr(p, '"', (size_t)(end - p)), *slash;
		if (quote == NULL)
			return end;
		slash = memchr(p, '\\', (size_t)(quote - p));
		if (slash == NULL)
			return quote;
		*escaped = 1;
		p = slash + 2;
		if (p > end)
			return end;
	}
}

static const char *
skip_nested(const char *p, const char *end)
{
	uint8_t escaped;
	int depth = 0;

	for (; p < end; p++) {
		if (*p == '"')
			p = string_end(p + 1, end, &escaped);
		else if (*p == '{' || *p == '[')
			depth++;
		else if ((*p == '}' || *p == ']') && --depth == 0)
			return p + 1;
	}
	return end;
}

static const char *
blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return p;
}

static const char *
value_at(const char *p, const char *end, struct event_value *v)
{
	const char *begin = p;

	*v = (struct event_value){ .kind = EVENT_NULL };
	if (p == end)
		return end;
	if (*p == '"') {
		p = string_end(p + 1, end, &v->escaped);
		*v = (struct event_value){ .p = begin + 1, .len = (uint32_t)(p - begin - 1), .kind = EVENT_STRING, .escaped = v->escaped };
		return p < end ? p + 1 : end;
	}
	if (*p == '{' || *p == '[')
		return skip_nested(p, end);
	while (p < end && *p != ',' && *p != '}' && *p != ' ' && *p != '\t')
		p++;
	return p;
}

static int
key_is(const struct event_value *key, const char *name, size_t len)
{
	return key->len == len && memcmp(key->p, name, len) == 0;
}

static void
whole_scan(const char *line, size_t len, struct event_value *type, struct event_value *character_name)
{
	struct event e;

	if (event_scan(line, len, &e) != EVENT_OK)
		return;
	*type = e.type;
	if (character_name != NULL)
		*character_name = e.character_name;
}

void
bus_match_head(const char *line, size_t len, struct event_value *type, struct event_value *character_name)
{
	const char *p = line, *end = line + len;
	struct event_value key, value;

	*type = (struct event_value){ .kind = EVENT_ABSENT };
	if (character_name != NULL)
		*character_name = *type;
	while (p < end && (*p == '{' || *p == ',')) {
		p = blanks(p + 1, end);
		if (p == end || *p != '"')
			return;
		p = blanks(value_at(p, end, &key), end);
		if (key.escaped) {
			whole_scan(line, len, type, character_name);
			return;
		}
		p = value_at(blanks(p < end ? p + 1 : end, end), end, &value);
		if (key_is(&key, "type", 4))
			*type = value;
		else if (character_name != NULL && key_is(&key, "character_name", 14))
			*character_name = value;
		if (type->kind != EVENT_ABSENT && (character_name == NULL || character_name->kind != EVENT_ABSENT))
			return;
		p = blanks(p, end);
	}
}

/* ---- words ---- */

static void
set_words(struct words *w, const char *const *list)
{
	w->any = list == NULL;
	for (; list != NULL && *list != NULL; list++) {
		w->word = xreallocarray(w->word, w->n + 1, sizeof *w->word);
		w->word[w->n++] = xstrdup(*list);
	}
}

static void
free_words(struct words *w)
{
	while (w->n > 0)
		free(w->word[--w->n]);
	free(w->word);
}

struct bus_match *
bus_match_new(const char *const *types, const char *const *characters)
{
	struct bus_match *m;

	if (types == NULL && characters == NULL)
		return NULL;
	m = xcalloc(1, sizeof *m);
	set_words(&m->types, types);
	set_words(&m->characters, characters);
	return m;
}

void
bus_match_free(struct bus_match **mp)
{
	if (*mp == NULL)
		return;
	free_words(&(*mp)->types);
	free_words(&(*mp)->characters);
	free(*mp);
	*mp = NULL;
}

static int
wanted(const struct words *w, struct event_value v)
{
	char text[NAME_MAX_BYTES];
	const char *p = v.p;
	size_t len = v.len;
	long n;

	if (w->any)
		return 1;
	if (v.kind != EVENT_STRING)
		return 0;
	if (v.escaped) {
		if ((n = event_string(v, text, sizeof text)) == -1)
			n = 0;
		p = text;
		len = (size_t)n;
	}
	for (size_t i = 0; i < w->n; i++)
		if (event_type_match(w->word[i], p, len))
			return 1;
	return 0;
}

int
bus_match_line(const struct bus_match *m, const char *line, size_t len)
{
	struct event_value type, character_name = { .kind = EVENT_ABSENT };

	if (m == NULL)
		return 1;
	bus_match_head(line, len, &type, m->characters.any ? NULL : &character_name);
	return wanted(&m->types, type) && wanted(&m->characters, character_name);
}
