#include "event/event.h"

#include <string.h>

#include "event/scan.h"

static const char *const words[] = { "ok",
#define EVENT_ERROR(id, word, text) word,
#include "event/event_errors.def"
#undef EVENT_ERROR
};
static const char *const texts[] = { "fine",
#define EVENT_ERROR(id, word, text) text,
#include "event/event_errors.def"
#undef EVENT_ERROR
};

const char *
event_error_word(enum event_error e)
{
	return (unsigned)e < EVENT_ERROR_COUNT ? words[e] : "unknown";
}

const char *
event_error_text(enum event_error e)
{
	return (unsigned)e < EVENT_ERROR_COUNT ? texts[e] : "unknown";
}

static const struct event_value absent = { .p = "", .kind = EVENT_ABSENT };

static enum event_error
refuse(struct event *e, const char *at, enum event_error error)
{
	e->error_at = (size_t)(at - e->line);
	return error;
}

/* Which of the three this key names; they are few, and a plain key is told by its length first. */
static struct event_value *
envelope(struct event *e, const struct event_value *key)
{
	if (__builtin_expect(key->escaped, 0)) {
		if (event_value_is(*key, "type"))
			return &e->type;
		if (event_value_is(*key, "character_name"))
			return &e->character_name;
		return event_value_is(*key, "timestamp") ? &e->timestamp : NULL;
	}
	switch (key->len) {
	case 4:
		return memcmp(key->p, "type", 4) == 0 ? &e->type : NULL;
	case 9:
		return memcmp(key->p, "timestamp", 9) == 0 ? &e->timestamp : NULL;
	case 14:
		return memcmp(key->p, "character_name", 14) == 0 ? &e->character_name : NULL;
	default:
		return NULL;
	}
}

/* Takes one member in; 0, or -1 when it repeats an envelope name. */
static int
add_field(struct event *e, const struct event_value *key, const struct event_value *value)
{
	struct event_value *slot = envelope(e, key);
	struct event_field *f;

	if (slot != NULL) {
		if (slot->kind != EVENT_ABSENT)
			return -1;
		*slot = *value;
	}
	e->reserved += (unsigned)scan_reserved(key->p);
	if (e->n_fields < EVENT_FIELDS_MAX) {
		f = &e->field[e->n_fields];
		f->key = key->p;
		f->key_len = key->len;
		f->key_escaped = key->escaped;
		f->value = *value;
	}
	e->n_fields++;
	return 0;
}

static enum event_error
scan_members(struct event *e, struct scan *s, const char *p)
{
	struct event_value key, value;
	const char *at;

	p = scan_blanks(s, p + 1);
	if (p < s->end && *p == '}')
		goto end;
	for (;;) {
		at = p;
		p = scan_key(s, p, &key);
		if (p != NULL)
			p = scan_value(s, p, 1, &value);
		if (p == NULL)
			return refuse(e, s->at, s->error);
		if (add_field(e, &key, &value) != 0)
			return refuse(e, at, EVENT_DUPLICATE);
		p = scan_blanks(s, p);
		if (p < s->end && *p == ',') {
			p = scan_blanks(s, p + 1);
			continue;
		}
		if (p < s->end && *p == '}')
			break;
		(void)scan_unexpected(s, p);
		return refuse(e, s->at, s->error == EVENT_BAD_NUMBER ? EVENT_NOT_JSON : s->error);
	}
end:
	e->body_end = (uint32_t)(p + 1 - e->line);
	e->breaks = s->breaks;
	p = scan_blanks(s, p + 1);
	if (p < s->end)
		return refuse(e, p, *p == '\0' ? EVENT_NUL : EVENT_TRAILING);
	if (e->type.kind != EVENT_STRING || e->type.len == 0)
		return refuse(e, e->type.kind == EVENT_ABSENT ? e->line + e->body : e->type.p, EVENT_NO_TYPE);
	return EVENT_OK;
}

/* Outer blanks, and what is wrong before the first token; *p is there. */
static enum event_error
scan_start(struct scan *s, const char **p)
{
	const char *q = scan_blanks(s, *p);

	if (q >= s->end)
		return EVENT_EMPTY;
	if (s->end - q >= 3 && memcmp(q, "\xef\xbb\xbf", 3) == 0)
		return EVENT_BOM;
	*p = q;
	s->breaks = 0;
	return EVENT_OK;
}

static enum event_error
scan_document(struct scan *s, const char *p)
{
	struct event_value v;

	p = scan_value(s, p, 0, &v);
	if (p == NULL)
		return s->error;
	p = scan_blanks(s, p);
	if (p < s->end) {
		s->at = p;
		return *p == '\0' ? EVENT_NUL : EVENT_TRAILING;
	}
	return EVENT_OK;
}

enum event_error
event_check_json(const char *text, size_t len, size_t *error_at)
{
	struct scan s = { .end = text + len, .at = text };
	const char *p = text;
	enum event_error error;

	error = len > EVENT_LINE_MAX ? EVENT_OVERSIZE : scan_start(&s, &p);
	if (error == EVENT_OK)
		error = scan_document(&s, p);
	*error_at = (size_t)(s.at - text);
	return error;
}

/* A stamped line may be longer than an event as sent, by what the stamp adds. */
static int
is_oversize(const char *line, size_t len)
{
	if (len <= EVENT_MAX)
		return 0;
	return len > EVENT_LINE_MAX || memcmp(line, "{\"_seq\":", 8) != 0;
}

enum event_error
event_scan(const char *line, size_t len, struct event *e)
{
	struct scan s = { .end = line + len, .at = line };
	const char *p = line;
	enum event_error error;

	e->line = line;
	e->len = len;
	e->type = e->character_name = e->timestamp = absent;
	e->n_fields = e->reserved = 0;
	if (is_oversize(line, len))
		return refuse(e, line, EVENT_OVERSIZE);
	error = scan_start(&s, &p);
	if (error != EVENT_OK)
		return refuse(e, line, error);
	e->body = (uint32_t)(p - line);
	if (*p == '{')
		return scan_members(e, &s, p);
	error = scan_document(&s, p);
	return error == EVENT_OK ? refuse(e, p, EVENT_NOT_OBJECT) : refuse(e, s.at, error);
}
