/* Snapshots of one session, a line each: whatever is read can be folded, adds nothing when it comes again, and is the same when it was written and read. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "combat/combat.h"
#include "countdown/countdown.h"
#include "event/event.h"
#include "fuzz.h"

static void
on_cell(void *priv, const struct combat_monster *m, unsigned cell, const int64_t n[COMBAT_COUNTERS])
{
	assert(m->name[m->len] == '\0' && *combat_attack_word(cell) && *combat_element_word(cell));
	for (int i = 0; i < COMBAT_COUNTERS; i++)
		assert(n[i] >= 0 && n[i] <= COMBAT_MAX);
	++*(int *)priv;
}

static void
on_monster(void *priv, const struct combat_monster *m, const int64_t n[COMBAT_TALLIES])
{
	(void)m;
	for (int i = 0; i < COMBAT_TALLIES; i++)
		assert(n[i] >= 0 && n[i] <= COMBAT_MAX);
	++*(int *)priv;
}

static void
on_totals(void *priv, const int64_t n[COMBAT_TOTALS])
{
	for (int i = 0; i < COMBAT_TOTALS; i++)
		assert(n[i] >= 0);
	++*(int *)priv;
}

static void
check_written(const struct combat *known)
{
	struct event_value body = { .kind = EVENT_OBJECT };
	struct buf b = BUF_INIT(64u << 20);
	struct combat again;
	const char *why;
	size_t at;

	assert(combat_write(known, &b) == 0);
	body.p = buf_data(&b);
	body.len = (uint32_t)buf_size(&b);
	assert(event_check_json(body.p, body.len, &at) == EVENT_OK);
	combat_init(&again);
	assert(combat_read(&again, body, &why) == 0);
	assert(combat_covers(&again, known) && combat_covers(known, &again));
	combat_fini(&again);
	buf_fini(&b);
}

static void
feed(struct combat *known, const char *line, size_t len, int64_t at_us)
{
	int news = 0;
	struct combat_sink sink = { .cell = on_cell, .monster = on_monster, .totals = on_totals, .priv = &news };
	struct combat c;
	struct event e;
	const char *why;
	enum combat_fold how;

	if (event_scan(line, len, &e) != EVENT_OK)
		return;
	combat_init(&c);
	if (combat_read(&c, event_body(&e), &why) == 0) {
		c.at_us = at_us;
		how = combat_fold(known, &c, &sink);
		assert(news == 0 || (how != COMBAT_OLDER && how != COMBAT_FULL));
		news = 0;
		how = combat_fold(known, &c, &sink);
		assert(how != COMBAT_RESET && (news == 0 || how == COMBAT_FULL));
	}
	combat_fini(&c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data, *end = p + size, *eol;
	struct combat known;
	int64_t at_us = 1;

	(void)countdown_seconds(p, size);
	combat_init(&known);
	for (; p < end; p = eol + 1) {
		eol = memchr(p, '\n', (size_t)(end - p));
		if (eol == NULL)
			eol = end;
		/* a line that begins with a blank is of no known time, one that begins with two of the time before */
		if (eol - p > 1 && p[0] == ' ')
			feed(&known, p, (size_t)(eol - p), p[1] == ' ' ? at_us : COMBAT_NO_TIME);
		else
			feed(&known, p, (size_t)(eol - p), ++at_us);
	}
	check_written(&known);
	combat_fini(&known);
	return 0;
}
