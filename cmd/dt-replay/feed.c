/* Events of the sources, each at its time. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock/clock.h"
#include "event/event.h"
#include "log/log.h"
#include "mem/mem.h"
#include "progress/progress.h"
#include "replay.h"
#include "source/source.h"

#define TURN_EVENTS 1024             /* then the loop has its turn */

struct feed {
	struct pollable pollable;        /* first: handle() casts */
	struct feed_config config;
	struct source *source;
	struct progress *progress;
	struct pace pace;
	struct event event;
	int pending;                     /* event waits for its time or for room */
	int64_t due_ms;
	uint64_t emitted, this_round;
	int ended, code;
};

static void
note_unreadable(struct feed *f)
{
	int error = errno;

	log_err("unable to read %s: %s", source_path(f->source), error == EBADMSG ? "damaged" : strerror(error));
	f->code = error == EBADMSG ? EX_DATAERR : error == EACCES ? EX_NOPERM : error == ENOENT || error == ENOTDIR ? EX_NOINPUT : EX_IOERR;
}

static void
end(struct feed *f)
{
	f->ended = 1;
	f->pollable.deadline_ms = CLOCK_NEVER;
	progress_free(&f->progress);
	f->config.on_end(f->config.priv);
}

/* 1 with f->event, 0 at the end, -1 while standard input brings nothing. */
static int
next(struct feed *f)
{
	int got;

	while ((got = source_next(f->source, &f->event)) != 1) {
		if (got == -1 && errno == EAGAIN)
			return -1;
		if (got == -1)
			note_unreadable(f);
		else if (f->config.loop && f->this_round > 0) {
			source_rewind(f->source);
			f->pace.started = 0;
			f->this_round = 0;
		} else
			return 0;
	}
	f->this_round++;
	return 1;
}

static void
wait_for_input(struct feed *f)
{
	f->pollable.fd = STDIN_FILENO;
	f->pollable.deadline_ms = CLOCK_NEVER;
	f->config.on_wait(f->config.priv);
}

/* 1: due now, 0: later or nothing left. */
static int
prepare(struct feed *f, int64_t now_ms)
{
	int64_t us;
	int got;

	if (!f->pending) {
		got = next(f);
		if (got == 0)
			end(f);
		else if (got == -1)
			wait_for_input(f);
		if (got != 1)
			return 0;
		f->pending = 1;
		if (pick_time(&f->event, &us) == -1)
			us = f->pace.last_us;
		f->due_ms = pace_due(&f->pace, us, now_ms);
	}
	if (f->due_ms <= now_ms)
		return 1;
	f->pollable.deadline_ms = f->due_ms;
	f->config.on_wait(f->config.priv);
	return 0;
}

static void
handle(struct pollable *pollable, short revents, int64_t now_ms)
{
	struct feed *f = (struct feed *)pollable;
	unsigned i;

	(void)revents;
	pollable->fd = -1;
	progress_show(f->progress, f->config.loop ? -1 : source_progress(f->source), f->emitted, now_ms);
	for (i = 0; i < TURN_EVENTS; i++) {
		if (f->ended || !prepare(f, now_ms))
			return;
		if (f->config.emit(f->config.priv, &f->event) == -1) {
			pollable->deadline_ms = CLOCK_NEVER;
			return;
		}
		f->pending = 0;
		f->emitted++;
	}
	pollable->deadline_ms = 0;
}

struct feed *
feed_new(const struct feed_config *config)
{
	struct feed *f = xcalloc(1, sizeof(*f));

	f->config = *config;
	f->pace.speed = config->speed;
	f->source = source_new(config->pick, config->paths, config->n_paths);
	source_no_wait(f->source);
	if (config->progress)
		f->progress = progress_new("events");
	f->pollable = (struct pollable){ .fd = -1, .events = POLLIN, .deadline_ms = 0, .handle = handle };
	return f;
}

void
feed_free(struct feed **fp)
{
	if (*fp == NULL)
		return;
	progress_free(&(*fp)->progress);
	source_free(&(*fp)->source);
	free(*fp);
	*fp = NULL;
}

struct pollable *
feed_pollable(struct feed *f)
{
	return &f->pollable;
}

void
feed_wake(struct feed *f)
{
	if (!f->ended)
		f->pollable.deadline_ms = 0;
}

int
feed_code(const struct feed *f)
{
	return f->code;
}

void
feed_report(const struct feed *f)
{
	source_report(f->source);
}
