/* filter: a jq program applied to event lines.  The only user of jq.h.
 *
 * In process, for programs that the operator starts himself (dt-tap -f): struct filter.  There is no limit on time and memory, and `env` and the
 * operator's ~/.jq are there as with jq.
 * In a child process, for programs that come over a socket: struct filter_child.  The child has no environment, no descriptors but its own, can open
 * no file, has FILTER_CHILD_BYTES of memory, and little time: one that computes for FILTER_CHILD_MS without an answer is killed.  A bad program costs
 * its subscriber, never the bus. */
#ifndef FILTER_H
#define FILTER_H
#include <stddef.h>
#include <stdint.h>

#include "loop/loop.h"

#define FILTER_OUTPUTS_MAX 1000      /* outputs of one event; more is an error */
#define FILTER_CHILD_MS 1000         /* of processor time; ten times that of any time */
#define FILTER_CHILD_BYTES (256u << 20)
#define FILTER_CHILD_LINES 1024      /* fed and not answered */

struct filter;
/* NULL when the program does not compile: *error says why (free it). */
struct filter *filter_new(const char *program, char **error);
void filter_free(struct filter **);

/* Runs the program on a gated line.  Each output is handed over as JSON text without newline; one that equals the input is handed over as the input's own
 * bytes.  false, null and empty are no output when drop_false is set.  0, or -1 with filter_error. */
typedef void filter_output_f(void *priv, const char *json, size_t len);
int filter_run(struct filter *, const char *line, size_t len, int drop_false, filter_output_f *, void *priv);
const char *filter_error(const struct filter *);
/* Does the line pass: is there an output that is neither false nor null?  1, 0, or -1 with filter_error (counts as no). */
int filter_match(struct filter *, const char *line, size_t len);
/* What is called, and must not return, when a program in process finds no memory; otherwise that aborts. */
void filter_on_no_memory(void (*f)(void *priv), void *priv);

struct filter_child;
struct filter_child_config {
	const char *program;
	void (*on_verdict)(void *priv, int pass);        /* one per line fed, in order; an error of the program on a line is a no */
	void (*on_dead)(void *priv, const char *reason); /* does not compile, too slow, out of memory: no verdict will come any more */
	void *priv;
};
/* Copies the config, the program included; the child compiles it meanwhile.  NULL with errno when no child can be made. */
struct filter_child *filter_child_new(const struct filter_child_config *);
void filter_child_free(struct filter_child **);          /* also from within its callbacks */
struct pollable *filter_child_pollable(struct filter_child *);
/* Copies the line.  0, or -1 when the child has enough to do (room again after a verdict) or is dead.  A child that waits takes any line. */
int filter_child_feed(struct filter_child *, const char *line, size_t len);
size_t filter_child_pending(const struct filter_child *);        /* lines fed and not answered */

#endif
