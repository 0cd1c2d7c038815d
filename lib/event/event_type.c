/* The list of known types. */
#include "event/event.h"

#include <string.h>

#define LEN(x) (sizeof (x) / sizeof (x)[0])

static const struct { const char *name; unsigned len; enum event_origin origin; } types[] = {
#define EVENT_TYPE(name, origin, help) { name, sizeof name - 1, EVENT_OF_##origin },
#include "event/event_types.def"
#undef EVENT_TYPE
};

int
event_type_id(struct event_value type)
{
	size_t i;

	for (i = 0; i < LEN(types); i++)
		if ((type.escaped || type.len == types[i].len) && event_value_is(type, types[i].name))
			return (int)i;
	return -1;
}

const char *
event_type_name(int id)
{
	return id >= 0 && (size_t)id < LEN(types) ? types[id].name : "other";
}

int
event_type_count(void)
{
	return (int)LEN(types);
}

enum event_origin
event_type_origin(int id)
{
	return id >= 0 && (size_t)id < LEN(types) ? types[id].origin : EVENT_OF_PLUGIN;
}

int
event_type_match(const char *word, const char *type, size_t type_len)
{
	size_t len = strlen(word);

	if (len > 0 && word[len - 1] == '*')
		return type_len >= len - 1 && memcmp(type, word, len - 1) == 0;
	return type_len == len && memcmp(type, word, len) == 0;
}
