/* The board that people share: issues and comments on them. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "answer.h"
#include "body.h"
#include "json/json.h"
#include "origin.h"
#include "params.h"
#include "routes.h"
#include "sql.h"
#include "stat/stat.h"

#define ISSUE_KINDS "nttttt" "zz" "j"
#define ISSUES_MAX "10000"
#define COMMENTS_MAX "1000"          /* of an issue */
#define TITLE_MAX 200                /* characters, as all below */
#define TEXT_MAX 10000
#define CATEGORY_MAX 32
#define AUTHOR_MAX 32
#define ROWS_MAX 1000
#define ROWS_DEFAULT 200
#define NOBODY "anonymous"           /* who came in without login and does not say */

static const char *const states[] = { "open", "done", NULL };

/* ---- what is asked ---- */

static void __attribute__((format(printf, 4, 5)))
refuse(struct http_req *req, int status, const char *code, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(*stat_cell(STAT_SERVE_REJECTED, code))++;
	http_reply_error(req, status, code, "%s", text);
}

/* The number in the path as text; 0, or -1 when it is answered. */
static int
issue_number(struct http_req *req, char out[24])
{
	const char *text = http_req_tail(req);

	if (strlen(text) <= 18 && text[0] >= '1' && text[0] <= '9' && text[strspn(text, "0123456789")] == '\0') {
		strcpy(out, text);
		return 0;
	}
	return params_refuse(req, "id", "the number of an issue");
}

static size_t
characters(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/* A text of min to max characters, fallback when there is none (NULL: it must be there); 0, or -1 when it is answered. */
static int
member(struct http_req *req, const struct json *j, const char *name, size_t min, size_t max, const char *fallback, const char **out)
{
	int kind = json_kind(j, name);

	*out = kind == 's' ? json_str(j, name, "") : fallback;
	if (kind == 0 && fallback != NULL)
		return 0;
	if (kind == 's' && characters(*out) >= min && characters(*out) <= max)
		return 0;
	refuse(req, 400, "bad_body", "\"%s\" must be a text of %zu to %zu characters", name, min, max);
	return -1;
}

/* Who is logged in signs with that name; others may choose one. */
static int
member_author(struct http_req *req, const struct json *j, const char **out)
{
	const struct account_who *who = door_who(req);

	if (member(req, j, "author", 1, AUTHOR_MAX, NOBODY, out) == -1)
		return -1;
	if (strcmp(who->name, DOOR_LOCAL) != 0)
		*out = who->name;
	return 0;
}

static int
member_state(struct http_req *req, const struct json *j, const char *fallback, const char **out)
{
	if (member(req, j, "state", 0, 64, fallback, out) == -1)
		return -1;
	if (json_kind(j, "state") == 0 || params_listed(states, *out))
		return 0;
	refuse(req, 400, "bad_body", "\"state\" must be \"open\" or \"done\"");
	return -1;
}

/* ---- reading ---- */

static void
list_suffix(void *priv, const struct answer_end *end, struct buf *out)
{
	(void)priv;
	(void)buf_printf(out, "],\"count\":%" PRId64 ",\"more\":%s}", end->rows, end->more ? "true" : "false");
}

static void
on_list(void *priv, struct http_req *req)
{
	static const char *const known[] = { "state", "category", "limit", "page", NULL };
	struct routes *r = priv;
	struct answer_shape shape = { .prefix = "{\"issues\":[", .kinds = ISSUE_KINDS, .sum_column = -1, .suffix = list_suffix };
	char limit[24], offset[24];
	const char *params[] = { NULL, NULL, NULL, limit, offset };
	int64_t page;
	int state;

	if (params_known(req, known) == -1 || params_word(req, "state", states, -1, &state) == -1 || params_text(req, "category", 4 * CATEGORY_MAX, &params[1]) == -1 ||
	    params_int(req, "limit", 1, ROWS_MAX, ROWS_DEFAULT, &shape.limit) == -1 || params_int(req, "page", 1, 100000, 1, &page) == -1)
		return;
	if (state >= 0)
		params[0] = states[state];
	snprintf(limit, sizeof(limit), "%" PRId64, shape.limit + 1);
	snprintf(offset, sizeof(offset), "%" PRId64, (page - 1) * shape.limit);
	answer_query(r->pool, req, sql_issues, 5, params, &shape);
}

static void
on_get(void *priv, struct http_req *req)
{
	struct routes *r = priv;
	struct answer_shape shape = { .is_object = 1, .kinds = ISSUE_KINDS, .sum_column = -1, .missing = "there is no issue of that number" };
	char id[24];
	const char *params[] = { NULL, NULL, id, "1", "0" };

	if (params_known(req, NULL) == 0 && issue_number(req, id) == 0)
		answer_query(r->pool, req, sql_issues, 5, params, &shape);
}

/* ---- writing ---- */

static void
on_new(void *priv, struct http_req *req)
{
	static const char *const members[] = { "title", "body", "category", "author", "state", NULL };
	struct routes *r = priv;
	struct answer_shape shape = { .is_object = 1, .kinds = ISSUE_KINDS, .sum_column = -1, .status = 201, .missing_status = 409,
	    .missing = "the board is full: delete what is done" };
	const char *params[] = { NULL, NULL, NULL, NULL, NULL, ISSUES_MAX };
	struct json *j;

	if (door_require(req, ACCOUNT_OPERATOR) == -1 || (j = body_json(req, r->any_host, members)) == NULL)
		return;
	if (member(req, j, "title", 1, TITLE_MAX, NULL, &params[0]) == 0 && member(req, j, "body", 0, TEXT_MAX, "", &params[1]) == 0 &&
	    member(req, j, "category", 0, CATEGORY_MAX, "", &params[2]) == 0 && member_author(req, j, &params[3]) == 0 &&
	    member_state(req, j, "open", &params[4]) == 0)
		answer_query(r->board, req, sql_issue_new, 6, params, &shape);
	json_free(&j);
}

static void
on_change(void *priv, struct http_req *req)
{
	static const char *const members[] = { "title", "body", "category", "state", NULL };
	struct routes *r = priv;
	struct answer_shape shape = { .is_object = 1, .kinds = ISSUE_KINDS, .sum_column = -1, .status = 200, .missing = "there is no issue of that number" };
	char id[24];
	const char *params[] = { id, NULL, NULL, NULL, NULL };
	struct json *j;
	int i;

	if (door_require(req, ACCOUNT_OPERATOR) == -1 || issue_number(req, id) == -1 || (j = body_json(req, r->any_host, members)) == NULL)
		return;
	if (member(req, j, "title", 1, TITLE_MAX, "", &params[1]) == 0 && member(req, j, "body", 0, TEXT_MAX, "", &params[2]) == 0 &&
	    member(req, j, "category", 0, CATEGORY_MAX, "", &params[3]) == 0 && member_state(req, j, "", &params[4]) == 0) {
		for (i = 0; i < 4; i++)
			if (json_kind(j, members[i]) == 0)
				params[i + 1] = NULL;
		answer_query(r->board, req, sql_issue_change, 5, params, &shape);
	}
	json_free(&j);
}

static void
on_delete(void *priv, struct http_req *req)
{
	struct routes *r = priv;
	struct answer_shape shape = { .is_object = 1, .kinds = "n", .sum_column = -1, .status = 204, .missing = "there is no issue of that number" };
	char id[24];
	const char *params[] = { id };

	if (door_require(req, ACCOUNT_OPERATOR) == 0 && issue_number(req, id) == 0 && params_known(req, NULL) == 0 && origin_required(req, r->any_host) == 0)
		answer_query(r->board, req, sql_issue_delete, 1, params, &shape);
}

static void
on_comment(void *priv, struct http_req *req)
{
	static const char *const members[] = { "body", "author", NULL };
	struct routes *r = priv;
	struct answer_shape shape = {
		.is_object = 1, .kinds = "nnttz", .sum_column = -1, .status = 201, .missing = "there is no issue of that number, or it has too many comments"
	};
	char id[24];
	const char *params[] = { id, NULL, NULL, COMMENTS_MAX };
	struct json *j;

	if (door_require(req, ACCOUNT_OPERATOR) == -1 || issue_number(req, id) == -1 || (j = body_json(req, r->any_host, members)) == NULL)
		return;
	if (member_author(req, j, &params[1]) == 0 && member(req, j, "body", 1, TEXT_MAX, NULL, &params[2]) == 0)
		answer_query(r->board, req, sql_issue_comment, 4, params, &shape);
	json_free(&j);
}

const struct route routes_issues[] = {
	{ "GET", "/issues", on_list },
	{ "POST", "/issues", on_new },
	{ "GET", "/issues/{id}", on_get },
	{ "PATCH", "/issues/{id}", on_change },
	{ "DELETE", "/issues/{id}", on_delete },
	{ "POST", "/issues/{id}/comments", on_comment },
	ROUTE_END
};
