#include "origin.h"

#include <string.h>
#include <strings.h>

#include "stat/stat.h"

static int
is_loopback_name(const char *host)
{
	size_t n = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");

	return host[0] == '[' || strspn(host, "0123456789.") == n || (n == 9 && strncasecmp(host, "localhost", 9) == 0) ||
	    (n > 10 && strncasecmp(host + n - 10, ".localhost", 10) == 0);
}

/* What a browser says of the page's origin is our own host, and that is no name which somebody else's name server may point at us. */
int
origin_is_ours(const struct http_req *req, int any_host)
{
	const char *origin = http_req_header(req, "origin"), *host = http_req_header(req, "host");
	const char *proto = http_req_header(req, "x-forwarded-proto");       /* claimed or true, it only makes this stricter */
	const char *after = origin != NULL ? strstr(origin, "://") : NULL;

	if (origin == NULL)
		return 1;
	if (strncmp(origin, "https://", 8) != 0 && (strncmp(origin, "http://", 7) != 0 || (proto != NULL && strcasecmp(proto, "https") == 0)))
		return 0;
	return host != NULL && after != NULL && strcasecmp(after + 3, host) == 0 && (any_host || is_loopback_name(host));
}

int
origin_required(struct http_req *req, int any_host)
{
	const char *site = http_req_header(req, "sec-fetch-site"), *host = http_req_header(req, "host");
	int said = site != NULL || http_req_header(req, "origin") != NULL;

	if (said && origin_is_ours(req, any_host) && (site == NULL || strcmp(site, "same-origin") == 0) && host != NULL && (any_host || is_loopback_name(host)))
		return 0;
	(*stat_cell(STAT_SERVE_REJECTED, "foreign_origin"))++;
	http_reply_error(req, 403, "foreign_origin", "what changes something needs an Origin or Sec-Fetch-Site header that says: from a page of this server");
	return -1;
}
