/* Values out of rows, and values as text for COPY and for SQL. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "env/env.h"
#include "mem/mem.h"
#include "pg/pg.h"

int64_t
pg_int(const struct pg_row *row, int column, int64_t fallback)
{
	const char *text = pg_text(row, column, NULL);
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	return errno != 0 || end == text || *end != '\0' ? fallback : n;
}

double
pg_double(const struct pg_row *row, int column, double fallback)
{
	const char *text = pg_text(row, column, NULL);
	char *end;
	double n = strtod(text, &end);

	return end == text || *end != '\0' ? fallback : n;
}

int
pg_bool(const struct pg_row *row, int column)
{
	return pg_text(row, column, NULL)[0] == 't';
}

char *
pg_copy_escape(char *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = s[i];
		if (c == '\\' || c == '\n' || c == '\t' || c == '\r') {
			*out++ = '\\';
			c = c == '\n' ? 'n' : c == '\t' ? 't' : c == '\r' ? 'r' : c;
		}
		*out++ = c;
	}
	return out;
}

static char *
digits(char *out, unsigned n, int width)
{
	for (int i = width; i-- > 0; n /= 10)
		out[i] = (char)('0' + n % 10);
	return out + width;
}

/* Days since 1970 to a date, by the 400-year cycle counted from 1 March. */
static char *
put_date(char *out, int64_t day)
{
	int64_t z = day + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
	unsigned doe = (unsigned)(z - era * 146097);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	unsigned month = mp < 10 ? mp + 3 : mp - 9;

	out = digits(out, (unsigned)((int64_t)yoe + era * 400 + (month <= 2)), 4);
	*out++ = '-';
	out = digits(out, month, 2);
	*out++ = '-';
	return digits(out, doy - (153 * mp + 2) / 5 + 1, 2);
}

char *
pg_copy_time(char *out, int64_t us)
{
	static int64_t cached = INT64_MIN;
	static char text[PG_TIME_SIZE];
	int64_t s = us / 1000000 - (us % 1000000 < 0), day = s / 86400 - (s % 86400 < 0);
	unsigned t = (unsigned)(s - day * 86400);

	if (s != cached) {
		char *p = put_date(text, day);
		*p++ = ' ';
		p = digits(p, t / 3600, 2);
		*p++ = ':';
		p = digits(p, t / 60 % 60, 2);
		*p++ = ':';
		(void)digits(p, t % 60, 2);
		cached = s;
	}
	memcpy(out, text, 19);
	out[19] = '.';
	memcpy(digits(out + 20, (unsigned)(us - s * 1000000), 6), "+00", 3);
	return out + 29;
}

int
pg_append_literal(struct buf *b, const char *s, size_t len)
{
	char *start = buf_reserve(b, 2 * len + 4), *p = start;
	int backslash = memchr(s, '\\', len) != NULL;

	if (start == NULL)
		return -1;
	if (backslash)
		*p++ = 'E';
	*p++ = '\'';
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '\'' || s[i] == '\\')
			*p++ = s[i];
		*p++ = s[i];
	}
	*p++ = '\'';
	buf_added(b, (size_t)(p - start));
	return 0;
}

static char *
url_of(const char *setting, const char *database)
{
	const char *url = env_get(setting);

	if (*url != '\0')
		return xstrdup(url);
	return xasprintf("host='%s/pg' dbname=%s user=dereth", env_run_dir(), database);
}

char *
pg_telemetry_url(void)
{
	return url_of("DATABASE_URL", "dereth");
}

char *
pg_inventory_url(void)
{
	return url_of("INVENTORY_DATABASE_URL", "inventory_db");
}
