/* Files. */
#include "http/http.h"

#include "http/http_int.h"
#include "mem/mem.h"

struct http_static { char *dir; };

void
http_static(struct http *h, const char *dir)
{
	h->files = xcalloc(1, sizeof(*h->files));
	h->files->dir = xstrdup(dir);
}

void
http_static_serve(struct http_static *s, struct http_req *r)
{
	(void)s;
	http_reply_error(r, 404, "not_found", "no such page");
}

void
http_static_free(struct http_static **s)
{
	(void)s;
}
