/* dt-sim: a fleet of simulated characters, as event lines on standard output or as plugin connections to a server. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "clock/clock.h"
#include "log/log.h"
#include "loop/loop.h"
#include "opt/opt.h"
#include "out/out.h"
#include "pace.h"
#include "pick/pick.h"
#include "plug.h"
#include "sim.h"

#define FIXED_START "2026-01-01T12:00:00Z"
#define STEPS_A_TURN 4096

enum { OPT_SEED = OPT_LONG_ONLY, OPT_SECONDS, OPT_START, OPT_RATE, OPT_SPEED, OPT_ODD, OPT_BAD, OPT_RARE_RATE, OPT_SERVER, OPT_CONNECT, OPT_ALLOW_REMOTE, OPT_LEDGER, OPT_MULES };

static const struct opt opts[] = {
	{ 'n', "characters", "count", "how many characters (default 60)" },
	{ OPT_SEED, "seed", "number", "the same seed gives the same fleet and the same lives (default 1)" },
	{ OPT_SECONDS, "seconds", "count", "end after so many seconds (default: never)" },
	{ OPT_START, "start", "time", "when the lives begin (default: now, or " FIXED_START " when nothing paces them)" },
	{ OPT_RATE, "rate", "real|max|count", "real time, as fast as possible, or so many events a second" },
	{ OPT_SPEED, "speed", "factor", "real time so many times faster" },
	{ OPT_ODD, "odd", NULL, "mix in odd but legal forms" },
	{ OPT_BAD, "bad", NULL, "mix in illegal frames; what was made is counted on stderr at the end" },
	{ OPT_RARE_RATE, "rare-rate", "factor", "rares are so many times as frequent (default 1)" },
	{ 't', "types", "list", "only events of these types, as telemetry,spawn,share_*; the lives stay the same" },
	{ OPT_MULES, "mules", "items", "all are mules that carry so many items" },
	{ OPT_SERVER, "server", "name", "name of the game server (default Coldeve)" },
	{ OPT_CONNECT, "connect", "url", "be plugins: one WebSocket per character, ws://host:port/path or ws+unix://socket:/path" },
	{ OPT_ALLOW_REMOTE, "allow-remote", NULL, "let --connect leave this machine" },
	{ OPT_LEDGER, "ledger", "file", "number the telemetry events (sim_n) and write down which were sent" },
	OPT_READY, OPT_END
};

static const struct opt_program program = {
	"dt-sim", "[options]", "simulate a fleet of characters that play by a seed",
	"  dt-sim --seed 1 --seconds 60 > capture.ndjson\n"
	"  dt-sim --rate 1000 | dt-send\n"
	"  dt-sim --connect ws://127.0.0.1:8765/ws/position\n",
	opts
};

static struct {
	struct sim_config sim_config;
	struct plug_config plug;
	struct pace pace;
	struct pick_words types;
	struct sim *sim;
	struct loop *loop;
	struct pollable timer;
	uint64_t events;
	FILE *ledger;
	int64_t seconds;             /* 0: no end */
	int ready_fd;
} S;

static void
on_event(void *priv, unsigned character, const char *line, size_t len, const char *type, unsigned n, const char *timestamp)
{
	(void)priv, (void)type;
	S.events++;
	out_line(line, len);
	if (n != 0 && S.ledger != NULL)
		(void)fprintf(S.ledger, "%s\t%u\t%s\tsent\n", sim_name(S.sim, character), n, timestamp);
}

static void
on_timer(struct pollable *p, short revents, int64_t now_ms)
{
	int64_t wait_ms = now_ms, next;

	(void)revents;
	for (int i = 0; i < STEPS_A_TURN; i++) {
		next = sim_next(S.sim);
		if (pace_over(&S.pace, next, now_ms)) {
			loop_stop(S.loop);
			break;
		}
		if (!pace_go(&S.pace, next, S.events, now_ms, &wait_ms))
			break;
		if (S.pace.restamp)
			sim_stamp(S.sim, clock_wall_us());
		sim_step(S.sim);
	}
	if (S.pace.kind != PACE_MAX)
		out_flush();
	p->deadline_ms = wait_ms;
}

static void
run_stdout(void)
{
	S.loop = loop_new();
	S.timer = (struct pollable){ .fd = -1, .deadline_ms = 0, .handle = on_timer };
	loop_add(S.loop, &S.timer);
	loop_add(S.loop, out_pollable());
	opt_ready(S.ready_fd);
	(void)loop_run(S.loop);
	out_close();
	loop_free(&S.loop);
}

/* ---- options ---- */

static void
rate(const char *arg)
{
	if (strcmp(arg, "real") == 0)
		S.pace.kind = PACE_CLOCK;
	else if (strcmp(arg, "max") == 0)
		S.pace.kind = PACE_MAX;
	else {
		S.pace.kind = PACE_EVENTS;
		S.pace.rate = opt_int("rate", arg, 1, 10000000);
	}
}

static void
read_options(int argc, char **argv, const char **start, const char **ledger, int *paced)
{
	const char *arg;
	int letter, first, sped = 0;

	while ((letter = opt_next(&program, argc, argv, &arg, &first)) != -1)
		switch (letter) {
		case 'n': S.sim_config.characters = (unsigned)opt_int("characters", arg, 1, 5000); break;
		case OPT_SEED: S.sim_config.seed = (uint64_t)opt_int("seed", arg, 0, INT64_MAX); break;
		case OPT_SECONDS: S.seconds = opt_int("seconds", arg, 1, 100000000); break;
		case OPT_START: *start = arg; break;
		case OPT_RATE: rate(arg); *paced = 1; break;
		case OPT_SPEED: S.pace.speed = opt_double("speed", arg, 0.001, 100000); sped = 1; break;
		case OPT_ODD: S.sim_config.odd = 1; break;
		case OPT_BAD: S.sim_config.bad = 1; break;
		case OPT_RARE_RATE: S.sim_config.rare_rate_milli = (unsigned)(opt_double("rare-rate", arg, 0, 100000) * 1000 + 0.5); break;
		case 't': pick_words_option("--types", &S.types, arg); break;
		case OPT_MULES: S.sim_config.hoard = (unsigned)opt_int("mules", arg, 1, 5000); break;
		case OPT_SERVER: S.sim_config.server = arg; break;
		case OPT_CONNECT: S.plug.url = arg; break;
		case OPT_ALLOW_REMOTE: S.plug.allow_remote = 1; break;
		case OPT_LEDGER: *ledger = arg; break;
		case 'R': S.ready_fd = (int)opt_int("ready-fd", arg, 0, 1 << 20); break;
		}
	if (first < argc)
		opt_usage("\"%s\" is not wanted: events come from nothing but the options", argv[first]);
	if (sped && *paced && S.pace.kind != PACE_CLOCK)
		opt_usage("--speed sets the pace of the clock, --rate that of events: one of them");
	if (sped) {
		S.pace.kind = PACE_CLOCK;
		*paced = 1;
	}
	if (S.sim_config.server[0] == '\0' || strlen(S.sim_config.server) > 32)
		opt_usage("--server needs a name of 1 to 32 characters");
	if (S.plug.allow_remote && S.plug.url == NULL)
		opt_usage("--allow-remote goes with --connect");
}

/* Paced by the clock unless it is an end that a capture has. */
static void
set_pace(int paced)
{
	if (!paced)
		S.pace.kind = S.plug.url == NULL && S.seconds > 0 ? PACE_MAX : PACE_CLOCK;
	S.pace.end_ms = CLOCK_NEVER;
	S.pace.end = T_NEVER;
	S.pace.from_ms = clock_mono_ms();
	if (S.seconds > 0 && (S.pace.kind == PACE_EVENTS || S.plug.url != NULL))
		S.pace.end_ms = S.pace.from_ms + S.seconds * 1000;
}

static void
set_start(const char *start)
{
	int64_t now = clock_wall_us();

	S.sim_config.start_us = now;
	if (start == NULL && S.plug.url == NULL && S.pace.kind == PACE_MAX)
		start = FIXED_START;
	if (start != NULL && clock_parse_human(start, now, &S.sim_config.start_us) == -1)
		opt_usage("--start wants a time, not \"%s\"", start);
	if (S.sim_config.start_us < 0 || S.sim_config.start_us > 200000000000000000LL)
		opt_usage("--start is out of range");
	/* Without a start of its own a live fleet tells the time of the clock, whatever becomes of it and of our own pace. */
	S.pace.restamp = start == NULL && (S.plug.url != NULL || (S.pace.kind == PACE_CLOCK && S.pace.speed <= 1));
	S.pace.from = S.sim_config.start_us * 10;
	if (S.seconds > 0 && S.pace.end_ms == CLOCK_NEVER)
		S.pace.end = S.pace.from + S.seconds * T_S;
}

static void
report_bad(void)
{
	(void)fprintf(stderr, "{\"bad\":{");
	for (unsigned i = 0; bad_word[i] != NULL; i++)
		(void)fprintf(stderr, "%s\"%s\":%llu", i > 0 ? "," : "", bad_word[i], (unsigned long long)S.sim->bad[i]);
	(void)fprintf(stderr, "}}\n");
}

int
main(int argc, char **argv)
{
	const char *start = NULL, *ledger = NULL;
	int paced = 0, code = 0;

	S.sim_config = (struct sim_config){ .seed = 1, .characters = 60, .rare_rate_milli = 1000, .server = "Coldeve", .event = on_event };
	S.pace.speed = 1;
	S.ready_fd = -1;
	read_options(argc, argv, &start, &ledger, &paced);
	S.sim_config.types = S.types.word;
	set_pace(paced);
	set_start(start);
	if (ledger != NULL && (S.ledger = fopen(ledger, "we")) == NULL)
		die(EX_CANTCREAT, "unable to write %s: %s", ledger, strerror(errno));
	S.sim_config.numbered = ledger != NULL;
	if (S.plug.url != NULL) {
		S.plug.sim = &S.sim_config;
		S.plug.pace = &S.pace;
		S.plug.ledger = S.ledger;
		S.plug.ready_fd = S.ready_fd;
		code = plug_run(&S.plug, &S.sim);
	} else {
		S.sim_config.radars = 1;
		S.sim = sim_new(&S.sim_config);
		run_stdout();
	}
	if (S.sim_config.bad)
		report_bad();
	if (S.ledger != NULL && fclose(S.ledger) != 0)
		die(EX_IOERR, "unable to write %s: %s", ledger, strerror(errno));
	sim_free(&S.sim);
	pick_words_free(&S.types);
	return code;
}
