/* Which handler a path belongs to. */
#include "http/http.h"

#include <string.h>

#include "http/http_int.h"
#include "mem/mem.h"

static void
route_add(struct http *h, const char *methods, const char *path, http_handler_f *f, const struct http_ws_handler *ws, void *priv)
{
	size_t len = strcspn(path, "*{");
	const char *end = strchr(path, '}');

	h->routes = xreallocarray(h->routes, h->n_routes + 1, sizeof(*h->routes));
	h->routes[h->n_routes++] = (struct http_route){ .methods = xstrdup(methods), .path = xstrdup(path),
	    .len = len, .prefix = path[len] == '*', .param = path[len] == '{', .suffix = xstrdup(end != NULL ? end + 1 : ""), .f = f, .ws = ws, .priv = priv };
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

void
http_guard(struct http *h, http_guard_f *f, void *priv)
{
	h->guard = f;
	h->guard_priv = priv;
}

static int
path_matches(const struct http_route *r, const char *path, size_t len)
{
	size_t suffix = strlen(r->suffix);

	if (len < r->len || memcmp(path, r->path, r->len) != 0)
		return 0;
	if (r->param)
		return len > r->len + suffix && strcmp(path + len - suffix, r->suffix) == 0;
	return r->prefix || len == r->len;
}

/* The more of the path is literal, the better. */
static size_t
rank(const struct http_route *r)
{
	return 2 * (r->len + strlen(r->suffix)) + (!r->prefix && !r->param);
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
		if (best == NULL || rank(r) > rank(best))
			best = r;
	}
	return best;
}

char *
http_route_tail(const struct http_route *r, const char *path)
{
	return xstrndup(path + r->len, strlen(path) - r->len - strlen(r->suffix));
}

void
http_allowed(struct http *h, const char *path, struct buf *out)
{
	static const char *const methods[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" };
	const struct http_route *best = http_find_route(h, NULL, path, 0), *r;
	size_t i;

	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if ((r = http_find_route(h, methods[i], path, 0)) != NULL && rank(r) == rank(best))
			(void)buf_printf(out, "%s%s", buf_size(out) > 0 ? ", " : "", methods[i]);
	(void)buf_append(out, "", 1);
}

void
http_headers(struct http *h, const char *const *pairs)
{
	h->headers = pairs;
}
