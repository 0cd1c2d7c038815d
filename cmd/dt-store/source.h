/* source: where the events come from, the bus or a journal or capture on disk, behind one face. */
#ifndef SOURCE_H
#define SOURCE_H
#include <stddef.h>
#include <stdint.h>

#include "loop/loop.h"

struct source;
struct source_config {
	struct loop *loop;
	const char *socket;          /* of events.out; used when path is NULL */
	const char *path;            /* a journal directory or a capture */
	const char *const *types;    /* for the bus */
	void (*on_line)(void *priv, uint64_t seq, const char *line, size_t len);
	void (*on_journal)(void *priv, const char *id);      /* which journal the lines to come are from; "" for a capture */
	void (*on_end)(void *priv);                          /* all that is on disk is read; it goes on when more comes */
	void *priv;
};

struct source *source_new(const struct source_config *);     /* copies it; nothing comes before source_start.  Dies when the path is none */
void source_free(struct source **);
void source_start(struct source *, uint64_t after);          /* also again: from behind that seq; 0: from the earliest */
void source_pause(struct source *, int on);
const char *source_journal(const struct source *);           /* NULL while only the bus knows */

#endif
