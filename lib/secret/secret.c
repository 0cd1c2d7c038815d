#include "secret/secret.h"

#include <assert.h>
#include <string.h>

static int
is_same(const char *secret, const char *given)
{
	size_t n = strlen(secret), len = strlen(given), i;
	volatile unsigned char differ = n != len;

	for (i = 0; i < len; i++)
		differ |= (unsigned char)(given[i] ^ secret[i % n]);
	return !differ;
}

int
secret_check(const char *secret, const char *header, const char *query)
{
	const char *given = header != NULL && header[0] != '\0' ? header : query;

	assert(secret[0] != '\0');
	if (given == NULL || given[0] == '\0')
		return 401;
	return is_same(secret, given) ? 0 : 403;
}
