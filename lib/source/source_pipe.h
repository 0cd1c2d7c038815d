/* source_pipe: lines pulled from a pipe or terminal.  A line over the limit comes as its first part, which no gate lets pass.
 * Internal to lib/source. */
#ifndef SOURCE_PIPE_H
#define SOURCE_PIPE_H
#include <stddef.h>

struct source_pipe;
struct source_pipe *source_pipe_new(int fd);
void source_pipe_free(struct source_pipe **);
/* 1, 0 at the end, -1 with errno.  Before a read that has to wait on_wait is called, if it is not NULL; instead of it -1 with EAGAIN if no_wait is set. */
int source_pipe_next(struct source_pipe *, const char **line, size_t *len, int no_wait, void (*on_wait)(void));

#endif
