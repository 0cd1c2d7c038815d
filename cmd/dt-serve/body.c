#include "body.h"

#include <string.h>
#include <strings.h>

#include "origin.h"
#include "params.h"
#include "stat/stat.h"

static int
has_type(const struct http_req *req, const char *name)
{
	const char *type = http_req_header(req, "content-type");
	size_t n = strlen(name);

	return type != NULL && strncasecmp(type, name, n) == 0 && (type[n] == '\0' || type[n] == ';' || type[n] == ' ');
}

int
body_is_json(const struct http_req *req)
{
	return has_type(req, "application/json");
}

int
body_is_form(const struct http_req *req)
{
	return has_type(req, "application/x-www-form-urlencoded");
}

static struct json *
refuse(struct http_req *req, struct json *j, int status, const char *code, const char *what, const char *detail)
{
	(*stat_cell(STAT_SERVE_REJECTED, code))++;
	http_reply_error(req, status, code, "%s%s%.64s%s", what, *detail ? " \"" : "", detail, *detail ? "\"" : "");
	json_free(&j);
	return NULL;
}

struct json *
body_json(struct http_req *req, int any_host, const char *const *members)
{
	const char *error = "", *const *key, *text;
	struct json *j;
	size_t len;

	if (origin_required(req, any_host) == -1 || params_known(req, NULL) == -1)
		return NULL;
	if (!body_is_json(req))
		return refuse(req, NULL, 415, "not_json", "the body must be sent as Content-Type: application/json", "");
	text = http_req_body(req, &len);
	if ((j = json_parse(text, len, &error)) == NULL || json_kind(j, "") != 'o')
		return refuse(req, j, 400, "bad_body", "the body must be one JSON object", j == NULL ? error : "");
	for (key = json_keys(j, ""); *key != NULL; key++)
		if (!params_listed(members, *key))
			return refuse(req, j, 400, "bad_body", "unknown member", *key);
	return j;
}

static int
hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

static long
decode(const char *p, const char *end, char *out, size_t size)
{
	size_t n = 0;

	for (; p < end; p++) {
		char c = *p == '+' ? ' ' : *p;
		if (c == '%' && end - p > 2 && hex(p[1]) >= 0 && hex(p[2]) >= 0) {
			c = (char)(hex(p[1]) << 4 | hex(p[2]));
			p += 2;
		}
		if (n + 1 >= size || c == '\0')
			return -1;
		out[n++] = c;
	}
	out[n] = '\0';
	return (long)n;
}

long
body_field(const struct http_req *req, const char *name, char *out, size_t size)
{
	size_t len, n = strlen(name);
	const char *p = http_req_body(req, &len), *end = p + len, *amp;

	for (; p < end; p = amp + 1) {
		amp = memchr(p, '&', (size_t)(end - p));
		if (amp == NULL)
			amp = end;
		if ((size_t)(amp - p) > n && memcmp(p, name, n) == 0 && p[n] == '=')
			return decode(p + n + 1, amp, out, size);
	}
	return -1;
}
