/* Which handler a path belongs to. */
#include "http/http.h"

#include <string.h>

#include "http/http_int.h"
#include "mem/mem.h"

static void
route_add(struct http *h, const char *methods, const char *path, http_handler_f *f, const struct http_ws_handler *ws, void *priv)
{
	size_t len = strlen(path);
	int prefix = len > 0 && path[len - 1] == '*';

	h->routes = xreallocarray(h->routes, h->n_routes + 1, sizeof(*h->routes));
	h->routes[h->n_routes++] = (struct http_route){ .methods = xstrdup(methods), .path = xstrdup(path),
	    .len = len - (size_t)prefix, .prefix = prefix, .f = f, .ws = ws, .priv = priv };
}

void
http_route(struct http *h, const char *methods, const char *path, http_handler_f *f, void *priv)
{
	route_add(h, methods, path, f, NULL, priv);
}

void
http_route_ws(struct http *h, const char *path, const struct http_ws_handler *handler, void *priv)
{
	route_add(h, "GET", path, NULL, handler, priv);
}

static int
path_matches(const struct http_route *r, const char *path, size_t len)
{
	return r->prefix ? strncmp(path, r->path, r->len) == 0 : len == r->len && memcmp(path, r->path, len) == 0;
}

static int
method_matches(const struct http_route *r, const char *method)
{
	size_t n = strlen(method);
	const char *p = r->methods;

	if (strcmp(method, "HEAD") == 0)
		return method_matches(r, "GET");
	while ((p = strstr(p, method)) != NULL) {
		if ((p == r->methods || p[-1] == ',') && (p[n] == ',' || p[n] == '\0'))
			return 1;
		p += n;
	}
	return 0;
}

const struct http_route *
http_find_route(struct http *h, const char *method, const char *path, int ws)
{
	const struct http_route *best = NULL, *r;
	size_t i, len = strlen(path);

	for (i = 0; i < h->n_routes; i++) {
		r = &h->routes[i];
		if ((r->ws != NULL) != ws || !path_matches(r, path, len) || (method != NULL && !method_matches(r, method)))
			continue;
		if (best == NULL || r->len > best->len || (r->len == best->len && !r->prefix))
			best = r;
	}
	return best;
}

void
http_headers(struct http *h, const char *const *pairs)
{
	h->headers = pairs;
}
