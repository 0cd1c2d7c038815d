/* One command to a character, a tag or all, and the status that dt-ingest reports of it. */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>
#include <unistd.h>

#include "buf/buf.h"
#include "bus/bus.h"
#include "clock/clock.h"
#include "event/event.h"
#include "log/log.h"
#include "loop/loop.h"
#include "opt/opt.h"
#include "send.h"

#define COMMAND_MAX 500              /* characters */
#define NAME_MAX_CHARACTERS 64
#define MORE_MS 300                  /* a tag may stand for several characters: wait for the next status so long */

static struct {
	const struct send_options *o;
	struct loop *loop;
	struct bus_sub *sub;
	struct bus_pub *pub;
	struct pollable timer;
	struct buf event;
	char id[40];
	unsigned answers;
	int published, sent;
	int code;                    /* what to exit with, decided early; -1: not yet */
} S;

/* Code points; a control character or a line break has no place in what is typed into a game. */
static void
check_text(const char *what, const char *text, size_t max)
{
	const unsigned char *p;
	size_t n = 0;

	for (p = (const unsigned char *)text; *p != '\0'; p++) {
		if (*p < 0x20 || *p == 0x7f)
			opt_usage("the %s holds a line break or control character", what);
		n += (*p & 0xc0) != 0x80;
	}
	if (n == 0)
		opt_usage("the %s is empty", what);
	if (n > max)
		opt_usage("the %s has %zu characters; %zu are the limit", what, n, max);
}

static void
make_id(void)
{
	unsigned char r[8];
	size_t i;

	if (getrandom(r, sizeof(r), 0) != sizeof(r))
		die(EX_OSERR, "unable to get random bytes");
	strcpy(S.id, "c-");
	for (i = 0; i < sizeof(r); i++)
		(void)sprintf(S.id + 2 + 2 * i, "%02x", r[i]);
}

static void
put_member(const char *key, const char *text)
{
	(void)buf_printf(&S.event, ",\"%s\":", key);
	(void)buf_append_json(&S.event, text, strlen(text));
}

static void
compose(const char *command)
{
	static struct event e;
	const struct passwd *pw = getpwuid(getuid());
	char by[80], now[CLOCK_ISO_SIZE];

	make_id();
	(void)snprintf(by, sizeof(by), "shell:%s", pw != NULL ? pw->pw_name : "?");
	(void)clock_format_iso(clock_wall_us(), now);
	buf_init(&S.event, 1u << 16);
	(void)buf_appends(&S.event, "{\"type\":\"command\"");
	put_member("id", S.id);
	if (S.o->all)
		(void)buf_appends(&S.event, ",\"all\":true");
	else
		put_member(S.o->tag ? "tag" : "player_name", S.o->tag ? S.o->tag : S.o->character);
	if (S.o->delay_ms > 0)
		(void)buf_printf(&S.event, ",\"delay_ms\":%jd", (intmax_t)S.o->delay_ms);
	put_member("command", command);
	put_member("by", by);
	put_member("timestamp", now);
	(void)buf_appends(&S.event, "}");
	if (event_scan(buf_data(&S.event), buf_size(&S.event), &e) != EVENT_OK)
		opt_usage("the command or the name is not valid UTF-8");
}

static void
finish(int code)
{
	S.code = code;
	loop_stop(S.loop);
}

static void
on_subscribed(void *priv, uint64_t from, const char *journal)
{
	(void)priv, (void)from, (void)journal;
	if (!S.published)
		S.published = bus_pub_send(S.pub, buf_data(&S.event), buf_size(&S.event)) > 0;
}

static void
on_status(void *priv, uint64_t seq, const char *line, size_t len)
{
	static struct event e;
	char status[32], name[256];

	(void)priv, (void)seq;
	if (event_scan(line, len, &e) != EVENT_OK || !event_value_is(event_get(&e, "id"), S.id) ||
	    event_string(event_get(&e, "status"), status, sizeof(status)) < 0)
		return;
	S.answers++;
	S.sent += strcmp(status, "sent") == 0;
	if (S.o->character == NULL && event_string(event_get(&e, "player_name"), name, sizeof(name)) > 0)
		(void)printf("%s %s\n", status, name);
	else
		(void)printf("%s\n", status);
	if (S.o->character != NULL || S.answers == S.o->count)
		finish(-1);
	S.timer.deadline_ms = clock_mono_ms() + S.o->delay_ms + (S.o->count > 0 ? (int64_t)(S.o->wait_s * 1000) : MORE_MS);
}

static void
on_refused(void *priv, uint64_t n, const char *reason)
{
	(void)priv, (void)n;
	log_err("the bus refused the command: %s", send_reason(reason));
	finish(EX_DATAERR);
}

static void
on_end(void *priv, const char *error)
{
	(void)priv;
	log_err("%s", error ? error : "the bus closed the subscription");
	finish(EX_UNAVAILABLE);
}

static void
on_timeout(struct pollable *p, short revents, int64_t now_ms)
{
	(void)p, (void)revents, (void)now_ms;
	if (S.answers > 0)
		finish(-1);
	else if (!S.published || bus_pub_unacked(S.pub) > 0) {
		log_err("no bus at %s within %g s: is the tracker up?", S.o->in_path, S.o->wait_s);
		finish(EX_UNAVAILABLE);
	} else {
		log_err("no status within %g s: is dt-ingest running?", S.o->wait_s);
		finish(EX_TEMPFAIL);
	}
}

int
send_command(const struct send_options *o, const char *command)
{
	static const char *const types[] = { "command_status", NULL };
	struct bus_pub_config pub = { .path = o->in_path, .name = "dt-send", .max_bytes = 1u << 16, .on_error = on_refused };
	struct bus_sub_config sub = { .path = o->out_path, .name = "dt-send", .types = types,
		.on_line = on_status, .on_subscribed = on_subscribed, .on_end = on_end };

	S.o = o;
	S.code = -1;
	check_text("command", command, COMMAND_MAX);
	if (!o->all)
		check_text(o->tag ? "tag" : "name", o->tag ? o->tag : o->character, NAME_MAX_CHARACTERS);
	compose(command);
	S.loop = loop_new();
	S.pub = bus_pub_new(&pub);
	S.sub = bus_sub_new(&sub);
	S.timer = (struct pollable){ .fd = -1, .deadline_ms = clock_mono_ms() + (int64_t)(o->wait_s * 1000), .handle = on_timeout };
	loop_add(S.loop, bus_pub_pollable(S.pub));
	loop_add(S.loop, bus_sub_pollable(S.sub));
	loop_add(S.loop, &S.timer);
	if (loop_run(S.loop) != 0)
		S.code = EX_TEMPFAIL;
	bus_sub_free(&S.sub);
	bus_pub_free(&S.pub);
	loop_free(&S.loop);
	buf_fini(&S.event);
	if (fflush(stdout) != 0)
		die(EX_IOERR, "unable to write to standard output");
	if (S.code != -1)
		return S.code;
	return S.sent > 0 ? 0 : 1;
}
