/* scan: the JSON grammar as functions over bytes, shared by the files of lib/event.
 * Every function takes where it stands and returns where the token ends, or NULL with error and at set. */
#ifndef EVENT_SCAN_H
#define EVENT_SCAN_H
#include <strings.h>

#include "event/event.h"

struct scan {
	const char *end;
	const char *at;                          /* what was wrong */
	enum event_error error;
	unsigned breaks;                         /* a line break was seen between tokens */
};

const char *scan_blanks_slow(struct scan *, const char *p);
/* p is at the value's first byte; depth is how many containers are open around it.  Fills the value. */
const char *scan_value(struct scan *, const char *p, unsigned depth, struct event_value *);
/* p is at a member's key; returns where its value begins.  Key without quotes as a string value. */
const char *scan_key(struct scan *, const char *p, struct event_value *key);
const char *scan_unexpected(struct scan *, const char *p);

static inline const char *
scan_blanks(struct scan *s, const char *p)
{
	if (p < s->end && (unsigned char)*p > ' ')
		return p;
	return scan_blanks_slow(s, p);
}

/* Is the name (at its first byte, the closing quote follows it) one of ours? */
static inline int
scan_reserved(const char *key)
{
	return *key == '_' || (*key == '\\' && strncasecmp(key, "\\u005f", 6) == 0);
}

/* One escape sequence of a gated string, *p at the backslash: its UTF-8 into out, the length, *p behind it. */
unsigned scan_unescape(const char **p, char out[4]);

#endif
