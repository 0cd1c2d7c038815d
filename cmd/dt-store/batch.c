#include "batch.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem/mem.h"
#include "sql.h"

#define PART_MAX (256u << 20)
#define SQL_MAX (64u << 20)

static const char *const words[] = {
#define REASON(id, word) word,
#include "reasons.def"
#undef REASON
};
static const char *const series_names[SERIES_COUNT] = { "telemetry", "spawns" };

static const struct { const char *copy, *then, *relation; } parts[PART_COUNT] = {
	[PART_CHARACTERS] = { "copy dt.characters (id, name) from stdin;", NULL, NULL },
	[PART_MOBS] = { "copy dt.mobs from stdin;", NULL, NULL },
	[PART_SESSIONS] = { "copy dt.sessions (id, character_id, session, first_at) from stdin;", NULL, NULL },
	[PART_TELEMETRY] = { "copy dt.telemetry from stdin;", NULL, "telemetry" },
	[PART_SPAWNS] = { "copy dt.spawns from stdin;", NULL, "spawns" },
	[PART_TELEMETRY_AGAIN] = { "copy stage_telemetry from stdin;", sql_merge_telemetry, "stage_telemetry" },
	[PART_SPAWNS_AGAIN] = { "copy stage_spawns from stdin;", sql_merge_spawns, "stage_spawns" },
	[PART_RARES] = { "copy stage_rares from stdin;", sql_merge_rares, "stage_rares" },
	[PART_PORTALS] = { "copy stage_portals from stdin;", sql_merge_portals, "stage_portals" },
	[PART_DEAD] = { "copy dt.dead_letters (journal, seq, received_at, reason, event) from stdin;", NULL, NULL },
};

const char *
reason_word(enum reason reason)
{
	return words[reason];
}

/* ---- days ---- */

static size_t
days_at(const struct days *d, int64_t day)
{
	size_t lo = 0, hi = d->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (d->day[mid] < day)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int
days_have(const struct days *d, int64_t day)
{
	size_t at = days_at(d, day);

	return at < d->n && d->day[at] == day;
}

int
days_add(struct days *d, int64_t day)
{
	size_t at = days_at(d, day);

	if (at < d->n && d->day[at] == day)
		return 0;
	if (d->n == d->cap) {
		d->cap = d->cap ? 2 * d->cap : 16;
		d->day = xreallocarray(d->day, d->cap, sizeof *d->day);
	}
	memmove(d->day + at + 1, d->day + at, (d->n - at) * sizeof *d->day);
	d->day[at] = day;
	d->n++;
	return 1;
}

void
days_fini(struct days *d)
{
	free(d->day);
	*d = (struct days){ 0 };
}

/* ---- filling ---- */

void
batch_init(struct batch *b)
{
	*b = (struct batch){ 0 };
	for (int i = 0; i < PART_COUNT; i++)
		buf_init(&b->part[i], PART_MAX);
	buf_init(&b->sql, SQL_MAX);
}

void
batch_fini(struct batch *b)
{
	for (int i = 0; i < PART_COUNT; i++) {
		buf_fini(&b->part[i]);
		free(b->row_seq[i]);
	}
	for (int i = 0; i < SERIES_COUNT; i++)
		days_fini(&b->days[i]);
	buf_fini(&b->sql);
}

void
batch_clear(struct batch *b)
{
	b->journal[0] = '\0';
	b->from = b->to = 0;
	b->events = b->rows = b->bytes = 0;
	for (int i = 0; i < PART_COUNT; i++)
		buf_clear(&b->part[i]);
	memset(b->n, 0, sizeof b->n);
	for (int i = 0; i < SERIES_COUNT; i++)
		b->days[i].n = 0;
	memset(b->times, 0, sizeof b->times);
	memset(b->dead, 0, sizeof b->dead);
	memset(b->merged, 0, sizeof b->merged);
	b->merged_rares = 0;
	buf_clear(&b->sql);
	b->n_pieces = 0;
}

char *
batch_row(struct batch *b, enum part part, size_t n)
{
	char *p = buf_reserve(&b->part[part], n);

	assert(p != NULL);               /* batches are sealed long before PART_MAX */
	return p;
}

void
batch_row_end(struct batch *b, enum part part, const char *end)
{
	struct buf *buf = &b->part[part];
	size_t n = (size_t)(end - (buf->p + buf->len));

	buf_added(buf, n);
	if (b->n[part] == b->row_cap[part]) {
		b->row_cap[part] = b->row_cap[part] ? 2 * b->row_cap[part] : 256;
		b->row_seq[part] = xreallocarray(b->row_seq[part], b->row_cap[part], sizeof *b->row_seq[part]);
	}
	b->row_seq[part][b->n[part]++] = b->to;
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

static size_t
whole_characters(const char *s, size_t len, size_t max)
{
	if (len <= max)
		return len;
	for (len = max; len > 0 && ((unsigned char)s[len] & 0xc0) == 0x80; len--)
		;
	return len;
}

void
batch_dead_letter(struct batch *b, uint64_t seq, int64_t rx_us, enum reason reason, const char *detail, const char *line, size_t len)
{
	int trusted = reason != REASON_NOT_EVENT;
	size_t detail_len = strlen(detail);
	char *p;

	if (detail_len > 500)
		detail_len = whole_characters(detail, detail_len, 500);
	len = whole_characters(line, len, EVENT_TEXT_MAX);
	p = batch_row(b, PART_DEAD, JOURNAL_ID_MAX * 2 + 200 + 2 * detail_len + 5 * len);
	p = pg_copy_escape(p, b->journal, strlen(b->journal));
	p += sprintf(p, "\t%" PRIu64 "\t", seq);
	p = pg_copy_time(p, rx_us);
	p += sprintf(p, "\t%s%s", reason_word(reason), detail_len ? ": " : "");
	p = pg_copy_escape(p, detail, detail_len);
	*p++ = '\t';
	p = put_safe(p, line, len, trusted);
	*p++ = '\n';
	batch_row_end(b, PART_DEAD, p);
	b->dead[reason]++;
}

uint64_t
batch_culprit(const struct batch *b, const char *context)
{
	unsigned long line;
	char relation[64];

	if (sscanf(context, "COPY %63[a-z_], line %lu", relation, &line) != 2 || line == 0)
		return 0;
	for (int i = 0; i < PART_COUNT; i++)
		if (parts[i].relation != NULL && strcmp(parts[i].relation, relation) == 0)
			return line <= b->n[i] ? b->row_seq[i][line - 1] : 0;
	return 0;
}

/* ---- composing ---- */

static void
ensure_days(struct batch *b, enum series series, struct days *known)
{
	const char *separator = "";
	int begun = 0;

	for (size_t i = 0; i < b->days[series].n; i++) {
		if (!days_add(known, b->days[series].day[i]))
			continue;
		if (!begun)
			(void)buf_printf(&b->sql, "select dt.ensure_days('%s', array[", series_names[series]);
		begun = 1;
		(void)buf_printf(&b->sql, "%sdate '1970-01-01' + %" PRId64, separator, b->days[series].day[i]);
		separator = ",";
	}
	if (begun)
		(void)buf_appends(&b->sql, "]);");
}

static void
add_part(struct batch *b, enum part part)
{
	if (b->n[part] == 0)
		return;
	(void)buf_appends(&b->sql, parts[part].copy);
	b->piece[b->n_pieces++] = (struct pg_piece){ buf_data(&b->part[part]), buf_size(&b->part[part]) };
	if (parts[part].then == NULL)
		return;
	(void)buf_appends(&b->sql, parts[part].then);
	(void)buf_appends(&b->sql, ";");
}

void
batch_compose(struct batch *b, const char *sink, struct state *state, struct days known[SERIES_COUNT])
{
	if (b->journal[0] != '\0') {
		(void)buf_printf(&b->sql, "select dt.advance('%s', ", sink);
		(void)pg_append_literal(&b->sql, b->journal, strlen(b->journal));
		(void)buf_printf(&b->sql, ", %" PRIu64 ", %" PRIu64 ");", b->from, b->to);
	}
	for (int i = 0; i < SERIES_COUNT; i++)
		ensure_days(b, (enum series)i, &known[i]);
	for (int i = 0; i < PART_RARES; i++)
		add_part(b, (enum part)i);
	state_save(state, &b->sql);          /* a rare looks for the session it fell into */
	for (int i = PART_RARES; i < PART_COUNT; i++)
		add_part(b, (enum part)i);
	(void)buf_append(&b->sql, "", 1);
}
