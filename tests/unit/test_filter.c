/* A jq program over event lines: what comes out, what is refused; and the child that runs a stranger's program, which may loop, eat memory, print the
 * environment or read files, and costs nobody but itself. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock/clock.h"
#include "filter/filter.h"
#include "mem/mem.h"
#include "suite.h"

#define LEN(x) (sizeof (x) / sizeof (x)[0])

/* ---- in process ---- */

static struct {
	char text[8192];
	size_t len;
	unsigned n;
	const char *last;
} got;

static void
on_output(void *priv, const char *json, size_t len)
{
	ck_assert_ptr_eq(priv, &got);
	ck_assert_uint_lt(got.len + len + 2, sizeof got.text);
	memcpy(got.text + got.len, json, len);
	got.text[got.len + len] = '\n';
	got.len += len + 1;
	got.text[got.len] = '\0';
	got.n++;
	got.last = json;
}

static struct filter *
compiled(const char *program)
{
	char *error = NULL;
	struct filter *f = filter_new(program, &error);

	ck_assert_msg(f != NULL, "%s: %s", program, error);
	return f;
}

static int
run(struct filter *f, const char *line, int drop_false)
{
	memset(&got, 0, sizeof got);
	return filter_run(f, line, strlen(line), drop_false, on_output, &got);
}

static const struct { const char *program, *in, *all, *dropped; int pass; } runs[] = {
	{ ".", "{ \"type\" : \"a\",\"n\":1.50,\"b\":9007199254740993,\"e\":1E2,\"u\":\"\\u0041\" }", "{ \"type\" : \"a\",\"n\":1.50,\"b\":9007199254740993,\"e\":1E2,\"u\":\"\\u0041\" }\n", NULL, 1 },
	{ ".,.", "{\"type\":\"a\",\"n\":1.0}", "{\"type\":\"a\",\"n\":1.0}\n{\"type\":\"a\",\"n\":1.0}\n", NULL, 1 },
	{ "select(.n>1)", "{\"type\":\"a\",\"n\":1.0}", "", NULL, 0 },
	{ "select(.n>0)", "{\"type\":\"a\",\"n\":1.0}", "{\"type\":\"a\",\"n\":1.0}\n", NULL, 1 },
	{ ".n=1", "{\"type\":\"a\",\"n\":1.0}", "{\"type\":\"a\",\"n\":1.0}\n", NULL, 1 },
	{ ".n=2", "{\"type\":\"a\",\"n\":1.0}", "{\"type\":\"a\",\"n\":2}\n", NULL, 1 },
	{ ".type", "{\"type\":\"caf\\u00e9\"}", "\"caf\xc3\xa9\"\n", NULL, 1 },
	{ ".n>0", "{\"type\":\"a\",\"n\":-1}", "false\n", "", 0 },
	{ ".n>0", "{\"type\":\"a\",\"n\":1}", "true\n", NULL, 1 },
	{ ".missing", "{\"type\":\"a\"}", "null\n", "", 0 },
	{ "false,0,null,\"\"", "{\"type\":\"a\"}", "false\n0\nnull\n\"\"\n", "0\n\"\"\n", 1 },
	{ "empty", "{\"type\":\"a\"}", "", NULL, 0 },
	{ "try input catch .", "{\"type\":\"a\"}", "\"break\"\n", NULL, 1 },
	{ "[limit(3;repeat(1))]", "{\"type\":\"a\"}", "[1,1,1]\n", NULL, 1 },
	{ "halt", "{\"type\":\"a\"}", "", NULL, 0 },
	{ "1,halt,2", "{\"type\":\"a\"}", "1\n", NULL, 1 },
	{ "input_filename", "{\"type\":\"a\"}", "null\n", "", 0 },
	{ "$__loc__|.line", "{\"type\":\"a\"}", "1\n", NULL, 1 },
};

START_TEST(outputs)
{
	const char *in = runs[_i].in;
	struct filter *f = compiled(runs[_i].program);
	int i;

	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(run(f, in, 0), 0);
		ck_assert_str_eq(got.text, runs[_i].all);
		ck_assert_int_eq(run(f, in, 1), 0);
		ck_assert_str_eq(got.text, runs[_i].dropped ? runs[_i].dropped : runs[_i].all);
		ck_assert_int_eq(filter_match(f, in, strlen(in)), runs[_i].pass);
		ck_assert_str_eq(filter_error(f), "");
	}
	filter_free(&f);
	ck_assert_ptr_null(f);
	filter_free(&f);
}
END_TEST

START_TEST(own_bytes)
{
	static const char line[] = "{\"type\":\"a\"}";
	struct filter *f = compiled("{type:.type}");

	ck_assert_int_eq(run(f, line, 0), 0);
	ck_assert_ptr_eq(got.last, line);
	filter_free(&f);
}
END_TEST

START_TEST(errors)
{
	static const struct { const char *program, *error; } t[] = {
		{ ".type.x", "Cannot index string with string \"x\"" }, { "error(\"my\\nwords\")", "my words" }, { "error({a:1})", "{\"a\":1}" }, { "\"gone\"|halt_error", "gone" },
		{ "[1]|.[\"a\"]", "Cannot index array with" }, { "range(1001)", "more outputs" }, { "repeat(false)", "more outputs" }, { "1,error(\"x\")", "x" },
	};
	struct filter *f;
	size_t i;

	for (i = 0; i < LEN(t); i++) {
		f = compiled(t[i].program);
		ck_assert_int_eq(run(f, "{\"type\":\"a\"}", 0), -1);
		ck_assert_msg(strstr(filter_error(f), t[i].error) != NULL, "%s: %s", t[i].program, filter_error(f));
		filter_free(&f);
	}
	f = compiled("range(1000)");
	ck_assert_int_eq(run(f, "{\"type\":\"a\"}", 0), 0);
	ck_assert_uint_eq(got.n, FILTER_OUTPUTS_MAX);
	filter_free(&f);
	f = compiled("if .bad then error(\"bad\") else .ok end");
	ck_assert_int_eq(filter_match(f, "{\"bad\":1}", 9), -1);
	ck_assert_str_eq(filter_error(f), "bad");
	ck_assert_int_eq(filter_match(f, "{\"ok\":1}", 8), 1);
	ck_assert_str_eq(filter_error(f), "");
	ck_assert_int_eq(filter_match(f, "{\"ok\"", 5), -1);
	filter_free(&f);
}
END_TEST

START_TEST(long_error)
{
	struct filter *f = compiled("error(\"\xc3\xa9\"*1500)");
	size_t len;

	ck_assert_int_eq(run(f, "{\"type\":\"a\"}", 0), -1);
	len = strlen(filter_error(f));
	ck_assert(len <= 1000 && len > 900);
	ck_assert_int_eq((unsigned char)filter_error(f)[len - 1], 0xa9);
	filter_free(&f);
}
END_TEST

START_TEST(not_compiled)
{
	static const struct { const char *program, *error; } t[] = {
		{ "select(", "syntax error" }, { "nope", "nope/0 is not defined" }, { "include \"x\"; .", "module not found: x" }, { ".a = ", "syntax error" }, { "$x", "x is not defined" },
		{ "import \"y\" as y; .", "module not found: y" },
	};
	char *error;
	size_t i;

	for (i = 0; i < LEN(t); i++) {
		error = NULL;
		ck_assert_msg(filter_new(t[i].program, &error) == NULL, "%s", t[i].program);
		ck_assert_msg(error != NULL && strstr(error, t[i].error) != NULL && strchr(error, '\n') == NULL, "%s: %s", t[i].program, error);
		free(error);
	}
}
END_TEST

/* ---- in a child ---- */

static struct {
	struct filter_child *c;
	char verdicts[20000];
	size_t n;
	char dead[2000];
	int free_on_verdict, free_on_dead;
} child;

static void
on_verdict(void *priv, int pass)
{
	ck_assert_ptr_eq(priv, &child);
	child.verdicts[child.n++] = pass ? '1' : '0';
	if (child.free_on_verdict)
		filter_child_free(&child.c);
}

static void
on_dead(void *priv, const char *reason)
{
	ck_assert_ptr_eq(priv, &child);
	ck_assert_str_eq(child.dead, "");
	ck_assert(reason[0] != '\0');
	snprintf(child.dead, sizeof child.dead, "%s", reason);
	if (child.free_on_dead)
		filter_child_free(&child.c);
}

static void
begin(const char *program)
{
	struct filter_child_config config = { program, on_verdict, on_dead, &child };

	memset(&child, 0, sizeof child);
	child.c = filter_child_new(&config);
	ck_assert_ptr_nonnull(child.c);
}

/* One turn of a loop that has nothing else to do. */
static void
turn(int timeout_ms)
{
	struct pollable *p = filter_child_pollable(child.c);
	struct pollfd pfd = { p->fd, p->events, 0 };
	int64_t now = clock_mono_ms(), wait = p->deadline_ms == CLOCK_NEVER ? timeout_ms : p->deadline_ms - now;

	(void)poll(&pfd, p->fd == -1 ? 0 : 1, wait < 0 ? 0 : wait > timeout_ms ? timeout_ms : (int)wait);
	now = clock_mono_ms();
	if (pfd.revents || now >= p->deadline_ms)
		p->handle(p, pfd.revents, now);
}

static void
drive(size_t verdicts, int dead)
{
	int64_t end = clock_mono_ms() + 100000;

	while (child.c != NULL && clock_mono_ms() < end && (dead ? child.dead[0] == '\0' : child.n < verdicts && child.dead[0] == '\0'))
		turn(100);
}

static int
feed(const char *line)
{
	return filter_child_feed(child.c, line, strlen(line));
}

START_TEST(verdicts)
{
	begin("select(.n>1)|.ok");
	ck_assert_int_eq(feed("{\"n\":1,\"ok\":true}"), 0);
	ck_assert_int_eq(feed("{\"n\":2,\"ok\":true}"), 0);
	ck_assert_int_eq(feed("{\"n\":2,\"ok\":null}"), 0);
	ck_assert_uint_eq(filter_child_pending(child.c), 3);
	drive(3, 0);
	ck_assert_int_eq(feed("{\"n\":[2],\"ok\":{\"a\":1}}"), 0);
	ck_assert_int_eq(feed("{\"n\":2,\"ok\":{}}"), 0);
	drive(5, 0);
	ck_assert_str_eq(child.verdicts, "01011");
	ck_assert_uint_eq(filter_child_pending(child.c), 0);
	ck_assert(filter_child_pollable(child.c)->deadline_ms == CLOCK_NEVER);
	ck_assert_str_eq(child.dead, "");
	filter_child_free(&child.c);
	ck_assert_ptr_null(child.c);
	filter_child_free(&child.c);
}
END_TEST

/* Errors of the program on a line, and more outputs than allowed, are a no; the child goes on. */
START_TEST(errors_are_no)
{
	begin("if .e then error(\"x\") elif .storm then range(1e9)|false elif .halt then halt else .a.b end");
	ck_assert_int_eq(feed("{\"e\":1}"), 0);
	ck_assert_int_eq(feed("{\"a\":\"x\"}"), 0);
	ck_assert_int_eq(feed("{\"storm\":1}"), 0);
	ck_assert_int_eq(feed("{\"halt\":1}"), 0);
	ck_assert_int_eq(feed("{\"a\":{\"b\":1}}"), 0);
	drive(5, 0);
	ck_assert_str_eq(child.verdicts, "00001");
	filter_child_free(&child.c);
}
END_TEST

/* Many lines: refused when there is enough to do, room again later, all answered in order. */
START_TEST(many)
{
	char line[64];
	size_t fed = 0, refused = 0;
	int64_t end = clock_mono_ms() + 100000;

	begin(".n%3==0");
	while (child.n < 10000 && child.dead[0] == '\0' && clock_mono_ms() < end) {
		for (; fed < 10000; fed++) {
			snprintf(line, sizeof line, "{\"type\":\"a\",\"n\":%zu}", fed);
			if (feed(line) != 0) {
				refused++;
				break;
			}
		}
		ck_assert_uint_le(filter_child_pending(child.c), FILTER_CHILD_LINES);
		turn(100);
	}
	ck_assert_uint_eq(child.n, 10000);
	ck_assert_uint_gt(refused, 0);
	for (fed = 0; fed < 10000; fed++)
		ck_assert_int_eq(child.verdicts[fed], fed % 3 == 0 ? '1' : '0');
	filter_child_free(&child.c);
}
END_TEST

START_TEST(large_lines)
{
	size_t len = 3u << 20, i;
	char *line = xmalloc(len);

	memset(line, 'x', len);
	memcpy(line, "{\"type\":\"", 9);
	memcpy(line + len - 2, "\"}", 2);
	begin("(.type|length)>1e6");
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(filter_child_feed(child.c, line, len), 0);
		if (i == 0)
			ck_assert_int_eq(filter_child_feed(child.c, line, len), -1);    /* enough to do */
		drive(i + 1, 0);
	}
	ck_assert_str_eq(child.verdicts, "111");
	filter_child_free(&child.c);
	free(line);
}
END_TEST

static const struct { const char *program, *reason; int only_plain; } bombs[] = {
	{ "def f: f; f", "too long", 0 },
	{ "repeat(.)|empty", "too long", 0 },
	{ "range(1e18)|empty", "too long", 0 },
	{ "last(while(true;.))", "too long", 0 },
	{ "[range(1e9)]", "", 0 },                       /* time or memory, whichever is first */
	{ "\"x\"*1e9", "", 1 },
	{ "reduce range(26) as $i (\"x\";.+.)|[.+\"a\",.+\"b\",.+\"c\",.+\"d\"]", "memory", 1 },
	{ "reduce range(40) as $i ([0];.+.)|length", "", 1 },
	{ "def f: 1+f; f", "", 0 },
	{ "reduce range(1e9) as $i (0;[.])", "", 0 },
	{ "include \"x\"; .", "module not found", 0 },
	{ "include \"/etc/passwd\"; .", "x", 0 },
	{ "select(", "syntax error", 0 },
	{ "", "", 0 },
};

START_TEST(bomb)
{
	int64_t begin_ms = clock_mono_ms();

#ifdef __SANITIZE_ADDRESS__
	if (bombs[_i].only_plain)
		return;
#endif
	begin(bombs[_i].program);
	(void)feed("{\"type\":\"a\"}");
	drive(1, bombs[_i].program[0] != '\0');
	if (bombs[_i].program[0] == '\0') {
		ck_assert_str_eq(child.verdicts, "1");  /* the empty program is the identity */
	} else {
		ck_assert_msg(child.dead[0] != '\0', "%s: verdicts %s", bombs[_i].program, child.verdicts);
		if (bombs[_i].reason[0] != 'x')
			ck_assert_msg(strstr(child.dead, bombs[_i].reason) != NULL, "%s: %s", bombs[_i].program, child.dead);
		ck_assert_uint_eq(child.n, 0);
		ck_assert_int_eq(feed("{\"type\":\"a\"}"), -1);
		ck_assert_int_eq(filter_child_pollable(child.c)->fd, -1);
	}
	ck_assert_int_lt(clock_mono_ms() - begin_ms, 60000);
	filter_child_free(&child.c);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);       /* none left behind, not even a zombie */
	ck_assert_int_eq(errno, ECHILD);
}
END_TEST

START_TEST(no_environment)
{
	static const char *const programs[] = { "env=={}", "$ENV=={}", "env.PATH==null", "$ENV.SHARED_SECRET==null" };
	size_t i;

	ck_assert_int_eq(setenv("SHARED_SECRET", "very secret", 1), 0);
	for (i = 0; i < LEN(programs); i++) {
		begin(programs[i]);
		ck_assert_int_eq(feed("{\"type\":\"a\"}"), 0);
		drive(1, 0);
		ck_assert_msg(strcmp(child.verdicts, "1") == 0, "%s: %s", programs[i], child.dead);
		filter_child_free(&child.c);
	}
}
END_TEST

/* The same program reads the file when it runs in process, so that it would in the child. */
START_TEST(no_files)
{
	char dir[] = "/tmp/test_filter.XXXXXX", path[64], program[128];
	struct filter *f;
	FILE *fp;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/s.json", dir);
	fp = fopen(path, "w");
	ck_assert_ptr_nonnull(fp);
	fputs("{\"secret\":1}\n", fp);
	fclose(fp);
	snprintf(program, sizeof program, "import \"s\" as $s {search:\"%s\"}; $s[0].secret==1", dir);
	f = compiled(program);
	ck_assert_int_eq(filter_match(f, "{}", 2), 1);
	filter_free(&f);
	begin(program);
	ck_assert_int_eq(feed("{\"type\":\"a\"}"), 0);
	drive(1, 0);
	ck_assert_str_eq(child.verdicts, "");
	ck_assert_str_ne(child.dead, "");
	filter_child_free(&child.c);
	(void)unlink(path);
	(void)rmdir(dir);
}
END_TEST

/* A pipe's reader sees its end as soon as we have closed ours: the child has no copy. */
START_TEST(no_descriptors)
{
	int fd[2];
	char c;

	ck_assert_int_eq(pipe(fd), 0);
	begin(".");
	ck_assert_int_eq(feed("{\"type\":\"a\"}"), 0);
	drive(1, 0);
	ck_assert_int_eq(close(fd[1]), 0);
	ck_assert_int_eq(read(fd[0], &c, 1), 0);
	filter_child_free(&child.c);
	(void)close(fd[0]);
}
END_TEST

static pid_t
only_child(void)
{
	char path[64];
	int pid = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/self/task/%ld/children", (long)getpid());
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fscanf(f, "%d", &pid), 1);
	fclose(f);
	return pid;
}

START_TEST(limits)
{
	static const char *const want[] = { "Max core file size 0 0", "Max open files 4 4", "Max file size 0 0" };
	char path[64], line[256], words[8][32];
	unsigned seen = 0;
	size_t i;
	FILE *f;

	begin(".");
	ck_assert_int_eq(feed("{\"type\":\"a\"}"), 0);
	drive(1, 0);
	snprintf(path, sizeof path, "/proc/%ld/limits", (long)only_child());
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof line, f) != NULL) {
		char plain[256] = "";
		int n = sscanf(line, "%31s %31s %31s %31s %31s %31s", words[0], words[1], words[2], words[3], words[4], words[5]);

		for (i = 0; i < (size_t)(n > 0 ? n : 0); i++) {
			strcat(plain, i ? " " : "");
			strcat(plain, words[i]);
		}
		for (i = 0; i < LEN(want); i++)
			seen |= strncmp(plain, want[i], strlen(want[i])) == 0 ? 1u << i : 0;
#ifndef __SANITIZE_ADDRESS__
		if (strncmp(plain, "Max address space", 17) == 0)
			ck_assert(strtoul(words[3], NULL, 10) >= FILTER_CHILD_BYTES && strtoul(words[3], NULL, 10) < 4ul * FILTER_CHILD_BYTES);
#endif
	}
	fclose(f);
	ck_assert_uint_eq(seen, 7);
	filter_child_free(&child.c);
}
END_TEST

START_TEST(killed)
{
	begin(".");
	ck_assert_int_eq(feed("{\"type\":\"a\"}"), 0);
	drive(1, 0);
	ck_assert_int_eq(kill(only_child(), SIGKILL), 0);
	drive(2, 1);
	ck_assert_str_eq(child.dead, "it crashed jq (signal 9)");
	filter_child_free(&child.c);
}
END_TEST

START_TEST(free_in_callbacks)
{
	begin(".");
	child.free_on_verdict = 1;
	ck_assert_int_eq(feed("{\"type\":\"a\"}"), 0);
	ck_assert_int_eq(feed("{\"type\":\"b\"}"), 0);
	drive(2, 0);
	ck_assert_ptr_null(child.c);
	ck_assert_str_eq(child.verdicts, "1");
	begin("select(");
	child.free_on_dead = 1;
	drive(1, 1);
	ck_assert_ptr_null(child.c);
	ck_assert_str_ne(child.dead, "");
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

START_TEST(free_while_busy)
{
	int64_t t;

	begin("if .type==\"bomb\" then last(repeat(1)) else . end");
	ck_assert_int_eq(feed("{\"type\":\"a\"}"), 0);
	drive(1, 0);
	ck_assert_int_eq(feed("{\"type\":\"bomb\"}"), 0);
	turn(100);
	t = clock_mono_ms();
	filter_child_free(&child.c);
	ck_assert_int_lt(clock_mono_ms() - t, 30000);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

/* The child of a process that is killed ends too, also when it computes. */
static void
dies_with_parent(const char *program)
{
	int64_t end;
	pid_t middle;
	char c;
	int ready[2], reaped = 0;

	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	ck_assert_int_eq(pipe(ready), 0);
	middle = fork();
	if (middle == 0) {
		begin(program);
		(void)feed("{\"type\":\"a\"}");
		turn(1000);
		(void)!write(ready[1], "x", 1);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	ck_assert_int_eq(kill(middle, SIGKILL), 0);
	end = clock_mono_ms() + 100000;
	while (reaped < 2 && clock_mono_ms() < end) {
		if (waitpid(-1, NULL, WNOHANG) > 0)
			reaped++;
		else
			(void)poll(NULL, 0, 5);
	}
	ck_assert_int_eq(reaped, 2);
}

START_TEST(orphan_waits)
{
	dies_with_parent(".");
}
END_TEST

START_TEST(orphan_computes)
{
	dies_with_parent("def f: f; f");
}
END_TEST

START_TEST(long_program)
{
	size_t len = 2u << 20;
	char *program = xmalloc(len + 1);
	struct filter_child_config config = { program, on_verdict, on_dead, &child };

	memset(program, ' ', len);
	program[len] = '\0';
	ck_assert_ptr_null(filter_child_new(&config));
	ck_assert_int_eq(errno, E2BIG);
	free(program);
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("filter");

	(void)signal(SIGPIPE, SIG_IGN);
	tcase_set_timeout(t, 240);
	tcase_add_loop_test(t, outputs, 0, LEN(runs));
	tcase_add_test(t, own_bytes);
	tcase_add_test(t, errors);
	tcase_add_test(t, long_error);
	tcase_add_test(t, not_compiled);
	tcase_add_test(t, verdicts);
	tcase_add_test(t, errors_are_no);
	tcase_add_test(t, many);
	tcase_add_test(t, large_lines);
	tcase_add_loop_test(t, bomb, 0, LEN(bombs));
	tcase_add_test(t, no_environment);
	tcase_add_test(t, no_files);
	tcase_add_test(t, no_descriptors);
	tcase_add_test(t, limits);
	tcase_add_test(t, killed);
	tcase_add_test(t, free_in_callbacks);
	tcase_add_test(t, free_while_busy);
	tcase_add_test(t, orphan_waits);
	tcase_add_test(t, orphan_computes);
	tcase_add_test(t, long_program);
	return suite_run(t, "filter");
}
