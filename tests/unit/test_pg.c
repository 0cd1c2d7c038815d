/* pg: queries, parameters, rows one at a time, several COPYs in one message, errors, cancelling, and coming back after a loss,
 * on a PostgreSQL of the test's own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf/buf.h"
#include "clock/clock.h"
#include "env/env.h"
#include "log/log.h"
#include "pg/pg.h"
#include "pg/pool.h"
#include "suite.h"

static char dir[] = "/tmp/dt-pg.XXXXXX", url[200];
static struct loop *loop;
static struct pg *pg;
static struct pool *pool;
static int ups, downs;

static struct { int rows, done, errors, lost; char text[4096], sqlstate[6], message[200], context[200]; } got;

static void
on_row(void *priv, const struct pg_row *row)
{
	size_t at = strlen(got.text), len;
	const char *s = pg_text(row, 0, &len);

	(void)priv;
	ck_assert_uint_eq(strlen(s), len);
	if (at + len + 2 < sizeof got.text)
		(void)snprintf(got.text + at, sizeof got.text - at, "%s;", pg_null(row, 0) ? "NULL" : s);
	got.rows++;
}

static void
on_done(void *priv)
{
	(void)priv;
	got.done++;
}

static void
on_error(void *priv, const struct pg_error *e)
{
	(void)priv;
	got.errors++;
	got.lost += e->lost;
	strcpy(got.sqlstate, e->sqlstate);
	(void)snprintf(got.message, sizeof got.message, "%s", e->message);
	(void)snprintf(got.context, sizeof got.context, "%s", e->context);
}

static const struct pg_calls calls = { .on_row = on_row, .on_done = on_done, .on_error = on_error };

static void on_up(void *priv) { (void)priv; ups++; }
static void on_down(void *priv, const char *why) { (void)priv; (void)why; downs++; }

static void stop_loop(struct pollable *p, short revents, int64_t now) { (void)p; (void)revents; (void)now; loop_stop(loop); }

/* Runs the loop until *value is at least want, 100 s at most. */
static void
until(const int *value, int want)
{
	int64_t end = clock_mono_ms() + 100000;
	struct pollable tick = { .fd = -1, .handle = stop_loop };

	loop_add(loop, &tick);
	while (*value < want && clock_mono_ms() < end) {
		tick.deadline_ms = clock_mono_ms() + 2;
		(void)loop_run(loop);
	}
	loop_del(loop, &tick);
	ck_assert_msg(*value >= want, "timed out; %s", pool != NULL ? pool_why(pool) : pg_why(pg));
}

static void
connect_with(const char *to, int64_t timeout_ms, const char *setup)
{
	struct pg_config config = { .url = to, .name = "test", .setup = setup, .timeout_ms = timeout_ms, .on_up = on_up, .on_down = on_down };

	memset(&got, 0, sizeof got);
	ups = downs = 0;
	loop = loop_new();
	pg = pg_new(&config);
	loop_add(loop, pg_pollable(pg));
}

static void
connected(void)
{
	connect_with(url, 5000, "create temp table a(n int, s text); create temp table b(n int)");
	ck_assert_uint_eq(pg_query(pg, "select 1", 0, NULL, &calls), 0);      /* not up yet */
	until(&ups, 1);
}

static void
disconnect(void)
{
	pg_free(&pg);
	loop_free(&loop);
}

static int
shell(const char *command)
{
	char line[600];

	(void)snprintf(line, sizeof line, "T=%s DT_RUN=%s; . tests/pg.sh; %s", dir, dir, command);
	return system(line);
}

static void
server_start(void)
{
	log_open("test_pg");
	log_level_set(LOG_LEVEL_ERROR);
	strcpy(dir, "/tmp/dt-pg.XXXXXX");
	if (mkdtemp(dir) == NULL || shell("pg_start") != 0)
		abort();
	(void)snprintf(url, sizeof url, "postgresql://dereth@/dereth?host=%s/pg", dir);
}

static void
server_stop(void)
{
	(void)shell("pg_stop immediate; rm -rf \"$T\"");
}

START_TEST(queries_run_in_order)
{
	const char *params[] = { "7", NULL };

	ck_assert_uint_gt(pg_query(pg, "select $1::int * 6", 1, params, &calls), 0);
	ck_assert_uint_gt(pg_query(pg, "select $2::text from generate_series(1, $1::int)", 2, params, &calls), 0);
	ck_assert_uint_eq(pg_queued(pg), 2);
	until(&got.done, 2);
	ck_assert_str_eq(got.text, "42;NULL;NULL;NULL;NULL;NULL;NULL;NULL;");
	ck_assert_uint_eq(pg_queued(pg), 0);
}
END_TEST

START_TEST(prepared_runs_again)
{
	struct pg_calls c = calls;

	c.prepare = 1;
	c.stream = _i;
	for (int i = 0; i < 3; i++) {
		char n[16];
		const char *params[] = { n };
		(void)snprintf(n, sizeof n, "%d", i);
		(void)pg_query(pg, "select $1::int", 1, params, &c);
	}
	(void)pg_query(pg, "select name from pg_prepared_statements", 0, NULL, &calls);
	until(&got.done, 4);
	ck_assert_str_eq(got.text, "0;1;2;q0;");
}
END_TEST

START_TEST(rows_stream)
{
	struct pg_calls c = calls;

	c.stream = 1;
	(void)pg_query(pg, "select n from generate_series(1, 20000) n", 0, NULL, &c);
	until(&got.rows, 1);
	pg_pause(pg, 1);
	ck_assert_int_eq(got.done, 0);
	pg_pause(pg, 0);
	until(&got.done, 1);
	ck_assert_int_eq(got.rows, 20000);
}
END_TEST

START_TEST(copies_in_one_message)
{
	struct buf big = BUF_INIT(64 << 20);
	struct pg_piece piece[2] = { { 0 }, { "1\n2\n", 4 } };

	for (int i = 0; i < 100000; i++)
		(void)buf_printf(&big, "%d\tsome text that fills the socket %d\n", i, i);
	piece[0] = (struct pg_piece){ buf_data(&big), buf_size(&big) };
	ck_assert_uint_gt(pg_exec(pg, "copy a from stdin; select 'x'; copy b from stdin", 2, piece, &calls), 0);
	(void)pg_query(pg, "select count(*) from a union all select count(*) from b", 0, NULL, &calls);
	until(&got.done, 2);
	ck_assert_str_eq(got.text, "x;100000;2;");
	buf_fini(&big);
}
END_TEST

START_TEST(copies_are_one_transaction)
{
	struct pg_piece piece[2] = { { "1\ta\n", 4 }, { "1\nnot a number\n", 15 } };

	(void)pg_exec(pg, "copy a from stdin; copy b from stdin", 2, piece, &calls);
	until(&got.errors, 1);
	ck_assert_str_eq(got.sqlstate, "22P02");
	ck_assert_ptr_nonnull(strstr(got.context, "COPY b, line 2"));
	ck_assert_int_eq(got.lost, 0);
	(void)pg_query(pg, "select count(*) from a", 0, NULL, &calls);
	until(&got.done, 1);
	ck_assert_str_eq(got.text, "0;");
}
END_TEST

START_TEST(copy_without_a_piece_is_an_error)
{
	(void)pg_exec(pg, "copy b from stdin", 0, NULL, &calls);
	until(&got.errors, 1);
	ck_assert_str_eq(got.sqlstate, "57014");
	ck_assert_int_eq(pg_up(pg), 1);
}
END_TEST

START_TEST(errors_are_told)
{
	(void)pg_query(pg, "select 1/0", 0, NULL, &calls);
	(void)pg_query(pg, "select 2", 0, NULL, &calls);
	until(&got.done, 1);
	ck_assert_int_eq(got.errors, 1);
	ck_assert_str_eq(got.sqlstate, "22012");
	ck_assert_str_eq(got.message, "division by zero");
	ck_assert_str_eq(got.text, "2;");
}
END_TEST

START_TEST(cancel)
{
	uint64_t slow = pg_query(pg, "select pg_sleep(60)", 0, NULL, &calls);
	uint64_t waiting = pg_query(pg, "select 'never'", 0, NULL, &calls);
	int none = 0;

	(void)pg_query(pg, "select 'after'", 0, NULL, &calls);
	pg_cancel(pg, waiting);
	ck_assert_uint_eq(pg_queued(pg), 2);
	until(&none, 0);
	for (int i = 0; i < 20; i++) {         /* let it begin */
		struct pollable tick = { .fd = -1, .deadline_ms = clock_mono_ms() + 5, .handle = stop_loop };
		loop_add(loop, &tick);
		(void)loop_run(loop);
		loop_del(loop, &tick);
	}
	pg_cancel(pg, slow);
	until(&got.done, 1);
	ck_assert_str_eq(got.text, "after;");
	ck_assert_int_eq(got.errors, 0);
}
END_TEST

START_TEST(the_server_times_out)
{
	disconnect();
	connect_with(url, 200, NULL);
	until(&ups, 1);
	(void)pg_query(pg, "select pg_sleep(60)", 0, NULL, &calls);
	until(&got.errors, 1);
	ck_assert_str_eq(got.sqlstate, "57014");
	ck_assert_int_eq(pg_up(pg), 1);
}
END_TEST

START_TEST(a_hung_backend_is_given_up)
{
	char command[64];
	int backend;

	disconnect();
	connect_with(url, 200, NULL);
	until(&ups, 1);
	backend = pg_backend(pg);
	(void)snprintf(command, sizeof command, "kill -STOP %d", backend);
	ck_assert_int_eq(system(command), 0);
	(void)pg_query(pg, "select 1", 0, NULL, &calls);
	until(&got.errors, 1);
	ck_assert_int_eq(got.lost, 1);
	ck_assert_str_eq(got.message, "it does not answer");
	until(&ups, 2);
	ck_assert_int_ne(pg_backend(pg), backend);
	(void)snprintf(command, sizeof command, "kill -CONT %d", backend);
	ck_assert_int_eq(system(command), 0);
}
END_TEST

START_TEST(comes_back)
{
	char command[64];

	(void)snprintf(command, sizeof command, "kill -TERM %d", pg_backend(pg));
	(void)pg_query(pg, "select pg_sleep(60)", 0, NULL, &calls);
	(void)pg_query(pg, "select 1", 0, NULL, &calls);
	ck_assert_int_eq(system(command), 0);
	until(&got.errors, 2);
	ck_assert_int_eq(got.lost, 2);
	until(&downs, 1);
	until(&ups, 2);
	ck_assert_uint_eq(pg_reconnects(pg), 1);
	(void)pg_query(pg, "select count(*) from a", 0, NULL, &calls);     /* setup ran again */
	until(&got.done, 1);
}
END_TEST

static void
on_row_drop(void *priv, const struct pg_row *row)
{
	on_row(priv, row);
	pg_drop(pg, "enough");
}

START_TEST(drop_in_a_callback)
{
	struct pg_calls c = calls;

	c.on_row = on_row_drop;
	(void)pg_query(pg, "select generate_series(1, 3)", 0, NULL, &c);
	until(&downs, 1);
	ck_assert_int_eq(got.rows, 1);
	ck_assert_str_eq(got.message, "enough");
	until(&ups, 2);
}
END_TEST

START_TEST(nobody_there)
{
	int none = 0;

	disconnect();
	connect_with("postgresql:///x?host=/nonexistent", 200, NULL);
	for (int i = 0; i < 20; i++)
		until(&none, 0);
	ck_assert_int_eq(pg_up(pg), 0);
	ck_assert_int_eq(downs, 0);            /* it was never up */
}
END_TEST

START_TEST(bad_url)
{
	connect_with("postgresql://user:100%@host/", 200, NULL);
}
END_TEST

START_TEST(copy_text)
{
	char out[64];

	*pg_copy_escape(out, "a\tb\nc\\d\re", 9) = '\0';
	ck_assert_str_eq(out, "a\\tb\\nc\\\\d\\re");
}
END_TEST

static const struct { int64_t us; const char *text; } times[] = {
	{ 0, "1970-01-01 00:00:00.000000+00" },
	{ 1776790991123456, "2026-04-21 17:03:11.123456+00" },
	{ 1776790991999999, "2026-04-21 17:03:11.999999+00" },
	{ -1, "1969-12-31 23:59:59.999999+00" },
	{ 951782400000000, "2000-02-29 00:00:00.000000+00" },
	{ 253402300799999000, "9999-12-31 23:59:59.999000+00" },
};

START_TEST(copy_time)
{
	char out[PG_TIME_SIZE + 1];

	*pg_copy_time(out, times[_i].us) = '\0';
	ck_assert_str_eq(out, times[_i].text);
}
END_TEST

START_TEST(literal)
{
	struct buf b = BUF_INIT(1000);

	ck_assert_int_eq(pg_append_literal(&b, "it's", 4), 0);
	ck_assert_int_eq(pg_append_literal(&b, "\\n'", 3), 0);
	ck_assert_int_eq(buf_append(&b, "", 1), 0);
	ck_assert_str_eq(buf_data(&b), "'it''s'E'\\\\n'''");
	buf_fini(&b);
}
END_TEST

/* ---- the pool ---- */

static void
pool_connected_as(int connections, size_t max_waiting, int64_t max_wait_ms)
{
	struct pool_config config = {
		.pg = { .url = url, .name = "test", .timeout_ms = 20000, .on_up = on_up, .on_down = on_down },
		.connections = connections, .max_waiting = max_waiting, .max_wait_ms = max_wait_ms
	};
	struct pollable *p;

	memset(&got, 0, sizeof got);
	ups = downs = 0;
	loop = loop_new();
	pool = pool_new(&config);
	ck_assert_uint_eq(pool_query(pool, POOL_QUICK, "select 1", 0, NULL, &calls), 0);      /* not up yet */
	for (int i = 0; (p = pool_pollable(pool, i)) != NULL; i++)
		loop_add(loop, p);
	until(&ups, 1);
	for (int tries = 0; pool_up(pool) < connections && tries < 1000; tries++) {      /* a query a time, to turn the loop */
		(void)pool_query(pool, POOL_QUICK, "select 1", 0, NULL, &calls);
		until(&got.done, tries + 1);
	}
	memset(&got, 0, sizeof got);
}

static void pool_connected(void) { pool_connected_as(3, 2, 600000); }     /* nobody waits too long */

static void
pool_disconnect(void)
{
	pool_free(&pool);
	loop_free(&loop);
}

/* Two long ones run, the third waits although a connection is free; a quick one does not. */
START_TEST(long_ones_leave_one_free)
{
	struct pg_calls silent = { .priv = NULL };
	uint64_t a = pool_query(pool, POOL_LONG, "select pg_sleep(60)", 0, NULL, &silent);
	uint64_t b = pool_query(pool, POOL_LONG, "select pg_sleep(60)", 0, NULL, &silent);
	uint64_t c = pool_query(pool, POOL_LONG, "select 'third'", 0, NULL, &calls);

	ck_assert_uint_eq(pool_waiting(pool), 1);
	(void)pool_query(pool, POOL_QUICK, "select 'quick'", 0, NULL, &calls);
	until(&got.done, 1);
	ck_assert_str_eq(got.text, "quick;");
	ck_assert_uint_eq(pool_waiting(pool), 1);
	pool_cancel(pool, a);            /* its place is free when the server says so, not before */
	until(&got.done, 2);
	ck_assert_str_eq(got.text, "quick;third;");
	pool_cancel(pool, b);
	pool_cancel(pool, c);            /* done already: nothing */
	ck_assert_int_eq(got.errors, 0);
}
END_TEST

START_TEST(queue_has_an_end)
{
	struct pg_calls silent = { .priv = NULL };

	pool_disconnect();
	pool_connected_as(3, 2, 300);
	for (int i = 0; i < 3; i++)
		(void)pool_query(pool, POOL_QUICK, "select pg_sleep(60)", 0, NULL, &silent);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_gt(pool_query(pool, POOL_QUICK, "select 'waits'", 0, NULL, &calls), 0);
	ck_assert_int_eq(got.errors, 0);         /* never from within pool_query */
	until(&got.errors, 1);
	ck_assert_str_eq(got.sqlstate, "53300");
	ck_assert_int_eq(got.lost, 0);
	until(&got.errors, 3);                   /* the others have waited too long */
	ck_assert_str_eq(got.sqlstate, "53300");
	ck_assert_uint_eq(pool_waiting(pool), 0);
	ck_assert_int_eq(got.done, 0);
}
END_TEST

START_TEST(pool_goes_and_comes_back)
{
	for (int i = 0; i < 3; i++)
		(void)pool_query(pool, POOL_QUICK, "select pg_sleep(60)", 0, NULL, &calls);
	(void)pool_query(pool, POOL_QUICK, "select 'waits'", 0, NULL, &calls);
	ck_assert_int_eq(shell("pg_stop immediate"), 0);
	until(&downs, 1);
	ck_assert_int_eq(got.errors, 4);
	ck_assert_int_eq(got.lost, 4);
	ck_assert_int_eq(pool_up(pool), 0);
	ck_assert_uint_eq(pool_query(pool, POOL_QUICK, "select 1", 0, NULL, &calls), 0);
	ck_assert_int_eq(shell("pg_run"), 0);
	until(&ups, 2);
	(void)pool_query(pool, POOL_QUICK, "select 'again'", 0, NULL, &calls);
	until(&got.done, 1);
	ck_assert_str_eq(got.text, "again;");
}
END_TEST

/* A query that is cancelled before it began, and one that waits. */
START_TEST(pool_cancel_early)
{
	struct pg_calls silent = { .priv = NULL };
	uint64_t q;

	pool_cancel(pool, pool_query(pool, POOL_QUICK, "select 'never'", 0, NULL, &calls));
	for (int i = 0; i < 3; i++)
		(void)pool_query(pool, POOL_QUICK, "select pg_sleep(60)", 0, NULL, &silent);
	q = pool_query(pool, POOL_QUICK, "select 'nor this'", 0, NULL, &calls);
	ck_assert_uint_eq(pool_waiting(pool), 1);
	pool_cancel(pool, q);
	ck_assert_uint_eq(pool_waiting(pool), 0);
	ck_assert_int_eq(got.rows, 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("pg");
	TCase *plain = tcase_create("text"), *live = tcase_create("server"), *many = tcase_create("pool");

	tcase_add_test(plain, copy_text);
	tcase_add_loop_test(plain, copy_time, 0, sizeof times / sizeof *times);
	tcase_add_test(plain, literal);
	tcase_add_exit_test(plain, bad_url, 78);
	tcase_add_unchecked_fixture(live, server_start, server_stop);
	tcase_add_checked_fixture(live, connected, disconnect);
	tcase_set_timeout(live, 240);
	tcase_add_test(live, queries_run_in_order);
	tcase_add_loop_test(live, prepared_runs_again, 0, 2);
	tcase_add_test(live, rows_stream);
	tcase_add_test(live, copies_in_one_message);
	tcase_add_test(live, copies_are_one_transaction);
	tcase_add_test(live, copy_without_a_piece_is_an_error);
	tcase_add_test(live, errors_are_told);
	tcase_add_test(live, cancel);
	tcase_add_test(live, the_server_times_out);
	tcase_add_test(live, a_hung_backend_is_given_up);
	tcase_add_test(live, comes_back);
	tcase_add_test(live, drop_in_a_callback);
	tcase_add_test(live, nobody_there);
	suite_add_tcase(s, plain);
	suite_add_tcase(s, live);
	tcase_add_unchecked_fixture(many, server_start, server_stop);
	tcase_add_checked_fixture(many, pool_connected, pool_disconnect);
	tcase_set_timeout(many, 240);
	tcase_add_test(many, long_ones_leave_one_free);
	tcase_add_test(many, queue_has_an_end);
	tcase_add_test(many, pool_cancel_early);
	tcase_add_test(many, pool_goes_and_comes_back);
	suite_add_tcase(s, many);
	return suite_run_all(s);
}
