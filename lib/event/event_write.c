/* An event as a line of the stream. */
#include "event/event.h"

#include <string.h>

#include "event/scan.h"

/* In a gated text raw line breaks stand only between tokens. */
static void
breaks_to_blanks(char *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i] == '\n' || p[i] == '\r')
			p[i] = ' ';
}

static size_t
copy(const struct event *e, const char *from, size_t len, char *out)
{
	memcpy(out, from, len);
	if (e->breaks)
		breaks_to_blanks(out, len);
	return len;
}

static int
is_stamp(const struct event_value *name)
{
	return event_value_is(*name, "_seq") || event_value_is(*name, "_rx");
}

/* The text between two commas of the object stays or goes as a whole, its blanks included. */
static size_t
write_stripped(const struct event *e, int strip, char *out)
{
	const char *p = e->line + e->body + 1, *end = e->line + e->body_end, *key, *q;
	struct scan s = { .end = end };
	struct event_value name, value;
	char *o = out;

	*o++ = '{';
	for (; p < end; p = q + 1) {
		key = scan_blanks(&s, p);
		q = scan_key(&s, key, &name);
		q = scan_value(&s, q, 1, &value);
		q = scan_blanks(&s, q);
		if (strip == EVENT_STRIP_STAMP ? is_stamp(&name) : scan_reserved(name.p))
			continue;
		if (o - out > 1)
			*o++ = ',';
		o += copy(e, p, (size_t)(q - p), o);
	}
	*o++ = '}';
	return (size_t)(o - out);
}

size_t
event_write(const struct event *e, int strip, char *out)
{
	if (strip && e->reserved > 0)
		return write_stripped(e, strip, out);
	return copy(e, e->line + e->body, e->body_end - e->body, out);
}

static char *
put(char *o, const char *s)
{
	size_t len = strlen(s);

	memcpy(o, s, len);
	return o + len;
}

static char *
put_number(char *o, uint64_t n)
{
	char digits[20];
	unsigned i = sizeof digits;

	do
		digits[--i] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	memcpy(o, digits + i, sizeof digits - i);
	return o + (sizeof digits - i);
}

size_t
event_write_stamped(const struct event *e, uint64_t seq, const char *rx_iso, char *out)
{
	char *o = out;

	o = put(o, "{\"_seq\":");
	o = put_number(o, seq);
	o = put(o, ",\"_rx\":\"");
	o = put(o, rx_iso);
	o = put(o, "\",");
	o += copy(e, e->line + e->body + 1, e->body_end - e->body - 1, o);
	return (size_t)(o - out);
}
