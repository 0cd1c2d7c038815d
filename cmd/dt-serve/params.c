#include "params.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf/buf.h"
#include "clock/clock.h"
#include "pg/pg.h"
#include "stat/stat.h"

#define SECOND_US INT64_C(1000000)
#define refuse(req, ...) ((*stat_cell(STAT_SERVE_REJECTED, "bad_parameter"))++, http_reply_error(req, 400, "bad_parameter", __VA_ARGS__), -1)

int
params_listed(const char *const *names, const char *name)
{
	for (; names != NULL && *names != NULL; names++)
		if (strcmp(*names, name) == 0)
			return 1;
	return 0;
}

int
params_known(struct http_req *req, const char *const *names)
{
	const char *name;
	unsigned i, j;

	for (i = 0; (name = http_req_query_name(req, i)) != NULL; i++) {
		if (!params_listed(names, name))
			return refuse(req, "unknown parameter \"%.64s\"", name);
		for (j = 0; j < i; j++)
			if (strcmp(http_req_query_name(req, j), name) == 0)
				return refuse(req, "parameter \"%s\" is given twice", name);
	}
	return 0;
}

int
params_int(struct http_req *req, const char *name, int64_t min, int64_t max, int64_t fallback, int64_t *out)
{
	const char *text = http_req_query(req, name);
	char *end;

	*out = fallback;
	if (text == NULL)
		return 0;
	errno = 0;
	*out = strtoll(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || *out < min || *out > max)
		return refuse(req, "parameter \"%s\" must be a whole number from %jd to %jd", name, (intmax_t)min, (intmax_t)max);
	return 0;
}

static int
parse_unix(const char *text, int64_t *us)
{
	size_t n = strspn(text, "0123456789.");
	char *end;
	double s;

	if (n == 0 || text[n] != '\0' || n > 20)
		return -1;
	s = strtod(text, &end);
	if (*end != '\0' || s > 253402300799.0)
		return -1;
	*us = (int64_t)(s * 1e6);
	return 0;
}

int
params_time(struct http_req *req, const char *name, int64_t fallback_us, int64_t *out_us)
{
	const char *text = http_req_query(req, name);
	char fixed[64];
	size_t len, i;

	*out_us = fallback_us;
	if (text == NULL || parse_unix(text, out_us) == 0)
		return 0;
	/* A '+' that somebody forgot to escape has come out as a blank: 12:00:00 02:00. */
	len = strlen(text);
	if (len >= sizeof(fixed))
		len = sizeof(fixed) - 1;
	for (i = 0; i < len; i++)
		fixed[i] = text[i] == ' ' && i > 11 ? '+' : text[i];
	if (len == 0 || clock_parse_iso(fixed, len, out_us) == -1 || *out_us < 0)
		return refuse(req, "parameter \"%s\" must be a time since 1970: ISO-8601 or unix seconds", name);
	return 0;
}

int
params_text(struct http_req *req, const char *name, size_t max_bytes, const char **out)
{
	*out = http_req_query(req, name);
	if (*out != NULL && ((*out)[0] == '\0' || strlen(*out) > max_bytes))
		return refuse(req, "parameter \"%s\" must be 1 to %zu bytes of text", name, max_bytes);
	return 0;
}

int
params_seconds(struct http_req *req, const char *name, int64_t *out_s)
{
	const char *text = http_req_query(req, name);
	char *end;
	long n;

	*out_s = 0;
	if (text == NULL)
		return 0;
	n = strtol(text, &end, 10);
	if (*text >= '1' && *text <= '9' && n >= 1 && n <= 1440 && end[0] != '\0' && end[1] == '\0')
		*out_s = *end == 'm' ? n * 60 : *end == 'h' ? n * 3600 : *end == 'd' ? n * 86400 : 0;
	if (*out_s < 60 || *out_s > 86400)
		return refuse(req, "parameter \"%s\" must be a length of time from 1m to 1d, as 1m, 15m, 2h", name);
	return 0;
}

int
params_range(struct http_req *req, int64_t back_us, int64_t now_us, int64_t *from_us, int64_t *to_us)
{
	if (params_time(req, "to", now_us + 300 * SECOND_US, to_us) == -1 || params_time(req, "from", (*to_us < now_us ? *to_us : now_us) - back_us, from_us) == -1)
		return -1;
	return *from_us > *to_us ? refuse(req, "parameter \"from\" must not be after \"to\"") : 0;
}

int
params_word(struct http_req *req, const char *name, const char *const *words, int fallback, int *out)
{
	const char *text = http_req_query(req, name);
	struct buf all = BUF_INIT(1024);
	int i;

	*out = fallback;
	if (text == NULL)
		return 0;
	for (i = 0; words[i] != NULL; i++) {
		if (strcmp(words[i], text) == 0) {
			*out = i;
			buf_fini(&all);
			return 0;
		}
		(void)buf_printf(&all, "%s\"%s\"", i > 0 ? ", " : "", words[i]);
	}
	(void)buf_append(&all, "", 1);
	(void)refuse(req, "parameter \"%s\" must be one of %s", name, buf_data(&all));
	buf_fini(&all);
	return -1;
}

int
params_refuse(struct http_req *req, const char *name, const char *what)
{
	return refuse(req, "parameter \"%s\" must be %s", name, what);
}

int
params_cursor(struct http_req *req, const char *name, int64_t *us, int64_t *id)
{
	const char *text = http_req_query(req, name);
	char tail;

	*us = 0;
	*id = -1;
	if (text == NULL)
		return 0;
	if (text[strspn(text, "0123456789-")] == '\0' && sscanf(text, "%18" SCNd64 "-%18" SCNd64 "%c", us, id, &tail) == 2 && *us >= 0 && *id >= 0)
		return 0;
	return params_refuse(req, name, "the cursor of an earlier answer");
}

const char *
params_time_text(int64_t us, char out[32])
{
	*pg_copy_time(out, us) = '\0';
	return out;
}
