/* Events of the bus: from now on, from a place in the journal, or up to what the journal holds when we start. */
#include <signal.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "bus/bus.h"
#include "clock/clock.h"
#include "log/log.h"
#include "loop/loop.h"
#include "out/out.h"
#include "progress/progress.h"
#include "tap.h"

static struct {
	struct loop *loop;
	struct bus_sub *sub;
	struct progress *progress;
	uint64_t first, last;        /* of the range to come, where last is known */
	int done, code;
} S;

static void
finish(int code)
{
	S.done = 1;
	S.code = code;
	loop_stop(S.loop);
}

static void
on_line(void *priv, uint64_t seq, const char *line, size_t len)
{
	(void)priv;
	if (S.done || (S.last > 0 && seq > S.last))
		return;
	if (tap_print(line, len))
		finish(EX_OK);
}

static void
on_batch(void *priv)
{
	uint64_t seq = bus_sub_seq(S.sub);

	(void)priv;
	out_flush();
	if (S.last > 0)
		progress_show(S.progress, (double)(seq - S.first) / (double)(S.last - S.first + 1), tap_printed(), clock_mono_ms());
	if (S.last > 0 && seq >= S.last && !S.done)
		finish(EX_OK);
}

static void
on_subscribed(void *priv, uint64_t from, const char *journal)
{
	(void)priv, (void)journal;
	if (S.first == 0)
		S.first = from;
}

static void
on_end(void *priv, const char *error)
{
	(void)priv;
	if (error != NULL)
		log_err("%s", error);
	finish(error != NULL ? EX_UNAVAILABLE : EX_OK);
}

/* ---- the end of the journal, for -1 ---- */

static void
on_probe_line(void *priv, uint64_t seq, const char *line, size_t len)
{
	(void)priv, (void)seq, (void)line, (void)len;
}

static void
on_probe_subscribed(void *priv, uint64_t from, const char *journal)
{
	(void)priv, (void)journal;
	S.last = from > 0 ? from - 1 : 0;
	finish(EX_OK);
}

/* The last _seq that the journal holds now, 0 when it is empty; what is asked for next is the answer to a subscription from now on. */
static int
probe(const struct tap *tap)
{
	struct bus_sub_config config = { .path = tap->socket, .name = "dt-tap", .once = 1,
		.on_line = on_probe_line, .on_subscribed = on_probe_subscribed, .on_end = on_end };

	S.sub = bus_sub_new(&config);
	loop_add(S.loop, bus_sub_pollable(S.sub));
	if (loop_run(S.loop) != 0 && !S.done)
		finish(EX_OK);
	loop_del(S.loop, bus_sub_pollable(S.sub));
	bus_sub_free(&S.sub);
	S.done = 0;
	return S.code;
}

static void
subscribe(const struct tap *tap, const struct pick *pick)
{
	struct bus_sub_config config = { .path = tap->socket, .name = "dt-tap", .jq = tap->condition,
		.types = (const char *const *)pick->types.word, .characters = (const char *const *)pick->characters.word,
		.on_line = on_line, .on_batch = on_batch, .on_subscribed = on_subscribed, .on_end = on_end };
	char *from = pick_position_text(&pick->from), *to = pick_position_text(&pick->to);

	config.from = from;
	config.to = to;
	S.sub = bus_sub_new(&config);
	loop_add(S.loop, bus_sub_pollable(S.sub));
	free(from);
	free(to);
}

/* With -1 the range ends at what the probe found, unless --to ends it earlier. */
static struct pick
range_once(const struct tap *tap)
{
	struct pick pick = tap->pick;

	if (pick.from.kind == PICK_NONE)
		pick.from.kind = PICK_EARLIEST;
	if (pick.to.kind == PICK_NONE || (pick.to.kind == PICK_SEQ && pick.to.seq > S.last) ||
	    (pick.to.kind == PICK_TIME && pick.to.us >= clock_wall_us()))
		pick.to = (struct pick_position){ .kind = PICK_SEQ, .seq = S.last };
	return pick;
}

static int
empty(const struct pick *pick)
{
	return S.last == 0 || (pick->from.kind == PICK_SEQ && pick->to.kind == PICK_SEQ && pick->from.seq > pick->to.seq);
}

int
tap_bus(const struct tap *tap)
{
	struct pick pick = tap->pick;

	S.loop = loop_new();
	if (tap->once) {
		if (probe(tap) != EX_OK)
			return S.code;
		pick = range_once(tap);
		if (empty(&pick))
			return EX_OK;
	} else if (pick.to.kind == PICK_SEQ)
		S.last = pick.to.seq;
	if (!isatty(STDOUT_FILENO))
		S.progress = progress_new("events");
	subscribe(tap, &pick);
	loop_add(S.loop, out_pollable());
	if (loop_run(S.loop) != 0)
		out_stopped();
	progress_free(&S.progress);
	bus_sub_free(&S.sub);
	loop_free(&S.loop);
	return S.code;
}
