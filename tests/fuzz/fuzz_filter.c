/* What passes the gate goes through jq: unchanged it comes out as the bytes that went in, changed it passes the gate again. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "event/event.h"
#include "filter/filter.h"
#include "fuzz.h"

static struct filter *
compiled(const char *program)
{
	char *error;
	struct filter *f = filter_new(program, &error);

	if (f == NULL)
		abort();
	return f;
}

static struct filter *same, *rebuilt, *changed;
static const char *line;
static size_t line_len;

/* jq points at its stack's end, where a leak check does not look. */
static void
free_all(void)
{
	filter_free(&same);
	filter_free(&rebuilt);
	filter_free(&changed);
}

static void
is_same(void *priv, const char *json, size_t len)
{
	(*(int *)priv)++;
	assert(json == line && len == line_len);
}

static void
is_event(void *priv, const char *json, size_t len)
{
	struct event e;

	(*(int *)priv)++;
	assert(event_scan(json, len, &e) == EVENT_OK && e.n_fields > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct event e;
	int n = 0;

	if (same == NULL) {
		same = compiled(".");
		rebuilt = compiled("with_entries(.)");
		changed = compiled(".added=[1.5,\"x\"]");
		(void)atexit(free_all);
	}
	line = (const char *)data;
	line_len = size;
	if (event_scan(line, size, &e) != EVENT_OK)
		return 0;
	assert(filter_run(same, line, size, 0, is_same, &n) == 0 && n == 1);
	assert(filter_run(rebuilt, line, size, 1, is_same, &n) == 0 && n == 2);
	assert(filter_run(changed, line, size, 1, is_event, &n) == 0 && n == 3);
	assert(filter_match(same, line, size) == 1);
	return 0;
}
