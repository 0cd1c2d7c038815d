#include "state.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mem/mem.h"
#include "pg/pg.h"

#define CHARACTERS_MAX 200000
#define SESSIONS_MAX 2000000
#define MOBS_MAX 200000

void
state_init(struct state *s)
{
	*s = (struct state){ 0 };
	names_init(&s->characters, sizeof(struct character), CHARACTERS_MAX);
	names_init(&s->sessions, sizeof(struct session), SESSIONS_MAX);
	names_init(&s->mobs, sizeof(struct name), MOBS_MAX);
}

void
state_fini(struct state *s)
{
	names_fini(&s->characters);
	names_fini(&s->sessions);
	names_fini(&s->mobs);
	free(s->dirty_character);
	free(s->dirty_session);
	*s = (struct state){ 0 };
}

struct character *
state_load_character(struct state *s, uint32_t id, const char *name, size_t len)
{
	struct character *c = (struct character *)names_add(&s->characters, id, name, len);

	c->telemetry_us = c->spawn_us = INT64_MIN;
	c->tapers = -1;
	c->name.saved = id != 0;
	return c;
}

struct character *
state_character(struct state *s, const char *name, size_t len)
{
	struct name *n = names_get(&s->characters, name, len);

	if (n != NULL)
		return (struct character *)n;
	return names_full(&s->characters) ? NULL : state_load_character(s, 0, name, len);
}

static size_t
session_key(char *out, const struct character *c, const char *text, size_t len)
{
	if (len > SESSION_TEXT_MAX)
		len = SESSION_TEXT_MAX;
	memcpy(out, &c->name.id, sizeof c->name.id);
	memcpy(out + sizeof c->name.id, text, len);
	return sizeof c->name.id + len;
}

struct session *
state_load_session(struct state *s, uint32_t id, struct character *c, const char *text, size_t len)
{
	char key[sizeof c->name.id + SESSION_TEXT_MAX];
	struct session *session = (struct session *)names_add(&s->sessions, id, key, session_key(key, c, text, len));

	session->character = c;
	session->name.saved = id != 0;
	return session;
}

struct session *
state_session(struct state *s, struct character *c, const char *text, size_t len, int64_t at_us)
{
	char key[sizeof c->name.id + SESSION_TEXT_MAX];
	size_t n = session_key(key, c, text, len);
	struct session *session = c->session;

	if (session != NULL && session->name.len == n && memcmp(session->name.text, key, n) == 0)
		return session;
	session = (struct session *)names_get(&s->sessions, key, n);
	if (session == NULL) {
		if (names_full(&s->sessions))
			return NULL;
		session = state_load_session(s, 0, c, text, len);
		session->first_us = at_us;
	}
	c->session = session;
	return session;
}

struct name *
state_mob(struct state *s, const char *name, size_t len)
{
	struct name *n = names_get(&s->mobs, name, len);

	if (n != NULL)
		return n;
	return names_full(&s->mobs) ? NULL : names_add(&s->mobs, 0, name, len);
}

static void
touch(struct name ***list, size_t *n, size_t *cap, struct name *name)
{
	if (name->dirty)
		return;
	name->dirty = 1;
	if (*n == *cap) {
		*cap = *cap ? 2 * *cap : 64;
		*list = xreallocarray(*list, *cap, sizeof **list);
	}
	(*list)[(*n)++] = name;
}

void
state_touch_character(struct state *s, struct character *c)
{
	touch(&s->dirty_character, &s->n_dirty_characters, &s->cap_characters, &c->name);
}

void
state_touch_session(struct state *s, struct session *session)
{
	touch(&s->dirty_session, &s->n_dirty_sessions, &s->cap_sessions, &session->name);
}

static void
put_int(struct buf *b, int64_t n)
{
	(void)buf_printf(b, "%" PRId64, n);
}

/* What is not there is less than 0. */
static void
put_some(struct buf *b, int64_t n)
{
	if (n < 0)
		(void)buf_appends(b, "null");
	else
		put_int(b, n);
}

/* A time of 0 or less is one that was never set. */
static void
put_time(struct buf *b, int64_t us)
{
	char text[PG_TIME_SIZE];

	if (us <= 0) {
		(void)buf_appends(b, "null");
		return;
	}
	(void)buf_append(b, "\"", 1);
	(void)buf_append(b, text, (size_t)(pg_copy_time(text, us) - text));
	(void)buf_append(b, "\"", 1);
}

#define ARRAY(list, n, type, put, value) do { \
	(void)buf_appends(b, "'{"); \
	for (size_t i = 0; i < (n); i++) { \
		const struct type *it = (const struct type *)(list)[i]; \
		if (i > 0) \
			(void)buf_append(b, ",", 1); \
		put(b, value); \
	} \
	(void)buf_appends(b, "}'"); \
} while (0)
#define COMMA (void)buf_append(b, ",", 1)

static void
save_characters(struct state *s, struct buf *b)
{
	struct name **list = s->dirty_character;
	size_t n = s->n_dirty_characters;

	(void)buf_appends(b, "select dt.save_characters(");
	ARRAY(list, n, character, put_int, it->name.id);
	COMMA;
	ARRAY(list, n, character, put_int, it->total_kills);
	COMMA;
	ARRAY(list, n, character, put_int, it->deaths.total);
	COMMA;
	ARRAY(list, n, character, put_time, it->deaths.at_us);
	COMMA;
	ARRAY(list, n, character, put_time, it->telemetry_us);
	COMMA;
	ARRAY(list, n, character, put_time, it->spawn_us);
	COMMA;
	ARRAY(list, n, character, put_some, it->current > 0 ? (int64_t)it->current : -1);
	COMMA;
	ARRAY(list, n, character, put_time, it->current_us);
	COMMA;
	ARRAY(list, n, character, put_some, it->tapers);
	COMMA;
	ARRAY(list, n, character, put_time, it->tapers_us);
	(void)buf_appends(b, ");");
}

static void
save_sessions(struct state *s, struct buf *b)
{
	struct name **list = s->dirty_session;
	size_t n = s->n_dirty_sessions;

	(void)buf_appends(b, "select dt.save_sessions(");
	ARRAY(list, n, session, put_int, it->name.id);
	COMMA;
	ARRAY(list, n, session, put_time, it->first_us);
	COMMA;
	ARRAY(list, n, session, put_time, it->kills.at_us);
	COMMA;
	ARRAY(list, n, session, put_int, it->kills.value);
	COMMA;
	ARRAY(list, n, session, put_int, it->deaths.value);
	COMMA;
	ARRAY(list, n, session, put_time, it->deaths.at_us);
	COMMA;
	ARRAY(list, n, session, put_int, it->kills_sum);
	COMMA;
	ARRAY(list, n, session, put_int, it->deaths_sum);
	(void)buf_appends(b, ");");
}

void
state_save(struct state *s, struct buf *sql)
{
	if (s->n_dirty_characters > 0)
		save_characters(s, sql);
	if (s->n_dirty_sessions > 0)
		save_sessions(s, sql);
	for (size_t i = 0; i < s->n_dirty_characters; i++)
		s->dirty_character[i]->dirty = 0;
	for (size_t i = 0; i < s->n_dirty_sessions; i++)
		s->dirty_session[i]->dirty = 0;
	s->n_dirty_characters = s->n_dirty_sessions = 0;
}
