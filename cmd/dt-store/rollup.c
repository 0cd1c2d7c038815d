#include "rollup.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "binary.h"
#include "mem/mem.h"
#include "pg/pg.h"

#define MINUTE_US INT64_C(60000000)
#define HOUR_US INT64_C(3600000000)
#define SLOTS_MIN 256
#define SUMS_COLUMNS (2 + 2 * ROLLUP_MEANS)
#define SUMS_BYTES (12 * SUMS_COLUMNS)       /* at most, with their lengths */

static int64_t
floor_div(int64_t us, int64_t unit)
{
	return us / unit - (us % unit < 0);
}

static uint64_t
mix(uint64_t a, uint64_t b)
{
	uint64_t h = (a * 0x9e3779b97f4a7c15u) ^ (b + 0x7f4a7c15u) * 0xff51afd7ed558ccdu;

	return h ^ h >> 29;
}

static uint64_t
minute_hash(const struct rollup_minute *m)
{
	return mix((uint64_t)m->minute, m->character);
}

static uint64_t
cell_hash(const struct rollup_cell *c)
{
	return mix((uint64_t)c->hour << 32 ^ c->mob, (uint64_t)(uint16_t)c->ew10 << 16 | (uint16_t)c->ns10);
}

/* Twice the slots, all free: the caller puts its elements in again. */
static void
grow_index(struct rollup_index *x)
{
	size_t n = x->slot != NULL ? 2 * (x->mask + 1) : SLOTS_MIN;

	free(x->slot);
	x->slot = xcalloc(n, sizeof *x->slot);
	x->mask = n - 1;
}

static int
is_tight(const struct rollup_index *x, size_t n)
{
	return x->slot == NULL || 2 * (n + 1) > x->mask + 1;
}

static void
put(struct rollup_index *x, uint64_t hash, size_t number)
{
	size_t i = hash & x->mask;

	while (x->slot[i] != 0)
		i = (i + 1) & x->mask;
	x->slot[i] = (uint32_t)number + 1;
}

static struct rollup_minute *
minute_of(struct rollup *r, int64_t minute, uint32_t character)
{
	struct rollup_minute key = { .minute = minute, .character = character, .kills_max = -1 }, *m;
	uint64_t hash = minute_hash(&key);

	if (is_tight(&r->minutes, r->n_minutes)) {
		grow_index(&r->minutes);
		for (size_t i = 0; i < r->n_minutes; i++)
			put(&r->minutes, minute_hash(&r->minute[i]), i);
	}
	for (size_t i = hash & r->minutes.mask; r->minutes.slot[i] != 0; i = (i + 1) & r->minutes.mask) {
		m = &r->minute[r->minutes.slot[i] - 1];
		if (m->minute == minute && m->character == character)
			return m;
	}
	if (r->n_minutes == r->cap_minutes) {
		r->cap_minutes = r->cap_minutes ? 2 * r->cap_minutes : 64;
		r->minute = xreallocarray(r->minute, r->cap_minutes, sizeof *r->minute);
	}
	put(&r->minutes, hash, r->n_minutes);
	r->minute[r->n_minutes] = key;
	return &r->minute[r->n_minutes++];
}

static struct rollup_cell *
cell_of(struct rollup *r, const struct rollup_cell *key)
{
	uint64_t hash = cell_hash(key);

	if (is_tight(&r->cells, r->n_cells)) {
		grow_index(&r->cells);
		for (size_t i = 0; i < r->n_cells; i++)
			put(&r->cells, cell_hash(&r->cell[i]), i);
	}
	for (size_t i = hash & r->cells.mask; r->cells.slot[i] != 0; i = (i + 1) & r->cells.mask) {
		struct rollup_cell *c = &r->cell[r->cells.slot[i] - 1];
		if (c->hour == key->hour && c->mob == key->mob && c->ew10 == key->ew10 && c->ns10 == key->ns10)
			return c;
	}
	if (r->n_cells == r->cap_cells) {
		r->cap_cells = r->cap_cells ? 2 * r->cap_cells : 64;
		r->cell = xreallocarray(r->cell, r->cap_cells, sizeof *r->cell);
	}
	put(&r->cells, hash, r->n_cells);
	r->cell[r->n_cells] = *key;
	return &r->cell[r->n_cells++];
}

void
rollup_fini(struct rollup *r)
{
	free(r->minute);
	free(r->cell);
	free(r->minutes.slot);
	free(r->cells.slot);
	*r = (struct rollup){ 0 };
}

static void
clear_index(struct rollup_index *x)
{
	if (x->slot != NULL)
		memset(x->slot, 0, (x->mask + 1) * sizeof *x->slot);
}

void
rollup_clear(struct rollup *r)
{
	if (r->n_minutes > 0)
		clear_index(&r->minutes);
	if (r->n_cells > 0)
		clear_index(&r->cells);
	r->n_minutes = r->n_cells = 0;
}

void
rollup_add_row(struct rollup *r, int64_t at_us, uint32_t character, int64_t kills, const double mean[ROLLUP_MEANS], size_t row, size_t len)
{
	struct rollup_minute *m = minute_of(r, floor_div(at_us, MINUTE_US), character);

	m->n++;
	if (kills > m->kills_max)
		m->kills_max = kills;
	m->row = row;
	m->row_len = len;
	for (int i = 0; i < ROLLUP_MEANS; i++) {
		if (isnan(mean[i]))
			continue;
		m->mean[i].n++;
		m->mean[i].sum += (float)mean[i];        /* as its column holds it */
	}
}

/* As round(ew * 10) of a real column: halves to the even neighbour. */
static int16_t
tenths(double degrees)
{
	return (int16_t)rint((double)(float)degrees * 10);
}

void
rollup_add_spawn(struct rollup *r, int64_t at_us, uint32_t mob, double ew, double ns)
{
	struct rollup_cell key = { .hour = floor_div(at_us, HOUR_US), .mob = mob, .ew10 = tenths(ew), .ns10 = tenths(ns) };

	cell_of(r, &key)->n++;
}

/* The row with more columns behind. */
static int
write_minute(const struct rollup_minute *m, const char *rows, struct buf *out)
{
	char *row = buf_reserve(out, m->row_len + SUMS_BYTES), *p = row;

	if (row == NULL)
		return -1;
	p = bin_row(p, bin_columns(rows + m->row) + SUMS_COLUMNS);
	memcpy(p, rows + m->row + BINARY_ROW_BYTES, m->row_len - BINARY_ROW_BYTES);
	p += m->row_len - BINARY_ROW_BYTES;
	p = bin_int(p, m->n);
	p = m->kills_max < 0 ? bin_null(p) : bin_int(p, (uint32_t)m->kills_max);
	for (int i = 0; i < ROLLUP_MEANS; i++) {
		p = bin_int(p, m->mean[i].n);
		p = bin_double(p, m->mean[i].sum);
	}
	buf_added(out, (size_t)(p - row));
	return 0;
}

int
rollup_write_minutes(const struct rollup *r, const char *rows, struct buf *out)
{
	int bad = 0;

	for (size_t i = 0; i < r->n_minutes; i++)
		bad |= write_minute(&r->minute[i], rows, out);
	return bad;
}

int
rollup_write_cells(const struct rollup *r, struct buf *out)
{
	char hour[PG_TIME_SIZE];
	int bad = 0;

	for (size_t i = 0; i < r->n_cells; i++) {
		const struct rollup_cell *c = &r->cell[i];
		*pg_copy_time(hour, c->hour * HOUR_US) = '\0';
		bad |= buf_printf(out, "%s\t%d\t%d\t%" PRIu32 "\t%" PRIu32 "\n", hour, c->ew10, c->ns10, c->mob, c->n);
	}
	return bad;
}
