/* sharers: clients that share vitals at UtilityBelt's rates, and how long a share is on its way to each of the others.
 *
 *   sharers COUNT SECONDS URL [URL]      0 seconds: until SIGTERM; the clients are spread over the addresses; SHARED_SECRET as of dt-ingest
 *
 * It counts once everybody has heard everybody, and waits in the end for what is on its way.
 * Each sends share_vital_update every 150 ms, share_position_update every 300 ms and share_client_data every 3 s.  Prints one line of JSON; late_p99_ms says
 * how late this program itself was woken by its timer, which is what the machine alone costs: a share needs three or four such wakes. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock/clock.h"
#include "event/event.h"
#include "http/http.h"
#include "mem/mem.h"
#include "plugin/plugin.h"

#define COUNT_MAX 500
#define TICK_MS 5
#define PATIENCE_MS 60000                /* at the start, and for what is on its way in the end */
#define BIN_US 50
#define BINS 40000                       /* up to 2 s */

static struct {
	struct http *http;
	struct plugins *plugins[2];
	unsigned count, ways;
	int counts;                      /* what is sent now is to reach everybody */
	int64_t next_ms[COUNT_MAX], start_ms, end_ms;
	unsigned turn[COUNT_MAX], pairs, seconds;
	unsigned char heard[COUNT_MAX][COUNT_MAX];
	uint64_t sent, expected, disorder;
	int64_t newest[COUNT_MAX][COUNT_MAX];    /* of what each has heard of each */
	struct pollable tick;
	struct delays { uint64_t n, bin[BINS + 1]; int64_t max_us; } shares, wakes;
} S;

static int64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void
note(struct delays *d, int64_t us)
{
	d->n++;
	d->bin[us / BIN_US < BINS ? us / BIN_US : BINS]++;
	if (us > d->max_us)
		d->max_us = us;
}

static void
share(unsigned i, const char *type)
{
	char name[32], frame[1024];
	int n_name = snprintf(name, sizeof(name), "Sharer %u", i), n;

	n = snprintf(frame, sizeof(frame), "{\"type\":\"%s\",\"character_name\":\"%s\",\"timestamp\":\"2026-04-21T17:07:00.1500000Z\",\"server\":\"Coldeve\",\"player_id\":%u,"
	    "\"i\":%u,\"sent\":%jd,\"tags\":[\"mage\",\"east\"],\"health_current\":296,\"health_max\":341,\"stamina_current\":388,\"stamina_max\":416,\"mana_current\":601,\"mana_max\":646}",
	    type, name, 1342391396 + i, i, S.counts ? (intmax_t)now_us() : (intmax_t)0);
	if (plugins_send(S.plugins[i % S.ways], name, (size_t)n_name, frame, (size_t)n) == 0 && S.counts) {
		S.sent++;
		S.expected += S.count - 1;
	}
}

static void
on_tick(struct pollable *p, short revents, int64_t now_ms)
{
	unsigned i;

	(void)revents;
	if (p->deadline_ms >= S.start_ms && now_ms < S.end_ms)
		note(&S.wakes, now_us() - p->deadline_ms * 1000);
	p->deadline_ms = now_ms + TICK_MS;
	if (S.end_ms == 0 && S.pairs == S.count * (S.count - 1)) {
		S.counts = 1;
		S.end_ms = S.seconds ? now_ms + S.seconds * 1000 : CLOCK_NEVER;
	}
	if (S.end_ms != 0 && now_ms >= S.end_ms) {
		if (S.shares.n >= S.expected || now_ms >= S.end_ms + PATIENCE_MS)
			http_stop(S.http);
		return;
	}
	if (S.end_ms == 0 && now_ms >= S.start_ms + PATIENCE_MS)
		http_stop(S.http);
	for (i = 0; i < S.count; i++) {
		if (now_ms < S.next_ms[i])
			continue;
		S.next_ms[i] += 150;
		share(i, "share_vital_update");
		if (S.turn[i] % 2 == 0)
			share(i, "share_position_update");
		if (S.turn[i]++ % 20 == 0)
			share(i, "share_client_data");
	}
}

static void
on_message(void *priv, const char *character, const char *data, size_t len)
{
	static struct event e;
	int64_t sent, from, us;
	unsigned to = (unsigned)atoi(character + 7);

	(void)priv;
	if (event_scan(data, len, &e) != EVENT_OK || event_int(event_get(&e, "sent"), &sent) != 0 || event_int(event_get(&e, "i"), &from) != 0)
		return;
	S.pairs += !S.heard[to][from];
	S.heard[to][from] = 1;
	if (sent == 0)
		return;
	us = now_us() - sent;
	note(&S.shares, us);
	S.disorder += sent < S.newest[to][from];
	S.newest[to][from] = sent;
}

static double
percentile(const struct delays *d, double p)
{
	uint64_t want = (uint64_t)((double)d->n * p), n = 0;
	size_t i;

	for (i = 0; i < BINS && (n += d->bin[i]) <= want; i++)
		;
	return (double)(i + 1) * BIN_US / 1000;
}

int
main(int argc, char **argv)
{
	struct plugins_config config = { .secret = getenv("SHARED_SECRET"), .on_message = on_message };
	unsigned i;

	if (argc < 4 || argc > 5 || (S.count = (unsigned)atoi(argv[1])) < 2 || S.count > COUNT_MAX)
		return 64;
	config.http = S.http = http_new(4096);
	S.ways = (unsigned)argc - 3;
	for (i = 0; i < S.ways; i++) {
		config.url = argv[3 + i];
		S.plugins[i] = plugins_new(&config);
	}
	S.start_ms = clock_mono_ms();
	S.seconds = (unsigned)atoi(argv[2]);
	for (i = 0; i < S.count; i++)
		S.next_ms[i] = clock_mono_ms() + 150 * i / S.count;      /* not all at once */
	S.tick = (struct pollable){ .fd = -1, .deadline_ms = 0, .handle = on_tick };
	http_add(S.http, &S.tick);
	if (http_run(S.http) != 0) {
		S.end_ms = clock_mono_ms();
		(void)http_run(S.http);
	}
	printf("{\"plugins\":%u,\"doors\":%u,\"shares\":%ju,\"deliveries\":%ju,\"missing\":%jd,\"out_of_order\":%ju,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f,\"late_p99_ms\":%.2f}\n", S.count, S.ways,
	    (uintmax_t)S.sent, (uintmax_t)S.shares.n, (intmax_t)(S.expected - S.shares.n), (uintmax_t)S.disorder, percentile(&S.shares, 0.5), percentile(&S.shares, 0.99), (double)S.shares.max_us / 1000,
	    percentile(&S.wakes, 0.99));
	for (i = 0; i < S.ways; i++)
		plugins_close(S.plugins[i]);
	http_drain(S.http, 2000);
	http_free(&S.http);
	for (i = 0; i < S.ways; i++)
		plugins_free(&S.plugins[i]);
	return S.shares.n == S.expected && S.disorder == 0 ? 0 : 1;
}
