#include "filters.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "bus/bus.h"
#include "event/event.h"
#include "log/log.h"
#include "mem/mem.h"

#define RING_BYTES (2u << 20)
#define RING_MESSAGES 8192
#define RING_BIG_BYTES (2u << 20)

struct filter_feed {
	LIST_ENTRY(filter_feed) link;
	struct filters *filters;
	char *key;                       /* what makes two of them the same */
	struct bus_sub *sub;
	struct ring *ring;
	struct group *group;             /* its browsers */
	unsigned users;
	int dead;
};

struct filters {
	struct filters_config config;
	LIST_HEAD(, filter_feed) feeds;
	size_t n;
	int turn;                        /* one has no users, or is dead */
};

struct filters *
filters_new(const struct filters_config *config)
{
	struct filters *f = xcalloc(1, sizeof(*f));

	f->config = *config;
	LIST_INIT(&f->feeds);
	return f;
}

/* ---- what the bus tells ---- */

static void
on_evict(void *priv, uint64_t n)
{
	struct filter_feed *feed = priv;

	feed->filters->config.on_evict(feed->filters->config.priv, feed->group, n);
}

static void
on_line(void *priv, uint64_t seq, const char *line, size_t len)
{
	struct filter_feed *feed = priv;
	struct ring_msg m;
	struct event ev;

	if (event_scan(line, len, &ev) != EVENT_OK || event_value_is(ev.type, "command_status") ||
	    event_value_is(ev.type, "request_dungeon_map"))
		return;
	subscription_message(&ev, seq, &m);
	(void)ring_add(feed->ring, &m, line, len);
}

static void
on_batch(void *priv)
{
	struct filter_feed *feed = priv;

	feed->filters->config.on_events(feed->filters->config.priv, feed->group);
}

static void
on_gap(void *priv, uint64_t from, uint64_t to, uint64_t count)
{
	struct filter_feed *feed = priv;

	feed->filters->config.on_gap(feed->filters->config.priv, feed->group, from, to, count);
}

static void
on_end(void *priv, const char *error)
{
	struct filter_feed *feed = priv;

	feed->dead = 1;
	feed->filters->turn = 1;
	feed->filters->config.on_dead(feed->filters->config.priv, feed->group, error != NULL ? error : "the stream has ended");
}

/* ---- the feeds ---- */

static struct filter_feed *
feed_new(struct filters *f, const struct subscription *s, char *key)
{
	struct filter_feed *feed = xcalloc(1, sizeof(*feed));
	char from[24], *path = bus_out_path();
	struct bus_sub_config config = {
		.path = path, .name = "dt-serve filter", .types = (const char *const *)s->types, .characters = (const char *const *)s->characters,
		.jq = s->jq, .from = s->has_from ? from : NULL, .on_line = on_line, .on_batch = on_batch, .on_gap = on_gap, .on_end = on_end, .priv = feed
	};

	snprintf(from, sizeof(from), "%" PRIu64, s->from > 0 ? s->from : 1);
	feed->filters = f;
	feed->key = key;
	feed->ring = ring_new_beside(f->config.main, RING_BYTES, RING_MESSAGES, RING_BIG_BYTES, on_evict, feed);
	feed->group = group_new(feed->ring);
	feed->sub = bus_sub_new(&config);
	free(path);
	http_add(f->config.http, bus_sub_pollable(feed->sub));
	LIST_INSERT_HEAD(&f->feeds, feed, link);
	f->n++;
	return feed;
}

static void
end_sub(struct filter_feed *feed)
{
	if (feed->sub == NULL)
		return;
	http_del(feed->filters->config.http, bus_sub_pollable(feed->sub));
	bus_sub_free(&feed->sub);
}

static void
feed_free(struct filter_feed *feed)
{
	end_sub(feed);
	LIST_REMOVE(feed, link);
	feed->filters->n--;
	group_free(&feed->group);
	ring_free(&feed->ring);
	free(feed->key);
	free(feed);
}

struct filter_feed *
filters_get(struct filters *f, const struct subscription *s)
{
	struct filter_feed *feed;
	char *key = subscription_key(s);

	filters_turn(f);
	/* Who asks for what was before has a place of its own in the stream. */
	LIST_FOREACH(feed, &f->feeds, link)
		if (!s->has_from && !feed->dead && strcmp(feed->key, key) == 0)
			break;
	if (feed != NULL) {
		free(key);
	} else if (f->n == FILTERS_MAX) {
		free(key);
		return NULL;
	} else {
		if (s->has_from)
			key[0] = '\0';
		feed = feed_new(f, s, key);
	}
	feed->users++;
	return feed;
}

void
filters_put(struct filters *f, struct filter_feed **feedp)
{
	struct filter_feed *feed = *feedp;

	*feedp = NULL;
	if (feed != NULL && --feed->users == 0)
		f->turn = 1;
}

struct group *
filter_feed_group(const struct filter_feed *feed)
{
	return feed->group;
}

void
filter_feed_pause(struct filter_feed *feed, int on)
{
	if (feed->sub != NULL)
		bus_sub_pause(feed->sub, on);
}

void
filters_go_on(struct filters *f)
{
	struct filter_feed *feed;

	LIST_FOREACH(feed, &f->feeds, link)
		filter_feed_pause(feed, 0);
}

void
filters_turn(struct filters *f)
{
	struct filter_feed *feed, *next;

	if (!f->turn)
		return;
	f->turn = 0;
	for (feed = LIST_FIRST(&f->feeds); feed != NULL; feed = next) {
		next = LIST_NEXT(feed, link);
		if (feed->users == 0)
			feed_free(feed);
		else if (feed->dead)
			end_sub(feed);
	}
}

void
filters_close(struct filters *f)
{
	struct filter_feed *feed;

	LIST_FOREACH(feed, &f->feeds, link)
		end_sub(feed);
}

void
filters_free(struct filters **fp)
{
	struct filters *f = *fp;

	if (f == NULL)
		return;
	while (!LIST_EMPTY(&f->feeds))
		feed_free(LIST_FIRST(&f->feeds));
	free(f);
	*fp = NULL;
}
