/* The addresses that we connect to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/http_int.h"
#include "mem/mem.h"

int
http_url_parse(const char *url, struct http_url *u)
{
	const char *p, *end;
	char *tail;
	long port;

	*u = (struct http_url){ .port = 80 };
	if (strncmp(url, "ws+unix://", 10) == 0) {
		p = url + 10;
		end = p + strcspn(p, ":");
		u->address = xasprintf("+%.*s", (int)(end - p), p);      /* lws's sign for a UNIX socket */
		u->path = xstrdup(*end == ':' && end[1] != '\0' ? end + 1 : "/");
		snprintf(u->host, sizeof(u->host), "localhost");
		return *p == '/' ? 0 : -1;
	}
	if (strncmp(url, "ws://", 5) != 0)
		return -1;
	p = url + 5;
	end = p + strcspn(p, "/?");
	snprintf(u->host, sizeof(u->host), "%.*s", (int)(end - p), p);
	u->path = *end == '/' ? xstrdup(end) : xasprintf("/%s", end);
	if (*p == '[' && memchr(p, ']', (size_t)(end - p)) != NULL) {
		u->address = xstrndup(p + 1, strcspn(p, "]") - 1);
		p += strcspn(p, "]") + 1;
	} else {
		u->address = xstrndup(p, strcspn(p, ":/?"));
		p += strcspn(p, ":/?");
	}
	if (*p == ':') {
		port = strtol(p + 1, &tail, 10);
		if (tail != end || port < 1 || port > 65535)
			return -1;
		u->port = (int)port;
	} else if (p != end)
		return -1;
	return u->address[0] != '\0' ? 0 : -1;
}
