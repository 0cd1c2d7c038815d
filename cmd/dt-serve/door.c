#include "door.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock/clock.h"
#include "door_int.h"
#include "log/log.h"
#include "mem/mem.h"
#include "stat/stat.h"

#define SWEEP_MS 60000
#define KNOWN_US 10000000            /* how long an answer of the file counts while the file stays as it is */
#define KNOWN_N 256

static const char *const open_paths[] = { "/healthz", "/readyz", "/api-version", "/login", "/logout", NULL };
static const char *const open_below[] = { "/contract/", "/login/", NULL };

/* ---- who asks ---- */

static int
cookie_value(const char *cookies, const char *name, char *out, size_t size)
{
	size_t n = strlen(name), len;
	const char *p;

	for (p = cookies; p != NULL && *p != '\0'; p = strchr(p, ';')) {
		p += strspn(p, "; ");
		if (strncmp(p, name, n) != 0 || p[n] != '=')
			continue;
		p += n + 1;
		len = strcspn(p, "; ");
		if (len == 0 || len >= size)
			return -1;
		memcpy(out, p, len);
		out[len] = '\0';
		return 0;
	}
	return -1;
}

int
door_secure(const struct door *d, const struct http_req *req)
{
	const char *proto = http_req_header(req, "x-forwarded-proto");

	return d->config.tls || (proto != NULL && strcasecmp(proto, "https") == 0 && nets_have(d->config.proxies, http_req_peer(req)));
}

int
door_cookie(const struct door *d, const struct http_req *req, char key[ACCOUNT_KEY_SIZE])
{
	const char *cookies = http_req_header(req, "cookie");

	return cookies != NULL ? cookie_value(cookies, door_secure(d, req) ? DOOR_COOKIE_SECURE : DOOR_COOKIE, key, ACCOUNT_KEY_SIZE) : -1;
}

void
door_address(const struct door *d, const struct http_req *req, char out[NET_ADDRESS_SIZE])
{
	net_client(d->config.proxies, http_req_peer(req), http_req_header(req, "x-forwarded-for"), out);
}

/* The file is asked once in a while, not with every picture of a page. */
static int
session(struct door *d, const char *key, struct account_who *who)
{
	uint64_t version = accounts_version(d->accounts), hash = 14695981039346656037u;
	int64_t now = clock_wall_us();
	struct known *k;

	for (const char *p = key; *p != '\0'; p++)
		hash = (hash ^ (unsigned char)*p) * 1099511628211u;
	k = &d->known[hash % KNOWN_N];
	if (strcmp(k->key, key) == 0 && k->version == version && now - k->at_us < KNOWN_US && now >= k->at_us && now < k->who.expires_us) {
		*who = k->who;
		return 0;
	}
	k->key[0] = '\0';
	if (accounts_session(d->accounts, key, now, who) == -1)
		return -1;
	(void)snprintf(k->key, sizeof(k->key), "%s", key);
	k->version = version;
	k->at_us = now;
	k->who = *who;
	return 0;
}

static int
is_trusted(const struct door *d, const struct http_req *req)
{
	char address[NET_ADDRESS_SIZE];

	door_address(d, req, address);
	return nets_have(d->config.trusted, address);
}

static struct account_who
local(enum account_role role)
{
	return (struct account_who){ .name = DOOR_LOCAL, .role = role };
}

/* What somebody shows counts before where they are: so one can also log in as a viewer at home. */
static struct account_who
identify(struct door *d, const struct http_req *req)
{
	const char *bearer = http_req_header(req, "authorization");
	struct account_who who = { .role = ACCOUNT_NOBODY };
	char key[ACCOUNT_KEY_SIZE];

	if (bearer != NULL && strncasecmp(bearer, "bearer ", 7) == 0) {
		if (accounts_token(d->accounts, bearer + 7 + strspn(bearer + 7, " "), clock_wall_us(), &who) == 0)
			return who;
		return (struct account_who){ .role = ACCOUNT_NOBODY };
	}
	if (door_cookie(d, req, key) == 0 && session(d, key, &who) == 0)
		return who;
	if (http_req_peer(req)[0] == '\0')
		return local(ACCOUNT_ADMIN);
	return is_trusted(d, req) ? local(ACCOUNT_OPERATOR) : (struct account_who){ .role = ACCOUNT_NOBODY };
}

void
door_count(struct door *d)
{
	stat_set(STAT_SERVE_HASHES, (int64_t)hasher_done(d->hasher));
	stat_set(STAT_SERVE_HASHES_BUSY, (int64_t)hasher_busy(d->hasher));
}

/* ---- the guard ---- */

static int
is_open(const struct http_req *req)
{
	const char *path = http_req_path(req);

	for (int i = 0; open_paths[i] != NULL; i++)
		if (strcmp(open_paths[i], path) == 0)
			return 1;
	for (int i = 0; open_below[i] != NULL; i++)
		if (strncmp(open_below[i], path, strlen(open_below[i])) == 0)
			return 1;
	return strcmp(path, "/metrics") == 0 && net_is_loopback(http_req_peer(req)) && http_req_header(req, "x-forwarded-for") == NULL;
}

static int
wants_page(const struct http_req *req)
{
	const char *accept = http_req_header(req, "accept");

	return accept != NULL && strstr(accept, "text/html") != NULL && strcmp(http_req_method(req), "GET") == 0;
}

static int
guard(void *priv, struct http_req *req, int is_ws)
{
	struct door *d = priv;
	struct account_who who = identify(d, req);

	http_req_note(req, &who, sizeof(who));
	if (who.role != ACCOUNT_NOBODY || is_open(req))
		return 0;
	if (is_ws && strcmp(http_req_path(req), "/ws/position") == 0)
		return 0;                        /* plugins show their own secret */
	(*stat_cell(STAT_SERVE_REJECTED, "not_logged_in"))++;
	if (is_ws)
		return 401;
	http_reply_header(req, "cache-control", "no-store");
	if (wants_page(req)) {
		http_reply_header(req, "location", "/login");
		http_reply(req, 303, "text/plain; charset=utf-8", "", 0);
		return -1;
	}
	http_reply_header(req, "www-authenticate", "Bearer");
	http_reply_error(req, 401, "not_logged_in", "log in at /login, or send a token as Authorization: Bearer");
	return -1;
}

const struct account_who *
door_who(const struct http_req *req)
{
	static const struct account_who nobody = { .role = ACCOUNT_NOBODY };
	const struct account_who *who = http_req_noted(req);

	return who != NULL ? who : &nobody;
}

int
door_require(struct http_req *req, enum account_role role)
{
	if (door_who(req)->role >= role)
		return 0;
	(*stat_cell(STAT_SERVE_REJECTED, "not_allowed"))++;
	http_reply_error(req, 403, "not_allowed", "that needs the role %s", account_role_name(role));
	return -1;
}

/* ---- sockets ---- */

uint64_t
door_version(struct door *d)
{
	return accounts_version(d->accounts);
}

int
door_still(struct door *d, struct account_who *who, int used)
{
	return who->session == 0 && who->token == 0 ? 0 : accounts_still(d->accounts, who, used, clock_wall_us());
}

/* ---- begin and end ---- */

static char *
read_page(const char *path)
{
	char *text = xmalloc(DOOR_PAGE_MAX + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd == -1 ? -1 : read(fd, text, DOOR_PAGE_MAX);

	if (n <= 0 || n == DOOR_PAGE_MAX)
		die(EX_NOINPUT, "unable to read the login page %s", path);
	(void)close(fd);
	text[n] = '\0';
	return text;
}

static void
sweep(struct pollable *p, short revents, int64_t now_ms)
{
	struct door *d = (struct door *)p;

	(void)revents;
	accounts_sweep(d->accounts, clock_wall_us());
	p->deadline_ms = now_ms + SWEEP_MS;
}

struct door *
door_new(const struct door_config *config)
{
	struct accounts_config accounts = { .path = config->accounts, .idle_us = config->idle_us, .max_us = config->max_us };
	struct door *d = xcalloc(1, sizeof(*d));

	d->config = *config;
	d->accounts = accounts_open(&accounts);
	d->hasher = hasher_new();
	d->throttle = throttle_new();
	d->known = xcalloc(KNOWN_N, sizeof(*d->known));
	d->page = read_page(config->login_page);
	d->timer = (struct pollable){ .fd = -1, .deadline_ms = 0, .handle = sweep };
	http_add(config->http, &d->timer);
	http_add(config->http, hasher_pollable(d->hasher));
	http_guard(config->http, guard, d);
	if (!accounts_any(d->accounts))
		log_info("there is no account yet: dt-user add NAME admin makes one");
	return d;
}

/* After http_free. */
void
door_free(struct door **dp)
{
	struct door *d = *dp;

	if (d == NULL)
		return;
	*dp = NULL;
	hasher_free(&d->hasher);
	accounts_free(&d->accounts);
	throttle_free(&d->throttle);
	free(d->known);
	free(d->page);
	free(d);
}
