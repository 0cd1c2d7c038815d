/* dt-fanout: events from any number of publishers, stamped and appended to the journal, to any number of subscribers. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "clock/clock.h"
#include "env/env.h"
#include "hub.h"
#include "log/log.h"
#include "mem/mem.h"
#include "opt/opt.h"
#include "stat/stat.h"

#define DRAIN_MS 2000

enum { OPT_SYNC = OPT_LONG_ONLY, OPT_COMPRESS, OPT_SEGMENT_BYTES, OPT_SEGMENT_HOURS, OPT_KEEP_BYTES, OPT_KEEP_HOURS, OPT_IN, OPT_OUT,
	OPT_MAX_PUBLISHERS, OPT_MAX_SUBSCRIBERS };

static const struct opt opts[] = {
	{ 'd', "journal", "dir", "directory of the journal (default $DT_DATA/journal)" },
	{ OPT_SYNC, "sync", "policy", "always, never, or milliseconds after a write (default $DT_SYNC)" },
	{ OPT_COMPRESS, "compress", NULL, "compress closed segments with zstd" },
	{ OPT_SEGMENT_BYTES, "segment-bytes", "size", "begin a new segment at this size (default 64M)" },
	{ OPT_SEGMENT_HOURS, "segment-hours", "hours", "begin a new segment after so long (default 6)" },
	{ OPT_KEEP_BYTES, "keep-bytes", "size", "drop the oldest segments over this size (default $DT_JOURNAL_BYTES)" },
	{ OPT_KEEP_HOURS, "keep-hours", "hours", "drop segments older than this (default $DT_JOURNAL_HOURS)" },
	{ OPT_IN, "in", "path", "socket for publishers (default $DT_RUN/events.in)" },
	{ OPT_OUT, "out", "path", "socket for subscribers (default $DT_RUN/events.out)" },
	{ OPT_MAX_PUBLISHERS, "max-publishers", "count", "refuse more connections to events.in (default 256)" },
	{ OPT_MAX_SUBSCRIBERS, "max-subscribers", "count", "refuse more connections to events.out (default 256)" },
	OPT_READY,
	OPT_END
};

static const struct opt_program program = {
	"dt-fanout", "[options]",
	"Take events, keep them in the journal and hand them to every subscriber",
	"  dt-fanout --sync always\n"
	"  nc -U $DT_RUN/events.out | jq .type\n",
	opts
};

static struct {
	struct hub hub;
	struct journal_config journal;
	struct pollable ticker;          /* status */
	struct pollable drain;           /* the end of the patience after SIGTERM */
	char *in_path, *out_path;
	int ready_fd;
} S = {
	.hub = { .max_pubs = 256, .max_subs = 256 },
	.journal = { .segment_bytes = 64 << 20, .segment_ms = 6 * 3600000 },
	.ready_fd = -1,
};

static int
parse_sync(const char *what, const char *text)
{
	if (strcmp(text, "always") == 0)
		return JOURNAL_SYNC_ALWAYS;
	if (strcmp(text, "never") == 0)
		return JOURNAL_SYNC_NEVER;
	if (text[strspn(text, "0123456789")] != '\0')
		opt_usage("%s: '%s' is neither always nor never nor a number of milliseconds", what, text);
	return (int)opt_int(what, text, 1, 3600000);
}

static void
on_safe(void *priv)
{
	((struct hub *)priv)->fresh = 1;
}

/* ---- status ---- */

static void
set_stats(void)
{
	struct hub *h = &S.hub;
	struct journal_stats j;

	journal_get_stats(h->journal, &j);
	stat_set(STAT_FANOUT_LAST_SEQ, (int64_t)journal_safe(h->journal));
	stat_set(STAT_FANOUT_FIRST_SEQ, (int64_t)journal_first(h->journal));
	stat_set(STAT_FANOUT_PUBLISHERS, (int64_t)h->n_pubs);
	stat_set(STAT_FANOUT_SUBSCRIBERS, (int64_t)h->n_subs);
	stat_set(STAT_FANOUT_SLOWEST, (int64_t)subs_slowest(h));
	stat_set(STAT_FANOUT_BLOCKED, journal_blocked(h->journal));
	stat_set(STAT_FANOUT_JOURNAL_BYTES, (int64_t)j.bytes);
	stat_set(STAT_FANOUT_JOURNAL_SEGMENTS, (int64_t)j.segments);
	stat_set(STAT_FANOUT_SYNCS, (int64_t)j.syncs);
	stat_set(STAT_FANOUT_SYNC_ERRORS, (int64_t)j.sync_errors);
	stat_set(STAT_FANOUT_WRITE_ERRORS, (int64_t)j.write_errors);
	stat_set(STAT_FANOUT_TORN_BYTES, (int64_t)j.torn_bytes);
	stat_set(STAT_FANOUT_DROPPED_SEGMENTS, (int64_t)j.dropped_segments);
	stat_set(STAT_FANOUT_COMPRESSED_SEGMENTS, (int64_t)j.compressed_segments);
}

static void
tick(struct pollable *p, short revents, int64_t now_ms)
{
	(void)revents;
	set_stats();
	stat_write(now_ms);
	p->deadline_ms = stat_deadline();
}

/* ---- the turn ---- */

static int
drained(const struct hub *h)
{
	int lines = journal_safe(h->journal) + 1 < journal_next(h->journal) || pubs_waiting(h);

	return !lines && !subs_waiting(h);
}

/* Everything that came in this turn becomes one write; then who waits for it is told. */
static void
after_turn(void *priv, int64_t now_ms)
{
	struct hub *h = priv;

	h->now_ms = now_ms;
	journal_commit(h->journal, now_ms);
	h->rx_iso[0] = '\0';
	pubs_step(h);
	if (h->fresh) {
		h->fresh = 0;
		subs_step(h);
	}
	if (h->draining && drained(h))
		loop_stop(h->loop);
}

/* ---- start and end ---- */

static void
raise_limits(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < r.rlim_max) {
		r.rlim_cur = r.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &r);
	}
}

static void
give_up(struct pollable *p, short revents, int64_t now_ms)
{
	(void)revents, (void)now_ms;
	log_warn("some of %zu subscribers did not take everything in time; they can ask for the rest", S.hub.n_subs);
	p->deadline_ms = CLOCK_NEVER;
	loop_stop(S.hub.loop);
}

static void
finish(struct hub *h)
{
	listener_close(&h->in);
	listener_close(&h->out);
	h->draining = h->fresh = 1;
	S.drain = (struct pollable){ .fd = -1, .deadline_ms = clock_mono_ms() + DRAIN_MS, .handle = give_up };
	loop_add(h->loop, &S.drain);
	after_turn(h, clock_mono_ms());
	if (!drained(h))
		(void)loop_run(h->loop);
	pubs_close(h);
	subs_close(h);
	set_stats();
	journal_close(&h->journal);
	stat_close();
}

static void
parse(int argc, char **argv)
{
	const char *arg, *dir = NULL, *sync = NULL;
	int c, first;

	while ((c = opt_next(&program, argc, argv, &arg, &first)) != -1)
		switch (c) {
		case 'd': dir = arg; break;
		case OPT_SYNC: sync = arg; S.journal.sync_ms = parse_sync("--sync", arg); break;
		case OPT_COMPRESS: S.journal.compress = 1; break;
		case OPT_SEGMENT_BYTES: S.journal.segment_bytes = opt_bytes("--segment-bytes", arg); break;
		case OPT_SEGMENT_HOURS: S.journal.segment_ms = (int64_t)(opt_double("--segment-hours", arg, 0.0001, 1e6) * 3600000); break;
		case OPT_KEEP_BYTES: S.journal.keep_bytes = opt_bytes("--keep-bytes", arg); break;
		case OPT_KEEP_HOURS: S.journal.keep_hours = opt_int("--keep-hours", arg, 1, 1000000); break;
		case OPT_IN: S.in_path = xstrdup(arg); break;
		case OPT_OUT: S.out_path = xstrdup(arg); break;
		case OPT_MAX_PUBLISHERS: S.hub.max_pubs = (size_t)opt_int("--max-publishers", arg, 1, 100000); break;
		case OPT_MAX_SUBSCRIBERS: S.hub.max_subs = (size_t)opt_int("--max-subscribers", arg, 1, 100000); break;
		case 'R': S.ready_fd = (int)opt_int("-R", arg, 0, 1 << 20); break;
		}
	if (first < argc)
		opt_usage("unexpected '%s'", argv[first]);
	env_load();
	if (sync == NULL)
		S.journal.sync_ms = parse_sync("DT_SYNC", env_get("DT_SYNC"));
	if (S.journal.keep_bytes == 0)
		S.journal.keep_bytes = env_bytes("DT_JOURNAL_BYTES");
	if (S.journal.keep_hours == 0)
		S.journal.keep_hours = env_int("DT_JOURNAL_HOURS", 1, 1000000);
	S.journal.dir = dir != NULL ? xstrdup(dir) : xasprintf("%s/journal", env_data_dir());
	if (S.in_path == NULL)
		S.in_path = env_run_path("events.in");
	if (S.out_path == NULL)
		S.out_path = env_run_path("events.out");
}

int
main(int argc, char **argv)
{
	struct hub *h = &S.hub;

	parse(argc, argv);
	(void)umask(077);
	raise_limits();
	S.journal.on_safe = on_safe;
	S.journal.priv = h;
	h->scratch = xmalloc(READ_MAX);
	h->now_ms = clock_mono_ms();
	h->loop = loop_new();
	h->journal = journal_open(&S.journal);
	stat_open("dt-fanout");
	loop_add(h->loop, journal_pollable(h->journal));
	h->in = listener_open(h, S.in_path, pubs_accept);
	h->out = listener_open(h, S.out_path, subs_accept);
	S.ticker = (struct pollable){ .fd = -1, .deadline_ms = 0, .handle = tick };
	loop_add(h->loop, &S.ticker);
	loop_each_turn(h->loop, after_turn, h);
	if (journal_safe(h->journal) < journal_first(h->journal))
		log_info("journal %s holds no events; the next is %ju", S.journal.dir, (uintmax_t)journal_first(h->journal));
	else
		log_info("journal %s holds events %ju to %ju", S.journal.dir, (uintmax_t)journal_first(h->journal), (uintmax_t)journal_safe(h->journal));
	opt_ready(S.ready_fd);
	(void)loop_run(h->loop);
	finish(h);
	loop_free(&h->loop);
	free(h->scratch);
	free(S.in_path);
	free(S.out_path);
	free((char *)S.journal.dir);
	return 0;
}
