/* What a bus may say, good or bad, is read within its bounds and never takes a client off its feet. */
#include <assert.h>
#include <string.h>

#include "bus/bus_link.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const keys[] = { "next", "ack", "n", "reason", "from", "to", "count", "journal", "type", "error" };
	const char *line = (const char *)data;
	char text[32];
	uint64_t n;

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		memset(text, 'x', sizeof text);
		if (bus_link_string(line, size, keys[i], text, sizeof text))
			assert(memchr(text, '\0', sizeof text) != NULL);
		n = UINT64_MAX;
		if (bus_link_number(line, size, keys[i], &n))
			assert(n < UINT64_C(10000000000000000000));
		else
			assert(n == UINT64_MAX);
	}
	return 0;
}
