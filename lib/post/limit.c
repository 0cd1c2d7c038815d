/* Rate limits as Discord and others say them in headers and bodies; what cannot be read was not said. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "json/json.h"
#include "post/internal.h"

#define LONGEST_MS 86400000

void
post_limits_init(struct post_limits *l)
{
	*l = (struct post_limits){ .retry_after_ms = -1, .reset_after_ms = -1, .remaining = -1, .date_s = -1, .reset_at_ms = -1 };
}

/* Seconds with a fraction as milliseconds, rounded up; -1 when it is no such number. */
static int64_t
seconds(const char *text)
{
	char *end;
	double s = strtod(text, &end);

	if (end == text || *end != '\0' || !isfinite(s) || s < 0 || strpbrk(text, "xXnN") != NULL)
		return -1;
	return s > LONGEST_MS / 1000 ? LONGEST_MS : (int64_t)ceil(s * 1000);
}

static int64_t
date(const char *text)
{
	time_t t = curl_getdate(text, NULL);

	return t < 0 ? -1 : (int64_t)t;
}

static void
retry_after(struct post_limits *l, const char *value)
{
	int64_t ms = seconds(value);

	if (ms >= 0)
		l->retry_after_ms = ms;
	else
		(void)snprintf(l->retry_date, sizeof l->retry_date, "%s", value);
}

static void
set(struct post_limits *l, const char *name, const char *value)
{
	char *end;

	if (strcasecmp(name, "retry-after") == 0)
		retry_after(l, value);
	else if (strcasecmp(name, "date") == 0)
		l->date_s = date(value);
	else if (strcasecmp(name, "x-ratelimit-reset-after") == 0)
		l->reset_after_ms = seconds(value);
	else if (strcasecmp(name, "x-ratelimit-remaining") == 0) {
		long long n = strtoll(value, &end, 10);
		l->remaining = end == value || *end != '\0' || n < 0 ? -1 : n;
	} else if (strcasecmp(name, "x-ratelimit-reset") == 0) {
		double s = strtod(value, &end);
		l->reset_at_ms = end == value || *end != '\0' || !(s > 0 && s < 1e11) ? -1 : (int64_t)ceil(s * 1000);
	} else if (strcasecmp(name, "x-ratelimit-global") == 0)
		l->global = strcasecmp(value, "true") == 0;
	else if (strcasecmp(name, "x-ratelimit-scope") == 0) {
		l->shared = strcasecmp(value, "shared") == 0;
		l->global |= strcasecmp(value, "global") == 0;
	} else if (strcasecmp(name, "x-ratelimit-bucket") == 0)
		(void)snprintf(l->bucket, sizeof l->bucket, "%s", value);
}

void
post_limits_header(struct post_limits *l, const char *line, size_t len)
{
	char text[256], *value, *end;

	if (len >= 5 && strncasecmp(line, "HTTP/", 5) == 0) {    /* what came before was an interim answer */
		post_limits_init(l);
		return;
	}
	if (len >= sizeof text)
		return;
	memcpy(text, line, len);
	text[len] = '\0';
	if ((value = strchr(text, ':')) == NULL)
		return;
	*value++ = '\0';
	value += strspn(value, " \t");
	for (end = value + strlen(value); end > value && isspace((unsigned char)end[-1]);)
		*--end = '\0';
	set(l, text, value);
}

void
post_limits_body(struct post_limits *l, const char *body, size_t len)
{
	const char *why;
	struct json *j = json_parse(body, len, &why);
	double s;

	if (j == NULL)
		return;
	s = json_num(j, "retry_after", -1);
	if (isfinite(s) && s >= 0) {
		int64_t ms = s > LONGEST_MS / 1000 ? LONGEST_MS : (int64_t)ceil(s * 1000);
		if (ms > l->retry_after_ms)
			l->retry_after_ms = ms;
	}
	l->global |= json_bool(j, "global", 0);
	json_free(&j);
}

static int64_t
at_most(int64_t ms)
{
	return ms < 0 ? 0 : ms > LONGEST_MS ? LONGEST_MS : ms;
}

int64_t
post_limits_wait(const struct post_limits *l, int64_t wall_ms)
{
	int64_t ms = l->retry_after_ms, at = l->retry_date[0] ? date(l->retry_date) : -1;

	if (at >= 0) {           /* by the other side's clock, where it says what that is */
		int64_t by_date = at_most(at * 1000 - (l->date_s >= 0 ? l->date_s * 1000 : wall_ms));
		if (by_date > ms)
			ms = by_date;
	}
	return ms >= 0 ? ms : l->reset_after_ms >= 0 ? l->reset_after_ms : l->reset_at_ms >= 0 ? at_most(l->reset_at_ms - wall_ms) : -1;
}

int64_t
post_limits_empty(const struct post_limits *l, int64_t wall_ms)
{
	if (l->remaining != 0)
		return 0;
	return l->reset_after_ms >= 0 ? l->reset_after_ms : l->reset_at_ms >= 0 ? at_most(l->reset_at_ms - wall_ms) : 0;
}
