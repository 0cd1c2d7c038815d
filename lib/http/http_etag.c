/* Answers that may be asked for again. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "http/http.h"
#include "http/http_int.h"

int
http_has_etag(const char *list, const char *etag)
{
	if (strncmp(etag, "W/", 2) == 0)
		etag += 2;
	return list != NULL && (strcmp(list, "*") == 0 || strstr(list, etag) != NULL);
}

static uint64_t
mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

static uint64_t
hash(const char *p, size_t len)
{
	uint64_t h = len, word;

	for (; len >= sizeof(word); p += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		h = mix(h, word);
	}
	word = 0;
	memcpy(&word, p, len);
	return mix(mix(h, word), h >> 32);
}

int
http_reply_unchanged(struct http_req *r, const char *etag)
{
	http_reply_header(r, "etag", etag);
	if (!http_has_etag(http_req_header(r, "if-none-match"), etag))
		return 0;
	http_req_serve_bytes(r, 304, NULL, NULL, "", 0);
	return 1;
}

/* Weak: with gzip the bytes are others. */
void
http_reply_cached(struct http_req *r, const char *type, const char *body, size_t len)
{
	char etag[32];

	snprintf(etag, sizeof(etag), "W/\"%016" PRIx64 "\"", hash(body, len));
	if (!http_reply_unchanged(r, etag))
		http_reply(r, 200, type, body, len);
}

void
http_reply_ready(struct http_req *r, const char *type, const char *body, size_t len, const char *gzipped, size_t gzipped_len)
{
	int zip = gzipped != NULL && http_req_accepts_gzip(r);

	http_reply_header(r, "vary", "accept-encoding");
	http_req_serve_bytes(r, 200, type, zip ? "gzip" : NULL, zip ? gzipped : body, zip ? gzipped_len : len);
}
