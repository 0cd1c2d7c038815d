#include "rare/rare.h"

#include "game/game.h"

#define COMMON_TIERS 3

const char *
rare_tier(const char *name, size_t len)
{
	const struct game_rare *r = game_rare(name, len);

	return r != NULL && r->tier <= COMMON_TIERS ? "common" : "great";
}
