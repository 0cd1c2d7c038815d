#include "countdown/countdown.h"

#include <string.h>
#include <strings.h>

struct text { const char *p, *end; };

static void
blanks(struct text *t)
{
	while (t->p < t->end && (*t->p == ' ' || *t->p == '\t'))
		t->p++;
}

/* A whole number; -1 when there is none, or too large a one. */
static int64_t
number(struct text *t)
{
	const char *start = t->p;
	int64_t n = 0;

	for (; t->p < t->end && *t->p >= '0' && *t->p <= '9'; t->p++)
		if ((n = n * 10 + (*t->p - '0')) > COUNTDOWN_MAX_S)
			return -1;
	return t->p > start ? n : -1;
}

/* Behind the first number n: ":mm" or ":mm:ss". */
static int64_t
clock_form(struct text *t, int64_t n)
{
	int64_t part;
	int parts = 0;

	while (t->p < t->end && *t->p == ':' && parts++ < 2) {
		t->p++;
		part = number(t);
		if (part < 0 || part > 59)
			return -1;
		n = n * 60 + part;
	}
	return t->p == t->end ? n : -1;
}

static int64_t
dotted_days(struct text *t, int64_t days)
{
	int64_t n;

	t->p++;
	n = number(t);
	if (n < 0 || t->p == t->end || *t->p != ':')
		return -1;
	n = clock_form(t, n);
	return n < 0 ? -1 : days * 86400 + n;
}

/* "6d 4h 12m": units from large to small, each once; n is the number in front of the first. */
static int64_t
span_form(struct text *t, int64_t n)
{
	static const struct { char letter; int64_t seconds; } units[] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };
	size_t unit = 0;
	int64_t sum = 0;

	for (;;) {
		blanks(t);
		while (unit < 4 && (t->p == t->end || (*t->p | 0x20) != units[unit].letter))
			unit++;
		if (unit == 4)
			return -1;
		sum += n * units[unit++].seconds;
		t->p++;
		blanks(t);
		if (t->p == t->end)
			return sum;
		n = number(t);
		if (n < 0)
			return -1;
	}
}

int64_t
countdown_seconds(const char *text, size_t len)
{
	struct text t = { text, text + len };
	int64_t n;

	blanks(&t);
	while (t.end > t.p && (t.end[-1] == ' ' || t.end[-1] == '\t'))
		t.end--;
	if (t.end - t.p == 5 && strncasecmp(t.p, "ready", 5) == 0)
		return 0;
	n = number(&t);
	if (n < 0)
		return -1;
	if (t.p == t.end)
		return n;
	n = *t.p == ':' ? clock_form(&t, n) : *t.p == '.' ? dotted_days(&t, n) : span_form(&t, n);
	return n <= COUNTDOWN_MAX_S ? n : -1;
}
