/* WebSocket frames as bytes. */
#include <string.h>
#include <sys/random.h>

#include "http/http_int.h"

static size_t
put_header(unsigned char *to, size_t len, unsigned mask)
{
	size_t n = 2, i;

	to[0] = 0x81;            /* final, text */
	if (len < 126)
		to[1] = (unsigned char)len;
	else if (len < 65536) {
		to[1] = 126;
		n = 4;
	} else {
		to[1] = 127;
		n = 10;
	}
	for (i = 2; i < n; i++)
		to[i] = (unsigned char)((uint64_t)len >> 8 * (n - 1 - i));
	to[1] |= (unsigned char)mask;
	return n;
}

size_t
http_ws_frame(char *out, size_t payload_len)
{
	return put_header((unsigned char *)out, payload_len, 0);
}

size_t
http_ws_frame_len(const char *frame)
{
	const unsigned char *p = (const unsigned char *)frame;
	size_t len = p[1] & 0x7f, n = 2, i;

	if (len >= 126) {
		n = len == 126 ? 4 : 10;
		for (len = 0, i = 2; i < n; i++)
			len = len << 8 | p[i];
	}
	return n + len + (p[1] & 0x80 ? 4 : 0);
}

static uint32_t
mask_key(void)
{
	static uint64_t s;

	if (s == 0 && getrandom(&s, sizeof(s), 0) != sizeof(s))
		s = (uint64_t)(uintptr_t)&s | 1;
	s ^= s << 13;            /* xorshift64: a mask only has to differ from frame to frame, not to be a secret */
	s ^= s >> 7;
	s ^= s << 17;
	return (uint32_t)(s >> 32);
}

static void
put_masked(char *to, const char *data, size_t len)
{
	uint32_t key = mask_key();
	uint64_t wide = (uint64_t)key << 32 | key, w;
	size_t i;

	memcpy(to, &key, 4);
	to += 4;
	for (i = 0; i + 8 <= len; i += 8) {
		memcpy(&w, data + i, 8);
		w ^= wide;
		memcpy(to + i, &w, 8);
	}
	for (; i < len; i++)
		to[i] = (char)(data[i] ^ ((const char *)&key)[i & 3]);
}

size_t
http_frame_put(char *to, const char *data, size_t len, int masked)
{
	size_t n = put_header((unsigned char *)to, len, masked ? 0x80 : 0);

	if (masked) {
		put_masked(to + n, data, len);
		return n + 4 + len;
	}
	memcpy(to + n, data, len);
	return n + len;
}

size_t
http_frame_ping(char *to, const void *data, size_t len)
{
	size_t n = put_header((unsigned char *)to, len, 0x80);

	to[0] = (char)0x89;
	put_masked(to + n, data, len);
	return n + 4 + len;
}
