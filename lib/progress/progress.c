#include "progress/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock/clock.h"
#include "log/log.h"
#include "mem/mem.h"

#define PERIOD_MS 200
#define SETTLE_MS 1000               /* no estimate of the end before this */

struct progress {
	const char *unit;
	int64_t started_ms, next_ms;
	int drawn;
};

struct progress *
progress_new(const char *unit)
{
	struct progress *p;
	const char *term = getenv("TERM");

	if (!isatty(STDERR_FILENO) || (term != NULL && strcmp(term, "dumb") == 0))
		return NULL;
	p = xcalloc(1, sizeof(*p));
	p->unit = unit;
	p->started_ms = clock_mono_ms();
	p->next_ms = p->started_ms + PERIOD_MS;
	return p;
}

static int
left(char *out, size_t size, double done, int64_t elapsed_ms)
{
	int64_t s;

	if (done <= 0 || done > 1 || elapsed_ms < SETTLE_MS)
		return 0;
	s = (int64_t)((double)elapsed_ms * (1 - done) / done / 1000) + 1;
	if (s >= 3600)
		return snprintf(out, size, "  %jd:%02d:%02d left", (intmax_t)(s / 3600), (int)(s / 60 % 60), (int)(s % 60));
	return snprintf(out, size, "  %d:%02d left", (int)(s / 60), (int)(s % 60));
}

void
progress_show(struct progress *p, double done, uint64_t count, int64_t now_ms)
{
	char line[200];
	int64_t elapsed_ms;
	size_t n;

	if (p == NULL || now_ms < p->next_ms)
		return;
	p->next_ms = now_ms + PERIOD_MS;
	elapsed_ms = now_ms - p->started_ms;
	n = (size_t)snprintf(line, sizeof(line), "\r%s: ", log_program());
	if (done >= 0)
		n += (size_t)snprintf(line + n, sizeof(line) - n, "%3.0f %%  ", 100 * (done > 1 ? 1 : done));
	n += (size_t)snprintf(line + n, sizeof(line) - n, "%ju %s  %.0f/s", (uintmax_t)count, p->unit,
	    (double)count * 1000 / (double)(elapsed_ms > 0 ? elapsed_ms : 1));
	n += (size_t)left(line + n, sizeof(line) - n, done, elapsed_ms);
	n += (size_t)snprintf(line + n, sizeof(line) - n, "\033[K");
	(void)!write(STDERR_FILENO, line, n);
	p->drawn = 1;
}

void
progress_free(struct progress **pp)
{
	if (*pp == NULL)
		return;
	if ((*pp)->drawn)
		(void)!write(STDERR_FILENO, "\r\033[K", 4);
	free(*pp);
	*pp = NULL;
}
