/* buf, ndjson, env, stat and loop: the small parts that every program stands on. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf/buf.h"
#include "clock/clock.h"
#include "env/env.h"
#include "log/log.h"
#include "loop/loop.h"
#include "mem/mem.h"
#include "ndjson/ndjson.h"
#include "suite.h"

START_TEST(buf_keeps_its_maximum)
{
	struct buf b = BUF_INIT(10);

	ck_assert_int_eq(buf_append(&b, "", 0), 0);
	ck_assert_int_eq(buf_append(&b, "0123456789", 10), 0);
	ck_assert_int_eq(buf_append(&b, "x", 1), -1);
	ck_assert_uint_eq(buf_size(&b), 10);
	buf_consume(&b, 4);
	ck_assert_int_eq(buf_append(&b, "abcd", 4), 0);
	ck_assert_int_eq(memcmp(buf_data(&b), "456789abcd", 10), 0);
	ck_assert_ptr_null(buf_reserve(&b, SIZE_MAX));
	buf_fini(&b);
}
END_TEST

START_TEST(buf_holds_against_a_model)
{
	struct buf b = BUF_INIT(1 << 16);
	char *model = xmalloc(1 << 20), chunk[300];
	size_t begin = 0, end = 0;

	srand(7);
	for (int i = 0; i < 5000 && end < (1 << 20) - 300; i++) {
		size_t n = (size_t)rand() % sizeof chunk;
		for (size_t k = 0; k < n; k++)
			chunk[k] = (char)rand();
		if (end - begin + n <= 1 << 16) {
			ck_assert_int_eq(buf_append(&b, chunk, n), 0);
			memcpy(model + end, chunk, n);
			end += n;
		}
		n = (size_t)rand() % (end - begin + 1);
		if (n > 400)
			n = 400;
		buf_consume(&b, n);
		begin += n;
		ck_assert_uint_eq(buf_size(&b), end - begin);
		ck_assert(end == begin || memcmp(buf_data(&b), model + begin, end - begin) == 0);
	}
	buf_fini(&b);
	free(model);
}
END_TEST

START_TEST(buf_writes_json_strings)
{
	struct buf b = BUF_INIT(1000);

	ck_assert_int_eq(buf_append_json(&b, "a\"\\\n\x01\xc3\xa9", 7), 0);
	ck_assert_int_eq(buf_append(&b, "", 1), 0);
	ck_assert_str_eq(buf_data(&b), "\"a\\\"\\\\\\n\\u0001\xc3\xa9\"");
	buf_fini(&b);
}
END_TEST

static const char *
decimal(struct buf *b, double x, int decimals)
{
	buf_clear(b);
	ck_assert_int_eq(buf_append_decimal(b, x, decimals), 0);
	ck_assert_int_eq(buf_append(b, "", 1), 0);
	return buf_data(b);
}

/* As printf rounds it, but for the zeros. */
START_TEST(buf_writes_decimals)
{
	struct buf b = BUF_INIT(1000);
	char want[64];
	uint64_t seed = 1;

	ck_assert_str_eq(decimal(&b, 42.1, 7), "42.1");
	ck_assert_str_eq(decimal(&b, -0.05, 7), "-0.05");
	ck_assert_str_eq(decimal(&b, -0.00000001, 7), "0");
	ck_assert_str_eq(decimal(&b, 100, 7), "100");
	ck_assert_str_eq(decimal(&b, 1200, 0), "1200");
	ck_assert_str_eq(decimal(&b, 9.9999, 2), "10");
	ck_assert_str_eq(decimal(&b, 999999999.5, 9), "999999999.5");
	ck_assert_str_eq(decimal(&b, -1e12, 3), "-1e+12");
	for (int i = 0; i < 20000; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		double x = (double)(int64_t)seed / 9.3e15;
		snprintf(want, sizeof want, "%.5f", x);
		while (want[strlen(want) - 1] == '0')
			want[strlen(want) - 1] = '\0';
		ck_assert_str_eq(decimal(&b, x, 5), want);
	}
	buf_fini(&b);
}
END_TEST

/* Lines as "<text>;", a line that is too long as "!;". */
static int
collect(void *priv, const char *line, size_t len)
{
	struct buf *b = priv;

	(void)(line ? buf_append(b, line, len) : buf_append(b, "!", 1));
	(void)buf_append(b, ";", 1);
	return line != NULL && len == 4 && memcmp(line, "stop", 4) == 0;
}

static const struct { const char *in, *out; size_t skipped, empty; } streams[] = {
	{ "a\nbb\n", "a;bb;", 0, 0 },
	{ "a\r\nbb", "a;bb;", 0, 0 },
	{ "\n\r\n\na\n", "a;", 0, 3 },
	{ "12345678\n", "12345678;", 0, 0 },
	{ "12345678\r\n", "12345678;", 0, 0 },
	{ "123456789\nb\n", "!;b;", 1, 0 },
	{ "123456789012345678901234567890\nb\n", "!;b;", 1, 0 },
	{ "123456789012345678901234567890", "!;", 1, 0 },
	{ "", "", 0, 0 },
};

START_TEST(ndjson_cuts_at_every_split)
{
	const char *in = streams[_i].in;
	size_t len = strlen(in);

	for (size_t cut = 0; cut <= len; cut++) {
		struct ndjson *n = ndjson_new(8);
		struct buf out = BUF_INIT(1000);
		ck_assert_uint_eq(ndjson_feed(n, in, cut, collect, &out), cut);
		for (size_t i = cut; i < len; i++)       /* the rest byte by byte */
			ck_assert_uint_eq(ndjson_feed(n, in + i, 1, collect, &out), 1);
		(void)ndjson_end(n, collect, &out);
		(void)buf_append(&out, "", 1);
		ck_assert_str_eq(buf_data(&out), streams[_i].out);
		ck_assert_uint_eq(ndjson_skipped(n), streams[_i].skipped);
		ck_assert_uint_eq(ndjson_empty(n), streams[_i].empty);
		buf_fini(&out);
		ndjson_free(&n);
		ck_assert_ptr_null(n);
	}
}
END_TEST

START_TEST(ndjson_stops_where_asked)
{
	struct ndjson *n = ndjson_new(100);
	struct buf out = BUF_INIT(1000);

	ck_assert_uint_eq(ndjson_feed(n, "a\nstop\nb\n", 9, collect, &out), 7);
	ck_assert_uint_eq(buf_size(&out), 7);
	buf_fini(&out);
	ndjson_free(&n);
}
END_TEST

START_TEST(env_reads_its_sources_in_order)
{
	char dir[] = "/tmp/dt-env.XXXXXX", path[200], *socket_path;
	FILE *f;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof path, "%s/dotenv", dir);
	f = fopen(path, "w");
	(void)fputs("# comment\n\nexport DT_PORT=1234\nSECRET_KEY='a b#c'\nSHARED_SECRET=\"q\\\"\\\\\\n\" # said\nMONITOR_CHARACTER = x\n"
	    "DT_BIND=1.2.3.4   # trailing\nDT_JOURNAL_HOURS=\nLOG_LEVEL=warning\n", f);
	(void)fclose(f);
	(void)chmod(path, 0600);
	(void)setenv("DT_ENV_FILE", path, 1);
	(void)snprintf(path, sizeof path, "%s/secrets", dir);
	f = fopen(path, "w");
	(void)fputs("SECRET_KEY=fromsecrets\nDISCORD_RARE_BOT_TOKEN=tok\n", f);
	(void)fclose(f);
	(void)chmod(path, 0600);
	(void)setenv("DT_DATA", dir, 1);
	(void)snprintf(path, sizeof path, "%s/file", dir);
	f = fopen(path, "w");
	(void)fputs("4321\n", f);
	(void)fclose(f);
	(void)setenv("DT_PORT_FILE", path, 1);
	(void)setenv("DT_SYNC", "always", 1);
	(void)unsetenv("DT_RUN");
	env_load();
	ck_assert_str_eq(env_get("DT_PORT"), "4321");
	ck_assert_int_eq(env_int("DT_PORT", 0, 65535), 4321);
	ck_assert_str_eq(env_get("SECRET_KEY"), "a b#c");
	ck_assert_str_eq(env_get("SHARED_SECRET"), "q\"\\\n");
	ck_assert_str_eq(env_get("DT_BIND"), "1.2.3.4");
	ck_assert_str_eq(env_get("DT_SYNC"), "always");
	ck_assert_str_eq(env_get("DT_JOURNAL_HOURS"), "168");
	ck_assert_str_eq(env_get("DISCORD_RARE_BOT_TOKEN"), "tok");
	ck_assert_str_eq(env_get("MONITOR_CHARACTER"), "");      /* "MONITOR_CHARACTER " is not a setting's name */
	(void)snprintf(path, sizeof path, "%s/run/events.in", dir);
	ck_assert_str_eq((socket_path = env_run_path("events.in")), path);
	free(socket_path);
	ck_assert_int_eq(env_bytes("DT_JOURNAL_BYTES"), 16LL << 30);
}
END_TEST

/* -v and -q are read before the settings are. */
START_TEST(env_leaves_a_chosen_log_level)
{
	char path[] = "/tmp/dt-log.XXXXXX", said[64];
	int fd = mkstemp(path);
	ssize_t n;

	ck_assert_int_ge(fd, 0);
	(void)unlink(path);
	(void)setenv("DT_ENV_FILE", "/dev/null", 1);
	(void)setenv("DT_DATA", "/nonexistent", 1);
	(void)setenv("LOG_LEVEL", "error", 1);
	ck_assert_int_eq(dup2(fd, 2), 2);
	log_open("x");
	log_level_set(LOG_LEVEL_DEBUG);
	env_load();
	log_debug("here");
	n = pread(fd, said, sizeof(said), 0);
	ck_assert_int_gt(n, 0);
	ck_assert_str_eq((said[n - 1] = '\0', said), "x: debug: here");
	(void)close(fd);
}
END_TEST

START_TEST(env_knows_sizes_and_placeholders)
{
	ck_assert_int_eq(env_parse_bytes("512"), 512);
	ck_assert_int_eq(env_parse_bytes("64k"), 65536);
	ck_assert_int_eq(env_parse_bytes("2G"), 2LL << 30);
	ck_assert_int_eq(env_parse_bytes("2Gb"), -1);
	ck_assert_int_eq(env_parse_bytes("-1"), -1);
	ck_assert_int_eq(env_parse_bytes(""), -1);
	ck_assert_int_eq(env_parse_bytes("99999999999G"), -1);
	ck_assert(env_is_placeholder("") && env_is_placeholder("ChangeMe") && env_is_placeholder("<your secret>"));
	ck_assert(!env_is_placeholder("c2f1a09be4"));
}
END_TEST

struct ticker { struct pollable p; struct loop *loop; int calls; short seen; };

static void
on_tick(struct pollable *p, short revents, int64_t now_ms)
{
	struct ticker *t = (struct ticker *)p;

	t->seen |= revents;
	if (revents & POLLIN) {
		char c;
		ck_assert_int_eq(read(p->fd, &c, 1), 1);
	}
	p->deadline_ms = now_ms + 2;
	if (++t->calls == 5)
		loop_stop(t->loop);
}

START_TEST(loop_drives_deadlines_and_descriptors)
{
	struct loop *l = loop_new();
	int fds[2];
	struct ticker t = { { -1, 0, 0, on_tick }, l, 0, 0 };

	loop_add(l, &t.p);
	ck_assert_int_eq(loop_run(l), 0);
	ck_assert_int_eq(t.calls, 5);
	ck_assert_int_eq(pipe(fds), 0);
	t.p.fd = fds[0];
	t.p.events = POLLIN;
	t.p.deadline_ms = CLOCK_NEVER;
	t.calls = 4;
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	ck_assert_int_eq(loop_run(l), 0);
	ck_assert_int_eq(t.seen, POLLIN);
	(void)close(fds[1]);                     /* hung up, but nothing is wanted of it: only the deadline may call */
	t.p.events = 0;
	t.p.deadline_ms = clock_mono_ms() + 20;
	t.seen = 0;
	t.calls = 4;
	ck_assert_int_eq(loop_run(l), 0);
	ck_assert_int_eq(t.seen, 0);
	(void)raise(SIGTERM);
	loop_del(l, &t.p);
	ck_assert_int_eq(loop_run(l), SIGTERM);
	loop_free(&l);
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("plumbing");

	tcase_add_test(t, buf_keeps_its_maximum);
	tcase_add_test(t, buf_holds_against_a_model);
	tcase_add_test(t, buf_writes_json_strings);
	tcase_add_test(t, buf_writes_decimals);
	tcase_add_loop_test(t, ndjson_cuts_at_every_split, 0, sizeof streams / sizeof *streams);
	tcase_add_test(t, ndjson_stops_where_asked);
	tcase_add_test(t, env_reads_its_sources_in_order);
	tcase_add_test(t, env_leaves_a_chosen_log_level);
	tcase_add_test(t, env_knows_sizes_and_placeholders);
	tcase_add_test(t, loop_drives_deadlines_and_descriptors);
	return suite_run(t, "plumbing");
}
