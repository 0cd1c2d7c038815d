/* dt-send: event lines from standard input into the stream, acknowledged; or one command to a character. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "buf/buf.h"
#include "bus/bus.h"
#include "env/env.h"
#include "event/event.h"
#include "log/log.h"
#include "mem/mem.h"
#include "opt/opt.h"
#include "send.h"

#define LINES_WAIT_S 10
#define COMMAND_WAIT_S 5

#define DELAY_MAX_S 60.0

enum { OPT_STRIP = OPT_LONG_ONLY, OPT_DELAY };

static const struct opt opts[] = {
	{ 'c', "character", "name", "send the command to this character; tag:TAG: to those of the tag; all: to all" },
	{ OPT_DELAY, "delay", "time", "with a tag or all: wait so long between characters, as 200ms or 2s (at most 60s)" },
	{ 'g', "tag", "tag", "send the command to all characters whose client has this char_tag" },
	{ 'n', "count", "number", "with a tag or all: end with so many statuses (by default when a moment brings no more)" },
	{ 'q', "quiet", NULL, "no messages about single lines, no progress" },
	{ 's', "socket", "path", "events.in of the bus (default $DT_RUN/events.in)" },
	{ OPT_STRIP, "strip", NULL, "remove _seq and _rx, so that lines of another stream may pass" },
	{ 'w', "wait", "seconds", "give up when the bus is away for so long (default 10), or when a command has no status by then (default 5)" },
	OPT_END
};

static const struct opt_program program = {
	"dt-send", "[options] < events\n       dt-send [options] -c name | -c tag:name | -c all command ...",
	"Put event lines on the stream, or send a command to a character",
	"  echo '{\"type\":\"chat\",\"character_name\":\"Me\",\"text\":\"hello\"}' | dt-send\n"
	"  dt-send -c Larsson '/radar start'\n"
	"  dt-send -c tag:mage --delay 200ms '/ub jump'\n",
	opts
};

const char *
send_reason(const char *word)
{
	int i;

	if (strcmp(word, "reserved") == 0)
		return "sets _seq or _rx, which only the stream itself may set; dt-send --strip removes them";
	for (i = 1; i < EVENT_ERROR_COUNT; i++)
		if (strcmp(word, event_error_word((enum event_error)i)) == 0)
			return event_error_text((enum event_error)i);
	return word;
}

/* events.out lies beside events.in. */
static char *
out_path_of(const char *in_path)
{
	const char *slash = strrchr(in_path, '/');

	return xasprintf("%.*sevents.out", slash ? (int)(slash - in_path + 1) : 0, in_path);
}

static char *
join(char **words, int n)
{
	struct buf b = BUF_INIT(1u << 20);
	int i;

	for (i = 0; i < n; i++)
		if (buf_appends(&b, i ? " " : "") == -1 || buf_appends(&b, words[i]) == -1)
			opt_usage("the command is too long");
	(void)buf_append(&b, "", 1);
	return buf_data(&b);
}

/* "tag:mage" and "all"; the game knows no such names. */
static void
read_address(struct send_options *o)
{
	if (o->character != NULL && o->tag != NULL)
		opt_usage("-c and -g exclude each other");
	if (o->character == NULL)
		return;
	o->all = strcmp(o->character, "all") == 0;
	if (strncmp(o->character, "tag:", 4) == 0)
		o->tag = o->character + 4;
	if (o->all || o->tag != NULL)
		o->character = NULL;
}

static int64_t
read_delay(const char *arg)
{
	char *end;
	double n = strtod(arg, &end), unit = strcmp(end, "ms") == 0 ? 1 : strcmp(end, "s") == 0 ? 1000 : 0;

	if (end == arg || unit == 0 || !(n >= 0) || n * unit > DELAY_MAX_S * 1000)
		opt_usage("--delay: \"%s\" is no time of at most 60s, as 200ms or 2s", arg);
	return (int64_t)(n * unit);
}

int
main(int argc, char **argv)
{
	struct send_options o = { .wait_s = -1 };
	const char *arg, *socket = NULL;
	char *in_path, *out_path, *command;
	int c, first, is_command;

	while ((c = opt_next(&program, argc, argv, &arg, &first)) != -1)
		switch (c) {
		case 'c': o.character = arg; break;
		case 'g': o.tag = arg; break;
		case 'n': o.count = (unsigned)opt_int("--count", arg, 1, 1000000); break;
		case 'q': o.quiet = 1; break;
		case 's': socket = arg; break;
		case 'w': o.wait_s = opt_double("--wait", arg, 0.1, 1e9); break;
		case OPT_DELAY: o.delay_ms = read_delay(arg); break;
		case OPT_STRIP: o.strip = 1; break;
		}
	read_address(&o);
	is_command = o.character != NULL || o.tag != NULL || o.all;
	if (is_command && first == argc)
		opt_usage("the command is missing");
	if (o.delay_ms > 0 && o.tag == NULL && !o.all)
		opt_usage("--delay is for commands to a tag or to all");
	if (o.count > 0 && o.tag == NULL && !o.all)
		opt_usage("--count is for commands to a tag or to all");
	if (is_command && o.strip)
		opt_usage("--strip is for lines, not for commands");
	if (!is_command && first < argc)
		opt_usage("unexpected '%s': events come from standard input, a command needs -c or -g", argv[first]);
	if (o.wait_s < 0)
		o.wait_s = is_command ? COMMAND_WAIT_S : LINES_WAIT_S;
	if (o.quiet)
		log_level_set(LOG_LEVEL_ERROR);
	env_load();
	o.in_path = in_path = socket ? xstrdup(socket) : bus_in_path();
	o.out_path = out_path = socket ? out_path_of(socket) : bus_out_path();
	command = is_command ? join(argv + first, argc - first) : NULL;
	c = is_command ? send_command(&o, command) : send_lines(&o);
	free(command);
	free(out_path);
	free(in_path);
	return c;
}
