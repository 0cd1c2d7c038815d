/* dt-alertd: events from events.out, judged by rules; what they raise goes to Discord, webhooks or commands, and as `alert` events back to the stream. */
#include <stdlib.h>
#include <string.h>

#include "alertd.h"
#include "bus/bus.h"
#include "env/env.h"
#include "log/log.h"
#include "mem/mem.h"
#include "opt/opt.h"

enum { OPT_RULES = OPT_LONG_ONLY, OPT_CHECK, OPT_BACKTEST, OPT_DRY };

static const struct opt opts[] = {
	{ OPT_RULES, "rules", "directory", "your own rules (default $DT_DATA/rules.d)" },
	{ 's', "socket", "path", "events.out of the bus (default $DT_RUN/events.out)" },
	{ OPT_CHECK, "check", NULL, "say what is wrong with the rules, or with these files" },
	{ OPT_BACKTEST, "backtest", "journal", "print what would have been raised" },
	{ OPT_DRY, "dry-run", NULL, "print what is raised from now on, post nothing" },
	OPT_READY,
	OPT_END
};

static const struct opt_program program = {
	"dt-alertd", "[options]\n       dt-alertd --check [file ...]\n       dt-alertd why character",
	"Raise alerts by rules on the stream of events, and post them",
	"  dt-alertd --check ~/.local/share/dt/rules.d/taper.rule\n"
	"  dt-alertd --backtest var/journal | jq -r .text\n"
	"  dt-alertd why Larsson\n",
	opts
};

static struct {
	const char *own, *socket, *backtest;
	int check, dry_run, ready_fd;
} S = { .ready_fd = -1 };

/* events.in lies beside events.out. */
static char *
in_path_of(const char *out_path)
{
	const char *slash = strrchr(out_path, '/');

	return xasprintf("%.*sevents.in", slash ? (int)(slash - out_path + 1) : 0, out_path);
}

static int
run_live(const char *own)
{
	char *out = S.socket ? xstrdup(S.socket) : bus_out_path(), *in = S.socket ? in_path_of(S.socket) : bus_in_path();
	struct live_options o = { own, in, out, S.dry_run, S.ready_fd };
	int code = live_run(&o);

	free(in);
	free(out);
	return code;
}

int
main(int argc, char **argv)
{
	const char *arg;
	char *own;
	int c, first, code, why;

	while ((c = opt_next(&program, argc, argv, &arg, &first)) != -1)
		switch (c) {
		case OPT_RULES: S.own = arg; break;
		case 's': S.socket = arg; break;
		case OPT_CHECK: S.check = 1; break;
		case OPT_BACKTEST: S.backtest = arg; break;
		case OPT_DRY: S.dry_run = 1; break;
		case 'R': S.ready_fd = (int)opt_int("--ready-fd", arg, 0, 1 << 20); break;
		}
	why = first < argc && strcmp(argv[first], "why") == 0 && !S.check;
	if (why && argc - first != 2)
		opt_usage("why takes one character's name");
	if (!why && !S.check && first < argc)
		opt_usage("unexpected '%s'", argv[first]);
	if (S.check + (S.backtest != NULL) + S.dry_run + why > 1)
		opt_usage("--check, --backtest, --dry-run and why exclude each other");
	env_load();
	own = S.own ? xstrdup(S.own) : load_own_dir();
	if (S.check)
		code = offline_check(own, argv + first, argc - first);
	else if (S.backtest != NULL)
		code = offline_backtest(own, S.backtest);
	else if (why)
		code = offline_why(own, argv[first + 1]);
	else
		code = run_live(own);
	free(own);
	return code;
}
