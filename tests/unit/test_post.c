/* post: bodies of any text, what headers say, the spool cut and flipped at every byte, URLs. */
#include "post/post.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock/clock.h"
#include "json/json.h"
#include "log/log.h"
#include "post/internal.h"
#include "suite.h"

static char dir[64];

/* ---- bodies ---- */

static const struct { const char *text; size_t len, max; const char *want; } cuts[] = {
	{ "abc", 3, 3, "abc" }, { "abcd", 4, 3, "ab…" }, { "äöü", 6, 3, "äöü" }, { "äöüß", 8, 3, "äö…" }, { "😀😀😀", 12, 2, "😀…" }, { "", 0, 5, "" },
	{ "a\0b\x01" "c\x7f\xc2\x80", 8, 9, "abc" }, { " \n\xe2\x80\x8b x", 7, 9, "x" }, { " \t\n", 3, 9, "" }, { "a\nb\tc", 5, 9, "a\nb\tc" },
	{ "\xff", 1, 9, "\xef\xbf\xbd" }, { "a\xc3", 2, 9, "a\xef\xbf\xbd" }, { "\xe2\x82", 2, 9, "\xef\xbf\xbd" }, { "\xed\xa0\x80", 3, 9, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xc0\xaf", 2, 9, "\xef\xbf\xbd\xef\xbf\xbd" }, { "\xf4\x90\x80\x80", 4, 9, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" }, { "\xf0\x9f\x98x", 4, 9, "\xef\xbf\xbdx" },
	{ "ab\\*cd", 6, 4, "ab…" }, { "ab\\\\cd", 6, 5, "ab\\\\…" }, { "a b", 3, 2, "a…" }, { "a  bcd", 6, 4, "a…" },
};

START_TEST(cut)
{
	struct buf b = BUF_INIT(1000);

	(void)post_cut(&b, cuts[_i].text, cuts[_i].len, cuts[_i].max);
	ck_assert_uint_eq(buf_size(&b), strlen(cuts[_i].want));
	if (buf_size(&b) > 0)
		ck_assert_mem_eq(buf_data(&b), cuts[_i].want, buf_size(&b));
	buf_fini(&b);
}
END_TEST

static size_t
length_at(const struct json *j, const char *path)
{
	const char *s = json_str(j, path, "");

	return post_count(s, strlen(s));
}

static struct json *
parsed(struct buf *b)
{
	const char *why;
	struct json *j = json_parse(buf_data(b), buf_size(b), &why);

	ck_assert_msg(j != NULL, "%.200s", buf_data(b));
	ck_assert(strncmp(buf_data(b), POST_NO_PINGS, strlen(POST_NO_PINGS)) == 0);
	return j;
}

START_TEST(any_bytes)
{
	struct buf b = BUF_INIT(1u << 16);
	char text[8192];
	unsigned x = (unsigned)_i * 2654435761u + 1;
	struct json *j;

	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (char)((x = x * 1664525 + 1013904223) >> (_i % 2 ? 24 : 25));
	ck_assert_int_eq(post_text(&b, text, sizeof text >> (_i % 10)), 0);
	j = parsed(&b);
	ck_assert_uint_ge(length_at(j, "content"), 1);
	ck_assert_uint_le(length_at(j, "content"), 2000);
	json_free(&j);
	buf_fini(&b);
}
END_TEST

START_TEST(embeds)
{
	static char big[20000];
	struct buf b = BUF_INIT(1u << 16);
	struct post_field fields[30];
	struct post_str all = { big, sizeof big };
	struct post_embed e = { .title = all, .description = all, .footer = all, .author = all, .color = 0xff0000, .at_us = 1, .fields = fields, .n_fields = 30 };
	struct json *j;
	size_t sum;
	char path[64];

	memset(big, 'x', sizeof big);
	for (int i = 0; i < 30; i++)
		fields[i] = (struct post_field){ all, all, i % 2 };
	ck_assert_int_eq(post_embed(&b, all, &e), 0);
	j = parsed(&b);
	ck_assert_uint_eq(length_at(j, "content"), 2000);
	ck_assert_uint_eq(length_at(j, "embeds.0.title"), 256);
	ck_assert_uint_eq(length_at(j, "embeds.0.description"), 4096);
	sum = 256 + 4096 + length_at(j, "embeds.0.footer.text") + length_at(j, "embeds.0.author.name");
	for (size_t i = 0; i < json_len(j, "embeds.0.fields"); i++)
		for (int k = 0; k < 2; k++) {
			(void)snprintf(path, sizeof path, "embeds.0.fields.%zu.%s", i, k ? "value" : "name");
			ck_assert_uint_ge(length_at(j, path), 1);
			sum += length_at(j, path);
		}
	ck_assert_uint_eq(sum, 6000);
	ck_assert_int_eq(json_int(j, "embeds.0.color", -1), 0xff0000);
	json_free(&j);
	buf_clear(&b);
	e = (struct post_embed){ .fields = fields, .n_fields = 30, .color = -1 };
	for (int i = 0; i < 30; i++)
		fields[i] = (struct post_field){ { 0 }, POST_STR("v"), 0 };
	ck_assert_int_eq(post_embed(&b, (struct post_str){ 0 }, &e), 0);
	j = parsed(&b);
	ck_assert_uint_eq(json_len(j, "embeds.0.fields"), 25);
	ck_assert_str_eq(json_str(j, "embeds.0.fields.24.name", ""), "-");
	json_free(&j);
	buf_clear(&b);
	ck_assert_int_eq(post_embed(&b, (struct post_str){ 0 }, &(struct post_embed){ .color = -1 }), 0);
	j = parsed(&b);
	ck_assert_str_eq(json_str(j, "embeds.0.description", ""), "-");
	json_free(&j);
	buf_fini(&b);
}
END_TEST

START_TEST(escaped)
{
	struct buf b = BUF_INIT(1000);

	(void)post_escape(&b, "*a_ [b](c) <@1> `x`", 19);
	(void)buf_append(&b, "", 1);
	ck_assert_str_eq(buf_data(&b), "\\*a\\_ \\[b\\]\\(c\\) \\<@1\\> \\`x\\`");
	buf_fini(&b);
}
END_TEST

/* ---- limits ---- */

#define NOW 1000000000000     /* Sun, 09 Sep 2001 01:46:40 GMT */
static const struct { const char *headers, *body; int64_t wait, empty; int global, shared; } limits[] = {
	{ "Retry-After: 2\r\n", "", 2000, 0, 0, 0 }, { "retry-after:  0.25 \r\n", "", 250, 0, 0, 0 }, { "", "", -1, 0, 0, 0 },
	{ "Retry-After: 1\r\n", "{\"retry_after\":1.337}", 1337, 0, 0, 0 }, { "Retry-After: 5\r\n", "{\"retry_after\":1.5}", 5000, 0, 0, 0 },
	{ "", "{\"retry_after\":0.0005,\"global\":true}", 1, 0, 1, 0 }, { "X-RateLimit-Global: true\r\nRetry-After: 3\r\n", "", 3000, 0, 1, 0 },
	{ "X-RateLimit-Scope: shared\r\nRetry-After: 3\r\n", "", 3000, 0, 0, 1 }, { "X-RateLimit-Scope: global\r\n", "", -1, 0, 1, 0 },
	{ "Retry-After: Sun, 09 Sep 2001 01:46:50 GMT\r\n", "", 10000, 0, 0, 0 },
	{ "Retry-After: Sun, 09 Sep 2001 01:46:50 GMT\r\nDate: Sun, 09 Sep 2001 01:46:47 GMT\r\n", "", 3000, 0, 0, 0 },
	{ "Retry-After: Sun, 09 Sep 1999 01:46:50 GMT\r\n", "", 0, 0, 0, 0 },
	{ "Retry-After: soon\r\n", "nonsense", -1, 0, 0, 0 }, { "Retry-After: -1\r\n", "{\"retry_after\":-5}", -1, 0, 0, 0 }, { "Retry-After: nan\r\n", "", -1, 0, 0, 0 },
	{ "Retry-After: 0x10\r\n", "{\"retry_after\":\"7\"}", -1, 0, 0, 0 }, { "Retry-After: 1e300\r\n", "", 86400000, 0, 0, 0 },
	{ "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset-After: 1.5\r\n", "", 1500, 1500, 0, 0 },
	{ "X-RateLimit-Remaining: 3\r\nX-RateLimit-Reset-After: 1.5\r\n", "", 1500, 0, 0, 0 },
	{ "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 1000000004.5\r\n", "", 4500, 4500, 0, 0 }, { "X-RateLimit-Remaining: 0\r\n", "", -1, 0, 0, 0 },
	{ "X-RateLimit-Remaining: zero\r\nX-RateLimit-Reset-After: 9\r\n", "", 9000, 0, 0, 0 },
	{ "HTTP/1.1 100 Continue\r\nRetry-After: 9\r\nHTTP/1.1 429 No\r\nRetry-After: 1\r\n", "", 1000, 0, 0, 0 }, { "Retry-After\r\n: 5\r\n\r\n", "", -1, 0, 0, 0 },
};

START_TEST(limit)
{
	struct post_limits l;
	const char *s = limits[_i].headers, *end;

	post_limits_init(&l);
	for (; (end = strchr(s, '\n')) != NULL; s = end + 1)
		post_limits_header(&l, s, (size_t)(end + 1 - s));
	post_limits_body(&l, limits[_i].body, strlen(limits[_i].body));
	ck_assert_int_eq(post_limits_wait(&l, NOW), limits[_i].wait);
	ck_assert_int_eq(post_limits_empty(&l, NOW), limits[_i].empty);
	ck_assert_int_eq(l.global, limits[_i].global);
	ck_assert_int_eq(l.shared, limits[_i].shared);
}
END_TEST

/* ---- the spool ---- */

static void
make_dir(void)
{
	(void)snprintf(dir, sizeof dir, "/tmp/dt.post.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void
drop_dir(void)
{
	char path[128];

	for (const char *const *name = (const char *const[]){ "messages", "messages.new", "lock", NULL }; *name != NULL; name++) {
		(void)snprintf(path, sizeof path, "%s/%s", dir, *name);
		(void)unlink(path);
	}
	(void)rmdir(dir);
}

static size_t
slurp(char *out, size_t max)
{
	char path[128];
	FILE *f;
	size_t n;

	(void)snprintf(path, sizeof path, "%s/messages", dir);
	f = fopen(path, "r");
	n = fread(out, 1, max, f);
	(void)fclose(f);
	return n;
}

static void
spill(const char *p, size_t len)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/messages", dir);
	f = fopen(path, "w");
	ck_assert_uint_eq(fwrite(p, 1, len, f), len);
	(void)fclose(f);
}

static struct spool_message *
add(struct spool *s, const char *key, const char *body)
{
	return spool_add(s, "t", key, POST_STR(body), POST_STR("note"));
}

START_TEST(keeps)
{
	struct spool *s = spool_open(dir);
	struct spool_message *m = add(s, "a", "one"), *n;
	int64_t oldest;

	(void)add(s, "b", "two\nlines");
	(void)add(s, "c", "");
	spool_done(s, m);
	spool_message_free(&m);
	spool_invalid(s, 5);
	spool_invalid(s, clock_wall_us());
	for (int i = 0; i < 3; i++) {    /* it is written anew each time */
		spool_close(&s);
		s = spool_open(dir);
	}
	ck_assert_uint_eq(spool_count(s), 2);
	ck_assert_uint_eq(spool_torn(s), 0);
	n = spool_first(s);
	ck_assert_str_eq(n->key, "b");
	ck_assert_str_eq(n->body, "two\nlines");
	ck_assert_str_eq(n->note, "note");
	ck_assert_uint_eq(n->next->body_len, 0);
	ck_assert(spool_knows(s, "t", "a") && spool_knows(s, "t", "c") && !spool_knows(s, "u", "a") && !spool_knows(s, "t", "d"));
	ck_assert_uint_eq(spool_invalid_since(s, 100, &oldest), 1);
	ck_assert_uint_gt(add(s, "d", "x")->id, n->next->id);
	spool_close(&s);
}
END_TEST

/* Cut after any byte: what was whole is there, in order, and the spool can be used. */
START_TEST(torn)
{
	static char all[65536];
	struct spool *s = spool_open(dir);
	size_t from, len, last = 0;

	(void)add(s, "a", "first");
	from = slurp(all, sizeof all);
	(void)add(s, "b", "second\nwith lines\n");
	len = slurp(all, sizeof all);
	spool_close(&s);
	for (size_t n = 0; n <= len; n++) {
		spill(all, n);
		s = spool_open(dir);
		ck_assert_uint_ge(spool_count(s), last);
		ck_assert(n < from || strcmp(spool_first(s)->body, "first") == 0);
		ck_assert_uint_eq(spool_count(s), n < from ? 0 : n < len ? 1 : 2);
		ck_assert_uint_eq(spool_torn(s) > 0 && n >= from, n > from && n < len);
		last = n < from ? 0 : 1;
		spool_close(&s);
	}
}
END_TEST

/* A flipped bit costs one message at most, and never makes another out of it. */
START_TEST(flipped)
{
	static char all[65536];
	struct spool *s = spool_open(dir);
	size_t len;

	(void)add(s, "a", "first");
	(void)add(s, "b", "second");
	(void)add(s, "c", "third");
	len = slurp(all, sizeof all);
	spool_close(&s);
	for (size_t bit = 0; bit < len * 8; bit += 11) {
		all[bit / 8] ^= (char)(1 << bit % 8);
		spill(all, len);
		s = spool_open(dir);
		ck_assert_uint_ge(spool_count(s), 2);
		for (struct spool_message *m = spool_first(s); m != NULL; m = m->next)
			ck_assert(strcmp(m->body, "first") == 0 || strcmp(m->body, "second") == 0 || strcmp(m->body, "third") == 0);
		spool_close(&s);
		all[bit / 8] ^= (char)(1 << bit % 8);
	}
}
END_TEST

START_TEST(stays_small)
{
	struct spool *s = spool_open(dir);
	struct stat st;
	char path[128], body[20001], key[16];

	memset(body, 'x', 20000);
	body[20000] = '\0';
	for (int i = 0; i < 200; i++) {
		struct spool_message *m;
		(void)snprintf(key, sizeof key, "%d", i);
		m = add(s, key, body);
		spool_done(s, m);
		spool_message_free(&m);
	}
	(void)snprintf(path, sizeof path, "%s/messages", dir);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_lt(st.st_size, 3 << 20);
	spool_close(&s);
	s = spool_open(dir);
	ck_assert(spool_knows(s, "t", "0") && spool_knows(s, "t", "199"));
	spool_close(&s);
}
END_TEST

/* ---- URLs and words ---- */

static const struct { const char *url, *shown; int good; } urls[] = {
	{ "https://discord.com/api/webhooks/1/abc", "https://discord.com/…", 1 }, { "http://u:p@127.0.0.1:8080/", "http://127.0.0.1/", 1 },
	{ "ftp://x/", "(a URL that cannot be read)", 0 }, { "file:///etc/passwd", "(a URL that cannot be read)", 0 }, { "", "(a URL that cannot be read)", 0 },
	{ "https://", "(a URL that cannot be read)", 0 }, { "https://a b/", "(a URL that cannot be read)", 0 }, { "nothing", "(a URL that cannot be read)", 0 },
	{ "https://x/a\r\nHost: y", "(a URL that cannot be read)", 0 },
};

START_TEST(url)
{
	struct post_url u;
	const char *why = NULL;
	char shown[300];

	ck_assert_int_eq(post_url_parse(urls[_i].url, &u, &why) == 0, urls[_i].good);
	post_redact(urls[_i].url, shown, sizeof shown);
	ck_assert_str_eq(shown, urls[_i].shown);
}
END_TEST

START_TEST(words)
{
	char out[304], big[1000];

	post_words("a\nb secret-1 c", 14, (const char *const[]){ "secret-1", NULL }, out);
	ck_assert_str_eq(out, "a b * c");
	memset(big, '\xc3', sizeof big);
	post_words(big, sizeof big, NULL, out);
	ck_assert_uint_lt(strlen(out), 304);
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("post");

	log_level_set(LOG_LEVEL_ERROR);
	tcase_add_checked_fixture(t, make_dir, drop_dir);
	tcase_set_timeout(t, 240);
	tcase_add_loop_test(t, cut, 0, sizeof cuts / sizeof *cuts);
	tcase_add_loop_test(t, any_bytes, 0, 40);
	tcase_add_test(t, embeds);
	tcase_add_test(t, escaped);
	tcase_add_loop_test(t, limit, 0, sizeof limits / sizeof *limits);
	tcase_add_test(t, keeps);
	tcase_add_test(t, torn);
	tcase_add_test(t, flipped);
	tcase_add_test(t, stays_small);
	tcase_add_loop_test(t, url, 0, sizeof urls / sizeof *urls);
	tcase_add_test(t, words);
	return suite_run(t, "post");
}
