/* dt-health: asks one game server whether it is up and TreeStats how many play there; server_status events to the bus. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "buf/buf.h"
#include "bus/bus.h"
#include "clock/clock.h"
#include "counts.h"
#include "env/env.h"
#include "fetch/fetch.h"
#include "log/log.h"
#include "loop/loop.h"
#include "mem/mem.h"
#include "opt/opt.h"
#include "probe.h"
#include "stat/stat.h"
#include "verdict.h"

#define COUNTS_EVERY_S 360               /* TreeStats keeps its answer for so long */
#define COUNTS_TIMEOUT_MS 15000
#define COUNTS_MAX_BYTES (1u << 20)
#define COUNTS_LAST_US (3600 * INT64_C(1000000))
#define SAY_EVERY_MS 60000
#define WAITING_MAX 16                   /* events that the bus has not taken yet; they would say what was */

enum { OPT_COUNTS = OPT_LONG_ONLY, OPT_MISSES };

static const struct opt opts[] = {
	{ OPT_COUNTS, "counts", "seconds", "from one look at TreeStats to the next (default 360)" },
	{ 'i', "interval", "seconds", "from one probe to the next (default 30)" },
	{ OPT_MISSES, "misses", "count", "probes missed in a row that mean down (default 3)" },
	{ 's', "socket", "path", "events.in of the bus (default $DT_RUN/events.in)" },
	{ 't', "timeout", "seconds", "how long an answer to a probe may take (default 5)" },
	OPT_READY,
	OPT_END
};

static const struct opt_program program = {
	"dt-health", "[options]",
	"Watch a game server: is it up, how fast, how many players",
	"  DT_GAME_SERVER=Coldeve DT_GAME_ADDRESS=play.coldeve.ac:9000 dt-health\n"
	"  dt-tap -t server_status\n",
	opts
};

static struct {
	double counts_s, interval_s, timeout_s;
	char *socket, *url, *host, *agent;
	const char *server, *address, *port;
	int ready_fd;
	struct loop *loop;
	struct bus_pub *pub;
	struct probe *probe;
	struct fetch *fetch;
	struct pollable ticker;          /* status file, looks at TreeStats, events that are due */
	struct verdict verdict;
	struct counts counts;
	char counts_why[160];            /* what was wrong with TreeStats last; "": nothing */
	int64_t counts_next_ms, said_ms, checked_us;
	int64_t said_players;
} S = {
	.counts_s = COUNTS_EVERY_S, .interval_s = 30, .timeout_s = 5, .ready_fd = -1,
	.verdict = { .misses_max = 3 }, .counts = { .players = -1 },
};

/* ---- events ---- */

static int
put_number(struct buf *b, const char *name, int known, double value)
{
	return known ? buf_printf(b, ",\"%s\":%.10g", name, value) : buf_printf(b, ",\"%s\":null", name);
}

static int
write_event(struct buf *b, int64_t now_ms)
{
	const struct verdict *v = &S.verdict;
	char now[CLOCK_ISO_SIZE], checked[CLOCK_ISO_SIZE], counted[CLOCK_ISO_SIZE];
	int bad = 0, up = v->state == VERDICT_UP;

	clock_format_iso(clock_wall_us(), now);
	clock_format_iso(S.checked_us, checked);
	bad |= buf_printf(b, "{\"type\":\"server_status\",\"timestamp\":\"%s\",\"server\":", now);
	bad |= buf_append_json(b, S.server, strlen(S.server));
	bad |= buf_appends(b, ",\"server_address\":");
	bad |= buf_append_json(b, S.address, strlen(S.address));
	bad |= buf_printf(b, ",\"online\":%s", v->state == VERDICT_UNKNOWN ? "null" : up ? "true" : "false");
	bad |= put_number(b, "latency_ms", up, (double)(int64_t)(v->latency_ms * 100 + 0.5) / 100);
	bad |= put_number(b, "player_count", S.counts.players >= 0, (double)S.counts.players);
	if (S.counts.players >= 0) {
		clock_format_iso(S.counts.at_us, counted);
		bad |= buf_printf(b, ",\"player_count_at\":\"%s\"", counted);
	}
	bad |= put_number(b, "uptime_s", up, (double)((now_ms - v->up_since_ms) / 1000));
	return bad | buf_printf(b, ",\"last_checked\":\"%s\"}", checked);
}

static void
say(int64_t now_ms)
{
	struct buf b = BUF_INIT(64u << 10);

	if (S.checked_us == 0 || bus_pub_unacked(S.pub) >= WAITING_MAX)
		return;
	if (write_event(&b, now_ms) == 0 && bus_pub_send(S.pub, buf_data(&b), buf_size(&b)) != 0) {
		stat_add(STAT_HEALTH_EVENTS, 1);
		S.said_ms = now_ms;
		S.said_players = S.counts.players;
	}
	buf_fini(&b);
}

/* ---- the server ---- */

static void
on_outcome(void *priv, enum probe_outcome outcome, double latency_ms, const char *why)
{
	static const char *const words[] = { "answered", "missed", "unclear" };
	int64_t now_ms = clock_mono_ms();
	int first = S.checked_us == 0, changed;

	(void)priv;
	++*stat_cell(STAT_HEALTH_PROBES, words[outcome]);
	S.checked_us = clock_wall_us();
	changed = verdict_step(&S.verdict, outcome, latency_ms, now_ms);
	if (changed && outcome == PROBE_ANSWERED)
		log_info("%s is up: it answers after %.1f ms", S.server, latency_ms);
	else if (changed || (first && outcome == PROBE_UNCLEAR))
		log_warn("%s at %s is %s: %s", S.server, S.address, verdict_word(S.verdict.state), why);
	if (changed || first)
		say(now_ms);
}

/* ---- TreeStats ---- */

/* A line when it begins to fail, or fails otherwise, and one when it is well again. */
static void
counts_complain(const char *why)
{
	if (strcmp(S.counts_why, why) == 0)
		return;
	if (why[0] != '\0')
		log_warn("no player count from %s: %s", S.url, why);
	else
		log_info("player counts come from %s again", S.url);
	(void)snprintf(S.counts_why, sizeof(S.counts_why), "%s", why);
}

static void
on_counts(void *priv, const struct fetch_answer *a)
{
	struct counts c;
	char status[32];
	const char *why = *a->cause ? a->words : status;
	int ok = a->status == 200 && *a->cause == '\0' && counts_read(a->body, a->len, S.server, &c, &why) == 0;

	(void)priv;
	(void)snprintf(status, sizeof(status), "status %d", a->status);
	++*stat_cell(STAT_HEALTH_COUNTS, ok ? "ok" : "failed");
	if (!ok) {
		counts_complain(why);
		return;
	}
	counts_complain(c.players == -1 ? "it has no server of that name" : "");
	if (c.players >= 0 && c.at_us == 0)
		c.at_us = clock_wall_us();
	S.counts = c;
}

static void
counts_step(int64_t now_ms)
{
	int64_t age_us = clock_wall_us() - S.counts.at_us;

	if (S.counts.players >= 0 && age_us > COUNTS_LAST_US)
		S.counts.players = -1;
	stat_set(STAT_HEALTH_COUNT_AGE, S.counts.players < 0 || age_us < 0 ? 0 : age_us / 1000000);
	if (fetch_count(S.fetch) > 0 || now_ms < S.counts_next_ms)
		return;
	S.counts_next_ms = now_ms + (int64_t)(S.counts_s * 1000);
	fetch_start(S.fetch, &(struct fetch_request){ .url = S.url, .agent = S.agent, .on_answer = on_counts });
}

/* ---- turns ---- */

static void
tick(struct pollable *p, short revents, int64_t now_ms)
{
	int64_t look_ms;

	(void)revents;
	counts_step(now_ms);
	if (S.counts.players != S.said_players || now_ms >= S.said_ms + SAY_EVERY_MS)
		say(now_ms);
	stat_set(STAT_HEALTH_UP, S.verdict.state == VERDICT_UP);
	stat_set(STAT_HEALTH_KNOWN, S.verdict.state != VERDICT_UNKNOWN);
	stat_set(STAT_HEALTH_PLAYERS, S.counts.players < 0 ? 0 : S.counts.players);
	stat_set(STAT_HEALTH_BUS_UP, bus_pub_connected(S.pub));
	stat_write(now_ms);
	look_ms = S.counts_next_ms > now_ms ? S.counts_next_ms : CLOCK_NEVER;
	p->deadline_ms = look_ms < stat_deadline() ? look_ms : stat_deadline();
}

/* ---- start and end ---- */

/* "host:port" or "[address]:port". */
static void
read_address(const char *text)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon != NULL ? (size_t)(colon - text) : 0, digits = colon != NULL ? strspn(colon + 1, "0123456789") : 0;

	if (len == 0 || digits == 0 || digits > 5 || colon[1 + digits] != '\0' || atoi(colon + 1) < 1 || atoi(colon + 1) > 65535)
		die(EX_CONFIG, "DT_GAME_ADDRESS=%s is no host:port, as play.coldeve.ac:9000", text);
	S.host = text[0] == '[' && text[len - 1] == ']' ? xstrndup(text + 1, len - 2) : xstrndup(text, len);
	S.port = colon + 1;
}

static void
settings(void)
{
	const char *base;
	size_t len;

	env_load();
	S.server = env_get("DT_GAME_SERVER");
	S.address = env_get("DT_GAME_ADDRESS");
	if (S.server[0] == '\0' || S.address[0] == '\0')
		die(EX_CONFIG, "off: %s is not set, so there is no game server to watch", S.server[0] == '\0' ? "DT_GAME_SERVER" : "DT_GAME_ADDRESS");
	if (strlen(S.server) > 200 || strlen(S.address) > 300)
		die(EX_CONFIG, "DT_GAME_SERVER or DT_GAME_ADDRESS is too long");
	read_address(S.address);
	base = env_get("TREESTATS_BASE");
	if (strncmp(base, "https://", 8) != 0 && strncmp(base, "http://", 7) != 0)
		die(EX_CONFIG, "TREESTATS_BASE=%s is no http or https address", base);
	if (strstr(base, "treestats.net") != NULL && S.counts_s < COUNTS_EVERY_S)
		opt_usage("--counts: TreeStats keeps its counts for %d seconds; asking more often brings nothing", COUNTS_EVERY_S);
	for (len = strlen(base); base[len - 1] == '/'; len--)
		;
	S.url = xasprintf("%.*s/player_counts-latest.json", (int)len, base);
}

static void
parse(int argc, char **argv)
{
	const char *arg;
	int c, first;

	while ((c = opt_next(&program, argc, argv, &arg, &first)) != -1)
		switch (c) {
		case OPT_COUNTS: S.counts_s = opt_double("--counts", arg, 0.1, 86400); break;
		case 'i': S.interval_s = opt_double("--interval", arg, 0.05, 3600); break;
		case OPT_MISSES: S.verdict.misses_max = (unsigned)opt_int("--misses", arg, 1, 1000); break;
		case 's': S.socket = xstrdup(arg); break;
		case 't': S.timeout_s = opt_double("--timeout", arg, 0.05, 60); break;
		case 'R': S.ready_fd = (int)opt_int("-R", arg, 0, 1 << 20); break;
		}
	if (first < argc)
		opt_usage("unexpected '%s'", argv[first]);
	settings();
	if (S.socket == NULL)
		S.socket = bus_in_path();
}

static void
start(void)
{
	struct bus_pub_config bus = { .path = S.socket, .name = "dt-health", .max_bytes = 256u << 10 };
	struct fetch_config fetch = { .proxy = env_get("DT_HTTP_PROXY"), .ca_file = env_get("DT_HTTP_CA"), .connect_ms = COUNTS_TIMEOUT_MS,
		.total_ms = COUNTS_TIMEOUT_MS, .keep_max = COUNTS_MAX_BYTES, .read_max = COUNTS_MAX_BYTES, .redirects = 3 };
	struct probe_config probe = { .host = S.host, .port = S.port, .interval_ms = (int64_t)(S.interval_s * 1000),
		.patience_ms = (int64_t)(S.timeout_s * 1000), .on_outcome = on_outcome };

	S.loop = loop_new();
	stat_open("dt-health");
	S.pub = bus_pub_new(&bus);
	loop_add(S.loop, bus_pub_pollable(S.pub));
	S.probe = probe_new(&probe);
	loop_add(S.loop, probe_pollable(S.probe));
	fetch.loop = S.loop;
	S.fetch = fetch_new(&fetch);
	S.agent = xasprintf("dt-health/%s", build_version);
	S.said_players = -1;
	S.ticker = (struct pollable){ .fd = -1, .deadline_ms = 0, .handle = tick };
	loop_add(S.loop, &S.ticker);
}

static void
finish(void)
{
	loop_del(S.loop, probe_pollable(S.probe));
	probe_free(&S.probe);
	fetch_free(&S.fetch);
	bus_pub_free(&S.pub);
	stat_close();
	loop_free(&S.loop);
	free(S.socket);
	free(S.url);
	free(S.agent);
	free(S.host);
}

int
main(int argc, char **argv)
{
	parse(argc, argv);
	start();
	log_info("watching %s at %s", S.server, S.address);
	opt_ready(S.ready_fd);
	(void)loop_run(S.loop);
	finish();
	return 0;
}
