/* Chat: what is said around a character, on the channels, and the lines that others watch for. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "geo/geo.h"
#include "sim.h"

void
chat(struct sim *s, struct chr *c, int color, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (!ev_begin(s, c, "chat"))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	ev_str(s, "text", text);
	ev_int(s, "color", color);
	ev_end(s);
}

/* Fills {town}, {mob}, {item}, {name}, {quest}, {dungeon} and {n} by chance. */
static const char *
word_of(struct rng *r, const char *word, size_t len, char number[16])
{
	unsigned i;

	switch (word[0]) {
	case 't':
		return d_town[rng_below(r, d_town_n)].name;
	case 'm':
		return d_creature[rng_below(r, d_creature_n)].name;
	case 'i':
		return d_template[rng_below(r, d_template_n)].name;
	case 'q':
		return d_quest[rng_below(r, d_quest_n)].name;
	case 'd':
		for (i = rng_below(r, d_portal_n); d_portal[i].dungeon[0] == '\0';)
			i = (i + 1) % d_portal_n;
		return d_portal[i].dungeon;
	}
	if (len > 1)
		return d_name[rng_below(r, d_name_n)].name;
	(void)snprintf(number, 16, "%u", 1 + rng_below(r, rng_percent(r, 50) ? 5 : 300));
	return number;
}

static void
fill(struct rng *r, const char *from, char *out, size_t size)
{
	char number[16];
	size_t len = 0;

	while (*from != '\0' && len + 1 < size) {
		const char *end = *from == '{' ? strchr(from, '}') : NULL, *word;
		if (end == NULL) {
			out[len++] = *from++;
			continue;
		}
		word = word_of(r, from + 1, (size_t)(end - from - 1), number);
		len += (size_t)snprintf(out + len, size - len, "%s", word);
		from = end + 1;
	}
	out[len < size ? len : size - 1] = '\0';
}

static const char *
line_of(struct rng *r, char channel, char *out, size_t size)
{
	unsigned i;

	do
		i = rng_below(r, d_chat_n);
	while (d_chat[i].channel != channel);
	fill(r, d_chat[i].text, out, size);
	return out;
}

/* Players are mostly those of the fleet, and sometimes others. */
static const char *
somebody(struct sim *s, struct rng *r, uint32_t *id)
{
	if (rng_percent(r, 70)) {
		const struct chr *c = &s->chr[rng_below(r, s->cfg.characters)];
		*id = c->id;
		return c->name;
	}
	*id = 0x50100000u + rng_below(r, 100000);
	return d_name[rng_below(r, d_name_n)].name;
}

/* Names are links in the client; not every plugin takes the markup out. */
static void
linked(struct rng *r, const char *who, uint32_t id, char *out, size_t size)
{
	if (rng_percent(r, 70))
		(void)snprintf(out, size, "<Tell:IIDString:%u:%s>%s<\\Tell>", id, who, who);
	else
		(void)snprintf(out, size, "%s", who);
}

void
talk_around(struct sim *s, struct chr *c)
{
	struct rng *r = &c->rng;
	char text[256], name[128];
	uint32_t id;
	const char *who = somebody(s, r, &id);

	linked(r, who, id, name, sizeof name);
	if (strcmp(who, c->name) == 0)
		chat(s, c, 2, "You say, \"%s\"", line_of(r, 's', text, sizeof text));
	else if (rng_percent(r, 40))
		chat(s, c, 2, "%s says, \"%s\"", name, line_of(r, 's', text, sizeof text));
	else if (rng_percent(r, 40))
		chat(s, c, 3, "%s tells you, \"%s\"", name, line_of(r, 'T', text, sizeof text));
	else if (rng_percent(r, 35))
		chat(s, c, 4, "You tell %s, \"%s\"", who, line_of(r, 'T', text, sizeof text));
	else if (rng_percent(r, 70))
		chat(s, c, 19, "[Fellowship] %s says, \"%s\"", name, line_of(r, 'f', text, sizeof text));
	else
		chat(s, c, 18, "[Allegiance] %s says, \"%s\"", name, line_of(r, 'a', text, sizeof text));
}

void
talk_channels(struct sim *s)
{
	static const struct { char letter; int color, percent; const char *name; } channels[] = {
		{ 'g', 27, 60, "General" }, { 't', 28, 22, "Trade" }, { 'l', 29, 12, "LFG" }, { 'r', 30, 6, "Roleplay" },
	};
	struct rng *r = &s->rng;
	char text[256], name[128];
	unsigned i = 0, dice = rng_below(r, 100);
	uint32_t id;
	const char *who = somebody(s, r, &id);

	while (dice >= (unsigned)channels[i].percent)
		dice -= (unsigned)channels[i++].percent;
	linked(r, who, id, name, sizeof name);
	(void)line_of(r, channels[i].letter, text, sizeof text);
	for (unsigned n = 0; n < s->cfg.characters; n++) {
		struct chr *c = &s->chr[n];
		if (c->started == 0 || (i > 0 && c->index % 3 == 0))     /* not everybody listens to all of them */
			continue;
		if (c->id == id)
			chat(s, c, channels[i].color, "[%s] You say, \"%s\"", channels[i].name, text);
		else
			chat(s, c, channels[i].color, "[%s] %s says, \"%s\"", channels[i].name, name, text);
	}
}

void
talk_vortex(struct sim *s)
{
	const struct chr *at = &s->chr[rng_below(&s->rng, s->cfg.characters)];

	for (unsigned n = 0; n < s->cfg.characters; n++) {
		struct chr *c = &s->chr[n];
		if (c->started != 0 && c->in == NULL && world_distance(c->ns, c->ew, at->ns, at->ew) < 30LL * GEO_UDEG)
			chat(s, c, 5, "A whirlwind of vortexes was seen near %s!", world_town(at->ns, at->ew)->name);
	}
}

void
talk_rare(struct sim *s, struct chr *finder, const char *item)
{
	for (unsigned n = 0; n < s->cfg.characters; n++) {
		struct chr *c = &s->chr[n];
		if (c == finder || (c->started != 0 && c->in == finder->in && world_distance(c->ns, c->ew, finder->ns, finder->ew) < 2LL * GEO_UDEG))
			chat(s, c, 5, "%s has discovered the %s!", finder->name, item);
	}
}
