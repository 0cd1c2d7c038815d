#include "clock/clock.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define US 1000000LL
#define FIRST_SECOND (-62167219200LL)    /* 0000-01-01T00:00:00Z */
#define LAST_SECOND 253402300799LL       /* 9999-12-31T23:59:59Z */

int64_t
clock_mono_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
clock_wall_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * US + ts.tv_nsec / 1000;
}

size_t
clock_format_iso(int64_t us, char out[CLOCK_ISO_SIZE])
{
	static time_t cached = -1;
	static char text[CLOCK_ISO_SIZE];
	int64_t s = us / US - (us % US < 0), frac = us - s * US;

	if (s < FIRST_SECOND)
		s = FIRST_SECOND, frac = 0;
	if (s > LAST_SECOND)
		s = LAST_SECOND, frac = US - 1;
	if ((time_t)s != cached) {
		time_t t = (time_t)s;
		struct tm tm;
		(void)gmtime_r(&t, &tm);
		(void)snprintf(text, sizeof text, "%04u-%02u-%02uT%02u:%02u:%02u.000Z", (unsigned)(tm.tm_year + 1900) % 10000U,
		    (unsigned)(tm.tm_mon + 1) % 100U, (unsigned)tm.tm_mday % 100U, (unsigned)tm.tm_hour % 100U,
		    (unsigned)tm.tm_min % 100U, (unsigned)tm.tm_sec % 100U);
		cached = t;
	}
	memcpy(out, text, 25);
	out[20] = (char)('0' + frac / 100000);
	out[21] = (char)('0' + frac / 10000 % 10);
	out[22] = (char)('0' + frac / 1000 % 10);
	return 24;
}

/* Days since 1970 of a date in the Gregorian calendar (shift the year to begin in March, count 400-year cycles). */
static int64_t
days_of(int y, int m, int d)
{
	int64_t year = m <= 2 ? y - 1 : y, era = (year >= 0 ? year : year - 399) / 400, yoe = year - era * 400;
	int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

struct scan { const char *p, *end; };

static int
digits(struct scan *s, int n, int *out)
{
	*out = 0;
	for (int i = 0; i < n; i++, s->p++) {
		if (s->p == s->end || *s->p < '0' || *s->p > '9')
			return -1;
		*out = *out * 10 + (*s->p - '0');
	}
	return 0;
}

static int
accept(struct scan *s, char c)
{
	if (s->p == s->end || *s->p != c)
		return 0;
	s->p++;
	return 1;
}

static int
month_days(int y, int m)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return m == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) ? 29 : days[m - 1];
}

static int
parse_date(struct scan *s, int64_t *day)
{
	int y, m, d;

	if (digits(s, 4, &y) || !accept(s, '-') || digits(s, 2, &m) || !accept(s, '-') || digits(s, 2, &d))
		return -1;
	if (m < 1 || m > 12 || d < 1 || d > month_days(y, m))
		return -1;
	*day = days_of(y, m, d);
	return 0;
}

static int
parse_fraction(struct scan *s, int64_t *us)
{
	int64_t unit = US / 10, n = 0;

	*us = 0;
	if (!accept(s, '.') && !accept(s, ','))
		return 0;
	for (; s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++, n++, unit /= 10)
		*us += (*s->p - '0') * unit;
	return n >= 1 && n <= 9 ? 0 : -1;
}

static int
parse_zone(struct scan *s, int64_t *offset_s)
{
	int sign, h, m = 0;

	*offset_s = 0;
	if (s->p == s->end || accept(s, 'Z') || accept(s, 'z'))
		return 0;
	if (*s->p != '+' && *s->p != '-')
		return -1;
	sign = *s->p++ == '-' ? -1 : 1;
	if (digits(s, 2, &h))
		return -1;
	if (s->p < s->end && (accept(s, ':'), digits(s, 2, &m)))
		return -1;
	if (h > 23 || m > 59)
		return -1;
	*offset_s = sign * (h * 3600 + m * 60);
	return 0;
}

int
clock_parse_iso(const char *text, size_t len, int64_t *us)
{
	struct scan s = { text, text + len };
	int64_t day, frac = 0, offset;
	int h, m, sec = 0;

	while (s.p < s.end && isspace((unsigned char)*s.p))
		s.p++;
	while (s.end > s.p && isspace((unsigned char)s.end[-1]))
		s.end--;
	if (parse_date(&s, &day) || (!accept(&s, 'T') && !accept(&s, 't') && !accept(&s, ' ')))
		return -1;
	if (digits(&s, 2, &h) || !accept(&s, ':') || digits(&s, 2, &m))
		return -1;
	if (accept(&s, ':') && (digits(&s, 2, &sec) || parse_fraction(&s, &frac)))
		return -1;
	if (h > 23 || m > 59 || sec > 60 || parse_zone(&s, &offset) || s.p != s.end)
		return -1;
	*us = (day * 86400 + h * 3600 + m * 60 + sec - offset) * US + frac;
	return 0;
}

static int64_t
span_us(char unit)
{
	switch (unit) {
	case 's': return US;
	case 'm': return 60 * US;
	case 'h': return 3600 * US;
	case 'd': return 86400 * US;
	default: return 0;
	}
}

int
clock_parse_human(const char *s, int64_t now_us, int64_t *us)
{
	size_t len = strlen(s);
	struct scan scan = { s, s + len };
	char *end;
	double n;

	if (strcmp(s, "now") == 0) {
		*us = now_us;
		return 0;
	}
	if (clock_parse_iso(s, len, us) == 0)
		return 0;
	if (parse_date(&scan, us) == 0 && scan.p == scan.end) {
		*us *= 86400 * US;
		return 0;
	}
	if (len == 0 || !strchr("-.0123456789", s[0]))
		return -1;
	errno = 0;
	n = strtod(s, &end);
	if (end == s || errno != 0 || !(n > -1e11 && n < 1e11))
		return -1;
	if (s[0] == '-' && end[0] != '\0' && end[1] == '\0' && span_us(end[0]) != 0) {
		*us = now_us + (int64_t)(n * (double)span_us(end[0]));
		return 0;
	}
	if (*end != '\0' || s[0] == '-')
		return -1;
	*us = (int64_t)(n * (double)US);
	return 0;
}
