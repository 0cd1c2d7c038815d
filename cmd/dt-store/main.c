/* dt-store: the stream's events in, rows of a PostgreSQL database out, each exactly once. */
#include <stdlib.h>
#include <sysexits.h>

#include "bus/bus.h"
#include "clock/clock.h"
#include "env/env.h"
#include "log/log.h"
#include "mem/mem.h"
#include "opt/opt.h"
#include "pg/pg.h"
#include "sink.h"
#include "stat/stat.h"
#include "store.h"

#define DRAIN_MS 8000

enum { OPT_SINK = OPT_LONG_ONLY, OPT_REPLAY, OPT_ROWS, OPT_WAIT, OPT_TIMEOUT, OPT_TO };

static const struct opt opts[] = {
	{ OPT_SINK, "sink", "name", "what to store: telemetry (the default) or inventory" },
	{ 's', "socket", "path", "socket of the event stream (default $DT_RUN/events.out)" },
	{ 'r', "journal", "path", "read a journal directory or a capture file instead of the stream" },
	{ '1', "once", NULL, "with -r: exit when all of it is stored" },
	{ OPT_TO, "to", "seq", "with -1: store no event behind this one" },
	{ OPT_REPLAY, "replay", NULL, "let replayed events count in the totals too" },
	{ OPT_ROWS, "rows", "count", "rows in a transaction, at most (default 40000)" },
	{ OPT_WAIT, "wait", "ms", "how long a row may wait for others (default 250)" },
	{ OPT_TIMEOUT, "timeout", "seconds", "how long a transaction may take (default 10)" },
	OPT_READY,
	OPT_END
};
static const struct opt_program program = {
	"dt-store", "[options]", "Store the events of the stream in PostgreSQL",
	"  dt-store\n"
	"  dt-store -1 -r capture.ndjson\n",
	opts
};

static struct {
	struct loop *loop;
	struct store *store;
	struct store_config config;
	const char *path, *socket;
	int ready_fd;
} S = { .ready_fd = -1 };

static void
on_ready(void *priv)
{
	(void)priv;
	opt_ready(S.ready_fd);
}

static void
take_sink(const char *arg)
{
	S.config.sink = sink_find(arg);
	if (S.config.sink == NULL)
		opt_usage("--sink: '%s' is not a sink; there are telemetry and inventory", arg);
}

static void
take_options(int argc, char **argv)
{
	const char *arg;
	int c, first;

	while ((c = opt_next(&program, argc, argv, &arg, &first)) != -1) {
		switch (c) {
		case OPT_SINK: take_sink(arg); break;
		case 's': S.socket = arg; break;
		case 'r': S.path = arg; break;
		case '1': S.config.once = 1; break;
		case OPT_TO: S.config.to = (uint64_t)opt_int("--to", arg, 1, INT64_MAX); break;
		case OPT_REPLAY: S.config.count_replays = 1; break;
		case OPT_ROWS: S.config.max_rows = (size_t)opt_int("--rows", arg, 1, 100000); break;
		case OPT_WAIT: S.config.max_wait_ms = opt_int("--wait", arg, 1, 60000); break;
		case OPT_TIMEOUT: S.config.timeout_ms = 1000 * opt_int("--timeout", arg, 1, 3600); break;
		case 'R': S.ready_fd = (int)opt_int("-R", arg, 3, 1 << 20); break;
		}
	}
	if (first < argc)
		opt_usage("no operand is wanted, but there is '%s'", argv[first]);
	if (S.config.once && S.path == NULL)
		opt_usage("-1 goes with -r: the stream has no end");
	if (S.config.to != 0 && !S.config.once)
		opt_usage("--to goes with -1");
	if (S.path != NULL && S.socket != NULL)
		opt_usage("-r and -s exclude each other");
}

static void
give_up(struct pollable *p, short revents, int64_t now_ms)
{
	(void)revents;
	(void)now_ms;
	p->deadline_ms = CLOCK_NEVER;
	log_warn("unable to store the last rows in time; they are stored at the next start");
	loop_stop(S.loop);
}

int
main(int argc, char **argv)
{
	struct pollable deadline = { .fd = -1, .handle = give_up };
	char *url, *sql, *directory, *socket;

	S.config = (struct store_config){ .max_rows = 40000, .max_bytes = 8 << 20, .max_wait_ms = 250, .timeout_ms = 10000 };
	S.config.sink = sink_find("telemetry");
	take_options(argc, argv);
	env_load();
	S.loop = loop_new();
	url = S.config.sink->url();
	sql = env_share_dir("sql");
	directory = xasprintf("%s/%s", sql, S.config.sink->migrations);
	socket = S.socket ? xstrdup(S.socket) : bus_out_path();
	S.config.loop = S.loop;
	S.config.url = url;
	S.config.password = env_get(S.config.sink->password);
	S.config.migrations = directory;
	S.config.socket = socket;
	S.config.path = S.path;
	S.config.on_ready = on_ready;
	stat_open(S.config.sink->program);
	S.store = store_new(&S.config);
	if (loop_run(S.loop) != 0) {
		deadline.deadline_ms = clock_mono_ms() + DRAIN_MS;
		loop_add(S.loop, &deadline);
		if (store_drain(S.store))
			(void)loop_run(S.loop);
	}
	store_free(&S.store);
	stat_close();
	loop_free(&S.loop);
	free(url);
	free(sql);
	free(directory);
	free(socket);
	return 0;
}
