#include "binary.h"

#include <endian.h>
#include <math.h>
#include <string.h>

#include "column.h"

#define EPOCH_US INT64_C(946684800000000)    /* PostgreSQL's: 2000-01-01 */

_Static_assert(BINARY_HEAD_BYTES == 19, "signature, flags and the length of no extension");

static char *
put16(char *p, uint16_t n)
{
	n = htobe16(n);
	memcpy(p, &n, sizeof n);
	return p + sizeof n;
}

static char *
put32(char *p, uint32_t n)
{
	n = htobe32(n);
	memcpy(p, &n, sizeof n);
	return p + sizeof n;
}

static char *
put64(char *p, uint64_t n)
{
	p = put32(p, sizeof n);
	n = htobe64(n);
	memcpy(p, &n, sizeof n);
	return p + sizeof n;
}

char *
bin_row(char *p, int columns)
{
	return put16(p, (uint16_t)columns);
}

int
bin_columns(const char *row)
{
	uint16_t n;

	memcpy(&n, row, sizeof n);
	return be16toh(n);
}

char *
bin_null(char *p)
{
	return put32(p, UINT32_MAX);
}

char *
bin_int(char *p, uint32_t n)
{
	return put32(put32(p, sizeof n), n);
}

char *
bin_double(char *p, double x)
{
	uint64_t n;

	memcpy(&n, &x, sizeof n);
	return put64(p, n);
}

char *
bin_time(char *p, int64_t us)
{
	return put64(p, (uint64_t)(us - EPOCH_US));
}

char *
bin_text(char *p, struct event_value v, size_t max)
{
	struct text t;

	if (!text_get(v, &t, max))
		return bin_null(p);
	p = put32(p, (uint32_t)t.len);
	memcpy(p, t.p, t.len);
	return p + t.len;
}

char *
bin_real(char *p, struct event_value v, double limit, int *bad)
{
	double x;
	float real;
	uint32_t n;

	if (!column_real(v, limit, &x, bad))
		return bin_null(p);
	real = (float)x;
	memcpy(&n, &real, sizeof n);
	return bin_int(p, n);
}

char *
bin_count(char *p, struct event_value v, int64_t *out, int *bad)
{
	double x;

	if (event_int(v, out) == 0 && *out >= 0 && *out <= INT32_MAX)
		return bin_int(p, (uint32_t)*out);
	*out = -1;
	*bad |= v.kind == EVENT_NUMBER || event_double(v, &x) == 0;
	return bin_null(p);
}
