/* The segments that the writing side knows, each as long as somebody reads it. */
#include <assert.h>
#include <stdlib.h>

#include "journal/writer.h"
#include "mem/mem.h"

struct jseg *
jseg_new(struct journal *j, uint64_t first)
{
	struct jseg *s = xcalloc(1, sizeof *s);

	s->first = first;
	s->first_rx_us = NO_TIME;
	s->refs = 1;
	s->dirfd = j->dirfd;
	if (j->n_segs > 0)
		journal_last_seg(j)->end_seq = first;
	if (j->n_segs == j->cap_segs)
		j->segs = xreallocarray(j->segs, j->cap_segs = j->cap_segs ? 2 * j->cap_segs : 64, sizeof(struct jseg *));
	return j->segs[j->n_segs++] = s;
}

void
jseg_unref(struct jseg *s)
{
	assert(s->refs > 0);
	if (--s->refs == 1 && !s->dropped)
		jfile_close(&s->file);   /* nobody reads it now */
	if (s->refs > 0)
		return;
	jfile_close(&s->file);
	free(s);
}

int
jseg_ready(struct jseg *s)
{
	if (s->file == NULL)
		s->file = jseg_open(s->dirfd, s->first);
	return s->file != NULL ? 0 : -1;
}
