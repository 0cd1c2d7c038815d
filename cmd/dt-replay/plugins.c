/* As plugin connections to a server, one for each character. */
#include <stdlib.h>
#include <sysexits.h>

#include "clock/clock.h"
#include "event/event.h"
#include "http/http.h"
#include "log/log.h"
#include "mem/mem.h"
#include "plugin/plugin.h"
#include "replay.h"

#define MAX_BODY (1u << 20)
#define NAME_MAX_BYTES 512
#define TICK_MS 100

static struct {
	struct http *http;
	struct plugins *plugins;
	struct feed *feed;
	struct pollable tick;
	const struct replay *replay;
	char *frame;
	size_t frame_size;
	uint64_t nameless, not_plugins;
	int64_t end_ms;              /* when all was sent; 0: not yet */
	int asked;                   /* whether the server has read it */
	int code;
} S;

static int
emit(void *priv, const struct event *e)
{
	char name[NAME_MAX_BYTES];
	long name_len = event_string(e->character_name, name, sizeof(name));
	size_t len;

	(void)priv;
	if (event_type_origin(event_type_id(e->type)) != EVENT_OF_PLUGIN) {
		S.not_plugins++;
		return 0;
	}
	if (name_len <= 0) {
		S.nameless++;
		return 0;
	}
	if (S.replay->verbatim)
		return plugins_send(S.plugins, name, (size_t)name_len, e->line, e->len);
	if (e->len + 1 > S.frame_size) {
		S.frame_size = e->len + 65536;
		S.frame = xrealloc(S.frame, S.frame_size);
	}
	len = event_write(e, EVENT_STRIP_RESERVED, S.frame);
	return plugins_send(S.plugins, name, (size_t)name_len, S.frame, len);
}

static void
on_wait(void *priv)
{
	(void)priv;
}

static void
on_end(void *priv)
{
	(void)priv;
	S.end_ms = clock_mono_ms();
}

static void
on_room(void *priv)
{
	(void)priv;
	feed_wake(S.feed);
}

static void
give_up(const char *what)
{
	log_err("%s %s for %g s: is the tracker up, and is SHARED_SECRET its secret?", what, S.replay->connect, S.replay->wait_s);
	S.code = EX_UNAVAILABLE;
	http_stop(S.http);
}

/* What the kernel has taken may still be thrown away when we go: the server says that it has read it. */
static int
is_read(void)
{
	if (plugins_queued(S.plugins) > 0)
		return 0;
	if (!S.asked)
		plugins_ask(S.plugins);
	S.asked = 1;
	return plugins_unread(S.plugins) == 0;
}

static void
on_tick(struct pollable *tick, short revents, int64_t now_ms)
{
	int64_t down_ms = plugins_down_since(S.plugins), wait_ms = (int64_t)(S.replay->wait_s * 1000);

	(void)revents;
	tick->deadline_ms = now_ms + TICK_MS;
	if (S.end_ms > 0 && is_read())
		http_stop(S.http);
	else if (S.end_ms > 0 && now_ms - S.end_ms > wait_ms)
		give_up("unable to hand over the last frames to");
	else if (S.end_ms == 0 && down_ms > 0 && now_ms - down_ms > wait_ms)
		give_up("no connection to");
}

int
replay_plugins(const struct replay *r)
{
	struct plugins_config plugins = { .url = r->connect, .secret = r->secret, .on_room = on_room };
	struct feed_config config = r->feed;

	S.replay = r;
	S.http = http_new(MAX_BODY);
	plugins.http = S.http;
	S.plugins = plugins_new(&plugins);
	config.emit = emit;
	config.on_wait = on_wait;
	config.on_end = on_end;
	config.progress = 1;
	S.feed = feed_new(&config);
	S.tick = (struct pollable){ .fd = -1, .deadline_ms = 0, .handle = on_tick };
	http_add(S.http, feed_pollable(S.feed));
	http_add(S.http, &S.tick);
	(void)http_run(S.http);
	feed_report(S.feed);
	if (S.not_plugins > 0)
		log_info("left out %ju event%s of the tracker's own", (uintmax_t)S.not_plugins, S.not_plugins == 1 ? "" : "s");
	if (S.nameless > 0)
		log_info("left out %ju event%s no character", (uintmax_t)S.nameless, S.nameless == 1 ? " that names" : "s that name");
	if (plugins_errors(S.plugins) > 0)
		log_warn("the server refused %ju frames", (uintmax_t)plugins_errors(S.plugins));
	if (S.code == 0)
		S.code = feed_code(S.feed);
	if (S.code == 0 && plugins_errors(S.plugins) > 0)
		S.code = EX_DATAERR;
	plugins_close(S.plugins);
	http_drain(S.http, (int64_t)(r->wait_s * 1000));        /* who closes earlier takes back what the other side has not read yet */
	http_free(&S.http);
	feed_free(&S.feed);
	plugins_free(&S.plugins);
	free(S.frame);
	return S.code;
}
