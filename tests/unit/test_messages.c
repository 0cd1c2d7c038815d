/* log and stat: one line a message whatever is in it, a limit on floods; status files that are never half written. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock/clock.h"
#include "env/env.h"
#include "json/json.h"
#include "log/log.h"
#include "stat/stat.h"

#include "suite.h"

/* What f writes to standard error, and its exit status. */
static char said[1 << 20];

static int
listen_to(void (*f)(void))
{
	int fds[2], status;
	size_t n = 0;
	ssize_t got;
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	if ((pid = fork()) == 0) {
		(void)dup2(fds[1], STDERR_FILENO);
		(void)close(fds[0]);
		f();
		_exit(0);
	}
	(void)close(fds[1]);
	while ((got = read(fds[0], said + n, sizeof said - 1 - n)) > 0)
		n += (size_t)got;
	said[n] = '\0';
	(void)close(fds[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static void
say_odd_things(void)
{
	log_open("dt-test");
	log_warn("a\nb\x1b[31m %s", "\xc3\xa9 \xff \xc2\x85 \xf0\x9f\x8e\xb2");
	log_debug("not shown");
	log_info("plain");
}

START_TEST(a_message_is_one_line)
{
	(void)listen_to(say_odd_things);
	ck_assert_str_eq(said, "dt-test: warning: a\\x0ab\\x1b[31m \xc3\xa9 \\xff \\xc2\\x85 \xf0\x9f\x8e\xb2\ndt-test: plain\n");
}
END_TEST

static void
flood(void)
{
	int64_t begin = clock_mono_ms();

	log_open("dt-test");
	while (clock_mono_ms() - begin < 2200)
		log_warn("flood");
}

START_TEST(floods_are_limited_and_said)
{
	unsigned lines = 0;

	(void)listen_to(flood);
	for (const char *p = said; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	ck_assert_uint_ge(lines, 200);
	ck_assert_uint_le(lines, 420);
	ck_assert_ptr_nonnull(strstr(said, "messages like \"flood\""));
}
END_TEST

static void
give_up(void)
{
	log_open("dt-test");
	die(EX_CONFIG, "unable to open %s", "x");
}

START_TEST(die_says_why_and_with_which_code)
{
	ck_assert_int_eq(listen_to(give_up), EX_CONFIG);
	ck_assert_str_eq(said, "dt-test: fatal: unable to open x\n");
}
END_TEST

static struct json *
status_file(const char *path)
{
	static char text[1 << 16];
	const char *error;
	FILE *f = fopen(path, "r");
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(text, 1, sizeof text, f);
	(void)fclose(f);
	return json_parse(text, n, &error);
}

START_TEST(status_files_tell_what_was_counted)
{
	char dir[] = "/tmp/dt-stat.XXXXXX", path[200], many[20];
	int64_t *cell = stat_cell(STAT_INGEST_REJECTED, "not \"json\"\n");
	struct json *j;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)setenv("DT_DATA", dir, 1);
	(void)setenv("DT_RUN", dir, 1);
	(void)setenv("DT_ENV_FILE", "/dev/null", 1);
	log_open("dt-ingest");
	env_load();
	*cell += 3;
	stat_add(STAT_INGEST_FRAMES, 41);
	stat_add(STAT_INGEST_FRAMES, 1);
	stat_open("dt-ingest");
	(void)snprintf(path, sizeof path, "%s/status/dt-ingest.json", dir);
	j = status_file(path);
	ck_assert_ptr_nonnull(j);
	ck_assert_str_eq(json_str(j, "program", ""), "dt-ingest");
	ck_assert_int_eq(json_int(j, "pid", 0), getpid());
	ck_assert_int_eq(json_int(j, "metrics.frames_total", 0), 42);
	ck_assert_int_eq(json_int(j, "metrics.rejected_total.not \"json\"\n", 0), 3);
	ck_assert_int_eq(json_bool(j, "stopped", 1), 0);
	json_free(&j);
	for (int i = 0; i < 100; i++) {          /* a flood of label values ends in "other" */
		(void)snprintf(many, sizeof many, "v%d", i);
		*stat_cell(STAT_INGEST_REJECTED, many) += 1;
	}
	stat_write(stat_deadline() - 1);         /* not yet */
	j = status_file(path);
	ck_assert_int_eq(json_int(j, "metrics.rejected_total.other", 0), 0);
	json_free(&j);
	stat_write(stat_deadline());
	j = status_file(path);
	ck_assert_int_eq(json_int(j, "metrics.rejected_total.other", 0), 37);
	json_free(&j);
	stat_close();
	j = status_file(path);
	ck_assert_int_eq(json_bool(j, "stopped", 0), 1);
	json_free(&j);
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("messages");

	tcase_set_timeout(t, 240);
	tcase_add_test(t, a_message_is_one_line);
	tcase_add_test(t, floods_are_limited_and_said);
	tcase_add_test(t, die_says_why_and_with_which_code);
	tcase_add_test(t, status_files_tell_what_was_counted);
	return suite_run(t, "messages");
}
