#include "event/scan.h"

#include <string.h>

#if defined(__SSE2__) && !defined(EVENT_PORTABLE)
#include <emmintrin.h>
#define SCAN_SSE2 1
#endif

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

static __attribute__((cold, noinline)) const char *
fail(struct scan *s, const char *p, enum event_error error)
{
	s->at = p;
	s->error = error;
	return NULL;
}

__attribute__((cold)) const char *
scan_unexpected(struct scan *s, const char *p)
{
	if (p >= s->end)
		return fail(s, s->end, EVENT_TRUNCATED);
	switch (*p) {
	case '\0':
		return fail(s, p, EVENT_NUL);
	case '+':
	case '.':
	case 'N':
	case 'I':
		return fail(s, p, EVENT_BAD_NUMBER);
	default:
		return fail(s, p, EVENT_NOT_JSON);
	}
}

const char *
scan_blanks_slow(struct scan *s, const char *p)
{
	for (; p < s->end; p++) {
		if (*p == '\n' || *p == '\r')
			s->breaks = 1;
		else if (*p != ' ' && *p != '\t')
			break;
	}
	return p;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four hex digits, or -1. */
static int
hex4(const char *p)
{
	int a = hex_digit(p[0]), b = hex_digit(p[1]), c = hex_digit(p[2]), d = hex_digit(p[3]);

	if ((a | b | c | d) < 0)
		return -1;
	return a << 12 | b << 8 | c << 4 | d;
}

static const char *
unicode_escape(struct scan *s, const char *p)
{
	int u, low;

	if (s->end - p < 6)
		return fail(s, p, EVENT_TRUNCATED);
	u = hex4(p + 2);
	if (u < 0)
		return fail(s, p, EVENT_NOT_JSON);
	if (u == 0)
		return fail(s, p, EVENT_NUL);
	if (u < 0xd800 || u > 0xdfff)
		return p + 6;
	if (u >= 0xdc00)
		return fail(s, p, EVENT_SURROGATE);
	if (s->end - p < 12)
		return fail(s, p, memchr(p + 6, '"', (size_t)(s->end - p - 6)) ? EVENT_SURROGATE : EVENT_TRUNCATED);
	if (p[6] != '\\' || p[7] != 'u')
		return fail(s, p, EVENT_SURROGATE);
	low = hex4(p + 8);
	if (low < 0)
		return fail(s, p + 6, EVENT_NOT_JSON);
	if (low < 0xdc00 || low > 0xdfff)
		return fail(s, p, EVENT_SURROGATE);
	return p + 12;
}

static const char *
escape(struct scan *s, const char *p)
{
	if (s->end - p < 2)
		return fail(s, p, EVENT_TRUNCATED);
	switch (p[1]) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		return p + 2;
	case 'u':
		return unicode_escape(s, p);
	default:
		return fail(s, p, EVENT_NOT_JSON);
	}
}

static int
is_tail(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* One character of two to four bytes: no overlong forms, no surrogates, nothing above U+10FFFF. */
static inline const char *
utf8(struct scan *s, const char *p)
{
	unsigned char c = (unsigned char)*p, d;
	ptrdiff_t left = s->end - p, n;

	if (LIKELY(c >= 0xc2 && c < 0xe0 && left >= 2 && is_tail(p[1])))
		return p + 2;
	n = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if (c < 0xc2 || c > 0xf4)
		return fail(s, p, EVENT_BAD_UTF8);
	if (UNLIKELY(left < n))
		return fail(s, p, EVENT_BAD_UTF8);
	d = (unsigned char)p[1];
	if (!is_tail(p[1]) || (c == 0xe0 && d < 0xa0) || (c == 0xed && d > 0x9f) || (c == 0xf0 && d < 0x90) || (c == 0xf4 && d > 0x8f))
		return fail(s, p, EVENT_BAD_UTF8);
	if (n > 2 && !is_tail(p[2]))
		return fail(s, p, EVENT_BAD_UTF8);
	if (n > 3 && !is_tail(p[3]))
		return fail(s, p, EVENT_BAD_UTF8);
	return p + n;
}

/* Over plain bytes to the next quote, backslash, control or non-ASCII byte. */
static inline const char *
plain(const char *p, const char *end)
{
#ifdef SCAN_SSE2
	const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), blank = _mm_set1_epi8(' ');

	while (LIKELY(end - p >= 16)) {
		__m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
		/* Bytes are signed here: below ' ' are the control characters and everything that is not ASCII. */
		__m128i hit = _mm_or_si128(_mm_cmplt_epi8(x, blank), _mm_or_si128(_mm_cmpeq_epi8(x, quote), _mm_cmpeq_epi8(x, backslash)));
		unsigned mask = (unsigned)_mm_movemask_epi8(hit);

		if (mask)
			return p + __builtin_ctz(mask);
		p += 16;
	}
#endif
	while (p < end && (signed char)*p >= ' ' && *p != '"' && *p != '\\')
		p++;
	return p;
}

static __attribute__((noinline)) const char *
scan_string_odd(struct scan *s, const char *p, uint8_t *escaped)
{
	for (;;) {
		if (p >= s->end)
			return fail(s, s->end, EVENT_TRUNCATED);
		if (*p == '"')
			return p;
		if (*p == '\\') {
			*escaped = 1;
			p = escape(s, p);
		} else if ((unsigned char)*p >= 0x80) {
			do
				p = utf8(s, p);
			while (p != NULL && p < s->end && (unsigned char)*p >= 0x80);
		} else {
			return fail(s, p, *p == '\0' ? EVENT_NUL : EVENT_CONTROL);
		}
		if (p == NULL)
			return NULL;
		p = plain(p, s->end);
	}
}

static inline const char *
string(struct scan *s, const char *p, uint8_t *escaped)
{
	*escaped = 0;
	p = plain(p, s->end);
	if (LIKELY(p < s->end && *p == '"'))
		return p;
	return scan_string_odd(s, p, escaped);
}

static inline const char *
digits(const char *p, const char *end)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && !defined(EVENT_PORTABLE)
	while (LIKELY(end - p >= 8)) {
		uint64_t w, t, other;

		memcpy(&w, p, 8);
		t = w ^ UINT64_C(0x3030303030303030);
		/* The high bit of each byte that is no digit; a carry can only spoil bytes behind the first such one. */
		other = ((t + UINT64_C(0x7676767676767676)) | t) & UINT64_C(0x8080808080808080);
		if (other)
			return p + (__builtin_ctzll(other) >> 3);
		p += 8;
	}
#endif
	while (p < end && (unsigned char)(*p - '0') < 10)
		p++;
	return p;
}

/* At least one digit. */
static inline const char *
some_digits(struct scan *s, const char *p)
{
	const char *q = digits(p, s->end);

	if (UNLIKELY(q == p))
		return p < s->end ? fail(s, p, EVENT_BAD_NUMBER) : fail(s, p, EVENT_TRUNCATED);
	return q;
}

static inline const char *
number(struct scan *s, const char *p)
{
	const char *first = *p == '-' ? p + 1 : p;

	p = some_digits(s, first);
	if (UNLIKELY(p == NULL))
		return NULL;
	if (UNLIKELY(*first == '0' && p - first > 1))
		return fail(s, first, EVENT_BAD_NUMBER);
	if (p < s->end && *p == '.') {
		p = some_digits(s, p + 1);
		if (UNLIKELY(p == NULL))
			return NULL;
	}
	if (UNLIKELY(p < s->end && (*p | 0x20) == 'e')) {
		p++;
		if (p < s->end && (*p == '+' || *p == '-'))
			p++;
		p = some_digits(s, p);
	}
	return p;
}

static const char *
literal(struct scan *s, const char *p, const char *word, size_t len)
{
	size_t left = (size_t)(s->end - p), n = left < len ? left : len;

	if (memcmp(p, word, n) != 0)
		return fail(s, p, n > 1 && memcmp(p, "nan", n < 3 ? n : 3) == 0 ? EVENT_BAD_NUMBER : EVENT_NOT_JSON);
	if (n < len)
		return fail(s, s->end, EVENT_TRUNCATED);
	return p + len;
}

/* Any value but a container. */
static inline const char *
scalar(struct scan *s, const char *p, struct event_value *v)
{
	const char *q;

	v->escaped = 0;
	v->p = p;
	switch (*p) {
	case '"':
		v->kind = EVENT_STRING;
		v->p = p + 1;
		q = string(s, p + 1, &v->escaped);
		if (UNLIKELY(q == NULL))
			return NULL;
		v->len = (uint32_t)(q - v->p);
		return q + 1;
	case '-':
	case '0': case '1': case '2': case '3': case '4':
	case '5': case '6': case '7': case '8': case '9':
		v->kind = EVENT_NUMBER;
		q = number(s, p);
		break;
	case 't':
		v->kind = EVENT_TRUE;
		q = literal(s, p, "true", 4);
		break;
	case 'f':
		v->kind = EVENT_FALSE;
		q = literal(s, p, "false", 5);
		break;
	case 'n':
		v->kind = EVENT_NULL;
		q = literal(s, p, "null", 4);
		break;
	default:
		return scan_unexpected(s, p);
	}
	if (LIKELY(q != NULL))
		v->len = (uint32_t)(q - p);
	return q;
}

static inline const char *
member_key(struct scan *s, const char *p, struct event_value *key)
{
	const char *q;

	if (UNLIKELY(p >= s->end || *p != '"'))
		return p < s->end && *p != '\0' ? fail(s, p, EVENT_NOT_JSON) : scan_unexpected(s, p);
	q = string(s, p + 1, &key->escaped);
	if (UNLIKELY(q == NULL))
		return NULL;
	key->kind = EVENT_STRING;
	key->p = p + 1;
	key->len = (uint32_t)(q - key->p);
	p = scan_blanks(s, q + 1);
	if (UNLIKELY(p >= s->end || *p != ':'))
		return p < s->end && *p != '\0' ? fail(s, p, EVENT_NOT_JSON) : scan_unexpected(s, p);
	p = scan_blanks(s, p + 1);
	return LIKELY(p < s->end) ? p : scan_unexpected(s, p);
}

const char *
scan_key(struct scan *s, const char *p, struct event_value *key)
{
	return member_key(s, p, key);
}

/* An object or array with everything in it.  The open containers are a stack of bits, set for objects: as deep as a word is wide. */
static const char *
container(struct scan *s, const char *p, unsigned depth)
{
	const unsigned base = depth;
	uint64_t objects = 0;
	struct event_value v;
	int object;

open:
	if (UNLIKELY(depth == EVENT_DEPTH_MAX))
		return fail(s, p, EVENT_DEPTH);
	depth++;
	object = *p == '{';
	objects = objects << 1 | (uint64_t)object;
	p = scan_blanks(s, p + 1);
	if (p < s->end && *p == (object ? '}' : ']'))
		goto close;
value:
	if (object) {
		p = member_key(s, p, &v);
		if (UNLIKELY(p == NULL))
			return NULL;
	} else if (UNLIKELY(p >= s->end)) {
		return scan_unexpected(s, p);
	}
	if (*p == '{' || *p == '[')
		goto open;
	p = scalar(s, p, &v);
	if (UNLIKELY(p == NULL))
		return NULL;
after:
	p = scan_blanks(s, p);
	if (UNLIKELY(p >= s->end))
		return scan_unexpected(s, p);
	if (*p == ',') {
		p = scan_blanks(s, p + 1);
		goto value;
	}
	if (UNLIKELY(*p != (object ? '}' : ']')))
		return *p == '\0' ? scan_unexpected(s, p) : fail(s, p, EVENT_NOT_JSON);
close:
	p++;
	objects >>= 1;
	object = (int)(objects & 1);
	if (--depth > base)
		goto after;
	return p;
}

const char *
scan_value(struct scan *s, const char *p, unsigned depth, struct event_value *v)
{
	const char *q;

	if (LIKELY(*p != '{' && *p != '['))
		return scalar(s, p, v);
	v->kind = *p == '{' ? EVENT_OBJECT : EVENT_ARRAY;
	v->escaped = 0;
	v->p = p;
	q = container(s, p, depth);
	if (q != NULL)
		v->len = (uint32_t)(q - p);
	return q;
}

static unsigned
encode(uint32_t u, char out[4])
{
	if (u < 0x80) {
		out[0] = (char)u;
		return 1;
	}
	if (u < 0x800) {
		out[0] = (char)(0xc0 | u >> 6);
		out[1] = (char)(0x80 | (u & 0x3f));
		return 2;
	}
	if (u < 0x10000) {
		out[0] = (char)(0xe0 | u >> 12);
		out[1] = (char)(0x80 | (u >> 6 & 0x3f));
		out[2] = (char)(0x80 | (u & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | u >> 18);
	out[1] = (char)(0x80 | (u >> 12 & 0x3f));
	out[2] = (char)(0x80 | (u >> 6 & 0x3f));
	out[3] = (char)(0x80 | (u & 0x3f));
	return 4;
}

unsigned
scan_unescape(const char **p, char out[4])
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *q = *p, *hit;
	uint32_t u;

	if (q[1] != 'u') {
		hit = strchr(from, q[1]);
		out[0] = hit ? to[hit - from] : q[1];
		*p = q + 2;
		return 1;
	}
	u = (uint32_t)hex4(q + 2);
	*p = q + 6;
	if (u >= 0xd800 && u <= 0xdbff) {
		u = 0x10000 + ((u - 0xd800) << 10) + ((uint32_t)hex4(q + 8) - 0xdc00);
		*p = q + 12;
	}
	return encode(u, out);
}
