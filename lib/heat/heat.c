#include "heat/heat.h"

#include <stdlib.h>
#include <string.h>

#include "mem/mem.h"

/* An entry: cell 24 bits (east-west above north-south, each plus 2048), monster 20, count 20. */
#define AXIS_BITS 12
#define AXIS_ZERO 2048
#define CELL_BITS 24
#define MOB_BITS 20
#define COUNT_BITS 20
#define MOB_MAX ((INT64_C(1) << MOB_BITS) - 1)
#define COUNT_MAX ((INT64_C(1) << COUNT_BITS) - 1)
#define CELL_MASK ((UINT32_C(1) << CELL_BITS) - 1)

struct heat {
	struct heat_hour slot[HEAT_HOURS];       /* at hour % HEAT_HOURS; hour 0: free */
};

/* ---- hours ---- */

void
heat_hour_add(struct heat_hour *h, int ew10, int ns10, int64_t mob, int64_t n)
{
	uint64_t cell;

	if (ew10 < -AXIS_ZERO || ew10 >= AXIS_ZERO || ns10 < -AXIS_ZERO || ns10 >= AXIS_ZERO)
		return;
	cell = (uint64_t)(ew10 + AXIS_ZERO) << AXIS_BITS | (uint64_t)(ns10 + AXIS_ZERO);
	if (mob < 0 || mob > MOB_MAX)
		mob = MOB_MAX;
	while (n > 0) {
		int64_t some = n < COUNT_MAX ? n : COUNT_MAX;

		if (h->n == h->cap) {
			h->cap = h->cap == 0 ? 64 : h->cap + h->cap / 2;
			h->entry = xreallocarray(h->entry, h->cap, sizeof(*h->entry));
		}
		h->entry[h->n++] = cell << (MOB_BITS + COUNT_BITS) | (uint64_t)mob << COUNT_BITS | (uint64_t)some;
		n -= some;
	}
}

void
heat_hour_fini(struct heat_hour *h)
{
	free(h->entry);
	memset(h, 0, sizeof(*h));
}

struct heat *
heat_new(void)
{
	return xcalloc(1, sizeof(struct heat));
}

void
heat_free(struct heat **hp)
{
	size_t i;

	if (*hp == NULL)
		return;
	for (i = 0; i < HEAT_HOURS; i++)
		heat_hour_fini(&(*hp)->slot[i]);
	free(*hp);
	*hp = NULL;
}

void
heat_put(struct heat *heat, struct heat_hour *h)
{
	struct heat_hour *slot = &heat->slot[(uint64_t)h->hour % HEAT_HOURS];

	free(slot->entry);
	*slot = *h;
	if (slot->n > 0)
		slot->entry = xreallocarray(slot->entry, slot->cap = slot->n, sizeof(*slot->entry));
	memset(h, 0, sizeof(*h));
}

int
heat_has(const struct heat *heat, int64_t hour)
{
	return heat->slot[(uint64_t)hour % HEAT_HOURS].hour == hour;
}

void
heat_forget(struct heat *heat, int64_t before)
{
	size_t i;

	for (i = 0; i < HEAT_HOURS; i++)
		if (heat->slot[i].hour < before)
			heat_hour_fini(&heat->slot[i]);
}

size_t
heat_bytes(const struct heat *heat)
{
	size_t i, n = sizeof(*heat);

	for (i = 0; i < HEAT_HOURS; i++)
		n += heat->slot[i].cap * sizeof(uint64_t);
	return n;
}

/* ---- sums: a hash table that stays in the processor's cache; the whole map would be 32 MB ---- */

struct sums {
	struct { uint32_t cell; uint32_t used; uint64_t n; } *slot;
	size_t mask, n;
};

static void sums_add(struct sums *, uint32_t cell, uint64_t n);

static void
grow(struct sums *s)
{
	struct sums wider = { .mask = s->mask * 2 + 1 };
	size_t i;

	wider.slot = xcalloc(wider.mask + 1, sizeof(*wider.slot));
	for (i = 0; i <= s->mask; i++)
		if (s->slot[i].used)
			sums_add(&wider, s->slot[i].cell, s->slot[i].n);
	free(s->slot);
	*s = wider;
}

static void
sums_add(struct sums *s, uint32_t cell, uint64_t n)
{
	size_t at = (cell * UINT32_C(2654435761)) >> 8 & s->mask;

	while (s->slot[at].used && s->slot[at].cell != cell)
		at = (at + 1) & s->mask;
	s->slot[at].n += n;
	if (s->slot[at].used)
		return;
	s->slot[at].used = 1;
	s->slot[at].cell = cell;
	if (++s->n > s->mask / 2)
		grow(s);
}

static void
add_hour(struct sums *s, const struct heat_hour *h, int64_t mob)
{
	size_t i;

	for (i = 0; i < h->n; i++)
		if (mob == HEAT_ALL_MOBS || (int64_t)(h->entry[i] >> COUNT_BITS & (uint64_t)MOB_MAX) == mob)
			sums_add(s, (uint32_t)(h->entry[i] >> (MOB_BITS + COUNT_BITS)), h->entry[i] & (uint64_t)COUNT_MAX);
}

/* ---- the answer ---- */

static int
descending(const void *va, const void *vb)
{
	const uint64_t *a = va, *b = vb;

	return *a < *b ? 1 : *a > *b ? -1 : 0;
}

/* Numbers that sort as asked: the count above, the cell turned round below, so that of equal counts the most western and then southern comes first. */
static uint64_t *
sorted(const struct sums *s)
{
	uint64_t *key = xcalloc(s->n + 1, sizeof(*key));
	size_t i, n = 0;

	for (i = 0; i <= s->mask; i++)
		if (s->slot[i].used)
			key[n++] = s->slot[i].n << CELL_BITS | (CELL_MASK - s->slot[i].cell);
	qsort(key, n, sizeof(*key), descending);
	return key;
}

static char *
put_tenths(char *p, int tenths)
{
	unsigned n = (unsigned)(tenths < 0 ? -tenths : tenths), whole = n / 10;

	if (tenths < 0)
		*p++ = '-';
	if (whole >= 100)
		*p++ = (char)('0' + whole / 100);
	if (whole >= 10)
		*p++ = (char)('0' + whole / 10 % 10);
	*p++ = (char)('0' + whole % 10);
	if (n % 10 != 0) {
		*p++ = '.';
		*p++ = (char)('0' + n % 10);
	}
	return p;
}

static int
write_cell(uint64_t key, int first, struct buf *out)
{
	uint32_t cell = CELL_MASK - (uint32_t)(key & CELL_MASK);
	char text[96], *p = text, digits[24];
	uint64_t n = key >> CELL_BITS;
	int k = 0;

	p = stpcpy(p, first ? "{\"ew\":" : ",{\"ew\":");
	p = put_tenths(p, (int)(cell >> AXIS_BITS) - AXIS_ZERO);
	p = stpcpy(p, ",\"ns\":");
	p = put_tenths(p, (int)(cell & ((1u << AXIS_BITS) - 1)) - AXIS_ZERO);
	p = stpcpy(p, ",\"intensity\":");
	do
		digits[k++] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	while (k > 0)
		*p++ = digits[--k];
	*p++ = '}';
	return buf_append(out, text, (size_t)(p - text));
}

int
heat_write(const struct heat *heat, int64_t from, int64_t to, int64_t mob, size_t limit, struct buf *out, size_t *points, uint64_t *events)
{
	struct sums s = { .mask = 4095 };
	uint64_t *key;
	size_t i;
	int bad = 0;

	s.slot = xcalloc(s.mask + 1, sizeof(*s.slot));
	for (i = 0; i < HEAT_HOURS; i++)
		if (heat->slot[i].n > 0 && heat->slot[i].hour >= from && heat->slot[i].hour <= to)
			add_hour(&s, &heat->slot[i], mob);
	key = sorted(&s);
	*events = 0;
	*points = s.n < limit ? s.n : limit;
	for (i = 0; i < *points && !bad; i++) {
		*events += key[i] >> CELL_BITS;
		bad = write_cell(key[i], i == 0, out);
	}
	free(key);
	free(s.slot);
	return bad;
}
