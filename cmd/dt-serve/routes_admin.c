/* /admin/…: users and tokens, for admins. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "clock/clock.h"
#include "door_int.h"
#include "json/json.h"
#include "mem/mem.h"
#include "origin.h"
#include "params.h"
#include "routes.h"
#include "stat/stat.h"

#define LIST_MAX (1u << 20)

/* A user who waits for a hash: to be made, or changed. */
struct change {
	struct door *door;
	struct http_req *req;                /* NULL: whoever asked has left; it is done all the same */
	int is_new;
	enum account_role role;              /* ACCOUNT_NOBODY: stays as it is */
	char name[ACCOUNT_NAME_SIZE];
};

static int
may(struct http_req *req)
{
	return door_require(req, ACCOUNT_ADMIN) == 0 && params_known(req, NULL) == 0;
}

static void
reply_json(struct http_req *req, int status, struct buf *b)
{
	http_reply_header(req, "cache-control", "no-store");
	http_reply(req, status, "application/json", buf_data(b), buf_size(b));
	buf_fini(b);
}

static void
append_time(struct buf *b, const char *name, int64_t us)
{
	char iso[CLOCK_ISO_SIZE];

	if (us == 0) {
		(void)buf_printf(b, ",\"%s\":null", name);
		return;
	}
	clock_format_iso(us, iso);
	(void)buf_printf(b, ",\"%s\":\"%s\"", name, iso);
}

static void
refuse_body(struct http_req *req, const char *text)
{
	(*stat_cell(STAT_SERVE_REJECTED, "bad_body"))++;
	http_reply_error(req, 400, "bad_body", "%s", text);
}

static void
reply_error(struct http_req *req, enum account_error e)
{
	int status = e == ACCOUNT_UNKNOWN ? 404 : e == ACCOUNT_BAD_NAME ? 400 : 409;

	http_reply_error(req, status, e == ACCOUNT_UNKNOWN ? "not_found" : e == ACCOUNT_BAD_NAME ? "bad_name" : e == ACCOUNT_EXISTS ? "exists" : "last_admin",
	    "%s", account_error_text(e));
}

/* ---- users ---- */

static void
append_user(void *priv, const struct account *a)
{
	struct buf *b = priv;

	(void)buf_appends(b, buf_data(b)[buf_size(b) - 1] == '[' ? "{\"username\":" : ",{\"username\":");
	(void)buf_append_json(b, a->name, strlen(a->name));
	(void)buf_printf(b, ",\"role\":\"%s\"", account_role_name(a->role));
	append_time(b, "created_at", a->created_us);
	append_time(b, "last_login", a->login_us);
	(void)buf_appends(b, "}");
}

static void
on_users(void *priv, struct http_req *req)
{
	struct door *d = ((struct routes *)priv)->door;
	struct buf b = BUF_INIT(LIST_MAX);

	if (!may(req))
		return;
	(void)buf_appends(&b, "{\"users\":[");
	accounts_each(d->accounts, append_user, &b);
	(void)buf_appends(&b, "]}");
	reply_json(req, 200, &b);
}

static void
reply_user(struct door *d, struct http_req *req, int status, const char *name)
{
	struct buf b = BUF_INIT(4096);
	struct account a;

	if (accounts_get(d->accounts, name, &a) != ACCOUNT_OK) {
		reply_error(req, ACCOUNT_UNKNOWN);
		return;
	}
	(void)buf_appends(&b, "[");
	append_user(&b, &a);
	buf_consume(&b, 1);
	reply_json(req, status, &b);
}

static void
on_gone(void *priv)
{
	((struct change *)priv)->req = NULL;
}

static void
on_made(void *priv, const char *hash)
{
	struct change *c = priv;
	struct door *d = c->door;
	enum account_error e = ACCOUNT_OK;

	door_count(d);
	if (hash != NULL && c->is_new)
		e = accounts_add(d->accounts, c->name, hash, c->role, clock_wall_us());
	else if (hash != NULL) {
		if (c->role != ACCOUNT_NOBODY)
			e = accounts_set_role(d->accounts, c->name, c->role);
		if (e == ACCOUNT_OK)
			e = accounts_set_hash(d->accounts, c->name, hash);
	}
	if (c->req == NULL)
		;
	else if (hash == NULL)
		http_reply_error(c->req, 503, "busy", "the server is short of memory; try again");
	else if (e != ACCOUNT_OK)
		reply_error(c->req, e);
	else
		reply_user(d, c->req, c->is_new ? 201 : 200, c->name);
	free(c);
}

/* The role of a body: 0, or -1 when it is answered.  Without one *out stays. */
static int
read_role(struct http_req *req, const struct json *j, enum account_role *out)
{
	if (json_kind(j, "role") == 0)
		return 0;
	*out = account_role_parse(json_str(j, "role", ""));
	if (*out != ACCOUNT_NOBODY)
		return 0;
	refuse_body(req, "\"role\" must be viewer, operator or admin");
	return -1;
}

static void
hash_then(struct door *d, struct http_req *req, const struct change *what, const char *password)
{
	const char *bad = account_bad_password(password, strlen(password));
	struct change *c;

	if (bad != NULL) {
		refuse_body(req, bad);
		return;
	}
	c = xmalloc(sizeof(*c));
	*c = *what;
	if (hasher_make(d->hasher, password, strlen(password), on_made, c) == 0) {
		http_defer(req, on_gone, c);
		return;
	}
	free(c);
	http_reply_header(req, "retry-after", "2");
	http_reply_error(req, 429, "busy", "many passwords are being checked at this moment; try again");
}

static void
on_user_new(void *priv, struct http_req *req)
{
	static const char *const members[] = { "username", "password", "role", NULL };
	struct door *d = ((struct routes *)priv)->door;
	struct change c = { .door = d, .req = req, .is_new = 1, .role = ACCOUNT_VIEWER };
	struct account other;
	const char *name;
	struct json *j;

	if (!may(req) || (j = body_json(req, d->config.any_host, members)) == NULL)
		return;
	name = json_str(j, "username", "");
	if (!account_good_name(name))
		reply_error(req, ACCOUNT_BAD_NAME);
	else if (accounts_get(d->accounts, name, &other) == ACCOUNT_OK)
		reply_error(req, ACCOUNT_EXISTS);
	else if (read_role(req, j, &c.role) == 0) {
		strcpy(c.name, name);
		hash_then(d, req, &c, json_str(j, "password", ""));
	}
	json_free(&j);
}

static void
on_user_change(void *priv, struct http_req *req)
{
	static const char *const members[] = { "password", "role", NULL };
	struct door *d = ((struct routes *)priv)->door;
	struct change c = { .door = d, .req = req };
	enum account_error e;
	struct account one;
	struct json *j;

	if (!may(req) || (j = body_json(req, d->config.any_host, members)) == NULL)
		return;
	e = accounts_get(d->accounts, http_req_tail(req), &one);
	if (e != ACCOUNT_OK)
		reply_error(req, e);
	else if (json_len(j, "") == 0)
		refuse_body(req, "say what to change: \"password\", \"role\" or both");
	else if (read_role(req, j, &c.role) == 0) {
		strcpy(c.name, one.name);
		if (json_kind(j, "password") != 0)
			hash_then(d, req, &c, json_str(j, "password", ""));
		else if ((e = accounts_set_role(d->accounts, c.name, c.role)) != ACCOUNT_OK)
			reply_error(req, e);
		else
			reply_user(d, req, 200, c.name);
	}
	json_free(&j);
}

static void
on_user_delete(void *priv, struct http_req *req)
{
	struct door *d = ((struct routes *)priv)->door;
	enum account_error e;

	if (!may(req) || origin_required(req, d->config.any_host) == -1)
		return;
	if ((e = accounts_delete(d->accounts, http_req_tail(req))) != ACCOUNT_OK)
		reply_error(req, e);
	else
		http_reply(req, 204, "text/plain; charset=utf-8", "", 0);
}

/* ---- tokens ---- */

static void
append_token(void *priv, const struct account_token *t)
{
	struct buf *b = priv;

	(void)buf_printf(b, "%s{\"id\":%" PRId64 ",\"name\":", buf_data(b)[buf_size(b) - 1] == '[' ? "" : ",", t->id);
	(void)buf_append_json(b, t->name, strlen(t->name));
	(void)buf_printf(b, ",\"role\":\"%s\"", account_role_name(t->role));
	append_time(b, "created_at", t->created_us);
	append_time(b, "last_used", t->used_us);
	(void)buf_appends(b, "}");
}

static void
on_tokens(void *priv, struct http_req *req)
{
	struct door *d = ((struct routes *)priv)->door;
	struct buf b = BUF_INIT(LIST_MAX);

	if (!may(req))
		return;
	(void)buf_appends(&b, "{\"tokens\":[");
	accounts_token_each(d->accounts, append_token, &b);
	(void)buf_appends(&b, "]}");
	reply_json(req, 200, &b);
}

static void
on_token_new(void *priv, struct http_req *req)
{
	static const char *const members[] = { "name", "role", NULL };
	struct door *d = ((struct routes *)priv)->door;
	struct buf b = BUF_INIT(1024);
	enum account_role role = ACCOUNT_VIEWER;
	enum account_error e;
	char key[ACCOUNT_KEY_SIZE];
	struct json *j;
	int64_t id;

	if (!may(req) || (j = body_json(req, d->config.any_host, members)) == NULL)
		return;
	if (read_role(req, j, &role) == 0) {
		if ((e = accounts_token_add(d->accounts, json_str(j, "name", ""), role, clock_wall_us(), key, &id)) != ACCOUNT_OK)
			reply_error(req, e);
		else {
			(void)buf_printf(&b, "{\"id\":%" PRId64 ",\"token\":\"%s\"}", id, key);
			reply_json(req, 201, &b);
		}
	}
	json_free(&j);
}

static void
on_token_delete(void *priv, struct http_req *req)
{
	struct door *d = ((struct routes *)priv)->door;
	const char *text = http_req_tail(req);
	enum account_error e = ACCOUNT_UNKNOWN;

	if (!may(req) || origin_required(req, d->config.any_host) == -1)
		return;
	if (strlen(text) <= 18 && text[strspn(text, "0123456789")] == '\0')
		e = accounts_token_delete(d->accounts, strtoll(text, NULL, 10));
	if (e != ACCOUNT_OK)
		reply_error(req, e);
	else
		http_reply(req, 204, "text/plain; charset=utf-8", "", 0);
}

const struct route routes_admin[] = {
	{ "GET", "/admin/users", on_users },
	{ "POST", "/admin/users", on_user_new },
	{ "PATCH", "/admin/users/{name}", on_user_change },
	{ "DELETE", "/admin/users/{name}", on_user_delete },
	{ "GET", "/admin/tokens", on_tokens },
	{ "POST", "/admin/tokens", on_token_new },
	{ "DELETE", "/admin/tokens/{id}", on_token_delete },
	ROUTE_END
};
