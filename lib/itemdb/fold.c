#include "itemdb/fold.h"

/* Lower case of a character of two bytes (U+0080 to U+07FF). */
static unsigned
lower(unsigned c)
{
	if (c >= 0xc0 && c <= 0xde && c != 0xd7)
		return c + 0x20;
	if ((c >= 0x100 && c <= 0x12f) || (c >= 0x132 && c <= 0x137) || (c >= 0x14a && c <= 0x177))
		return c | 1;
	if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e))
		return c + (c & 1);
	if (c == 0x178)
		return 0xff;
	if (c >= 0x391 && c <= 0x3a9 && c != 0x3a2)
		return c + 0x20;
	if (c >= 0x400 && c <= 0x40f)
		return c + 0x50;
	if (c >= 0x410 && c <= 0x42f)
		return c + 0x20;
	return c;
}

void
fold_text(char *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char a = (unsigned char)s[i];

		if (a >= 'A' && a <= 'Z')
			a = (unsigned char)(a + 0x20);
		else if (a >= 0xc2 && a <= 0xdf && i + 1 < len) {
			unsigned c = lower((a & 0x1fu) << 6 | ((unsigned char)s[i + 1] & 0x3fu));

			out[i++] = (char)(0xc0 | c >> 6);
			a = (unsigned char)(0x80 | (c & 0x3f));
		}
		out[i] = (char)a;
	}
}
