/* rare: is a rare item common or great? */
#ifndef RARE_H
#define RARE_H
#include <stddef.h>

/* "common" or "great", by the exact name without blanks around it; a name that is not known is great. */
const char *rare_tier(const char *name, size_t len);

#endif
