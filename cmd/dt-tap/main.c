/* dt-tap: events of the stream or of a journal, picked and filtered, to standard output. */
#include <string.h>
#include <sysexits.h>

#include "bus/bus.h"
#include "env/env.h"
#include "event/event.h"
#include "log/log.h"
#include "mem/mem.h"
#include "opt/opt.h"
#include "tap.h"

enum { OPT_FROM = OPT_LONG_ONLY, OPT_TO, OPT_JSON };

static const struct opt opts[] = {
	{ 't', "types", "types", "only these types, as rare,chat*; may be given again" },
	{ 'c', "characters", "names", "only these characters, likewise" },
	{ 'f', "filter", "program", "print what this jq program makes of each event" },
	{ 'F', "condition", "program", "only events for which this jq program, run by the bus, is true" },
	{ OPT_FROM, "from", "place", "begin at a _seq, a time, -15m, or earliest (default: now)" },
	{ OPT_TO, "to", "place", "end with a _seq or a time" },
	{ '1', "once", NULL, "print what the journal holds now, then exit" },
	{ 'k', "count", "n", "exit after n events" },
	{ 'r', "read", "path", "read a journal directory or capture file (- for standard input), not the bus" },
	{ 's', "socket", "path", "events.out of the bus (default $DT_RUN/events.out)" },
	{ 'S', "status", NULL, "print what each program reports of itself, then exit" },
	{ OPT_JSON, "json", NULL, "with -S: one JSON line for each program" },
	OPT_END
};

static const struct opt_program program = {
	"dt-tap", "[options]", "Print events of the stream, one JSON object a line",
	"  dt-tap -t rare,chat | jq .\n"
	"  dt-tap -f 'select(.type==\"telemetry\" and .kills>100)'\n"
	"  dt-tap -1 --from -15m -c Larsson\n"
	"  dt-tap -S\n",
	opts
};

static struct {
	struct tap tap;
	const char *read;
	int status, json;
} S;

static void
take_option(int c, const char *arg)
{
	switch (c) {
	case 't': pick_words_option("--types", &S.tap.pick.types, arg); break;
	case 'c': pick_words_option("--characters", &S.tap.pick.characters, arg); break;
	case 'f': S.tap.filter = arg; break;
	case 'F': S.tap.condition = arg; break;
	case OPT_FROM: pick_position_option("--from", &S.tap.pick.from, arg); break;
	case OPT_TO: pick_position_option("--to", &S.tap.pick.to, arg); break;
	case '1': S.tap.once = 1; break;
	case 'k': S.tap.count = (uint64_t)opt_int("--count", arg, 1, INT64_MAX); break;
	case 'r': S.read = arg; break;
	case 's': S.tap.socket = arg; break;
	case 'S': S.status = 1; break;
	case OPT_JSON: S.json = 1; break;
	}
}

/* A misspelt type would wait for ever without a word; an unknown one is legal. */
static void
note_unknown_types(void)
{
	size_t i;
	int t;

	for (i = 0; i < S.tap.pick.types.n; i++) {
		for (t = 0; t < event_type_count(); t++)
			if (event_type_match(S.tap.pick.types.word[i], event_type_name(t), strlen(event_type_name(t))))
				break;
		if (t == event_type_count())
			log_info("'%s' is no type that dt-events(5) knows", S.tap.pick.types.word[i]);
	}
}

int
main(int argc, char **argv)
{
	const char *arg;
	int c, first, code;

	while ((c = opt_next(&program, argc, argv, &arg, &first)) != -1)
		take_option(c, arg);
	if (first < argc)
		opt_usage("unexpected '%s'", argv[first]);
	if (S.read != NULL && S.tap.socket != NULL)
		opt_usage("-r and -s exclude each other");
	if (S.json && !S.status)
		opt_usage("--json belongs to -S");
	if (S.tap.pick.to.kind == PICK_EARLIEST)
		opt_usage("--to: nothing is before the earliest event");
	env_load();
	if (S.status)
		return tap_status(S.json);
	note_unknown_types();
	if (S.tap.socket == NULL)
		S.tap.socket = bus_out_path();
	tap_print_open(&S.tap);
	code = S.read != NULL ? tap_read(&S.tap, S.read) : tap_bus(&S.tap);
	tap_print_close();
	pick_free(&S.tap.pick);
	return code;
}
