#include "fold/fold.h"

/* Of a character of two bytes. */
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
fold_text(char *out, const char *s, size_t len)
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
