/* Long answers, in pieces. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "http/http.h"
#include "http/http_int.h"
#include "mem/mem.h"

#define GZIP_LEVEL 1                     /* half as small again would cost three times the time */
#define FILLS 4                          /* pieces that are compressed in one go */

/* Events must not wait for the compression to have a block full. */
static void
begin_zip(struct http_req *r, const char *type)
{
	if (r->is_head || !http_compressible(type) || strncmp(type, "text/event-stream", 17) == 0)
		return;
	http_reply_header(r, "vary", "accept-encoding");
	if (!http_req_accepts_gzip(r))
		return;
	r->zip = xcalloc(1, sizeof(*r->zip));
	if (deflateInit2(r->zip, GZIP_LEVEL, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
		free(r->zip);
		r->zip = NULL;
	}
}

void
http_stream_free_zip(struct http_req *r)
{
	if (r->zip == NULL)
		return;
	(void)deflateEnd(r->zip);
	free(r->zip);
	r->zip = NULL;
}

void
http_stream(struct http_req *r, int status, const char *type, void (*more)(void *priv, struct http_req *), void (*closed)(void *priv), void *priv)
{
	assert(r->state == HTTP_REQ_HANDLING || r->state == HTTP_REQ_DEFERRED);
	if (r->http10)
		r->close_after = 1;
	else
		r->chunked = !r->is_head;
	begin_zip(r, type);
	http_put_head(r, status, type, -1, r->zip != NULL ? "gzip" : NULL);
	r->more = more;
	r->closed = closed;
	r->priv = priv;
	r->ended = r->is_head;
	r->state = r->is_head ? HTTP_REQ_ENDING : HTTP_REQ_STREAMING;
	http_watch(r->c, 1);
	http_req_ask(r);
}

static void
put_chunk(struct http_req *r, const char *data, size_t len)
{
	if (len == 0)
		return;
	if (r->chunked)
		(void)buf_printf(&r->out, "%zx\r\n", len);
	(void)buf_append(&r->out, data, len);
	if (r->chunked)
		(void)buf_append(&r->out, "\r\n", 2);
}

static void
put_zipped(struct http_req *r, const char *data, size_t len, int flush)
{
	static char out[HTTP_CHUNK];

	r->zip->next_in = (Bytef *)(uintptr_t)data;
	r->zip->avail_in = (uInt)len;
	do {
		r->zip->next_out = (Bytef *)out;
		r->zip->avail_out = sizeof(out);
		(void)deflate(r->zip, flush);
		put_chunk(r, out, sizeof(out) - r->zip->avail_out);
	} while (r->zip->avail_out == 0);
}

void
http_stream_write(struct http_req *r, const char *data, size_t len)
{
	if (len == 0 || r->ended || r->state != HTTP_REQ_STREAMING)
		return;
	r->written += len;
	if (r->zip != NULL)
		put_zipped(r, data, len, Z_NO_FLUSH);
	else
		put_chunk(r, data, len);
	if (!r->in_more)
		http_req_ask(r);
}

void
http_stream_abort(struct http_req *r)
{
	http_kill(r->c);
}

void
http_stream_wake(struct http_req *r)
{
	if (r->state == HTTP_REQ_STREAMING && !r->in_more)
		http_req_ask(r);
}

void
http_stream_end(struct http_req *r)
{
	if (r->ended || r->state != HTTP_REQ_STREAMING)
		return;
	if (r->zip != NULL)
		put_zipped(r, "", 0, Z_FINISH);
	r->ended = 1;
	if (r->chunked)
		(void)buf_appends(&r->out, "0\r\n\r\n");
	if (!r->in_more)
		http_req_ask(r);
}

/* Asks the handler for more.  1: it gave some. */
int
http_stream_fill(struct http_req *r)
{
	uint64_t before = r->written, last;
	int i;

	for (i = 0; i < FILLS && r->state == HTTP_REQ_STREAMING && !r->ended && buf_size(&r->out) < HTTP_CHUNK; i++) {
		last = r->written;
		r->in_more = 1;
		r->more(r->priv, r);
		r->in_more = 0;
		if (r->written == last)
			break;
	}
	return r->written != before;
}
