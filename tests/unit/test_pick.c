/* pick: words, positions and ranges as a person writes them; source: lines pulled from a pipe. */
#include "pick/pick.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "event/event.h"
#include "mem/mem.h"
#include "source/source_pipe.h"
#include "suite.h"

#define NOW INT64_C(1795352523000000)        /* 2026-11-22T13:02:03Z */

static struct event *
scan(const char *line)
{
	static struct event e;

	ck_assert_int_eq(event_scan(line, strlen(line), &e), EVENT_OK);
	return &e;
}

START_TEST(words)
{
	struct pick_words w = { 0 };

	ck_assert_int_eq(pick_words_add(&w, "rare,chat*"), 0);
	ck_assert_int_eq(pick_words_add(&w, "portal"), 0);
	ck_assert_uint_eq(w.n, 3);
	ck_assert_str_eq(w.word[1], "chat*");
	ck_assert_ptr_null(w.word[3]);
	ck_assert_int_eq(pick_words_add(&w, ""), -1);
	ck_assert_int_eq(pick_words_add(&w, "a,,b"), -1);
	ck_assert_int_eq(pick_words_add(&w, "a,"), -1);
	while (w.n < 256)
		ck_assert_int_eq(pick_words_add(&w, "x"), 0);
	ck_assert_int_eq(pick_words_add(&w, "x"), -1);
	pick_words_free(&w);
	ck_assert_ptr_null(w.word);
}
END_TEST

START_TEST(positions)
{
	static const struct { const char *text, *bus; } t[] = {
		{ "earliest", "earliest" }, { "0", "0" }, { "17", "17" }, { "999999999999999999", "999999999999999999" },
		{ "-15m", "2026-11-22T12:47:03.000Z" }, { "2026-11-22T01:02:03.5Z", "2026-11-22T01:02:03.500Z" }, { "now", "2026-11-22T13:02:03.000Z" },
	};
	static const char *const wrong[] = { "", "x", "-5", "1000000000000000000", "99999999999999999999", "latest", "12h" };
	struct pick_position p;
	char *text;

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		ck_assert_msg(pick_position_parse(t[i].text, NOW, &p) == 0, "%s", t[i].text);
		text = pick_position_text(&p);
		ck_assert_str_eq(text, t[i].bus);
		free(text);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		ck_assert_msg(pick_position_parse(wrong[i], NOW, &p) == -1, "%s", wrong[i]);
	ck_assert_ptr_null(pick_position_text(&(struct pick_position){ .kind = PICK_NONE }));
}
END_TEST

START_TEST(matches)
{
	struct pick pick = { 0 };

	ck_assert_int_eq(pick_matches(&pick, scan("{\"type\":\"rare\"}")), 1);
	(void)pick_words_add(&pick.types, "rare,chat*");
	ck_assert_int_eq(pick_matches(&pick, scan("{\"type\":\"rare\"}")), 1);
	ck_assert_int_eq(pick_matches(&pick, scan("{\"type\":\"chat_x\"}")), 1);
	ck_assert_int_eq(pick_matches(&pick, scan("{\"type\":\"rar\\u0065\"}")), 1);
	ck_assert_int_eq(pick_matches(&pick, scan("{\"type\":\"rares\"}")), 0);
	pick_free(&pick);
	(void)pick_words_add(&pick.types, "rare,chat*");
	(void)pick_words_add(&pick.characters, "O'Neil,Mul*");
	ck_assert_int_eq(pick_matches(&pick, scan("{\"type\":\"rare\"}")), 0);
	ck_assert_int_eq(pick_matches(&pick, scan("{\"type\":\"rare\",\"character_name\":7}")), 0);
	ck_assert_int_eq(pick_matches(&pick, scan("{\"type\":\"rare\",\"character_name\":\"O'Neil\"}")), 1);
	ck_assert_int_eq(pick_matches(&pick, scan("{\"type\":\"rare\",\"character_name\":\"Mule 7\"}")), 1);
	pick_free(&pick);
}
END_TEST

static int
range(const char *from, const char *to, const char *line, uint64_t number)
{
	struct pick pick = { 0 };

	if (from != NULL)
		ck_assert_int_eq(pick_position_parse(from, NOW, &pick.from), 0);
	if (to != NULL)
		ck_assert_int_eq(pick_position_parse(to, NOW, &pick.to), 0);
	return pick_range(&pick, scan(line), number);
}

START_TEST(ranges)
{
	static const char stamped[] = "{\"_seq\":50,\"_rx\":\"2026-11-22T12:00:00.000Z\",\"type\":\"a\",\"timestamp\":\"2020-01-01T00:00:00Z\"}";
	static const char plain[] = "{\"type\":\"a\",\"timestamp\":\"2026-11-22T12:00:00.0000000Z\"}";

	ck_assert_int_eq(range(NULL, NULL, stamped, 1), 0);
	ck_assert_int_eq(range("earliest", NULL, stamped, 1), 0);
	ck_assert_int_eq(range("50", "50", stamped, 1), 0);
	ck_assert_int_eq(range("51", NULL, stamped, 90), -1);
	ck_assert_int_eq(range(NULL, "49", stamped, 1), 1);
	ck_assert_int_eq(range("2", "3", plain, 1), -1);
	ck_assert_int_eq(range("2", "3", plain, 2), 0);
	ck_assert_int_eq(range("2", "3", plain, 4), 1);
	ck_assert_int_eq(range("2026-11-22T12:00:00Z", "2026-11-22T12:00:00Z", stamped, 1), 0);
	ck_assert_int_eq(range("-30m", NULL, stamped, 1), -1);
	ck_assert_int_eq(range(NULL, "-2h", stamped, 1), 1);
	ck_assert_int_eq(range("-30m", NULL, plain, 1), -1);
	ck_assert_int_eq(range("-2h", "-1h", plain, 1), 0);
	ck_assert_int_eq(range("-30m", "-10m", "{\"type\":\"a\"}", 1), 0);       /* no time at all: not left out */
}
END_TEST

static unsigned waits;

static void
on_wait(void)
{
	waits++;
}

static void
expect(struct source_pipe *p, const char *want)
{
	const char *line;
	size_t len;
	int got = source_pipe_next(p, &line, &len, 0, on_wait);

	ck_assert_int_eq(got, want != NULL);
	if (want != NULL) {
		ck_assert_uint_eq(len, strlen(want));
		ck_assert_int_eq(memcmp(line, want, len), 0);
	}
}

START_TEST(lines_of_a_pipe)
{
	struct source_pipe *p;
	int fd[2];

	ck_assert_int_eq(pipe(fd), 0);
	p = source_pipe_new(fd[0]);
	ck_assert_int_eq(write(fd[1], "\none\r\n\n\ntwo\nthr", 15), 15);
	waits = 0;
	expect(p, "one");
	expect(p, "two");
	ck_assert_uint_eq(waits, 0);
	ck_assert_int_eq(write(fd[1], "ee\nlast", 7), 7);
	expect(p, "three");
	{
		const char *line;
		size_t len;

		ck_assert_int_eq(source_pipe_next(p, &line, &len, 1, on_wait), -1);
		ck_assert_int_eq(errno, EAGAIN);
		ck_assert_int_eq(write(fd[1], "er", 2), 2);
	}
	close(fd[1]);
	expect(p, "laster");
	expect(p, NULL);
	expect(p, NULL);
	close(fd[0]);
	source_pipe_free(&p);
	ck_assert_ptr_null(p);
}
END_TEST

static int writer;

static void
write_when_waited_for(void)
{
	waits++;
	ck_assert_int_eq(write(writer, "x\n", 2), 2);
}

START_TEST(says_when_it_waits)
{
	struct source_pipe *p;
	const char *line;
	size_t len;
	int fd[2];

	ck_assert_int_eq(pipe(fd), 0);
	p = source_pipe_new(fd[0]);
	writer = fd[1];
	waits = 0;
	ck_assert_int_eq(source_pipe_next(p, &line, &len, 0, write_when_waited_for), 1);
	ck_assert_int_eq(len == 1 && line[0] == 'x', 1);
	ck_assert_uint_eq(waits, 1);
	close(fd[0]);
	close(fd[1]);
	source_pipe_free(&p);
}
END_TEST

/* A line over the limit comes once, cut and too long for any gate; the next is whole. */
START_TEST(an_endless_line_of_a_pipe)
{
	char name[] = "/tmp/test_pick.XXXXXX", block[1 << 16];
	int fd = mkstemp(name);
	struct source_pipe *p;
	const char *line;
	size_t len;

	(void)unlink(name);
	memset(block, 'x', sizeof(block));
	for (size_t n = 0; n < 2 * EVENT_LINE_MAX; n += sizeof(block))
		ck_assert_int_eq(write(fd, block, sizeof(block)), sizeof(block));
	ck_assert_int_eq(write(fd, "\nnext\n", 6), 6);
	(void)lseek(fd, 0, SEEK_SET);
	p = source_pipe_new(fd);
	ck_assert_int_eq(source_pipe_next(p, &line, &len, 0, NULL), 1);
	ck_assert_uint_gt(len, EVENT_LINE_MAX);
	expect(p, "next");
	expect(p, NULL);
	source_pipe_free(&p);
	close(fd);
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("pick");

	tcase_add_test(t, words);
	tcase_add_test(t, positions);
	tcase_add_test(t, matches);
	tcase_add_test(t, ranges);
	tcase_add_test(t, lines_of_a_pipe);
	tcase_add_test(t, says_when_it_waits);
	tcase_add_test(t, an_endless_line_of_a_pipe);
	return suite_run(t, "pick");
}
