/* Events of a journal or capture, read without the bus. */
#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock/clock.h"
#include "event/event.h"
#include "filter/filter.h"
#include "log/log.h"
#include "out/out.h"
#include "progress/progress.h"
#include "source/source.h"
#include "tap.h"

#define PROGRESS_EVERY 256

static struct filter *
open_condition(const char *program)
{
	struct filter *f;
	char *error = NULL;

	if (program == NULL)
		return NULL;
	f = filter_new(program, &error);
	if (f == NULL)
		die(EX_USAGE, "-F: %s", error);
	return f;
}

static int
exit_code(const char *path)
{
	log_err("unable to read %s: %s", path, errno == EBADMSG ? "damaged" : strerror(errno));
	switch (errno) {
	case EBADMSG:
		return EX_DATAERR;
	case EACCES:
		return EX_NOPERM;
	case ENOENT:
	case ENOTDIR:
		return EX_NOINPUT;
	default:
		return EX_IOERR;
	}
}

int
tap_read(struct tap *tap, const char *path)
{
	static struct event e;
	struct filter *condition = open_condition(tap->condition);
	struct source *source = source_new(&tap->pick, &path, 1);
	struct progress *progress = isatty(STDOUT_FILENO) ? NULL : progress_new("events");
	uint64_t seen = 0;
	int got, code = 0;

	source_on_wait(source, out_flush);
	while ((got = source_next(source, &e)) == 1) {
		if (++seen % PROGRESS_EVERY == 0)
			progress_show(progress, source_progress(source), tap_printed(), clock_mono_ms());
		if (condition != NULL && filter_match(condition, e.line, e.len) != 1)
			continue;
		if (tap_print(e.line, e.len))
			break;
	}
	progress_free(&progress);
	if (got == -1)
		code = exit_code(path);
	source_report(source);
	source_free(&source);
	filter_free(&condition);
	return code;
}
