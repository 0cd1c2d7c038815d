/* A fuzzer as a test: each file of its seed corpus, whole, cut and mutated, always the same way.
 * test_fuzz_x reads tests/fuzz/corpus/x. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "mem/mem.h"

#define MUTATIONS 400

static uint64_t seed = 1;

static unsigned
rnd(size_t n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return n ? (unsigned)((seed >> 33) % n) : 0;
}

/* In memory of exactly that size, so that a sanitizer sees what is read beyond it. */
static void
run(const uint8_t *data, size_t size)
{
	uint8_t *p = xmalloc(size);

	if (size > 0)
		memcpy(p, data, size);
	(void)LLVMFuzzerTestOneInput(p, size);
	free(p);
}

static void
run_file(const uint8_t *data, size_t size)
{
	uint8_t *p = xmalloc(size);
	unsigned i, n;

	run(data, size);
	for (i = 0; i < MUTATIONS && size > 0; i++) {
		memcpy(p, data, size);
		for (n = 1 + rnd(4); n > 0; n--)
			p[rnd(size)] = rnd(2) ? (uint8_t)rnd(256) : data[rnd(size)];
		run(p, rnd(4) ? size : rnd(size));
	}
	free(p);
}

static int
replay(const char *path)
{
	static uint8_t data[1 << 20];
	FILE *f = fopen(path, "rb");
	size_t size;

	if (f == NULL)
		return -1;
	size = fread(data, 1, sizeof data, f);
	(void)fclose(f);
	run_file(data, size);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *name = strstr(argv[0], "test_fuzz_");
	char dir[256], path[512];
	struct dirent *d;
	int n = 0;
	DIR *dp;

	(void)argc;
	snprintf(dir, sizeof dir, "tests/fuzz/corpus/%s", name ? name + 10 : "");
	dp = opendir(dir);
	if (dp == NULL) {
		printf("1..1\nnot ok 1 - no corpus %s\n", dir);
		return 1;
	}
	while ((d = readdir(dp)) != NULL) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", dir, d->d_name);
		printf("%s %d - %s\n", replay(path) == 0 ? "ok" : "not ok", ++n, d->d_name);
		(void)fflush(stdout);
	}
	(void)closedir(dp);
	printf("1..%d\n", n);
	return n == 0;
}
