#include "ledger.h"

#include <stdint.h>
#include <stdlib.h>

#include "mem/mem.h"

struct entry {
	uint64_t end;                /* of the bytes that its connection has taken up to it */
	unsigned n;
	char timestamp[40];
};

struct account {
	uint64_t taken;
	struct entry *v;
	size_t first, n, cap;
};

struct ledger {
	FILE *f;
	unsigned characters;
	struct account *accounts;
};

struct ledger *
ledger_new(FILE *f, unsigned characters)
{
	struct ledger *l = xcalloc(1, sizeof *l);

	l->f = f;
	l->characters = characters;
	l->accounts = xcalloc(characters, sizeof *l->accounts);
	return l;
}

void
ledger_free(struct ledger **lp)
{
	struct ledger *l = *lp;

	if (l == NULL)
		return;
	for (unsigned i = 0; i < l->characters; i++)
		free(l->accounts[i].v);
	free(l->accounts);
	free(l);
	*lp = NULL;
}

void
ledger_bytes(struct ledger *l, unsigned character, size_t taken)
{
	l->accounts[character].taken += taken;
}

void
ledger_add(struct ledger *l, unsigned character, unsigned n, const char *timestamp)
{
	struct account *a = &l->accounts[character];
	struct entry *e;

	if (a->first == a->n)
		a->first = a->n = 0;
	if (a->n == a->cap) {
		a->cap = a->cap ? 2 * a->cap : 16;
		a->v = xreallocarray(a->v, a->cap, sizeof *a->v);
	}
	e = &a->v[a->n++];
	e->end = a->taken;
	e->n = n;
	(void)snprintf(e->timestamp, sizeof e->timestamp, "%s", timestamp);
}

static void
write_until(struct ledger *l, unsigned character, const char *name, uint64_t end, const char *word)
{
	struct account *a = &l->accounts[character];

	for (; a->first < a->n && a->v[a->first].end <= end; a->first++)
		(void)fprintf(l->f, "%s\t%u\t%s\t%s\n", name, a->v[a->first].n, a->v[a->first].timestamp, word);
}

void
ledger_flush(struct ledger *l, unsigned character, const char *name, size_t queued)
{
	write_until(l, character, name, l->accounts[character].taken - queued, "sent");
}

void
ledger_write(struct ledger *l)
{
	(void)fflush(l->f);      /* a full disk is found when the file is closed */
}

void
ledger_broken(struct ledger *l, unsigned character, const char *name)
{
	write_until(l, character, name, UINT64_MAX, "unsure");
}
