#include "packet.h"

#define HEADER_BYTES 20
#define FLAGS_KNOWN 0x0f7fff07u  /* the flags that the protocol has */

/* All numbers are little-endian: sequence, flags (login request), checksum, receiver, time, bytes that follow, iteration; then the client's
 * version, bytes that follow, kind of login (an account), its flags, a time, the account. */
const uint8_t packet_login[PACKET_LOGIN_BYTES] = {
	0, 0, 0, 0, 0, 0, 1, 0, 0x93, 0x00, 0xd0, 0x05, 0, 0, 0, 0, 64, 0, 0, 0,
	4, 0, '1', '8', '0', '2', 0, 0, 52, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0x3e, 0xb8, 0xa8, 0x58,
	28, 0, 'a', 'c', 's', 'e', 'r', 'v', 'e', 'r', 't', 'r', 'a', 'c', 'k', 'e', 'r', ':', 'j', 'j', '9', 'h', '2', '6', 'h', 'c', 's', 'g', 'g', 'c',
};

static uint32_t
u32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

int
packet_is_reply(const uint8_t *data, size_t len)
{
	uint32_t flags;

	if (len < HEADER_BYTES || (size_t)(data[16] | data[17] << 8) != len - HEADER_BYTES)
		return 0;
	flags = u32(data + 4);
	return flags != 0 && (flags & ~FLAGS_KNOWN) == 0;
}
