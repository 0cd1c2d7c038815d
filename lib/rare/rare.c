#include "rare/rare.h"

#include <string.h>

static const char *const common[] = {
#define RARE_COMMON(name) name,
#include "rare/rares.def"
#undef RARE_COMMON
};

const char *
rare_tier(const char *name, size_t len)
{
	size_t lo = 0, hi = sizeof common / sizeof *common;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int order = strncmp(common[mid], name, len);
		if (order == 0)
			order = common[mid][len] != '\0';
		if (order == 0)
			return "common";
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return "great";
}
