/* Reading what event_scan found: fields, members, strings, numbers, times. */
#include "event/event.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock/clock.h"
#include "event/scan.h"

#define NUMBER_TEXT_MAX 255      /* a longer text is no number to us */

static const struct event_value absent = { .p = "", .kind = EVENT_ABSENT };

/* A byte of a gated string, or what an escape sequence stands for; how many bytes, *p behind it. */
static unsigned
next_bytes(const char **p, char utf8[4])
{
	if (**p == '\\')
		return scan_unescape(p, utf8);
	utf8[0] = *(*p)++;
	return 1;
}

int
event_value_is(struct event_value v, const char *s)
{
	const char *p = v.p, *end = v.p + v.len;
	size_t len = strlen(s);
	char utf8[4];
	unsigned n;

	if (v.kind != EVENT_STRING)
		return 0;
	if (!v.escaped)
		return v.len == len && memcmp(v.p, s, len) == 0;
	while (p < end) {
		n = next_bytes(&p, utf8);
		if (n > len || memcmp(s, utf8, n) != 0)
			return 0;
		s += n;
		len -= n;
	}
	return len == 0;
}

int
event_next(struct event_value container, size_t *at, struct event_value *key, struct event_value *value)
{
	struct scan s = { .end = container.p + container.len };
	const char *p = container.p + *at;
	struct event_value k = absent;

	if (container.kind != EVENT_OBJECT && container.kind != EVENT_ARRAY)
		return 0;
	if (*at == 0)
		p++;
	p = scan_blanks(&s, p);
	if (p >= s.end || *p == '}' || *p == ']')
		return 0;
	if (*p == ',')
		p = scan_blanks(&s, p + 1);
	if (container.kind == EVENT_OBJECT)
		p = scan_key(&s, p, &k);
	if (p != NULL)
		p = scan_value(&s, p, 1, value);
	if (p == NULL)
		return 0;
	if (key != NULL)
		*key = k;
	*at = (size_t)(p - container.p);
	return 1;
}

static struct event_value
find_from(struct event_value object, size_t at, const char *name)
{
	struct event_value key, value;

	while (event_next(object, &at, &key, &value))
		if (event_value_is(key, name))
			return value;
	return absent;
}

struct event_value
event_object_get(struct event_value object, const char *name)
{
	return object.kind == EVENT_OBJECT ? find_from(object, 0, name) : absent;
}

struct event_value
event_body(const struct event *e)
{
	return (struct event_value){ .p = e->line + e->body, .len = e->body_end - e->body, .kind = EVENT_OBJECT };
}

struct event_value
event_get(const struct event *e, const char *name)
{
	unsigned i, n = e->n_fields < EVENT_FIELDS_MAX ? e->n_fields : EVENT_FIELDS_MAX;
	size_t len = strlen(name);
	const struct event_field *f;

	for (i = 0; i < n; i++) {
		f = &e->field[i];
		if (!f->key_escaped) {
			if (f->key_len == len && memcmp(f->key, name, len) == 0)
				return f->value;
		} else if (event_value_is((struct event_value){ f->key, f->key_len, EVENT_STRING, 1 }, name)) {
			return f->value;
		}
	}
	if (n == e->n_fields)
		return absent;
	f = &e->field[n - 1];
	return find_from(event_body(e), (size_t)(f->value.p + f->value.len + (f->value.kind == EVENT_STRING) - e->line) - e->body, name);
}

long
event_string(struct event_value v, char *out, size_t size)
{
	const char *p = v.p, *end = v.p + v.len;
	size_t len = 0;
	char utf8[4];
	unsigned n;

	if (v.kind != EVENT_STRING || size == 0)
		return -1;
	if (!v.escaped) {
		if (v.len >= size)
			return -1;
		memcpy(out, v.p, v.len);
		out[v.len] = '\0';
		return v.len;
	}
	while (p < end) {
		n = next_bytes(&p, utf8);
		if (len + n >= size)
			return -1;
		memcpy(out + len, utf8, n);
		len += n;
	}
	out[len] = '\0';
	return (long)len;
}

/* ---- numbers ---- */

struct decimal {                         /* (-1)^negative * digits * 10^exponent */
	int negative;
	unsigned n;
	int exponent;
	char digits[NUMBER_TEXT_MAX + 1];
};

static int
is_digit(char c)
{
	return (unsigned char)(c - '0') < 10;
}

/* Commas must part groups of three, as .NET writes them: "1,23" is somebody's decimal comma and no number here. */
static int
group_ok(const char *comma, const char *end)
{
	return end - comma > 3 && is_digit(comma[1]) && is_digit(comma[2]) && is_digit(comma[3]) && (end - comma == 4 || !is_digit(comma[4]));
}

static void
push_digit(struct decimal *d, char c)
{
	if (d->n > 0 || c != '0')
		d->digits[d->n++] = c;
}

static int
parse_exponent(struct decimal *d, const char *p, const char *end)
{
	int negative = 0, exponent = 0;

	if (p < end && (*p == '+' || *p == '-'))
		negative = *p++ == '-';
	if (p == end)
		return -1;
	for (; p < end; p++) {
		if (!is_digit(*p))
			return -1;
		if (exponent < 100000)
			exponent = exponent * 10 + (*p - '0');
	}
	d->exponent += negative ? -exponent : exponent;
	return 0;
}

static int
parse_decimal(struct decimal *d, const char *p, const char *end)
{
	const char *start;
	int some = 0, commas = 0;

	d->negative = d->exponent = 0;
	d->n = 0;
	if (p < end && (*p == '-' || *p == '+'))
		d->negative = *p++ == '-';
	for (start = p; p < end && (is_digit(*p) || *p == ','); p++) {
		if (*p == ',') {
			if (p == start || (!commas && p - start > 3) || !group_ok(p, end))
				return -1;
			commas = 1;
			continue;
		}
		push_digit(d, *p);
		some = 1;
	}
	if (p < end && *p == '.') {
		for (p++; p < end && is_digit(*p); p++) {
			push_digit(d, *p);
			d->exponent--;
			some = 1;
		}
	}
	if (!some)
		return -1;
	if (p < end && (*p | 0x20) == 'e')
		return parse_exponent(d, p + 1, end);
	return p == end ? 0 : -1;
}

static int
get_decimal(struct event_value v, struct decimal *d)
{
	char text[NUMBER_TEXT_MAX + 1];
	const char *p = v.p, *end;
	long len = v.len;

	if (v.kind == EVENT_STRING) {
		if (v.escaped) {
			len = event_string(v, text, sizeof text);
			p = text;
		}
	} else if (v.kind != EVENT_NUMBER) {
		return -1;
	}
	if (len < 0 || len > NUMBER_TEXT_MAX)
		return -1;
	for (end = p + len; p < end && (*p == ' ' || *p == '\t'); p++)
		;
	while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	return parse_decimal(d, p, end);
}

/* strtod would read "1,5" under a locale with decimal commas; this one does not. */
static double
slow_double(const struct decimal *d)
{
	static locale_t c_locale;
	char text[NUMBER_TEXT_MAX + 16];

	if (c_locale == (locale_t)0)
		c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	memcpy(text, d->digits, d->n);
	text[d->n] = 'e';
	snprintf(text + d->n + 1, sizeof text - d->n - 1, "%d", d->exponent);
	return c_locale == (locale_t)0 ? strtod(text, NULL) : strtod_l(text, NULL, c_locale);
}

int
event_double(struct event_value v, double *out)
{
	static const double tens[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
		1e19, 1e20, 1e21, 1e22 };
	struct decimal d;
	uint64_t m = 0;
	unsigned i;
	double x;

	if (get_decimal(v, &d) != 0)
		return -1;
	/* Both factors are exact doubles then, so the result is the nearest one. */
	if (d.n <= 15 && d.exponent >= -22 && d.exponent <= 22) {
		for (i = 0; i < d.n; i++)
			m = m * 10 + (uint64_t)(d.digits[i] - '0');
		x = d.exponent < 0 ? (double)m / tens[-d.exponent] : (double)m * tens[d.exponent];
	} else {
		x = d.n ? slow_double(&d) : 0.0;
	}
	if (!isfinite(x))
		return -1;
	*out = d.negative ? -x : x;
	return 0;
}

int
event_int(struct event_value v, int64_t *out)
{
	struct decimal d;
	uint64_t m = 0;
	unsigned i;

	if (get_decimal(v, &d) != 0)
		return -1;
	while (d.n > 0 && d.exponent < 0 && d.digits[d.n - 1] == '0') {
		d.n--;
		d.exponent++;
	}
	if (d.n == 0) {
		*out = 0;
		return 0;
	}
	if (d.exponent < 0 || d.n > 19 || d.exponent > 18)
		return -1;
	for (i = 0; i < d.n; i++)
		m = m * 10 + (uint64_t)(d.digits[i] - '0');
	for (; d.exponent > 0; d.exponent--)
		if (__builtin_mul_overflow(m, (uint64_t)10, &m))
			return -1;
	if (m > (uint64_t)INT64_MAX + (uint64_t)d.negative)
		return -1;
	*out = d.negative ? (int64_t)(0 - m) : (int64_t)m;
	return 0;
}

int
event_bool(struct event_value v, int *out)
{
	int64_t n;

	if (v.kind == EVENT_TRUE || v.kind == EVENT_FALSE)
		*out = v.kind == EVENT_TRUE;
	else if (v.kind == EVENT_STRING && v.len == 4 && strncasecmp(v.p, "true", 4) == 0)
		*out = 1;
	else if (v.kind == EVENT_STRING && v.len == 5 && strncasecmp(v.p, "false", 5) == 0)
		*out = 0;
	else if (event_int(v, &n) == 0 && (n == 0 || n == 1))
		*out = (int)n;
	else
		return -1;
	return 0;
}

/* ---- times and stamps ---- */

static int
get_time(struct event_value v, int64_t *us)
{
	char text[64];
	long len = event_string(v, text, sizeof text);

	return len < 0 ? -1 : clock_parse_iso(text, (size_t)len, us);
}

int
event_time(const struct event *e, int64_t *us)
{
	return get_time(e->timestamp, us);
}

int
event_seq(const struct event *e, uint64_t *seq)
{
	struct event_value v = event_get(e, "_seq");
	int64_t n;

	if (v.kind != EVENT_NUMBER || event_int(v, &n) != 0 || n < 0)
		return -1;
	*seq = (uint64_t)n;
	return 0;
}

int
event_rx(const struct event *e, int64_t *us)
{
	return get_time(event_get(e, "_rx"), us);
}
