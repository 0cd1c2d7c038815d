/* Which requests no handler gets to see, and what they are told. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "buf/utf8.h"
#include "http/http_int.h"

void
http_refuse(struct http_req *r, int status, const char *code, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->close_after = 1;
	r->state = HTTP_REQ_HANDLING;
	http_reply_error(r, status, code, "%s", text);
	http_req_ask(r);
}

static int
repeated(struct http_req *r, enum lws_token_indexes token)
{
	return lws_hdr_fragment_length(r->wsi, token, 0) > 0 && lws_hdr_fragment_length(r->wsi, token, 1) > 0;
}

/* To lws a header whose name ends in a blank is another header; to somebody before us it may be the same. */
static int
has_blank_name(struct http_req *r)
{
	static const char *const names[] = { "host :", "host\t:", "content-length :", "content-length\t:", "transfer-encoding :", "transfer-encoding\t:" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (lws_hdr_custom_length(r->wsi, names[i], (int)strlen(names[i])) >= 0)
			return 1;
	return 0;
}

int
http_check_framing(struct http_req *r, long long *length)
{
	char version[16];
	char *cl = http_token_dup(r->wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH), *te = http_token_dup(r->wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING), *end = NULL;
	int bad = 0;

	*length = -1;
	if (cl != NULL) {
		*length = strtoll(cl, &end, 10);
		bad = cl[strspn(cl, "0123456789")] != '\0' || strlen(cl) > 15 || repeated(r, WSI_TOKEN_HTTP_CONTENT_LENGTH);
	}
	if (lws_hdr_copy(r->wsi, version, sizeof(version), WSI_TOKEN_HTTP) <= 0 ||
	    (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0))
		http_refuse(r, 400, "bad_request", "the HTTP version is neither 1.1 nor 1.0");
	else if (r->method[0] == '\0')
		http_refuse(r, 501, "bad_method", "that method is not known here");
	else if (bad || (cl != NULL && te != NULL))
		http_refuse(r, 400, "bad_request", "the length of the body is not clear");
	else if (te != NULL)
		http_refuse(r, 411, "length_required", "send the body with a Content-Length");
	else if (repeated(r, WSI_TOKEN_HOST) || (!r->http10 && lws_hdr_total_length(r->wsi, WSI_TOKEN_HOST) <= 0))
		http_refuse(r, 400, "bad_request", "exactly one Host header is needed");
	else if (has_blank_name(r))
		http_refuse(r, 400, "bad_request", "a header's name ends in a blank");
	else if (*length > (long long)r->c->h->max_body)
		http_refuse(r, 413, "too_large", "the body may have %zu bytes at the most", r->c->h->max_body);
	free(cl);
	free(te);
	return r->state == HTTP_REQ_READING ? 0 : -1;
}

int
http_check_upgrade(struct http_req *r, const struct http_route *route)
{
	const char *upgrade = http_req_header(r, "upgrade"), *version = http_req_header(r, "sec-websocket-version");
	const char *key = http_req_header(r, "sec-websocket-key");
	long long length;

	if (http_check_framing(r, &length) != 0)
		return -1;
	if (upgrade == NULL || strcasecmp(upgrade, "websocket") != 0 || strcmp(r->method, "GET") != 0 || length > 0)
		http_refuse(r, 400, "bad_upgrade", "only a GET may be upgraded, and only to websocket; ask again without Upgrade");
	else if (route == NULL)
		http_refuse(r, 404, "not_found", "there is no WebSocket at %s", r->path);
	else if (version == NULL || strcmp(version, "13") != 0) {
		http_reply_header(r, "sec-websocket-version", "13");
		http_refuse(r, 426, "bad_upgrade", "only version 13 of WebSocket is spoken here");
	} else if (key == NULL || strlen(key) != 24)
		http_refuse(r, 400, "bad_upgrade", "Sec-WebSocket-Key is not 16 bytes of base64");
	else if (http_req_header(r, "sec-websocket-protocol") != NULL)
		http_refuse(r, 400, "bad_upgrade", "no WebSocket subprotocols are spoken here");
	else if (r->c->h->draining)
		http_refuse(r, 503, "stopping", "the server is stopping");
	return r->state == HTTP_REQ_READING ? 0 : -1;
}

int
http_check_text(struct http_req *r)
{
	size_t i, n = strlen(r->path);

	if (utf8_prefix(r->path, n) < n) {
		http_reply_error(r, 400, "bad_request", "the path is not UTF-8");
		return -1;
	}
	for (i = 0; i < r->n_args; i++) {
		const char *name = r->args[i], *value = name + strlen(name) + 1;
		n = strlen(name);
		if (utf8_prefix(name, n) < n)
			http_reply_error(r, 400, "bad_parameter", "the name of a parameter is not UTF-8");
		else if (n = strlen(value), utf8_prefix(value, n) < n)
			http_reply_error(r, 400, "bad_parameter", "parameter \"%.64s\" is not UTF-8", name);
		else
			continue;
		return -1;
	}
	return 0;
}
