/* What passes the filter, on standard output. */
#include <stdlib.h>
#include <sysexits.h>

#include "filter/filter.h"
#include "log/log.h"
#include "opt/opt.h"
#include "out/out.h"
#include "tap.h"

static struct {
	const struct tap *tap;
	struct filter *filter;
	uint64_t printed, failed, outputs;
} S;

void
tap_print_open(const struct tap *tap)
{
	char *error = NULL;

	S.tap = tap;
	if (tap->filter == NULL)
		return;
	S.filter = filter_new(tap->filter, &error);
	if (S.filter == NULL)
		die(EX_USAGE, "-f: %s", error);
}

static void
on_output(void *priv, const char *json, size_t len)
{
	(void)priv;
	out_line(json, len);
	S.outputs++;
}

static void
run_filter(const char *line, size_t len)
{
	uint64_t before = S.outputs;

	if (filter_run(S.filter, line, len, 0, on_output, NULL) == -1) {
		if (S.failed++ == 0)
			log_warn("-f failed on an event: %s", filter_error(S.filter));
	}
	S.printed += S.outputs > before;
}

int
tap_print(const char *line, size_t len)
{
	if (S.filter != NULL)
		run_filter(line, len);
	else {
		out_line(line, len);
		S.printed++;
	}
	return S.tap->count > 0 && S.printed >= S.tap->count;
}

uint64_t
tap_printed(void)
{
	return S.printed;
}

void
tap_print_close(void)
{
	if (S.failed > 1)
		log_warn("-f failed on %ju events", (uintmax_t)S.failed);
	filter_free(&S.filter);
	out_close();
}
