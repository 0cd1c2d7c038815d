#include "geo/geo.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK_UDEG 800000
#define BLOCK_MM 192000
#define CELL_MM 24000

static int64_t
div_round(int64_t a, int64_t b)
{
	return a >= 0 ? (a + b / 2) / b : -((-a + b / 2) / b);
}

int32_t
geo_udeg(unsigned block, int32_t mm)
{
	/* (x/24 + 8*XX - 1019.5)/10 degrees, x in metres. */
	return (int32_t)(div_round((int64_t)mm * 25, 6) + (int64_t)block * BLOCK_UDEG + GEO_MIN_UDEG);
}

static int
axis(int32_t udeg, unsigned *block, int32_t *mm)
{
	int64_t from_edge = (int64_t)udeg - GEO_MIN_UDEG;

	if (udeg < GEO_MIN_UDEG || udeg >= GEO_MAX_UDEG)
		return -1;
	*block = (unsigned)(from_edge / BLOCK_UDEG);
	*mm = (int32_t)div_round(from_edge % BLOCK_UDEG * 6, 25);
	if (*mm >= BLOCK_MM)    /* rounded up over the edge: stay in the block */
		*mm = BLOCK_MM - 1;
	return 0;
}

int
geo_place_udeg(int32_t ns_udeg, int32_t ew_udeg, struct geo_place *p)
{
	unsigned xx, yy;

	if (axis(ew_udeg, &xx, &p->x_mm) == -1 || axis(ns_udeg, &yy, &p->y_mm) == -1)
		return -1;
	p->landcell = (uint32_t)xx << 24 | (uint32_t)yy << 16 |
	    (uint32_t)(p->x_mm / CELL_MM * 8 + p->y_mm / CELL_MM + 1);
	return 0;
}

size_t
geo_format(double ns, double ew, char out[GEO_TEXT_SIZE])
{
	long n = lround(ns * 10), e = lround(ew * 10);

	if (labs(n) > 99999 || labs(e) > 99999)
		n = e = 0;
	return (size_t)snprintf(out, GEO_TEXT_SIZE, "%ld.%ld%c, %ld.%ld%c", labs(n) / 10, labs(n) % 10, n < 0 ? 'S' : 'N',
	    labs(e) / 10, labs(e) % 10, e < 0 ? 'W' : 'E');
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int
geo_parse_landblock(const char *s, size_t len, uint16_t *landblock)
{
	uint32_t v = 0;

	if (len > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		s += 2;
		len -= 2;
	}
	if (len == 0 || (len > 4 && len != 8))
		return -1;
	for (size_t i = 0; i < len; i++) {
		int d = hex_digit(s[i]);
		if (d == -1)
			return -1;
		v = v << 4 | (uint32_t)d;
	}
	*landblock = (uint16_t)(len == 8 ? v >> 16 : v);
	return 0;
}
