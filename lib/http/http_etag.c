/* Answers that may be asked for again. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/http.h"
#include "http/http_int.h"
#include "mem/mem.h"

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

/* 1: the client has it, and has been told so. */
static int
unchanged(struct http_req *r, const char *etag)
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
	if (!unchanged(r, etag))
		http_reply(r, 200, type, body, len);
}

/* ---- shared bodies ---- */

struct http_body *
http_body_new(const char *type, struct buf *b)
{
	struct http_body *body = xcalloc(1, sizeof(*body));

	body->type = type;
	body->refs = 1;
	body->plain = *b;
	b->p = NULL;
	buf_fini(b);
	snprintf(body->etag, sizeof(body->etag), "W/\"%016" PRIx64 "\"", hash(buf_data(&body->plain), buf_size(&body->plain)));
	return body;
}

void
http_body_drop(struct http_body **bp)
{
	struct http_body *body = *bp;

	*bp = NULL;
	if (body == NULL || --body->refs > 0)
		return;
	buf_fini(&body->plain);
	buf_fini(&body->zipped);
	free(body);
}

static int
zipped(struct http_body *body)
{
	if (!body->tried) {
		body->tried = 1;
		buf_init(&body->zipped, buf_size(&body->plain) + buf_size(&body->plain) / 100 + 1024);
		(void)http_gzip(buf_data(&body->plain), buf_size(&body->plain), &body->zipped);
	}
	return buf_size(&body->zipped) > 0 && buf_size(&body->zipped) < buf_size(&body->plain);
}

void
http_reply_body(struct http_req *r, struct http_body *body)
{
	int zip;

	http_reply_header(r, "vary", "accept-encoding");
	if (unchanged(r, body->etag))
		return;
	zip = http_req_accepts_gzip(r) && zipped(body);
	http_req_serve_body(r, body, zip);
}
