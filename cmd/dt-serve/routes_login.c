/* The login page, for browsers without JavaScript too; /logout and /me. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "clock/clock.h"
#include "door_int.h"
#include "json/json.h"
#include "log/log.h"
#include "mem/mem.h"
#include "origin.h"
#include "params.h"
#include "routes.h"
#include "stat/stat.h"

#define WRONG "the name or the password is wrong"
#define USED "that address has been used, or is over a day old; on the server, dt-user link prints a new one as long as there is no account"

/* A name and a password on their way through the hasher. */
struct login {
	struct door *door;
	struct http_req *req;                /* NULL: the browser did not wait */
	int is_json, is_first;               /* is_first: makes the first admin */
	char name[ACCOUNT_NAME_SIZE], link[ACCOUNT_KEY_SIZE], password[ACCOUNT_PASSWORD_MAX + 2];
};

/* ---- the page ---- */

static void
append_html(struct buf *b, const char *s)
{
	for (; *s != '\0'; s++)
		switch (*s) {
		case '&': (void)buf_appends(b, "&amp;"); break;
		case '<': (void)buf_appends(b, "&lt;"); break;
		case '"': (void)buf_appends(b, "&quot;"); break;
		default: (void)buf_append(b, s, 1);
		}
}

static const char *
mark_value(const char *mark, size_t len, const char *const *pairs)
{
	for (; pairs[0] != NULL; pairs += 2)
		if (strlen(pairs[0]) == len && memcmp(pairs[0], mark, len) == 0)
			return pairs[1] != NULL ? pairs[1] : "";
	return "";
}

static const char *
hint(const struct door *d, int is_first)
{
	if (is_first)
		return "It will manage the others. Choose a name, and a password of 8 characters or more.";
	return accounts_any(d->accounts) ? "" : "There is no account yet. On the server, dt-user link prints the address that makes the first one.";
}

struct page { const char *link, *name, *note, *message; };       /* NULL: none */

static void
reply_page(const struct door *d, struct http_req *req, int status, const struct page *page)
{
	int is_first = page->link != NULL, has_name = page->name != NULL && page->name[0] != '\0';
	const char *const pairs[] = {
		"heading", is_first ? "Make the first account" : "Log in",
		"hint", hint(d, is_first), "note", page->note, "message", page->message, "link", page->link, "name", page->name,
		"focus name", has_name ? "" : "autofocus", "focus password", has_name ? "autofocus" : "",
		"autocomplete", is_first ? "new-password" : "current-password",
		"button", is_first ? "Make the account" : "Log in", NULL
	};
	struct buf b = BUF_INIT(2 * DOOR_PAGE_MAX);
	const char *p = d->page, *mark, *end;

	while ((mark = strstr(p, "{{")) != NULL && (end = strstr(mark, "}}")) != NULL) {
		(void)buf_append(&b, p, (size_t)(mark - p));
		append_html(&b, mark_value(mark + 2, (size_t)(end - mark - 2), pairs));
		p = end + 2;
	}
	(void)buf_appends(&b, p);
	http_reply_header(req, "cache-control", "no-store");
	http_reply(req, status, "text/html; charset=utf-8", buf_data(&b), buf_size(&b));
	buf_fini(&b);
}

/* ---- the answer to a try ---- */

static void
refuse(struct login *l, int status, const char *code, const char *text)
{
	char sentence[256];

	(*stat_cell(STAT_SERVE_REJECTED, code))++;
	if (l->is_json) {
		http_reply_header(l->req, "cache-control", "no-store");
		http_reply_error(l->req, status, code, "%s", text);
	} else {
		snprintf(sentence, sizeof(sentence), "%c%s.", toupper((unsigned char)text[0]), text + 1);
		reply_page(l->door, l->req, status, &(struct page){ .link = l->is_first ? l->link : NULL, .name = l->name, .message = sentence });
	}
}

static void
set_cookie(const struct door *d, struct http_req *req, const char *key, int64_t seconds)
{
	int secure = door_secure(d, req);
	char text[256];

	snprintf(text, sizeof(text), "%s=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%" PRId64 "%s",
	    secure ? DOOR_COOKIE_SECURE : DOOR_COOKIE, key, seconds, secure ? "; Secure" : "");
	http_reply_header(req, "set-cookie", text);
}

static void
append_who(struct buf *b, const struct account_who *who)
{
	char until[CLOCK_ISO_SIZE];

	(void)buf_appends(b, "{\"username\":");
	(void)buf_append_json(b, who->name, strlen(who->name));
	(void)buf_printf(b, ",\"role\":\"%s\",\"expires_at\":", account_role_name(who->role));
	if (who->expires_us != 0) {
		clock_format_iso(who->expires_us, until);
		(void)buf_printf(b, "\"%s\"}", until);
	} else
		(void)buf_appends(b, "null}");
}

static void
reply_who(struct http_req *req, const struct account_who *who)
{
	struct buf b = BUF_INIT(1024);

	append_who(&b, who);
	http_reply_header(req, "cache-control", "no-store");
	http_reply(req, 200, "application/json", buf_data(&b), buf_size(&b));
	buf_fini(&b);
}

/* A new session with a key of its own, whatever cookie came along. */
static void
let_in(struct login *l)
{
	struct door *d = l->door;
	char key[ACCOUNT_KEY_SIZE], old[ACCOUNT_KEY_SIZE];
	struct account_who who;

	if (accounts_login(d->accounts, l->name, clock_wall_us(), key, &who) != ACCOUNT_OK) {
		refuse(l, 401, "bad_login", WRONG);       /* deleted this moment */
		return;
	}
	if (door_cookie(d, l->req, old) == 0)
		accounts_logout(d->accounts, old);
	set_cookie(d, l->req, key, d->config.max_us / 1000000);
	if (l->is_json) {
		reply_who(l->req, &who);
		return;
	}
	http_reply_header(l->req, "cache-control", "no-store");
	http_reply_header(l->req, "location", "/");
	http_reply(l->req, 303, "text/plain; charset=utf-8", "", 0);
}

/* ---- the try ---- */

static void
free_login(struct login *l)
{
	explicit_bzero(l, sizeof(*l));
	free(l);
}

static void
on_gone(void *priv)
{
	((struct login *)priv)->req = NULL;
}

static void
on_checked(void *priv, int right)
{
	struct login *l = priv;

	door_count(l->door);
	if (right)
		throttle_succeeded(l->door->throttle, l->name);
	if (l->req != NULL && right)
		let_in(l);
	else if (l->req != NULL)
		refuse(l, 401, "bad_login", WRONG);
	free_login(l);
}

static void
on_made(void *priv, const char *hash)
{
	struct login *l = priv;
	struct door *d = l->door;
	int64_t now = clock_wall_us();
	enum account_error e;

	door_count(d);
	if (l->req == NULL) {
		free_login(l);
		return;
	}
	if (hash == NULL)
		refuse(l, 503, "busy", "the server is short of memory; try again in a moment");
	else if (accounts_any(d->accounts) || accounts_link_good(d->accounts, l->link, now) == -1)
		refuse(l, 403, "used", "somebody else was faster: that address has been used");
	else if ((e = accounts_add(d->accounts, l->name, hash, ACCOUNT_ADMIN, now)) != ACCOUNT_OK)
		refuse(l, 400, "bad_name", account_error_text(e));
	else {
		accounts_link_used(d->accounts);
		throttle_succeeded(d->throttle, l->name);
		log_info("the first admin is %s", l->name);
		let_in(l);
	}
	free_login(l);
}

/* Name, password and link into l; 0, or -1 when it is answered. */
static int
read_login(struct login *l)
{
	static const char *const members[] = { "username", "password", NULL };
	struct json *j;

	l->is_json = body_is_json(l->req);
	if (l->is_json) {
		if ((j = body_json(l->req, l->door->config.any_host, members)) == NULL)
			return -1;
		snprintf(l->name, sizeof(l->name), "%s", json_str(j, "username", ""));
		snprintf(l->password, sizeof(l->password), "%s", json_str(j, "password", ""));
		json_free(&j);
	} else if (!body_is_form(l->req)) {
		l->is_json = 1;                  /* no browser's form: no page in return */
		refuse(l, 415, "not_form", "send a form (application/x-www-form-urlencoded) or JSON (application/json)");
		return -1;
	} else {
		if (origin_required(l->req, l->door->config.any_host) == -1 || params_known(l->req, NULL) == -1)
			return -1;
		(void)body_field(l->req, "username", l->name, sizeof(l->name));
		(void)body_field(l->req, "password", l->password, sizeof(l->password));
		(void)body_field(l->req, "link", l->link, sizeof(l->link));
		l->is_first = l->link[0] != '\0';
	}
	if (l->name[0] != '\0' && l->password[0] != '\0')
		return 0;
	refuse(l, 400, "bad_login", "a name and a password are needed");
	return -1;
}

static int
may_try(struct login *l)
{
	char address[NET_ADDRESS_SIZE], seconds[24], text[96];
	int64_t wait;

	door_address(l->door, l->req, address);
	wait = throttle_wait(l->door->throttle, l->name, address, http_now(l->door->config.http));
	if (wait == 0)
		return 1;
	snprintf(seconds, sizeof(seconds), "%" PRId64, (wait + 999) / 1000);
	http_reply_header(l->req, "retry-after", seconds);
	snprintf(text, sizeof(text), "too many tries; wait %s second%s, then try again", seconds, strcmp(seconds, "1") == 0 ? "" : "s");
	refuse(l, 429, "too_many_logins", text);
	return 0;
}

static int
begin(struct login *l)
{
	struct door *d = l->door;
	struct account account;
	const char *bad;

	if (!l->is_first)
		return hasher_check(d->hasher, accounts_get(d->accounts, l->name, &account) == ACCOUNT_OK ? account.hash : NULL,
		    l->password, strlen(l->password), on_checked, l);
	if (!account_good_name(l->name))
		bad = account_error_text(ACCOUNT_BAD_NAME);
	else if ((bad = account_bad_password(l->password, strlen(l->password))) == NULL && accounts_link_good(d->accounts, l->link, clock_wall_us()) == -1)
		bad = USED;
	if (bad == NULL)
		return hasher_make(d->hasher, l->password, strlen(l->password), on_made, l);
	refuse(l, 400, "bad_login", bad);
	free_login(l);
	return 1;
}

static void
on_login(void *priv, struct http_req *req)
{
	struct login *l = xcalloc(1, sizeof(*l));
	int got;

	l->door = ((struct routes *)priv)->door;
	l->req = req;
	if (read_login(l) == -1 || !may_try(l)) {
		free_login(l);
		return;
	}
	if ((got = begin(l)) == 0) {
		throttle_failed(l->door->throttle, l->name, http_now(l->door->config.http));     /* until it proves right: guesses side by side count too */
		http_defer(req, on_gone, l);
	}
	else if (got == -1) {
		http_reply_header(req, "retry-after", "2");
		refuse(l, 429, "busy", "many people are logging in at this moment; try again in a few seconds");
		free_login(l);
	}
}

/* ---- GET /login, /logout, /me ---- */

static const char *
after_what(const char *after)
{
	if (after == NULL)
		return NULL;
	return strcmp(after, "logout") == 0 ? "You are logged out." : strcmp(after, "end") == 0 ? "Your session has ended. Log in again to go on." : NULL;
}

static void
on_page(void *priv, struct http_req *req)
{
	static const char *const known[] = { "link", "after", NULL };
	struct door *d = ((struct routes *)priv)->door;
	const char *link = http_req_query(req, "link"), *after = http_req_query(req, "after");

	if (params_known(req, known) == -1)
		return;
	if (link == NULL)
		reply_page(d, req, 200, &(struct page){ .note = after_what(after) });
	else if (!accounts_any(d->accounts) && accounts_link_good(d->accounts, link, clock_wall_us()) == 0)
		reply_page(d, req, 200, &(struct page){ .link = link });
	else
		refuse(&(struct login){ .door = d, .req = req }, 403, "used", USED);
}

static void
on_logout(void *priv, struct http_req *req)
{
	struct door *d = ((struct routes *)priv)->door;
	char key[ACCOUNT_KEY_SIZE];

	if (origin_required(req, d->config.any_host) == -1 || params_known(req, NULL) == -1)
		return;
	if (door_cookie(d, req, key) == 0)
		accounts_logout(d->accounts, key);
	set_cookie(d, req, "", 0);
	if (http_req_header(req, "accept") != NULL && strstr(http_req_header(req, "accept"), "text/html") != NULL) {
		http_reply_header(req, "location", "/login?after=logout");
		http_reply(req, 303, "text/plain; charset=utf-8", "", 0);
	} else
		http_reply(req, 204, "text/plain; charset=utf-8", "", 0);
}

static void
on_me(void *priv, struct http_req *req)
{
	(void)priv;
	if (params_known(req, NULL) == 0)
		reply_who(req, door_who(req));
}

const struct route routes_login[] = {
	{ "GET", "/login", on_page },
	{ "POST", "/login", on_login },
	{ "POST", "/logout", on_logout },
	{ "GET", "/me", on_me },
	ROUTE_END
};
