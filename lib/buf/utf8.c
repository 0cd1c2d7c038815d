#include "buf/utf8.h"

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
utf8_prefix(const char *s, size_t len)
{
	size_t at = 0, n;

	while (at < len && (n = character((const unsigned char *)s + at, len - at)) > 0)
		at += n;
	return at;
}
