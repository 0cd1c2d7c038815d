#include "column.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "pg/pg.h"

#define NUMBER_MAX 24                /* longer digits are written anew */

/* ---- texts ---- */

size_t
text_whole_characters(const char *s, size_t len, size_t max)
{
	if (len <= max)
		return len;
	for (len = max; len > 0 && ((unsigned char)s[len] & 0xc0) == 0x80; len--)
		;
	return len;
}

int
text_get(struct event_value v, struct text *t, size_t max)
{
	long n;

	t->len = 0;
	if (v.kind == EVENT_NUMBER || (v.kind == EVENT_STRING && !v.escaped)) {
		t->p = v.p;
		t->len = text_whole_characters(v.p, v.len, max);
		return 1;
	}
	if (v.kind != EVENT_STRING)
		return 0;
	t->p = t->room;
	n = event_string(v, t->room, sizeof t->room);
	if (n < 0)
		return 0;                    /* over 1 kB of escapes: nobody's name or state */
	t->len = text_whole_characters(t->room, (size_t)n, max);
	return 1;
}

static void
strip(struct text *t)
{
	while (t->len > 0 && *t->p == ' ')
		t->p++, t->len--;
	while (t->len > 0 && t->p[t->len - 1] == ' ')
		t->len--;
}

int
text_get_name(struct event_value v, struct text *t, size_t max, enum reason *why)
{
	*why = REASON_NO_NAME;
	if (v.kind != EVENT_STRING)
		return 0;
	*why = REASON_BAD_NAME;
	if (!text_get(v, t, sizeof t->room - 1) || t->len > max)
		return 0;
	strip(t);
	for (size_t i = 0; i < t->len; i++)
		if ((unsigned char)t->p[i] < ' ' || t->p[i] == 0x7f)
			return 0;
	*why = REASON_NO_NAME;
	return t->len > 0;
}

/* ---- columns ---- */

char *
put_null(char *p)
{
	memcpy(p, "\\N\t", 3);
	return p + 3;
}

char *
put_uint(char *p, uint64_t n)
{
	char digits[20];
	int i = 0;

	do
		digits[i++] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	while (i > 0)
		*p++ = digits[--i];
	*p++ = '\t';
	return p;
}

char *
put_text(char *p, const struct text *t)
{
	p = pg_copy_escape(p, t->p, t->len);
	*p++ = '\t';
	return p;
}

char *
put_string(char *p, struct event_value v, size_t max)
{
	struct text t;

	return text_get(v, &t, max) ? put_text(p, &t) : put_null(p);
}

char *
put_time(char *p, int64_t us)
{
	p = pg_copy_time(p, us);
	*p++ = '\t';
	return p;
}

int
column_real(struct event_value v, double limit, double *x, int *bad)
{
	if (event_double(v, x) == -1) {
		*bad |= v.kind == EVENT_NUMBER;      /* one that no double holds */
		return 0;
	}
	if (fabs(*x) > limit) {
		*bad = 1;
		return 0;
	}
	if (fabs(*x) < 1e-30)
		*x = 0;
	return 1;
}

/* Digits stand as they were sent where PostgreSQL reads them alike. */
char *
put_real(char *p, struct event_value v, double limit, int *bad)
{
	double x;

	if (!column_real(v, limit, &x, bad))
		return put_null(p);
	if (x == 0) {
		*p++ = '0';
	} else if (v.kind == EVENT_NUMBER && v.len <= NUMBER_MAX) {
		memcpy(p, v.p, v.len);
		p += v.len;
	} else {
		p += snprintf(p, NUMBER_MAX, "%.9g", x);
	}
	*p++ = '\t';
	return p;
}
