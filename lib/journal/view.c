/* Reading the journal that this process writes: from the tail in memory, else from the files. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "journal/writer.h"
#include "mem/mem.h"

#define CHUNK (256u << 10)               /* read at a time when a line is longer than what is there */

/* ---- positions ---- */

void
journal_pos_release(struct journal_pos *pos)
{
	if (pos->seg != NULL)
		jseg_unref(pos->seg);
	pos->seg = NULL;
}

static void
place(struct journal_pos *pos, struct jseg *seg, uint64_t off)
{
	seg->refs++;
	journal_pos_release(pos);
	*pos = (struct journal_pos){ seg, off };
}

void
journal_pos_copy(struct journal_pos *to, const struct journal_pos *from)
{
	place(to, from->seg, from->off);
}

int
journal_pos_dropped(const struct journal_pos *pos)
{
	return pos->seg->dropped;
}

int
journal_pos_at_end(const struct journal *j, const struct journal_pos *pos)
{
	return pos->seg == journal_last_seg(j) && pos->off >= pos->seg->size;
}

/* The first segment that begins behind `seq`; n_segs when there is none. */
static size_t
index_after(const struct journal *j, uint64_t seq)
{
	size_t lo = 0, hi = j->n_segs;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (j->segs[mid]->first <= seq)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static uint64_t
text_size(const struct jseg *s)
{
	return s->size == UINT64_MAX ? 8 * s->disk_bytes : s->size;
}

uint64_t
journal_pos_behind(const struct journal *j, const struct journal_pos *pos)
{
	uint64_t n = text_size(pos->seg), sum = pos->off < n ? n - pos->off : 0;

	for (size_t i = index_after(j, pos->seg->first); i < j->n_segs; i++)
		sum += text_size(j->segs[i]);
	return sum;
}

/* ---- text ---- */

/* The block of the file that holds `at`, from memory or read into the place of the one unused for longest. */
static struct jblock *
block_at(struct journal *j, const struct jseg *seg, uint64_t at)
{
	uint64_t off = at - at % JBLOCK;
	struct jblock *b, *oldest = &j->blocks[0];

	for (b = j->blocks; b < j->blocks + JBLOCKS; b++) {
		if (b->text != NULL && b->first == seg->first && b->off == off)
			break;
		if (b->used < oldest->used)
			oldest = b;
	}
	if (b == j->blocks + JBLOCKS) {
		b = oldest;
		if (b->text == NULL)
			b->text = xmalloc(JBLOCK);
		b->first = seg->first;
		b->off = off;
		b->len = 0;
	}
	b->used = ++j->block_clock;
	return b;
}

/* Reads what is not there yet; the last block of the segment being written grows. */
static int
fill_block(struct jblock *b, struct jseg *seg)
{
	uint64_t left = seg->size - b->off;
	size_t want = left < JBLOCK ? (size_t)left : JBLOCK;
	ssize_t n;

	if (b->len >= want)
		return 0;
	if (jseg_ready(seg) == -1 || (n = jfile_read(seg->file, b->off + b->len, b->text + b->len, want - b->len)) == -1)
		return -1;
	b->len += (size_t)n;
	return 0;
}

/* A line that does not end in its block is read for itself. */
static int
read_long(struct journal *j, struct journal_pos *pos, size_t want, const char **text, size_t *len)
{
	uint64_t left = pos->seg->size - pos->off;
	ssize_t n;

	if (want < CHUNK)
		want = CHUNK;
	if (want > left)
		want = (size_t)left;
	if (want > j->scratch_cap || (j->scratch_cap > 4 * CHUNK && want <= CHUNK))
		j->scratch = xrealloc(j->scratch, j->scratch_cap = want);
	if (jseg_ready(pos->seg) == -1 || (n = jfile_read(pos->seg->file, pos->off, j->scratch, want)) == -1)
		return -1;
	*text = j->scratch;
	*len = (size_t)n;
	return n > 0;
}

static int
from_file(struct journal *j, struct journal_pos *pos, size_t want, const char **text, size_t *len)
{
	struct jblock *b = block_at(j, pos->seg, pos->off);

	j->blocks_used = 1;
	if (fill_block(b, pos->seg) == -1)
		return -1;
	if (pos->off - b->off + want > b->len && b->len == JBLOCK)
		return read_long(j, pos, want, text, len);
	if (pos->off - b->off >= b->len)
		return 0;
	*text = b->text + (pos->off - b->off);
	*len = b->len - (size_t)(pos->off - b->off);
	return 1;
}

void
journal_blocks_free(struct journal *j)
{
	for (struct jblock *b = j->blocks; b < j->blocks + JBLOCKS; b++) {
		free(b->text);
		*b = (struct jblock){ 0 };
	}
	free(j->scratch);
	j->scratch = NULL;
	j->scratch_cap = 0;
	j->blocks_used = 0;
}

int
journal_view(struct journal *j, struct journal_pos *pos, size_t want, const char **text, size_t *len)
{
	struct jseg *last = journal_last_seg(j);
	size_t next;
	int r;

	for (;;) {
		if (pos->seg == last && pos->off >= j->tail_off && pos->off < last->size) {
			*text = j->tail + (pos->off - j->tail_off);
			*len = (size_t)(last->size - pos->off);
			return 1;
		}
		r = pos->off < pos->seg->size ? from_file(j, pos, want, text, len) : 0;
		if (r != 0 || pos->seg == last)
			return r;
		next = index_after(j, pos->seg->first);
		assert(next < j->n_segs);
		place(pos, j->segs[next], 0);
	}
}

int
journal_pos_gap(struct journal *j, struct journal_pos *pos, uint64_t *from, uint64_t *to)
{
	char head[96];
	ssize_t n = 0;

	if (!pos->seg->dropped)
		return 0;
	if (pos->off < pos->seg->size && jseg_ready(pos->seg) == 0)
		n = jfile_read(pos->seg->file, pos->off, head, sizeof head);
	if (n <= 0 || jfile_stamp(head, (size_t)n, from, NULL) == -1)
		*from = pos->seg->end_seq;
	*to = journal_first(j) - 1;
	place(pos, j->segs[0], 0);
	return *from <= *to;
}

/* ---- seeking ---- */

struct target {
	struct journal_from from;
	uint64_t next;                   /* the _seq behind the last line passed over */
	int found;
};

static int
passes_over(void *priv, uint64_t off, const char *line, size_t len)
{
	struct target *t = priv;
	uint64_t seq;
	int64_t rx;

	(void)off;
	if (jfile_stamp(line, len, &seq, &rx) == -1)
		return 0;
	t->next = seq;
	if (t->from.kind == JOURNAL_FROM_SEQ ? seq >= t->from.seq : rx >= t->from.rx_us)
		return t->found = 1;
	t->next = seq + 1;
	return 0;
}

static size_t
segment_for(const struct journal *j, struct journal_from from)
{
	size_t best = 0;

	if (from.kind == JOURNAL_FROM_SEQ)
		return index_after(j, from.seq) - 1;
	for (size_t i = 1; i < j->n_segs; i++) {
		if (j->segs[i]->first_rx_us == NO_TIME)
			continue;                /* empty: it says nothing about those before it */
		if (j->segs[i]->first_rx_us >= from.rx_us)
			break;
		best = i;
	}
	return best;
}

static uint64_t
hint(struct journal *j, struct jseg *seg, struct journal_from from)
{
	struct jindex own = { 0 }, *x = seg == journal_last_seg(j) ? &j->index : &own;
	uint64_t off;

	if (x == &own)
		(void)jindex_load(x, j->dirfd, seg->first);
	off = from.kind == JOURNAL_FROM_SEQ ? jindex_seek_seq(x, from.seq) : jindex_seek_time(x, from.rx_us);
	jindex_free(&own);
	return off <= seg->size ? off : seg->size;
}

static void
place_end(struct journal *j, struct journal_pos *pos, uint64_t *seq)
{
	struct jseg *last = journal_last_seg(j);

	place(pos, last, last->size);
	*seq = j->safe_seq + 1;
}

int
journal_seek(struct journal *j, struct journal_from from, struct journal_pos *pos, uint64_t *seq)
{
	struct target t = { .from = from };
	struct jseg *seg;
	uint64_t off;
	int error;

	if (from.kind == JOURNAL_FROM_EARLIEST || (from.kind == JOURNAL_FROM_SEQ && from.seq <= journal_first(j))) {
		place(pos, j->segs[0], 0);
		*seq = journal_first(j);
		return 0;
	}
	if (from.kind == JOURNAL_FROM_END || (from.kind == JOURNAL_FROM_SEQ && from.seq > j->safe_seq)) {
		place_end(j, pos, seq);
		return 0;
	}
	for (size_t i = segment_for(j, from); i < j->n_segs; i++) {
		seg = j->segs[i];
		if (seg->size == 0)
			continue;
		if (jseg_ready(seg) == -1)
			return -1;
		off = jfile_lines(seg->file, hint(j, seg, from), seg->size, passes_over, &t, &error);
		if (seg->refs == 1)
			jfile_close(&seg->file);
		if (error != 0)
			return errno = error, -1;
		if (t.found) {
			place(pos, seg, off);
			*seq = t.next;
			return 0;
		}
	}
	place_end(j, pos, seq);
	return 0;
}
