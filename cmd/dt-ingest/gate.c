#include "gate.h"

#include <stdio.h>
#include <string.h>

/* The roles of the known types, by event_type_id. */
static enum gate_role
role_of_name(const char *type)
{
	static const struct { const char *type; enum gate_role role; } roles[] = {
		{ "full_inventory", GATE_LARGE }, { "inventory", GATE_LARGE }, { "dungeon_map", GATE_LARGE },
		{ "telemetry", GATE_TELEMETRY }, { "nearby_objects", GATE_NEARBY }, { "character_stats", GATE_STATS },
	};
	size_t i;

	if (strncmp(type, "share_", 6) == 0)
		return GATE_SHARE;
	for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strcmp(type, roles[i].type) == 0)
			return roles[i].role;
	return GATE_OTHER;
}

enum gate_role
gate_role(struct event_value type)
{
	static unsigned char known[256];         /* role + 1 */
	int id = event_type_id(type);
	char text[64];

	if (id >= 0 && id < (int)sizeof(known)) {
		if (known[id] == 0)
			known[id] = (unsigned char)(role_of_name(event_type_name(id)) + 1);
		return (enum gate_role)(known[id] - 1);
	}
	/* unknown types beginning with share_ are relayed too */
	return event_string(type, text, sizeof(text)) >= 0 ? role_of_name(text) : type.len > 6 && memcmp(type.p, "share_", 6) == 0 ? GATE_SHARE : GATE_OTHER;
}

/* Next code point of valid UTF-8. */
static unsigned
code_point(const unsigned char **p)
{
	unsigned c = *(*p)++, n = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;

	if (n > 0)
		c &= 0x3fu >> n;
	while (n-- > 0)
		c = c << 6 | (*(*p)++ & 0x3f);
	return c;
}

static int
is_printable(unsigned c)
{
	return c >= 0x20 && (c < 0x7f || c > 0x9f) && !(c >= 0x200b && c <= 0x200f) && !(c >= 0x2028 && c <= 0x202e) && !(c >= 0x2060 && c <= 0x206f) &&
	    c != 0xfeff && !(c >= 0xfff9 && c <= 0xffff) && !(c >= 0xe0000 && c <= 0xe0fff);
}

/* 1 to 32 printable characters, not only blanks. */
static int
is_name(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	unsigned n = 0, dark = 0, c;

	for (; *p != '\0'; n++) {
		c = code_point(&p);
		if (!is_printable(c))
			return 0;
		dark += c != ' ' && c != 0xa0;
	}
	return n <= GATE_NAME_MAX && dark > 0;
}

static int
refuse(struct gate_refusal *r, const char *reason, const char *text)
{
	r->reason = reason;
	snprintf(r->text, sizeof(r->text), "%s", text);
	return -1;
}

int
gate_check(const char *data, size_t len, int binary, struct event *e, char name[GATE_NAME_SIZE], struct gate_refusal *r)
{
	enum event_error error;

	r->reason = NULL;
	name[0] = '\0';
	if (binary)
		return refuse(r, "binary", "a binary frame; send JSON in text frames");
	if ((error = event_scan(data, len, e)) != EVENT_OK) {
		r->reason = event_error_word(error);
		snprintf(r->text, sizeof(r->text), "%s (at byte %zu)", event_error_text(error), e->error_at);
		return -1;
	}
	if (event_type_origin(event_type_id(e->type)) != EVENT_OF_PLUGIN)
		return refuse(r, "server_type", "a type that only the tracker itself may use");
	if (len > GATE_SMALL_MAX && gate_role(e->type) != GATE_LARGE)
		return refuse(r, "oversize", "larger than 256 KiB, which only inventories and dungeon maps may be");
	if (e->character_name.kind == EVENT_ABSENT || e->character_name.kind == EVENT_NULL)
		return 0;
	if (e->character_name.kind != EVENT_STRING || event_string(e->character_name, name, GATE_NAME_SIZE) < 0 || !is_name(name)) {
		name[0] = '\0';
		return refuse(r, "character_name", "character_name must be a string of 1 to 32 printable characters");
	}
	return 0;
}

enum gate_time
gate_time(const struct event *e, int64_t now_us)
{
	int64_t us;

	if (e->timestamp.kind == EVENT_ABSENT)
		return GATE_TIME_MISSING;
	if (event_time(e, &us) != 0)
		return GATE_TIME_UNREADABLE;
	return us < now_us - GATE_LATE_US ? GATE_TIME_LATE : us > now_us + GATE_FUTURE_US ? GATE_TIME_FUTURE : GATE_TIME_GOOD;
}
