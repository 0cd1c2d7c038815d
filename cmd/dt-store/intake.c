#include "intake.h"

#include <string.h>

#include "clock/clock.h"
#include "mem/mem.h"
#include "totals/totals.h"

#define REPLAY_MIN_US 946684800000000       /* 2000-01-01 */

static void
believe(struct incoming *in, int64_t own_us, int *odd)
{
	int64_t ahead = own_us - in->rx_us;

	in->own_us = own_us;
	if (in->replay ? own_us >= REPLAY_MIN_US && ahead <= DAY_US : ahead >= -LATE_US && ahead <= FUTURE_US) {
		in->at_us = own_us;
		return;
	}
	*odd = ahead < 0 ? TIME_LATE : TIME_FUTURE;
	if (ahead > DAY_US || own_us < REPLAY_MIN_US)
		in->own_us = TOTALS_NO_TIME; /* a clock so wrong would hold up the session's totals until it is right */
}

/* Lines of a capture that are not stamped were received when they say, unless that cannot be: then with the one before. */
static int
is_sane(int64_t us)
{
	return us >= REPLAY_MIN_US && us <= clock_wall_us() + DAY_US;
}

/* A row that takes the receive time gets microseconds of its own, so that two of one millisecond are two rows, and the same two when read again.
 * Returns what is odd about the times (enum oddity) or -1. */
static int
set_times(struct incoming *in, const struct batch *b)
{
	int64_t own_us;
	int odd = -1, known = event_time(in->event, &own_us) == 0;

	in->stamped = event_rx(in->event, &in->rx_us) == 0;
	if (!in->stamped)
		in->rx_us = known && is_sane(own_us) ? own_us : b->rx_us > 0 ? b->rx_us : clock_wall_us() / 1000 * 1000;
	in->at_us = in->rx_us + (int64_t)(in->seq % 1000);
	in->own_us = TOTALS_NO_TIME;
	if (known)
		believe(in, own_us, &odd);
	else
		odd = TIME_UNREADABLE;
	return odd;
}

/* Names that begin with _ are rare beyond the two of the stamp. */
static int
is_replay(const struct event *e)
{
	unsigned stamp = e->reserved >= 2 && e->field[0].key_len == 4 && memcmp(e->field[0].key, "_seq", 4) == 0 ? 2 : 0;
	int on;

	return e->reserved > stamp && event_bool(event_get(e, "_replay"), &on) == 0 && on;
}

static const struct kind *
next_kind(const struct kind *k, struct event_value type)
{
	while (k->type != NULL && !event_value_is(type, k->type))
		k++;
	return k->type != NULL ? k : NULL;
}

void
intake_add(const struct sink *sink, void *state, struct batch *b, uint64_t seq, const char *line, size_t len, const char *poisoned)
{
	struct event e;
	struct incoming in = { .event = &e, .seq = seq };
	enum event_error error = event_scan(line, len, &e);
	enum reason why = REASON_DATABASE;
	const struct kind *k;
	int odd;

	b->events++;
	b->to = seq;
	if (error != EVENT_OK) {
		batch_dead_letter(b, seq, clock_wall_us(), REASON_NOT_EVENT, event_error_word(error), line, len);
		return;
	}
	k = next_kind(sink->kinds, e.type);
	if (k == NULL)
		return;
	in.replay = is_replay(&e);
	b->detail = "";
	odd = set_times(&in, b);
	b->rx_us = in.rx_us;
	for (; poisoned == NULL && k != NULL; k = next_kind(k + 1, e.type)) {
		why = k->add(state, b, &in);
		if (why != REASON_COUNT)
			break;
	}
	if (why != REASON_COUNT)
		batch_dead_letter(b, seq, in.rx_us, why, poisoned ? poisoned : b->detail, line, len);
	else if (odd >= 0)
		b->times[odd]++;
}

const char **
intake_types(const struct sink *sink)
{
	const char **types;
	size_t n = 0;

	while (sink->kinds[n].type != NULL)
		n++;
	types = xcalloc(n + 1, sizeof *types);
	n = 0;
	for (const struct kind *k = sink->kinds; k->type != NULL; k++) {
		size_t i = 0;
		while (i < n && strcmp(types[i], k->type) != 0)
			i++;
		types[i] = k->type;
		n += i == n;
	}
	return types;
}
