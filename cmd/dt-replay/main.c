/* dt-replay: a journal or a capture once more, true to time or faster, as lines or as plugin connections. */
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "env/env.h"
#include "log/log.h"
#include "opt/opt.h"
#include "plugin/plugin.h"
#include "replay.h"

enum { OPT_FROM = OPT_LONG_ONLY, OPT_TO, OPT_VERBATIM, OPT_LOOP, OPT_CONNECT, OPT_REMOTE };

static const struct opt opts[] = {
	{ 'x', "speed", "factor", "so many times as fast as it happened (default 1); 0 or max: at once" },
	{ OPT_FROM, "from", "place", "begin at a _seq, a time, -15m, or earliest" },
	{ OPT_TO, "to", "place", "end with a _seq or a time" },
	{ 't', "types", "types", "only these types, as rare,chat*; may be given again" },
	{ 'c', "characters", "names", "only these characters, likewise" },
	{ OPT_LOOP, "loop", NULL, "begin again at the end, for ever" },
	{ OPT_VERBATIM, "verbatim", NULL, "lines as they are: keep _seq and _rx, do not add _replay" },
	{ OPT_CONNECT, "connect", "url", "send as plugin connections to ws://host:port, one for each character" },
	{ OPT_REMOTE, "allow-remote", NULL, "let --connect go to another machine" },
	{ 'w', "wait", "seconds", "give up when the server of --connect is away for so long (default 10)" },
	OPT_END
};

static const struct opt_program program = {
	"dt-replay", "[options] path ...", "Replay journals and captures, true to time or faster",
	"  dt-replay --speed 10 var/journal | dt-send\n"
	"  dt-replay --speed max --from -1h -t rare var/journal | jq .\n"
	"  dt-replay --loop --connect ws://localhost:8765 capture.ndjson.zst\n",
	opts
};

static struct {
	struct pick pick;
	struct replay replay;
	int remote;
} S;

static void
take_option(int c, const char *arg)
{
	switch (c) {
	case 'x': S.replay.feed.speed = strcmp(arg, "max") == 0 ? 0 : opt_double("--speed", arg, 0, 1e9); break;
	case OPT_FROM: pick_position_option("--from", &S.pick.from, arg); break;
	case OPT_TO: pick_position_option("--to", &S.pick.to, arg); break;
	case 't': pick_words_option("--types", &S.pick.types, arg); break;
	case 'c': pick_words_option("--characters", &S.pick.characters, arg); break;
	case OPT_LOOP: S.replay.feed.loop = 1; break;
	case OPT_VERBATIM: S.replay.verbatim = 1; break;
	case OPT_CONNECT: S.replay.connect = arg; break;
	case OPT_REMOTE: S.remote = 1; break;
	case 'w': S.replay.wait_s = opt_double("--wait", arg, 0.1, 1e9); break;
	}
}

/* The secret goes to whoever listens there, in the clear. */
static void
check_target(void)
{
	switch (plugins_is_remote(S.replay.connect)) {
	case -1:
		opt_usage("--connect: '%s' is no ws://host:port or ws+unix://path address", S.replay.connect);
		break;
	case 1:
		if (!S.remote)
			opt_usage("--connect: %s is another machine; --allow-remote if that is meant", S.replay.connect);
		break;
	}
	env_load();
	S.replay.secret = env_get("SHARED_SECRET");
	if (env_is_placeholder(S.replay.secret))
		die(EX_CONFIG, "SHARED_SECRET is not set");
}

static void
check_paths(char *const *paths, size_t n)
{
	size_t i, dashes = 0;

	for (i = 0; i < n; i++)
		dashes += strcmp(paths[i], "-") == 0;
	if (dashes > 1 || (dashes > 0 && S.replay.feed.loop))
		opt_usage("standard input can be read only once");
	if (dashes > 0 && isatty(STDIN_FILENO))
		opt_usage("standard input is a terminal");
}

int
main(int argc, char **argv)
{
	const char *arg;
	int c, first;

	S.replay.feed.speed = 1;
	S.replay.wait_s = 10;
	S.replay.feed.pick = &S.pick;
	while ((c = opt_next(&program, argc, argv, &arg, &first)) != -1)
		take_option(c, arg);
	if (first == argc)
		opt_usage("the path of a journal or capture is missing");
	if (S.pick.to.kind == PICK_EARLIEST)
		opt_usage("--to: nothing is before the earliest event");
	check_paths(argv + first, (size_t)(argc - first));
	S.replay.feed.paths = (const char *const *)argv + first;
	S.replay.feed.n_paths = (size_t)(argc - first);
	if (S.replay.connect != NULL)
		check_target();
	c = S.replay.connect != NULL ? replay_plugins(&S.replay) : replay_stdout(&S.replay);
	pick_free(&S.pick);
	return c;
}
