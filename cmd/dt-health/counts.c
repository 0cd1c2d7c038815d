#include "counts.h"

#include <string.h>
#include <strings.h>

#include "clock/clock.h"
#include "event/event.h"

#define NAME_BYTES 256

static int64_t
time_of(struct event_value v)
{
	char text[64];
	long len = event_string(v, text, sizeof(text));
	int64_t us;

	if (len > 4 && strcmp(text + len - 4, " UTC") == 0)
		len -= 4;
	return len > 0 && clock_parse_iso(text, (size_t)len, &us) == 0 ? us : 0;
}

int
counts_read(const char *body, size_t len, const char *server, struct counts *c, const char **why)
{
	struct event_value list = { .p = body, .len = (uint32_t)len, .kind = EVENT_ARRAY }, one;
	char name[NAME_BYTES];
	size_t at = 0;

	*c = (struct counts){ .players = -1 };
	*why = "it is not JSON";
	if (len > EVENT_MAX || event_check_json(body, len, &at) != EVENT_OK)
		return -1;
	for (; list.len > 0 && strchr(" \t\r\n", *list.p) != NULL; list.p++, list.len--)
		;
	while (list.len > 0 && strchr(" \t\r\n", list.p[list.len - 1]) != NULL)
		list.len--;
	*why = "it is no list";
	if (*list.p != '[')
		return -1;
	for (at = 0; event_next(list, &at, NULL, &one);) {
		if (one.kind != EVENT_OBJECT || event_string(event_object_get(one, "server"), name, sizeof(name)) < 0 || strcasecmp(name, server) != 0)
			continue;
		*why = "its count is no number of players";
		if (event_int(event_object_get(one, "count"), &c->players) == -1 || c->players < 0 || c->players > INT32_MAX) {
			c->players = -1;
			return -1;
		}
		c->at_us = time_of(event_object_get(one, "date"));
		return 0;
	}
	return 0;
}
