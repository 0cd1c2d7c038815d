#include "feed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bus/bus.h"
#include "clock/clock.h"
#include "log/log.h"
#include "mem/mem.h"
#include "stat/stat.h"

#define RETRY_MS 1000

enum warming { UNASKED, READING, READ, FAILED, WARM };

struct feed {
	struct feed_config config;
	char *path, *journal;
	struct bus_sub *live, *old;
	uint64_t newest, warm_to;
	enum warming state;
	unsigned stage;                  /* which of the stages below */
	int64_t retry_ms, began_ms;
	uint64_t warmed;                 /* events */
};

/* What is read of before, and how far back. */
static const char *const trail_types[] = { "telemetry", "vitals", "player_offline", NULL };
static const char *const portal_types[] = { "portal", "dungeon_map", "server_status", NULL };
static const char *const share_types[] = { "share_*", NULL };
static const char *const *const stages[] = { trail_types, portal_types, share_types };
#define N_STAGES (sizeof(stages) / sizeof(stages[0]))

static int64_t
stage_us(const struct feed *f)
{
	return stages[f->stage] == trail_types ? f->config.trails_us : stages[f->stage] == portal_types ? f->config.portals_us : f->config.shares_us;
}

static int
scan(const char *line, size_t len, struct event *ev)
{
	if (event_scan(line, len, ev) == EVENT_OK)
		return 0;
	(*stat_cell(STAT_SERVE_REJECTED, "bad_line"))++;
	return -1;
}

/* ---- of before ---- */

static void
on_old_line(void *priv, uint64_t seq, const char *line, size_t len)
{
	struct feed *f = priv;
	struct event ev;

	f->warmed++;
	if (scan(line, len, &ev) == 0)
		f->config.on_old(f->config.priv, &ev, seq);
}

static void
on_old_gap(void *priv, uint64_t from, uint64_t to, uint64_t count)
{
	(void)priv;
	(void)from;
	(void)to;
	(void)count;                     /* a young or short journal: there is no more to be had */
}

static void
on_old_end(void *priv, const char *error)
{
	struct feed *f = priv;

	if (error != NULL)
		log_warn("unable to read the journal's last minutes, trying again: %s", error);
	f->state = error != NULL ? FAILED : READ;
	f->retry_ms = clock_mono_ms() + RETRY_MS;
}

static void
read_stage(struct feed *f)
{
	char from[CLOCK_ISO_SIZE], to[24];
	struct bus_sub_config config = {
		.path = f->path, .name = "dt-serve warm-up", .types = stages[f->stage], .from = from, .to = to, .once = 1,
		.on_line = on_old_line, .on_gap = on_old_gap, .on_end = on_old_end, .priv = f
	};

	clock_format_iso(clock_wall_us() - stage_us(f), from);
	snprintf(to, sizeof(to), "%" PRIu64, f->warm_to);
	f->state = READING;
	f->old = bus_sub_new(&config);
	http_add(f->config.http, bus_sub_pollable(f->old));
}

static void
end_stage(struct feed *f)
{
	http_del(f->config.http, bus_sub_pollable(f->old));
	bus_sub_free(&f->old);
}

static void
be_warm(struct feed *f)
{
	f->state = WARM;
	log_info("warm: %" PRIu64 " events of before, up to %" PRIu64 ", in %" PRId64 " ms", f->warmed, f->warm_to, clock_mono_ms() - f->began_ms);
	f->config.on_warm(f->config.priv);
}

void
feed_tick(struct feed *f, int64_t now_ms)
{
	if (f->state == READ) {
		end_stage(f);
		if (++f->stage == N_STAGES)
			be_warm(f);
		else
			read_stage(f);
	} else if (f->state == FAILED && now_ms >= f->retry_ms) {
		end_stage(f);
		read_stage(f);
	}
}

/* ---- live ---- */

static void
on_subscribed(void *priv, uint64_t from, const char *journal)
{
	struct feed *f = priv;

	free(f->journal);
	f->journal = xstrdup(journal);
	if (from > 0)
		f->newest = from - 1;
	if (f->state != UNASKED)
		return;
	f->began_ms = clock_mono_ms();
	f->warm_to = f->newest;
	if (f->warm_to == 0)
		be_warm(f);
	else
		read_stage(f);
}

static void
on_line(void *priv, uint64_t seq, const char *line, size_t len)
{
	struct feed *f = priv;
	struct event ev;

	f->newest = seq;
	stat_add(STAT_SERVE_EVENTS, 1);
	if (scan(line, len, &ev) == 0)
		f->config.on_event(f->config.priv, &ev, seq);
}

static void
on_gap(void *priv, uint64_t from, uint64_t to, uint64_t count)
{
	struct feed *f = priv;

	f->config.on_gap(f->config.priv, from, to, count);
}

static void
on_batch(void *priv)
{
	struct feed *f = priv;

	f->config.on_batch(f->config.priv);
}

struct feed *
feed_new(const struct feed_config *config)
{
	struct feed *f = xcalloc(1, sizeof(*f));
	struct bus_sub_config sub = { .name = "dt-serve", .on_line = on_line, .on_subscribed = on_subscribed, .on_gap = on_gap, .on_batch = on_batch, .priv = f };

	f->config = *config;
	sub.path = f->path = bus_out_path();
	f->live = bus_sub_new(&sub);
	http_add(config->http, bus_sub_pollable(f->live));
	return f;
}

void
feed_free(struct feed **fp)
{
	struct feed *f = *fp;

	if (f == NULL)
		return;
	if (f->old != NULL)
		end_stage(f);
	http_del(f->config.http, bus_sub_pollable(f->live));
	bus_sub_free(&f->live);
	free(f->path);
	free(f->journal);
	free(f);
	*fp = NULL;
}

void
feed_pause(struct feed *f, int on)
{
	bus_sub_pause(f->live, on);
}

int
feed_connected(const struct feed *f)
{
	return bus_sub_connected(f->live);
}

int
feed_warm(const struct feed *f)
{
	return f->state == WARM;
}

const char *
feed_journal(const struct feed *f)
{
	return f->journal != NULL ? f->journal : "";
}

uint64_t
feed_newest_seq(const struct feed *f)
{
	return f->newest;
}
