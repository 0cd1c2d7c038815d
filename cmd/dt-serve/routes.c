#include "routes.h"

#include <stdio.h>
#include <string.h>

#include "stat/stat.h"

static const struct route *const tables[] = { routes_live, routes_history, routes_character, routes_issues, routes_inventory, routes_about, routes_login, routes_admin };
#define N_TABLES (sizeof(tables) / sizeof(tables[0]))

int
routes_warm(const struct routes *r, struct http_req *req)
{
	if (feed_warm(r->feed))
		return 0;
	(*stat_cell(STAT_SERVE_REJECTED, "not_ready"))++;
	http_reply_header(req, "retry-after", "1");
	http_reply_error(req, 503, "not_ready", "the live state is being read from the journal; try again in a moment");
	return -1;
}

int
routes_name(struct http_req *req, const char **name)
{
	*name = http_req_tail(req);
	if (strlen(*name) <= ROUTES_NAME_BYTES)
		return 0;
	(*stat_cell(STAT_SERVE_REJECTED, "bad_parameter"))++;
	http_reply_error(req, 400, "bad_parameter", "the name in the path must be 1 to %d bytes", ROUTES_NAME_BYTES);
	return -1;
}

static void
on_root(void *priv, struct http_req *req)
{
	(void)priv;
	http_reply_header(req, "location", "/classic/");
	http_reply_header(req, "cache-control", "no-cache");
	http_reply(req, 302, "text/plain; charset=utf-8", "/classic/\n", 10);
}

void
routes_add(struct routes *r)
{
	const struct route *at;
	size_t i;

	for (i = 0; i < N_TABLES; i++)
		for (at = tables[i]; at->path != NULL; at++)
			http_route(r->http, at->method, at->path, at->f, r);
	http_route(r->http, "GET", "/", on_root, r);
	http_route(r->http, "GET", "/classic", on_root, r);
}

void
routes_print(void)
{
	const struct route *at;
	size_t i;

	for (i = 0; i < N_TABLES; i++)
		for (at = tables[i]; at->path != NULL; at++)
			printf("%s %s\n", at->method, at->path);
}
