/* items: what the tests of lib/item share: two items as a plugin sends them, and reading one. */
#ifndef ITEMS_H
#define ITEMS_H
#include <stdio.h>
#include <string.h>

#include "item/item.h"
#include "suite.h"

static struct item it;
static const char *why;

/* The value of a text that is one JSON value; the text must have passed the gate. */
static inline struct event_value
json(const char *text)
{
	static struct event ev;
	static char line[65536];
	size_t at;

	ck_assert_msg(event_check_json(text, strlen(text), &at) == EVENT_OK, "at %zu of %s", at, text);
	snprintf(line, sizeof line, "{\"type\":\"x\",\"v\":%s}", text);
	ck_assert_int_eq(event_scan(line, strlen(line), &ev), EVENT_OK);
	return event_get(&ev, "v");
}

static inline int
read_text(const char *text)
{
	return item_read(&it, json(text), &why);
}

static inline void
finish(void)
{
	item_fini(&it);
	memset(&it, 0, sizeof it);
}

#define HELMET "{\"Id\":-1925474135,\"Name\":\"Helmet\",\"ObjectClass\":2,\"HasIdData\":true,\"LastIdTime\":1745254711," \
	"\"IntValues\":{\"5\":379,\"10\":1,\"19\":20315,\"28\":720,\"105\":9,\"106\":370,\"107\":881,\"108\":907,\"109\":300,\"115\":273,\"131\":63,\"158\":7,\"159\":1," \
	"\"160\":180,\"171\":10,\"176\":7,\"177\":2,\"178\":22,\"179\":4096,\"265\":16,\"374\":1,\"218103808\":75,\"218103809\":6120,\"218103810\":1342391396," \
	"\"218103818\":1342391396,\"218103821\":16384,\"218103822\":1,\"218103834\":2,\"218103838\":4}," \
	"\"DoubleValues\":{\"5\":-0.06666667014360428,\"165\":1.0,\"167772160\":1.2999999523162842,\"167772161\":1.0,\"167772162\":3.0}," \
	"\"StringValues\":{\"1\":\"Helmet\",\"16\":\"Helmet of Invulnerability\",\"39\":\"Mag-tinker\"}," \
	"\"BoolValues\":{\"22\":true,\"91\":true,\"100\":true},\"ActiveSpells\":[4397,4407],\"Spells\":[2108,4560,6079,6082]}"
#define TAPER "{\"Id\":-1849254352,\"Name\":\"Prismatic Taper\",\"ObjectClass\":12,\"HasIdData\":false,\"LastIdTime\":0," \
	"\"IntValues\":{\"5\":6000,\"19\":22000,\"218103808\":20631,\"218103809\":9770,\"218103810\":-1925375235,\"218103814\":894,\"218103815\":1000," \
	"\"218103834\":4096,\"231735296\":0},\"DoubleValues\":{},\"StringValues\":{\"1\":\"Prismatic Taper\"},\"BoolValues\":{},\"ActiveSpells\":[],\"Spells\":[]}"

#endif
