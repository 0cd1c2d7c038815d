#include "dungeons.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "mem/mem.h"

struct dungeon {
	TAILQ_ENTRY(dungeon) link;
	char landblock[5];
	size_t len;
	char line[];
};

struct dungeons {
	TAILQ_HEAD(dungeon_list, dungeon) list;     /* newest first */
	size_t bytes, max;
};

struct dungeons *
dungeons_new(size_t max_bytes)
{
	struct dungeons *ds = xcalloc(1, sizeof(*ds));

	TAILQ_INIT(&ds->list);
	ds->max = max_bytes;
	return ds;
}

static void
drop(struct dungeons *ds, struct dungeon *d)
{
	TAILQ_REMOVE(&ds->list, d, link);
	ds->bytes -= d->len;
	free(d);
}

void
dungeons_free(struct dungeons **dsp)
{
	struct dungeons *ds = *dsp;

	if (ds == NULL)
		return;
	while (!TAILQ_EMPTY(&ds->list))
		drop(ds, TAILQ_FIRST(&ds->list));
	free(ds);
	*dsp = NULL;
}

int
dungeons_landblock(const char *text, char out[5])
{
	size_t len;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	len = strlen(text);
	if (len == 0 || len > 8 || strspn(text, "0123456789abcdefABCDEF") != len)
		return -1;
	/* eight digits (or what a number of eight loses in front) are a landcell: its upper half is the landblock */
	snprintf(out, 5, "%04lX", len > 4 ? strtoul(text, NULL, 16) >> 16 : strtoul(text, NULL, 16));
	return 0;
}

static struct dungeon *
find(const struct dungeons *ds, const char *landblock)
{
	struct dungeon *d;

	TAILQ_FOREACH(d, &ds->list, link)
		if (strcmp(d->landblock, landblock) == 0)
			return d;
	return NULL;
}

void
dungeons_feed(struct dungeons *ds, const struct event *ev)
{
	char text[24], landblock[5];
	struct dungeon *d;

	if (event_string(event_get(ev, "landblock"), text, sizeof(text)) <= 0 || dungeons_landblock(text, landblock) == -1 || ev->len > ds->max)
		return;
	if ((d = find(ds, landblock)) != NULL)
		drop(ds, d);
	while (ds->bytes + ev->len > ds->max)
		drop(ds, TAILQ_LAST(&ds->list, dungeon_list));
	d = xmalloc(sizeof(*d) + ev->len);
	strcpy(d->landblock, landblock);
	d->len = ev->len;
	memcpy(d->line, ev->line, ev->len);
	TAILQ_INSERT_HEAD(&ds->list, d, link);
	ds->bytes += d->len;
}

const char *
dungeons_get(const struct dungeons *ds, const char *landblock, size_t *len)
{
	const struct dungeon *d = find(ds, landblock);

	if (d == NULL)
		return NULL;
	*len = d->len;
	return d->line;
}
