/* Characters, their sessions and monsters: each has a number that rows carry, and a row of its own that is stored with the first of them. */
#include <string.h>

#include "column.h"
#include "telemetry.h"

struct character *
telemetry_character(struct telemetry *t, const struct event *e, enum reason *why)
{
	struct text name;

	*why = REASON_NO_CHARACTER;
	if (e->character_name.kind == EVENT_ABSENT)
		return NULL;
	if (!text_get_name(e->character_name, &name, CHARACTER_MAX_BYTES, why)) {
		if (*why == REASON_NO_NAME)
			*why = REASON_NO_CHARACTER;
		return NULL;
	}
	*why = REASON_TOO_MANY_NAMES;
	return state_character(&t->state, name.p, name.len);
}

struct session *
telemetry_session(struct telemetry *t, struct character *c, const struct incoming *in, struct event_value id)
{
	int64_t at_us = in->own_us != TOTALS_NO_TIME ? in->own_us : in->at_us;
	struct session *s;
	struct text text;

	(void)text_get(id, &text, SESSION_TEXT_MAX);
	s = state_session(&t->state, c, text.p, text.len, at_us);
	if (s != NULL && at_us < s->first_us) {
		s->first_us = at_us;
		state_touch_session(&t->state, s);
	}
	return s;
}

/* Where a row of a name began: behind its other columns, the end of the line too. */
static char *
put_origin(char *p, const struct batch *b)
{
	if (b->journal[0] == '\0') {
		p = put_null(put_null(p));
	} else {
		p = pg_copy_escape(p, b->journal, strlen(b->journal));
		*p++ = '\t';
		p = put_uint(p, b->to);
	}
	p[-1] = '\n';
	return p;
}

void
telemetry_save_character(struct batch *b, struct character *c)
{
	struct name *name = &c->name;
	char *p;

	if (name->saved)
		return;
	name->saved = 1;
	p = batch_row(b, PART_CHARACTERS, 2 * name->len + 2 * JOURNAL_ID_MAX + 64);
	p = put_uint(p, name->id);
	p = pg_copy_escape(p, name->text, name->len);
	*p++ = '\t';
	batch_row_end(b, PART_CHARACTERS, put_origin(p, b));
}

void
telemetry_save_session(struct batch *b, struct session *s)
{
	const char *text = s->name.text + sizeof s->name.id;
	size_t len = s->name.len - sizeof s->name.id;
	char *p;

	if (s->name.saved)
		return;
	s->name.saved = 1;
	p = batch_row(b, PART_SESSIONS, 2 * len + 2 * JOURNAL_ID_MAX + 128);
	p = put_uint(p, s->name.id);
	p = put_uint(p, s->character->name.id);
	p = pg_copy_escape(p, text, len);
	*p++ = '\t';
	p = put_time(p, s->first_us);
	batch_row_end(b, PART_SESSIONS, put_origin(p, b));
}

void
telemetry_save_mob(struct batch *b, struct name *mob)
{
	char *p;

	if (mob->saved)
		return;
	mob->saved = 1;
	p = batch_row(b, PART_MOBS, 2 * mob->len + 32);
	p = put_uint(p, mob->id);
	p = pg_copy_escape(p, mob->text, mob->len);
	*p++ = '\n';
	batch_row_end(b, PART_MOBS, p);
}
