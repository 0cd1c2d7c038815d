#include "pick/pick.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/bus_match.h"
#include "clock/clock.h"
#include "event/event.h"
#include "mem/mem.h"
#include "opt/opt.h"

#define WORDS_MAX 256

int
pick_words_add(struct pick_words *w, const char *commas)
{
	size_t len;

	for (;; commas += len + 1) {
		len = strcspn(commas, ",");
		if (len == 0 || w->n == WORDS_MAX)
			return -1;
		w->word = xreallocarray(w->word, w->n + 2, sizeof(*w->word));
		w->word[w->n++] = xstrndup(commas, len);
		w->word[w->n] = NULL;
		if (commas[len] == '\0')
			return 0;
	}
}

void
pick_words_free(struct pick_words *w)
{
	size_t i;

	for (i = 0; i < w->n; i++)
		free(w->word[i]);
	free(w->word);
	*w = (struct pick_words){ 0 };
}

void
pick_free(struct pick *pick)
{
	pick_words_free(&pick->types);
	pick_words_free(&pick->characters);
	bus_match_free(&pick->match);
}

int
pick_position_parse(const char *text, int64_t now_us, struct pick_position *p)
{
	char *end;

	*p = (struct pick_position){ .kind = PICK_EARLIEST };
	if (strcmp(text, "earliest") == 0)
		return 0;
	if (text[0] != '\0' && text[strspn(text, "0123456789")] == '\0') {
		errno = 0;
		p->kind = PICK_SEQ;
		p->seq = strtoull(text, &end, 10);
		return errno == 0 && p->seq < UINT64_C(1000000000000000000) ? 0 : -1;
	}
	p->kind = PICK_TIME;
	return clock_parse_human(text, now_us, &p->us);
}

char *
pick_position_text(const struct pick_position *p)
{
	char iso[CLOCK_ISO_SIZE];

	switch (p->kind) {
	case PICK_SEQ:
		return xasprintf("%ju", (uintmax_t)p->seq);
	case PICK_TIME:
		(void)clock_format_iso(p->us, iso);
		return xstrdup(iso);
	case PICK_EARLIEST:
		return xstrdup("earliest");
	default:
		return NULL;
	}
}

int
pick_matches(struct pick *pick, const struct event *e)
{
	if (pick->types.n == 0 && pick->characters.n == 0)
		return 1;
	if (pick->match == NULL)
		pick->match = bus_match_new((const char *const *)pick->types.word, (const char *const *)pick->characters.word);
	return bus_match_line(pick->match, e->line, e->len);
}

int
pick_time(const struct event *e, int64_t *us)
{
	return event_rx(e, us) == 0 || event_time(e, us) == 0 ? 0 : -1;
}

/* Where the event lies to the position: -1, 0 or 1; 0 when it cannot be told. */
static int
compare(const struct event *e, uint64_t line, const struct pick_position *p)
{
	uint64_t seq;
	int64_t us;

	switch (p->kind) {
	case PICK_SEQ:
		if (event_seq(e, &seq) == -1)
			seq = line;
		return seq < p->seq ? -1 : seq > p->seq;
	case PICK_TIME:
		return pick_time(e, &us) == -1 ? 0 : us < p->us ? -1 : us > p->us;
	default:
		return 0;
	}
}

int
pick_range(const struct pick *pick, const struct event *e, uint64_t line)
{
	if (pick->from.kind != PICK_NONE && compare(e, line, &pick->from) < 0)
		return -1;
	if (pick->to.kind != PICK_NONE && pick->to.kind != PICK_EARLIEST && compare(e, line, &pick->to) > 0)
		return 1;
	return 0;
}

void
pick_words_option(const char *option, struct pick_words *words, const char *arg)
{
	if (pick_words_add(words, arg) == -1)
		opt_usage("%s: '%s' is not a list such as one,two,three*", option, arg);
}

void
pick_position_option(const char *option, struct pick_position *position, const char *arg)
{
	if (pick_position_parse(arg, clock_wall_us(), position) == -1)
		opt_usage("%s: '%s' is no _seq, time, -15m or earliest", option, arg);
}
