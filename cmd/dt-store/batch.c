#include "batch.h"

#include <assert.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "binary.h"
#include "column.h"
#include "mem/mem.h"
#include "stat/stat.h"

#define PART_MAX (256u << 20)
#define STAGE_DELETED_MAX 2000
#define SQL_MAX (64u << 20)
#define KEEP_MAX (1u << 20)              /* of a part's memory between batches, unless an eighth of it was used: a burst of inventories does not stay */
#define KEEP_PART 8

static const char *const words[] = {
#define REASON(id, word) word,
#include "reasons.def"
#undef REASON
};
static const struct part dead_letters = {
	.copy = "copy dt.dead_letters (journal, seq, received_at, reason, event) from stdin;",
};

const char *
reason_word(enum reason reason)
{
	return words[reason];
}

/* ---- filling ---- */

static const struct part *
part_at(const struct batch *b, int part)
{
	return part < b->sink->n_parts ? &b->sink->parts[part] : &dead_letters;
}

void
batch_init(struct batch *b, const struct sink *sink)
{
	*b = (struct batch){ .sink = sink };
	b->set = xcalloc((size_t)sink->n_parts + 1, sizeof *b->set);
	b->piece = xcalloc((size_t)sink->n_parts + 1, sizeof *b->piece);
	for (int i = 0; i <= sink->n_parts; i++)
		buf_init(&b->set[i].buf, PART_MAX);
	buf_init(&b->sql, SQL_MAX);
	if (sink->own_new != NULL)
		b->own = sink->own_new();
}

void
batch_fini(struct batch *b)
{
	for (int i = 0; i <= b->sink->n_parts; i++) {
		buf_fini(&b->set[i].buf);
		free(b->set[i].seq);
	}
	free(b->set);
	free(b->piece);
	if (b->own != NULL)
		b->sink->own_free(b->own);
	buf_fini(&b->sql);
}

void
batch_clear(struct batch *b)
{
	int large = 0;

	b->journal[0] = '\0';
	b->from = b->to = b->row_seq = 0;
	b->events = b->rows = b->bytes = 0;
	for (int i = 0; i <= b->sink->n_parts; i++) {
		if (b->set[i].buf.cap > KEEP_MAX && buf_size(&b->set[i].buf) < b->set[i].buf.cap / KEEP_PART) {
			buf_fini(&b->set[i].buf);
			large = 1;
		}
		buf_clear(&b->set[i].buf);
		b->set[i].n = 0;
		b->set[i].merged = 0;
	}
	if (b->own != NULL)
		b->sink->own_clear(b->own);
	memset(b->times, 0, sizeof b->times);
	memset(b->dead, 0, sizeof b->dead);
	buf_clear(&b->sql);
	b->n_pieces = 0;
	if (large)
		(void)malloc_trim(0);
}

void
batch_begin(struct batch *b, int part)
{
	if (part_at(b, part)->binary && buf_size(&b->set[part].buf) == 0)
		(void)buf_append(&b->set[part].buf, BINARY_HEAD, BINARY_HEAD_BYTES);
}

char *
batch_row(struct batch *b, int part, size_t n)
{
	char *p;

	batch_begin(b, part);
	p = buf_reserve(&b->set[part].buf, n);

	assert(p != NULL);               /* batches are sealed long before PART_MAX */
	return p;
}

void
batch_row_end(struct batch *b, int part, const char *end)
{
	struct rowset *set = &b->set[part];
	size_t n = (size_t)(end - (set->buf.p + set->buf.len));

	buf_added(&set->buf, n);
	if (set->n == set->cap) {
		set->cap = set->cap ? 2 * set->cap : 256;
		set->seq = xreallocarray(set->seq, set->cap, sizeof *set->seq);
	}
	set->seq[set->n++] = b->row_seq != 0 ? b->row_seq : b->to;
	if (!part_at(b, part)->names)
		b->rows++;
	b->bytes += n;
}

/* Bytes that are not printable UTF-8 text become \xHH: what was no event may be anything. */
static char *
put_safe(char *out, const char *s, size_t len, int trusted)
{
	static const char hex[] = "0123456789ABCDEF";

	if (trusted)
		return pg_copy_escape(out, s, len);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c >= ' ' && c < 0x7f && c != '\\') {
			*out++ = (char)c;
			continue;
		}
		memcpy(out, "\\\\x", 3);
		out[3] = hex[c >> 4];
		out[4] = hex[c & 15];
		out += 5;
	}
	return out;
}

void
batch_dead_letter(struct batch *b, uint64_t seq, int64_t rx_us, enum reason reason, const char *detail, const char *line, size_t len)
{
	int trusted = reason != REASON_NOT_EVENT;
	size_t detail_len = text_whole_characters(detail, strlen(detail), 500);
	char *p;

	len = text_whole_characters(line, len, EVENT_TEXT_MAX);
	p = batch_row(b, b->sink->n_parts, JOURNAL_ID_MAX * 2 + 200 + 2 * detail_len + 5 * len);
	p = pg_copy_escape(p, b->journal, strlen(b->journal));
	p += sprintf(p, "\t%" PRIu64 "\t", seq);
	p = pg_copy_time(p, rx_us);
	p += sprintf(p, "\t%s%s", reason_word(reason), detail_len ? ": " : "");
	p = pg_copy_escape(p, detail, detail_len);
	*p++ = '\t';
	p = put_safe(p, line, len, trusted);
	*p++ = '\n';
	batch_row_end(b, b->sink->n_parts, p);
	b->dead[reason]++;
}

int
batch_culprit_row(const struct batch *b, const char *context, int *part, size_t *row)
{
	unsigned long line;
	char relation[64];

	if (sscanf(context, "COPY %63[a-z0-9_], line %lu", relation, &line) != 2 || line == 0)
		return 0;
	*row = line - 1;
	for (*part = 0; *part < b->sink->n_parts; (*part)++)
		if (b->sink->parts[*part].relation != NULL && strcmp(b->sink->parts[*part].relation, relation) == 0)
			return *row < b->set[*part].n;
	return 0;
}

uint64_t
batch_culprit(const struct batch *b, const char *context)
{
	size_t row;
	int part;

	return batch_culprit_row(b, context, &part, &row) ? b->set[part].seq[row] : 0;
}

/* ---- composing ---- */

/* ON COMMIT DELETE ROWS would cost every transaction that touches a stage the truncation of all of them, a dozen files: longer than all else in a small batch.
 * Deleted rows stay in the file, so now and then it is truncated after all. */
void
batch_empty_stage(struct batch *b, int part, size_t n)
{
	struct rowset *set = &b->set[part];
	char name[64];

	if (sscanf(part_at(b, part)->stage, "create temp table if not exists %63[a-z_]", name) != 1)
		assert(!"a stage is a temporary table");
	set->deleted += n;
	(void)buf_printf(&b->sql, "%s %s;", set->deleted > STAGE_DELETED_MAX ? "truncate" : "delete from", name);
	if (set->deleted > STAGE_DELETED_MAX)
		set->deleted = 0;
}

static void
add_part(struct batch *b, int i, void *state)
{
	const struct part *part = part_at(b, i);

	if (part->step != NULL)
		part->step(state, b, &b->sql);
	if (b->set[i].n == 0)
		return;
	if (part->binary)
		(void)buf_append(&b->set[i].buf, BINARY_END, BINARY_END_BYTES);
	(void)buf_appends(&b->sql, part->copy);
	b->piece[b->n_pieces++] = (struct pg_piece){ buf_data(&b->set[i].buf), buf_size(&b->set[i].buf) };
	if (part->then == NULL)
		return;
	(void)buf_appends(&b->sql, part->then);
	(void)buf_appends(&b->sql, ";");
	if (part->stage != NULL)
		batch_empty_stage(b, i, b->set[i].n);
}

void
batch_compose(struct batch *b, void *state)
{
	if (b->journal[0] != '\0') {
		(void)buf_printf(&b->sql, "select dt.advance('%s', ", b->sink->name);
		(void)pg_append_literal(&b->sql, b->journal, strlen(b->journal));
		(void)buf_printf(&b->sql, ", %" PRIu64 ", %" PRIu64 ");", b->from, b->to);
	}
	for (int i = 0; i <= b->sink->n_parts; i++)
		add_part(b, i, state);
	(void)buf_append(&b->sql, "", 1);
}

/* ---- what became of it ---- */

void
batch_said(struct batch *b, void *state, const struct pg_row *row)
{
	const char *column = pg_column_name(row, 0);

	for (int i = 0; i < b->sink->n_parts; i++) {
		const char *merged = b->sink->parts[i].merged;
		if (merged == NULL || strcmp(merged, column) != 0)
			continue;
		b->set[i].merged = pg_int(row, 0, 0);
		return;
	}
	if (b->sink->row != NULL)
		b->sink->row(state, b, row);
}

void
batch_count(const struct batch *b)
{
	static const char *const odd[TIME_COUNT] = { "late", "future", "unreadable" };

	for (int i = 0; i < b->sink->n_parts; i++) {
		const struct part *part = &b->sink->parts[i];
		int64_t n = (int64_t)b->set[i].n;
		if (part->table == NULL)
			continue;
		*stat_cell(STAT_STORE_ROWS, part->table) += part->merged ? b->set[i].merged : n;
		if (part->merged != NULL)
			*stat_cell(STAT_STORE_DUPLICATES, part->table) += n - b->set[i].merged;
	}
	for (int i = 0; i < REASON_COUNT; i++)
		if (b->dead[i] > 0)
			*stat_cell(STAT_STORE_REJECTED, reason_word((enum reason)i)) += b->dead[i];
	for (int i = 0; i < TIME_COUNT; i++)
		*stat_cell(STAT_STORE_TIMES, odd[i]) += b->times[i];
	stat_add(STAT_STORE_EVENTS, (int64_t)b->events);
	stat_add(STAT_STORE_BATCHES, 1);
	stat_add(STAT_STORE_BYTES, (int64_t)b->bytes);
}
