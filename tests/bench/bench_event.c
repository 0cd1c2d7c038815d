/* How fast the gate reads telemetry lines and a mix of types, beside libjq's parser and `jq -c .` on the same bytes. */
#include <jv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf/buf.h"
#include "clock/clock.h"
#include "event/event.h"
#include "mem/mem.h"

#define INPUT_BYTES (8u << 20)
#define ROUNDS 5
#define LINES_MAX 65536

struct input {
	const char *name;
	struct buf text;
	size_t n, start[LINES_MAX + 1];      /* lines, each with its newline */
};

static unsigned
rnd(unsigned n)
{
	static uint64_t seed = 1;

	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

static double
degrees(void)
{
	return (double)rnd(20400) / 100 - 102;
}

/* ---- lines ---- */

static void
head(struct buf *b, const char *type)
{
	(void)buf_printf(b, "{\"type\":\"%s\",\"character_name\":\"Character %u\",\"timestamp\":\"2026-04-21T17:03:%02u.%07uZ\"", type, rnd(60), rnd(60), rnd(10000000));
}

static void
telemetry(struct buf *b)
{
	static const char *const states[] = { "Hunt", "Idle", "Nav home", "Default" };

	head(b, "telemetry");
	(void)buf_printf(b, ",\"char_tag\":\"mage%u\",\"session_id\":\"7f0f5d0e-5a1c-4d0b-9d8f-0f2c6b1f%04x\",\"ew\":%.2f,\"ns\":%.2f,\"z\":%.2f,\"kills\":%u,\"kills_per_hour\":\"%u\"",
	    rnd(12), rnd(65536), degrees(), degrees(), (double)rnd(100) / 100, rnd(5000), rnd(1000));
	(void)buf_printf(b, ",\"onlinetime\":\"00.%02u:%02u:%02u\",\"deaths\":\"%u\",\"total_deaths\":\"%u\",\"rares_found\":\"%u\",\"prismatic_taper_count\":\"%u\",\"vt_state\":\"%s\"",
	    rnd(24), rnd(60), rnd(60), rnd(3), rnd(40), rnd(3), rnd(12000), states[rnd(4)]);
	(void)buf_printf(b, ",\"mem_mb\":%.1f,\"cpu_pct\":%.2f,\"mem_handles\":%u,\"latency_ms\":%u}\n", (double)rnd(9000) / 10, (double)rnd(10000) / 100, rnd(3000), rnd(300));
}

static void
vitals(struct buf *b)
{
	head(b, "vitals");
	(void)buf_printf(b, ",\"health_current\":%u,\"health_max\":341,\"health_percentage\":%.1f,\"stamina_current\":%u,\"stamina_max\":416,\"mana_current\":%u,\"mana_max\":646,\"vitae\":0}\n",
	    rnd(341), (double)rnd(1000) / 10, rnd(416), rnd(646));
}

static void
spawn(struct buf *b)
{
	head(b, "spawn");
	(void)buf_printf(b, ",\"mob\":\"Monster %u\",\"ns\":\"%.2f\",\"ew\":\"%.2f\",\"z\":\"0.1\"}\n", rnd(2500), degrees(), degrees());
}

static void
chat(struct buf *b)
{
	unsigned n = 1 + rnd(20);

	head(b, "chat");
	(void)buf_appends(b, ",\"text\":\"[General] Zoli says, \\\"");
	while (n-- > 0)
		(void)buf_appends(b, rnd(10) ? "some words " : "caf\xc3\xa9 ");
	(void)buf_appends(b, "\\\"\",\"color\":27}\n");
}

static void
nearby_objects(struct buf *b)
{
	unsigned i, n = 10 + rnd(30);

	head(b, "nearby_objects");
	(void)buf_appends(b, ",\"landcell\":\"A9B40019\",\"is_dungeon\":false,\"objects\":[");
	for (i = 0; i < n; i++)
		(void)buf_printf(b, "%s{\"id\":%u,\"name\":\"Monster %u\",\"object_class\":5,\"x\":%.1f,\"y\":%.1f,\"z\":92.2,\"distance\":%.1f}", i ? "," : "", rnd(1u << 31), rnd(2500),
		    (double)rnd(1920) / 10, (double)rnd(1920) / 10, (double)rnd(750) / 10);
	(void)buf_appends(b, "]}\n");
}

static void
full_inventory(struct buf *b)
{
	unsigned i, k;

	head(b, "full_inventory");
	(void)buf_appends(b, ",\"items\":[");
	for (i = 0; i < 250; i++) {
		(void)buf_printf(b, "%s{\"Id\":-%u,\"Name\":\"Item %u\",\"ObjectClass\":%u,\"HasIdData\":true,\"IntValues\":{", i ? "," : "", rnd(1u << 31), rnd(9999), rnd(40));
		for (k = 0; k < 20; k++)
			(void)buf_printf(b, "%s\"%u\":%u", k ? "," : "", 218103808 + k, rnd(1u << 31));
		(void)buf_printf(b, "},\"DoubleValues\":{\"167772160\":%.16f},\"Spells\":[%u,%u,%u]}", (double)rnd(1u << 30) / 3e8, rnd(7000), rnd(7000), rnd(7000));
	}
	(void)buf_appends(b, "]}\n");
}

static void
mixed(struct buf *b)
{
	unsigned k = rnd(1000);

	if (k < 300)
		telemetry(b);
	else if (k < 500)
		vitals(b);
	else if (k < 750)
		spawn(b);
	else if (k < 950)
		chat(b);
	else if (k < 998)
		nearby_objects(b);
	else
		full_inventory(b);
}

static struct input *
make_input(const char *name, void (*line)(struct buf *))
{
	struct input *in = xcalloc(1, sizeof *in);

	in->name = name;
	buf_init(&in->text, 2 * INPUT_BYTES);
	while (in->text.len < INPUT_BYTES && in->n < LINES_MAX) {
		line(&in->text);
		in->start[++in->n] = in->text.len;
	}
	return in;
}

/* ---- contenders: all lines once ---- */

static void
scan_all(const struct input *in, const char *text)
{
	static struct event e;
	size_t i;

	for (i = 0; i < in->n; i++)
		if (event_scan(text + in->start[i], in->start[i + 1] - in->start[i], &e) != EVENT_OK)
			abort();
}

static void
stamp_all(const struct input *in, const char *text)
{
	static char out[EVENT_STAMP_MAX + (1u << 20)];
	static struct event e;
	size_t i;

	for (i = 0; i < in->n; i++) {
		if (event_scan(text + in->start[i], in->start[i + 1] - in->start[i], &e) != EVENT_OK)
			abort();
		(void)event_write_stamped(&e, i, "2026-11-22T13:02:03.123Z", out);
	}
}

static void
jv_all(const struct input *in, const char *text)
{
	size_t i;

	for (i = 0; i < in->n; i++)
		jv_free(jv_parse_sized(text + in->start[i], (int)(in->start[i + 1] - in->start[i])));
}

static void
jq_all(const struct input *in, const char *text)
{
	FILE *jq = popen("jq -c . >/dev/null", "w");

	if (jq == NULL || fwrite(text, 1, in->text.len, jq) != in->text.len || pclose(jq) != 0) {
		fprintf(stderr, "bench_event: jq does not run\n");
		exit(1);
	}
}

/* Best of some rounds, in MB/s. */
static double
measure(void (*all)(const struct input *, const char *), const struct input *in, int rounds)
{
	double best = 0, speed;
	int64_t begin;
	int i, times;

	for (i = 0; i < rounds; i++) {
		begin = clock_wall_us();
		for (times = 0; times == 0 || clock_wall_us() - begin < 200000; times++)
			all(in, in->text.p);
		speed = (double)in->text.len * times / (double)(clock_wall_us() - begin);
		best = speed > best ? speed : best;
	}
	return best;
}

static void
bench(const struct input *in)
{
	double size = (double)in->text.len / (double)in->n, scan, stamp, jv, jq;

	scan = measure(scan_all, in, ROUNDS);
	stamp = measure(stamp_all, in, ROUNDS);
	jv = measure(jv_all, in, 2);
	jq = measure(jq_all, in, 1);
	printf("%s, %.0f B a line\n", in->name, size);
	printf("  %-22s %8.0f MB/s %8.2f M events/s\n", "event_scan", scan, scan / size);
	printf("  %-22s %8.0f MB/s %8.2f M events/s\n", "  and write_stamped", stamp, stamp / size);
	printf("  %-22s %8.0f MB/s   event_scan is %.0f times as fast\n", "jv_parse", jv, scan / jv);
	printf("  %-22s %8.0f MB/s   event_scan is %.0f times as fast\n", "jq -c .", jq, scan / jq);
}

int
main(void)
{
	bench(make_input("telemetry", telemetry));
	bench(make_input("mix of types", mixed));
	return 0;
}
