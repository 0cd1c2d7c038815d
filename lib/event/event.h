/* event: one event is one JSON object; this reads it without building a tree.
 *
 * event_scan is the strict gate that every byte from outside passes before anything else looks at it: RFC 8259, valid UTF-8, nesting up to
 * EVENT_DEPTH_MAX, no NUL (raw or \u0000), no control characters, no lone surrogates, no repeated type, character_name or timestamp.
 * It allocates nothing and keeps pointers into the caller's bytes, which must outlive the struct. */
#ifndef EVENT_H
#define EVENT_H
#include <stddef.h>
#include <stdint.h>

#define EVENT_MAX (16u << 20)                /* bytes of an event as sent */
#define EVENT_STAMP_MAX 80                   /* what a stamp adds at the most */
#define EVENT_LINE_MAX (EVENT_MAX + EVENT_STAMP_MAX)
#define EVENT_DEPTH_MAX 64
#define EVENT_FIELDS_MAX 64                  /* top-level fields that are kept; later ones are found by a second scan */

enum event_error {
	EVENT_OK,
#define EVENT_ERROR(id, word, text) EVENT_##id,
#include "event/event_errors.def"
#undef EVENT_ERROR
	EVENT_ERROR_COUNT
};
const char *event_error_word(enum event_error);    /* "not_json", "bad_utf8": a metric label */
const char *event_error_text(enum event_error);    /* a sentence that says what and what to do */

enum event_kind { EVENT_ABSENT, EVENT_STRING, EVENT_NUMBER, EVENT_OBJECT, EVENT_ARRAY, EVENT_TRUE, EVENT_FALSE, EVENT_NULL };

/* A value as it stands in the line: strings without their quotes but still escaped. */
struct event_value {
	const char *p;
	uint32_t len;
	uint8_t kind;                            /* enum event_kind */
	uint8_t escaped;                         /* a string that holds a backslash */
};

struct event_field {
	const char *key;                         /* without quotes, still escaped */
	uint32_t key_len;
	uint8_t key_escaped;
	struct event_value value;
};

struct event {
	const char *line;
	size_t len;
	struct event_value type, character_name, timestamp;    /* kind EVENT_ABSENT when missing; type is always a non-empty string */
	unsigned n_fields;                       /* all top-level fields, also those over EVENT_FIELDS_MAX */
	unsigned reserved;                       /* how many top-level names begin with '_' */
	size_t error_at;                         /* byte offset of what was wrong */
	uint32_t body, body_end;                 /* offsets of the object: from its '{' to behind its '}' */
	unsigned breaks;                         /* line breaks stand between its tokens */
	struct event_field field[EVENT_FIELDS_MAX];
};

/* Blanks around the object are allowed.  On error only error_at is meaningful.  A line that begins with a stamp may have EVENT_LINE_MAX bytes. */
enum event_error event_scan(const char *line, size_t len, struct event *);
/* The same checks for any JSON value, without what makes it an event. */
enum event_error event_check_json(const char *text, size_t len, size_t *error_at);

/* The field of that name, or an absent value.  Escaped keys are compared unescaped; of equal names the first counts. */
struct event_value event_get(const struct event *, const char *name);
/* The same for an object that is itself a value of a scanned event (event_value of kind EVENT_OBJECT). */
struct event_value event_object_get(struct event_value object, const char *name);
/* The event's own object, for event_next. */
struct event_value event_body(const struct event *);
/* Elements of an array or members of an object value in order: start with *at = 0; returns 0 at the end.  key may be NULL. */
int event_next(struct event_value container, size_t *at, struct event_value *key, struct event_value *value);

/* Does the (string) value equal s? */
int event_value_is(struct event_value, const char *s);

/* Unescaped UTF-8 into out, with a NUL; returns the length, or -1 when it is no string or does not fit in size. */
long event_string(struct event_value, char *out, size_t size);

/* Numbers come as numbers or as decimal strings ("7.0", " 12 ", "1,234").  0, or -1 when absent, null, "", "N/A", "NaN", "∞",
 * not a number, not finite, or of more than 255 characters.  event_int takes a fraction of zero ("7.0") and refuses others, and what is out
 * of int64.  event_bool also takes 0, 1, "True" and "false", as .NET prints them. */
int event_double(struct event_value, double *out);
int event_int(struct event_value, int64_t *out);
int event_bool(struct event_value, int *out);

/* The event's own time, microseconds of wall time; -1 when missing or unreadable. */
int event_time(const struct event *, int64_t *us);
/* What dt-fanout stamped: -1 when the line is not stamped. */
int event_seq(const struct event *, uint64_t *seq);
int event_rx(const struct event *, int64_t *us);

/* The known types (event_types.def), for metric labels and lists: an index from 0, or -1 for an unknown one. */
int event_type_id(struct event_value type);
const char *event_type_name(int id);
int event_type_count(void);
enum event_origin { EVENT_OF_PLUGIN, EVENT_OF_SERVER, EVENT_OF_CONTROL };
enum event_origin event_type_origin(int id);              /* an unknown type (-1) may come from a plugin */
/* Does a type match a subscription word: the type itself, or a prefix with a trailing '*'? */
int event_type_match(const char *word, const char *type, size_t type_len);

/* Writes the event as the stream carries it, without its outer blanks and with line breaks between tokens as blanks, into out
 * (room for len + 1 bytes).  strip leaves out top-level fields: all whose name begins with '_', or only the stream's stamp, _seq and _rx.
 * Returns the length. */
#define EVENT_STRIP_RESERVED 1
#define EVENT_STRIP_STAMP 2
size_t event_write(const struct event *, int strip, char *out);
/* The same with `{"_seq":N,"_rx":"…",` at the front (room for len + EVENT_STAMP_MAX). */
size_t event_write_stamped(const struct event *, uint64_t seq, const char *rx_iso, char *out);

#endif
