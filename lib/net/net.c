#include "net/net.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem/mem.h"

/* All addresses are kept as IPv6; IPv4 ones as ::ffff:a.b.c.d. */
struct net { uint8_t address[16]; unsigned bits; };
struct nets { size_t n; struct net net[]; };

#define MAPPED_BITS 96

static int
parse_address(const char *text, uint8_t out[16], int *is_v4)
{
	static const uint8_t prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

	*is_v4 = inet_pton(AF_INET, text, out + 12) == 1;
	if (*is_v4) {
		memcpy(out, prefix, sizeof(prefix));
		return 0;
	}
	return inet_pton(AF_INET6, text, out) == 1 ? 0 : -1;
}

static int
parse_net(const char *text, struct net *out)
{
	char copy[NET_ADDRESS_SIZE + 8], *slash, *end;
	int is_v4;
	long bits;

	if (strlen(text) >= sizeof(copy))
		return -1;
	strcpy(copy, text);
	if ((slash = strchr(copy, '/')) != NULL)
		*slash++ = '\0';
	if (parse_address(copy, out->address, &is_v4) == -1)
		return -1;
	bits = is_v4 ? 32 : 128;
	if (slash != NULL) {
		long given = strtol(slash, &end, 10);
		if (*slash < '0' || *slash > '9' || *end != '\0' || given > bits)
			return -1;
		bits = given;
	}
	out->bits = (unsigned)bits + (is_v4 ? MAPPED_BITS : 0);
	return 0;
}

struct nets *
nets_parse(const char *text, const char **bad)
{
	static char piece[64];
	struct nets *nets = NULL;
	size_t n = 0, len;

	*bad = NULL;
	for (; *(text += strspn(text, ", \t")) != '\0'; text += len) {
		len = strcspn(text, ", \t");
		snprintf(piece, sizeof(piece), "%.*s", (int)len, text);
		nets = xrealloc(nets, sizeof(*nets) + (n + 1) * sizeof(nets->net[0]));
		if (len >= sizeof(piece) || parse_net(piece, &nets->net[n]) == -1) {
			*bad = piece;
			free(nets);
			return NULL;
		}
		nets->n = ++n;
	}
	return nets;
}

void
nets_free(struct nets **np)
{
	free(*np);
	*np = NULL;
}

static int
is_in(const struct net *net, const uint8_t address[16])
{
	unsigned whole = net->bits / 8, rest = net->bits % 8;

	return memcmp(net->address, address, whole) == 0 && (rest == 0 || (net->address[whole] ^ address[whole]) >> (8 - rest) == 0);
}

int
nets_have(const struct nets *nets, const char *address)
{
	uint8_t bytes[16];
	int is_v4;

	if (nets == NULL || parse_address(address, bytes, &is_v4) == -1)
		return 0;
	for (size_t i = 0; i < nets->n; i++)
		if (is_in(&nets->net[i], bytes))
			return 1;
	return 0;
}

int
net_is_loopback(const char *address)
{
	static const struct net v4 = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127 }, MAPPED_BITS + 8 };
	static const struct net v6 = { { [15] = 1 }, 128 };
	uint8_t bytes[16];
	int is_v4;

	return parse_address(address, bytes, &is_v4) == 0 && (is_in(&v4, bytes) || is_in(&v6, bytes));
}

/* The last entry of a comma-separated list before *end, without blanks; *end moves in front of it.  0, or -1: there is none. */
static int
last_entry(const char *list, const char **end, char *out)
{
	const char *from = *end, *to;

	if (*end == list)
		return -1;
	while (from > list && from[-1] != ',')
		from--;
	to = *end;
	*end = from > list ? from - 1 : list;
	from += strspn(from, " \t");
	while (to > from && (to[-1] == ' ' || to[-1] == '\t'))
		to--;
	if (to - from >= NET_ADDRESS_SIZE)
		return -1;
	memcpy(out, from, (size_t)(to - from));
	out[to - from] = '\0';
	return 0;
}

void
net_client(const struct nets *proxies, const char *peer, const char *forwarded, char *out)
{
	const char *end = forwarded != NULL ? forwarded + strlen(forwarded) : NULL;
	uint8_t bytes[16];
	int is_v4;

	snprintf(out, NET_ADDRESS_SIZE, "%s", peer);
	while (nets_have(proxies, out)) {
		out[0] = '\0';
		if (end == NULL || last_entry(forwarded, &end, out) == -1 || parse_address(out, bytes, &is_v4) == -1)
			out[0] = '\0';
	}
}
