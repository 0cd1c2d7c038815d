#include "poison.h"

#include <inttypes.h>
#include <stdlib.h>

#include "log/log.h"
#include "mem/mem.h"

void
poison_fini(struct poison *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->list[i].why);
	free(p->list);
	*p = (struct poison){ 0 };
}

const char *
poison_why(const struct poison *p, uint64_t seq)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->list[i].seq == seq)
			return p->list[i].why;
	return NULL;
}

static void
add(struct poison *p, uint64_t seq, const char *why)
{
	log_warn("event %" PRIu64 " is put aside: the database refuses it: %s", seq, why);
	p->list = xreallocarray(p->list, p->n + 1, sizeof *p->list);
	p->list[p->n++] = (struct poisoned){ seq, xstrdup(why) };
}

int
poison_refused(struct poison *p, const struct batch *b, const struct pg_error *e)
{
	uint64_t seq = batch_culprit(b, e->context);

	log_debug("a batch of %zu events is refused: %s; %s", b->events, e->message, e->context);
	if (seq == 0 && b->events == 1)
		seq = b->to;
	if (poison_why(p, seq) != NULL)
		return -1;
	if (seq != 0) {
		add(p, seq, e->message);
		return 0;
	}
	if (p->limit == 0 || b->to > p->until)
		p->until = b->to;
	p->found = 0;
	p->limit = b->events / 2;
	return 0;
}

void
poison_stored(struct poison *p, uint64_t stored)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->n; i++) {
		if (p->list[i].seq > stored) {
			p->list[kept++] = p->list[i];
			continue;
		}
		free(p->list[i].why);
		p->found = 1;
	}
	p->n = kept;
	if (p->found)
		p->limit *= 2;
	if (stored >= p->until)
		p->limit = 0;
}
