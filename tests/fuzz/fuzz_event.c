/* What the gate passes can be read, written and read again; whatever it is given, it reads nothing beyond it. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "event/event.h"
#include "fuzz.h"
#include "mem/mem.h"

static void
read_value(struct event_value v)
{
	char small[16], *text = xmalloc((size_t)v.len + 1);
	double d;
	int64_t n;
	int b;

	if (v.kind == EVENT_STRING) {
		assert(event_string(v, text, (size_t)v.len + 1) >= 0);
		if (strlen(text) == (size_t)event_string(v, text, (size_t)v.len + 1))
			assert(event_value_is(v, text));
	}
	(void)event_string(v, small, sizeof small);
	if (event_int(v, &n) == 0)
		assert(event_double(v, &d) == 0 && d == (double)n);
	(void)event_bool(v, &b);
	free(text);
}

static void
walk(struct event_value container)
{
	struct event_value key, value;
	size_t at = 0;

	while (event_next(container, &at, &key, &value)) {
		if (container.kind == EVENT_OBJECT)
			read_value(key);
		read_value(value);
		walk(value);
	}
	assert(at <= container.len);
}

static void
rewrite(const struct event *e)
{
	char *out = xmalloc(e->len + 1), *stamped = xmalloc(e->len + EVENT_STAMP_MAX);
	struct event again;
	uint64_t seq;
	size_t len;

	len = event_write(e, 0, out);
	assert(len <= e->len && memchr(out, '\n', len) == NULL && memchr(out, '\r', len) == NULL);
	assert(event_scan(out, len, &again) == EVENT_OK && again.n_fields == e->n_fields && again.reserved == e->reserved);
	len = event_write_stamped(e, UINT64_MAX, "2026-11-22T13:02:03.123Z", stamped);
	assert(len <= e->len + EVENT_STAMP_MAX);
	assert(event_scan(stamped, len, &again) == EVENT_OK && again.n_fields == e->n_fields + 2);
	(void)event_seq(&again, &seq);
	len = event_write(e, 1, out);
	assert(event_scan(out, len, &again) == EVENT_OK && again.n_fields == e->n_fields - e->reserved && again.reserved == 0);
	free(out);
	free(stamped);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct event e;
	size_t at;
	enum event_error error = event_scan((const char *)data, size, &e), json = event_check_json((const char *)data, size, &at);
	int64_t us;

	if (error != EVENT_OK) {
		assert(e.error_at <= size && at <= size);
		return 0;
	}
	assert(json == EVENT_OK && e.type.kind == EVENT_STRING && e.type.len > 0);
	walk(event_body(&e));
	(void)event_time(&e, &us);
	(void)event_type_id(e.type);
	assert(event_get(&e, "type").p == e.type.p);
	rewrite(&e);
	return 0;
}
