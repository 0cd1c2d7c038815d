/* Case folding of UTF-8, only where both cases have the same length. */
#include "itemq/inner.h"

static unsigned
fold_two(unsigned c)
{
	if (c >= 0xC0 && c <= 0xDE && c != 0xD7)
		return c + 32;
	if (c == 0x178)
		return 0xFF;
	if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E))
		return c % 2 ? c + 1 : c;
	if (c >= 0x100 && c <= 0x177 && c != 0x130 && c != 0x131 && c != 0x138)
		return c | 1;
	if (c >= 0x391 && c <= 0x3A9 && c != 0x3A2)
		return c + 32;
	if (c >= 0x400 && c <= 0x40F)
		return c + 80;
	if (c >= 0x410 && c <= 0x42F)
		return c + 32;
	return c;
}

void
itemq_fold(const char *s, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c >= 0xC2 && c <= 0xDF && i + 1 < len && ((unsigned char)s[i + 1] & 0xC0) == 0x80) {
			unsigned folded = fold_two((c & 0x1Fu) << 6 | ((unsigned char)s[i + 1] & 0x3Fu));
			out[i] = (char)(0xC0 | folded >> 6);
			out[i + 1] = (char)(0x80 | (folded & 0x3F));
			i++;
		} else {
			out[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
		}
	}
}

/* Length of the character at s, 0 when it is none. */
static size_t
character(const unsigned char *s, size_t len)
{
	size_t n = *s < 0x80 ? 1 : *s >= 0xC2 && *s <= 0xDF ? 2 : (*s & 0xF0) == 0xE0 ? 3 : *s >= 0xF0 && *s <= 0xF4 ? 4 : 0;

	if (n == 0 || n > len)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xC0) != 0x80)
			return 0;
	if ((*s == 0xE0 && s[1] < 0xA0) || (*s == 0xED && s[1] > 0x9F) || (*s == 0xF0 && s[1] < 0x90) || (*s == 0xF4 && s[1] > 0x8F))
		return 0;
	return n;
}

size_t
itemq_utf8(const char *s, size_t len)
{
	size_t at = 0, n;

	while (at < len && (n = character((const unsigned char *)s + at, len - at)) > 0)
		at += n;
	return at;
}
