/* ndjson: cut a byte stream into lines.
 * The line handed to the callback is borrowed, without its line end ("\n" or "\r\n"), and valid only during the call.
 * Where a whole line lies in the bytes fed, it is handed over in place; only a line that crosses two feeds is copied.
 * A line over max_line is counted, skipped to its newline and reported once (line NULL, len = max_line); it never ends the stream.
 * Empty lines are skipped and counted. */
#ifndef NDJSON_H
#define NDJSON_H
#include <stddef.h>

struct ndjson;
typedef int ndjson_line_f(void *priv, const char *line, size_t len);   /* non-zero stops the feed */

struct ndjson *ndjson_new(size_t max_line);
void ndjson_free(struct ndjson **);

/* Returns how many of the bytes were taken: all of them, or up to and with the line at which the callback stopped. */
size_t ndjson_feed(struct ndjson *, const char *data, size_t len, ndjson_line_f *, void *priv);
int ndjson_end(struct ndjson *, ndjson_line_f *, void *priv);   /* end of input: hand over a last line without newline; the callback's answer */
size_t ndjson_pending(const struct ndjson *);                   /* bytes of an unfinished line */
size_t ndjson_skipped(const struct ndjson *);                   /* lines over max_line so far */
size_t ndjson_empty(const struct ndjson *);                     /* empty lines so far */

#endif
