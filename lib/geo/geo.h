/* geo: where things are in the game's world.
 *
 * A landcell is XXYYCCCC: block column from the west, block row from the south, cell.  A block is 192 m wide, a map degree 240 m; x and y are metres
 * from the block's south-west corner.  Cells 0x0001-0x0040 are outdoors, 0x0100 and up indoors: there x and y may lie far outside 0-192 and the map
 * place that follows from them means nothing.  We use the plugins' form of the map (0.05 degrees beside the server's).
 *
 * The work is done in whole micro-degrees and millimetres, so that every machine gives the same digits. */
#ifndef GEO_H
#define GEO_H
#include <stddef.h>
#include <stdint.h>

#define GEO_UDEG 1000000                 /* micro-degrees of a degree */
#define GEO_MIN_UDEG (-101950000)        /* west and south edge */
#define GEO_MAX_UDEG 102050000           /* east and north edge; itself outside */
#define GEO_TEXT_SIZE 32                 /* enough for any text made here, with its NUL */

struct geo_place {
	uint32_t landcell;
	int32_t x_mm, y_mm;
};

/* Map place of a point in a landcell, one axis: block is XX with x for east-west, YY with y for north-south. */
int32_t geo_udeg(unsigned block, int32_t mm);
/* The outdoor landcell of a map place and the point in it; 0, or -1 off the map. */
int geo_place_udeg(int32_t ns_udeg, int32_t ew_udeg, struct geo_place *);

/* "42.1N, 33.6E": one decimal, what rounds to zero is N or E.  Returns the length. */
size_t geo_format(double ns, double ew, char out[GEO_TEXT_SIZE]);
/* "7", "0x0007", "00070000", "0007FFFF" and "0007" all name landblock 0x0007.  0, or -1. */
int geo_parse_landblock(const char *s, size_t len, uint16_t *landblock);

#endif
