/* lib/bus against a scripted bus on real UNIX sockets: acknowledgement, resending, refusals, reconnection, gaps, pause. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "bus/bus.h"
#include "clock/clock.h"
#include "log/log.h"
#include "suite.h"

#define PATIENCE_MS 60000

/* ---- the scripted bus ---- */

static struct {
	char dir[64], path[96];
	int listener, peer;
	char in[1 << 20];                /* received, from at on not yet looked at */
	size_t at, len;
	char line[1 << 16];
} B;

static struct pollable *client;      /* driven while the test waits */

static int
ready(int fd, short events, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, timeout_ms) > 0;
}

/* One turn of a loop that knows only the client; waits a little where nothing is to be done. */
static void
turn(void)
{
	int64_t now = clock_mono_ms();
	struct pollfd p = { .fd = client->fd, .events = client->events };

	(void)poll(&p, 1, 2);
	if (p.revents != 0)
		client->handle(client, p.revents, now);
	else if (client->deadline_ms <= now)
		client->handle(client, 0, now);
}

#define wait_until(condition) do { \
	int64_t give_up = clock_mono_ms() + PATIENCE_MS; \
	while (!(condition)) { \
		ck_assert_msg(clock_mono_ms() < give_up, "waited in vain for " #condition); \
		turn(); \
	} } while (0)

static void
bus_up(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	strcpy(sun.sun_path, B.path);
	(void)unlink(B.path);
	B.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(B.listener, (struct sockaddr *)&sun, sizeof(sun)), 0);
	ck_assert_int_eq(listen(B.listener, 8), 0);
}

static void
bus_drop(void)
{
	if (B.peer != -1)
		close(B.peer);
	B.peer = -1;
	B.at = B.len = 0;
}

static void
bus_down(void)
{
	bus_drop();
	close(B.listener);
	(void)unlink(B.path);
}

static void
bus_accept(void)
{
	bus_drop();
	wait_until(ready(B.listener, POLLIN, 0));
	B.peer = accept(B.listener, NULL, NULL);
	ck_assert_int_ne(B.peer, -1);
	(void)fcntl(B.peer, F_SETFL, O_NONBLOCK);
}

static int
bus_has_line(void)
{
	ssize_t n;

	if (B.at > 0) {
		memmove(B.in, B.in + B.at, B.len - B.at);
		B.len -= B.at;
		B.at = 0;
	}
	if (memchr(B.in, '\n', B.len) == NULL && (n = recv(B.peer, B.in + B.len, sizeof(B.in) - B.len, 0)) > 0)
		B.len += (size_t)n;
	return memchr(B.in, '\n', B.len) != NULL;
}

/* The next line that the client sends. */
static const char *
bus_line(void)
{
	char *nl;

	wait_until(bus_has_line());
	nl = memchr(B.in, '\n', B.len);
	ck_assert_uint_lt((size_t)(nl - B.in), sizeof(B.line));
	memcpy(B.line, B.in, (size_t)(nl - B.in));
	B.line[nl - B.in] = '\0';
	B.at = (size_t)(nl - B.in) + 1;
	return B.line;
}

static void __attribute__((format(printf, 1, 2)))
bus_say(const char *fmt, ...)
{
	char text[8192];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ck_assert_int_eq(send(B.peer, text, (size_t)n, MSG_NOSIGNAL), n);
}

static void
setup(void)
{
	log_open("test_bus");
	log_level_set(LOG_LEVEL_ERROR);
	memset(&B, 0, sizeof(B));
	B.peer = -1;
	strcpy(B.dir, "/tmp/test_bus.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(B.dir));
	(void)snprintf(B.path, sizeof(B.path), "%s/sock", B.dir);
	bus_up();
}

static void
teardown(void)
{
	bus_down();
	(void)rmdir(B.dir);
}

/* ---- publishing ---- */

static struct {
	struct bus_pub *pub;
	uint64_t acked, refused;
	unsigned acks, refusals;
	char reason[64];
	char session[64];
} P;

static void
on_ack(void *priv, uint64_t n)
{
	(void)priv;
	ck_assert_uint_gt(n, P.acked);
	P.acked = n;
	P.acks++;
}

static void
on_refused(void *priv, uint64_t n, const char *reason)
{
	(void)priv;
	P.refused = n;
	P.refusals++;
	(void)snprintf(P.reason, sizeof(P.reason), "%s", reason);
}

static void
publisher(size_t max_bytes)
{
	struct bus_pub_config c = { .path = B.path, .name = "test \"bus\"", .max_bytes = max_bytes, .on_ack = on_ack, .on_error = on_refused };

	memset(&P, 0, sizeof(P));
	P.pub = bus_pub_new(&c);
	client = bus_pub_pollable(P.pub);
}

/* Reads the greeting, notes its session, returns its next. */
static uint64_t
greeting(void)
{
	uintmax_t next;

	ck_assert_int_eq(sscanf(bus_line(), "{\"hello\":{\"name\":\"test \\\"bus\\\"\",\"session\":\"%32[0-9a-f]\",\"next\":%ju}}", P.session, &next), 2);
	ck_assert_uint_eq(strlen(P.session), 32);
	return next;
}

static void
welcome(uint64_t next)
{
	bus_say("{\"welcome\":{\"session\":\"%s\",\"next\":%ju}}\n", P.session, (uintmax_t)next);
	wait_until(bus_pub_connected(P.pub));
}

static void
publish(const char *line)
{
	ck_assert_uint_gt(bus_pub_send(P.pub, line, strlen(line)), 0);
}

START_TEST(lines_are_numbered_and_acknowledged)
{
	publisher(4096);
	ck_assert_uint_eq(bus_pub_send(P.pub, "{\"a\":1}", 7), 1);
	ck_assert_uint_eq(bus_pub_send(P.pub, "{\"a\":2}", 7), 2);
	bus_accept();
	ck_assert_uint_eq(greeting(), 1);
	ck_assert_int_eq(bus_pub_connected(P.pub), 0);
	welcome(1);
	ck_assert_str_eq(bus_line(), "{\"a\":1}");
	ck_assert_str_eq(bus_line(), "{\"a\":2}");
	ck_assert_uint_eq(bus_pub_unacked(P.pub), 2);
	ck_assert_uint_eq(bus_pub_room(P.pub), 4096 - 16);
	bus_say("{\"ack\":1}\n");
	wait_until(P.acked == 1);
	bus_say("{\"ack\":1}\n{\"ack\":2}\n");
	wait_until(P.acked == 2);
	ck_assert_uint_eq(P.acks, 2);
	ck_assert_uint_eq(bus_pub_unacked(P.pub), 0);
	ck_assert_uint_eq(bus_pub_room(P.pub), 4096);
	bus_pub_free(&P.pub);
	ck_assert_ptr_null(P.pub);
}
END_TEST

START_TEST(waits_for_a_bus_that_is_not_there_yet)
{
	bus_down();
	publisher(4096);
	publish("{\"a\":1}");
	for (int i = 0; i < 20; i++)
		turn();
	ck_assert_int_eq(bus_pub_connected(P.pub), 0);
	bus_up();
	bus_accept();
	(void)greeting();
	welcome(1);
	ck_assert_str_eq(bus_line(), "{\"a\":1}");
	bus_pub_free(&P.pub);
}
END_TEST

START_TEST(a_full_ring_takes_no_more)
{
	char big[4000];

	publisher(1000);
	memset(big, 'x', sizeof(big));
	ck_assert_uint_eq(bus_pub_send(P.pub, big, sizeof(big)), 1);       /* any line fits an empty buffer */
	ck_assert_uint_eq(bus_pub_room(P.pub), 0);
	ck_assert_uint_eq(bus_pub_send(P.pub, "{}", 2), 0);
	bus_accept();
	(void)greeting();
	welcome(1);
	ck_assert_uint_eq(strlen(bus_line()), sizeof(big));
	bus_say("{\"ack\":1}\n");
	wait_until(P.acked == 1);
	ck_assert_uint_eq(bus_pub_send(P.pub, big, 998), 2);
	ck_assert_uint_eq(bus_pub_room(P.pub), 1);
	ck_assert_uint_eq(bus_pub_send(P.pub, "", 0), 0);
	bus_pub_free(&P.pub);
}
END_TEST

START_TEST(line_breaks_and_nothing_do_not_shift_the_numbers)
{
	publisher(4096);
	publish("{\n\"a\":\r\n1}");
	publish("");
	publish("\r");
	publish("{}");
	bus_accept();
	(void)greeting();
	welcome(1);
	ck_assert_str_eq(bus_line(), "{ \"a\":  1}");
	ck_assert_str_eq(bus_line(), " ");
	ck_assert_str_eq(bus_line(), " ");
	ck_assert_str_eq(bus_line(), "{}");
	bus_pub_free(&P.pub);
}
END_TEST

/* Hundreds of drops at all places of a line: each line must arrive once and in order as the bus counts them. */
START_TEST(resends_from_where_the_bus_says)
{
	uint64_t n_sent = 0, next = 1, seen;
	char line[64], want_line[64];
	unsigned drops = 0;

	publisher(900);
	bus_accept();
	(void)greeting();
	welcome(1);
	while (next <= 600) {
		do
			(void)snprintf(line, sizeof(line), "{\"line\":%ju,\"%.*s\":0}", (uintmax_t)(n_sent + 1), (int)(n_sent % 23), "abcdefghijklmnopqrstuvw");
		while (bus_pub_send(P.pub, line, strlen(line)) != 0 && ++n_sent);
		seen = next + 5 + drops % 7;
		for (; next < seen; next++) {
			(void)snprintf(want_line, sizeof(want_line), "{\"line\":%ju,\"%.*s\":0}", (uintmax_t)next, (int)((next - 1) % 23), "abcdefghijklmnopqrstuvw");
			ck_assert_str_eq(bus_line(), want_line);
		}
		if (drops % 3 == 0) {
			bus_say("{\"ack\":%ju}\n", (uintmax_t)(next - 3));
			wait_until(P.acked == next - 3);
		}
		drops++;
		bus_accept();            /* drops the connection with lines and half lines in it */
		ck_assert_uint_eq(greeting(), P.acked + 1);
		welcome(next);
		ck_assert_uint_eq(P.acked, next - 1);
	}
	ck_assert_uint_gt(drops, 50);
	bus_pub_free(&P.pub);
}
END_TEST

START_TEST(a_refused_line_is_told_and_costs_only_itself)
{
	publisher(4096);
	publish("{\"a\":1}");
	publish("nonsense");
	publish("{\"a\":3}");
	publish("nonsense");
	bus_accept();
	(void)greeting();
	welcome(1);
	for (int i = 0; i < 4; i++)
		(void)bus_line();
	bus_say("{\"error\":{\"n\":2,\"reason\":\"not_json\"}}\n");
	wait_until(P.refused == 2);
	ck_assert_str_eq(P.reason, "not_json");
	ck_assert_uint_eq(P.acked, 0);
	bus_say("{\"ack\":1}\n");
	wait_until(P.acked == 2);        /* the refused one is settled with it */
	bus_say("{\"ack\":3}\n");
	wait_until(P.acked == 3);
	bus_say("{\"error\":{\"n\":4,\"reason\":\"said \\\"no\\\"\"}}\n");
	wait_until(P.acked == 4);
	ck_assert_str_eq(P.reason, "said \"no\"");
	ck_assert_uint_eq(bus_pub_unacked(P.pub), 0);
	ck_assert_uint_eq(P.refusals, 2);
	bus_pub_free(&P.pub);
}
END_TEST

/* The bus dies when line 2 is refused but 1 is not written: both are sent again, and the refusal is told once. */
START_TEST(a_refusal_survives_a_reconnection)
{
	publisher(4096);
	publish("{\"a\":1}");
	publish("nonsense");
	publish("{\"a\":3}");
	bus_accept();
	(void)greeting();
	welcome(1);
	for (int i = 0; i < 3; i++)
		(void)bus_line();
	bus_say("{\"error\":{\"n\":2,\"reason\":\"not_json\"}}\n");
	wait_until(P.refused == 2);
	bus_accept();
	ck_assert_uint_eq(greeting(), 1);
	welcome(1);
	ck_assert_str_eq(bus_line(), "{\"a\":1}");
	ck_assert_str_eq(bus_line(), "nonsense");
	ck_assert_str_eq(bus_line(), "{\"a\":3}");
	bus_say("{\"error\":{\"n\":2,\"reason\":\"not_json\"}}\n{\"ack\":3}\n");
	wait_until(P.acked == 3);
	ck_assert_uint_eq(P.refusals, 1);
	bus_pub_free(&P.pub);
}
END_TEST

/* A bus with a new journal knows nothing of our session: what it has not got goes out under a new one, from 1. */
START_TEST(a_forgotten_session_starts_anew)
{
	char old[64];

	publisher(4096);
	publish("{\"a\":1}");
	publish("{\"a\":2}");
	bus_accept();
	(void)greeting();
	welcome(1);
	(void)bus_line();
	bus_say("{\"ack\":1}\n");
	wait_until(P.acked == 1);
	strcpy(old, P.session);
	bus_accept();
	ck_assert_uint_eq(greeting(), 2);
	ck_assert_str_eq(P.session, old);
	bus_say("{\"welcome\":{\"session\":\"%s\",\"next\":1}}\n", P.session);
	wait_until(client->fd == -1);
	bus_accept();
	ck_assert_uint_eq(greeting(), 1);
	ck_assert_str_ne(P.session, old);
	welcome(1);
	ck_assert_str_eq(bus_line(), "{\"a\":2}");
	ck_assert_uint_eq(bus_pub_send(P.pub, "{\"a\":3}", 7), 3);
	ck_assert_str_eq(bus_line(), "{\"a\":3}");
	bus_say("{\"error\":{\"n\":1,\"reason\":\"late\"}}\n{\"ack\":2}\n");
	wait_until(P.acked == 3);
	ck_assert_uint_eq(P.refused, 2);
	bus_pub_free(&P.pub);
}
END_TEST

START_TEST(an_acknowledgement_of_the_unsent_ends_the_connection)
{
	publisher(4096);
	bus_accept();
	(void)greeting();
	welcome(1);
	publish("{\"a\":1}");
	bus_say("nonsense\n{\"ack\":7}\n");
	bus_accept();
	ck_assert_uint_eq(greeting(), 1);
	welcome(1);
	ck_assert_str_eq(bus_line(), "{\"a\":1}");
	ck_assert_uint_eq(P.acked, 0);
	bus_pub_free(&P.pub);
}
END_TEST

/* ---- subscribing ---- */

static struct {
	struct bus_sub *sub;
	uint64_t seq, from, gap_from, gap_to, gap_count;
	unsigned lines, batches, subscribed, gaps, ended;
	int pause_at_next, seek_at_next;
	char last[4096], journal[64], error[256];
} S;

static void
on_line(void *priv, uint64_t seq, const char *line, size_t len)
{
	(void)priv;
	ck_assert_uint_lt(len, sizeof(S.last));
	memcpy(S.last, line, len);
	S.last[len] = '\0';
	S.seq = seq;
	S.lines++;
	if (S.pause_at_next)
		bus_sub_pause(S.sub, 1);
	if (S.seek_at_next)
		bus_sub_seek(S.sub, "earliest");
}

static void
on_subscribed(void *priv, uint64_t from, const char *journal)
{
	(void)priv;
	S.subscribed++;
	S.from = from;
	(void)snprintf(S.journal, sizeof(S.journal), "%s", journal);
}

static void
on_gap(void *priv, uint64_t from, uint64_t to, uint64_t count)
{
	(void)priv;
	S.gaps++;
	S.gap_from = from;
	S.gap_to = to;
	S.gap_count = count;
}

static void
on_batch(void *priv)
{
	(void)priv;
	S.batches++;
}

static void
on_end(void *priv, const char *error)
{
	(void)priv;
	S.ended++;
	(void)snprintf(S.error, sizeof(S.error), "%s", error ? error : "");
}

static void
subscriber(struct bus_sub_config c)
{
	memset(&S, 0, sizeof(S));
	c.path = B.path;
	c.name = "test";
	c.on_line = on_line;
	c.on_subscribed = on_subscribed;
	c.on_gap = on_gap;
	c.on_batch = on_batch;
	c.on_end = on_end;
	S.sub = bus_sub_new(&c);
	client = bus_sub_pollable(S.sub);
}

static void
subscribed(uint64_t from, const char *journal)
{
	unsigned before = S.subscribed;

	bus_say("{\"type\":\"subscribed\",\"from\":%ju,\"journal\":\"%s\"}\n", (uintmax_t)from, journal);
	wait_until(S.subscribed > before);
	ck_assert_int_eq(bus_sub_connected(S.sub), 1);
}

START_TEST(says_what_it_wants)
{
	static const char *const types[] = { "rare", "chat*", NULL }, *const characters[] = { "O\"Neil", NULL };

	subscriber((struct bus_sub_config){ .types = types, .characters = characters, .jq = ".kills>1\n", .from = "-1h", .to = "99" });
	bus_accept();
	ck_assert_str_eq(bus_line(), "{\"subscribe\":{\"name\":\"test\",\"types\":[\"rare\",\"chat*\"],\"characters\":[\"O\\\"Neil\"],"
	    "\"jq\":\".kills>1\\n\",\"from\":\"-1h\",\"to\":99}}");
	bus_sub_free(&S.sub);
	subscriber((struct bus_sub_config){ 0 });
	bus_accept();
	ck_assert_str_eq(bus_line(), "{\"subscribe\":{\"name\":\"test\"}}");
	bus_sub_free(&S.sub);
	ck_assert_ptr_null(S.sub);
}
END_TEST

START_TEST(goes_on_behind_the_last_line)
{
	subscriber((struct bus_sub_config){ .from = "earliest" });
	bus_accept();
	ck_assert_str_eq(bus_line(), "{\"subscribe\":{\"name\":\"test\",\"from\":\"earliest\"}}");
	subscribed(7, "j1");
	ck_assert_uint_eq(S.from, 7);
	ck_assert_str_eq(S.journal, "j1");
	bus_say("{\"_seq\":7,\"_rx\":\"x\",\"a\":1}\n{\"_seq\":9,\"a\":2}\n{\"_seq\":10,\"a\"");
	wait_until(S.lines == 2);
	ck_assert_uint_eq(S.seq, 9);
	ck_assert_uint_eq(bus_sub_seq(S.sub), 9);
	ck_assert_str_eq(S.last, "{\"_seq\":9,\"a\":2}");
	ck_assert_uint_ge(S.batches, 1);
	bus_accept();                    /* drops it in the middle of 10 */
	ck_assert_str_eq(bus_line(), "{\"subscribe\":{\"name\":\"test\",\"from\":10}}");
	subscribed(10, "j1");
	bus_say("{\"_seq\":10,\"a\":3}\n");
	wait_until(S.lines == 3);
	ck_assert_str_eq(S.last, "{\"_seq\":10,\"a\":3}");
	bus_sub_free(&S.sub);
}
END_TEST

START_TEST(misses_nothing_when_lost_before_the_first_line)
{
	bus_down();
	subscriber((struct bus_sub_config){ 0 });
	for (int i = 0; i < 20; i++)
		turn();
	bus_up();
	bus_accept();
	ck_assert_str_eq(bus_line(), "{\"subscribe\":{\"name\":\"test\"}}");
	subscribed(42, "j1");
	bus_accept();
	ck_assert_str_eq(bus_line(), "{\"subscribe\":{\"name\":\"test\",\"from\":42}}");
	bus_sub_free(&S.sub);
}
END_TEST

START_TEST(asks_again_when_it_was_taken_for_silent)
{
	subscriber((struct bus_sub_config){ 0 });
	bus_accept();
	(void)bus_line();
	bus_say("{\"_seq\":42}\n{\"_seq\":43}\n");
	bus_accept();
	ck_assert_str_eq(bus_line(), "{\"subscribe\":{\"name\":\"test\",\"from\":42}}");
	ck_assert_uint_eq(S.lines, 0);
	subscribed(42, "j1");
	bus_say("{\"_seq\":42}\n");
	wait_until(S.lines == 1);
	bus_sub_free(&S.sub);
	subscriber((struct bus_sub_config){ .from = "earliest" });
	bus_accept();
	(void)bus_line();
	bus_say("{\"_seq\":42}\n");
	bus_accept();
	ck_assert_str_eq(bus_line(), "{\"subscribe\":{\"name\":\"test\",\"from\":\"earliest\"}}");
	bus_sub_free(&S.sub);
}
END_TEST

START_TEST(another_journal_is_read_from_its_beginning)
{
	subscriber((struct bus_sub_config){ .from = "5" });
	bus_accept();
	(void)bus_line();
	subscribed(5, "j1");
	bus_say("{\"_seq\":5}\n{\"_seq\":6}\n");
	wait_until(S.lines == 2);
	bus_accept();
	ck_assert_str_eq(bus_line(), "{\"subscribe\":{\"name\":\"test\",\"from\":7}}");
	bus_say("{\"type\":\"subscribed\",\"from\":7,\"journal\":\"j2\"}\n{\"_seq\":7}\n");
	bus_accept();
	ck_assert_str_eq(bus_line(), "{\"subscribe\":{\"name\":\"test\",\"from\":\"earliest\"}}");
	ck_assert_uint_eq(S.subscribed, 1);
	ck_assert_uint_eq(S.lines, 2);
	subscribed(1, "j2");
	ck_assert_str_eq(S.journal, "j2");
	ck_assert_uint_eq(S.from, 1);
	bus_say("{\"_seq\":1}\n");
	wait_until(S.lines == 3);
	bus_sub_free(&S.sub);
}
END_TEST

START_TEST(a_gap_is_told)
{
	subscriber((struct bus_sub_config){ .from = "1" });
	bus_accept();
	(void)bus_line();
	subscribed(1, "j1");
	bus_say("{\"type\":\"gap\",\"from\":1,\"to\":400,\"count\":400}\n");
	wait_until(S.gaps == 1);
	ck_assert_uint_eq(S.gap_from, 1);
	ck_assert_uint_eq(S.gap_to, 400);
	ck_assert_uint_eq(S.gap_count, 400);
	bus_accept();
	ck_assert_str_eq(bus_line(), "{\"subscribe\":{\"name\":\"test\",\"from\":401}}");
	bus_sub_free(&S.sub);
}
END_TEST

START_TEST(a_pause_leaves_the_rest_with_the_bus)
{
	subscriber((struct bus_sub_config){ 0 });
	bus_accept();
	(void)bus_line();
	subscribed(1, "j1");
	S.pause_at_next = 1;
	bus_say("{\"_seq\":1}\n{\"_seq\":2}\n");
	wait_until(S.lines == 2);
	bus_say("{\"_seq\":3}\n");
	bus_drop();                      /* neither data nor the hang-up may wake a paused subscriber */
	ck_assert_int_eq(client->fd, -1);
	ck_assert_int_gt(client->deadline_ms, clock_mono_ms() + 3600000);
	ck_assert_uint_eq(S.lines, 2);
	S.pause_at_next = 0;
	bus_sub_pause(S.sub, 0);
	wait_until(S.lines == 3);
	bus_accept();
	ck_assert_str_eq(bus_line(), "{\"subscribe\":{\"name\":\"test\",\"from\":4}}");
	bus_sub_free(&S.sub);
}
END_TEST

START_TEST(a_seek_drops_what_was_read)
{
	subscriber((struct bus_sub_config){ 0 });
	bus_accept();
	(void)bus_line();
	subscribed(100, "j1");
	S.seek_at_next = 1;
	bus_say("{\"_seq\":100}\n{\"_seq\":101}\n");
	bus_accept();
	ck_assert_str_eq(bus_line(), "{\"subscribe\":{\"name\":\"test\",\"from\":\"earliest\"}}");
	ck_assert_uint_eq(S.lines, 1);
	ck_assert_uint_eq(bus_sub_seq(S.sub), 0);
	bus_sub_free(&S.sub);
}
END_TEST

START_TEST(once_ends_with_the_stream)
{
	subscriber((struct bus_sub_config){ .once = 1 });
	bus_accept();
	(void)bus_line();
	subscribed(1, "j1");
	bus_say("{\"_seq\":1}\n");
	bus_drop();
	wait_until(S.ended == 1);
	ck_assert_str_eq(S.error, "");
	ck_assert_uint_eq(S.lines, 1);
	bus_sub_free(&S.sub);
	bus_down();
	subscriber((struct bus_sub_config){ .once = 1 });
	wait_until(S.ended == 1);
	ck_assert_ptr_nonnull(strstr(S.error, "unable to connect to the bus at "));
	bus_sub_free(&S.sub);
	bus_up();
}
END_TEST

START_TEST(to_ends_when_nothing_is_left)
{
	subscriber((struct bus_sub_config){ .from = "1", .to = "5" });
	bus_accept();
	(void)bus_line();
	subscribed(1, "j1");
	bus_say("{\"_seq\":1}\n");
	bus_accept();                    /* closed too early: it asks for the rest */
	ck_assert_str_eq(bus_line(), "{\"subscribe\":{\"name\":\"test\",\"from\":2,\"to\":5}}");
	subscribed(2, "j1");
	bus_drop();
	wait_until(S.ended == 1);
	ck_assert_str_eq(S.error, "");
	bus_sub_free(&S.sub);
}
END_TEST

START_TEST(a_refused_subscription_ends)
{
	subscriber((struct bus_sub_config){ .jq = "(" });
	bus_accept();
	(void)bus_line();
	bus_say("{\"type\":\"error\",\"error\":\"jq: syntax \\\"error\\\"\"}\n");
	wait_until(S.ended == 1);
	ck_assert_str_eq(S.error, "the bus refused the subscription: jq: syntax \"error\"");
	bus_sub_free(&S.sub);
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("bus");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 240);
	tcase_add_test(t, lines_are_numbered_and_acknowledged);
	tcase_add_test(t, waits_for_a_bus_that_is_not_there_yet);
	tcase_add_test(t, a_full_ring_takes_no_more);
	tcase_add_test(t, line_breaks_and_nothing_do_not_shift_the_numbers);
	tcase_add_test(t, resends_from_where_the_bus_says);
	tcase_add_test(t, a_refused_line_is_told_and_costs_only_itself);
	tcase_add_test(t, a_refusal_survives_a_reconnection);
	tcase_add_test(t, a_forgotten_session_starts_anew);
	tcase_add_test(t, an_acknowledgement_of_the_unsent_ends_the_connection);
	tcase_add_test(t, says_what_it_wants);
	tcase_add_test(t, goes_on_behind_the_last_line);
	tcase_add_test(t, misses_nothing_when_lost_before_the_first_line);
	tcase_add_test(t, asks_again_when_it_was_taken_for_silent);
	tcase_add_test(t, another_journal_is_read_from_its_beginning);
	tcase_add_test(t, a_gap_is_told);
	tcase_add_test(t, a_pause_leaves_the_rest_with_the_bus);
	tcase_add_test(t, a_seek_drops_what_was_read);
	tcase_add_test(t, once_ends_with_the_stream);
	tcase_add_test(t, to_ends_when_nothing_is_left);
	tcase_add_test(t, a_refused_subscription_ends);
	return suite_run(t, "bus");
}
