/* dt-serve: events and SQL in; HTTP, /ws/live, the pages, and the public end of /ws/position out. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "bus/bus.h"
#include "clock/clock.h"
#include "env/env.h"
#include "door.h"
#include "feed.h"
#include "health.h"
#include "heatmap.h"
#include "http/http.h"
#include "live.h"
#include "log/log.h"
#include "mem/mem.h"
#include "net/net.h"
#include "opt/opt.h"
#include "pg/pool.h"
#include "proxy.h"
#include "roster/peers.h"
#include "roster/roster.h"
#include "routes.h"
#include "stat/stat.h"

#define SECOND_US INT64_C(1000000)
#define TICK_MS 250
#define DRAIN_MS 3000
#define PACE_MS 100
#define HEARD_MS 3000                /* of the bus being back, before anybody is said to be silent */
#define BODY_MAX 65536
#define COMMANDS_MAX (256u << 10)
#define CONNECTIONS 4                /* to the database */
#define QUERY_MS 5000
/* Parameters that may be null make plans that suit nobody, unless each is planned as it comes. */
#define SETUP "set timezone to 'UTC'; set default_transaction_read_only to on; set work_mem to '32MB'; set plan_cache_mode to force_custom_plan"

enum { OPT_ROUTES = OPT_LONG_ONLY, OPT_BEHIND_PROXY, OPT_MAP_WAIT };

static const struct opt opts[] = {
	{ 'b', "bind", "address", "listen on this address instead of $DT_BIND" },
	{ 'p', "port", "port", "listen on this port instead of $DT_PORT; 0 picks a free one" },
	{ 'd', "directory", "path", "serve files from here instead of the tracker's own static/" },
	OPT_READY,
	{ OPT_ROUTES, "routes", NULL, "print the routes of the API and exit" },
	{ OPT_BEHIND_PROXY, "behind-proxy", NULL, "a reverse proxy does the TLS: listen on any address without it" },
	{ OPT_MAP_WAIT, "map-wait", "seconds", "wait so long for the map of a plugin that is asked for it (default 3)" },
	OPT_END
};

static const struct opt_program program = {
	.name = "dt-serve", .usage = "[options]", .summary = "serve the tracker's pages, API and live events to browsers",
	.examples = "  dt-serve -p 9000\n  curl -s http://localhost:8765/live | jq '.players[].character_name'\n", .opts = opts
};

static const char *const headers[] = {
	"content-security-policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
	    "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
	"x-content-type-options", "nosniff",
	"referrer-policy", "same-origin",            /* with none at all browsers say "Origin: null" of our own forms */
	"cross-origin-opener-policy", "same-origin",
	"cross-origin-resource-policy", "same-origin",
	NULL
};

static const struct roster_config roster_config = {
	.max_characters = 2000, .max_portals = 2000, .trail_points = ROUTES_TRAIL_POINTS,
	.trail_us = ROUTES_TRAIL_US, .portal_us = 3600 * SECOND_US, .offline_us = 30 * SECOND_US
};

static struct {
	const char *bind, *directory;
	int port, ready_fd;
	int64_t map_wait_s;
	struct http *http;
	struct bus_pub *pub;
	struct pool *pool, *board;
	struct items *items;
	struct searches *searches;
	struct heatmap *heatmap;
	struct peers *peers;
	struct health *health;
	struct roster *roster;
	struct feed *feed;
	struct live *live;
	struct proxy *proxy;
	struct door *door;
	struct nets *trusted, *proxies;
	int tls, behind_proxy;
	struct routes routes;
	struct pollable tick;
	int64_t heard_ms;                /* since when the bus is connected; 0: it is not */
	int64_t paused_ms;               /* since when the stream waits for browsers; 0: it does not */
} S = { .port = -1, .ready_fd = -1, .map_wait_s = 3 };

/* ---- the stream ---- */

static int64_t
received(const struct event *ev)
{
	int64_t us;

	return event_rx(ev, &us) == 0 ? us : clock_wall_us();
}

static void
remember(const struct event *ev, int64_t rx_us)
{
	roster_feed(S.roster, ev, rx_us);
	peers_feed(S.peers, ev, rx_us);
	health_event(S.health, ev, rx_us);
}

static void
on_old(void *priv, const struct event *ev, uint64_t seq)
{
	(void)priv;
	(void)seq;
	remember(ev, received(ev));
	live_remember(S.live, ev);
}

static void
on_event(void *priv, const struct event *ev, uint64_t seq)
{
	(void)priv;
	int64_t rx_us = received(ev);

	remember(ev, rx_us);
	heatmap_event(S.heatmap, ev, seq, rx_us);
	live_event(S.live, ev, seq);
}

static void
on_gap(void *priv, uint64_t from, uint64_t to, uint64_t count)
{
	(void)priv;
	heatmap_all(S.heatmap, to);
	live_gap(S.live, from, to, count);
}

/* A burst, as after the bus was away, comes faster than sockets take it.  Who reads well should not lose any of it,
 * who does not should not hold up the others: so wait, but not for long. */
static void
pace(int64_t now_ms, int lag)
{
	if (S.paused_ms == 0 && lag) {
		S.paused_ms = now_ms;
		S.tick.deadline_ms = now_ms + PACE_MS;
		feed_pause(S.feed, 1);
	} else if (S.paused_ms != 0 && (!lag || now_ms - S.paused_ms >= PACE_MS)) {
		S.paused_ms = 0;
		feed_pause(S.feed, 0);
	}
}

static void
on_batch(void *priv)
{
	int lag = live_flush(S.live);

	(void)priv;
	if (S.paused_ms == 0)
		pace(http_now(S.http), lag);
}

static void
on_warm(void *priv)
{
	(void)priv;
	heatmap_all(S.heatmap, feed_newest_seq(S.feed));
}

/* An event of the stream: browsers, rules and the journal have it all the same, and who starts anew reads there what has been told. */
static void
on_offline(void *priv, const char *name, int64_t last_seen_us)
{
	char now[CLOCK_ISO_SIZE], seen[CLOCK_ISO_SIZE];
	struct buf b = BUF_INIT(2048);

	(void)priv;
	clock_format_iso(clock_wall_us(), now);
	clock_format_iso(last_seen_us, seen);
	(void)buf_printf(&b, "{\"type\":\"player_offline\",\"timestamp\":\"%s\",\"character_name\":", now);
	(void)buf_append_json(&b, name, strlen(name));
	(void)buf_printf(&b, ",\"last_seen\":\"%s\"}", seen);
	if (bus_pub_send(S.pub, buf_data(&b), buf_size(&b)) == 0)
		log_warn("no room to say that %s is offline", name);
	buf_fini(&b);
}

static uint64_t
newest_seq(void *priv)
{
	(void)priv;
	return feed_newest_seq(S.feed);
}

/* ---- the clock ---- */

/* While the bus is away nobody is heard, which says nothing of them; and what has waited for it needs a moment to come. */
static void
tell_offline(int64_t now_ms)
{
	if (!feed_connected(S.feed))
		S.heard_ms = 0;
	else if (S.heard_ms == 0)
		S.heard_ms = now_ms;
	if (feed_warm(S.feed) && S.heard_ms != 0 && now_ms - S.heard_ms >= HEARD_MS)
		roster_expire(S.roster, clock_wall_us(), on_offline, NULL);
}

static void
on_tick(struct pollable *p, short revents, int64_t now_ms)
{
	(void)revents;
	p->deadline_ms = now_ms + TICK_MS;
	tell_offline(now_ms);
	live_tick(S.live, now_ms);
	heatmap_tick(S.heatmap, now_ms, feed_journal(S.feed));
	history_tick(&S.routes, now_ms);
	stat_set(STAT_SERVE_ONLINE, (int64_t)roster_online(S.roster, clock_wall_us()));
	stat_set(STAT_SERVE_BUS_UP, feed_connected(S.feed));
	stat_set(STAT_SERVE_DATABASE_UP, pool_up(S.pool) > 0);
	stat_set(STAT_SERVE_SEQ, (int64_t)feed_newest_seq(S.feed));
}

static void
on_turn(void *priv, int64_t now_ms)
{
	(void)priv;
	feed_tick(S.feed, now_ms);
	live_turn(S.live);
	if (S.paused_ms != 0)
		pace(now_ms, live_lags(S.live, now_ms));
	stat_write(now_ms);
}

/* ---- start ---- */

static void
read_options(int argc, char **argv)
{
	const char *arg;
	int letter, first;

	while ((letter = opt_next(&program, argc, argv, &arg, &first)) != -1)
		switch (letter) {
		case 'b': S.bind = arg; break;
		case 'p': S.port = (int)opt_int("-p", arg, 0, 65535); break;
		case 'd': S.directory = arg; break;
		case 'R': S.ready_fd = (int)opt_int("-R", arg, 0, 65535); break;
		case OPT_ROUTES: routes_print(); exit(0);
		case OPT_BEHIND_PROXY: S.behind_proxy = 1; break;
		case OPT_MAP_WAIT: S.map_wait_s = opt_int("--map-wait", arg, 1, 600); break;
		}
	if (first < argc)
		opt_usage("unexpected operand \"%s\"", argv[first]);
	env_load();
	if (S.bind == NULL)
		S.bind = env_get("DT_BIND");
	if (strcmp(S.bind, "localhost") == 0)
		S.bind = "127.0.0.1";
	if (S.port == -1)
		S.port = (int)env_int("DT_PORT", 0, 65535);
}

static struct nets *
read_nets(const char *setting)
{
	const char *bad;
	struct nets *nets = nets_parse(env_get(setting), &bad);

	if (bad != NULL)
		die(EX_CONFIG, "%s: \"%s\" is no network, as 10.0.0.0/8 or 192.168.1.7 is", setting, bad);
	return nets;
}

static void
open_tls(void)
{
	const char *cert = env_get("DT_TLS_CERT"), *key = env_get("DT_TLS_KEY");

	if ((cert[0] == '\0') != (key[0] == '\0'))
		die(EX_CONFIG, "DT_TLS_CERT and DT_TLS_KEY go together: one of them is not set");
	if (cert[0] == '\0')
		return;
	S.tls = 1;
	http_tls(S.http, cert, key);
}

static void
listen_on(void)
{
	int port = S.port, is_v6 = strchr(S.bind, ':') != NULL;
	char *path = env_run_path("serve.sock");

	if (!S.tls && !S.behind_proxy && !net_is_loopback(S.bind))
		die(EX_CONFIG, "will not listen on %s without TLS, for passwords would pass in the clear: set DT_TLS_CERT and DT_TLS_KEY, or give --behind-proxy where a proxy does the TLS", S.bind);
	if (http_listen_tcp(S.http, S.bind, &port) == -1)
		die(EX_UNAVAILABLE, "unable to listen on %s port %d: %s", S.bind, S.port, strerror(errno));
	if (http_listen_unix(S.http, path, 0660) == -1)
		die(EX_UNAVAILABLE, "unable to listen on %s: %s", path, strerror(errno));
	free(path);
	log_info("listening on http%s://%s%s%s:%d/", S.tls ? "s" : "", is_v6 ? "[" : "", S.bind, is_v6 ? "]" : "", port);
}

/* Hosts may have any name where a name server cannot make us believe that a stranger is at home: behind a proxy, or with a certificate. */
static int
any_host(void)
{
	return S.proxies != NULL || S.behind_proxy || S.tls;
}

static void
open_door(void)
{
	char *accounts = xasprintf("%s/accounts.db", env_data_dir()), *shared = env_share_dir("static");
	char *page = xasprintf("%s/login/login.html", S.directory != NULL ? S.directory : shared);
	struct door_config config = {
		.http = S.http, .accounts = accounts, .login_page = page, .trusted = S.trusted, .proxies = S.proxies, .any_host = any_host(), .tls = S.tls,
		.idle_us = env_int("DT_SESSION_IDLE", 1, 525600) * 60 * SECOND_US, .max_us = env_int("DT_SESSION_DAYS", 1, 366) * 86400 * SECOND_US
	};

	S.door = door_new(&config);
	live_door(S.live, S.door);
	free(accounts);
	free(shared);
	free(page);
}

static void
open_bus(void)
{
	char *in = bus_in_path();
	struct bus_pub_config pub = { .path = in, .name = "dt-serve", .max_bytes = COMMANDS_MAX };
	struct feed_config feed = {
		.http = S.http, .trails_us = ROUTES_TRAIL_US, .portals_us = 3600 * SECOND_US, .shares_us = PEERS_STALE_US,
		.on_old = on_old, .on_event = on_event, .on_gap = on_gap, .on_batch = on_batch, .on_warm = on_warm
	};
	struct live_config live = { .http = S.http, .roster = S.roster, .newest_seq = newest_seq, .any_host = any_host(), .map_wait_ms = S.map_wait_s * 1000 };

	S.pub = bus_pub_new(&pub);
	http_add(S.http, bus_pub_pollable(S.pub));
	live.pub = S.pub;
	S.live = live_new(&live);
	S.feed = feed_new(&feed);
	free(in);
}

static struct pool *
open_pool(const struct pool_config *config)
{
	struct pool *pool = pool_new(config);
	struct pollable *p;
	int i;

	for (i = 0; (p = pool_pollable(pool, i)) != NULL; i++)
		http_add(S.http, p);
	return pool;
}

static void
close_pool(struct pool *pool)
{
	struct pollable *p;
	int i;

	for (i = 0; (p = pool_pollable(pool, i)) != NULL; i++)
		http_del(S.http, p);
}

static void
open_database(void)
{
	char *url = pg_telemetry_url();
	struct pool_config config = {
		.connections = CONNECTIONS,
		.pg = { .url = url, .password = env_get("POSTGRES_PASSWORD"), .name = "dt-serve", .timeout_ms = QUERY_MS, .setup = SETUP }
	};

	S.pool = open_pool(&config);
	live_database(S.live, S.pool);
	config.connections = 1;
	config.pg.setup = "set timezone to 'UTC'";
	config.pg.quiet = 1;
	S.board = open_pool(&config);
	S.heatmap = heatmap_new(S.pool);
	free(url);
	S.items = items_new(S.http);
	S.searches = searches_new(S.http, S.items);
}

static void
add_routes(void)
{
	char *directory = S.directory != NULL ? NULL : env_share_dir("static"), *ingest = env_run_path("ingest.sock");
	const char *version = env_get("BUILD_VERSION");

	S.routes = (struct routes){
		.http = S.http, .feed = S.feed, .roster = S.roster, .pool = S.pool, .board = S.board, .any_host = any_host(), .items = S.items, .searches = S.searches, .heatmap = S.heatmap, .peers = S.peers, .health = S.health, .live = S.live,
		.door = S.door,
		.version = version[0] != '\0' ? version : build_version
	};
	http_headers(S.http, headers);
	routes_add(&S.routes);
	S.proxy = proxy_new(S.http, S.proxies, env_get("SHARED_SECRET"), ingest);
	http_static(S.http, S.directory != NULL ? S.directory : directory);
	free(directory);
	free(ingest);
}

static void
close_all(void)
{
	stat_close();
	feed_free(&S.feed);
	live_close(S.live);
	http_del(S.http, bus_pub_pollable(S.pub));
	close_pool(S.pool);
	close_pool(S.board);
	http_del(S.http, &S.tick);
	items_stop(S.items);
	searches_stop(S.searches);
	http_free(&S.http);
	live_free(&S.live);
	proxy_free(&S.proxy);
	door_free(&S.door);
	nets_free(&S.trusted);
	nets_free(&S.proxies);
	bus_pub_free(&S.pub);
	searches_free(&S.searches);
	items_free(&S.items);
	pool_free(&S.pool);
	pool_free(&S.board);
	heatmap_free(&S.heatmap);
	health_free(&S.health);
	peers_free(&S.peers);
	roster_free(&S.roster);
}

int
main(int argc, char **argv)
{
	read_options(argc, argv);
	S.trusted = read_nets("DT_TRUSTED_NETS");
	S.proxies = read_nets("DT_PROXY_NETS");
	S.http = http_new(BODY_MAX);
	open_tls();
	S.roster = roster_new(&roster_config);
	S.peers = peers_new(roster_config.max_characters);
	S.health = health_new();
	stat_open("dt-serve");
	open_bus();
	open_database();
	open_door();
	add_routes();
	listen_on();
	S.tick = (struct pollable){ .fd = -1, .deadline_ms = 0, .handle = on_tick };
	http_add(S.http, &S.tick);
	http_on_turn(S.http, on_turn, NULL);
	opt_ready(S.ready_fd);

	(void)http_run(S.http);
	http_drain(S.http, DRAIN_MS);
	close_all();
	return 0;
}
