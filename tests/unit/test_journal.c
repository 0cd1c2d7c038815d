/* journal: what was appended is read back, whatever happened in between: crashes, rolls, compression, retention. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock/clock.h"
#include "event/event.h"
#include "journal/compress.h"
#include "journal/file.h"
#include "journal/index.h"
#include "journal/journal.h"
#include "journal/segment.h"
#include "log/log.h"
#include "loop/loop.h"
#include "mem/mem.h"
#include "suite.h"

#define RX0 1700000000000000LL           /* _rx of event 1; each later one comes a millisecond after */

static char dir[64];

static int64_t
rx_of(uint64_t seq)
{
	return RX0 + (int64_t)(seq - 1) * 1000;
}

static void
setup(void)
{
	log_open("test_journal");
	log_level_set(LOG_LEVEL_ERROR);
	(void)snprintf(dir, sizeof dir, "/tmp/dt-journal.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void
teardown(void)
{
	char cmd[96];

	(void)snprintf(cmd, sizeof cmd, "rm -rf '%s'", dir);
	ck_assert_int_eq(system(cmd), 0);
}

static const char *
path(const char *name)
{
	static char out[160];

	(void)snprintf(out, sizeof out, "%s/%s", dir, name);
	return out;
}

static off_t
size_of(const char *name)
{
	struct stat st;

	return stat(path(name), &st) == -1 ? -1 : st.st_size;
}

static struct journal_config
config(void)
{
	return (struct journal_config){ .dir = dir, .sync_ms = JOURNAL_SYNC_NEVER, .segment_bytes = 1 << 20, .segment_ms = 3600000,
		.keep_bytes = 1 << 30, .keep_hours = 1000000 };
}

static size_t
format(uint64_t seq, size_t pad, char *out)
{
	char iso[CLOCK_ISO_SIZE];
	int n;

	(void)clock_format_iso(rx_of(seq), iso);
	n = sprintf(out, "{\"_seq\":%" PRIu64 ",\"_rx\":\"%s\",\"type\":\"chat\",\"n\":%" PRIu64 ",\"pad\":\"", seq, iso, seq);
	memset(out + n, 'x', pad);
	memcpy(out + n + pad, "\"}", 3);
	return (size_t)n + pad + 2;
}

static size_t
pad_of(uint64_t seq)
{
	return (size_t)(seq * 7919 % 400);
}

static void
add(struct journal *j, size_t pad, struct journal_session *session, uint64_t n)
{
	uint64_t seq = journal_next(j);
	char *p;

	journal_begin(j, rx_of(seq), clock_mono_ms());
	p = journal_stage(j, pad + 200);
	journal_staged(j, format(seq, pad, p), session, n);
}

static void
fill(struct journal *j, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		add(j, pad_of(journal_next(j)), NULL, 0);
		if (i % 10 == 9 || i == count - 1)
			journal_commit(j, clock_mono_ms());
	}
}

/* Drives the journal's own work until the condition holds. */
#define DRIVE(j, condition) do { \
	int64_t until_ = clock_mono_ms() + 100000; \
	while (!(condition)) { \
		struct pollable *p_ = journal_pollable(j); \
		struct pollfd f_ = { .fd = p_->fd, .events = p_->events }; \
		ck_assert_msg(clock_mono_ms() < until_, "timed out: %s", #condition); \
		(void)poll(&f_, 1, 5); \
		if (f_.revents || clock_mono_ms() >= p_->deadline_ms) \
			p_->handle(p_, f_.revents, clock_mono_ms()); \
	} \
} while (0)

/* Reads on from c and expects the events from..to exactly. */
static void
expect(struct journal_cursor *c, uint64_t from, uint64_t to)
{
	static char want[20000];
	const char *line;
	size_t len;

	for (uint64_t seq = from; seq <= to; seq++) {
		ck_assert_int_eq(journal_cursor_next(c, &line, &len), 1);
		ck_assert_uint_eq(len, format(seq, pad_of(seq), want));
		ck_assert(memcmp(line, want, len) == 0);
	}
	ck_assert_int_eq(journal_cursor_next(c, &line, &len), 0);
}

static struct journal_cursor *
cursor_at(struct journal_from from)
{
	struct journal_cursor *c = journal_cursor_open(dir, from);

	ck_assert_ptr_nonnull(c);
	return c;
}

static void
expect_all(struct journal_from from, uint64_t first, uint64_t last)
{
	struct journal_cursor *c = cursor_at(from);

	expect(c, first, last);
	ck_assert_double_eq(journal_cursor_progress(c), 1);
	journal_cursor_close(&c);
}

#define FROM_SEQ(n) (struct journal_from){ .kind = JOURNAL_FROM_SEQ, .seq = (n) }
#define FROM_TIME(t) (struct journal_from){ .kind = JOURNAL_FROM_TIME, .rx_us = (t) }
#define EARLIEST (struct journal_from){ .kind = JOURNAL_FROM_EARLIEST }
#define END (struct journal_from){ .kind = JOURNAL_FROM_END }

START_TEST(keeps_numbers_across_opens)
{
	struct journal_config cf = config();
	char id[JOURNAL_ID_SIZE];
	struct journal *j = journal_open(&cf);

	ck_assert_uint_eq(journal_next(j), 1);
	ck_assert_uint_eq(journal_first(j), 1);
	(void)snprintf(id, sizeof id, "%s", journal_id(j));
	ck_assert_uint_eq(strlen(id), 32);
	journal_close(&j);
	for (int i = 0; i < 5; i++) {
		j = journal_open(&cf);
		ck_assert_str_eq(journal_id(j), id);
		ck_assert_uint_eq(journal_next(j), 1 + (uint64_t)i * 37);
		fill(j, 37);
		ck_assert_uint_eq(journal_safe(j), (uint64_t)(i + 1) * 37);
		journal_close(&j);
	}
	expect_all(EARLIEST, 1, 185);
}
END_TEST

START_TEST(one_writes)
{
	struct journal_config cf = config();
	struct journal *j = journal_open(&cf);
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		log_level_set(LOG_LEVEL_ERROR + 1);
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(1);
		(void)journal_open(&cf);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WEXITSTATUS(status), 75);
	journal_close(&j);
}
END_TEST

/* A crash in the middle of the last line, at each of its bytes; and what a power failure leaves: zeros, garbage, an index that is ahead. */
START_TEST(cuts_a_torn_tail_at_every_byte)
{
	struct journal_config cf = config();
	const char *name = "00000000000000000001.ndjson";
	struct journal *j = journal_open(&cf);
	struct journal_stats st;
	off_t before, after;

	fill(j, 500);
	before = size_of(name);
	fill(j, 1);
	after = size_of(name);
	journal_close(&j);
	for (off_t cut = after - 1; cut >= before; cut--) {
		ck_assert_int_eq(truncate(path(name), cut), 0);
		j = journal_open(&cf);
		journal_get_stats(j, &st);
		ck_assert_uint_eq(st.torn_bytes, (uint64_t)(cut - before));
		ck_assert_uint_eq(journal_next(j), 501);
		ck_assert_int_eq(size_of(name), before);
		fill(j, 1);
		ck_assert_int_eq(size_of(name), after);
		journal_close(&j);
	}
	expect_all(EARLIEST, 1, 501);
}
END_TEST

static const struct { const char *bytes; size_t len; } tails[] = {
	{ "\0\0\0\0\0\0\0\0", 8 }, { "\0\0\0\n\0\0\n", 7 }, { "garbage\n", 8 }, { "{\"_seq\":501}\n", 13 }, { "\n", 1 },
	{ "{\"_seq\":502,\"_rx\":\"2026-11-22T13:02:03.123Z\",\"type\":\"chat\"}\n", 61 },
	{ "{\"_seq\":501,\"_rx\":\"2026-11-22T13:02:03.123Z\",\"type\":\"cha\0\"}\n", 61 },
	{ "{\"_seq\":501,\"_rx\":\"2026-11-22T13:02:03.123Z\",\"type\":\"chat\"\n", 60 },
	{ "{\"_seq\":501,\"_rx\":\"2026-99-22T13:02:03.123Z\",\"type\":\"chat\"}\n", 61 },
};

START_TEST(cuts_what_is_no_line)
{
	struct journal_config cf = config();
	const char *name = "00000000000000000001.ndjson";
	struct journal *j = journal_open(&cf);
	off_t before;
	int fd;

	fill(j, 500);
	journal_close(&j);
	before = size_of(name);
	fd = open(path(name), O_WRONLY | O_APPEND);
	ck_assert_int_eq(write(fd, tails[_i].bytes, tails[_i].len), (ssize_t)tails[_i].len);
	(void)close(fd);
	j = journal_open(&cf);
	ck_assert_int_eq(size_of(name), before);
	ck_assert_uint_eq(journal_next(j), 501);
	fill(j, 20);
	journal_close(&j);
	expect_all(EARLIEST, 1, 520);
}
END_TEST

/* Index files that are missing, cut, ahead of the text or nonsense are built again and lead to the right line. */
START_TEST(mends_indexes)
{
	const char *names[] = { "00000000000000000001.idx", NULL };
	struct journal_config cf = config();
	struct journal *j = journal_open(&cf);
	char before[40000], after[40000];
	ssize_t n;
	int fd;

	fill(j, 20000);                          /* several segments of 1 MiB */
	journal_close(&j);
	fd = open(path(names[0]), O_RDONLY);
	n = read(fd, before, sizeof before);
	(void)close(fd);
	ck_assert_int_gt(n, 10 * 24);
	for (int damage = 0; damage < 4; damage++) {
		if (damage == 0)
			ck_assert_int_eq(unlink(path(names[0])), 0);
		else {
			fd = open(path(names[0]), O_WRONLY);
			if (damage == 1)
				ck_assert_int_eq(ftruncate(fd, 24 * 3 + 7), 0);
			if (damage == 2)
				ck_assert_int_eq(pwrite(fd, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, 24 * 5), 8);
			if (damage == 3)
				ck_assert_int_eq(ftruncate(fd, 0), 0);
			(void)close(fd);
		}
		/* a reader does without */
		for (uint64_t seq = 1; seq < 5000; seq += 911) {
			struct journal_cursor *c = cursor_at(FROM_SEQ(seq));
			const char *line;
			size_t len;
			uint64_t got;
			ck_assert_int_eq(journal_cursor_next(c, &line, &len), 1);
			ck_assert_int_eq(jfile_stamp(line, len, &got, NULL), 0);
			ck_assert_uint_eq(got, seq);
			journal_cursor_close(&c);
		}
		j = journal_open(&cf);
		journal_close(&j);
		fd = open(path(names[0]), O_RDONLY);
		ck_assert_int_eq(read(fd, after, sizeof after), n);
		(void)close(fd);
		ck_assert(memcmp(before, after, (size_t)n) == 0);
	}
}
END_TEST

static struct journal *
several_segments(struct journal_config *cf, unsigned count)
{
	struct journal *j;
	struct journal_stats st;

	cf->segment_bytes = 100000;
	j = journal_open(cf);
	fill(j, count);
	journal_get_stats(j, &st);
	ck_assert_uint_gt(st.segments, 5);
	return j;
}

static void
seeks_everywhere(struct journal *j, unsigned count)
{
	const char *text;
	struct journal_pos pos = { 0 };
	uint64_t seq, got;
	size_t len;

	for (uint64_t want = 1; want <= count; want += count / 60 + want % 7) {
		int64_t times[] = { rx_of(want), rx_of(want) - 1, rx_of(want) - 999 };
		ck_assert_int_eq(journal_seek(j, FROM_SEQ(want), &pos, &seq), 0);
		ck_assert_uint_eq(seq, want);
		ck_assert_int_eq(journal_view(j, &pos, 100, &text, &len), 1);
		ck_assert_int_eq(jfile_stamp(text, len, &got, NULL), 0);
		ck_assert_uint_eq(got, want);
		for (int i = 0; i < 3; i++) {
			ck_assert_int_eq(journal_seek(j, FROM_TIME(times[i]), &pos, &seq), 0);
			ck_assert_uint_eq(seq, want);
			ck_assert_int_eq(journal_view(j, &pos, 100, &text, &len), 1);
			ck_assert_int_eq(jfile_stamp(text, len, &got, NULL), 0);
			ck_assert_uint_eq(got, want);
		}
		if (want % 10 == 1) {
			expect_all(FROM_SEQ(want), want, count);
			expect_all(FROM_TIME(rx_of(want) - 500), want, count);
		}
	}
	journal_pos_release(&pos);
}

START_TEST(seeks_by_number_and_time)
{
	struct journal_config cf = config();
	struct journal *j = several_segments(&cf, 3000);
	struct journal_pos pos = { 0 };
	const char *text;
	uint64_t seq;
	size_t len;

	seeks_everywhere(j, 3000);
	ck_assert_int_eq(journal_seek(j, END, &pos, &seq), 0);
	ck_assert_uint_eq(seq, 3001);
	ck_assert_int_eq(journal_view(j, &pos, 1, &text, &len), 0);
	ck_assert_int_eq(journal_seek(j, FROM_SEQ(99999), &pos, &seq), 0);
	ck_assert_uint_eq(seq, 3001);
	ck_assert_int_eq(journal_seek(j, FROM_TIME(rx_of(4000)), &pos, &seq), 0);
	ck_assert_uint_eq(seq, 3001);
	ck_assert_int_eq(journal_seek(j, FROM_TIME(0), &pos, &seq), 0);
	ck_assert_uint_eq(seq, 1);
	ck_assert_int_eq(journal_seek(j, EARLIEST, &pos, &seq), 0);
	ck_assert_uint_eq(seq, 1);
	journal_pos_release(&pos);
	expect_all(FROM_SEQ(0), 1, 3000);
	expect_all(FROM_TIME(0), 1, 3000);
	journal_close(&j);
	j = journal_open(&cf);
	seeks_everywhere(j, 3000);
	journal_close(&j);
}
END_TEST

/* What journal_view hands over, piece by piece, is what the files hold; also for one who was left behind by the tail in memory. */
START_TEST(views_every_byte)
{
	struct journal_config cf = config();
	struct journal *j = several_segments(&cf, 3000);
	struct journal_pos slow = { 0 }, quick = { 0 };
	const char *text;
	size_t len, sum = 0;
	uint64_t seq, next = 1;
	static char want[20000];

	ck_assert_int_eq(journal_seek(j, EARLIEST, &slow, &seq), 0);
	ck_assert_int_eq(journal_seek(j, EARLIEST, &quick, &seq), 0);
	for (int i = 0; i < 400; i++) {
		fill(j, 50);
		while (journal_view(j, &quick, 1, &text, &len) == 1) {
			quick.off += len;
			sum += len;
		}
		ck_assert_uint_eq(journal_pos_behind(j, &quick), 0);
	}
	while (journal_view(j, &slow, 700, &text, &len) == 1) {
		const char *nl = memchr(text, '\n', len);
		ck_assert_ptr_nonnull(nl);
		ck_assert_uint_eq((size_t)(nl - text), format(next, pad_of(next), want));
		ck_assert(memcmp(text, want, (size_t)(nl - text)) == 0);
		slow.off += (size_t)(nl - text) + 1;
		sum -= (size_t)(nl - text) + 1;
		next++;
	}
	ck_assert_uint_eq(next, 23001);
	ck_assert_uint_eq(sum, 0);
	ck_assert_int_eq(journal_pos_at_end(j, &slow), 1);
	journal_pos_release(&slow);
	journal_pos_release(&quick);
	journal_close(&j);
}
END_TEST

START_TEST(drops_the_oldest_over_its_size)
{
	struct journal_config cf = config();
	struct journal *j = several_segments(&cf, 3000);
	struct journal_pos pos = { 0 };
	struct journal_stats st;
	const char *text;
	uint64_t seq, first;
	size_t len;

	ck_assert_int_eq(journal_seek(j, EARLIEST, &pos, &seq), 0);
	journal_pos_release(&pos);
	journal_close(&j);
	cf.keep_bytes = 350000;
	j = journal_open(&cf);
	ck_assert_int_eq(journal_seek(j, EARLIEST, &pos, &seq), 0);
	ck_assert_uint_eq(seq, 1);
	DRIVE(j, journal_first(j) > 1);
	journal_get_stats(j, &st);
	ck_assert_uint_le(st.bytes, 350000);
	ck_assert_uint_gt(st.bytes, 200000);
	ck_assert_uint_gt(st.dropped_segments, 3);
	/* who stood in what is gone reads it to its end and goes on behind the gap */
	ck_assert_int_eq(journal_pos_dropped(&pos), 1);
	ck_assert_int_eq(journal_view(j, &pos, 100, &text, &len), 1);
	ck_assert_int_eq(jfile_stamp(text, len, &seq, NULL), 0);
	ck_assert_uint_eq(seq, 1);
	while (journal_pos_dropped(&pos)) {
		ck_assert_int_eq(journal_view(j, &pos, 100, &text, &len), 1);
		if (journal_pos_dropped(&pos))
			pos.off += len;
	}
	ck_assert_int_eq(jfile_stamp(text, len, &seq, NULL), 0);
	ck_assert_uint_eq(seq, journal_first(j));
	journal_pos_release(&pos);
	first = journal_first(j);
	fill(j, 10);
	journal_close(&j);
	expect_all(EARLIEST, first, 3010);
	expect_all(FROM_SEQ(5), first, 3010);
}
END_TEST

/* Events of 2023 at a clock of today: a start doubts such a leap, so nothing is dropped at once. */
START_TEST(never_drops_by_a_leaping_clock)
{
	struct journal_config cf = config();
	struct journal *j = several_segments(&cf, 3000);
	struct journal_stats st;
	int64_t until = clock_mono_ms() + 300;

	journal_close(&j);
	cf.keep_hours = 1;
	j = journal_open(&cf);
	DRIVE(j, clock_mono_ms() > until);
	journal_get_stats(j, &st);
	ck_assert_uint_eq(st.dropped_segments, 0);
	/* an event of today ends the doubt at the next start */
	journal_begin(j, clock_wall_us(), clock_mono_ms());
	char *p = journal_stage(j, 200), iso[CLOCK_ISO_SIZE];
	(void)clock_format_iso(clock_wall_us(), iso);
	journal_staged(j, (size_t)sprintf(p, "{\"_seq\":%" PRIu64 ",\"_rx\":\"%s\",\"type\":\"chat\"}", journal_next(j), iso), NULL, 0);
	journal_commit(j, clock_mono_ms());
	journal_close(&j);
	cf.segment_ms = 0;                       /* so that the segment with the old events is closed */
	j = journal_open(&cf);
	journal_begin(j, clock_wall_us(), clock_mono_ms());
	p = journal_stage(j, 200);
	journal_staged(j, (size_t)sprintf(p, "{\"_seq\":%" PRIu64 ",\"_rx\":\"%s\",\"type\":\"chat\"}", journal_next(j), iso), NULL, 0);
	journal_commit(j, clock_mono_ms());
	DRIVE(j, journal_first(j) > 1);
	ck_assert_uint_gt(journal_first(j), 2500);
	journal_close(&j);
}
END_TEST

START_TEST(compresses_closed_segments)
{
	struct journal_config cf = config();
	struct journal *j;
	struct journal_stats st;
	struct journal_cursor *c = NULL;
	const char *line;
	uint64_t seq;
	size_t len;
	char cmd[300];

	cf.compress = 1;
	cf.segment_bytes = 600000;               /* two and a half frames */
	j = journal_open(&cf);
	fill(j, 100);
	c = cursor_at(EARLIEST);                 /* is reading while its segment is compressed */
	ck_assert_int_eq(journal_cursor_next(c, &line, &len), 1);
	fill(j, 9900);
	DRIVE(j, (journal_get_stats(j, &st), st.compressed_segments == st.segments - 1));
	ck_assert_uint_gt(st.segments, 3);
	ck_assert_int_eq(size_of("00000000000000000001.ndjson"), -1);
	ck_assert_int_gt(size_of("00000000000000000001.ndjson.zst"), 0);
	expect(c, 2, 10000);
	journal_cursor_close(&c);
	seeks_everywhere(j, 10000);
	journal_close(&j);
	(void)snprintf(cmd, sizeof cmd, "zstd -qt %s/*.zst && zstd -qdc %s/00000000000000000001.ndjson.zst | grep -c . >/dev/null", dir, dir);
	if (system("command -v zstd >/dev/null") == 0)
		ck_assert_int_eq(system(cmd), 0);
	j = journal_open(&cf);
	seeks_everywhere(j, 10000);
	/* left by a crash between putting the compressed file in place and removing the plain one, and in the middle of compressing */
	journal_close(&j);
	(void)snprintf(cmd, sizeof cmd, "cd %s && echo half > 00000000000000000001.ndjson.zst.tmp && cp 00000000000000000001.idx x", dir);
	ck_assert_int_eq(system(cmd), 0);
	j = journal_open(&cf);
	ck_assert_int_eq(size_of("00000000000000000001.ndjson.zst.tmp"), -1);
	ck_assert_uint_eq(journal_next(j), 10001);
	journal_close(&j);
	/* only compressed segments are left: numbers go on behind them */
	for (seq = 10000; seq > 9000; seq--) {
		char name[JSEG_NAME_SIZE];
		if (size_of(jseg_name(seq, ".ndjson", name)) >= 0) {
			int fd = open(dir, O_RDONLY);
			ck_assert_int_eq(jcompress_segment(fd, seq), 0);
			(void)close(fd);
			ck_assert_int_eq(unlink(path(name)), 0);
			(void)unlink(path(jseg_name(seq, ".idx", name)));
			break;
		}
	}
	cf.compress = 0;
	j = journal_open(&cf);
	ck_assert_uint_eq(journal_next(j), 10001);
	fill(j, 100);
	journal_close(&j);
	expect_all(EARLIEST, 1, 10100);
}
END_TEST

/* A capture made by zstd(1) itself has no table of frames. */
START_TEST(reads_captures)
{
	static char text[4000];
	struct journal_from third = FROM_SEQ(3), when = FROM_TIME(1700000002000000LL), begin = EARLIEST;
	struct journal_cursor *c;
	const char *line;
	size_t len;
	char cmd[300];
	int fd = open(path("a.ndjson"), O_CREAT | O_WRONLY, 0600);

	(void)snprintf(text, sizeof text, "{\"type\":\"a\",\"timestamp\":\"2023-11-14T22:13:20Z\"}\r\n\n{\"type\":\"b\",\"timestamp\":\"2023-11-14T22:13:21Z\"}\n"
	    "{\"type\":\"c\",\"timestamp\":\"2023-11-14T22:13:22Z\"}\n{\"type\":\"d\"}");
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
	c = journal_cursor_open(path("a.ndjson"), begin);
	for (const char *want = "abcd"; *want; want++) {
		ck_assert_int_eq(journal_cursor_next(c, &line, &len), 1);
		ck_assert_int_eq(line[9], *want);
		ck_assert_int_eq(line[len - 1], '}');
	}
	ck_assert_int_eq(journal_cursor_next(c, &line, &len), 0);
	ck_assert_int_eq(journal_cursor_next(c, &line, &len), 0);
	journal_cursor_close(&c);
	c = journal_cursor_open(path("a.ndjson"), when);
	ck_assert_int_eq(journal_cursor_next(c, &line, &len), 1);
	ck_assert_int_eq(line[9], 'c');
	journal_cursor_close(&c);
	c = journal_cursor_open(path("a.ndjson"), third);
	ck_assert_int_eq(journal_cursor_next(c, &line, &len), 1);
	ck_assert_int_eq(line[9], 'b');          /* the empty line counts as the second */
	journal_cursor_close(&c);
	ck_assert_ptr_null(journal_cursor_open(path("none"), begin));
	ck_assert_int_eq(errno, ENOENT);
	if (system("command -v zstd >/dev/null") != 0)
		return;
	(void)snprintf(cmd, sizeof cmd, "cd %s && for i in 1 2 3 4 5 6 7 8 9; do cat a.ndjson; echo; done > b.ndjson && zstd -q --rm b.ndjson && "
	    "cp b.ndjson.zst odd-name", dir);
	ck_assert_int_eq(system(cmd), 0);
	c = journal_cursor_open(path("odd-name"), begin);
	for (int i = 0; i < 36; i++)
		ck_assert_int_eq(journal_cursor_next(c, &line, &len), 1);
	ck_assert_int_eq(journal_cursor_next(c, &line, &len), 0);
	journal_cursor_close(&c);
	/* cut in the middle: an error, not a quiet end */
	ck_assert_int_eq(truncate(path("odd-name"), size_of("odd-name") - 9), 0);
	c = journal_cursor_open(path("odd-name"), begin);
	while ((fd = journal_cursor_next(c, &line, &len)) == 1)
		;
	ck_assert_int_eq(fd, -1);
	ck_assert_int_eq(errno, EBADMSG);
	journal_cursor_close(&c);
}
END_TEST

/* A line longer than any event costs itself. */
START_TEST(skips_a_line_without_end)
{
	FILE *f = fopen(path("a.ndjson"), "w");
	struct journal_cursor *c;
	const char *line;
	size_t len;

	(void)fputs("{\"type\":\"a\"}\n", f);
	for (int i = 0; i < 18; i++)
		for (int k = 0; k < 1024; k++)
			(void)fprintf(f, "%1024s", "x");
	(void)fputs("\n{\"type\":\"b\"}\n", f);
	(void)fclose(f);
	c = journal_cursor_open(path("a.ndjson"), EARLIEST);
	ck_assert_int_eq(journal_cursor_next(c, &line, &len), 1);
	ck_assert_int_eq(journal_cursor_next(c, &line, &len), -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	ck_assert_int_eq(journal_cursor_next(c, &line, &len), 1);
	ck_assert_int_eq(line[9], 'b');
	ck_assert_int_eq(journal_cursor_next(c, &line, &len), 0);
	journal_cursor_close(&c);
}
END_TEST

/* A reader in another process sees each event once and whole while segments are written, rolled and compressed. */
START_TEST(is_read_while_it_is_written)
{
	struct journal_config cf = config();
	struct journal *j;
	int status;
	pid_t pid;

	cf.segment_bytes = 50000;
	cf.compress = 1;
	j = journal_open(&cf);
	pid = fork();
	if (pid == 0) {
		struct journal_cursor *c = journal_cursor_open(dir, EARLIEST);
		static char want[20000];
		const char *line;
		size_t len;
		int64_t until = clock_mono_ms() + 100000;
		uint64_t seq = 1;
		while (seq <= 20000 && clock_mono_ms() < until) {
			int r = journal_cursor_next(c, &line, &len);
			if (r == -1)
				_exit(2);
			if (r == 1 && (len != format(seq, pad_of(seq), want) || memcmp(line, want, len) != 0))
				_exit(3);
			seq += (uint64_t)r;
		}
		_exit(seq == 20001 ? 0 : 4);
	}
	for (int i = 0; i < 400; i++) {
		struct pollable *p = journal_pollable(j);
		fill(j, 50);
		p->handle(p, 0, clock_mono_ms());
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	journal_close(&j);
}
END_TEST

static void
count_safe(void *priv)
{
	++*(int *)priv;
}

START_TEST(syncs_before_it_is_safe)
{
	struct journal_config cf = config();
	struct journal *j;
	struct journal_stats st;
	struct journal_pos pos = { 0 };
	const char *text;
	uint64_t seq;
	size_t len;
	int told = 0;

	cf.sync_ms = JOURNAL_SYNC_ALWAYS;
	cf.on_safe = count_safe;
	cf.priv = &told;
	j = journal_open(&cf);
	ck_assert_int_eq(journal_seek(j, END, &pos, &seq), 0);
	fill(j, 1);
	ck_assert_uint_eq(journal_safe(j), 0);
	ck_assert_int_eq(journal_view(j, &pos, 1, &text, &len), 0);
	fill(j, 100);                            /* waits its turn while the first is synced */
	DRIVE(j, journal_safe(j) == 101);
	ck_assert_int_eq(journal_view(j, &pos, 1, &text, &len), 1);
	ck_assert_int_ge(told, 2);
	journal_get_stats(j, &st);
	ck_assert_uint_eq(st.syncs, 2);
	journal_pos_release(&pos);
	fill(j, 3);
	fill(j, 3);
	journal_close(&j);
	expect_all(EARLIEST, 1, 107);
	cf.sync_ms = 20;
	j = journal_open(&cf);
	fill(j, 5);
	ck_assert_uint_eq(journal_safe(j), 112);
	DRIVE(j, (journal_get_stats(j, &st), st.syncs == 1));
	journal_close(&j);
}
END_TEST

/* Segments are closed while syncs are under way. */
START_TEST(rolls_while_it_syncs)
{
	static const int policies[] = { JOURNAL_SYNC_ALWAYS, 1, 3 };
	struct journal_config cf = config();
	struct journal *j;
	struct journal_stats st;
	int64_t until = clock_mono_ms() + 100000;
	uint64_t size;

	cf.segment_bytes = 20000;
	cf.sync_ms = policies[_i];
	j = journal_open(&cf);
	while (journal_next(j) <= 20000 && clock_mono_ms() < until) {
		struct pollable *p = journal_pollable(j);
		if (!journal_blocked(j))
			fill(j, 100);
		if (_i > 0)
			(void)usleep(1500);      /* now a sync is due, and the segment full: it is left while the thread works */
		p->handle(p, POLLIN * (p->fd != -1), clock_mono_ms());
	}
	DRIVE(j, journal_safe(j) == 20000);
	journal_get_stats(j, &st);
	size = st.bytes / st.segments;
	ck_assert_uint_eq(st.sync_errors, 0);
	ck_assert_uint_gt(st.syncs, 1);
	ck_assert_uint_lt(size, 1200000);        /* what is staged while a sync takes its time, at the most 1 MiB, still goes into the old one */
	journal_close(&j);
	expect_all(EARLIEST, 1, 20000);
}
END_TEST

/* The disk is full for a while: nothing half-written is seen, nothing is lost, and the caller is told to wait. */
START_TEST(waits_for_a_full_disk)
{
	struct journal_config cf = config();
	struct rlimit limit = { 100000, RLIM_INFINITY }, old;
	const char *name = "00000000000000000001.ndjson";
	struct journal *j;
	struct journal_stats st;
	off_t size;

	(void)signal(SIGXFSZ, SIG_IGN);
	log_level_set(LOG_LEVEL_ERROR + 1);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	j = journal_open(&cf);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	while (!journal_blocked(j))
		fill(j, 10);
	journal_get_stats(j, &st);
	ck_assert_uint_gt(st.write_errors, 0);
	size = size_of(name);
	ck_assert_int_le(size, 100000);
	expect_all(EARLIEST, 1, journal_safe(j));
	ck_assert_uint_lt(journal_safe(j), journal_next(j) - 1);
	DRIVE(j, (journal_get_stats(j, &st), st.write_errors > 1));
	ck_assert_int_eq(size_of(name), size);
	limit.rlim_cur = old.rlim_cur;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	DRIVE(j, !journal_blocked(j));
	ck_assert_uint_eq(journal_safe(j), journal_next(j) - 1);
	expect_all(EARLIEST, 1, journal_safe(j));
	journal_close(&j);
}
END_TEST

START_TEST(remembers_sessions)
{
	struct journal_config cf = config();
	struct journal *j = journal_open(&cf);
	struct journal_session *a, *b;
	const char *name = "00000000000000000001.ndjson";
	off_t size;

	ck_assert_ptr_null(journal_session_get(j, ""));
	ck_assert_ptr_null(journal_session_get(j, "no blanks"));
	a = journal_session_get(j, "a");
	b = journal_session_get(j, "b");
	ck_assert_uint_eq(journal_session_next(a), 1);
	for (uint64_t n = 1; n <= 10; n++) {
		add(j, 10, a, n);
		if (n != 5)                      /* the fifth of b was refused */
			add(j, 10, b, n);
		else
			journal_session_set_next(b, 6);
	}
	journal_commit(j, clock_mono_ms());
	size = size_of(name);
	add(j, 10, a, 11);
	add(j, 10, b, 11);
	add(j, 10, a, 12);
	add(j, 10, a, 13);
	journal_commit(j, clock_mono_ms());
	ck_assert_uint_eq(journal_session_next(a), 14);
	journal_close(&j);
	/* the journal lost its last lines: what they were is to be sent again, and does not come back with the lines of others */
	ck_assert_int_eq(truncate(path(name), size + 150), 0);
	j = journal_open(&cf);
	ck_assert_uint_eq(journal_next(j), 21);
	ck_assert_uint_eq(journal_session_next(journal_session_get(j, "a")), 12);
	ck_assert_uint_eq(journal_session_next(journal_session_get(j, "b")), 11);
	ck_assert_uint_eq(journal_session_next(journal_session_get(j, "c")), 1);
	fill(j, 50);
	journal_close(&j);
	j = journal_open(&cf);
	ck_assert_uint_eq(journal_session_next(journal_session_get(j, "a")), 12);
	ck_assert_uint_eq(journal_session_next(journal_session_get(j, "b")), 11);
	journal_close(&j);
}
END_TEST

/* After a power failure the journal may lack what was shown: those numbers are not used again. */
START_TEST(leaves_out_numbers_that_were_seen)
{
	struct journal_config cf = config();
	const char *name = "00000000000000000001.ndjson";
	struct journal *j = journal_open(&cf);
	struct journal_pos pos = { 0 };
	char was[200] = "", boot[100];
	unsigned long long reserved;
	uint64_t seq, first;
	off_t size;
	FILE *f;

	fill(j, 100);
	size = size_of(name);
	fill(j, 100);
	f = fopen(path("reserved"), "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(fgets(was, sizeof was, f));
	(void)fclose(f);
	ck_assert_int_eq(sscanf(was, "%99s %llu", boot, &reserved), 2);
	ck_assert_uint_gt(reserved, 200);
	journal_close(&j);
	/* a clean end, then a restart of the machine: nothing is left out */
	f = fopen(path("reserved"), "w");
	(void)fprintf(f, "another-boot 200\n");
	(void)fclose(f);
	j = journal_open(&cf);
	ck_assert_uint_eq(journal_next(j), 201);
	journal_close(&j);
	/* a process that was killed: nothing either */
	f = fopen(path("reserved"), "w");
	(void)fputs(was, f);
	(void)fclose(f);
	j = journal_open(&cf);
	ck_assert_uint_eq(journal_next(j), 201);
	journal_close(&j);
	/* a power failure */
	ck_assert_int_eq(truncate(path(name), size), 0);
	f = fopen(path("reserved"), "w");
	(void)fprintf(f, "another-boot %llu\n", reserved);
	(void)fclose(f);
	j = journal_open(&cf);
	first = reserved + 1;
	ck_assert_uint_eq(journal_next(j), first);
	/* the segment that begins there is empty yet: those before it are still found */
	ck_assert_int_eq(journal_seek(j, FROM_TIME(rx_of(60)), &pos, &seq), 0);
	ck_assert_uint_eq(seq, 60);
	expect_all(FROM_TIME(rx_of(60)), 60, 100);
	fill(j, 50);
	ck_assert_int_eq(journal_seek(j, FROM_SEQ(150), &pos, &seq), 0);
	ck_assert_uint_eq(seq, first);
	ck_assert_int_eq(journal_seek(j, FROM_SEQ(100), &pos, &seq), 0);
	ck_assert_uint_eq(seq, 100);
	journal_pos_release(&pos);
	expect_all(FROM_SEQ(150), first, first + 49);
	journal_close(&j);
	j = journal_open(&cf);
	ck_assert_uint_eq(journal_next(j), first + 50);
	ck_assert_uint_eq(journal_first(j), 1);
	journal_close(&j);
}
END_TEST

/* The largest event passes, in company, and the memory it took is given back. */
START_TEST(holds_the_largest_event)
{
	struct journal_config cf = config();
	struct journal *j;
	struct journal_cursor *c;
	const char *line;
	size_t len, big = EVENT_MAX - 200;

	cf.segment_bytes = 64 << 20;
	j = journal_open(&cf);
	fill(j, 10);
	add(j, big, NULL, 0);
	add(j, 10, NULL, 0);
	journal_commit(j, clock_mono_ms());
	add(j, big, NULL, 0);
	journal_commit(j, clock_mono_ms());
	fill(j, 10);
	journal_close(&j);
	j = journal_open(&cf);
	ck_assert_uint_eq(journal_next(j), 24);
	journal_close(&j);
	c = cursor_at(FROM_SEQ(11));
	ck_assert_int_eq(journal_cursor_next(c, &line, &len), 1);
	ck_assert_uint_gt(len, big);
	ck_assert_int_eq(journal_cursor_next(c, &line, &len), 1);
	ck_assert_uint_lt(len, 200);
	ck_assert_int_eq(journal_cursor_next(c, &line, &len), 1);
	ck_assert_uint_gt(len, big);
	journal_cursor_close(&c);
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("journal");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 240);
	tcase_add_test(t, keeps_numbers_across_opens);
	tcase_add_test(t, one_writes);
	tcase_add_test(t, cuts_a_torn_tail_at_every_byte);
	tcase_add_loop_test(t, cuts_what_is_no_line, 0, sizeof tails / sizeof *tails);
	tcase_add_test(t, mends_indexes);
	tcase_add_test(t, seeks_by_number_and_time);
	tcase_add_test(t, views_every_byte);
	tcase_add_test(t, drops_the_oldest_over_its_size);
	tcase_add_test(t, never_drops_by_a_leaping_clock);
	tcase_add_test(t, compresses_closed_segments);
	tcase_add_test(t, reads_captures);
	tcase_add_test(t, skips_a_line_without_end);
	tcase_add_test(t, is_read_while_it_is_written);
	tcase_add_test(t, syncs_before_it_is_safe);
	tcase_add_loop_test(t, rolls_while_it_syncs, 0, 3);
	tcase_add_test(t, waits_for_a_full_disk);
	tcase_add_test(t, remembers_sessions);
	tcase_add_test(t, leaves_out_numbers_that_were_seen);
	tcase_add_test(t, holds_the_largest_event);
	return suite_run(t, "journal");
}
