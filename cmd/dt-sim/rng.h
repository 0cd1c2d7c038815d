/* rng: splitmix64, one state per character, so that what one does never shifts what another draws.  Integers only: the same on every machine,
 * as long as no two draws stand in one expression whose order C leaves open (arguments of a call, operands of an operator). */
#ifndef SIM_RNG_H
#define SIM_RNG_H
#include <stdint.h>

struct rng { uint64_t s; };

static inline uint64_t
rng_next(struct rng *r)
{
	uint64_t z = (r->s += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* An unrelated stream for each pair. */
static inline struct rng
rng_stream(uint64_t seed, uint64_t stream)
{
	struct rng r = { seed * 0x2545f4914f6cdd1du + stream * 0xd1342543de82ef95u };

	r.s = rng_next(&r);
	return r;
}

static inline uint32_t
rng_below(struct rng *r, uint32_t n)        /* 0 … n - 1; 0 when n is 0 */
{
	return (uint32_t)(((rng_next(r) >> 32) * n) >> 32);
}

static inline int64_t
rng_between(struct rng *r, int64_t lo, int64_t hi)   /* both included */
{
	return lo + (int64_t)(((unsigned __int128)rng_next(r) * (uint64_t)(hi - lo + 1)) >> 64);
}

static inline int
rng_percent(struct rng *r, unsigned p)
{
	return rng_below(r, 100) < p;
}

static inline int
rng_one_in(struct rng *r, uint32_t n)
{
	return rng_below(r, n) == 0;
}

/* A bell within the bounds: the mean of four. */
static inline int64_t
rng_bell(struct rng *r, int64_t lo, int64_t hi)
{
	int64_t w = hi - lo + 1;

	return lo + (rng_between(r, 0, w - 1) + rng_between(r, 0, w - 1) + rng_between(r, 0, w - 1) + rng_between(r, 0, w - 1)) / 4;
}

#endif
