#include "ndjson/ndjson.h"

#include <stdlib.h>
#include <string.h>

#include "buf/buf.h"
#include "mem/mem.h"

struct ndjson {
	struct buf part;         /* an unfinished line */
	size_t max_line;
	int skipping;            /* inside a line that is too long */
	size_t skipped, empty;
};

struct ndjson *
ndjson_new(size_t max_line)
{
	struct ndjson *n = xcalloc(1, sizeof *n);

	n->max_line = max_line;
	buf_init(&n->part, max_line + 2);        /* a '\r' may follow a line of the full length */
	return n;
}

void
ndjson_free(struct ndjson **np)
{
	if (*np == NULL)
		return;
	buf_fini(&(*np)->part);
	free(*np);
	*np = NULL;
}

static int
hand_over(struct ndjson *n, const char *line, size_t len, ndjson_line_f *f, void *priv)
{
	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (len == 0) {
		n->empty++;
		return 0;
	}
	if (len > n->max_line) {
		n->skipped++;
		return f(priv, NULL, n->max_line);
	}
	return f(priv, line, len);
}

/* Keep the beginning of a line; once it is too long, forget it and skip to its end. */
static int
keep(struct ndjson *n, const char *data, size_t len, ndjson_line_f *f, void *priv)
{
	if (n->skipping || buf_append(&n->part, data, len) == 0)
		return 0;
	buf_fini(&n->part);
	n->skipping = 1;
	n->skipped++;
	return f(priv, NULL, n->max_line);
}

static int
finish(struct ndjson *n, const char *data, size_t len, ndjson_line_f *f, void *priv)
{
	int stop = keep(n, data, len, f, priv);

	if (!n->skipping)
		stop = hand_over(n, buf_data(&n->part), buf_size(&n->part), f, priv);
	n->skipping = 0;
	if (n->part.cap > 65536)
		buf_fini(&n->part);              /* one long line does not cost its memory for ever */
	else
		buf_clear(&n->part);
	return stop;
}

size_t
ndjson_feed(struct ndjson *n, const char *data, size_t len, ndjson_line_f *f, void *priv)
{
	const char *p = data, *end = data + len, *nl;

	while (p < end && (nl = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		int stop = n->skipping || buf_size(&n->part) > 0
		    ? finish(n, p, (size_t)(nl - p), f, priv)
		    : hand_over(n, p, (size_t)(nl - p), f, priv);
		p = nl + 1;
		if (stop)
			return (size_t)(p - data);
	}
	if (p < end)
		(void)keep(n, p, (size_t)(end - p), f, priv);
	return len;
}

int
ndjson_end(struct ndjson *n, ndjson_line_f *f, void *priv)
{
	if (n->skipping || buf_size(&n->part) > 0)
		return finish(n, "", 0, f, priv);
	return 0;
}

size_t
ndjson_pending(const struct ndjson *n)
{
	return buf_size(&n->part);
}

size_t
ndjson_skipped(const struct ndjson *n)
{
	return n->skipped;
}

size_t
ndjson_empty(const struct ndjson *n)
{
	return n->empty;
}
