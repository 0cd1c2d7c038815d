/* Two items, a line each: what is read, merged and written stays within its bounds, the canonical form is its own, and order is nothing to the hash. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "item/item.h"

#define OUT_MAX (1u << 22)

static struct event_value
value_of(const char *p, size_t len)
{
	size_t at;

	while (len > 0 && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n')) {
		p++;
		len--;
	}
	while (len > 0 && (p[len - 1] == ' ' || p[len - 1] == '\t' || p[len - 1] == '\r' || p[len - 1] == '\n'))
		len--;
	if (len == 0 || event_check_json(p, len, &at) != EVENT_OK || (*p != '{' && *p != '['))
		return (struct event_value){ .p = "" };
	return (struct event_value){ .p = p, .len = (uint32_t)len, .kind = *p == '{' ? EVENT_OBJECT : EVENT_ARRAY };
}

static void
check_read(struct event_value v, struct buf *out)
{
	static struct item it;
	const char *why = NULL;
	size_t at;

	if (item_read(&it, v, &why) == 0) {
		assert(it.id != 0 && it.n_spells <= ITEM_SPELLS_MAX && it.n_active_spells <= ITEM_SPELLS_MAX);
		assert((it.armor_level == ITEM_NONE) == (it.base_armor_level == ITEM_NONE));
		buf_clear(out);
		assert(item_write_json(&it, "x", 1, 1, out) == 0);
		assert(event_check_json(buf_data(out), buf_size(out), &at) == EVENT_OK);
	} else {
		assert(why != NULL);
	}
	item_fini(&it);
}

static void
check_merge(struct event_value old, struct event_value update)
{
	const struct event_value none = { .p = "" };
	struct buf a = BUF_INIT(OUT_MAX), b = BUF_INIT(OUT_MAX);
	struct event_value merged;
	size_t at;

	if (item_merge(old, update, &a) == 0) {
		assert(event_check_json(buf_data(&a), buf_size(&a), &at) == EVENT_OK);
		merged = (struct event_value){ .p = buf_data(&a), .len = (uint32_t)buf_size(&a), .kind = EVENT_OBJECT };
		assert(item_merge(none, merged, &b) == 0);
		assert(buf_size(&a) == buf_size(&b) && memcmp(buf_data(&a), buf_data(&b), buf_size(&a)) == 0);
		assert(item_hash(merged) == item_hash((struct event_value){ .p = buf_data(&b), .len = (uint32_t)buf_size(&b), .kind = EVENT_OBJECT }));
	} else {
		assert(buf_size(&a) == 0);
	}
	buf_fini(&a);
	buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *line_end = size ? memchr(data, '\n', size) : NULL;
	size_t len = line_end != NULL ? (size_t)(line_end - text) : size;
	struct event_value a = value_of(text, len), b = value_of(text + len, size - len);
	struct buf out = BUF_INIT(OUT_MAX);

	if (a.kind != EVENT_ABSENT)
		check_read(a, &out);
	check_merge(a, b);
	check_merge((struct event_value){ .p = "" }, a);
	buf_fini(&out);
	return 0;
}
