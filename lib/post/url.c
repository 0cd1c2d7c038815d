/* URLs: which may be used, and what of them may be shown. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "post/internal.h"

static int
part(CURLU *u, CURLUPart what, char *out, size_t size)
{
	char *text = NULL;
	int failed = curl_url_get(u, what, &text, 0) != CURLUE_OK || strlen(text) >= size;

	if (!failed)
		(void)snprintf(out, size, "%s", text);
	curl_free(text);
	return failed ? -1 : 0;
}

static int
is_loopback(const char *host)
{
	struct in_addr a;

	return strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 || (inet_pton(AF_INET, host, &a) == 1 && ntohl(a.s_addr) >> 24 == 127);
}

int
post_url_parse(const char *url, struct post_url *out, const char **why)
{
	CURLU *u = curl_url();
	int failed = -1;

	*why = "is no URL";
	if (strlen(url) > 2000 || curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
		goto out;
	*why = "is neither http:// nor https://";
	if (part(u, CURLUPART_SCHEME, out->scheme, sizeof out->scheme) == -1 || (strcmp(out->scheme, "http") != 0 && strcmp(out->scheme, "https") != 0))
		goto out;
	*why = "has no host";
	if (part(u, CURLUPART_HOST, out->host, sizeof out->host) == -1 || out->host[0] == '\0')
		goto out;
	*why = "has a path that is too long";
	if (part(u, CURLUPART_PATH, out->path, sizeof out->path) == -1)
		goto out;
	out->loopback = is_loopback(out->host);
	failed = 0;
out:
	curl_url_cleanup(u);
	return failed;
}

void
post_redact(const char *url, char *out, size_t size)
{
	struct post_url u;
	const char *why;

	if (post_url_parse(url, &u, &why) == -1)
		(void)snprintf(out, size, "(a URL that cannot be read)");
	else
		(void)snprintf(out, size, "%s://%s/%s", u.scheme, u.host, strcmp(u.path, "/") == 0 ? "" : "…");
}

static const char *
secret_at(const char *text, size_t len, const char *const *secrets, size_t *n)
{
	for (; secrets != NULL && *secrets != NULL; secrets++)
		if ((*n = strlen(*secrets)) >= 4 && *n <= len && memcmp(text, *secrets, *n) == 0)
			return *secrets;
	return NULL;
}

void
post_words(const char *text, size_t len, const char *const *secrets, char out[304])
{
	size_t n = 0, skip;

	for (size_t i = 0; i < len && n < 300; i++)
		if (secret_at(text + i, len - i, secrets, &skip) != NULL) {
			out[n++] = '*';
			i += skip - 1;
		} else
			out[n++] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? ' ' : text[i];
	while (n > 0 && n == 300 && ((unsigned char)out[n - 1] & 0x80))          /* no half character */
		n--;
	out[n] = '\0';
}
