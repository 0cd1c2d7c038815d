/* The fleet as plugins.  Simulated time follows the pace; events of a character whose connection is down are lost, as they are for the real plugin,
 * and when it is up again the plugin tells everything anew. */
#include "plug.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "clock/clock.h"
#include "env/env.h"
#include "event/event.h"
#include "geo/geo.h"
#include "http/http.h"
#include "ledger.h"
#include "log/log.h"
#include "mem/mem.h"
#include "opt/opt.h"
#include "out/out.h"
#include "plugin/plugin.h"
#include "stat/stat.h"

#define STEPS_A_TURN 2048
#define MUCH_QUEUED (96u << 10)      /* a load generator waits for a connection that has so much to send */
#define LOOK_MS 20                   /* how often the ledger is brought up to date */
#define DRAIN_MS 20000                /* who reads us may have stood still for a while */
#define TYPES_MAX 64

static struct {
	const struct plug_config *cfg;
	struct sim *sim;
	struct http *http;
	struct plugins *plugins;
	struct ledger *ledger;
	struct pollable pump, look;
	enum { DOWN, UP, LEAVING } *state;       /* by character */
	unsigned asked, ready, characters;
	int announced, ever_open;
	uint64_t events;
	struct { const char *type; int64_t *cell; } cells[TYPES_MAX];
} S;

static unsigned
index_of(const char *name)
{
	unsigned i = 0;

	while (i + 1 < S.characters && strcmp(sim_name(S.sim, i), name) != 0)
		i++;
	return i;
}

/* Types are static strings: their address is enough to find the cell again. */
static void
count_type(const char *type)
{
	unsigned i = 0;

	while (i < TYPES_MAX && S.cells[i].type != NULL && S.cells[i].type != type)
		i++;
	if (i == TYPES_MAX)
		return;
	if (S.cells[i].type == NULL) {
		S.cells[i].type = type;
		S.cells[i].cell = stat_cell(STAT_SIM_EVENTS, type);
	}
	++*S.cells[i].cell;
}

static void
on_event(void *priv, unsigned character, const char *line, size_t len, const char *type, unsigned n, const char *timestamp)
{
	const char *name = sim_name(S.sim, character);
	size_t before;

	(void)priv;
	S.events++;
	if (S.state[character] == DOWN) {
		++*stat_cell(STAT_SIM_DROPPED, "offline");
		return;
	}
	before = S.ledger != NULL ? plugins_queued_of(S.plugins, name) : 0;
	if (plugins_send(S.plugins, name, strlen(name), line, len) == -1) {
		++*stat_cell(STAT_SIM_DROPPED, "queue_full");
		return;
	}
	count_type(type);
	stat_add(STAT_SIM_BYTES, (int64_t)len);
	if (S.ledger == NULL)
		return;
	ledger_bytes(S.ledger, character, plugins_queued_of(S.plugins, name) - before);
	if (n != 0)
		ledger_add(S.ledger, character, n, timestamp);
}

static void
on_session(void *priv, unsigned character, int in)
{
	(void)priv;
	S.asked += (unsigned)in;
	if (!in && S.state[character] == UP)
		S.state[character] = LEAVING;
	plugins_want(S.plugins, sim_name(S.sim, character), in);
}

/* ---- connections ---- */

static void
on_open(void *priv, const char *name)
{
	unsigned i = index_of(name);

	(void)priv;
	S.ever_open = 1;
	S.state[i] = UP;
	stat_add(STAT_SIM_CONNECTS, 1);
	if (!S.announced && ++S.ready == S.characters) {
		S.announced = 1;
		log_info("%u characters are connected to %s", S.characters, S.cfg->url);
		opt_ready(S.cfg->ready_fd);
		if (S.cfg->pace->kind == PACE_EVENTS)
			pace_begin(S.cfg->pace, clock_mono_ms());
		S.events = 0;
	}
	sim_enter(S.sim, i);
	S.pump.deadline_ms = 0;
}

static void
on_close(void *priv, const char *name)
{
	unsigned i = index_of(name);

	(void)priv;
	stat_add(STAT_SIM_LOST, S.state[i] == UP);
	S.state[i] = DOWN;
	if (S.ledger != NULL)
		ledger_broken(S.ledger, i, name);
}

/* A command has no type of its own; with one it is an event and can be read as such. */
static int
read_message(const char *data, size_t len, struct event *e, struct buf *copy)
{
	enum event_error error = event_scan(data, len, e);

	if (error != EVENT_NO_TYPE || len == 0 || data[0] != '{')
		return error == EVENT_OK ? 0 : -1;
	(void)buf_appends(copy, "{\"type\":\"command\",");
	(void)buf_append(copy, data + 1, len - 1);
	return event_scan(buf_data(copy), buf_size(copy), e) == EVENT_OK ? 0 : -1;
}

static void
obey(const char *name, const struct event *e)
{
	char command[2048], line[2300], player[256];
	long len = event_string(event_get(e, "command"), command, sizeof command);

	if (len < 0 || event_string(event_get(e, "player_name"), player, sizeof player) < 0 || strcmp(player, name) != 0) {
		log_warn("%s was sent a command that is not for it", name);
		++*stat_cell(STAT_SIM_RECEIVED, "bad_command");
		return;
	}
	++*stat_cell(STAT_SIM_RECEIVED, "command");
	if (sim_knows_command(command, (size_t)len)) {
		sim_command(S.sim, index_of(name), command, (size_t)len);
		S.pump.deadline_ms = 0;
		return;
	}
	out_line(line, (size_t)snprintf(line, sizeof line, "%s\t%s", name, command));
	out_flush();
}

static void
send_map(const char *name, const struct event *e)
{
	char text[32];
	uint16_t landblock;
	long len = event_string(event_get(e, "landblock"), text, sizeof text);

	++*stat_cell(STAT_SIM_RECEIVED, "map_request");
	if (len > 0 && geo_parse_landblock(text, (size_t)len, &landblock) == 0)
		sim_map_wanted(S.sim, index_of(name), landblock);
}

static void
on_message(void *priv, const char *name, const char *data, size_t len)
{
	struct buf copy = BUF_INIT(1u << 20);
	static struct event e;

	(void)priv;
	if (read_message(data, len, &e, &copy) == -1) {
		log_warn("%s was sent what is no message", name);
		++*stat_cell(STAT_SIM_RECEIVED, "bad");
	} else if (event_value_is(e.type, "command"))
		obey(name, &e);
	else if (event_value_is(e.type, "error")) {
		log_debug("the server says to %s: %.*s", name, len > 300 ? 300 : (int)len, data);
		++*stat_cell(STAT_SIM_RECEIVED, "error");
	} else if (event_value_is(e.type, "request_dungeon_map"))
		send_map(name, &e);
	else
		++*stat_cell(STAT_SIM_RECEIVED, e.type.len > 6 && memcmp(e.type.p, "share_", 6) == 0 ? "share" : "other");
	buf_fini(&copy);
}

/* ---- time ---- */

/* A load begins when the whole fleet stands, and waits for a slow server; lives in real time do neither. */
static int
must_wait(void)
{
	if (S.cfg->pace->kind == PACE_CLOCK)
		return 0;
	if (!S.announced)
		return S.asked >= S.characters;
	return plugins_open(S.plugins) == 0 || plugins_queued_of(S.plugins, sim_name(S.sim, sim_next_character(S.sim))) > MUCH_QUEUED;
}

static int
may_go(int64_t next, int64_t now_ms, int64_t *wait_ms)
{
	if (must_wait()) {
		*wait_ms = now_ms + 1;
		return 0;
	}
	if (S.cfg->pace->kind != PACE_CLOCK && !S.announced)
		return 1;                /* nothing but characters that ask for their connections */
	return pace_go(S.cfg->pace, next, S.events, now_ms, wait_ms);
}

static void
on_pump(struct pollable *p, short revents, int64_t now_ms)
{
	int64_t wait_ms = now_ms;

	(void)revents;
	for (int i = 0; i < STEPS_A_TURN; i++) {
		int64_t next = sim_next(S.sim);
		if (pace_over(S.cfg->pace, next, now_ms)) {
			http_stop(S.http);
			break;
		}
		if (!may_go(next, now_ms, &wait_ms))
			break;
		if (S.cfg->pace->restamp)
			sim_stamp(S.sim, clock_wall_us());
		sim_step(S.sim);
	}
	p->deadline_ms = wait_ms;
}

static void
write_ledger(void)
{
	if (S.ledger == NULL)
		return;
	for (unsigned i = 0; i < S.characters; i++)
		if (S.state[i] != DOWN)
			ledger_flush(S.ledger, i, sim_name(S.sim, i), plugins_queued_of(S.plugins, sim_name(S.sim, i)));
	ledger_write(S.ledger);
}

static void
on_look(struct pollable *p, short revents, int64_t now_ms)
{
	(void)revents;
	write_ledger();
	if (now_ms >= S.cfg->pace->end_ms)
		http_stop(S.http);
	p->deadline_ms = S.ledger != NULL ? now_ms + LOOK_MS : S.cfg->pace->end_ms;
}

static void
on_turn(void *priv, int64_t now_ms)
{
	(void)priv;
	stat_set(STAT_SIM_CONNECTED, (int64_t)plugins_open(S.plugins));
	stat_write(now_ms);
}

/* ---- begin and end ---- */

static void
check_url(void)
{
	switch (plugins_is_remote(S.cfg->url)) {
	case -1:
		opt_usage("--connect: '%s' is no ws://host:port/path or ws+unix://socket:/path address", S.cfg->url);
		break;
	case 1:
		if (!S.cfg->allow_remote)
			opt_usage("--connect: %s is another machine; --allow-remote if that is meant", S.cfg->url);
	}
}

static void
start_up(void)
{
	struct plugins_config pc = { .url = S.cfg->url, .on_message = on_message, .on_open = on_open, .on_close = on_close };
	struct sim_config *sc = S.cfg->sim;

	env_load();
	pc.secret = env_get("SHARED_SECRET");
	if (env_is_placeholder(pc.secret))
		die(EX_CONFIG, "SHARED_SECRET is not set");
	pc.http = S.http = http_new(0);
	S.plugins = plugins_new(&pc);
	sc->event = on_event;
	sc->session = on_session;
	sc->gated = 1;
	S.characters = sc->characters;
	S.state = xcalloc(S.characters, sizeof *S.state);
	if (S.cfg->ledger != NULL)
		S.ledger = ledger_new(S.cfg->ledger, S.characters);
	S.sim = sim_new(sc);
	S.pump = (struct pollable){ .fd = -1, .handle = on_pump };
	S.look = (struct pollable){ .fd = -1, .handle = on_look };
	http_add(S.http, &S.pump);
	http_add(S.http, &S.look);
	http_on_turn(S.http, on_turn, NULL);
	stat_open("dt-sim");
	stat_set(STAT_SIM_CHARACTERS, S.characters);
}

static void
on_drain(struct pollable *p, short revents, int64_t now_ms)
{
	(void)revents;
	write_ledger();
	if (plugins_queued(S.plugins) == 0 || now_ms >= S.pump.deadline_ms)
		http_stop(S.http);
	p->deadline_ms = now_ms + 1;
}

/* The clients log out, and what they said last gets out. */
static void
shut_down(void)
{
	http_del(S.http, &S.pump);
	S.pump.deadline_ms = clock_mono_ms() + DRAIN_MS;
	sim_leave(S.sim);
	S.look.handle = on_drain;
	S.look.deadline_ms = 0;
	(void)http_run(S.http);
	write_ledger();
	http_del(S.http, &S.look);
	plugins_close(S.plugins);
	http_drain(S.http, DRAIN_MS);
}

int
plug_run(const struct plug_config *cfg, struct sim **sim)
{
	S.cfg = cfg;
	check_url();
	start_up();
	(void)http_run(S.http);
	shut_down();
	stat_close();
	http_free(&S.http);
	plugins_free(&S.plugins);
	ledger_free(&S.ledger);
	free(S.state);
	*sim = S.sim;
	if (!S.ever_open)
		log_err("no connection to %s was made", cfg->url);
	return S.ever_open ? 0 : EX_UNAVAILABLE;
}
