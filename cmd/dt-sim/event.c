/* Writing events: the envelope, numbers as the plugin prints them, and what --odd and --bad do to them. */
#include <stdio.h>
#include <string.h>

#include "sim.h"

/* What can be odd about a legal event. */
enum {
	ODD_NUMBERS = 1 << 0,        /* numbers as strings, with blanks and thousands commas */
	ODD_NO_TIME = 1 << 1,
	ODD_BAD_TIME = 1 << 2,       /* a timestamp that is none */
	ODD_LATE = 1 << 3, ODD_FUTURE = 1 << 4,
	ODD_TIME_FORM = 1 << 5,      /* other fractions, zones */
	ODD_FIELDS = 1 << 6,         /* unknown fields */
	ODD_TWICE = 1 << 7,          /* a field that may be there twice, is */
	ODD_BLANKS = 1 << 8,         /* blanks between the tokens */
	ODD_ESCAPES = 1 << 9,        /* the name in \u escapes */
	ODD_TYPE_LAST = 1 << 10,
	ODD_UNICODE = 1 << 11,
	ODD_KINDS = 12
};
#define ODD_PERCENT 6
#define BAD_ONE_IN 50

void
put(struct buf *b, const char *text)
{
	(void)buf_append(b, text, strlen(text));
}

static size_t
fmt_int(int64_t v, char out[24])
{
	char tmp[24];
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	size_t n = 0, len = 0;

	do
		tmp[n++] = (char)('0' + u % 10);
	while ((u /= 10) != 0);
	if (v < 0)
		out[len++] = '-';
	while (n > 0)
		out[len++] = tmp[--n];
	return len;
}

/* v * 10^-digits without trailing zeros. */
static size_t
fmt_fix(int64_t v, int digits, char out[32])
{
	int64_t scale = 1, rest;
	size_t len = 0;

	for (int i = 0; i < digits; i++)
		scale *= 10;
	if (v < 0) {
		out[len++] = '-';
		v = -v;
	}
	len += fmt_int(v / scale, out + len);
	rest = v % scale;
	if (rest == 0)
		return len;
	out[len++] = '.';
	while (rest != 0) {
		scale /= 10;
		out[len++] = (char)('0' + rest / scale);
		rest %= scale;
	}
	return len;
}

void
put_int(struct buf *b, int64_t v)
{
	char text[24];

	(void)buf_append(b, text, fmt_int(v, text));
}

void
put_fix(struct buf *b, int64_t v, int digits)
{
	char text[32];

	(void)buf_append(b, text, fmt_fix(v, digits, text));
}

/* Days since 1970 to a date, by whole eras of 400 years. */
static void
civil(int64_t days, int *y, unsigned *m, unsigned *d)
{
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
	unsigned doe = (unsigned)(z - era * 146097), yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;

	*d = doy - (153 * mp + 2) / 5 + 1;
	*m = mp < 10 ? mp + 3 : mp - 9;
	*y = (int)(yoe + era * 400) + (*m <= 2);
}

/* "2026-04-21T17:03:11" and up to 7 digits of fraction, without zone. */
size_t
fmt_time(int64_t t, int digits, char *out)
{
	static int64_t cached_s = -1;
	static char cached[32];
	int64_t s = t / T_S, rest = t % T_S, scale = T_S;
	size_t len = 19;

	if (s != cached_s) {
		int64_t of_day = s % 86400;
		unsigned m, d;
		int y;

		civil(s / 86400, &y, &m, &d);
		(void)snprintf(cached, sizeof cached, "%04d-%02u-%02uT%02d:%02d:%02d", y % 10000, m, d, (int)(of_day / 3600), (int)(of_day / 60 % 60), (int)(of_day % 60));
		cached_s = s;
	}
	memcpy(out, cached, len);
	if (digits > 0)
		out[len++] = '.';
	for (int i = 0; i < digits; i++) {
		scale /= 10;
		out[len++] = scale > 0 ? (char)('0' + rest / scale % 10) : '0';
	}
	out[len] = '\0';
	return len;
}

static unsigned
pick_odd(struct sim *s, struct chr *c)
{
	if (!s->cfg.odd || !rng_percent(&c->odd, ODD_PERCENT))
		return 0;
	return 1u << rng_below(&c->odd, ODD_KINDS) | 1u << rng_below(&c->odd, ODD_KINDS);
}

static void
odd_time(struct sim *s, char *out)
{
	static const char *const zones[] = { "", "Z", "+02:00", "-05:00" };
	static const int offsets_h[] = { 0, 0, 2, -5 };
	struct rng *r = &s->ev.c->odd;
	int64_t t = s->now + s->shift;
	unsigned zone = 1;
	int digits = 7;
	size_t len;

	if (s->ev.odd & ODD_LATE)
		t -= rng_one_in(r, 8) ? t : rng_between(r, 25, 24 * 400) * 60 * T_MIN;
	else if (s->ev.odd & ODD_FUTURE)
		t += rng_one_in(r, 8) ? 7900LL * 365 * 24 * 60 * T_MIN : rng_between(r, 6, 60 * 72) * T_MIN;
	if (s->ev.odd & ODD_TIME_FORM) {
		zone = rng_below(r, 4);
		digits = (int)rng_below(r, 10);
		t += offsets_h[zone] * 60 * T_MIN;
	}
	len = fmt_time(t, digits, out);
	strcpy(out + len, zones[zone]);
}

static void
stamp(struct sim *s)
{
	static const char *const none[] = { "", "yesterday", "2026-13-45T99:99:99Z", "1763819000", "0001-01-01T00:00:00" };
	char *out = s->ev.timestamp;

	if (s->ev.odd & ODD_BAD_TIME)
		strcpy(out, none[rng_below(&s->ev.c->odd, 5)]);
	else if (s->ev.odd & (ODD_LATE | ODD_FUTURE | ODD_TIME_FORM))
		odd_time(s, out);
	else
		strcpy(out + fmt_time(s->now + s->shift, 7, out), "Z");
}

void
ev_key(struct sim *s, const char *key)
{
	struct buf *b = &s->buf;
	int spaced = s->ev.odd & ODD_BLANKS;

	if (s->ev.silent)
		return;
	put(b, buf_size(b) == 0 ? spaced ? " { \"" : "{\"" : spaced ? "\t , \"" : ",\"");
	put(b, key);
	put(b, spaced ? "\" : " : "\":");
}

void
ev_str(struct sim *s, const char *key, const char *v)
{
	if (s->ev.silent)
		return;
	ev_key(s, key);
	(void)buf_append_json(&s->buf, v, strlen(v));
}

static void
put_escaped(struct buf *b, const char *v)
{
	put(b, "\"");
	for (; *v != '\0'; v++)
		if ((unsigned char)*v < 0x80 && *v != ' ')
			(void)buf_printf(b, "\\u%04x", (unsigned)*v);
		else
			(void)buf_append(b, v, 1);
	put(b, "\"");
}

static void
put_type(struct sim *s)
{
	ev_str(s, "type", s->ev.type);
}

static int
is_wanted(char *const *types, const char *type)
{
	if (types == NULL)
		return 1;
	for (; *types != NULL; types++) {
		size_t len = strlen(*types);
		if (len > 0 && (*types)[len - 1] == '*' ? strncmp(*types, type, len - 1) == 0 : strcmp(*types, type) == 0)
			return 1;
	}
	return 0;
}

int
ev_begin(struct sim *s, struct chr *c, const char *type)
{
	buf_clear(&s->buf);
	s->ev.c = c;
	s->ev.type = type;
	s->ev.n = 0;
	s->ev.wanted = is_wanted(s->cfg.types, type);
	s->ev.silent = !s->ev.wanted && !s->cfg.odd && !s->cfg.bad;       /* odd and bad ones draw while they are written */
	if (s->ev.silent)
		return 0;
	s->ev.odd = pick_odd(s, c);
	if (!(s->ev.odd & ODD_TYPE_LAST))
		put_type(s);
	if (s->ev.odd & ODD_ESCAPES) {
		ev_key(s, "character_name");
		put_escaped(&s->buf, c->name);
	} else
		ev_str(s, "character_name", c->name);
	stamp(s);
	if (!(s->ev.odd & ODD_NO_TIME))
		ev_str(s, "timestamp", s->ev.timestamp);
	return 1;
}

/* A number as a string in one of the forms that are equally valid. */
static void
put_odd_number(struct sim *s, const char *text, size_t len)
{
	struct buf *b = &s->buf;
	size_t whole = strcspn(text, "."), at = 0;

	switch (rng_below(&s->ev.c->odd, 4)) {
	case 0:
		(void)buf_printf(b, "\" %.*s \"", (int)len, text);
		return;
	case 1:
		(void)buf_printf(b, "\"%.*s%s\"", (int)len, text, whole == len ? ".0" : "");
		return;
	case 2:
		(void)buf_printf(b, "\"%.*s\"", (int)len, text);
		return;
	}
	put(b, "\"");
	for (; at < len; at++) {
		(void)buf_append(b, text + at, 1);
		if (at + 1 < whole && (whole - at - 1) % 3 == 0 && text[at] != '-')
			put(b, ",");
	}
	put(b, "\"");
}

static void
number(struct sim *s, const char *key, char *text, size_t len)
{
	text[len] = '\0';
	ev_key(s, key);
	if (s->ev.odd & ODD_NUMBERS)
		put_odd_number(s, text, len);
	else
		(void)buf_append(&s->buf, text, len);
	if (s->ev.odd & ODD_TWICE && rng_one_in(&s->ev.c->odd, 4)) {
		ev_key(s, key);
		(void)buf_append(&s->buf, text, len);
	}
}

void
ev_int(struct sim *s, const char *key, int64_t v)
{
	char text[24];

	if (s->ev.silent)
		return;
	number(s, key, text, fmt_int(v, text));
}

void
ev_fix(struct sim *s, const char *key, int64_t v, int digits)
{
	char text[32];

	if (s->ev.silent)
		return;
	number(s, key, text, fmt_fix(v, digits, text));
}

static void
text_number(struct sim *s, const char *key, char *text, size_t len)
{
	ev_key(s, key);
	put(&s->buf, "\"");
	(void)buf_append(&s->buf, text, len);
	put(&s->buf, "\"");
}

void
ev_int_text(struct sim *s, const char *key, int64_t v)
{
	char text[24];

	if (s->ev.silent)
		return;
	text_number(s, key, text, fmt_int(v, text));
}

void
ev_fix_text(struct sim *s, const char *key, int64_t v, int digits)
{
	char text[32];

	if (s->ev.silent)
		return;
	text_number(s, key, text, fmt_fix(v, digits, text));
}

static void
finish(struct sim *s)
{
	static const char *const fields[] = {
		",\"plugin_build\":\"9.1.4-beta\",\"caps\":{\"radar\":true,\"max\":[1,2,{\"deep\":[null]}]}",
		",\"guid64\":9223372036854775807,\"tiny\":1e-7,\"zero\":-0.0,\"exp\":6.02E+23",
		",\"_local\":\"not yours\",\"_dbg\":17", ",\"\":\"no name\",\"a.b\":{\"\":[]},\"note\":null",
		",\"digits\":0.1000000000000000055511151231257827,\"big\":123456789012345678901234567890",
	};
	static const char *const texts[] = {
		"\xf0\x9f\x97\xa1\xef\xb8\x8f \xe2\x98\xa0", "e\xcc\x81 \xc3\xa9 \xe2\x80\x8f\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", "\xf4\x8f\xbf\xbf\xef\xbf\xbd\xef\xbb\xbf",
		"\xe3\x83\x9b\xe3\x83\xab\xe3\x83\x88\xe3\x83\x96\xe3\x83\xab\xe3\x82\xaf\xe2\x80\xa8\xe2\x80\xa9", "<b>\\u0026</b> & \xc2\x85\xc2\xa0",
	};
	struct buf *b = &s->buf;

	if (s->ev.odd & ODD_FIELDS)
		put(b, fields[rng_below(&s->ev.c->odd, 5)]);
	if (s->ev.odd & ODD_UNICODE)
		ev_str(s, "mood", texts[rng_below(&s->ev.c->odd, 5)]);
	if (s->ev.odd & ODD_TYPE_LAST)
		put_type(s);
	put(b, s->ev.odd & ODD_BLANKS ? " } " : "}");
}

/* ---- --bad ---- */

static const struct bad {
	const char *word, *p;
	size_t len;
} bads[] = {
#define BAD(word, text) { word, text, sizeof(text) - 1 },
	BAD("not_json", "{\"type\":\"chat\" \"text\":\"no comma\"}") BAD("not_json", "hello there") BAD("not_json", "{type:\"chat\"}")
	BAD("not_json", "{'type':'chat'}") BAD("not_json", "{\"type\":\"chat\",}") BAD("not_json", "{\"type\":\"chat\",\"x\":tru}")
	BAD("truncated", "{\"type\":\"telemetry\",\"character_name\":\"Cut\",\"kills\":12,") BAD("truncated", "{\"type\":\"chat\",\"text\":\"the end is mis")
	BAD("trailing", "{\"type\":\"chat\",\"text\":\"one\"} {\"type\":\"chat\",\"text\":\"two\"}") BAD("trailing", "{\"type\":\"chat\"}]")
	BAD("not_object", "[{\"type\":\"chat\"}]") BAD("not_object", "\"telemetry\"") BAD("not_object", "null") BAD("not_object", "42")
	BAD("bad_number", "{\"type\":\"telemetry\",\"kills\":NaN}") BAD("bad_number", "{\"type\":\"telemetry\",\"ew\":-Infinity}")
	BAD("bad_number", "{\"type\":\"telemetry\",\"kills\":007}") BAD("bad_number", "{\"type\":\"telemetry\",\"z\":1.}")
	BAD("bad_utf8", "{\"type\":\"chat\",\"text\":\"\xc3(\"}") BAD("bad_utf8", "{\"type\":\"chat\",\"text\":\"\xc0\xaf\"}")
	BAD("bad_utf8", "{\"type\":\"chat\",\"text\":\"\xed\xa0\x80\"}") BAD("bad_utf8", "{\"type\":\"chat\",\"text\":\"caf\xe9\"}")
	BAD("nul", "{\"type\":\"chat\",\"text\":\"a\\u0000b\"}") BAD("nul", "{\"type\":\"chat\",\"text\":\"a\0b\"}")
	BAD("control", "{\"type\":\"chat\",\"text\":\"a\tb\"}") BAD("control", "{\"type\":\"chat\",\"text\":\"\x1b[31mred\"}")
	BAD("surrogate", "{\"type\":\"chat\",\"text\":\"\\ud800\"}") BAD("surrogate", "{\"type\":\"chat\",\"text\":\"\\udc00\\ud800\"}")
	BAD("depth", "{\"type\":\"chat\",\"x\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
	    "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}")
	BAD("duplicate", "{\"type\":\"chat\",\"character_name\":\"A\",\"character_name\":\"B\"}") BAD("duplicate", "{\"type\":\"chat\",\"ty\\u0070e\":\"rare\"}")
	BAD("no_type", "{\"character_name\":\"Nobody\",\"kills\":3}") BAD("no_type", "{\"type\":\"\"}") BAD("no_type", "{\"type\":7}") BAD("no_type", "{}")
	BAD("bom", "\xef\xbb\xbf{\"type\":\"chat\"}")
#undef BAD
};

const char *const bad_word[] = {
	"not_json", "truncated", "trailing", "not_object", "bad_number", "bad_utf8", "nul", "control", "surrogate", "depth", "duplicate", "no_type", "bom", NULL
};

static void
make_bad(struct sim *s, struct chr *c)
{
	const struct bad *b = &bads[rng_below(&c->odd, sizeof bads / sizeof *bads)];

	for (unsigned i = 0; bad_word[i] != NULL; i++)
		if (strcmp(bad_word[i], b->word) == 0)
			s->bad[i]++;
	s->cfg.event(s->cfg.priv, c->index, b->p, b->len, "bad", 0, "");
}

/* An event of a type that nobody knows yet: legal, to be passed on. */
static void
make_unknown(struct sim *s, struct chr *c)
{
	static const char *const types[] = { "plugin_heartbeat", "xp_tick", "Telemetry", "share_buffs", "trade_window", "x" };

	ev_begin(s, c, types[rng_below(&c->odd, 6)]);
	ev_int(s, "value", (int64_t)rng_next(&c->odd));
	finish(s);
	if (s->ev.wanted)
		s->cfg.event(s->cfg.priv, c->index, buf_data(&s->buf), buf_size(&s->buf), s->ev.type, 0, s->ev.timestamp);
}

void
ev_end(struct sim *s)
{
	struct chr *c = s->ev.c;

	if (s->ev.silent)
		return;
	finish(s);
	if (s->ev.wanted)
		s->cfg.event(s->cfg.priv, c->index, buf_data(&s->buf), buf_size(&s->buf), s->ev.type, s->ev.n, s->ev.odd & ODD_NO_TIME ? "" : s->ev.timestamp);
	if (s->cfg.odd && rng_one_in(&c->odd, 150))
		make_unknown(s, c);
	if (s->cfg.bad && rng_one_in(&c->odd, BAD_ONE_IN))
		make_bad(s, c);
}
