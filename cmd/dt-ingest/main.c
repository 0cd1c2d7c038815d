/* dt-ingest: the door for plugins.  WebSocket frames in, events to the bus; commands and shared vitals from the bus back to the plugins. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "clock/clock.h"
#include "command.h"
#include "door.h"
#include "env/env.h"
#include "log/log.h"
#include "opt/opt.h"
#include "secret/secret.h"
#include "stat/stat.h"

#define BUFFER (64 << 20)
#define BUFFER_MIN (20 << 20)            /* a frame of 16 MiB, and some */
#define DRAIN_MS 10000
#define CLOSE_MS 2000
#define BODY_MAX 4096
#define ABSENT_MS 150                    /* at least, see command.c */

enum { OPT_MESSAGES = OPT_LONG_ONLY, OPT_BYTES, OPT_ABSENT };

static const struct opt opts[] = {
	{ 'a', "address", "address", "numeric address for the port (default $DT_BIND)" },
	{ 'p', "port", "port", "listen on this TCP port too (default $DT_INGEST_PORT; 0: none)" },
	{ 'u', "socket", "path", "UNIX socket to listen on (default $DT_RUN/ingest.sock)" },
	{ 'b', "buffer", "bytes", "events that the bus has not acknowledged are kept up to this size (default 64M)" },
	{ OPT_MESSAGES, "max-messages", "count", "frames a second from one connection, over time (default 5000; 0: no limit)" },
	{ OPT_BYTES, "max-bytes", "bytes", "bytes a second from one connection, over time (default 8M; 0: no limit)" },
	{ OPT_ABSENT, "absent", "ms", "say that a character is offline when no other dt-ingest has spoken for so long (default 150)" },
	OPT_READY,
	OPT_END
};

static const struct opt_program program = {
	.name = "dt-ingest", .usage = "[options]", .summary = "take events from plugins over WebSocket",
	.examples = "  dt-ingest -p 8766\n  dt-ingest -u /run/dt/ingest.sock -b 256M\n", .opts = opts,
};

static struct {
	struct door door;
	const char *address, *socket;
	int port, ready_fd;
	int64_t deadline_ms;             /* of waiting for acknowledgements; 0: not stopping */
} S = { .ready_fd = -1, .port = -1 };

static void
read_options(int argc, char **argv)
{
	const char *arg;
	int c, first;

	S.door.buffer = BUFFER;
	S.door.absent_ms = ABSENT_MS;
	S.door.messages.per_s = 5000;
	S.door.bytes.per_s = 8 << 20;
	while ((c = opt_next(&program, argc, argv, &arg, &first)) != -1)
		switch (c) {
		case 'a': S.address = arg; break;
		case 'p': S.port = (int)opt_int("-p", arg, 0, 65535); break;
		case 'u': S.socket = arg; break;
		case 'b': S.door.buffer = (size_t)opt_bytes("-b", arg); break;
		case OPT_MESSAGES: S.door.messages.per_s = (double)opt_int("--max-messages", arg, 0, 1000000000); break;
		case OPT_BYTES: S.door.bytes.per_s = (double)opt_bytes("--max-bytes", arg); break;
		case OPT_ABSENT: S.door.absent_ms = opt_int("--absent", arg, 1, 60000); break;
		case 'R': S.ready_fd = (int)opt_int("-R", arg, 0, 65535); break;
		}
	if (first < argc)
		opt_usage("unexpected operand '%s'", argv[first]);
	if (S.door.buffer < BUFFER_MIN)
		opt_usage("-b: at least 20M, so that the largest frame fits");
	S.door.messages.burst = 2 * S.door.messages.per_s;
	S.door.bytes.burst = 8 * S.door.bytes.per_s;
	if (S.door.bytes.burst < 17 << 20)
		S.door.bytes.burst = 17 << 20;
}

static void
read_settings(void)
{
	const char *secret;

	env_load();
	secret = env_get("SHARED_SECRET");
	if (env_is_placeholder(secret))
		die(EX_CONFIG, "SHARED_SECRET is %s: set it to what the plugins send", secret[0] ? "only a placeholder" : "not set");
	if (strlen(secret) > 200)
		die(EX_CONFIG, "SHARED_SECRET is longer than 200 bytes");
	S.door.secret = secret_new(secret);
	if (S.port < 0)
		S.port = (int)env_int("DT_INGEST_PORT", 0, 65535);
	if (S.address == NULL)
		S.address = env_get("DT_BIND");
	if (S.socket == NULL)
		S.socket = env_run_path("ingest.sock");
}

/* ---- the bus ---- */

static void
on_refused(void *priv, uint64_t n, const char *reason)
{
	(void)priv;
	*stat_cell(STAT_INGEST_BUS_REFUSED, reason) += 1;
	log_warn("the bus refused event %ju of ours: %s", (uintmax_t)n, reason);
}

static void
open_bus(void)
{
	char *path = bus_in_path();
	struct bus_pub_config config = { .path = path, .name = "dt-ingest", .max_bytes = S.door.buffer, .on_error = on_refused };

	S.door.pub = bus_pub_new(&config);
	http_add(S.door.http, bus_pub_pollable(S.door.pub));
	free(path);
}

/* ---- listening ---- */

static void
listen_all(void)
{
	int port = S.port;

	if (http_listen_unix(S.door.http, S.socket, 0660) != 0)
		die(errno == EADDRINUSE ? EX_TEMPFAIL : EX_CANTCREAT, "unable to listen on %s: %s", S.socket, strerror(errno));
	if (port > 0 && http_listen_tcp(S.door.http, S.address, &port) != 0)
		die(errno == EINVAL ? EX_CONFIG : EX_TEMPFAIL, "unable to listen on port %d of %s: %s", port, S.address, strerror(errno));
	if (port > 0)
		log_info("listening on %s and port %d of %s", S.socket, port, S.address);
	else
		log_info("listening on %s", S.socket);
}

static void
on_turn(void *priv, int64_t now_ms)
{
	(void)priv;
	plugin_turn(&S.door, now_ms);
	if (S.deadline_ms != 0 && (bus_pub_unacked(S.door.pub) == 0 || now_ms >= S.deadline_ms))
		http_stop(S.door.http);
}

/* What was accepted goes to the journal first; then the connections are closed. */
static void
drain(void)
{
	S.deadline_ms = clock_mono_ms() + DRAIN_MS;
	command_stop();
	plugin_stop(&S.door);
	while (bus_pub_unacked(S.door.pub) > 0 && clock_mono_ms() < S.deadline_ms)
		if (http_run(S.door.http) != 0)
			die(EX_TEMPFAIL, "stopped for the second time: %ju events are not acknowledged", (uintmax_t)bus_pub_unacked(S.door.pub));
	if (bus_pub_unacked(S.door.pub) > 0)
		log_err("stopping although %ju events are not acknowledged: the bus does not answer", (uintmax_t)bus_pub_unacked(S.door.pub));
	http_drain(S.door.http, CLOSE_MS);
}

int
main(int argc, char **argv)
{
	read_options(argc, argv);
	read_settings();
	S.door.http = http_new(BODY_MAX);
	plugin_open(&S.door);
	open_bus();
	command_open(&S.door);
	back_open(&S.door);
	listen_all();
	stat_open("dt-ingest");
	http_on_turn(S.door.http, on_turn, NULL);
	opt_ready(S.ready_fd);
	(void)http_run(S.door.http);
	drain();
	back_close(&S.door);
	command_close();
	http_free(&S.door.http);
	bus_pub_free(&S.door.pub);
	plugin_close(&S.door);
	secret_free(&S.door.secret);
	stat_close();
	return 0;
}
