#include "buf/buf.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem/mem.h"

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void
buf_fini(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ .max = b->max };
}

char *
buf_reserve(struct buf *b, size_t n)
{
	size_t size = buf_size(b), cap;

	if (n > b->max || size > b->max - n)
		return NULL;
	if (b->len + n <= b->cap)
		return b->p + b->len;
	if (b->off > 0 && (size + n <= b->cap / 2 || size == 0)) {     /* sliding down costs less than growing */
		memmove(b->p, b->p + b->off, size);
		b->off = 0;
		b->len = size;
		if (b->len + n <= b->cap)
			return b->p + b->len;
	}
	for (cap = b->cap ? b->cap : 256; cap < size + n; cap *= 2)
		;
	if (b->off > 0) {
		memmove(b->p, b->p + b->off, size);
		b->off = 0;
		b->len = size;
	}
	if (cap > b->cap) {
		b->p = xrealloc(b->p, cap);
		b->cap = cap;
	}
	return b->p + b->len;
}

void
buf_added(struct buf *b, size_t n)
{
	assert(b->len + n <= b->cap);
	b->len += n;
}

int
buf_append(struct buf *b, const void *data, size_t len)
{
	char *to;

	if (len == 0)
		return 0;
	if ((to = buf_reserve(b, len)) == NULL)
		return -1;
	memcpy(to, data, len);
	b->len += len;
	return 0;
}

int
buf_appends(struct buf *b, const char *s)
{
	return buf_append(b, s, strlen(s));
}

int
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	char *to;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || (to = buf_reserve(b, (size_t)n + 1)) == NULL)
		return -1;
	va_start(ap, fmt);
	(void)vsnprintf(to, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return 0;
}

/* The short escape of a character, or 0. */
static char
short_escape(unsigned char c)
{
	switch (c) {
	case '"': return '"';
	case '\\': return '\\';
	case '\n': return 'n';
	case '\r': return 'r';
	case '\t': return 't';
	case '\b': return 'b';
	case '\f': return 'f';
	default: return 0;
	}
}

int
buf_append_json(struct buf *b, const char *s, size_t len)
{
	size_t need = 2;
	char *to;

	for (size_t i = 0; i < len; i++)
		need += short_escape((unsigned char)s[i]) ? 2 : (unsigned char)s[i] < 0x20 ? 6 : 1;
	if ((to = buf_reserve(b, need + 1)) == NULL)
		return -1;
	*to++ = '"';
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		char e = short_escape(c);
		if (e)
			*to++ = '\\', *to++ = e;
		else if (c < 0x20)
			to += sprintf(to, "\\u%04x", c);
		else
			*to++ = (char)c;
	}
	*to = '"';
	b->len += need;
	return 0;
}

int
buf_append_decimal(struct buf *b, double x, int decimals)
{
	static const double tens[] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9 };
	char digits[24];
	char *p = digits + sizeof digits;
	uint64_t n;

	assert(decimals >= 0 && decimals <= 9);
	if (!(fabs(x) < 1e9))
		return buf_printf(b, "%.10g", x);
	n = (uint64_t)llrint(fabs(x) * tens[decimals]);
	if (n == 0)
		return buf_append(b, "0", 1);
	for (; decimals > 0 && n % 10 == 0; decimals--)
		n /= 10;
	for (int i = 0; i < decimals; i++, n /= 10)
		*--p = (char)('0' + n % 10);
	if (decimals > 0)
		*--p = '.';
	do
		*--p = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	if (x < 0)
		*--p = '-';
	return buf_append(b, p, (size_t)(digits + sizeof digits - p));
}

void
buf_consume(struct buf *b, size_t n)
{
	assert(n <= buf_size(b));
	b->off += n;
	if (b->off == b->len)
		b->off = b->len = 0;
}

void
buf_clear(struct buf *b)
{
	b->off = b->len = 0;
}
